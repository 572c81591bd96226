"""Scenes in which two sensors know more than one: at times a sensor shows no cue, visibly so.

One object per scene, of nine classes: a shape and a material. RGB sees the material as a texture,
depth as a relief, thermal as a warmth. In a dark scene RGB shows the outline and no texture, in a
far scene depth shows the outline and no relief. A cue that is shown is always right, except for the
warmth. So the best possible accuracy of each sensor and of several together is known: see `best`.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from math import prod

import numpy as np

from discom.data.multimodal import Modality, MultiModalData
from discom.data.scenes import drawing
from discom.data.scenes.drawing import MATERIALS, SHAPES
from discom.errors import check_choice

VERSION = "objects 1"  # raised when other pixels are drawn, so that results stand apart
DARK, FAR = 0.2, 0.3  # shares of the scenes whose cue colour or depth does not show
WARMTH = 0.4  # share whose warmth is drawn uniformly
FRACTIONS = (0.4, 0.2, 0.4)  # scenes cost nothing, so as many test as train
CHUNK = 500  # scenes drawn at a time; noise is drawn by chunk, so a seed's meaning rests on it
HIDDEN = 3  # the kind of a texture or relief that the sensor does not show
NOISE = 0.06  # standard deviation of depth's pixels
# nuisance factors: name, lowest and highest value, and how many numbers, in the order of streams
RANGES: tuple[tuple, ...] = (
    *((name, -0.2, 0.2) for name in ("centre_x", "centre_y")),
    ("rotation", 0, 2 * np.pi),
    ("scale", 0.6, 0.9),
    ("frequency", 3, 5),
    ("phase", 0, 2 * np.pi),
    *((name, 0, 1, 3) for name in ("colour_a", "colour_b", "background", "bottom")),
    *((name, -1, 1) for name in ("gradient_x", "gradient_y")),
    ("illumination", 0.6, 1.2),
    *((name, -0.5, 0.5) for name in ("tilt_x", "tilt_y")),
    ("shift", -0.2, 0.2),
    *((name, -0.1, 0.1) for name in ("ambient", "draught_x", "draught_y")),
)


def make(
    n: int = 5000,
    size: int = 32,
    seed: int = 0,
    dark: float = DARK,
    far: float = FAR,
    modalities: Sequence[str] = ("rgb", "depth"),
) -> MultiModalData:
    """Draw `n` paired scenes; the same arguments give the same bytes.

    Args:
        size: height and width in pixels, a multiple of 4.
        dark: probability that RGB shows no texture.
        far: probability that depth shows no relief, whether the scene is dark or not.
        modalities: of "rgb" [n, 3, size, size], "depth" and "thermal" [n, 1, size, size], float32
            in [0, 1]. Holes in depth are 0.

    Returns:
        Paired data with every factor and the object's mask [n, size, size]. The factors `dark` and
        `far` are 0 or 1; `texture` and `relief` are 0, 1, 2, or 3 where they are hidden.

    >>> data = make(6, size=16, dark=0.5)
    >>> data.modalities["rgb"].x.shape, data.classes[4]
    ((6, 3, 16, 16), 'square/metal')
    """
    drawing.check("objects", n, seed, size, {"dark": dark, "far": far})
    sensors = [*dict.fromkeys(modalities)]
    for name in sensors:
        check_choice("objects: modalities", name, drawing.BANDS)
    factors = draw_factors(n, seed, dark, far)
    images, masks = _draw(factors, sensors, size, seed)
    labels = factors["shape"] * len(MATERIALS) + factors["material"]
    ids = np.array([f"object-{seed}-{row:06d}" for row in range(n)])
    changed = [] if {*sensors} == {"rgb", "depth"} else [*sensors]
    changed += [f"dark={dark:g}"] * (dark != DARK) + [f"far={far:g}"] * (far != FAR)
    data = MultiModalData(
        {name: Modality(images[name], labels, ids, symmetry="all") for name in sensors},
        tuple(f"{shape}/{material}" for shape in SHAPES for material in MATERIALS),
        factors=drawing.one_number_each(factors),
        masks=masks,
        name="-".join(["objects", *changed]),
        fractions=FRACTIONS,
        best=best(dark, far, sensors),
    )
    options = {"n": n, "size": size, "modalities": sensors, "dark": float(dark), "far": float(far)}
    return data.drawn_by(VERSION, seed, **options)


def best(
    dark: float = DARK, far: float = FAR, modalities: Sequence[str] = ("rgb", "depth")
) -> dict[str, float]:
    """The best possible accuracy in %, of each sensor and of every combination, joined by +.

    100 · (1 - h + h/3), where h is the share of scenes in which none of the sensors shows the
    material: one guess in three is right there. h is the product of `dark` for RGB, `far` for depth
    and 0.4 for thermal.

    >>> {name: round(accuracy, 1) for name, accuracy in best().items()}
    {'rgb': 86.7, 'depth': 80.0, 'rgb+depth': 96.0}
    """
    share = {"rgb": dark, "depth": far, "thermal": WARMTH}
    groups = [group for k in range(len(modalities)) for group in combinations(modalities, k + 1)]
    hidden = {"+".join(group): prod(share[name] for name in group) for group in groups}
    return {name: 100 * (1 - h + h / len(MATERIALS)) for name, h in hidden.items()}


def draw_factors(n: int, seed: int, dark: float, far: float) -> dict[str, np.ndarray]:
    """Everything that varies, each factor from a stream of its own; arguments as in `make`."""
    streams = drawing.Streams(n, seed, 0)
    shape, material = streams.integers(len(SHAPES)), streams.integers(len(MATERIALS))
    factors = {"shape": shape, "material": material}
    for name, cue, share in (("dark", "texture", dark), ("far", "relief", far)):
        factors[name] = (streams.uniform(0, 1) < share).astype(int)
        factors[cue] = np.where(factors[name], HIDDEN, material)
    other = streams.integers(len(MATERIALS))
    factors["warmth"] = np.where(streams.uniform(0, 1) < WARMTH, other, material)
    return factors | {name: streams.uniform(*bounds) for name, *bounds in RANGES}


def _draw(
    factors: dict[str, np.ndarray], sensors: Sequence[str], size: int, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images of each sensor, which do not depend on the other sensors, and masks of the object."""
    n, bands = len(factors["shape"]), drawing.BANDS
    rngs = {name: np.random.default_rng([seed, k]) for k, name in enumerate(bands, 1)}
    images = {name: np.empty((n, bands[name], size, size), np.float32) for name in sensors}
    masks = np.empty((n, size, size), bool)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part = {name: values[rows] for name, values in factors.items()}
        view = drawing.geometry(part, size)
        masks[rows] = view["mask"] > 0.5
        for name in sensors:
            images[name][rows] = drawing.rounded(SENSES[name](part, view, rngs[name]))
    return images, masks


