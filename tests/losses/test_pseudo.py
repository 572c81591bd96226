"""FixMatch and pseudo-labels: the official numbers, and the seven checks."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import golden
from harness import Case, Point, seven_checks, twice

from discom.losses.pseudo import fixmatch, pseudo_labels


def points_of_fixmatch():
    """Three thresholds, and one that every row reaches."""
    x, out = golden("10_fixmatch")
    views = x["logits_weak"], x["logits_strong"]
    cases = {
        0.95: out,
        0.7: out["cases"]["p_cutoff_0.7"],
        0.99999: out["cases"]["p_cutoff_0.99999"],
    }
    for threshold, own in cases.items():
        yield Point((*views, threshold), own["unsup_loss"], {1: own["grad_logits_strong"]})
    every = out["parts"]["ce_hard_no_mask"]
    yield Point((*views, 1e-9), every["loss"], {1: every["grad_logits_strong"]})


def over_accepted(weak, strong, threshold):
    labels, accepted = pseudo_labels(weak, threshold)
    return F.cross_entropy(strong[accepted], labels[accepted])


def soft(weak, strong, threshold):
    _, accepted = pseudo_labels(weak, threshold)
    targets = weak.detach().softmax(1)
    return (F.cross_entropy(strong, targets, reduction="none") * accepted).mean()


ONES = torch.ones(2, 2)
CASES = {
    "fixmatch": Case(
        fixmatch,
        [*points_of_fixmatch()],
        closed=[
            ((torch.zeros(3, 4), torch.ones(3, 4)), 0.0),  # nothing is accepted
            ((torch.eye(2) * 9, torch.zeros(2, 2)), math.log(2)),
            ((torch.tensor([[9.0, 0], [0, 0]]), torch.zeros(2, 2)), math.log(2) / 2),
        ],
        wrong={
            "mean over accepted rows": over_accepted,
            "soft labels": soft,
            "no threshold": lambda weak, strong, tau: F.cross_entropy(strong, weak.argmax(1)),
            "strong views give the labels": lambda a, b, tau: fixmatch(b, a, tau) + 0 * b.sum(),
        },
        teachers=(0,),
        same=[twice, lambda weak, strong, tau: (weak.flip(1) + 3, strong.flip(1), tau)],
        refused=[
            ((torch.ones(3, 2), ONES), "give two .U, C."),
            ((torch.ones(3), torch.ones(3)), "give .U, C."),
            *(((ONES, ONES, tau), f"threshold: {tau} is out of range") for tau in (0.0, 1.5)),
        ],
    )
}


test_seven_checks = seven_checks(CASES)


def test_labels_are_the_official_ones_and_a_probability_equal_to_the_threshold_is_accepted():
    x, out = golden("10_fixmatch")
    labels, accepted = pseudo_labels(x["logits_weak"])
    assert torch.equal(labels.double(), out["pseudo_label"])
    assert torch.equal(accepted.double(), out["mask"])
    assert out["parts"]["mask_at_threshold"].tolist() == [1, 0, 1]  # of .95, below, above
    logits = torch.tensor([[0.0, 0.0], [0.0, 9.0]])
    assert pseudo_labels(logits, 0.5)[1].tolist() == [True, True]
    assert pseudo_labels(logits, 0.5001)[1].tolist() == [False, True]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_autocast_keeps_the_threshold(kind):
    """bf16 rounds 0.949 to 0.949 or 0.953; the labels are taken in float32."""
    logits = torch.tensor([[0.9490, 0.0510]]).log().to(kind)
    with torch.autocast("cpu", torch.bfloat16):
        _, accepted = pseudo_labels(logits, logits.float().softmax(1).max().item() + 1e-5)
    assert not accepted.item()
