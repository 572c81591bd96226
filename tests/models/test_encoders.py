"""ResNet-18 against torchvision's, its size in closed form, and other encoders in its place."""

import pytest
import torch
import torchvision
from torch import nn

from discom.errors import ConfigError
from discom.models import DisCoM, SingleModality, resnet18


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


def closed_form(channels, width, kernel):
    """Weights of ResNet-18 without its classifier; a convolution has no bias, a BatchNorm two
    numbers per map."""

    def stage(i, o):  # four 3×3 convolutions, and a 1×1 shortcut where the width changes
        return 9 * i * o + 3 * 9 * o * o + 4 * 2 * o + (i * o + 2 * o if i != o else 0)

    w = width
    stem = kernel**2 * channels * w + 2 * w
    return stem + stage(w, w) + stage(w, 2 * w) + stage(2 * w, 4 * w) + stage(4 * w, 8 * w)


@pytest.fixture(scope="module")
def pair():
    """torchvision's network and ours with its state, copied in order; statistics that are not the
    initial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        official = torchvision.models.resnet18(weights=None)
    official.fc = nn.Identity()
    norms = [module for module in official.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # one forward and the statistics are the batch's
    official(noise(2, 3, 64, 64, seed=1))
    for norm in norms:
        norm.momentum = 0.1
    encoder, features = resnet18(3)
    assert features == 512
    theirs, ours = official.state_dict(), encoder.state_dict()
    assert [v.shape for v in ours.values()] == [v.shape for v in theirs.values()]
    encoder.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    return official, encoder


@pytest.mark.parametrize("size", [64, 37])
def test_equals_torchvision_in_eval_mode(pair, size):
    official, encoder = (module.eval() for module in pair)
    x = noise(2, 3, size, size)
    with torch.no_grad():
        assert torch.equal(encoder(x), official(x))
        assert not torch.equal(encoder(x), encoder(x.flip(1)))


def test_equals_torchvision_in_training_mode_with_gradients(pair):
    official, encoder = (module.train() for module in pair)
    x = noise(2, 3, 64, 64)
    found = []
    for module in (official, encoder):
        module.zero_grad()
        z = module(x)
        z.square().sum().backward()
        found.append([z.detach(), *(p.grad for p in module.parameters()), *module.buffers()])
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


@pytest.mark.parametrize("channels", [1, 3, 13])
@pytest.mark.parametrize(("stem", "kernel"), [("imagenet", 7), ("small", 3)])
@pytest.mark.parametrize("width", [16, 64])
def test_number_of_parameters(channels, stem, kernel, width):
    with torch.device("meta"):
        encoder, features = resnet18(channels, width, stem)
    assert features == 8 * width
    assert count(encoder) == closed_form(channels, width, kernel)
    assert encoder[0].weight.shape == (width, channels, kernel, kernel)


def test_paper_size_is_torchvisions():
    with torch.device("meta"):
        assert count(resnet18(3)[0]) == closed_form(3, 64, 7) == 11_689_512 - (512 * 1000 + 1000)


@pytest.mark.parametrize(
    ("stem", "height", "width"),
    [
        ("imagenet", 64, 64),
        ("imagenet", 33, 47),
        ("imagenet", 1, 1),
        ("small", 32, 32),
        ("small", 7, 20),
    ],
)
def test_shapes(stem, height, width):
    encoder, features = resnet18(2, width=8, stem=stem)
    z = encoder.eval()(noise(3, 2, height, width))
    assert z.shape == (3, features) == (3, 64)
    assert z.isfinite().all()
    assert (z >= 0).all()  # a mean over what a ReLU let through


@pytest.mark.parametrize(("stem", "first"), [("imagenet", 16), ("small", 32)])
def test_stems_keep_what_they_promise(stem, first):
    encoder, _ = resnet18(1, width=8, stem=stem)
    x = encoder[0](noise(1, 1, 32, 32))
    assert x.shape == (1, 8, first, first)
    assert encoder[:4](noise(1, 1, 32, 32)).shape == (1, 8, first // 2, first // 2)


def test_initial_weights_come_from_the_seed():
    def draw(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return resnet18(3, width=8)[0][0].weight

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_initial_convolutions_are_kaiming_fan_out():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder, _ = resnet18(3, width=16)
    convolutions = [m for m in encoder.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 20
    for m in convolutions:
        fan_out = m.out_channels * m.kernel_size[0] ** 2
        tolerance = 6 / (2 * m.weight.numel()) ** 0.5  # six standard errors of a standard deviation
        assert m.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=tolerance)


def test_unknown_stem():
    with pytest.raises(ConfigError, match="stem: 'huge' is unknown; choose imagenet or small"):
        resnet18(3, stem="huge")


def linear_encoder(channels):
    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 10)), 10


def test_any_function_of_that_form_is_an_encoder():
    model = DisCoM({"rgb": 3, "depth": 1}, classes=4, encoder=linear_encoder)
    z = model.embed("rgb", noise(5, 3, 9, 6))
    assert [part.shape for part in z] == [(5, 5)] * 3
    assert model.predict("depth", noise(2, 1, 4, 4)).shape == (2, 4)
    assert isinstance(model.branches["rgb"].specific[2], nn.Linear)
    assert SingleModality(3, 4, linear_encoder, encoders=2)(noise(2, 3, 4, 4)).shape == (2, 4)
