"""FixMatch and pseudo-labels: the official numbers, loops over the equation, wrong copies."""

import math

import pytest
import torch
import torch.nn.functional as F
from golden_values import assert_golden, golden
from harness import Case, normal, seven_checks

from discom.losses.pseudo import fixmatch, pseudo_labels


def loop(weak, strong, threshold=0.95):
    total = 0.0
    for weak_row, strong_row in zip(weak.detach(), strong, strict=True):
        probabilities = (weak_row - weak_row.logsumexp(0)).exp()
        label = max(range(len(weak_row)), key=lambda c: probabilities[c])
        if probabilities[label] >= threshold:
            total = total + strong_row.logsumexp(0) - strong_row[label]
    return total / len(weak)


def over_accepted(weak, strong):
    labels, accepted = pseudo_labels(weak)
    return F.cross_entropy(strong[accepted], labels[accepted])


def soft(weak, strong):
    _, accepted = pseudo_labels(weak)
    targets = weak.detach().softmax(1)
    return (F.cross_entropy(strong, targets, reduction="none") * accepted).mean()


def without_a_threshold(weak, strong):
    return F.cross_entropy(strong, weak.argmax(1))


def views_exchanged(weak, strong):
    return fixmatch(strong, weak) + 0 * strong.sum()


def draw(seed):
    """About half of the weak rows are confident."""
    return 4 * normal(8, 5, seed=seed), normal(8, 5, seed=seed + 9)


CASES = {
    "fixmatch": Case(
        fixmatch,
        loop,
        draw,
        closed=[
            ((torch.zeros(3, 4), torch.ones(3, 4)), 0.0),  # nothing is accepted
            ((torch.eye(2) * 9, torch.zeros(2, 2)), math.log(2)),
            ((torch.tensor([[9.0, 0], [0, 0]]), torch.zeros(2, 2)), math.log(2) / 2),
        ],
        wrong={
            "mean over accepted rows": over_accepted,
            "soft labels": soft,
            "no threshold": without_a_threshold,
            "strong views give the labels": views_exchanged,
        },
        students=(1,),
        teachers=(0,),
        same=(
            lambda weak, strong: (weak + 3, strong),
            lambda weak, strong: (weak.flip(0), strong.flip(0)),
            lambda weak, strong: (weak.flip(1), strong.flip(1)),
            lambda weak, strong: (torch.cat([weak, weak]), torch.cat([strong, strong])),
        ),
        different=(lambda weak, strong: (weak.roll(1, 1), strong),),
        refused=[
            ((torch.ones(3, 2), torch.ones(2, 2)), "give two .U, C."),
            ((torch.ones(3), torch.ones(3)), "give .U, C."),
            ((torch.ones(2, 2), torch.ones(2, 2), 0.0), "threshold: 0.0 is out of range"),
            ((torch.ones(2, 2), torch.ones(2, 2), 1.5), "use above 0, to 1"),
        ],
    )
}

test_seven_checks = seven_checks(CASES)


def test_values_and_gradients_are_those_of_the_official_code():
    numbers = golden("10_fixmatch")
    weak = numbers.inputs["logits_weak"].requires_grad_()
    strong = numbers.inputs["logits_strong"].requires_grad_()
    cases = []
    for name, threshold in (("", 0.95), ("p_cutoff_0.7", 0.7), ("p_cutoff_0.99999", 0.99999)):
        outputs = numbers.outputs["cases"][name] if name else numbers.outputs
        labels, accepted = pseudo_labels(weak, threshold)
        assert torch.equal(labels.double(), outputs["pseudo_label"])
        assert torch.equal(accepted.double(), outputs["mask"])
        ends = [(strong, outputs["grad_logits_strong"]), (weak, outputs["grad_logits_weak"])]
        cases.append((name, fixmatch(weak, strong, threshold), outputs["unsup_loss"], *ends))
    unmasked = numbers.outputs["parts"]["ce_hard_no_mask"]
    every = fixmatch(weak, strong, 1e-9)
    cases.append(("no mask", every, unmasked["loss"], (strong, unmasked["grad_logits_strong"])))
    assert_golden(cases)


def test_a_probability_equal_to_the_threshold_is_accepted():
    mask = golden("10_fixmatch").outputs["parts"]["mask_at_threshold"]  # of .95, below, above
    assert mask.tolist() == [1, 0, 1]
    logits = torch.tensor([[0.0, 0.0], [0.0, 9.0]])
    assert [pseudo_labels(logits, t)[1].tolist() for t in (0.5, 0.5001)] == [
        [True, True],
        [False, True],
    ]


def test_log_probabilities_added_up_are_the_product_of_what_sensors_believe():
    """Two sensors that are 80 % and 70 % sure of one class are surer together than each alone."""
    rgb, depth = torch.tensor([[0.8, 0.2]]), torch.tensor([[0.7, 0.3]])
    product = rgb * depth / (rgb * depth).sum()  # 0.903
    together = rgb.log() + depth.log()
    for threshold in (product.max().item() - 1e-4, product.max().item() + 1e-4):
        _, accepted = pseudo_labels(together, threshold)
        assert accepted.item() == (product.max().item() >= threshold)
    assert not pseudo_labels(rgb.log(), 0.9)[1].item()


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_autocast_keeps_the_threshold(kind):
    """bf16 rounds 0.949 to 0.949 or 0.953; the labels are taken in float32."""
    logits = torch.tensor([[0.9490, 0.0510]]).log().to(kind)
    with torch.autocast("cpu", torch.bfloat16):
        _, accepted = pseudo_labels(logits, logits.float().softmax(1).max().item() + 1e-5)
    assert not accepted.item()
