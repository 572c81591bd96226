"""Public data sets: what each is, how its files are brought here, and what its reader gives.

Their files, beside this one, are imported when a set is asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar, NamedTuple

import numpy as np

from discom.config import check_options
from discom.data.checks import check_size, listed
from discom.data.images import resize
from discom.data.lazy_arrays import Rows, lazy
from discom.data.multimodal import Modality, MultiModalData
from discom.data.pixels import check_memory, count_pixels
from discom.data.sources.steps import find, most_frequent
from discom.errors import DataError, check_choice, watched
from discom.files import as_data_error

REGISTRY: dict[str, "Source"] = {}  # name → the set; a subclass of Source enters itself
Size = int | Sequence[int]  # height and width in pixels, or one number for both


class Sensor(NamedTuple):
    """A modality of a set, or its masks: what its images are, and how one of them is read."""

    shape: str = ""  # as read, "3×64×64"
    unit: str = ""
    read: Callable[[Any], np.ndarray] = np.asarray  # an item to [C, H, W], of a mask [H, W]
    invalid: float | None = None  # the value where nothing was measured
    smooth: bool = False  # whether another size averages pixels, else it takes the nearest one

    def stack(self, items: Sequence[Any], size: tuple[int, int] | None) -> Rows:
        """The images of the items, brought to height and width, [N, …]; the first is read now."""

        def read(item: Any) -> np.ndarray:
            pixels = self.read(item)
            return resize(pixels, size, smooth=self.smooth) if size else pixels

        first = self.read(items[0])
        if size:
            needed = 8 * math.prod((*first.shape[:-2], *size))  # float64 at most
            place = f"size {size[0]}×{size[1]}"
            check_memory(place, needed, "pixels of one image", "choose a smaller one")
            first = resize(first, size, smooth=self.smooth)
        return lazy(items, read, first.shape, first.dtype)


class Source:
    """One public data set: a subclass in a file of this folder, see docs/guides/new_data.md.

    Its `read_raw(root, names, **options)` returns what `build` makes of the modalities `names`;
    options are annotated.
    """

    name: ClassVar[str]  # in commands and tables
    what: ClassVar[str]  # one line, for the list of data sets
    classes: ClassVar[tuple[str, ...]]
    sensors: ClassVar[Mapping[str, Sensor]]  # modality, or "masks" where dense → what it is
    symmetry: ClassVar[str] = "flip"  # of all its sensors, see `Modality`; the papers' say "all"
    size: ClassVar[str]  # of the raw files
    licence: ClassVar[str]
    page: ClassVar[str]  # where it is described
    # name on disk → address and checksum, "md5:…" or "sha256:…", or "": none
    files: Mapping[str, tuple[str, str]] = {}
    by_hand: ClassVar[str] = ""  # what to fetch where, if not all can be downloaded
    read_raw: Callable[..., MultiModalData]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        REGISTRY[cls.name] = cls()

    @property
    def modalities(self) -> list[str]:
        """Its sensors, without the masks."""
        return [name for name in self.sensors if name != "masks"]

    def advice(self) -> str:
        """What to do where files are missing, in one line."""
        way = f"Give the folder with the raw files, or fetch them with --download ({self.size}). "
        return f"{way if self.files else ''}{self.by_hand}".removesuffix(". ")

    def read(
        self,
        root: Path | str,
        modalities: str | Sequence[str] | None = None,
        *,
        download: bool = False,
        **options: Any,
    ) -> MultiModalData:
        """The data set of the raw files below `root`, which `download` fetches; a ConfigError for a
        modality or an option that the set lacks, a DataError for a file that is missing or wrong.
        """
        check_options(self.name, self.read_raw, options)
        names = listed(modalities) or self.modalities
        for name in names:
            check_choice("modalities", name, self.modalities)
        return self.read_raw(self.raw_folder(root, download), names, **options)

    def find_folder(self, root: Path, inside: Sequence[str]) -> Path:
        """The one folder at or below `root` that directly holds all of `inside` (or DataError)."""
        places = [place.parent for place in find(root, inside[0])]
        folders = [place for place in places if all((place / name).exists() for name in inside)]
        if len(folders) != 1:
            found = f"holds {len(folders)} folders with {', '.join(inside[:3])}, not one"
            raise DataError(root, found, self.advice())
        return folders[0]

    def raw_folder(self, root: Path | str, download: bool = False) -> Path:
        """The folder. To download, pooch fetches what is missing, verifies every file, and unpacks
        archives, each into a folder of its name; a file of another checksum is refused."""
        import pooch

        root, files = Path(root), self.files if download else {}
        if not files and (download or not root.is_dir()):
            found = "nothing can be downloaded" if download else "no such folder (--root)"
            raise DataError(root, f"{found}. {self.advice()}")
        way_out = "delete it, if it is there, and fetch it later or by hand"
        for name, (url, checksum) in files.items():
            entry = {"registry": {name: checksum or None}, "urls": {name: url}}
            unzip = pooch.Unzip(extract_dir=Path(name).stem) if name.endswith(".zip") else None
            with as_data_error(root / name, f"what {url} gives", way_out):
                store = pooch.create(root, "", **entry, allow_updates=False, retry_if_failed=2)
                store.fetch(name, unzip, pooch.HTTPDownloader(progressbar=watched()))
        return root

    def build(
        self,
        images: Mapping[str, Any],
        ids: Any,
        *,
        size: Size | None = None,
        labels: Any = None,
        **more: Any,
    ) -> MultiModalData:
        """The data set, from what `read_raw` found.

        Args:
            images: modality (and "masks", of dense data) → an array, or for each sample what its
                sensor reads when asked for: a file, or a tuple that begins so.
            labels: the class of each sample, by default the most frequent one of its mask, or -1.
            more: groups and parts, as MultiModalData takes them.
        """
        if not len(ids):
            raise DataError(self.name, "no sample is left", "check the files and the options")
        shape = None if size is None else check_size(size)
        arrays = {
            name: x if isinstance(x, np.ndarray) else self.sensors[name].stack(x, shape)
            for name, x in images.items()
        }
        masks = arrays.pop("masks", None)
        if labels is None:
            labels = most_frequent(count_pixels(masks, len(self.classes)))
        modalities = {}
        for name, x in arrays.items():
            about = self.sensors[name].unit, self.sensors[name].invalid, self.symmetry
            modalities[name] = Modality(x, np.asarray(labels), np.asarray(ids), *about)
        names = [] if list(arrays) == self.modalities else list(arrays)
        return MultiModalData(
            modalities,
            self.classes,
            dense=masks is not None,
            masks=masks,
            name="-".join([self.name, *names]),
            about={"source": self.page, "licence": self.licence},
            **more,
        )


def names() -> list[str]:
    """The sets of this folder's files, which enter themselves, and those defined elsewhere."""
    for file in iter_modules(__path__):
        import_module(f"{__name__}.{file.name}")
    return sorted(REGISTRY)


def get(name: str) -> Source:
    """The set that `names` calls so."""
    names()
    return REGISTRY[name]
