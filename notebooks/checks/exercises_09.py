"""The exercises of notebook 09: a line for each, solved or what is missing."""

from collections.abc import Callable, Mapping

import torch

from checks import report


def product(pair_labels: Callable) -> str:
    """One belief for both sensors, the product of theirs; what is wrong, or nothing."""
    logits = torch.randn(2, 6, 7, generator=torch.Generator().manual_seed(0))
    beliefs = dict(zip(("acc", "gyro"), logits.log_softmax(2), strict=True))
    answer, together = pair_labels(dict(beliefs)), sum(beliefs.values())
    if not isinstance(answer, Mapping) or set(answer) != set(beliefs):
        return "return a belief for each sensor"
    if not all(isinstance(belief, torch.Tensor) for belief in answer.values()):
        return "a belief is a tensor"
    own = [belief.log_softmax(1) for belief in answer.values()]
    if not torch.allclose(*own, atol=1e-4):
        return "both sensors must learn from the same belief"
    if torch.allclose(own[0], (together / 2).log_softmax(1), atol=1e-4):
        return "multiply the probabilities: add their logarithms, do not average"
    mean = sum(belief.exp() for belief in beliefs.values()).log().log_softmax(1)
    if torch.allclose(own[0], mean, atol=1e-4):
        return "multiply the probabilities, do not add them"
    if not torch.allclose(own[0], together.log_softmax(1), atol=1e-4):
        return "it is not the product of both probabilities"
    return ""


def pairs(pair_labels: Callable) -> bool:
    """Print whether `pair_labels` is right, or what is missing; whether it is."""
    problem = product(pair_labels)
    missing = f"not yet: {problem}; the next cell has ours"
    print(f"pair_labels: {missing if problem else 'solved, yours is used below'}")
    return not problem


def first(vote: Callable) -> str:
    """The product of the beliefs that are there; what is wrong, or nothing."""
    logits = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    beliefs = dict(zip("abc", logits.log_softmax(2), strict=True))
    has = {name: torch.ones(6, dtype=torch.bool) for name in beliefs}
    expected = sum(beliefs.values()).log_softmax(1)
    answer = vote(dict(beliefs), dict(has))
    if not isinstance(answer, torch.Tensor) or answer.shape != (6, 4):
        return "return log probabilities, a row for each window"
    if torch.allclose(answer, (sum(beliefs.values()) / 3).log_softmax(1), atol=1e-4):
        return "multiply the probabilities: add their logarithms, do not average"
    if torch.allclose(answer, sum(beliefs.values()), atol=1e-4):
        return "the probabilities of a window must sum to one"
    if not torch.allclose(answer, expected, atol=1e-4):
        return "three sensors: it is not the product of their probabilities"
    has["b"][2:4] = False
    expected[2:4] = (beliefs["a"] + beliefs["c"])[2:4].log_softmax(1)
    if not torch.allclose(vote(dict(beliefs), dict(has)), expected, atol=1e-4):
        return "a sensor that lacks a window must not judge it"
    return ""


def second(draw: Callable, person: torch.Tensor, labels: torch.Tensor) -> str:
    """Five rows of each exercise, of any person; what is wrong, or nothing."""
    for fold in range(5):
        rows = torch.nonzero(person % 5 != fold)[:, 0]
        answer = draw(rows, fold)
        if not isinstance(answer, torch.Tensor) or not len(answer):
            return "return row numbers"
        if not torch.isin(answer, rows).all():
            return "choose among the rows that are given: others are tested"
        if len(answer.unique()) < len(answer):
            return "a row is there twice"
        counts = torch.bincount(labels[answer], minlength=7).tolist()
        if counts != [5] * 7:
            return f"take five of each exercise: these are {counts}"
        if len(person[answer].unique()) == 1:
            return "all are of one person: draw them at random"
    return ""


def third(scores: Mapping[float, float | None]) -> str:
    """% right of the gyroscope with two thresholds."""
    if set(scores) != {0.5, 0.9} or None in scores.values():
        return "set both scores, in % of windows right"
    if not all(20 <= score <= 100 for score in scores.values()):
        return "guessing gets 14 %: give % of windows right"
    return "both thresholds have one score" if scores[0.5] == scores[0.9] else ""


def check(
    vote: Callable, draw: Callable, scores: Mapping, person, labels: torch.Tensor
) -> None:
    """Print what is solved and what is missing."""
    report(first(vote), second(draw, person, labels), third(scores))
