"""The branches: shapes, sizes in closed form, what is shared, and what is left at use."""

import pytest
import torch
from torch import nn

from discom.errors import ConfigError
from discom.models import Branch, DisCoM, Heads, SingleModality, resnet18

BANDS = {"rgb": 3, "depth": 1, "sar": 2}


def small(channels):
    return resnet18(channels, width=8, stem="small")


def flat(channels):
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 12)), 12


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


def make(modalities=2, classes=5, encoder=small):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DisCoM(dict(list(BANDS.items())[:modalities]), classes, encoder)


def trained(model):
    """Some forwards in training mode, so that running statistics are not the initial ones; then
    eval mode."""
    for step in range(2):
        for name in model.branches:
            model.embed(name, noise(4, BANDS[name], 16, 16, seed=step))
    return model.eval()


@pytest.mark.parametrize("modalities", [1, 2, 3])
def test_shapes(modalities):
    model = make(modalities)
    for name in list(BANDS)[:modalities]:
        z = model.embed(name, noise(4, BANDS[name], 16, 12))
        assert z._fields == ("inv", "inf", "irr")
        assert [part.shape for part in z] == [(4, 32)] * 3
        assert model.predict(name, noise(4, BANDS[name], 16, 12)).shape == (4, 5)
    heads = model.heads
    assert list(heads.task) == list(BANDS)[:modalities]
    assert {head.weight.shape for head in heads.task.values()} == {(5, 64)}
    assert {head.weight.shape for head in (heads.adv, heads.mod_inf, heads.mod_irr)} == {
        (modalities, 32)
    }
    assert heads.aux.weight.shape == (5, 32)


def test_parts_come_from_where_the_equation_says():
    model = trained(make())
    branch, x = model.branches["rgb"], noise(4, 3, 16, 16, seed=7)
    z = model.embed("rgb", x)
    h = branch.specific(x)
    assert torch.equal(z.inf, h[:, :32])
    assert torch.equal(z.irr, h[:, 32:])
    assert torch.equal(z.inv, branch.project(branch.invariant(x)))
    head = model.heads.task["rgb"]
    torch.testing.assert_close(
        model.predict("rgb", x),
        z.inv @ head.weight[:, :32].T + z.inf @ head.weight[:, 32:].T + head.bias,
    )


def test_invariant_part_is_never_negative_and_partly_zero():
    z = make().embed("rgb", noise(8, 3, 16, 16))
    assert (z.inv >= 0).all()
    assert (z.inv == 0).any()
    assert (z.inv > 0).any()
    linear = make(encoder=flat).embed("rgb", noise(8, 3, 16, 16))
    assert (linear.inf < 0).any()  # no ReLU on the other two
    assert (linear.irr < 0).any()


def test_paper_sizes():
    """D = 256; a branch is two ResNet-18 of 11.2 million weights and the projection."""
    with torch.device("meta"):
        model = DisCoM({"rgb": 3, "depth": 1}, classes=10)
        student, twice = SingleModality(3, 10), SingleModality(3, 10, encoders=2)
    resnet, depth = 11_176_512, 11_176_512 - 2 * 49 * 64  # two bands less in the first convolution
    project = 512 * 256 + 256 + 2 * 256
    task = 512 * 10 + 10
    assert model.branches["rgb"].width == 256
    assert count(model.branches["rgb"]) == 2 * resnet + project
    assert count(model.branches["depth"]) == 2 * depth + project
    assert count(model.branch("rgb")) == 2 * resnet + project + task
    assert count(model.heads) == 2 * task + 3 * (256 * 2 + 2) + 256 * 10 + 10
    assert count(student) == resnet + task
    assert count(twice) == 2 * resnet + 2 * 512 * 10 + 10
    assert count(model.branch("rgb")) / count(student) == pytest.approx(2, rel=0.01)
    assert count(model.branch("rgb")) / count(twice) == pytest.approx(1, rel=0.01)


def test_branches_share_no_weight():
    model = make(3)
    kept = {
        name: {p.data_ptr() for p in branch.parameters()} for name, branch in model.branches.items()
    }
    assert sum(len(pointers) for pointers in kept.values()) == len(set.union(*kept.values()))
    assert all(len(kept[name]) == len(list(model.branches[name].parameters())) for name in kept)
    rgb = model.branches["rgb"]
    assert not torch.equal(
        rgb.specific[0].weight, rgb.invariant[0].weight
    )  # nor do a branch's two encoders


def test_one_modality_moves_only_its_own_branch():
    model = make(3)
    model.predict("depth", noise(4, 1, 16, 16)).sum().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None}
    assert moved
    assert all(name.startswith(("branches.depth.", "heads.task.depth.")) for name in moved)


@pytest.mark.parametrize("name", ["rgb", "depth", "sar"])
@pytest.mark.parametrize("batch", [1, 6])
def test_branch_predicts_as_the_whole_model_does(name, batch):
    model = trained(make(3))
    x = noise(batch, BANDS[name], 16, 16, seed=9)
    deployed = model.branch(name)
    assert not any(module.training for module in deployed.branch.modules())
    assert torch.equal(deployed(x), model.predict(name, x))
    assert deployed(x).shape == (batch, 5)


def test_branch_is_a_copy():
    model = trained(make())
    x = noise(3, 3, 16, 16, seed=9)
    deployed, kept = model.branch("rgb"), model.predict("rgb", x)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.zero_()
    assert not torch.equal(model.predict("rgb", x), kept)
    assert torch.equal(deployed(x), kept)


@pytest.mark.parametrize("name", ["rgb", "depth", "sar"])
def test_branch_holds_nothing_of_the_others(name):
    keys = make(3).branch(name).state_dict()
    assert keys
    for other in {"adv", "mod_", "aux", *BANDS} - {name}:
        assert not [key for key in keys if other in key]
    assert sum(key.startswith("task.") for key in keys) == 2


def test_branch_reads_neither_irr_nor_the_other_modality():
    model = trained(make(encoder=flat))
    x, before = noise(3, 3, 16, 16), model.branch("rgb")(noise(3, 3, 16, 16))
    with torch.no_grad():
        model.branches["rgb"].specific[2].weight[6:] = 0  # z_irr
        model.branches["depth"].specific[2].weight.zero_()
        model.heads.aux.weight.zero_()
    assert torch.equal(model.branch("rgb")(x), before)
    with torch.no_grad():
        model.branches["rgb"].specific[2].weight[:6] = 0  # z_inf
    assert not torch.equal(model.branch("rgb")(x), before)


def test_odd_feature_count():
    with pytest.raises(ConfigError, match="encoder: 7 features cannot be halved"):
        Branch(3, lambda channels: (nn.Linear(channels, 7), 7))


def test_heads_number_the_modalities_by_their_order():
    heads = Heads(["depth", "rgb", "sar"], width=4, classes=2)
    assert list(heads.task) == ["depth", "rgb", "sar"]
    assert heads.adv.out_features == heads.mod_inf.out_features == heads.mod_irr.out_features == 3


def test_names_of_the_package_can_be_modalities_of_a_model():
    """A modality called like a part of the network is still its own branch."""
    model = DisCoM({"task": 3, "adv": 1}, 2, flat)
    assert model.predict("adv", noise(2, 1, 4, 4)).shape == (2, 2)
