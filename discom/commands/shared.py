"""What several commands need."""

from pathlib import Path
from typing import Any

from discom.config import Config, profile
from discom.errors import ConfigError

__all__ = ["check_picture", "make_config", "only_run"]


def make_config(name: str, seed: int, settings: dict[str, Any], dense: bool = False) -> Config:
    """A profile, of dense prediction or not, with a seed and the settings that were given."""
    return profile(
        name,
        dense=dense,
        seed=seed,
        **{key: value for key, value in settings.items() if value is not None},
    )


def check_picture(file: Path) -> None:
    """Raise a ConfigError unless a picture can be written under that name."""
    if file.suffix not in ("", ".png", ".pdf", ".svg"):
        raise ConfigError(f"--out: '{file}' ends in {file.suffix}; pictures are .png, .pdf or .svg")


def only_run(path: Path) -> Path:
    """The folder itself if it is a run's, else the one finished run below it; itself where there is
    none.

    Raises:
        ConfigError: several runs are below it.
    """
    if (path / "config.json").is_file():
        return path
    found = sorted(file.parent for file in path.rglob("result.json"))
    if len(found) > 1:
        raise ConfigError(f"{path}: holds {len(found)} runs; name one, such as {found[0]}")
    return found[0] if found else path