def _rgb(f, view, rng):
    """In the dark, a fifth of the colours and a brighter object, [n, 3, H, W]."""
    mask, dark = view["mask"][:, None], f["dark"][:, None, None, None]
    colours = mask * drawing.texture(f, view) + (1 - mask) * drawing.background(f, view)
    colours = np.where(dark, 0.2 * colours + 0.2 * mask, colours)
    lit = colours * f["illumination"][:, None, None, None]
    return lit + 0.05 * rng.standard_normal(lit.shape)


def _depth(f, view, rng):
    """Far away, a third of the differences in depth and a raised object, [n, 1, H, W]."""
    mask, far = view["mask"], f["far"][:, None, None]
    surface = drawing.plane(f, view) + mask * (0.10 + 0.22 * drawing.relief(f, view))
    surface = np.where(far, 0.35 * surface + 0.1 * mask + 0.05, surface)
    depth = surface + NOISE * rng.standard_normal(surface.shape)
    return np.where(drawing.holes(rng, len(depth), depth.shape[-1], 0.15), 0, depth)[:, None]


def _thermal(f, view, rng):
    """An object of three levels of heat before a wall of drifting temperature, [n, 1, H, W]."""
    names = ("ambient", "draught_x", "draught_y", "warmth")
    ambient, draught_x, draught_y, warmth = drawing.columns(f, *names)
    wall = 0.25 + ambient + draught_x * view["x"] + draught_y * view["y"]
    heat = (0.12 + 0.16 * warmth) * view["mask"]
    return (wall + heat + 0.06 * rng.standard_normal(wall.shape))[:, None]


SENSES: dict[str, Callable] = {"rgb": _rgb, "depth": _depth, "thermal": _thermal}
