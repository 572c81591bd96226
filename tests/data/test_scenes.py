"""The embedded scenes: the recipe re-derived pixel by pixel, the same bytes for ever, and the best
accuracy known."""

import inspect
import math
import time

import numpy as np
import pytest

from discom.data import load
from discom.data.scenes import drawing
from discom.data.scenes import single as scenes
from discom.errors import ConfigError
from discom.files import digest

ALL = ("rgb", "depth", "thermal")


# the same bytes
# -------------------------------------------------------------------------------------------------


def test_checksums_of_a_small_set():
    data = scenes.make(24, size=16, seed=3, modalities=ALL)
    assert {name: digest(m.x) for name, m in data.modalities.items()} == {
        "rgb": "dcecb4c91f807861",
        "depth": "66e5831bdfd6a83e",
        "thermal": "685d9177cda2613f",
    }
    assert digest(data.labels) == "5020f00759164cce"
    assert digest(data.masks) == "d3aae3a4de5a79e0"


@pytest.mark.slow
def test_checksums_and_time_of_4000_pairs():
    start = time.process_time()
    data = scenes.make(4000)
    seconds = time.process_time() - start
    assert {name: digest(m.x) for name, m in data.modalities.items()} == {
        "rgb": "7792eacd50467465",
        "depth": "484d3b575c6967d1",
    }
    assert digest(data.labels) == "b4675f5ca7dedfbc"
    assert digest(data.masks) == "62857485c4b37916"
    assert seconds <= 4  # of processor time, measured 1.7 s on one core


def test_seed_draws_everything():
    one, again, other = (scenes.make(40, size=8, seed=seed) for seed in (0, 0, 1))
    assert one.fingerprint == again.fingerprint
    assert one.fingerprint != other.fingerprint
    assert not set(one.ids) & set(other.ids)
    assert not np.array_equal(one.labels, other.labels)


def test_modalities_asked_for_do_not_change_each_other():
    whole = scenes.make(30, size=16, seed=5, modalities=ALL)
    for names in (
        ("rgb", "depth"),
        ("rgb",),
        ("depth",),
        ("thermal",),
        ("thermal", "depth", "rgb"),
    ):
        part = scenes.make(30, size=16, seed=5, modalities=names)
        assert tuple(part.modalities) == names
        for name in names:
            assert part.modalities[name].x.tobytes() == whole.modalities[name].x.tobytes()


def test_redraw_probabilities_leave_all_else_as_it_is():
    one, other = scenes.make(200, size=8), scenes.make(200, size=8, epsilon=0.9)
    changed = [
        name for name in one.factors if not np.array_equal(one.factors[name], other.factors[name])
    ]
    assert changed == ["texture"]
    assert np.array_equal(one.modalities["depth"].x, other.modalities["depth"].x)


# the recipe
# -----------------------------------------------------------------------------------------------------


class Quiet:
    """A generator without noise and, with `chance` above 0.15, without holes."""

    def __init__(self, chance=1.0):
        self.chance = chance

    def standard_normal(self, shape):
        return np.zeros(shape)

    def random(self, shape):
        return np.full(shape, self.chance)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def reference(f, row, column, size):
    """One pixel of the three sensors and its soft mask, written from DESIGN.md for one scene's
    factors `f`."""
    x, y = -1 + 2 * column / (size - 1), -1 + 2 * row / (size - 1)
    dx, dy = (x - f["centre_x"]) / f["scale"], (y - f["centre_y"]) / f["scale"]
    u = math.cos(f["rotation"]) * dx + math.sin(f["rotation"]) * dy
    v = -math.sin(f["rotation"]) * dx + math.cos(f["rotation"]) * dy
    r = math.sqrt(u * u + v * v)
    distance = [
        1 - r,
        0.8 - max(abs(u), abs(v)),
        0.55 - max(-v, 0.866 * u + 0.5 * v, -0.866 * u + 0.5 * v),
    ][f["shape"]]
    mask = sigmoid(0.6 * size * distance)
    phase, freq = f["phase"], f["frequency"]
    wave = [
        math.sin(2 * freq * u + phase),
        min(1, max(-1, 1.6 * math.sin(2 * freq * u + phase) * math.sin(2 * freq * v + phase))),
        math.sin(2.2 * freq * r + phase),
    ][f["texture"]]
    share = sigmoid(2 * (f["gradient_x"] * x + f["gradient_y"] * y))
    rgb = []
    for band in range(3):
        body = (1 + wave) / 2 * f["colour_a"][band] + (1 - wave) / 2 * f["colour_b"][band]
        behind = share * f["background"][band] + (1 - share) * f["bottom"][band]
        rgb.append((mask * body + (1 - mask) * behind) * f["illumination"])
    relief = [0.6, 1 - min(r, 1) ** 2, 1 - min(abs(u), 1)][f["relief"]]
    plane = 0.5 + 0.7 * (f["tilt_x"] * x + f["tilt_y"] * y) + f["shift"]
    depth = plane + mask * (0.10 + 0.22 * relief)
    thermal = (
        0.25
        + f["ambient"]
        + f["draught_x"] * x
        + f["draught_y"] * y
        + mask * (0.12 + 0.16 * f["warmth"])
    )
    return rgb, [depth], [thermal], mask


