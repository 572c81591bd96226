"""Several objects per scene, the class of every pixel, seen by two sensors.

Classes are the background and three materials. RGB sees an object's material as a texture, depth as
a relief. RGB takes the first two materials for each other with a known probability, depth the last
two: what one sensor confuses, the other tells, so both together can be always right, and what one
alone can reach is known (see `ceilings`). Nearer objects hide farther ones from both sensors. An
object's outline says nothing about its material.

Three dials make training harder and leave validation and test as they are: `noise` (wrong classes
in the masks), `labelled` (how many images have a mask) and `degraded` (a sensor with more noise
than where it is tested).
"""

from collections.abc import Sequence

import numpy as np

from discom.data.checks import NO_LABEL
from discom.data.multimodal import Modality, MultiModalData
from discom.data.scenes import drawing
from discom.data.scenes.drawing import MATERIALS
from discom.data.splitting import PARTS, split_rows
from discom.errors import ConfigError

__all__ = ["ceilings", "dense"]

NAME, SENSORS = "scenes-dense", ("rgb", "depth")
CLASSES = ("background", *MATERIALS)
FRACTIONS = (0.5, 0.1, 0.4)
CHUNK = 100  # scenes drawn at a time: bounds the memory, and has no part in what a seed means
SIGMA = {"rgb": 0.05, "depth": 0.015}  # of each sensor's own noise
LIFT, ROOM = 0.05, 0.72  # from the plane to the farthest surface, and from there to the nearest
ZOOM = 1.8  # of the reliefs: small objects show them whole, with their brim
# what a stream of random numbers is for; an entry is added at the end, so that the others stay as
# they are
STREAMS = {
    name: 64 + k
    for k, name in enumerate(["scene", "object", "rgb", "depth", "holes", "extra", "labelled"])
}


def ceilings(epsilon: float = 0.3, delta: float = 0.3) -> dict[str, dict[str, float]]:
    """What the best rule reaches with RGB, with depth and with both: accuracy for each material,
    and mIoU.

    Of two materials that a sensor shows as each other with probability p, no rule names more than
    max(p, 1 - p) objects right, each as often. With e = min(p, 1 - p), perfect outlines and equally
    frequent materials,

        mIoU = (1 + 2·(1 - e)/(1 + e) + 1) / 4,

    since each of the two keeps 1 - e of its area, loses e and gains e. With both sensors all are
    right: the relief of the first material tells it from the others, the texture of the last one
    does.

    Args:
        epsilon, delta: as `dense` takes them, of RGB and of depth.

    Returns:
        "rgb", "depth" and "rgb+depth" → material → share of its objects, and "miou" → over all four
        classes.

    >>> {name: round(value, 3) for name, value in ceilings(0.3)["rgb"].items()}
    {'wood': 0.7, 'metal': 0.7, 'stone': 1.0, 'miou': 0.769}
    """
    held = {}
    for sensor, swapped, pair in (
        ("rgb", epsilon, (0, 1)),
        ("depth", delta, (1, 2)),
        ("rgb+depth", 0.0, ()),
    ):
        wrong = min(swapped, 1 - swapped)
        held[sensor] = {name: 1 - wrong * (k in pair) for k, name in enumerate(MATERIALS)}
        held[sensor]["miou"] = (2 + 2 * (1 - wrong) / (1 + wrong)) / 4
    return held


