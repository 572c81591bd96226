"""Several objects per scene, the class of every pixel, seen by two sensors.

Classes are the background and three materials. RGB sees an object's material as a texture, depth as
a relief. RGB takes the first two materials for each other with a known probability, depth the last
two: what one sensor confuses, the other shows (see `best`). Later objects hide earlier ones from
both sensors, whatever their relief.
"""

import numpy as np

from discom.data.multimodal import Modality, MultiModalData
from discom.data.scenes import drawing
from discom.data.scenes.drawing import MATERIALS

VERSION = "scenes-dense 1"  # raised when other pixels are drawn, so that results stand apart
NAME, BANDS = "scenes-dense", {"rgb": 3, "depth": 1}
CLASSES = ("background", *MATERIALS)
FRACTIONS = (0.5, 0.1, 0.4)
OBJECTS = 4  # in a scene; a later one hides the earlier ones
CHUNK = 100  # scenes drawn at a time; what a seed means does not depend on it
SIGMA = {"rgb": 0.05, "depth": 0.015}  # of each sensor's noise
CONFUSED = 0.3  # probability that a sensor shows two materials as each other
HOLES = 0.15  # share of depth's 4×4 squares that are missing, which is value 0
LIFT, RELIEF = (0.08, 0.3), 0.5  # of an object over the plane, and from its brim to its top
ZOOM = 1.3  # of the reliefs: small objects show them whole, with their brim
# what a stream of random numbers is for; the numbers stay, so that a seed keeps its meaning
STREAMS = {"scene": 64, "object": 65, "rgb": 66, "depth": 67, "holes": 68}


def best() -> dict[str, float]:
    """The best possible mIoU over all four classes in %, of each sensor and of both.

    A sensor that shows two materials as each other with probability p errs in e = min(p, 1 - p) of
    them, so mIoU = (2 + 2·(1 - e)/(1 + e)) / 4. With both sensors all pixels are right.

    >>> {name: round(miou, 1) for name, miou in best().items()}
    {'rgb': 76.9, 'depth': 76.9, 'rgb+depth': 100.0}
    """
    wrong = min(CONFUSED, 1 - CONFUSED)
    miou = (2 + 2 * (1 - wrong) / (1 + wrong)) / 4
    return {"rgb": 100 * miou, "depth": 100 * miou, "rgb+depth": 100.0}


def dense(n: int = 1200, seed: int = 0, *, size: int = 64) -> MultiModalData:
    """Draw `n` scenes of four objects, RGB [n, 3, size, size] and depth [n, 1, size, size],
    float32 in [0, 1]; the same arguments give the same bytes.

    Args:
        size: height and width in pixels, a multiple of 4; an object spans a quarter to 0.44 of it.

    Returns:
        Paired dense data with masks uint8 [n, size, size], classes by number, and factors of the
        scene and of every object, such as material_1.

    >>> dense(6, size=16).classes
    ('background', 'wood', 'metal', 'stone')
    """
    drawing.check(NAME, n, seed, size, {})
    constants = {"objects": OBJECTS, "epsilon": CONFUSED, "delta": CONFUSED}  # of the data's digest
    scene, things = _factors(n, seed)
    images, masks = _draw(scene, things, size, seed)
    labels = np.stack([(masks == k).sum((1, 2)) for k in range(len(CLASSES))]).argmax(0)
    ids = np.array([f"dense-{seed}-{row:06d}" for row in range(n)])
    factors = dict(scene)
    for k, thing in enumerate(things, 1):
        factors |= {f"{name}_{k}": values for name, values in thing.items()}
    data = MultiModalData(
        {name: Modality(images[name], labels, ids, symmetry="all") for name in BANDS},
        CLASSES,
        factors=drawing.one_number_each(factors),
        masks=masks,
        name=NAME,
        fractions=FRACTIONS,
        dense=True,
        best=best(),
    )
    return data.drawn_by(VERSION, seed, n=n, size=size, **constants)


def _factors(n, seed) -> tuple[dict, list[dict]]:
    """What varies from scene to scene and for each object, each factor from its own stream."""
    streams = drawing.Streams(n, seed, STREAMS["scene"])
    scene = {name: streams.uniform(0, 1, 3) for name in ("background", "bottom")}
    scene |= {name: streams.uniform(-1, 1) for name in ("gradient_x", "gradient_y")}
    scene["illumination"] = streams.uniform(0.6, 1.2)
    scene |= {name: streams.uniform(-0.04, 0.04) for name in ("tilt_x", "tilt_y")}
    scene["shift"] = streams.uniform(-0.38, -0.33)
    things = []
    for k in range(OBJECTS):
        streams = drawing.Streams(n, seed, STREAMS["object"], k)
        shape, material = streams.integers(3), streams.integers(3)
        next(streams.rngs)  # not in use; the others keep their numbers
        in_rgb, in_depth = (streams.uniform(0, 1) < CONFUSED for _ in range(2))
        colour, apart = streams.uniform(0, 1, 3), streams.uniform(0.3, 0.7, 3)
        next(streams.rngs)
        thing = {"shape": shape, "material": material}
        thing["texture"] = np.where(in_rgb & (material < 2), 1 - material, material)
        thing["relief"] = np.where(in_depth & (material > 0), 3 - material, material)
        thing |= {name: streams.uniform(-0.9, 0.9) for name in ("centre_x", "centre_y")}
        thing |= {"rotation": streams.uniform(0, 2 * np.pi), "scale": streams.uniform(0.25, 0.44)}
        thing |= {"frequency": streams.uniform(3, 5), "phase": streams.uniform(0, 2 * np.pi)}
        # two colours that differ by 0.3 or more in every band, so that every texture shows
        thing |= {"colour_a": colour, "colour_b": (colour + apart) % 1}
        thing["lift"] = streams.uniform(*LIFT)
        things.append(thing)
    return scene, things


def _draw(scene, things, size: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images with noise and missing squares, and masks."""
    n = len(scene["shift"])
    images = {name: np.empty((n, bands, size, size), np.float32) for name, bands in BANDS.items()}
    masks = np.empty((n, size, size), np.uint8)
    noise = ("rgb", "depth", "holes")
    streams = {name: np.random.default_rng([seed, STREAMS[name]]) for name in noise}
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part, *parts = ({k: v[rows] for k, v in factors.items()} for factors in (scene, *things))
        view = drawing.geometry(parts[0], size)
        rgb, plane = drawing.background(part, view), drawing.plane(part, view)
        depth, labels = plane, np.zeros(plane.shape, np.uint8)
        for thing in parts:
            view = drawing.geometry(thing, size)
            mask = view["mask"]
            rgb = rgb + mask[:, None] * (drawing.texture(thing, view) - rgb)
            relief = drawing.relief(thing, {"r": ZOOM * view["r"], "u": ZOOM * view["u"]})
            surface = plane + thing["lift"][:, None, None] + RELIEF * relief
            depth = depth + mask * (surface - depth)
            labels = np.where(mask > 0.5, thing["material"][:, None, None] + 1, labels)
        masks[rows] = labels
        clean = {"rgb": rgb * part["illumination"][:, None, None, None], "depth": depth[:, None]}
        for name, image in clean.items():
            noisy = image + SIGMA[name] * streams[name].standard_normal(image.shape)
            least = 1 / 65535 if name == "depth" else 0  # in depth, 0 stands for what is missing
            images[name][rows] = drawing.rounded(noisy, least)
        missing = drawing.holes(streams["holes"], len(labels), size, HOLES)
        images["depth"][rows, 0][missing] = 0
    return images, masks
