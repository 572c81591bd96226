"""One object per scene, drawn from known factors, seen by several sensors.

A scene's class is a pair (shape, material). Every sensor sees the shape as an outline; RGB sees the
material as a texture, depth as a relief, thermal as a warmth, and each of these cues is wrong with
a known probability. So the best possible accuracy of one sensor is known: see `best_accuracy`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from discom.data.multimodal import Modality, MultiModalData
from discom.data.scenes import drawing, several
from discom.data.scenes.drawing import MATERIALS, SHAPES
from discom.data.splitting import split_rows
from discom.errors import ConfigError

VERSION = "scenes 1"  # raised when other pixels are drawn, so that results stand apart
MODALITIES = ("rgb", "depth", "thermal")
USUAL = ("rgb", "depth")
EPSILON, DELTA, ZETA = 0.10, 0.25, 0.40  # how often texture, relief and warmth are redrawn
FRACTIONS = (0.4, 0.2, 0.4)  # scenes cost nothing: as many for tests as for training
CHUNK = 500  # scenes drawn at a time; noise is drawn by chunk, so a seed's meaning rests on it


def best_accuracy(redrawn: float, materials: int = 3) -> float:
    """Accuracy of the best classifier of one sensor whose cue is redrawn uniformly with probability
    `redrawn`: 1 - ε + ε/K, since the cue still shows the material in one of K redrawn cases.

    >>> round(best_accuracy(0.10), 3), round(best_accuracy(0.25), 3)
    (0.933, 0.833)
    """
    return 1 - redrawn + redrawn / materials


def best_scores(name: str) -> dict[str, float]:
    """Sensor → its best possible accuracy in %, or mIoU of dense scenes, for scenes of that name;
    nothing for other data, or where a factor was changed.

    >>> {sensor: round(best, 1) for sensor, best in best_scores("scenes").items()}
    {'rgb': 93.3, 'depth': 83.3, 'thermal': 73.3}
    >>> {sensor: round(best, 1) for sensor, best in best_scores("scenes-dense").items()}
    {'rgb': 76.9, 'depth': 76.9, 'rgb+depth': 100.0}
    """
    if name == several.NAME:
        return {sensor: 100 * best["miou"] for sensor, best in several.ceilings().items()}
    if name.split("-")[0] != "scenes" or set(name.split("-")[1:]) - set(MODALITIES):
        return {}
    redrawn = {"rgb": EPSILON, "depth": DELTA, "thermal": ZETA}
    return {sensor: 100 * best_accuracy(share) for sensor, share in redrawn.items()}


def information(
    shared: float = 1.0, epsilon: float = EPSILON, delta: float = DELTA
) -> dict[str, float]:
    """How much, in bits, the cues of RGB and of depth tell of the class and of each other.

        I(A; B) = H(A) + H(B) - H(A, B), for RGB's outline and texture, depth's outline and relief

    The place, size and turn of the object, which both sensors see too, are not counted: they tell
    nothing of the class. Arguments as in `make`, with three shapes and three materials.

    >>> {pair: round(bits, 2) for pair, bits in information().items()}
    {'rgb; class': 2.75, 'depth; class': 2.35, 'rgb; depth': 2.2}
    """
    same, any_of = np.eye(3), np.full((3, 3), 1 / 3)
    texture = (1 - epsilon) * same + epsilon * any_of  # [material, texture]
    relief = (1 - delta) * same + delta * any_of
    joint = np.zeros((3,) * 5)  # [shape, material, RGB's outline, texture, relief]
    for share, outline, seen in ((shared, same, relief), (1 - shared, any_of, any_of)):
        joint += share / 9 * np.einsum("so,mt,mr->smotr", outline, texture, seen)

    def entropy(axes: str) -> float:
        p = np.einsum(f"smotr->{''.join(dict.fromkeys(axes))}", joint)
        return float(-(p[p > 0] * np.log2(p[p > 0])).sum())

    cues = {"rgb": "ot", "depth": "sr", "class": "sm"}  # depth shows the shape itself
    pairs = [("rgb", "class"), ("depth", "class"), ("rgb", "depth")]
    return {
        f"{a}; {b}": entropy(cues[a]) + entropy(cues[b]) - entropy(cues[a] + cues[b])
        for a, b in pairs
    }


def make(
    n: int = 5000,
    size: int = 32,
    seed: int = 0,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    shapes: int = 3,
    materials: int = 3,
    modalities: Sequence[str] = USUAL,
    shared: float = 1.0,
    noise: float = 1.0,
    seen: float = 1.0,
    seen_in: str = "depth",
    unpaired: bool = False,
) -> MultiModalData:
    """Draw `n` paired scenes; the same arguments give the same bytes. Four parameters ask when
    another sensor helps: `shared`, `noise`, `seen` and `unpaired`.

    Args:
        size: height and width in pixels, a multiple of 4.
        epsilon, delta: probability that the texture (RGB) or the relief (depth) is redrawn
            uniformly instead of equal to the material; that of the warmth (thermal) is 0.4.
        shapes, materials: how many of each, 1 to 3; their product is the number of classes.
        modalities: of "rgb" [n, 3, size, size], "depth" and "thermal" [n, 1, size, size], float32
            in [0, 1].
        shared: share of the scenes of which RGB and depth show the whole class. In the others RGB
            tells the material alone, depth the shape alone.
        noise: factor on the noise of depth's pixels.
        seen: share of the training scenes that the modality `seen_in` saw.
        unpaired: whether each training scene was seen by one of the M modalities alone, M : … : 1
            of them by the first to the last.

    Returns:
        Paired data with every factor and the object's mask [n, size, size]; two fifths are for
        training, one for validation, two for tests. Where these differ (seen, unpaired), the
        split comes with the data. The name has the parameters.

    >>> data = make(6, size=16)
    >>> data.modalities["rgb"].x.shape, data.classes[4], sorted(data.factors)[:3]
    ((6, 3, 16, 16), 'square/metal', ['ambient', 'background', 'bottom'])
    """
    shares = {"epsilon": epsilon, "delta": delta, "shared": shared, "seen": seen}
    drawing.check("scenes", n, seed, size, shares)
    _check(shapes, materials, modalities, noise, seen, seen_in, unpaired)
    redrawn = {"texture": epsilon, "relief": delta, "warmth": ZETA}
    factors = _factors(n, seed, redrawn, shapes, materials, shared)
    labels = factors["shape"] * materials + factors["material"]
    images, masks = _draw(factors, size, seed, modalities, shared, noise)
    ids = np.array([f"scene-{seed}-{row:06d}" for row in range(n)])
    changes = {
        "shared": (shared, 1.0),
        "noise": (noise, 1.0),
        "seen" if seen_in == "depth" else f"seen_{seen_in}": (seen, 1.0),
        "unpaired": (unpaired, False),
    }
    changes |= {"epsilon": (epsilon, EPSILON), "delta": (delta, DELTA)}
    changes |= {"shapes": (shapes, 3), "materials": (materials, 3)}
    sensors = () if set(modalities) == set(USUAL) else tuple(modalities)
    classes = (f"{shape}/{m}" for shape in SHAPES[:shapes] for m in MATERIALS[:materials])
    whole = {name: Modality(images[name], labels, ids) for name in modalities}
    cues = {"rgb": epsilon, "depth": delta, "thermal": ZETA}
    parts, rows = None, {}
    if seen < 1 or unpaired:
        parts = split_rows(labels, FRACTIONS, seed, where="scenes")
        rows = _seen(seed, parts, modalities, seen, seen_in, unpaired)
    data = MultiModalData(
        whole,
        tuple(classes),
        factors=drawing.one_number_each(factors),
        masks=masks,
        name=drawing.name_of(("scenes", *sensors), changes),
        parts=parts,
        fractions=FRACTIONS,
        best={name: 100 * best_accuracy(share, materials) for name, share in cues.items()},
    )
    if rows:
        own = {name: whole[name].take(seen) for name, seen in rows.items()}
        return data.with_modalities(whole | own)
    arguments: dict[str, Any] = {"n": n, "size": size, "epsilon": epsilon, "delta": delta}
    arguments |= {"shapes": shapes, "materials": materials, "modalities": list(modalities)}
    arguments |= {"noise": noise} | ({"shared": shared} if shared < 1 else {})
    return data.drawn_by(VERSION, seed, **arguments)


def _check(shapes, materials, modalities, noise, seen, seen_in, unpaired) -> None:
    if not 0 <= noise < np.inf:
        raise ConfigError(f"scenes: noise={noise} is out of range; use 0 or more, 1 is usual")
    if not (1 <= shapes <= 3 and 1 <= materials <= 3 and shapes * materials > 1):
        counts = f"shapes={shapes}, materials={materials}"
        raise ConfigError(f"scenes: {counts}; each is 1 to 3, and not both 1")
    if unknown := [name for name in modalities if name not in MODALITIES]:
        choices = ", ".join(MODALITIES)
        raise ConfigError(f"scenes: no modality '{unknown[0]}'; there are {choices}")
    if seen_in not in (modalities if seen < 1 else MODALITIES):
        choices = ", ".join(modalities)
        raise ConfigError(f"scenes: seen_in='{seen_in}' is not drawn; choose {choices}")
    if unpaired and seen < 1:
        raise ConfigError(f"scenes: unpaired has no use for seen={seen}; leave one of them out")


def _seen(seed, parts, modalities, seen, seen_in, unpaired) -> dict[str, np.ndarray]:
    """Modality → the scenes that it saw: all of validation and test, of the training part a share
    or, where no scene was seen by two, its own."""
    if unpaired:
        train = np.random.default_rng([seed, 6]).permutation(parts["train"])
        weights = np.arange(len(modalities), 0, -1)
        ends = np.round(len(train) * weights.cumsum() / weights.sum()).astype(int)[:-1]
        own = dict(zip(modalities, np.split(train, ends), strict=True))
    else:
        train = np.random.default_rng([seed, 5]).permutation(parts["train"])
        own = {seen_in: train[: round(seen * len(train))]}
        if len(own[seen_in]) < 2:
            few = f"seen={seen} leaves {len(own[seen_in])} of {len(train)}"
            raise ConfigError(f"scenes: {few} training scenes; raise seen or n")
    others = np.concatenate([parts["valid"], parts["test"]])
    return {name: np.sort(np.concatenate([rows, others])) for name, rows in own.items()}


def _factors(n, seed, redrawn, shapes, materials, shared=1.0) -> dict[str, np.ndarray]:
    """Everything that varies, each factor from a stream of its own."""
    streams = iter(np.random.default_rng([seed, 0]).spawn(64))

    def uniform(low, high, *shape):
        return next(streams).uniform(low, high, (n, *shape))

    shape, material = (next(streams).integers(0, k, n) for k in (shapes, materials))
    factors = {"shape": shape, "material": material}
    for name, probability in redrawn.items():
        other = next(streams).integers(0, materials, n)
        factors[name] = np.where(uniform(0, 1) < probability, other, material)
    for name, *bounds in RANGES:
        factors[name] = uniform(*bounds)
    apart = uniform(0, 1) >= shared  # scenes whose class the sensors divide between them
    for name, kept, count in (("outline", shape, shapes), ("relief", factors["relief"], materials)):
        factors[name] = np.where(apart, next(streams).integers(0, count, n), kept)
    return factors


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


def _draw(
    factors, size: int, seed: int, modalities, shared: float, noise: float
) -> tuple[dict, np.ndarray]:
    """Images of every modality, and the object's mask, [n, size, size]."""
    n = len(factors["shape"])
    draw: dict[str, Callable] = {"rgb": _rgb, "depth": partial(_depth, noise), "thermal": _thermal}
    rngs = {name: np.random.default_rng([seed, 1 + MODALITIES.index(name)]) for name in modalities}
    bands = {"rgb": 3, "depth": 1, "thermal": 1}
    images = {name: np.empty((n, bands[name], size, size), np.float32) for name in modalities}
    masks = np.empty((n, size, size), bool)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part = {name: values[rows] for name, values in factors.items()}
        view = drawing.geometry(part, size)
        masks[rows] = view["mask"] > 0.5
        for name in modalities:
            shown = view
            if name == "rgb" and shared < 1:
                shown = drawing.geometry({**part, "shape": part["outline"]}, size)
            images[name][rows] = drawing.rounded(draw[name](part, shown, rngs[name]))
    return images, masks


def _rgb(f, view, rng):
    mask = view["mask"][:, None]
    lit = mask * drawing.texture(f, view) + (1 - mask) * drawing.background(f, view)
    lit = lit * f["illumination"][:, None, None, None]
    return lit + 0.05 * rng.standard_normal(lit.shape)


def _depth(noise, f, view, rng):
    n, size, _ = view["mask"].shape
    surface = view["mask"] * (0.10 + 0.22 * drawing.relief(f, view))
    depth = drawing.plane(f, view) + surface + noise * 0.08 * rng.standard_normal((n, size, size))
    return np.where(drawing.holes(rng, n, size, 0.15), 0, depth)[:, None]


def _thermal(f, view, rng):
    """A warm object before a wall of drifting temperature; its heat has one of three levels."""
    ambient, draught_x, draught_y, warmth = (
        f[name][:, None, None] for name in ("ambient", "draught_x", "draught_y", "warmth")
    )
    wall = 0.25 + ambient + draught_x * view["x"] + draught_y * view["y"]
    heat = (0.12 + 0.16 * warmth) * view["mask"]
    return (wall + heat + 0.06 * rng.standard_normal(wall.shape))[:, None]
