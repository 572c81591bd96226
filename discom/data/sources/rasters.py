"""Large images read window by window: a tile of 6000×6000 pixels is never held whole."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from discom.errors import DataError

__all__ = ["check_raster", "read_rows", "read_window", "window_starts"]


def window_starts(side: int, window: int) -> list[int]:
    """Where windows begin that cover `side` pixels; the last one is shifted back inside.

    >>> window_starts(60, 16)
    [0, 16, 32, 44]
    """
    return [*range(0, side - window, window), side - window]


def check_raster(
    file: Path, what: str, bands: Sequence[int], kinds: Sequence[str]
) -> tuple[int, int]:
    """Height and width of a TIFF or JPEG, by its header; a DataError where it has none of `bands`
    or values of none of `kinds`, `what` it holds for the message."""
    advice = "take the original file"
    with _opened(file) as raster:
        if raster.count not in bands:
            counts = f"has {raster.count} band(s), {what} needs {' or '.join(map(str, bands))}"
            raise DataError(f"{file}: {counts}; {advice}")
        if wrong := set(raster.dtypes) - set(kinds):
            raise DataError(f"{file}: holds {wrong.pop()}, {what} needs {kinds[0]}; {advice}")
        return raster.height, raster.width


@lru_cache(maxsize=8)
def read_rows(file: Path, top: int, rows: int) -> np.ndarray:
    """At most `rows` rows of all bands, [C, rows, W], read-only; the last ones are kept."""
    with _opened(file) as raster:
        strip = raster.read(window=Window(0, top, raster.width, min(rows, raster.height - top)))
    strip.flags.writeable = False
    return strip


def read_window(item: tuple[Path, int, int], window: int) -> np.ndarray:
    """[C, window, window] of (file, top, left); columns that the file lacks repeat its last one."""
    file, top, left = item
    part = read_rows(file, top, window)[:, :, left : left + window]
    lacking = window - part.shape[2]
    return np.pad(part, ((0, 0), (0, 0), (0, lacking)), mode="edge") if lacking else part


@contextmanager
def _opened(file: Path) -> Iterator[rasterio.DatasetReader]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # its place is not needed
            # by name: some of GDAL's many other formats point to files outside the folder
            driver = "GTiff" if file.suffix.lower() in (".tif", ".tiff") else "JPEG"
            raster = rasterio.open(file, driver=driver)
        # else the lost end of a JPEG is filled with grey
        with raster, rasterio.Env(GDAL_ERROR_ON_LIBJPEG_WARNING=True):
            yield raster
    except RasterioError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        if file.is_file() and not file.stat().st_size:
            reason = "the file is empty"
        message = f"cannot be read as an image ({reason}); unpack the archive again"
        raise DataError(f"{file}: {message}") from None
