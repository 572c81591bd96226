"""The networks of the baselines: what the teacher's logits are made of, and what one modality
cannot change."""

import pytest
import torch
from torch import nn

from discom.models import FusionNetwork, SingleModality, resnet18

BANDS = {"rgb": 3, "depth": 1, "sar": 2}


def small(channels):
    return resnet18(channels, width=8, stem="small")


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


def make(modalities=3, classes=5):
    """A network whose running statistics are not the initial ones, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = FusionNetwork(dict(list(BANDS.items())[:modalities]), classes, small)
    for step in range(2):
        model(noise(4, sum(model.bands), 16, 16, seed=step))
    return model.eval()


@pytest.mark.parametrize("modalities", [1, 2, 3])
@pytest.mark.parametrize("training", [False, True])
def test_logits_are_the_sum_of_the_contributions_and_the_bias(modalities, training):
    model = make(modalities).train(training)
    x = noise(6, sum(model.bands), 16, 12, seed=5)
    logits = model(x)
    shares = {
        m: model.contribution(m, part)
        for m, part in zip(BANDS, x.split(model.bands, dim=1), strict=False)
    }
    assert logits.shape == (6, 5)
    assert {share.shape for share in shares.values()} == {(6, 5)}
    torch.testing.assert_close(sum(shares.values()) + model.task.bias, logits, rtol=1e-5, atol=1e-5)


def test_logits_are_the_linear_layer_on_the_added_features():
    model, x = make(), noise(4, 6, 16, 16, seed=5)
    features = (
        model.encoders["rgb"](x[:, :3])
        + model.encoders["depth"](x[:, 3:4])
        + model.encoders["sar"](x[:, 4:6])
    )
    torch.testing.assert_close(model(x), features @ model.task.weight.T + model.task.bias)


def test_with_one_modality_it_is_the_single_network():
    fusion = make(1)
    single = SingleModality(3, 5, small).eval()
    theirs, ours = single.state_dict(), fusion.state_dict()
    assert [v.shape for v in ours.values()] == [v.shape for v in theirs.values()]
    single.load_state_dict(dict(zip(theirs, ours.values(), strict=True)))
    x = noise(4, 3, 16, 16, seed=5)
    assert torch.equal(fusion(x), single(x))


@pytest.mark.parametrize(
    ("name", "bands"), [("rgb", slice(0, 3)), ("depth", slice(3, 4)), ("sar", slice(4, 6))]
)
def test_another_modality_changes_its_own_contribution_alone(name, bands):
    model, x = make(), noise(4, 6, 16, 16, seed=5)
    other = x.clone()
    other[:, bands] += 1
    change = model.contribution(name, other[:, bands]) - model.contribution(name, x[:, bands])
    assert change.abs().max() > 1e-3
    torch.testing.assert_close(model(other) - model(x), change, rtol=1e-4, atol=1e-4)


def test_every_encoder_learns():
    model = make().train()
    model(noise(4, 6, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_paper_size():
    """One ResNet-18 of 11.2 million weights for each modality, and one linear layer for all."""
    with torch.device("meta"):
        model = FusionNetwork({"rgb": 3, "depth": 1}, classes=10)
    resnet, depth = 11_176_512, 11_176_512 - 2 * 49 * 64  # two bands less in the first convolution
    assert count(model) == resnet + depth + 512 * 10 + 10


@pytest.mark.parametrize("bands", [5, 7])
def test_images_with_other_bands_are_refused(bands):
    with pytest.raises(RuntimeError, match="split"):
        make()(noise(2, bands, 16, 16))


def test_a_modality_that_it_does_not_read():
    with pytest.raises(KeyError, match="thermal"):
        make().contribution("thermal", noise(2, 1, 16, 16))


def test_any_function_of_that_form_is_an_encoder():
    def flat(channels):
        return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 12)), 12

    model = FusionNetwork({"rgb": 3, "depth": 1}, 4, flat)
    assert model.task.weight.shape == (4, 12)
    assert model(noise(2, 4, 9, 6)).shape == (2, 4)


@pytest.mark.parametrize("encoders", [1, 2])
def test_a_single_modality_network_concatenates_its_encoders(encoders):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SingleModality(3, 5, small, encoders).eval()
    x = noise(4, 3, 16, 16)
    features = torch.cat([encoder(x) for encoder in model.encoders], 1)
    assert features.shape == (4, 64 * encoders)
    torch.testing.assert_close(model(x), features @ model.task.weight.T + model.task.bias)
