"""LGG: brain MRI of 110 patients with low-grade glioma, three sequences and masks of the tumour.

`kaggle_3m/<patient>/<patient>_<slice>.tif`, uint8 [256, 256, 3]: T1 before the contrast agent,
FLAIR, and T1 after it; `<patient>_<slice>_mask.tif`, 0 or 255. Experts drew the masks on FLAIR.
Where a sequence was not taken its band is a copy of FLAIR. Source: Buda et al. 2019, images of
TCGA-LGG (The Cancer Imaging Archive); on Kaggle lgg-mri-segmentation.

Uncertain: the licence. Four slices of one patient were read here as files, the others as arrays of
64×64 pixels.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from discom.data.multimodal import MultiModalData
from discom.data.sources import Sensor, Source, steps
from discom.errors import DataError

FIRST = "TCGA_CS_4941_19960909"  # of the patients
BANDS = {"t1": 0, "flair": 1, "t1c": 2}
SIDE = 256  # pixels
WAY_OUT = "take the original file"


class LGG(Source):
    """T1, FLAIR, T1 with a contrast agent and masks, a quarter as high and wide.

    Groups are patients, numbered by name; ids number the slices by patient and place. Patients who
    lack a sequence are left out with a warning.
    """

    name = "lgg"
    what = "brain MRI, 3 473 slices of 100 patients in three sequences, tumour or not per pixel"
    classes = ("other", "tumour")
    sensors = dict.fromkeys(BANDS, Sensor("1×64×64", "grey levels"))
    size = "0.9 GB"
    licence = (
        "CC BY-NC-SA 4.0 (masks) and CC BY 3.0 (images), uncertain: see the page; cite Buda et al."
        " 2019"
    )
    page = "https://www.kaggle.com/datasets/mateuszbuda/lgg-mri-segmentation"
    by_hand = f"Unpack the archive; --root is a folder with one kaggle_3m, which holds {FIRST}"

    def read_raw(self, root: Path, names: list[str]) -> MultiModalData:
        folder = self.find_folder(root, [FIRST])
        images, masks, groups, lacking = list[np.ndarray](), list[np.ndarray](), list[int](), 0
        for number, patient in enumerate(sorted(folder.glob("TCGA_*"))):
            slices = [read_slice(*files) for files in find_slices(patient)]
            pixels = np.stack([image for image, _ in slices])
            flair = pixels[:, BANDS["flair"]]
            if any((pixels[:, BANDS[name]] == flair).all() for name in ("t1", "t1c")):
                lacking += 1
                continue
            images.append(pixels)
            masks += [mask for _, mask in slices]
            groups += [number] * len(slices)
        steps.warn_left_out(folder, lacking, "the patients lack a sequence")
        stacked = np.concatenate(images)
        bands = {name: stacked[:, BANDS[name], None] for name in names}
        ids = np.arange(len(stacked))
        return self.build({**bands, "masks": np.stack(masks)}, ids, groups=np.array(groups))


def find_slices(patient: Path) -> list[tuple[Path, Path]]:
    """Image and mask of each slice of a patient, from the first to the last place."""
    files: dict[str, dict[str, Path]] = {"images": {}, "masks": {}}
    for stem, file in steps.sorted_files(patient, ".tif").items():
        place = stem.removeprefix(f"{patient.name}_").removesuffix("_mask")
        if not place.isdecimal():
            raise DataError(file, "its name is not that of a slice of this patient", WAY_OUT)
        files["masks" if stem.endswith("_mask") else "images"][place.zfill(3)] = file
    return [(files["images"][at], files["masks"][at]) for at in steps.pair(files, patient)]


def read_slice(image: Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Three bands [3, 64, 64] and the mask [64, 64], 0 or 1, uint8 both."""
    bands = steps.read_form(image, "a slice", np.uint8, (len(BANDS), SIDE, SIDE))
    drawn = steps.read_form(mask, "a mask", np.uint8, (1, SIDE, SIDE))[0]
    if not np.isin(drawn, (0, 255)).all():
        raise DataError(mask, "holds other values than 0 and 255", WAY_OUT)
    return shrink(bands, np.round), shrink(drawn > 0, lambda share: share >= 0.5)


def shrink(pixels: np.ndarray, rule: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """[..., H, W] at a quarter of height and width: twice the mean of 2×2 pixels, by the rule."""
    for _ in range(2):
        height, width = (side // 2 for side in pixels.shape[-2:])
        blocks = pixels.reshape(*pixels.shape[:-2], height, 2, width, 2)
        pixels = rule(blocks.mean(axis=(-3, -1)))
    return pixels.astype(np.uint8)
