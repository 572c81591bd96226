"""`discom.evaluation.probing` under the name that scripts use."""

from discom.evaluation.probing import *  # noqa: F403
from discom.evaluation.probing import __all__ as __all__
