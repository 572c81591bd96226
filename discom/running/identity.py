"""What names a run: everything that was asked for, in full."""

from collections.abc import Mapping
from typing import Any

from discom import methods
from discom.config import Config
from discom.files import digest
from discom.hardware import precision_used
from discom.methods import Method

ORIGIN = ("digest", "drawn", "divided", "fold", "folds")  # fields that a split's origin shares
SEEDS = ("drawn", "divided", "seed")  # of the samples, of their parts, of the run


def settings_of(method: type[Method], config: Config) -> dict[str, Any]:
    """Settings as results keep them: the method's options in full, and the precision that this
    machine uses."""
    precision = precision_used(config.precision, config.accelerator)
    options = method.options(config.options)
    return {**config.identity(), "precision": precision, "options": options}


def asked(
    method: str, settings: Mapping[str, Any], teacher: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What students keep of their teacher's run: method, settings, and its own teacher."""
    return {"method": method, "config": settings, "teacher": teacher}


def run_hash(
    method: str, origin: Any, settings: Mapping[str, Any], teacher: Mapping[str, Any] | None
) -> str:
    """Ten digits that change with data, split and seeds (an `Origin`, or a Result), method,
    settings and options, and what was asked of the teacher."""
    data = [getattr(origin, name) for name in ORIGIN]
    return digest([method, *data, settings, teacher])[:10]


def filled(method: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a result from before some were there: a newer setting or option has its
    default, a newer term of the loss had no weight."""
    config = {**Config().identity(), **stored}
    if method not in methods.names():
        return config
    options = {**methods.get(method).defaults(), **config["options"]}
    if "weights" in config["options"]:
        newer = dict.fromkeys(methods.get(method).terms, 0.0)
        options["weights"] = {**newer, **config["options"]["weights"]}
    return {**config, "options": options}
