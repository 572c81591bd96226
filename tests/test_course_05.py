"""Notebook 05: checkers that refuse likely wrong answers, pictures of the ladder."""

from functools import partial
from pathlib import Path

import pandas as pd
import torch.nn.functional as F
from fixtures.refusal import each_answer

import course
from checks import exercises_05
from pictures import ladder

ROOT = Path(__file__).parents[1]


def safe(logits, targets, sums=lambda targets: targets.sum(1), signs=True, soft=True):
    if targets.is_floating_point():
        if not soft or (sums(targets) - 1).abs().max() > 1e-4:
            raise ValueError("no probabilities")
        if signs and targets.min() < 0:
            raise ValueError("below zero")
    return F.cross_entropy(logits, targets)


def late(loss, calls, *, count=None, shift=0, always=False):
    count = [0] if count is None else count

    def later(*given):
        count[0] += 1
        return loss(*given) * (count[0] > calls + shift and not always)

    return later


def starts(branch, all_five):
    return {"branch": branch, "all five": all_five}


SAFE, LATE, STARTS = exercises_05.first, exercises_05.second, exercises_05.third
ANSWERS = [
    (SAFE, safe, ""),
    (SAFE, lambda *given: None, "return a loss"),
    (SAFE, F.cross_entropy, "refuse ones"),
    (SAFE, partial(safe, soft=False), "do not refuse"),
    (SAFE, partial(safe, sums=lambda targets: targets.sum(1).mean()), "every row"),
    (SAFE, partial(safe, signs=False), "below zero"),
    (SAFE, lambda *given: 2 * safe(*given), "must be the cross-entropy"),
    (LATE, late, ""),
    (LATE, lambda loss, calls: None, "return a function"),
    (LATE, lambda loss, calls: lambda *given: None, "in each call"),
    (LATE, lambda loss, calls: loss, "must give 0"),
    (LATE, partial(late, shift=-1), "must give 0"),
    (LATE, partial(late, shift=1), "the loss itself"),
    (LATE, partial(late, always=True), "the loss itself"),
    (LATE, partial(late, count=[0]), "its own calls"),
    (STARTS, starts(6, 11), ""),
    (STARTS, starts(6, None), "set both"),
    (STARTS, starts(0, 11), "1, 2, 3"),
    (STARTS, starts(6, 11.5), "1, 2, 3"),
    (STARTS, starts(6, 21), "20 epochs"),
    (STARTS, starts(3, 4), "not ten"),
]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)


def test_a_ladder_shows_each_end():
    ends = {rung: {"rgb": 60.0 + k, "depth": 20.0 + k} for k, rung in enumerate(ladder.COLOURS)}
    (axis,) = ladder.plot_ladder(ends, "title").axes
    shown = [text.get_text() for text in axis.texts]
    assert shown[:5] == ["60", "61", "62", "63", "64"]
    assert shown[6:11] == ["20", "21", "22", "23", "24"]


def test_each_start_stands_at_its_curve():
    ways = {"+ orth": 4.0, "+ adv": 3.0, "without adv": 2.0}
    histories = {way: pd.DataFrame({"cl": [4.4, end]}) for way, end in ways.items()}
    starts = {"+ orth": None, "+ adv": 2, "without adv": 2}
    axis = ladder.plot_starts(histories, starts, 4.4).axes[0]
    said = {text.get_text(): text.get_position()[1] for text in axis.texts}
    assert said["all five: epoch None"] == 4
    assert said["without orth: epoch 2"] == 3
    assert said["without adv: epoch 2"] == 2


def test_what_leaving_a_loss_out_changes_is_drawn_seed_by_seed():
    names = {"discom": "all", "discom aux=0": "aux"}
    scores = course.seeds(ROOT / "results/terms.csv", names, "depth").dropna()
    table = scores[["aux"]].sub(scores["all"], axis=0)
    figure = ladder.plot_without({"ten": table, "thirty": 2 * table}, "title")
    dots = [axis.lines[1].get_xdata().tolist() for axis in figure.axes]
    assert dots == [table["aux"].tolist(), (2 * table["aux"]).tolist()]
    assert figure.axes[0].texts[0].get_text() == f"{table['aux'].mean():+.1f}"
