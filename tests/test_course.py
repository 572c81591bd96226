"""The course: checkers that refuse the likely wrong answers, pictures, stored curves and tables."""

import re
import statistics
from functools import partial
from pathlib import Path

import jupytext
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from fixtures.refusal import each_answer
from fixtures.results import result

import course
import course_data
from checks import exercises_00, exercises_02
from discom import tables

ROOT = Path(__file__).parents[1]
COURSE = sorted((ROOT / "notebooks/py").glob("??_*.py"))


# ---------------------------------------------------------------- the form of a notebook


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_of_the_course_is_short(path):
    cells = jupytext.read(path, fmt="py:percent").cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    lines = [[line for line in cell.source.splitlines() if line.strip()] for cell in code]
    story = [own for own, cell in zip(lines, code, strict=True) if "jupyter" not in cell.metadata]
    text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    words = re.findall(r"[^\W_][\w'’-]*", re.sub(r"\]\([^)]*\)|<[^>]*>", "]", text))
    assert len(cells) <= 28
    assert len(words) <= 1300
    assert sum(map(len, lines)) <= 160
    assert statistics.median(map(len, story)) <= 7
    assert max(len(line) for own in lines for line in own) <= 88
    assert sum("alt" in cell.metadata for cell in code) <= 4


# ---------------------------------------------------------------- exercises of 00


def across(first, second, temperature=0.1, columns=True, normalized=True):
    if normalized:
        first, second = F.normalize(first, dim=1), F.normalize(second, dim=1)
    cosines, partners = first @ second.T / temperature, torch.arange(len(first))
    rows = F.cross_entropy(cosines, partners)
    return (rows + F.cross_entropy(cosines.T, partners)) / 2 if columns else rows


def in_both(first, second, temperature=0.1):
    z = F.normalize(torch.cat([first, second]), dim=1)
    cosines = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(cosines, torch.arange(len(z)).roll(len(first)))


def own_labels(projected, logits, progress, accepted=False, agreed=False, warm=True):
    loss, together = 0.0, sum(z.log_softmax(1) for z in logits.values())
    for z in logits.values():
        confidence, labels = (together if agreed else z).softmax(1).max(1)
        labels = labels.masked_fill(confidence < 0.8, -100)
        count = (labels >= 0).sum().clamp(min=1) if accepted else len(labels)
        loss += F.cross_entropy(z, labels, reduction="sum") / count
    return loss * (min(1, progress / 0.3) if warm else 1)


def with_contrast(projected, logits, progress):
    return own_labels(projected, logits, progress) + across(projected["rgb"], projected["depth"])


CONTRAST, OWN_LABELS = exercises_00.first, exercises_00.second
AROUND_58 = partial(exercises_00.third, goal=58)
ONE_ON_EACH_SIDE = "find one student below 58 % and one above"
ANSWERS_00 = [
    (CONTRAST, across, ""),
    (CONTRAST, lambda a, b: None, "return a loss"),
    (CONTRAST, in_both, "log 15"),
    (CONTRAST, lambda a, b: 2 * across(a, b), "log 8"),
    (CONTRAST, partial(across, columns=False), "columns count"),
    (CONTRAST, partial(across, normalized=False), "log 8|almost 0"),
    (CONTRAST, partial(across, temperature=1.0), "divide by 0.1"),
    (OWN_LABELS, own_labels, ""),
    (OWN_LABELS, partial(own_labels, accepted=True), "divide by all rows"),
    (OWN_LABELS, partial(own_labels, agreed=True), "both must learn"),
    (OWN_LABELS, partial(own_labels, warm=False), "first 30 %"),
    (OWN_LABELS, lambda *given: None, "return a loss"),
    (OWN_LABELS, with_contrast, "leave the contrast"),
    (OWN_LABELS, lambda *given: 3 * own_labels(*given), "must be"),
    (AROUND_58, {400: 50.0, 800: 61.0}, ""),
    *((AROUND_58, scores, ONE_ON_EACH_SIDE) for scores in ({}, {400: 50.0}, {800: 61.0})),
    (AROUND_58, {400: 61.0, 800: 50.0}, "another seed"),
]

test_answers_of_00_pass_or_are_told_what_is_wrong = each_answer(ANSWERS_00)