def drawn(n, size, seed, monkeypatch, chance=1.0):
    """Scenes without noise, and all their factors (colours as three numbers)."""
    original = np.random.default_rng

    def quiet(seed=None):
        return (
            original(seed) if seed[1] == 0 else Quiet(chance)
        )  # stream 0 draws the factors, the others noise

    with monkeypatch.context() as patched:
        patched.setattr(np.random, "default_rng", quiet)
        data = scenes.make(n, size=size, seed=seed, modalities=ALL)
    return data, scenes._factors(n, seed, {"texture": 0.10, "relief": 0.25, "warmth": 0.40}, 3, 3)


def check_pixels(n, size, monkeypatch):
    data, factors = drawn(n, size, 11, monkeypatch)
    for name in ("shape", "texture", "relief", "warmth"):
        assert set(factors[name]) == {0, 1, 2}  # every branch of the recipe is met
    pixels = np.random.default_rng(0).integers(0, size, (12, 2))
    for scene in range(n):
        f = {name: values[scene] for name, values in factors.items()}
        for row, column in pixels:
            *expected, mask = reference(f, row, column, size)
            for name, values in zip(ALL, expected, strict=True):
                found = data.modalities[name].x[scene, :, row, column]
                np.testing.assert_allclose(found, np.clip(values, 0, 1), atol=0.51 / 65535)
            assert data.masks[scene, row, column] == (mask > 0.5)


@pytest.mark.parametrize("size", [16, 32])
def test_every_formula_pixel_by_pixel(size, monkeypatch):
    check_pixels(40, size, monkeypatch)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.6 * size * distance", "0.5 * size * distance"),
        ("-0.866 * u + 0.5 * v", "-0.866 * u - 0.5 * v"),
        ("2.2 * frequency * r", "2.0 * frequency * r"),
        ("1.6 * stripes", "1.5 * stripes"),
        ("0.10 + 0.22 * relief", "0.22 * relief"),
        ("0.12 + 0.16", "0.10 + 0.16"),
        ("_sigmoid(2 * slope)", "_sigmoid(slope)"),
        ("level + 0.7 *", "level + 0.6 *"),
    ],
)
def test_another_formula_would_be_noticed(old, new, monkeypatch):
    """The mutations: each changes one number of the recipe, and the pixel test must fail."""
    shared = (drawing.geometry, drawing.texture, drawing.background, drawing.plane)
    for function in (*shared, scenes._depth, scenes._thermal):
        source = inspect.getsource(function)
        if old in source:
            module = inspect.getmodule(function)
            space = dict(vars(module))
            exec(source.replace(old, new), space)
            monkeypatch.setattr(module, function.__name__, space[function.__name__])
            with pytest.raises(AssertionError):
                check_pixels(40, 32, monkeypatch)
            return
    pytest.fail(f"'{old}' is not in the source any more")


def test_noise_has_the_stated_strength(monkeypatch):
    quiet, _ = drawn(200, 32, 0, monkeypatch)
    noisy = scenes.make(200, size=32, seed=0, modalities=ALL)
    for name, sigma in (("rgb", 0.05), ("depth", 0.08), ("thermal", 0.06)):
        before, after = quiet.modalities[name].x, noisy.modalities[name].x
        inside = (before > 0.35) & (before < 0.65) & (after > 0)  # far from clipping and from holes
        assert np.std((after - before)[inside]) == pytest.approx(sigma, rel=0.02)
        assert abs(np.mean((after - before)[inside])) < 0.002


def test_holes_are_squares_on_a_grid_of_a_quarter_of_the_size(monkeypatch):
    data = scenes.make(300, size=32, seed=2)
    depth = data.modalities["depth"].x[:, 0]
    cells = depth.reshape(300, 8, 4, 8, 4).swapaxes(2, 3)  # [N, 8, 8, 4, 4]
    holes = (cells == 0).all((3, 4))
    sd = math.sqrt(0.15 * 0.85 / holes.size)
    assert abs(holes.mean() - 0.15) < 4 * sd + 0.005  # a few cells are clipped to 0 by chance
    assert (
        0 < (depth == 0).mean() - holes.mean() < 0.03
    )  # single clipped pixels aside, holes are whole cells
    assert (drawn(5, 16, 0, monkeypatch, chance=0.1499)[0].modalities["depth"].x == 0).all()
    assert (drawn(5, 16, 0, monkeypatch, chance=0.1501)[0].modalities["depth"].x > 0).any()


