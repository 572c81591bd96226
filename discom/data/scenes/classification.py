"""One object per scene, drawn from known factors, seen by several sensors.

A scene's class is a pair (shape, material). Every sensor sees the shape as an outline; RGB sees the
material as a texture, depth as a relief, thermal as a warmth, and each of these cues is wrong with
a known probability. So the best possible accuracy of one sensor is known: see `best_accuracy`.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from discom.data.checks import check_number
from discom.data.multimodal import MultiModalData
from discom.data.scenes import drawing
from discom.data.scenes.drawing import MATERIALS
from discom.errors import ConfigError

__all__ = ["MATERIALS", "best_accuracy", "make"]

VERSION = "scenes 1"  # raised when other pixels are drawn, so that results stand apart
# how often a sensor's cue is redrawn
REDRAWN = {"rgb": 0.10, "depth": 0.25, "thermal": drawing.WARMTH}


def best_accuracy(redrawn: float, materials: int = 3) -> float:
    """Accuracy of the best classifier of one sensor whose cue is redrawn uniformly with probability
    `redrawn`: 1 - ε + ε/K, since the cue still shows the material in one of K redrawn cases.

    >>> round(best_accuracy(0.10), 3), round(best_accuracy(0.25), 3)
    (0.933, 0.833)
    """
    return 1 - redrawn + redrawn / materials


def make(
    n: int = 5000,
    size: int = 32,
    seed: int = 0,
    shapes: int = 3,
    materials: int = 3,
    modalities: Sequence[str] = ("rgb", "depth"),
    noise: float = 1.0,
) -> MultiModalData:
    """Draw `n` paired scenes; the same arguments give the same bytes.

    Args:
        size: height and width in pixels, a multiple of 4.
        shapes, materials: how many of each, 1 to 3; their product is the number of classes.
        modalities: of "rgb" [n, 3, size, size], "depth" and "thermal" [n, 1, size, size], float32
            in [0, 1].
        noise: factor on the noise of depth's pixels.

    Returns:
        Paired data with every factor and the object's mask [n, size, size]; two fifths are for
        training, one for validation, two for tests. The name has the arguments that were changed.

    >>> data = make(6, size=16)
    >>> data.modalities["rgb"].x.shape, data.classes[4], sorted(data.factors)[:3]
    ((6, 3, 16, 16), 'square/metal', ['ambient', 'background', 'bottom'])
    """
    drawing.check("scenes", n, seed, size, {})
    check_number("scenes: noise", noise, 0, whole=False)
    for name, count in {"shapes": shapes, "materials": materials}.items():
        check_number(f"scenes: {name}", count, 1, 3)
    if shapes * materials == 1:
        raise ConfigError("scenes", "shapes=1, materials=1 is one class", "make one of them 2 or 3")
    names = drawing.check_sensors("scenes", modalities)
    depth = partial(_depth, noise=noise)
    sees: dict[str, Callable] = {"rgb": _rgb, "depth": depth, "thermal": drawing.thermal}
    return drawing.one_object(
        make,
        VERSION,
        _factors(n, seed, shapes, materials),
        {name: sees[name] for name in names},
        {name: 100 * best_accuracy(REDRAWN[name], materials) for name in names},
        size,
        seed,
        noise=float(noise),
        epsilon=REDRAWN["rgb"],
        delta=REDRAWN["depth"],
        shapes=shapes,
        materials=materials,
    )


def _factors(n, seed, shapes=3, materials=3) -> dict[str, np.ndarray]:
    """Everything that varies, each factor from a stream of its own."""
    streams = drawing.Streams(n, seed)
    shape, material = streams.integers(shapes), streams.integers(materials)
    factors = {"shape": shape, "material": material}
    for name, share in zip(("texture", "relief", "warmth"), REDRAWN.values(), strict=True):
        factors[name] = streams.redrawn(material, share, materials)
    return factors | streams.nuisances()


def _rgb(f, view, rng):
    return drawing.photo(f, drawing.painted(f, view), rng)


def _depth(f, view, rng, noise):
    relief = 0.10 + 0.22 * drawing.relief(f, view)
    return drawing.ranged(drawing.plane(f, view) + view["mask"] * relief, noise * 0.08, rng)