def test_what_is_solved_is_printed_and_what_is_missing(capsys):
    exercises_00.check(across, lambda *given: None, {400: 50.0}, goal=58)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["exercise 1: solved", "exercise 2: not yet: return a loss"]
    assert said[2] == "exercise 3: not yet: find one student below 58 % and one above"


# ---------------------------------------------------------------- exercises of 02


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        return z.view_as(z)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


def angles(change, last=torch.mean):
    def loss(parts):
        inv, inf, irr = parts
        cosines = F.cosine_similarity(inv, inf), F.cosine_similarity(inf, irr)
        return sum(last(change(each)) for each in cosines)

    return loss


def hidden(read, part=2, name="hide", sign=1):
    def loss(parts, heads, sensor, labels):
        return sign * F.cross_entropy(read(heads[name], parts[part]), labels)

    return loss


REVERSAL, RIGHT_ANGLES, HIDING = exercises_02.first, exercises_02.second, exercises_02.third
ANSWERS_02 = [
    (REVERSAL, lambda z, s: (1 + s) * z.detach() - s * z, ""),
    (REVERSAL, lambda z, s: z.detach() + s * (z.detach() - z), ""),
    (REVERSAL, lambda z, s: None, "return a tensor"),
    (REVERSAL, lambda z, s: -s * z, "forward nothing"),
    (REVERSAL, lambda z, s: z.detach() - s * z, "forward nothing"),
    (REVERSAL, lambda z, s: z.detach(), "no gradient"),
    (REVERSAL, lambda z, s: 2 * z.detach() - z, "-0.5"),  # λ forgotten
    (REVERSAL, lambda z, s: (1 - s) * z.detach() + s * z, "not 0.5"),
    (RIGHT_ANGLES, angles(torch.square), ""),
    (RIGHT_ANGLES, angles(torch.abs), ""),
    (RIGHT_ANGLES, lambda parts: None, "return a loss"),
    (RIGHT_ANGLES, angles(lambda cosine: cosine), "180°"),
    (RIGHT_ANGLES, angles(torch.relu), "180°"),
    (RIGHT_ANGLES, angles(lambda cosine: 1 - cosine.square()), "180°|60°"),
    (RIGHT_ANGLES, angles(lambda cosine: cosine, lambda each: each.mean().square()), "cancel"),
    (RIGHT_ANGLES, lambda z: F.cosine_similarity(*z[:2]).square().mean(), "inf and irr"),
    (HIDING, hidden(lambda head, z: head(Reverse.apply(z))), ""),
    (HIDING, lambda *given: None, "return a loss"),
    (HIDING, hidden(lambda head, z: head(z)), "still shows"),
    (HIDING, hidden(lambda head, z: Reverse.apply(head(z))), "must learn"),
    (HIDING, hidden(lambda head, z: head(z), sign=-1), "must be the cross-entropy"),
    (HIDING, hidden(lambda head, z: head(Reverse.apply(z)), part=1), "irr"),
    (HIDING, hidden(lambda head, z: head(Reverse.apply(z)), name="aux"), "hide"),
    (HIDING, hidden(lambda head, z: head(2 * Reverse.apply(z) - z.detach())), "times -1"),
    (HIDING, hidden(lambda head, z: head(z.detach())), "times -1"),
]

test_answers_of_02_pass_or_are_told_what_is_wrong = each_answer(ANSWERS_02)


# ---------------------------------------------------------------- course.py


@pytest.fixture(scope="module")
def parts():
    return course.scenes("objects:n=900,size=16", seed=1)


def test_scenes_are_divided_once_and_hold_what_the_pictures_need(parts):
    train, test = parts
    assert len(train.labels) == len(test.labels) == 360
    assert train.images["rgb"].shape == (360, 3, 16, 16)
    assert not torch.equal(train.images["depth"], test.images["depth"])
    values = course.factors(test)
    assert list(values) == ["shape", "material", "size", "distance", "tilt"]
    assert torch.equal(values["shape"].argmax(1) * 3 + values["material"].argmax(1), test.labels)
    far = [row for row, name in course.queries(test).items() if name.endswith(", far")]
    assert [test.factors["far"][row].item() for row in far] == [1]
    assert sum(chosen.sum() for chosen in course.kinds(test).values()) < 360  # not dark and far


def test_bars_of_each_way_have_its_heights():
    rows = {"before": [1, 2], "alone": [3, 4], "pairs": [5, 6]}
    axis = course.plot_bars(rows, ["a", "b"], "a title").axes[0]
    assert [bar.get_height() for bar in axis.patches] == [1, 2, 3, 4, 5, 6]


