"""GDAL's tags of a TIFF: which value says "not measured", and what stored numbers mean."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from discom.errors import DataError
from discom.files import as_data_error

TIFF = (".tif", ".tiff")
NO_DATA = 42113  # GDAL's tag for the value of a pixel that was not measured, as text
METADATA = 42112  # GDAL's tag with the scale and offset of bands, as XML


class Tags(NamedTuple):
    """What GDAL's tags of a TIFF state: the value of pixels that were not measured, and how stored
    numbers become values, as (band, "scale" or "offset", number) where that is not 1 or 0."""

    no_data: float | None = None
    scaling: tuple[tuple[int, str, float], ...] = ()

    def factors(self) -> str:
        """The scaling in words.

        >>> Tags(scaling=((0, "offset", -0.1), (0, "scale", 1e-4))).factors()
        'offset -0.1, scale 0.0001'
        """
        texts = (f"{kind} {value:g}" for _, kind, value in self.scaling)
        return ", ".join(texts) or "no scale or offset"


def tags(file: Path) -> Tags:
    """The tags of a TIFF, nothing of another file; a DataError for a no-data text that is no
    number."""
    import tifffile

    if file.suffix.lower() not in TIFF:
        return Tags()
    with as_data_error(file, "an image", "replace or remove it"), tifffile.TiffFile(file) as tiff:
        known = tiff.pages.first.tags
        text, about = (known[key].value if key in known else None for key in (NO_DATA, METADATA))
    scaling = []
    with as_data_error(file, "GDAL's metadata", "write its scale and offset anew"):
        for item in ElementTree.fromstring(about).iter("Item") if about else ():
            kind = (item.get("role") or item.get("name") or "").lower()
            if kind in ("scale", "offset") and (value := float(item.text or "")) != (
                kind == "scale"
            ):
                scaling.append((int(item.get("sample", 0)), kind, value))
    try:
        return Tags(None if text is None else float(text), tuple(sorted(scaling)))
    except ValueError:
        way_out = "state a number, as with gdal_edit.py -a_nodata -9999"
        raise DataError(file, f"states {text!r} as no data, which is no number", way_out) from None
