"""Exercises of notebooks 00 to 05: right answers pass, likely wrong ones are told what is wrong."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from fixtures.refusal import each_answer

from checks import (
    exercises_00,
    exercises_01,
    exercises_02,
    exercises_03,
    exercises_04,
    exercises_05,
)

# ---------------------------------------------------------------- 00


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
AROUND_58 = partial(exercises_00.third, goal=58)  # also of 04 and 10
ANSWERS = [
    (CONTRAST, across, ""),
    (CONTRAST, in_both, "log 15"),
    (CONTRAST, lambda a, b: 2 * across(a, b), "log 8"),
    (CONTRAST, partial(across, columns=False), "columns count"),
    (CONTRAST, partial(across, normalized=False), "log 8|almost 0"),
    (CONTRAST, partial(across, temperature=1.0), "divide by 0.1"),
    (OWN_LABELS, own_labels, ""),
    (OWN_LABELS, partial(own_labels, accepted=True), "divide by all rows"),
    (OWN_LABELS, partial(own_labels, agreed=True), "both must learn"),
    (OWN_LABELS, partial(own_labels, warm=False), "first 30 %"),
    (OWN_LABELS, with_contrast, "leave the contrast"),
    (OWN_LABELS, lambda *given: 3 * own_labels(*given), "must be"),
    (AROUND_58, {400: 50.0, 800: 61.0}, ""),
    (AROUND_58, {400: 50.0}, "below 58 % and one above"),
    (AROUND_58, {400: 61.0, 800: 50.0}, "another seed"),
]


# ---------------------------------------------------------------- 01


def complete(*sensors):
    return [name for name in sensors[0] if all(name in own for own in sensors[1:])]


def mirror(signal, sensor, left, turned=((0,), (1, 2)), copy=True):
    signal = signal.copy() if copy else signal
    signal[np.ix_(left, turned[sensor == "gyro"])] *= -1
    return signal


def everyone(signal, sensor, left):
    return mirror(signal, sensor, left | True)


COMPLETE, MIRROR, WINDOWS = exercises_01.first, exercises_01.second, exercises_01.third
ANSWERS += [
    (COMPLETE, complete, ""),
    (COMPLETE, lambda a, b: complete(a, b), "also for 3 lists"),  # a TypeError
    (COMPLETE, lambda a, *others: complete(a, others[0]), "of 3 lists one does not have 'd'"),
    (COMPLETE, lambda *lists: sorted(set(lists[0]).intersection(*lists)), "the first list"),
    (COMPLETE, lambda *lists: sorted(set().union(*lists)), "one does not have"),
    (COMPLETE, lambda *lists: complete(*lists)[1:], "3 names are in all"),
    (COMPLETE, lambda *lists: None, "return a list"),
    (MIRROR, mirror, ""),
    (MIRROR, partial(mirror, turned=((0,), (0,))), "gyro: the mirror keeps turns round x"),
    (MIRROR, partial(mirror, turned=((1,), (1, 2))), "acc: of a left arm other axes"),
    (MIRROR, partial(mirror, copy=False), "copy them first"),
    (MIRROR, everyone, "a right arm must stay"),
    (WINDOWS, {1: 80.0, 4: 86.0}, ""),
    (WINDOWS, {1: 80.0}, "below 85 % and one above"),
    (WINDOWS, {1: 80.0, 4: 95.0}, "windows that were given"),
    (WINDOWS, {1: 86.0, 4: 80.0}, "more windows gave less"),
]


# ---------------------------------------------------------------- 02


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


def hidden(read, part=2):
    def loss(parts, heads, sensor, labels):
        return F.cross_entropy(read(heads["hide"], parts[part]), labels)

    return loss


REVERSAL, RIGHT_ANGLES, HIDING = exercises_02.first, exercises_02.second, exercises_02.third
ANSWERS += [
    (REVERSAL, lambda z, s: (1 + s) * z.detach() - s * z, ""),
    (REVERSAL, lambda z, s: -s * z, "forward nothing"),
    (REVERSAL, lambda z, s: z.detach(), "no gradient"),
    (REVERSAL, lambda z, s: 2 * z.detach() - z, "-0.5"),  # λ forgotten
    (REVERSAL, lambda z, s: (1 - s) * z.detach() + s * z, "not 0.5"),
    (RIGHT_ANGLES, angles(torch.square), ""),
    (RIGHT_ANGLES, angles(lambda cosine: cosine), "180°"),
    (RIGHT_ANGLES, angles(lambda cosine: cosine, lambda each: each.mean().square()), "cancel"),
    (RIGHT_ANGLES, lambda z: F.cosine_similarity(*z[:2]).square().mean(), "inf and irr"),
    (HIDING, hidden(lambda head, z: head(Reverse.apply(z))), ""),
    (HIDING, hidden(lambda head, z: head(z)), "still shows"),
    (HIDING, hidden(lambda head, z: Reverse.apply(head(z))), "must learn"),
    (HIDING, hidden(lambda head, z: head(Reverse.apply(z)), part=1), "irr"),
    (HIDING, hidden(lambda head, z: head(z.detach())), "times -1"),
]


# ---------------------------------------------------------------- 03


def batches(part, sensors, size, *, one_order=True, labels_of=None, drop=False, shuffled=True):
    count = len(part.labels)
    order = torch.randperm(count) if shuffled else torch.arange(count)
    orders = {s: order if one_order else torch.randperm(count) for s in sensors}
    for k in range(0, count - (count % size if drop else 0), size):
        rows = {s: own[k : k + size] for s, own in orders.items()}
        images = {s: part.images[s][own] for s, own in rows.items()}
        yield images, {s: part.labels[rows[labels_of or s]] for s in sensors}


def rows(counts, size, *, most=max, again=torch.randperm, whole=True):
    longest = most(counts.values())
    found = {}
    for sensor, count in counts.items():
        rounds = [torch.randperm(count), *(again(count) for _ in range(longest // count))]
        if not whole:  # drawn with repetition
            rounds = [torch.randint(count, (longest,))] if count < longest else rounds
        found[sensor] = torch.cat(rounds)[:longest].split(size)
    return found


ORDER = torch.randperm(30)


def one_order_again(counts, size):
    return rows(counts, size) | {"rgb": ORDER.repeat(7)[:200].split(size)}


def each_once(counts, size):
    return {sensor: torch.randperm(count).split(size) for sensor, count in counts.items()}


BATCHES, UNLIKE = exercises_03.first, exercises_03.second
BELOW_80 = partial(exercises_03.third, best=80.0)
ANSWERS += [
    (BATCHES, batches, ""),
    (BATCHES, partial(batches, one_order=False), "the same scene"),
    (BATCHES, partial(batches, one_order=False, labels_of="rgb"), "labels of depth"),
    (BATCHES, partial(batches, drop=True), "every scene once"),
    (BATCHES, partial(batches, shuffled=False), "shuffle anew"),
    (UNLIKE, rows, ""),
    (UNLIKE, partial(rows, most=min), "13 batches, not 2"),
    (UNLIKE, each_once, "start it again"),
    (UNLIKE, partial(rows, whole=False), "before any is shown again"),
    (UNLIKE, one_order_again, "shuffle colour anew"),
    (BELOW_80, {"unpaired": 73.0, "paired": 74.0}, ""),
    (BELOW_80, {"unpaired": 73.0, "paired": 95.0}, "best possible"),
    (BELOW_80, {"unpaired": 73.0, "paired": 0.74}, "has not learned"),
    (BELOW_80, {"unpaired": 73.0, "paired": None}, "set both"),
]


# ---------------------------------------------------------------- 04


def pull(student, teacher, T, *, sign=1, power=1, soften=True, mean=True):
    p_s, p_t = ((z / T if soften else z).softmax(1) for z in (student, teacher))
    return sign * T**power * (p_s - p_t) / (len(student) if mean else 1)


def softer(z, labels, teacher, softness=0.3, reduction="mean"):
    return F.cross_entropy(z, labels, label_smoothing=softness, reduction=reduction)


PULL, SOFTER = exercises_04.first, exercises_04.second
ANSWERS += [
    (PULL, pull, ""),
    (PULL, partial(pull, sign=-1), "student minus"),
    (PULL, partial(pull, mean=False), "mean over B"),
    (PULL, partial(pull, power=2), "one T is left"),
    (PULL, partial(pull, soften=False), "soften both"),
    (SOFTER, softer, ""),
    (SOFTER, partial(softer, softness=0.0), "as hard as the label"),
    (SOFTER, partial(softer, softness=0.3 * 9 / 8), "all nine alike"),
    (SOFTER, partial(softer, reduction="sum"), "a mean over rows"),
    (SOFTER, partial(softer, reduction="none"), "return a loss"),
    (SOFTER, lambda z, labels, teacher: softer(z, teacher.argmax(1), None), "softer labels"),
]


# ---------------------------------------------------------------- 05


def safe(logits, targets, sums=lambda targets: targets.sum(1), signs=True, soft=True):
    if targets.is_floating_point():
        if not soft or (sums(targets) - 1).abs().max() > 1e-4:
            raise ValueError("no probabilities")
        if signs and targets.min() < 0:
            raise ValueError("below zero")
    return F.cross_entropy(logits, targets)


def late(loss, calls, *, count=None, shift=0):
    count = [0] if count is None else count

    def later(*given):
        count[0] += 1
        return loss(*given) * (count[0] > calls + shift)

    return later


SAFE, LATE, STARTS = exercises_05.first, exercises_05.second, exercises_05.third
ANSWERS += [
    (SAFE, safe, ""),
    (SAFE, F.cross_entropy, "refuse ones"),
    (SAFE, partial(safe, soft=False), "do not refuse"),
    (SAFE, partial(safe, sums=lambda targets: targets.sum(1).mean()), "every row"),
    (SAFE, partial(safe, signs=False), "below zero"),
    (LATE, late, ""),
    (LATE, partial(late, shift=-1), "must give 0"),
    (LATE, partial(late, shift=1), "the loss itself"),
    (LATE, partial(late, count=[0]), "its own calls"),
    (STARTS, {"cl": 6, "all five": 11}, ""),
    (STARTS, {"cl": 6, "all five": None}, "set both"),
    (STARTS, {"cl": 0, "all five": 11}, "1, 2, 3"),
    (STARTS, {"cl": 6, "all five": 21}, "20 epochs"),
    (STARTS, {"cl": 3, "all five": 4}, "not ten"),
]


def nothing(*given):
    """What a stub returns."""


FUNCTIONS = [check for check, right, problem in ANSWERS if not problem and callable(right)]
ANSWERS += [(check, nothing, ".") for check in FUNCTIONS]

test_answers_pass_or_are_told_what_is_wrong = each_answer(ANSWERS)
