"""What several commands need."""

from pathlib import Path
from typing import Any

from discom.config import Config, profile
from discom.errors import ConfigError

__all__ = ["check_picture", "make_config"]


def make_config(name: str, seed: int, settings: dict[str, Any], dense: bool = False) -> Config:
    """A profile, of dense prediction or not, with a seed and the settings that were given."""
    return profile(name, dense=dense, seed=seed, **{key: value for key, value in settings.items() if value is not None})


def check_picture(file: Path) -> None:
    """Raise a ConfigError unless a picture can be written under that name."""
    if file.suffix not in ("", ".png", ".pdf", ".svg"):
        raise ConfigError(f"--out: '{file}' ends in {file.suffix}; pictures are .png, .pdf or .svg")