def test_shape_and_type():
    data = scenes.make(7, size=12, modalities=ALL)
    assert {name: m.x.shape for name, m in data.modalities.items()} == {
        "rgb": (7, 3, 12, 12),
        "depth": (7, 1, 12, 12),
        "thermal": (7, 1, 12, 12),
    }
    for modality in data.modalities.values():
        assert modality.x.dtype == np.float32
        assert 0 <= modality.x.min() < modality.x.max() <= 1
    assert data.masks.shape == (7, 12, 12)
    assert data.labels.dtype == np.int64
    assert data.paired_ids.tolist() == data.ids.tolist()


RANGES = {
    "centre_x": (-0.2, 0.2), "centre_y": (-0.2, 0.2), "rotation": (0, 2 * math.pi), "scale": (0.6, 0.9),
    "frequency": (3, 5), "phase": (0, 2 * math.pi), "gradient_x": (-1, 1), "gradient_y": (-1, 1),
    "illumination": (0.6, 1.2), "tilt_x": (-0.5, 0.5), "tilt_y": (-0.5, 0.5), "shift": (-0.2, 0.2),
    "ambient": (-0.1, 0.1), "draught_x": (-0.1, 0.1), "draught_y": (-0.1, 0.1), "colour_a": (0, 1),
    "colour_b": (0, 1), "background": (0, 1), "bottom": (0, 1),
}  # fmt: skip


def test_nuisance_factors_fill_their_ranges_and_are_independent():
    n = 4000
    factors = scenes._factors(n, 0, {"texture": 0.1, "relief": 0.25, "warmth": 0.4}, 3, 3)
    cues = {"shape", "material", "texture", "relief", "warmth", "outline"}
    assert set(factors) == set(RANGES) | cues
    for name, (low, high) in RANGES.items():
        values = factors[name]
        assert low <= values.min() < low + 0.01 * (high - low), name
        assert high - 0.01 * (high - low) < values.max() <= high, name
        assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * n), name
        assert values.std() == pytest.approx((high - low) / math.sqrt(12), rel=0.05), name
    columns = np.column_stack([factors[name] for name in [*RANGES, "shape", "material"]])
    correlations = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert abs(correlations).max() < 5 / math.sqrt(n)


def test_factors_are_returned_one_number_a_scene():
    data = scenes.make(50, size=8)
    assert set(data.factors) == set(RANGES) | {
        "shape",
        "material",
        "texture",
        "relief",
        "warmth",
        "outline",
    }
    assert all(values.shape == (50,) for values in data.factors.values())


def test_class_is_shape_and_material():
    data = scenes.make(900, size=8)
    assert len(data.classes) == 9
    for label, name in enumerate(data.classes):
        rows = data.labels == label
        shape, material = name.split("/")
        assert (data.factors["shape"][rows] == scenes.SHAPES.index(shape)).all()
        assert (data.factors["material"][rows] == scenes.MATERIALS.index(material)).all()
        assert abs(rows.mean() - 1 / 9) < 4 * math.sqrt(8 / 81 / 900)


def test_shape_is_visible_to_every_sensor(monkeypatch):
    data, _ = drawn(60, 32, 4, monkeypatch)
    areas = [data.masks[data.factors["shape"] == shape].mean() for shape in range(3)]
    assert all(0.1 < area < 0.6 for area in areas)
    for scene in range(60):
        mask = data.masks[scene]
        # wall and table are planes: a fit of plane and mask finds the heat of 0.12 or more, less
        # the soft edge
        yy, xx = np.mgrid[:32, :32]
        design = np.column_stack([np.ones(1024), xx.ravel(), yy.ravel(), mask.ravel()])
        for name, least in (("thermal", 0.08), ("depth", 0.05)):
            image = data.modalities[name].x[scene, 0].ravel().astype(float)
            free = (image > 0) & (image < 1)
            step = np.linalg.lstsq(design[free], image[free], rcond=None)[0][3]
            assert step > least


# the best accuracy
# ----------------------------------------------------------------------------------------------


def bayes_accuracy(factors, cue, materials):
    """Accuracy of the best decision from (shape, cue): for each pair the most frequent class, by
    its known odds."""
    return (
        factors[cue] == factors["material"]
    ).mean()  # with ε < 1 the cue's own material is the likeliest