def test_two_scenes_of_a_fact_differ_where_a_sensor_sees_it():
    pairs, facts = course.fact_pairs()
    seen = {}
    for fact, (first, second) in facts.items():
        for sensor, images in pairs.images.items():
            seen[fact, sensor] = not torch.equal(images[first], images[second])
    blind = [("material in the dark", "rgb"), ("light", "depth"), ("distance", "rgb")]
    assert [key for key, differs in seen.items() if not differs] == blind


def test_losses_are_shares_of_a_guess_and_facts_stand_in_their_part(parts):
    history = pd.DataFrame({"cl": [2.0, 1.0], "adv": [1.0, 1.0], "orth": [0.5, 0.1]})
    axis = course.plot_losses(history, {"cl": 2.0, "adv": 0.5}).axes[0]
    assert axis.lines[0].get_ydata().tolist() == [1, 0.75]
    z, number = torch.zeros(360, 4), iter(range(99))
    axis = course.plot_facts(lambda *_: next(number), {"rgb": [z] * 3, "depth": [z] * 3}, parts[1])
    shown = [text.get_text() for text in axis.axes[0].texts]
    assert shown[:6] == ["0", "14", "28", "7", "21", "35"]  # colour's parts, then depth's


def curves(end):
    ways = {way: {20: {"depth": end, "rgb": 1.0}} for way in ("alone", "pairs")}
    start = {10: {"depth": 9.0, "rgb": 1.0}}
    return {"two students": start} | {way: start | curve for way, curve in ways.items()}


def test_curves_and_points_are_stored_by_seed_and_those_of_other_seeds_come_back(tmp_path):
    file = tmp_path / "fork.csv"
    assert course.other_seeds(curves(50.0), 1, str(file)).empty
    assert set(course.other_seeds(curves(60.0), 0, str(file))["seed"]) == {1}
    others = course.other_seeds(curves(70.0), 1, str(file))  # in the place of the first
    assert set(others["seed"]) == {0}
    stored = pd.read_csv(file)
    assert list(stored) == ["seed", "way", "step", "depth", "rgb"]
    assert stored["seed"].tolist() == [0] * 5 + [1] * 5
    assert stored.loc[stored["seed"] == 1, "depth"].max() == 70
    file = str(tmp_path / "segments.csv")
    for seed in (2, 1):
        table = course.beside("", {"alone": 40 + seed / 3, "both": 50 + seed}, seed, file)
    assert table.loc["alone"].to_dict() == {1: 40.3, 2: 40.7}
    assert list(table) == [1, 2]  # the one that runs comes first


def test_a_stored_table_has_the_names_and_the_order_of_the_course(tmp_path):
    options = {"weights": {"contrast": 3}}
    rows = [("agreed", {}), ("fixmatch", {}), ("nt-xent", {**options, "partners": "shuffled"})]
    runs = [
        result(name, 0, {"rgb": score + 1, "depth": score}, options=own, labelled=labelled)
        for score, (name, own) in enumerate([*rows, ("nt-xent", options), ("student", {})])
        for labelled in (0.1, 0.2)
    ]
    tables.collect(runs, tmp_path / "labels.csv")
    shown = course.results_table(tmp_path / "labels.csv")
    assert list(shown.index) == list(course_data.ROWS)
    assert list(shown) == ["depth", "colour"]
    assert shown.loc["pairs", "colour"] - shown.loc["pairs", "depth"] == 1


@pytest.mark.parametrize(
    ("number", "data", "means"),
    [
        ("01", "watch, mean of 5 deals", [93, 74, 79]),  # at random, persons, both sensors
        ("06", "sensor, from inv", [100, 100, 80]),  # untrained, DisCoM-KD, MDiCo
        ("06", "depth's class, from irr", [16, 74, 70]),
        ("07", "colour, 20 epochs", [70, 81, 82]),  # as they are, turned, branch turned
        ("10", "colour, 30 masks, mIoU", [48, 55, 55, 57]),
    ],
)
@pytest.mark.usefixtures("in_notebooks")
def test_the_table_of_a_notebook_has_the_means_of_stored_runs(number, data, means):
    assert course.results(number).loc[data, "right, %"].tolist() == means
