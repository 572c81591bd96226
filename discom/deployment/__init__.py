"""Deployment: one trained branch as files that answer raw images, and their use. What is needed at
use loads no torch; `discom.deployment.exporting` does."""

from discom.deployment.contract import Contract
from discom.deployment.loading import Model, load
from discom.deployment.predicting import Prediction, find_images, predict

__all__ = ["Contract", "Model", "Prediction", "find_images", "load", "predict"]
