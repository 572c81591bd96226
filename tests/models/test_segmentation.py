"""Encoder–decoders: sizes, symmetry of the grid, what decoders read, the library's networks."""

import copy

import pytest
import torch
from fixtures.refusal import refused
from torch import nn

from discom.data.augmentation import apply_d4
from discom.errors import ConfigError
from discom.models.segmentation import FusionDecoder, network

slow = pytest.mark.slow  # importing segmentation-models-pytorch takes some seconds
LIBRARY = ["unet:resnet18", "deeplabv3plus:resnet18", "unet:mit_b0"]  # mit_b0 has no map at 1/2
NAMES = ["small", *(pytest.param(name, marks=slow) for name in LIBRARY)]
every_network = pytest.mark.parametrize("name", NAMES)


def images(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def make(channels=3, classes=4, name="small", **settings):
    torch.manual_seed(0)
    return network(channels, classes, name, **settings)


@pytest.mark.parametrize(("c", "k", "w"), [(3, 4, 16), (13, 19, 32), (5, 2, 2)])
def test_parameters_of_the_small_one(c, k, w):
    """A convolution from n to m channels has 9·n·m weights (1×1: n·m); BatchNorm 2 a channel."""
    model = make(c, k, width=w)
    encoder = 36 * c * w + 9 * w**2 + (18 + 36 + 72 + 144) * w**2 + 2 * 2 * (w + 2 * w + 4 * w)
    decoder = (8 + 72 + 2 + 18) * w**2 + 2 * (2 * w + 2 * w + w + w) + w * k + k
    assert sum(p.numel() for p in model.encoder.parameters()) == encoder
    assert sum(p.numel() for p in model.parameters()) == encoder + decoder


@every_network
def test_the_last_map_alone_is_signed_and_a_decoder_reads_its_positive_part(name):
    model = make(name=name)
    *others, last = model.encode(images(8, 3, 64, 96))
    assert tuple(one.shape[1] for one in (*others, last)) == model.widths
    assert not any(width % 2 for width in model.widths)  # so that a map has halves
    assert last.shape[2:] == (64 // model.stride, 96 // model.stride)
    means = last.mean((0, 2, 3))  # BatchNorm's
    torch.testing.assert_close(means, torch.zeros_like(means), atol=1e-3, rtol=0)
    assert 0.2 < (last < 0).float().mean() < 0.8
    model.eval()
    answers = [model.decoder([*others, x], (64, 96))[1] for x in (last, last.relu(), last.abs())]
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


@every_network
@pytest.mark.parametrize("size", [(50, 37), (33, 64)])
def test_odd_sizes_are_padded_by_repetition_and_cropped(name, size):
    model, x = make(name=name).eval(), images(2, 3, *size)
    stride = model.stride
    last = [torch.arange(-(-side // stride) * stride).clamp(max=side - 1) for side in size]
    padded = x[:, :, last[0]][:, :, :, last[1]]  # each row and column beyond the last is the last
    assert model(x).shape == (2, 4, *size)
    torch.testing.assert_close(model(x), model(padded)[..., : size[0], : size[1]])


@torch.no_grad()
def symmetrised(encoder):
    """Every kernel made flat; the first also over the 2×2 pixels that it reads as channels."""
    encoder = copy.deepcopy(encoder).double()
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.copy_(module.weight.mean((2, 3), keepdim=True).expand_as(module.weight))
    first = encoder.fine[1].weight.unflatten(1, (-1, 4))
    first.copy_(first.mean(2, keepdim=True).expand_as(first))
    return encoder


def test_maps_move_with_the_image():
    encoder, x = symmetrised(make().encoder), images(8, 3, 32, 32, dtype=torch.float64)
    views = torch.arange(8)
    for ours, expected in zip(encoder(apply_d4(x, views)), encoder(x), strict=True):
        torch.testing.assert_close(ours, apply_d4(expected, views))


def test_the_teacher_adds_the_maps_of_its_encoders_and_has_one_decoder():
    teacher = FusionDecoder({"rgb": 3, "depth": 1}, lambda bands: make(bands)).eval()
    x = images(2, 4, 16, 24)
    first, second = teacher.networks
    pairs = zip(first.encode(x[:, :3]), second.encode(x[:, 3:]), strict=True)
    maps = [a + b for a, b in pairs]
    features, logits = first.decoder(maps, (16, 24))
    answer = teacher.maps(x)
    for ours, expected in (("logits", logits), ("features", features), ("latent", maps[-1])):
        torch.testing.assert_close(answer[ours], expected)
    assert list(second.decoder.parameters()) == []


@slow
@pytest.mark.parametrize("architecture", ["deeplabv3plus", "unet"])
def test_without_the_signed_layer_it_is_the_librarys_own_network(architecture):
    import segmentation_models_pytorch as library

    options = {"encoder_weights": None, "in_channels": 3, "classes": 4}
    theirs = library.create_model(architecture, "resnet18", **options)
    ours = make(name=f"{architecture}:resnet18")
    ours.encoder.encoder.load_state_dict(theirs.encoder.state_dict())
    ours.decoder.body.decoder.load_state_dict(theirs.decoder.state_dict())
    ours.decoder.head.load_state_dict(theirs.segmentation_head.state_dict())
    ours.encoder.signed = nn.Identity()
    x = images(2, 3, 64, 96)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


@pytest.mark.parametrize("name", ["large", "", "unet:", "dpt:resnet18"])
def test_networks_that_do_not_exist(name):
    refused(lambda: network(3, 4, name), "^network: ", ConfigError)
