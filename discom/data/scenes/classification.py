"""One object per scene, drawn from known factors, seen by several sensors.

A scene's class is a pair (shape, material). Every sensor sees the shape as an outline; RGB sees the
material as a texture, depth as a relief, thermal as a warmth, and each of these cues is wrong with
a known probability. So the best possible accuracy of one sensor is known: see `best_accuracy`.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature

import numpy as np

from discom.data.checks import check_number
from discom.data.multimodal import Modality, MultiModalData
from discom.errors import ConfigError

SHAPES = ("disk", "square", "triangle")
MATERIALS = ("wood", "metal", "stone")  # names for the class list; only their cues are visible
VERSION = "scenes 1"  # raised when other pixels are drawn, so that results stand apart
BANDS = {"rgb": 3, "depth": 1, "thermal": 1}
REDRAWN = {"rgb": 0.10, "depth": 0.25, "thermal": 0.40}  # how often a sensor's cue is redrawn
FRACTIONS = (0.4, 0.2, 0.4)  # scenes cost nothing: as many for tests as for training
CHUNK = 500  # scenes drawn at a time; noise is drawn by chunk, so a seed's meaning rests on it


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
    epsilon: float = 0.10,
    delta: float = 0.25,
    shapes: int = 3,
    materials: int = 3,
    modalities: Sequence[str] = ("rgb", "depth"),
    noise: float = 1.0,
) -> MultiModalData:
    """Draw `n` paired scenes; the same arguments give the same bytes.

    Args:
        size: height and width in pixels, a multiple of 4.
        epsilon, delta: probability that the texture (RGB) or the relief (depth) is redrawn
            uniformly instead of equal to the material; that of the warmth (thermal) is 0.4.
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
    check("scenes", n, seed, size, {"epsilon": epsilon, "delta": delta})
    check_number("scenes: noise", noise, 0, whole=False)
    for name, count in {"shapes": shapes, "materials": materials}.items():
        check_number(f"scenes: {name}", count, 1, 3)
    if shapes * materials == 1:
        raise ConfigError("scenes", "shapes=1, materials=1 is one class", "make one of them 2 or 3")
    names = list(modalities)
    if wrong := [name for name in names if name not in BANDS or names.count(name) > 1]:
        found = f"modality '{wrong[0]}' is unknown or twice"
        raise ConfigError("scenes", found, f"choose of {', '.join(BANDS)}")
    own = {"noise": float(noise), "epsilon": float(epsilon), "delta": float(delta)}
    own |= {"shapes": shapes, "materials": materials}
    shares = {"rgb": own["epsilon"], "depth": own["delta"], "thermal": REDRAWN["thermal"]}
    factors = _factors(n, seed, shares, shapes, materials)
    labels = factors["shape"] * materials + factors["material"]
    images, masks = _draw(factors, size, seed, names, noise)
    ids = np.array([f"scene-{seed}-{row:06d}" for row in range(n)])
    sensors = [] if set(names) == {"rgb", "depth"} else names
    data = MultiModalData(
        {name: Modality(images[name], labels, ids) for name in names},
        tuple(f"{shape}/{m}" for shape in SHAPES[:shapes] for m in MATERIALS[:materials]),
        factors=one_number_each(factors),
        masks=masks,
        name=name_of(make, "scenes", *sensors, **own),
        fractions=FRACTIONS,
        best={name: 100 * best_accuracy(shares[name], materials) for name in names},
    )
    return data.drawn_by(VERSION, seed, n=n, size=size, modalities=names, **own)


def _factors(n, seed, shares, shapes, materials) -> dict[str, np.ndarray]:
    """Everything that varies, each factor from a stream of its own."""
    streams = iter(np.random.default_rng([seed, 0]).spawn(64))

    def uniform(low, high, *shape):
        return next(streams).uniform(low, high, (n, *shape))

    shape, material = (next(streams).integers(0, k, n) for k in (shapes, materials))
    factors = {"shape": shape, "material": material}
    redrawn = zip(("texture", "relief", "warmth"), shares.values(), strict=True)
    for name, probability in redrawn:
        other = next(streams).integers(0, materials, n)
        factors[name] = np.where(uniform(0, 1) < probability, other, material)
    return factors | {name: uniform(*bounds) for name, *bounds in RANGES}


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