@pytest.mark.parametrize("materials", [2, 3])
@pytest.mark.parametrize(
    ("modality", "argument", "share"),
    [
        ("rgb", "epsilon", 0.10),
        ("depth", "delta", 0.25),
        ("thermal", "zeta", 0.40),
        ("rgb", "epsilon", 0.6),
    ],
)
def test_bayes_accuracy_from_the_factors(modality, argument, share, materials):
    n = 20_000
    cues = {"epsilon": "texture", "delta": "relief", "zeta": "warmth"}
    probabilities = {"texture": 0.1, "relief": 0.25, "warmth": 0.4} | {cues[argument]: share}
    factors = scenes._factors(n, 1, probabilities, 3, materials)
    cue = {"rgb": "texture", "depth": "relief", "thermal": "warmth"}[modality]
    expected = 1 - share + share / materials
    assert scenes.best_accuracy(share, materials) == pytest.approx(expected)
    sd = math.sqrt(expected * (1 - expected) / n)
    assert abs(bayes_accuracy(factors, cue, materials) - expected) < 3 * sd
    # the rule is the best one: an estimated table of (shape, cue) → class is no better than chance
    # makes it
    seen, label = (
        factors["shape"] * materials + factors[cue],
        factors["shape"] * materials + factors["material"],
    )
    counts = np.zeros((3 * materials, 3 * materials))
    np.add.at(counts, (seen, label), 1)
    assert (counts.argmax(1) == np.arange(3 * materials)).all()
    assert abs(counts.max(1).sum() / n - expected) < 3 * sd


def test_bayes_accuracy_of_the_data_itself():
    data = scenes.make(5000, size=8, seed=7, modalities=ALL)
    for cue, share in (("texture", 0.10), ("relief", 0.25), ("warmth", 0.40)):
        expected = 1 - share + share / 3
        found = (data.factors[cue] == data.factors["material"]).mean()
        assert abs(found - expected) < 3 * math.sqrt(expected * (1 - expected) / 5000)
    wrong = [data.factors[cue] != data.factors["material"] for cue in ("texture", "relief")]
    both = (0.10 * 2 / 3) * (
        0.25 * 2 / 3
    )  # cues go wrong independently, so two sensors know more than one
    assert abs((wrong[0] & wrong[1]).mean() - both) < 4 * math.sqrt(both / 5000)


@pytest.mark.parametrize("share", [0, 1])
def test_extreme_shares(share):
    data = scenes.make(3000, size=8, epsilon=share)
    agree = (data.factors["texture"] == data.factors["material"]).mean()
    assert agree == 1 if share == 0 else abs(agree - 1 / 3) < 4 * math.sqrt(2 / 9 / 3000)


# arguments
# ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, r"n=0, size=32; n must be positive"),
        ({"n": -5}, r"n=-5"),
        ({"size": 4}, r"size=4; .* multiple of 4 from 8 on"),
        ({"size": 30}, r"size=30; .* multiple of 4"),
        ({"epsilon": 1.5}, r"epsilon=1.5 is no probability; choose 0 to 1"),
        ({"delta": -0.1}, r"delta=-0.1 is no probability"),
        ({"zeta": float("nan")}, r"zeta=nan is no probability"),
        ({"shapes": 4}, r"shapes=4, materials=3; each is 1 to 3"),
        ({"materials": 0}, r"shapes=3, materials=0"),
        ({"shapes": 1, "materials": 1}, r"not both 1"),
        ({"modalities": ("rgb", "sonar")}, r"no modality 'sonar'; there are rgb, depth, thermal"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ConfigError, match=f"^scenes: .*{message}"):
        scenes.make(**{"n": 10, "size": 32} | arguments)


def test_negative_seed_is_refused():
    with pytest.raises(ConfigError, match="seed"):
        scenes.make(9, size=8, seed=-1)


@pytest.mark.parametrize(("shapes", "materials"), [(1, 3), (2, 2), (3, 1)])
def test_fewer_classes(shapes, materials):
    data = scenes.make(60, size=8, shapes=shapes, materials=materials)
    assert len(data.classes) == shapes * materials
    assert sorted(set(data.labels)) == list(range(shapes * materials))


def test_load_by_name():
    by_name = load("scenes:n=12,size=16,seed=4,epsilon=0.5,modalities=rgb+thermal")
    assert (
        by_name.fingerprint
        == scenes.make(12, 16, 4, 0.5, modalities=("rgb", "thermal")).fingerprint
    )
    with pytest.raises(
        ConfigError, match=r"scenes has no argument 'colour'; it has n, size, seed, epsilon"
    ):
        load("scenes:colour=3")
    with pytest.raises(ConfigError, match=r"'many' is no value for n; write e\.g\."):
        load("scenes:n=many")
