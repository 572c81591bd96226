"""What all synthetic scenes share: random factors, geometry, surfaces, and what a sensor adds.

Factors f are arrays whose first axis is the scene, and a view is what `geometry` returns. Results
rest on these bytes: a change here needs another VERSION of every kind of scene that it reaches.
"""

from collections.abc import Mapping

import numpy as np

from discom.data.checks import check_number
from discom.data.pixels import check_memory
from discom.errors import ConfigError

SHAPES = ("disk", "square", "triangle")
MATERIALS = ("wood", "metal", "stone")  # names for the class list; only their cues are visible
BANDS = {"rgb": 3, "depth": 1, "thermal": 1}


class Streams:
    """Random numbers of `n` scenes for a key, each factor from a stream of its own."""

    def __init__(self, n: int, *key: int):
        self.n, self.rngs = n, iter(np.random.default_rng(key).spawn(64))

    def integers(self, count: int) -> np.ndarray:
        """Whole numbers below `count`, [n]."""
        return next(self.rngs).integers(0, count, self.n)

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        """Numbers from low to high, `[n, *shape]`."""
        return next(self.rngs).uniform(low, high, (self.n, *shape))


def check(where: str, n: int, seed: int, size: int, shares: Mapping[str, float]) -> None:
    """Raise a ConfigError for a number of scenes, a seed, a size or a share out of range, and for
    scenes that cannot be held in memory, float32 of one band at least."""
    for name, value, least in (("n", n, 1), ("seed", seed, 0), ("size", size, 8)):
        check_number(f"{where}: {name}", value, least)
    if size % 4:
        raise ConfigError(f"{where}: size", f"{size} is not a multiple of 4", "give e.g. 32")
    check_memory(
        f"{where}: n, size",
        4 * n * size**2,
        f"{n} scenes of {size}×{size}",
        "draw fewer, or smaller ones",
    )
    for name, share in shares.items():
        check_number(f"{where}: {name}", share, 0, 1, whole=False)


def one_number_each(factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The factors, a colour [n, 3] by its brightness [n]."""
    return {k: v if v.ndim == 1 else v.mean(1) for k, v in factors.items()}


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def columns(f: Mapping[str, np.ndarray], *names: str) -> list[np.ndarray]:
    """Factors of every scene, [n, 1, 1] each."""
    return [f[name][:, None, None] for name in names]


def geometry(f: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Image coordinates x, y in [-1, 1], object coordinates u, v (less the centre, turned, divided
    by the scale), r = √(u² + v²), and the soft mask sigmoid(0.6 · size · signed distance to the
    outline), which the object passes at one half; each [n, size, size]."""
    axis = np.linspace(-1, 1, size)
    x, y = np.broadcast_arrays(axis[None, None, :], axis[None, :, None])
    shape, scale, angle = columns(f, "shape", "scale", "rotation")
    centre_x, centre_y = columns(f, "centre_x", "centre_y")
    dx, dy = (x - centre_x) / scale, (y - centre_y) / scale  # [n, size, size]
    cos, sin = np.cos(angle), np.sin(angle)
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    r = np.hypot(u, v)
    disk, square = 1 - r, 0.8 - np.maximum(abs(u), abs(v))
    triangle = 0.55 - np.maximum(-v, np.maximum(0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v))
    distance = np.choose(shape, [disk, square, triangle])
    return {"x": x, "y": y, "u": u, "v": v, "r": r, "mask": _sigmoid(0.6 * size * distance)}


def _blend(weight, first, second):
    """weight·first + (1 - weight)·second for colours [n, 3] and weights [n, H, W]: [n, 3, H, W]."""
    weight = weight[:, None]
    return weight * first[:, :, None, None] + (1 - weight) * second[:, :, None, None]


def texture(f: Mapping[str, np.ndarray], view: Mapping[str, np.ndarray]) -> np.ndarray:
    """What RGB sees of it: stripes (0), checks (1) or rings (2) of two colours, or their mean alone
    (3), [n, 3, H, W]."""
    frequency, phase, kind = columns(f, "frequency", "phase", "texture")
    stripes = np.sin(2 * frequency * view["u"] + phase)
    checker = np.clip(1.6 * stripes * np.sin(2 * frequency * view["v"] + phase), -1, 1)
    rings = np.sin(2.2 * frequency * view["r"] + phase)
    weight = (1 + np.choose(kind, [stripes, checker, rings, 0])) / 2
    return _blend(weight, f["colour_a"], f["colour_b"])


def relief(f: Mapping[str, np.ndarray], view: Mapping[str, np.ndarray]) -> np.ndarray:
    """What depth sees of an object: flat (relief 0), a dome (1), a ridge (2), or flat and high (3),
    [n, H, W] ≤ 1."""
    flat, dome = np.full_like(view["r"], 0.6), 1 - np.minimum(view["r"], 1) ** 2
    ridge = 1 - np.minimum(abs(view["u"]), 1)
    return np.choose(f["relief"][:, None, None], [flat, dome, ridge, 1.0])


def background(f: Mapping[str, np.ndarray], view: Mapping[str, np.ndarray]) -> np.ndarray:
    """What RGB sees behind the objects: two colours along a gradient, [n, 3, H, W]."""
    gradient_x, gradient_y = columns(f, "gradient_x", "gradient_y")
    slope = gradient_x * view["x"] + gradient_y * view["y"]
    return _blend(_sigmoid(2 * slope), f["background"], f["bottom"])


def plane(f: Mapping[str, np.ndarray], view: Mapping[str, np.ndarray]) -> np.ndarray:
    """What depth sees behind them: 0.5 + shift + 0.7 (tilt_x·x + tilt_y·y), [n, H, W]."""
    shift, tilt_x, tilt_y = columns(f, "shift", "tilt_x", "tilt_y")
    return 0.5 + shift + 0.7 * (tilt_x * view["x"] + tilt_y * view["y"])


def holes(rng: np.random.Generator, n: int, size: int, share: float) -> np.ndarray:
    """Where depth measured nothing: 4×4 squares, a `share` of them, [n, size, size]."""
    missing = rng.random((n, size // 4, size // 4)) < share
    return missing.repeat(4, axis=1).repeat(4, axis=2)


def rounded(image: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Clipped to [least, 1] and rounded to 16 bits, which hides how processors differ."""
    return np.round(np.clip(image, least, 1) * 65535) / 65535
