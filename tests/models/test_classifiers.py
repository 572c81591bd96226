"""ResNet-18 against torchvision's, spectra against torch's, the branches of DisCoM-KD, and the
networks of the baselines."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from fixtures.refusal import refused
from torch import nn
from torchvision.models.resnet import BasicBlock

from discom.discom_kd import DisCoM
from discom.errors import ConfigError
from discom.models.encoders import (
    FusionNetwork,
    SingleModality,
    _Convolution,
    _Spectra,
    encoder,
    resnet10,
    resnet18,
)

BANDS = {"rgb": 3, "depth": 1, "sar": 2}
RESNET, DEPTH = 11_176_512, 11_176_512 - 2 * 49 * 64  # weights; one band has two less in the stem


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def pair():
    """torchvision's network and ours with its state; statistics that are not the initial ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        official = torchvision.models.resnet18(weights=None)
    official.fc = nn.Identity()
    official.double()(noise(2, 3, 64, 64, seed=1).double())
    encoder, features = resnet18(3)
    assert features == 512
    ours, theirs = encoder.state_dict(), official.state_dict()
    encoder.double().load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    return official, encoder


@pytest.mark.parametrize("training", [False, True])
def test_resnet_is_torchvisions_with_its_gradients(pair, training):
    x, results = noise(2, 3, 64, 64).double(), []
    for module in pair:
        module.train(training).zero_grad()
        z = module(x)
        z.square().sum().backward()
        results.append([z.detach(), *(p.grad for p in module.parameters()), *module.buffers()])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


def test_resnet10_is_its_formula():
    """Channels of 2×2 pixels, four blocks of torchvision, max-pools between them."""
    module, features = resnet10(2, width=4)
    x = noise(3, 2, 32, 32)
    squares = [x[:, :, i::2, j::2] for i in range(2) for j in range(2)]
    maps = torch.stack(squares, 2).flatten(1, 2)  # band by band, as the weights count them
    maps = F.relu(module[2](F.conv2d(maps, module[1].weight, padding=1)))
    for place in (4, 6, 8, 10):
        block = module[place]
        assert (type(block), block.stride) == (BasicBlock, 1)
        maps = block(maps if place == 4 else F.max_pool2d(maps, 2))
    torch.testing.assert_close(module(x), maps.mean((2, 3)), rtol=1e-4, atol=1e-5)
    assert features == 32
    assert module(noise(2, 2, 33, 20)).shape == (2, 32)  # sides may be odd


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [255, 256])
@pytest.mark.parametrize("size", [(2, 2), (1, 2), (3, 4), (5, 4)])
def test_wide_and_tiny_maps_learn_by_the_same_convolution(monkeypatch, stride, channels, size):
    """In values and gradients; a matrix product in training alone, and for 2×2 outputs."""
    conv = _Convolution(channels, 5, 3, stride, 1, bias=False)
    conv, form = conv.double(), torch.channels_last
    x = noise(2, channels, *size).double().to(memory_format=form).requires_grad_()
    products, plain, results = [], F.linear, []
    monkeypatch.setattr(F, "linear", lambda *args: products.append(0) or plain(*args))
    for training in (True, False):
        y = conv.train(training)(x)
        results.append([y, *torch.autograd.grad(y.square().sum(), [x, conv.weight])])
    torch.testing.assert_close(*results)
    assert len(products) == (channels == 256 and max(size) <= 2 * stride)


def test_initial_weights_are_kaiming():
    torch.manual_seed(0)
    kernels = [x for x in resnet18(3, width=16)[0].state_dict().values() if x.ndim == 4]
    assert len(kernels) == 20
    for x in kernels:
        fan_out, tolerance = len(x) * x[0, 0].numel(), 6 / (2 * x.numel()) ** 0.5
        assert x.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=tolerance)


def test_paper_sizes():
    """D = 256; a branch is two ResNet-18 and the projection, twice its student."""
    with torch.device("meta"):
        model = DisCoM({"rgb": 3, "depth": 1}, classes=10)
        student, twice = SingleModality(3, 10), SingleModality(3, 10, encoders=2)
        fusion = FusionNetwork({"rgb": 3, "depth": 1}, classes=10)
    project, task = 512 * 256 + 256 + 2 * 256, 512 * 10 + 10
    assert model.branches["rgb"].width == 256
    assert count(model.deployed_module("rgb")) == 2 * RESNET + project + task
    assert count(model.branches["depth"]) == 2 * DEPTH + project
    assert count(model.heads) == 2 * task + 3 * (256 * 2 + 2) + 256 * 10 + 10
    assert (count(student), count(twice)) == (RESNET + task, 2 * RESNET + 2 * 512 * 10 + 10)
    assert count(fusion) == RESNET + DEPTH + task


def test_spectra_are_torchs():
    x = noise(5, 2, 125)
    found = _Spectra()(x).view(5, 2, 2, 17)  # mean and deviation
    window = torch.hann_window(32)
    stft = torch.stft(x.view(10, 125), 32, 16, window=window, center=False, return_complex=True) / 8
    logs = (stft.abs() + 0.02).log()
    logs[:, 0] = stft[:, 0].real
    expected = torch.stack([logs.mean(2), logs.std(2, correction=0)], 1)  # [10, 2, 17]
    torch.testing.assert_close(found, expected.view(5, 2, 2, 17), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["spectrum", "conv1d"])
@pytest.mark.parametrize("length", [32, 125])
def test_encoders_tell_fast_from_slow(name, length):
    """A linear layer on trained features separates two frequencies of unknown phase and offset."""
    torch.manual_seed(0)
    labels, phase, offset = torch.arange(64) % 2, 6.3 * torch.rand(64, 1), torch.randn(64, 1)
    frequency = torch.where(labels == 1, 0.7, 1.4)[:, None]
    waves = torch.sin(frequency * torch.arange(length) + phase) + offset
    x = waves[:, None, None].repeat(1, 2, 1, 1)
    body, features = encoder(name, width=16)(2)
    model = nn.Sequential(body, nn.Linear(features, 2))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(x[:32]), labels[:32]).backward()
        optimizer.step()
    assert (model.eval()(x[32:]).argmax(1) == labels[32:]).float().mean() > 0.9


BAD = [
    lambda: encoder("resnet11"),
    lambda: encoder("timm:hf-hub:a/b"),
    lambda: encoder("timm:resnet11")(3),
]


@pytest.mark.parametrize("call", BAD)
def test_encoders_that_do_not_fit(call):
    refused(call, "^encoder: ", ConfigError)


@pytest.mark.parametrize("name", ["spectrum", "conv1d"])
def test_encoders_of_signals_take_no_images(name):
    with pytest.raises(RuntimeError, match="96"):
        encoder(name)(3)[0](noise(2, 3, 32, 32))


@pytest.mark.parametrize("training", [False, True])
def test_a_teachers_logits_are_those_of_the_sum_of_its_features(training):
    model = FusionNetwork(BANDS, 5, encoder("resnet18", width=8)).train(training)
    x = noise(6, 6, 16, 12, seed=5)
    logits, parts = model(x), x.split(model.bands, dim=1)
    features = [model.encoders[m](part) for m, part in zip(BANDS, parts, strict=True)]
    expected = sum(own @ model.task.weight.T for own in features) + model.task.bias
    torch.testing.assert_close(expected, logits, rtol=1e-5, atol=1e-5)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_a_spectrum_in_half_precision_is_that_of_float32():
    network, x = encoder("spectrum")(3)[0][:3], noise(8, 3, 1, 128)
    plain = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network(x), plain)
