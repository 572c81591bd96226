"""What is inside the files: the scaling of training, bit by bit, and a softmax."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from discom.data import Normalization
from discom.deployment.contract import Contract
from discom.deployment.graph import Deployed, Scaling, write_graphs
from discom.deployment.loading import load
from discom.models import SingleModality, resnet18

values = st.floats(-1e6, 1e6, width=32)
bounds_ = st.integers(-(10**6), 10**6).map(
    lambda hundredths: hundredths / 100
)  # equal, or apart by what float32 knows


@settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine
@given(
    arrays(np.float32, (3, 2, 2, 3), elements=values), arrays(np.float64, (2, 2), elements=bounds_)
)
def test_scaling_is_that_of_training_bit_by_bit(images, bounds):
    """Also beyond the bounds, and for a band whose bounds are one value."""
    fitted = Normalization(bounds.min(0), bounds.max(0))
    assert np.array_equal(Scaling(fitted)(torch.from_numpy(images)).numpy(), fitted(images))


def test_a_constant_band_becomes_zero():
    scaling = Scaling(Normalization(np.array([5.0]), np.array([5.0])))
    assert scaling(torch.tensor([[[[-1e30, 5.0, 1e30]]]])).tolist() == [[[[0, 0, 0]]]]


def test_logits_are_the_branchs_and_probabilities_their_softmax():
    bounds = Normalization(np.array([100.0]), np.array([300.0]))
    network = Deployed(nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Dropout(0.9)), bounds)
    images = torch.tensor([[[[0.0, 150.0], [300.0, 900.0]]]])
    logits, probabilities = network(images)
    expected = network.branch[1](torch.tensor([[0, 0.25, 1, 1]]))  # no dropout at use
    assert torch.equal(logits, expected)
    assert torch.equal(probabilities, expected.softmax(1))
    assert not any(p.requires_grad for p in network.parameters())


def test_images_that_come_scaled_are_left_alone():
    images = torch.tensor([[[[-0.5, 1.5]]]])
    logits, _ = Deployed(nn.Flatten(), None)(images)
    assert logits.tolist() == [[-0.5, 1.5]]


@pytest.mark.slow
def test_matrix_products_of_small_maps_export_like_the_convolutions_they_stand_for(tmp_path):
    """`fit` may turn convolutions into products; a branch in this form gives the same file up to
    rounding."""
    torch.manual_seed(0)
    encoder = lambda channels: resnet18(channels, width=16, stem="small", products=True)  # noqa: E731
    branch = SingleModality(2, classes=3, encoder=encoder).eval()
    bounds = Normalization(np.array([0.0, 10.0]), np.array([1.0, 90.0]))
    contract = Contract("student", "d", 0, "ab", "sar", ("a", "b", "c"), 2, 32, 32)
    network = Deployed(branch, bounds)
    write_graphs(network, contract, tmp_path)
    images = np.random.default_rng(0).uniform(-10, 100, (5, 2, 32, 32)).astype(np.float32)
    expected = [held.numpy() for held in network(torch.from_numpy(images))]
    for file in ("model.onnx", "model.pt2"):
        for ours, theirs in zip(load(tmp_path / file).answer(images), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