def _draw(factors, size, seed, modalities, noise) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images of every modality, and the object's mask, [n, size, size]."""
    n, draw = len(factors["shape"]), {"rgb": _rgb, "depth": _depth, "thermal": _thermal}
    rngs = {name: np.random.default_rng([seed, k]) for k, name in enumerate(BANDS, 1)}
    images = {name: np.empty((n, BANDS[name], size, size), np.float32) for name in modalities}
    masks = np.empty((n, size, size), bool)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part = {name: values[rows] for name, values in factors.items()}
        view = geometry(part, size)
        masks[rows] = view["mask"] > 0.5
        for name in modalities:
            images[name][rows] = rounded(draw[name](part, view, rngs[name], noise))
    return images, masks


def _rgb(f, view, rng, _noise):
    mask = view["mask"][:, None]
    lit = mask * texture(f, view) + (1 - mask) * background(f, view)
    lit = lit * f["illumination"][:, None, None, None]
    return lit + 0.05 * rng.standard_normal(lit.shape)


def _depth(f, view, rng, noise):
    surface = plane(f, view) + view["mask"] * (0.10 + 0.22 * relief(f, view))
    depth = surface + noise * 0.08 * rng.standard_normal(surface.shape)
    return np.where(holes(rng, *depth.shape[:2], 0.15), 0, depth)[:, None]


def _thermal(f, view, rng, _noise):
    """A warm object before a wall of drifting temperature; its heat has one of three levels."""
    names = ("ambient", "draught_x", "draught_y", "warmth")
    ambient, draught_x, draught_y, warmth = columns(f, *names)
    wall = 0.25 + ambient + draught_x * view["x"] + draught_y * view["y"]
    heat = (0.12 + 0.16 * warmth) * view["mask"]
    return (wall + heat + 0.06 * rng.standard_normal(wall.shape))[:, None]


# what all synthetic scenes share: factors f are arrays whose first axis is the scene, and a view is
# what `geometry` returns


def check(where: str, n: int, seed: int, size: int, shares: Mapping[str, float]) -> None:
    """Raise a ConfigError for a number of scenes, a seed, a size or a share out of range."""
    for name, value, least in (("n", n, 1), ("seed", seed, 0), ("size", size, 8)):
        check_number(f"{where}: {name}", value, least)
    if size % 4:
        raise ConfigError(f"{where}: size", f"{size} is not a multiple of 4", "give e.g. 32")
    for name, share in shares.items():
        check_number(f"{where}: {name}", share, 0, 1, whole=False)


def name_of(draw: Callable, *parts: str, **arguments: float) -> str:
    """The data set's name, with the arguments that are not the default of what draws it."""
    usual = signature(draw).parameters
    changed = [f"{name}={v:g}" for name, v in arguments.items() if v != usual[name].default]
    return "-".join([*parts, *changed])


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
    """What RGB sees of it: stripes (0), checks (1) or rings (2) of two colours, [n, 3, H, W]."""
    frequency, phase, kind = columns(f, "frequency", "phase", "texture")
    stripes = np.sin(2 * frequency * view["u"] + phase)
    checker = np.clip(1.6 * stripes * np.sin(2 * frequency * view["v"] + phase), -1, 1)
    rings = np.sin(2.2 * frequency * view["r"] + phase)
    weight = (1 + np.choose(kind, [stripes, checker, rings])) / 2
    return _blend(weight, f["colour_a"], f["colour_b"])


def relief(f: Mapping[str, np.ndarray], view: Mapping[str, np.ndarray]) -> np.ndarray:
    """What depth sees of an object: flat (relief 0), a dome (1), a ridge (2), [n, H, W] ≤ 1."""
    flat, dome = np.full_like(view["r"], 0.6), 1 - np.minimum(view["r"], 1) ** 2
    ridge = 1 - np.minimum(abs(view["u"]), 1)
    return np.choose(f["relief"][:, None, None], [flat, dome, ridge])


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