def dense(
    n: int = 1200,
    seed: int = 0,
    *,
    size: int = 64,
    objects: int = 4,
    epsilon: float = 0.3,
    delta: float = 0.3,
    holes: float = 0.15,
    noise: float = 0.0,
    labelled: float = 1.0,
    degraded: float = 0.0,
    degraded_in: str = "depth",
    modalities: Sequence[str] = SENSORS,
) -> MultiModalData:
    """Draw `n` paired scenes of several objects; the same arguments give the same bytes.

    Args:
        n: number of scenes; with the dials at rest, more begin with the same ones.
        seed: draws everything; the modalities asked for do not change each other.
        size: height and width in pixels, a multiple of 4; an object spans a quarter to 0.44 of it.
        objects: how many per scene, 1 to 8. Object 1 is the farthest, and each hides those before
            it. One more leaves the factors of the others as they are.
        epsilon: probability that RGB shows the first two materials as each other.
        delta: the same for depth and the last two materials.
        holes: share of depth's 4×4 squares that are missing, which is value 0.
        noise: probability that an object's material in a training mask is drawn anew, uniformly;
        the images stay.
        labelled: share of the training images that keep their mask; the masks of the others are 255
        everywhere.
        degraded: standard deviation of further noise in the training images of the modality
            `degraded_in`, which are then clipped to [0, 1] as all are.
        degraded_in: "rgb" or "depth".
        modalities: of "rgb" [n, 3, size, size] and "depth" [n, 1, size, size], float32 in [0, 1].

    Returns:
        Paired dense data: masks uint8 [n, size, size], 0 the background, 1 to 3 the materials;
        labels, the most frequent class of the mask before any was taken away. Factors of the scene,
        and of every object, such as material_1, texture_1, relief_1, shape_1, label_1 (the material
        that the mask says) and visible_1 (share of the object's pixels in the image that no nearer
        one hides). With a dial turned, the split is drawn by `seed` and comes with the data; it is
        the one that `split(seed=seed)` draws without. The name tells the dials.

    Raises:
        ConfigError: an argument out of its range.

    >>> data = dense(6, size=16, objects=2)
    >>> data.masks.shape, data.classes, "visible_2" in data.factors
    ((6, 16, 16), ('background', 'wood', 'metal', 'stone'), True)
    """
    shares = {
        "epsilon": epsilon,
        "delta": delta,
        "holes": holes,
        "noise": noise,
        "labelled": labelled,
    }
    drawing.check(NAME, n, seed, size, shares)
    _check(objects, modalities, degraded, degraded_in)
    dials = (
        ("noise", noise, 0),
        ("labelled", labelled, 1),
        (f"degraded_{degraded_in}", degraded, 0),
    )
    turned = {name: value for name, value, rest in dials if value != rest}
    train, parts = np.zeros(n, bool), None
    if turned:  # in one stratum, as `MultiModalData.divide` has it for dense data
        parts = dict(
            zip(PARTS, split_rows(np.zeros(n, int), FRACTIONS, seed, None, NAME), strict=True)
        )
        train[parts["train"]] = True
    scene, things = _factors(n, seed, objects, epsilon, delta, noise * train)
    extra = {name: degraded * train * (name == degraded_in) for name in modalities}
    images, masks, visible = _draw(scene, things, size, modalities, holes, extra, seed)
    labels = np.stack([(masks == k).sum((1, 2)) for k in range(len(CLASSES))]).argmax(0)
    if labelled < 1:
        masks[_unlabelled(parts["train"], seed, labelled)] = NO_LABEL
    ids = np.array([f"dense-{seed}-{row:06d}" for row in range(n)])
    factors = dict(scene)
    for k, (thing, share) in enumerate(zip(things, visible.T, strict=True), 1):
        factors |= {f"{name}_{k}": values for name, values in (thing | {"visible": share}).items()}
    # a colour is told by its brightness: one number
    flat = {
        name: values if values.ndim == 1 else values.mean(1) for name, values in factors.items()
    }
    return MultiModalData(
        {name: Modality(images[name], labels, ids) for name in modalities},
        CLASSES,
        factors=flat,
        masks=masks,
        name="-".join([NAME, *(f"{name}={value:g}" for name, value in turned.items())]),
        parts=parts,
        fractions=FRACTIONS,
        dense=True,
    )


def _unlabelled(train: np.ndarray, seed: int, labelled: float) -> np.ndarray:
    kept = round(labelled * len(train))
    if not kept:
        raise ConfigError(
            f"{NAME}: labelled={labelled} leaves 0 of {len(train)} training images a mask; raise it"
        )
    return _stream(seed, "labelled").permutation(train)[kept:]


def _stream(seed: int, name: str, *which: int) -> np.random.Generator:
    return np.random.default_rng([seed, STREAMS[name], *which])


def _check(objects, modalities, degraded, degraded_in) -> None:
    if not 1 <= objects <= 8:
        raise ConfigError(f"{NAME}: objects={objects} is out of range; choose 1 to 8")
    if wrong := [
        name for name in modalities if name not in SENSORS or list(modalities).count(name) > 1
    ]:
        raise ConfigError(
            f"{NAME}: modality '{wrong[0]}' is unknown or given twice; there are {', '.join(SENSORS)}"
        )
    if not 0 <= degraded < np.inf:
        raise ConfigError(f"{NAME}: degraded={degraded} is no standard deviation; choose 0 or more")
    if degraded_in not in SENSORS or (degraded and degraded_in not in modalities):
        there = " or ".join(SENSORS if degraded_in not in SENSORS else modalities)
        raise ConfigError(
            f"{NAME}: degraded_in='{degraded_in}' is no modality of these data; choose {there}"
        )


