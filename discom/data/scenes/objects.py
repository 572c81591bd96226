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

from discom.data.multimodal import MultiModalData
from discom.data.scenes import drawing
from discom.data.scenes.drawing import MATERIALS, SHAPES

VERSION = "objects 1"  # raised when other pixels are drawn, so that results stand apart
HIDDEN = 3  # the kind of a texture or relief that the sensor does not show
NOISE = 0.06  # standard deviation of depth's pixels


def make(
    n: int = 5000,
    size: int = 32,
    seed: int = 0,
    dark: float = 0.2,
    far: float = 0.3,
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
        `far` are 0 or 1; `texture` and `relief` are 0, 1, 2, or 3 where they are hidden. Two fifths
        are for training, one for validation, two for tests.

    >>> data = make(6, size=16, dark=0.5)
    >>> data.modalities["rgb"].x.shape, data.classes[4]
    ((6, 3, 16, 16), 'square/metal')
    >>> data.factors["dark"].tolist(), data.factors["texture"].tolist()
    ([0, 1, 0, 0, 1, 1], [1, 3, 1, 0, 3, 3])
    """
    drawing.check("objects", n, seed, size, {"dark": dark, "far": far})
    names = drawing.check_sensors("objects", modalities)
    return drawing.one_object(
        make,
        VERSION,
        draw_factors(n, seed, dark, far),
        {name: SENSES[name] for name in names},
        best(dark, far, names),
        size,
        seed,
        dark=float(dark),
        far=float(far),
    )


def best(
    dark: float = 0.2, far: float = 0.3, modalities: Sequence[str] = ("rgb", "depth")
) -> dict[str, float]:
    """The best possible accuracy in %, of each sensor and of every combination, joined by +.

    100 · (1 - h + h/3), where h is the share of scenes in which none of the sensors shows the
    material: one guess in three is right there. h is the product of `dark` for RGB, `far` for depth
    and 0.4 for thermal.

    >>> {name: round(accuracy, 1) for name, accuracy in best().items()}
    {'rgb': 86.7, 'depth': 80.0, 'rgb+depth': 96.0}
    """
    drawing.check("objects", 1, 0, 8, {"dark": dark, "far": far})
    share = {"rgb": dark, "depth": far, "thermal": drawing.WARMTH}
    groups = [group for k in range(len(modalities)) for group in combinations(modalities, k + 1)]
    hidden = {"+".join(group): prod(share[name] for name in group) for group in groups}
    return {name: 100 * (1 - h + h / len(MATERIALS)) for name, h in hidden.items()}


def draw_factors(n: int, seed: int, dark: float, far: float) -> dict[str, np.ndarray]:
    """Everything that varies, each factor from a stream of its own; arguments as in `make`."""
    streams = drawing.Streams(n, seed)
    shape, material = streams.integers(len(SHAPES)), streams.integers(len(MATERIALS))
    factors = {"shape": shape, "material": material}
    for name, cue, share in (("dark", "texture", dark), ("far", "relief", far)):
        factors[name] = (streams.uniform(0, 1) < share).astype(int)
        factors[cue] = np.where(factors[name], HIDDEN, material)
    factors["warmth"] = streams.redrawn(material, drawing.WARMTH, len(MATERIALS))
    return factors | streams.nuisances()


def _rgb(f, view, rng):
    """In the dark, a fifth of the colours, and the object brightened a little."""
    colours, dark = drawing.painted(f, view), f["dark"][:, None, None, None]
    colours = np.where(dark, 0.2 * colours + 0.2 * view["mask"][:, None], colours)
    return drawing.photo(f, colours, rng)


def _depth(f, view, rng):
    """Far away, a third of the differences in depth, and the object raised a little."""
    mask, far = view["mask"], f["far"][:, None, None]
    surface = drawing.plane(f, view) + mask * (0.10 + 0.22 * drawing.relief(f, view))
    surface = np.where(far, 0.35 * surface + 0.1 * mask + 0.05, surface)
    return drawing.ranged(surface, NOISE, rng)


SENSES: dict[str, Callable] = {"rgb": _rgb, "depth": _depth, "thermal": drawing.thermal}
