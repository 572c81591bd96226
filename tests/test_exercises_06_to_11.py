"""Exercises of notebooks 06 to 11: right answers pass, likely wrong ones are told what is wrong."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from fixtures.refusal import each_answer
from torch import nn

from checks import (
    exercises_06,
    exercises_07,
    exercises_08,
    exercises_09,
    exercises_10,
    exercises_11,
)
from lessons.losses import aux_loss, class_loss, orth_loss
from lessons.model import Branch

# ---------------------------------------------------------------- 06


def one_by_one(z, directions):
    for direction in directions:
        unit = direction / direction.norm()
        z = z - (z @ unit)[:, None] * unit
    return z


def erase_all(z, directions):
    return one_by_one(z, torch.linalg.qr(directions.T).Q.T)


def carried(z, labels, *, own=False, scored=1, half=True):
    rows = len(z) // 2
    units = []
    for sensor in (0, 1):
        known = z[:rows, sensor if own else 0]
        units.append((z[:, sensor] - known.mean(0)) / known.std(0))
    means = torch.stack([units[0][:rows][labels[:rows] == k].mean(0) for k in range(3)])
    nearest = torch.cdist(units[scored], means).argmin(1) == labels
    return 100 * (nearest[rows:] if half else nearest).float().mean().item()


ERASE, CARRY, ADVERSARY = exercises_06.first, exercises_06.second, exercises_06.third
ANSWERS = [
    (ERASE, erase_all, ""),
    (ERASE, one_by_one, "a share in one"),
    (ERASE, lambda z, directions: torch.zeros_like(z), "must stay"),
    (CARRY, carried, ""),
    (CARRY, partial(carried, scored=0), "it names other classes there"),
    (CARRY, partial(carried, own=True), "not its own"),
    (CARRY, partial(carried, half=False), "not fitted on"),
    (CARRY, lambda *given: carried(*given) / 100, "100 %, not 1"),
    (ADVERSARY, {"with adv": 100.0, "without adv": 99.0}, ""),
    (ADVERSARY, {"with adv": 100.0}, "set both"),
    (ADVERSARY, {"with adv": 1.0, "without adv": 0.99}, "guessing gets 50 %"),
]


# ---------------------------------------------------------------- 07


def holm(p, *, bonferroni=False, sort_back=True, steps=True, cap=True, ones=False):
    order = np.argsort(p)
    factors = np.full(len(p), len(p)) if bonferroni else len(p) - np.arange(len(p))
    own = np.array(p)[order] * (factors - ones)
    own = np.maximum.accumulate(own) if steps else own
    own = np.minimum(own, 1) if cap else own
    return own[np.argsort(order)] if sort_back else own


class WithoutAux(nn.Module):
    terms = (class_loss, orth_loss)

    def __init__(self):
        super().__init__()
        self.branch = Branch(3)
        task = nn.ModuleDict({"rgb": nn.Linear(128, 9)})
        self.heads = nn.ModuleDict({"task": task, "aux": nn.Linear(64, 9)})

    def loss(self, images, labels):
        parts = self.branch(images)
        return sum(term(parts, self.heads, "rgb", labels) for term in self.terms)


def without_aux(name, *terms):
    return type(name, (WithoutAux,), {"terms": terms})


def smooth(valid):
    return valid.unfold(0, 7, 1).mean(1).argmax() + 3


HOLM, WITHOUT_AUX, EPOCH = exercises_07.first, exercises_07.second, exercises_07.third
ANSWERS += [
    (HOLM, holm, ""),
    (HOLM, partial(holm, ones=True), "a single p-value"),
    (HOLM, partial(holm, bonferroni=True), "smallest times 3"),
    (HOLM, partial(holm, sort_back=False), "order they came"),
    (HOLM, partial(holm, steps=False), "fall below"),
    (HOLM, partial(holm, cap=False), "exceeds 1"),
    (WITHOUT_AUX, WithoutAux, ""),
    (WITHOUT_AUX, without_aux("Alone", class_loss, aux_loss, orth_loss), "still in the loss"),
    (WITHOUT_AUX, without_aux("OnlyTask", class_loss), "keep `orth`"),
    (WITHOUT_AUX, without_aux("OnlyOrth", orth_loss), "keep the class loss"),
    (WITHOUT_AUX, without_aux("AuxForTask", aux_loss, orth_loss), "as they are in `Alone`"),
    (WITHOUT_AUX, type("Silent", (WithoutAux,), {"loss": lambda *given: None}), "one number"),
    (EPOCH, smooth, ""),
    (EPOCH, lambda valid: 60, "number of an epoch"),
    (EPOCH, lambda valid: valid.argmax(), r"\+0.0 points"),
    (EPOCH, lambda valid: -1, "-"),
]


# ---------------------------------------------------------------- 08


def surest(beliefs, batch=False):
    rgb, depth = beliefs.values()
    sure = [z.max(1).values for z in (rgb, depth)]
    first = sure[0].sum() > sure[1].sum() if batch else (sure[0] > sure[1])[:, None]
    return dict.fromkeys(beliefs, torch.where(torch.as_tensor(first), rgb, depth))


def late(pool, source=None, in_place=False):
    rows = pool if in_place else pool.clone()
    rows[:20] = (pool if source is None else source)[:20].roll(1)
    return rows


SUREST, LATE, RECORDINGS = exercises_08.first, exercises_08.second, exercises_08.third
ANSWERS += [
    (SUREST, surest, ""),
    (SUREST, lambda b: b, "same judge"),
    (SUREST, partial(surest, batch=True), "same judge|scene by scene"),
    (SUREST, lambda b: dict.fromkeys(b, torch.maximum(*b.values())), "from one sensor"),
    (SUREST, lambda b: dict.fromkeys(b, sum(b.values())), "the product"),
    (LATE, late, ""),
    (LATE, lambda pool: pool.roll(1), "these are 82"),
    (LATE, partial(late, in_place=True), "leave what"),
    (LATE, lambda pool: late(pool, source=pool + 2000), "from those"),
    (LATE, lambda pool: torch.where(torch.arange(82) < 20, pool[40], pool), "once"),
    (RECORDINGS, {"ordinary": 51.0, "far away": 44.0}, ""),
    (RECORDINGS, {"ordinary": 51.0, "far away": None}, "set both"),
    (RECORDINGS, {"ordinary": 0.51, "far away": 0.44}, "guessing gets 11"),
    (RECORDINGS, {"ordinary": 51.0, "far away": 51.0}, "did `unlabelled` change"),
]


# ---------------------------------------------------------------- 09


def vote(beliefs, has, *, mean=False, unit=True, all_of_them=False):
    there = {name: has[name][:, None] | all_of_them for name in beliefs}
    total = sum(torch.where(there[name], own, 0.0) for name, own in beliefs.items())
    total = total / len(beliefs) if mean else total
    return total.log_softmax(1) if unit else total


PERSON, LABELS = torch.arange(700) % 10, torch.arange(700) // 10 % 7


def some(rows, fold, each=5, shuffled=True):
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(fold))
    rows = rows[order] if shuffled else rows[PERSON[rows].argsort()]
    return torch.cat([rows[LABELS[rows] == k][:each] for k in range(7)])


def merged(merge):
    return lambda beliefs: dict.fromkeys(beliefs, merge(*beliefs.values()))


VOTE, THRESHOLDS, PRODUCT = exercises_09.first, exercises_09.third, exercises_09.product
DRAW = partial(exercises_09.second, person=PERSON, labels=LABELS)
ANSWERS += [
    (VOTE, vote, ""),
    (VOTE, partial(vote, mean=True), "do not average"),
    (VOTE, partial(vote, unit=False), "sum to one"),
    (VOTE, partial(vote, all_of_them=True), "lacks a window"),
    (VOTE, lambda beliefs, has: beliefs["a"], "not the product"),
    (DRAW, some, ""),
    (DRAW, lambda rows, fold: some(torch.arange(700), fold), "others are tested"),
    (DRAW, partial(some, each=4), "five of each"),
    (DRAW, lambda *given: some(*given)[[*range(34), 33]], "twice"),
    (DRAW, partial(some, shuffled=False), "one person"),
    (THRESHOLDS, {0.5: 41.0, 0.9: 47.0}, ""),
    (THRESHOLDS, {0.5: 41.0, 0.9: None}, "set both"),
    (THRESHOLDS, {0.5: 0.41, 0.9: 0.47}, "guessing gets 14 %"),
    (THRESHOLDS, {0.5: 47.0, 0.9: 47.0}, "one score"),
    (PRODUCT, merged(torch.add), ""),
    (PRODUCT, lambda beliefs: beliefs, "the same belief"),
    (PRODUCT, merged(lambda a, b: (a + b) / 2), "do not average"),
    (PRODUCT, merged(torch.logaddexp), "do not add them"),
    (PRODUCT, merged(lambda a, b: a), "not the product"),
]


def test_the_readers_pair_labels_are_used_where_they_are_right():
    assert exercises_09.pairs(merged(torch.add))
    assert not exercises_09.pairs(lambda beliefs: beliefs)


# ---------------------------------------------------------------- 10


def dice_loss(logits, masks, *, skip=True, axes=(0, 2, 3), factor=2, power=2, start=1):
    drawn = (masks < 255) | (not skip)
    p = logits.softmax(1) * drawn[:, None]
    y = F.one_hot(masks.clamp(max=3), 4).movedim(3, 1) * drawn[:, None]
    overlap = factor * (p * y).sum(axes) / (p.pow(power).sum(axes) + y.sum(axes))
    return abs(start - overlap.mean())


def hard(logits, *, probabilities=lambda z: z.softmax(1)):
    confidence, masks = probabilities(logits).max(1)
    return masks.masked_fill(confidence < 0.9, 255)


DICE, MASKS = exercises_10.first, exercises_10.second
ANSWERS += [
    (DICE, dice_loss, ""),
    (DICE, partial(F.cross_entropy, ignore_index=255), "mean over classes"),
    (DICE, partial(dice_loss, start=0), "1 minus Dice"),
    (DICE, partial(dice_loss, factor=1), "2 Σ p y"),
    (DICE, partial(dice_loss, power=1), "squared"),
    (DICE, partial(dice_loss, axes=(2, 3)), "the whole batch"),
    (DICE, partial(dice_loss, skip=False), "out of all three sums"),
    (DICE, lambda z, y: dice_loss(z, F.one_hot(y, 4).argmax(3)), "255 is no class"),
    (MASKS, hard, ""),
    (MASKS, lambda logits: logits.softmax(1).max(1)[0], "numbers of classes"),
    (MASKS, lambda logits: logits.softmax(1), "for each pixel"),
    (MASKS, partial(hard, probabilities=lambda z: z), "take the softmax"),
    (MASKS, partial(hard, probabilities=torch.exp), "take the softmax"),
    (MASKS, lambda logits: logits.argmax(1), "must be 255"),
    (MASKS, partial(hard, probabilities=lambda z: z.softmax(2)), r"gave \(0, 0, 0\)"),
]


# ---------------------------------------------------------------- 11


def decide(low, high, worth):
    return "both" if low > worth else "one" if high < worth else "label more"


def drop(images, *, each=True, both=False, whole=True):
    n = len(next(iter(images.values())))
    choice = torch.randint(3, (n if each else 1,)).expand(n)
    left = {}
    for place, (name, x) in enumerate(images.items()):
        gone = (choice == (0 if both else place))[:, None, None, None]
        left[name] = x * ~gone if whole else x * (1 - 0.5 * gone.float())
    return left


def in_place(images):
    for place, x in enumerate(images.values()):
        x[place::3] = 0
    return images


def every_third(images):
    return {name: x * (torch.arange(len(x)) % 3 != k)[:, None, None, None]
            for k, (name, x) in enumerate(images.items())}  # fmt: skip


def half(images):
    gone = (torch.rand(len(images["a"])) < 0.5)[:, None, None, None]
    return {"a": images["a"] * gone, "b": images["b"] * ~gone}


MINE = {"low": 4.5, "high": 8.5, "worth": 3.0, "verdict": "both"}
DECIDE, DROP = exercises_11.first, exercises_11.second
GAINS = [4.0, 8.0, 6.0, 9.0, 5.0, 7.0]  # 6.5 ± 2.0
VERDICT = partial(exercises_11.third, gains=GAINS, folder="my")
ANSWERS += [
    (DECIDE, decide, ""),
    (DECIDE, lambda low, high, worth: decide(low, high, 0), "nothing is worth 3 points"),
    (DECIDE, lambda low, high, worth: decide(low, high, 3), "`worth` decides"),
    (DECIDE, lambda low, high, worth: "both" if low + high > 2 * worth else "one", "or not"),
    (DROP, drop, ""),
    (DROP, partial(drop, each=False), "not for the batch"),
    (DROP, partial(drop, both=True), "never both"),
    (DROP, partial(drop, whole=False), "keeps all its pixels"),
    (DROP, in_place, "those given are changed"),
    (DROP, every_third, "at random"),
    (DROP, half, "a third each"),
    (VERDICT, MINE, ""),
    (VERDICT, MINE | {"worth": 6.0, "verdict": "label more"}, ""),
    (VERDICT, MINE | {"verdict": None}, "enter low, high"),
    (VERDICT, MINE | {"verdict": "one"}, "says: both"),
    (VERDICT, MINE | {"low": 5.7, "high": 7.3}, "gain is 5 to 8"),  # ± standard error
    (partial(VERDICT, folder=""), MINE, "set `folder`"),
]


def nothing(*given):
    """What a stub returns."""


FUNCTIONS = [check for check, right, problem in ANSWERS if not problem and callable(right)]
ANSWERS += [(check, nothing, ".") for check in FUNCTIONS if check is not WITHOUT_AUX]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)