def _factors(
    n, seed, objects, epsilon, delta, noise
) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
    """What varies from scene to scene, and for each object, the farthest first; each factor from
    its own stream.

    `noise` is a probability for every scene [n], and `label` the material that the mask names.
    """

    def uniform(streams, low, high, *shape):
        return next(streams).uniform(low, high, (n, *shape))

    streams = iter(_stream(seed, "scene").spawn(32))
    scene = {
        "background": uniform(streams, 0, 1, 3), "bottom": uniform(streams, 0, 1, 3),
        "gradient_x": uniform(streams, -1, 1), "gradient_y": uniform(streams, -1, 1),
        "illumination": uniform(streams, 0.6, 1.2),
        "tilt_x": uniform(streams, -0.04, 0.04), "tilt_y": uniform(streams, -0.04, 0.04),
        "shift": uniform(streams, -0.38, -0.33),
    }  # fmt: skip
    things = []
    for k in range(objects):
        streams = iter(_stream(seed, "object", k).spawn(32))
        shape, material, other = (next(streams).integers(0, 3, n) for _ in range(3))
        as_other = uniform(streams, 0, 1) < epsilon, uniform(streams, 0, 1) < delta
        colour, apart = uniform(streams, 0, 1, 3), uniform(streams, 0.3, 0.7, 3)
        things.append({
            "shape": shape, "material": material,
            "texture": np.where(as_other[0] & (material < 2), 1 - material, material),
            "relief": np.where(as_other[1] & (material > 0), 3 - material, material),
            "label": np.where(uniform(streams, 0, 1) < noise, other, material),
            "centre_x": uniform(streams, -0.9, 0.9), "centre_y": uniform(streams, -0.9, 0.9),
            "rotation": uniform(streams, 0, 2 * np.pi), "scale": uniform(streams, 0.25, 0.44),
            "frequency": uniform(streams, 3, 5), "phase": uniform(streams, 0, 2 * np.pi),
            # two colours that differ by 0.3 or more in every band, so that every texture shows
            "colour_a": colour, "colour_b": (colour + apart) % 1, "gap": uniform(streams, 0, 1),
        })  # fmt: skip
    return scene, things


def _paint(scene, things, size: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Images without noise, masks, and the visible share of every object [n, objects].

    The farthest object comes first, so that a nearer one hides it in both sensors. Each has its own
    slice of the room in front of the plane, so what is seen is the nearest surface.
    """
    n = len(scene["shift"])
    owner = np.zeros((n, size, size), int)  # the object that is seen at each pixel, 0 for none
    areas = []
    for k, thing in enumerate(things, 1):
        view = drawing.geometry(thing, size)
        if k == 1:
            rgb, plane = drawing.background(scene, view), drawing.plane(scene, view)
            depth = plane
        mask = view["mask"]
        rgb = rgb + mask[:, None] * (drawing.texture(thing, view) - rgb)
        relief = drawing.relief(thing, {"r": ZOOM * view["r"], "u": ZOOM * view["u"]})
        place = k - 1 + 0.1 * thing["gap"][:, None, None] + 0.9 * relief  # k - 1 to k
        depth = depth + mask * (plane + LIFT + ROOM * place / len(things) - depth)
        owner[mask > 0.5] = k
        areas.append((mask > 0.5).sum((1, 2)))
    seen = [(owner == k).sum((1, 2)) for k in range(1, len(things) + 1)]
    visible = np.stack(seen, 1) / np.maximum(np.stack(areas, 1), 1)
    classes = np.stack([np.zeros(n, int), *(thing["label"] + 1 for thing in things)], 1)
    masks = np.take_along_axis(classes, owner.reshape(n, -1), 1).reshape(owner.shape)
    return (
        {"rgb": rgb * scene["illumination"][:, None, None, None], "depth": depth[:, None]},
        masks,
        visible,
    )


def _draw(scene, things, size: int, modalities, holes: float, extra, seed: int):
    """What `_paint` gives, with noise and missing squares; `extra` is modality → sigma of further
    noise [n]."""
    n = len(scene["shift"])
    images = {
        name: np.empty((n, 3 if name == "rgb" else 1, size, size), np.float32)
        for name in modalities
    }
    masks, visible = np.empty((n, size, size), np.uint8), np.empty((n, len(things)))
    streams = {name: _stream(seed, name) for name in ("rgb", "depth", "holes", "extra")}
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        seen = [{name: values[rows] for name, values in held.items()} for held in (scene, *things)]
        drawn, masks[rows], visible[rows] = _paint(seen[0], seen[1:], size)
        for name in modalities:
            image = drawn[name] + SIGMA[name] * streams[name].standard_normal(drawn[name].shape)
            if extra[name].any():
                image += extra[name][rows, None, None, None] * streams["extra"].standard_normal(
                    image.shape
                )
            least = 1 / 65535 if name == "depth" else 0  # in depth, 0 stands for what is missing
            images[name][rows] = drawing.rounded(image, least)
        if "depth" in modalities:
            images["depth"][rows, 0][
                drawing.holes(streams["holes"], len(masks[rows]), size, holes)
            ] = 0
    return images, masks, visible
