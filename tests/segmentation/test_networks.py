"""Encoder–decoders: sizes, symmetry of the grid, what a decoder may be fed, and the library's
networks as they are."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from discom.errors import ConfigError
from discom.models import EncoderDecoder, network

slow = pytest.mark.slow  # importing segmentation-models-pytorch takes some seconds
LIBRARY = ["unet:resnet18", "deeplabv3plus:resnet18"]
NAMES = ["small", *(pytest.param(name, marks=slow) for name in LIBRARY)]


def images(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def made(channels=3, classes=4, name="small", **settings):
    torch.manual_seed(0)
    return network(channels, classes, name, **settings)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(("channels", "width", "classes"), [(3, 16, 4), (1, 8, 2), (13, 32, 19)])
def test_shapes_of_the_small_one(channels, width, classes):
    model = made(channels, classes, width=width)
    assert (model.stride, model.widths, model.features) == (8, (width, 2 * width, 4 * width), width)
    maps = model.encode(images(2, channels, 32, 48))
    assert [tuple(one.shape) for one in maps] == [
        (2, width, 16, 24),
        (2, 2 * width, 8, 12),
        (2, 4 * width, 4, 6),
    ]
    features, logits = model.decode(maps, (32, 48))
    assert features.shape == (2, width, 16, 24)
    assert logits.shape == (2, classes, 32, 48)


@pytest.mark.parametrize(("c", "k", "w"), [(3, 4, 16), (1, 4, 16), (13, 19, 32), (5, 2, 2)])
def test_parameters_of_the_small_one(c, k, w):
    """Convolutions from n to m channels have 9·n·m weights, or n·m of 1×1; BatchNorm 2 a channel;
    no other biases."""
    encoder = (
        36 * c * w + 9 * w**2 + (18 + 36) * w**2 + (72 + 144) * w**2 + 2 * 2 * (w + 2 * w + 4 * w)
    )
    decoder = 8 * w**2 + 72 * w**2 + 2 * w**2 + 18 * w**2 + 2 * (2 * w + 2 * w + w + w) + w * k + k
    model = made(c, k, width=w)
    assert sum(one.numel() for one in model.encoder.parameters()) == encoder
    assert sum(one.numel() for one in model.parameters()) == encoder + decoder


@pytest.mark.parametrize("name", NAMES)
def test_what_a_network_says_of_itself(name):
    model = made(name=name)
    maps = model.encode(images(2, 3, 64, 96))
    assert tuple(one.shape[1] for one in maps) == model.widths
    assert not any(width % 2 for width in model.widths)  # so that a map has halves
    assert tuple(maps[-1].shape[-2:]) == (64 // model.stride, 96 // model.stride)
    assert [one.shape[-1] for one in maps] == sorted((one.shape[-1] for one in maps), reverse=True)
    assert model.decode(maps, (64, 96))[0].shape[1] == model.features


# ---------------------------------------------------------------- the last map


@pytest.mark.parametrize("name", NAMES)
def test_the_last_map_alone_is_signed_and_standardised(name):
    *others, last = made(name=name).encode(images(8, 3, 64, 64))
    torch.testing.assert_close(
        last.mean((0, 2, 3)), torch.zeros(last.shape[1]), atol=1e-3, rtol=0
    )  # BatchNorm's
    assert 0.2 < (last < 0).float().mean() < 0.8
    if name == "small":
        assert min(one.min() for one in others) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_sees_the_positive_part_of_the_last_map(name):
    model = made(name=name).eval()
    *others, last = model.encode(images(2, 3, 64, 64))
    logits, same, other = (
        model.decode([*others, one], (64, 64))[1] for one in (last, last.relu(), last.abs())
    )
    assert torch.equal(logits, same)
    assert not torch.equal(logits, other)


def test_a_map_is_not_changed_by_its_decoder():
    model = made()
    maps = model.encode(images(2, 3, 16, 16))
    before = [one.clone() for one in maps]
    model.decode(maps, (16, 16))
    assert all(torch.equal(one, other) for one, other in zip(maps, before, strict=True))


# ---------------------------------------------------------------- symmetry of the grid

MOTIONS = {
    "flip to the side": lambda x: x.flip(-1),
    "flip upside down": lambda x: x.flip(-2),
    "quarter turn": lambda x: x.rot90(1, (-2, -1)),
    "transposition": lambda x: x.transpose(-2, -1),
}


def symmetric(kernel):
    """The mean of a kernel over the eight flips and turns of the square."""
    turned = [kernel.rot90(turns, (-2, -1)) for turns in range(4)]
    return torch.stack([*turned, *(one.flip(-1) for one in turned)]).mean(0)


@torch.no_grad()
def symmetrised(encoder):
    """Every kernel made symmetric. Where 2×2 pixels are channels, a 3×3 kernel is one of 6×6 over
    the image's pixels, with a stride of 2: `pixel_shuffle` of the weights shows it."""
    encoder = copy.deepcopy(encoder).double()
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.copy_(symmetric(module.weight))
    for before, after in zip(encoder.fine, encoder.fine[1:], strict=False):
        if isinstance(before, nn.PixelUnshuffle):
            original = made(3).encoder.fine[1].weight.double()
            after.weight.copy_(F.pixel_unshuffle(symmetric(F.pixel_shuffle(original, 2)), 2))
    return encoder


def moves_with_the_image(encoder, motion):
    x = images(2, 3, 32, 32, dtype=torch.float64)
    for found, expected in zip(encoder(motion(x)), encoder(x), strict=True):
        torch.testing.assert_close(found, motion(expected))


@pytest.mark.parametrize("motion", MOTIONS)
def test_maps_move_with_the_image(motion):
    moves_with_the_image(symmetrised(made(3).encoder), MOTIONS[motion])


def strided_entry(encoder):
    encoder.fine[0], encoder.fine[1] = nn.Identity(), nn.Conv2d(3, 16, 3, 2, 1, bias=False)


def strided_middle(encoder):
    encoder.middle[0], encoder.middle[1] = nn.Identity(), nn.Conv2d(16, 32, 3, 2, 1, bias=False)


def pooled_as_in_resnet(encoder):
    encoder.coarse[0] = nn.MaxPool2d(3, 2, 1)


@pytest.mark.parametrize("mistake", [strided_entry, strided_middle, pooled_as_in_resnet])
@pytest.mark.parametrize("motion", ["flip to the side", "flip upside down", "quarter turn"])
def test_maps_of_a_copy_that_shifts_cells_do_not(mistake, motion):
    wrong = made(3).encoder
    mistake(wrong)
    with pytest.raises(AssertionError, match="not close"):
        moves_with_the_image(symmetrised(wrong), MOTIONS[motion])


def test_nor_do_they_without_symmetric_kernels():
    with pytest.raises(AssertionError, match="not close"):
        moves_with_the_image(made(3).encoder.double(), MOTIONS["quarter turn"])


def test_a_map_of_one_cell_comes_from_its_own_pixels():
    """A change of one pixel reaches no map at 1/2 beyond the two convolutions, the same way to
    either side."""
    encoder = made(3).encoder.eval()
    x = images(1, 3, 32, 32)
    for pixel, cells in {16: range(6, 11), 17: range(6, 11), 15: range(5, 10)}.items():
        changed = x.clone()
        changed[..., pixel, pixel] += 10
        reached = (encoder(changed)[0] - encoder(x)[0]).abs().amax((0, 1, 2)) > 0
        assert reached.nonzero().flatten().tolist() == list(cells)


# ---------------------------------------------------------------- sides that the stride does not
# divide


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(50, 37), (33, 64), (64, 33), (63, 65)])
def test_odd_sizes_are_padded_by_repetition_and_cropped(name, size):
    model = made(name=name).eval()
    x = images(2, 3, *size)
    rows, columns = (
        torch.arange(-(-side // model.stride) * model.stride).clamp(max=side - 1) for side in size
    )
    padded = x[:, :, rows][:, :, :, columns]  # each row and column beyond the last is the last
    for found, expected in zip(model.encode(x), model.encode(padded), strict=True):
        torch.testing.assert_close(found, expected)
    assert model(x).shape == (2, 4, *size)
    torch.testing.assert_close(model(x), model(padded)[..., : size[0], : size[1]])


def test_whole_sizes_are_left_alone():
    model, x = made(), images(2, 3, 16, 24)
    seen = []
    model.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model(x)
    assert seen[0] is x


@pytest.mark.parametrize("name", NAMES)
def test_images_of_less_than_a_cell_are_refused(name):
    model = made(name=name).eval()
    assert model(images(1, 3, model.stride, model.stride)).shape == (
        1,
        4,
        model.stride,
        model.stride,
    )
    for size in ((model.stride - 1, 64), (64, model.stride - 1)):
        with pytest.raises(
            ConfigError, match=f"images: {size[0]}×{size[1]} pixels .* stride of {model.stride}"
        ) as error:
            model(images(1, 3, *size))
        assert "\n" not in str(error.value)


# ---------------------------------------------------------------- a decoder of its own


@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_reads_halves_of_two_networks(name):
    rgb, depth, auxiliary = made(3, name=name), made(1, name=name), made(3, name=name).decoder
    a, b = rgb.encode(images(2, 3, 50, 64)), depth.encode(images(2, 1, 50, 64))
    halves = [
        torch.cat([one.chunk(2, 1)[0], other.chunk(2, 1)[1]], 1)
        for one, other in zip(a, b, strict=True)
    ]
    features, logits = auxiliary(halves, (50, 64))
    assert logits.shape == (2, 4, 50, 64)
    assert features.shape[1] == rgb.features
    logits.square().mean().backward()
    reached = [
        any(p.grad is not None and p.grad.abs().max() > 0 for p in m.parameters())
        for m in (rgb, depth)
    ]
    assert reached == [True, True]
    assert all(
        parameter.grad is None for model in (rgb, depth) for parameter in model.decoder.parameters()
    )


def test_every_parameter_gets_a_gradient():
    model = made()
    model(images(4, 3, 32, 32)).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


def test_bf16_and_channels_last_change_rounding_alone():
    model, x = made().eval(), images(4, 3, 40, 48)
    expected = model(x)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        last(x.to(memory_format=torch.channels_last)), expected, rtol=1e-3, atol=1e-4
    )
    with torch.autocast("cpu", torch.bfloat16):
        found = last(x)
    assert (found.float() - expected).std() < 0.05 * expected.std()


# ---------------------------------------------------------------- kept and copied


@pytest.mark.parametrize("name", NAMES)
def test_copies_by_deepcopy_pickle_and_weights_say_the_same(name):
    model, x = made(name=name), images(2, 3, 64, 64)
    model(x)  # BatchNorm's statistics are part of it
    fresh = network(3, 4, name)
    fresh.load_state_dict(model.state_dict())
    expected = model.eval()(x)
    for one in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), fresh.eval()):
        assert torch.equal(one(x), expected)
        assert (one.stride, one.widths, one.features) == (
            model.stride,
            model.widths,
            model.features,
        )


def test_a_seed_draws_the_weights():
    one, same, other = made(), made(), network(3, 4)
    keys = one.state_dict()
    assert all(torch.equal(value, same.state_dict()[key]) for key, value in keys.items())
    assert any(not torch.equal(value, other.state_dict()[key]) for key, value in keys.items())


# ---------------------------------------------------------------- segmentation-models-pytorch


@slow
@pytest.mark.parametrize("bands", [1, 3, 5])
@pytest.mark.parametrize("name", LIBRARY)
def test_the_librarys_networks_take_any_number_of_bands(name, bands):
    model = made(bands, name=name)
    assert model.stride == (32 if name.startswith("unet") else 16)
    assert model.widths == (64, 64, 128, 256, 512)
    logits = model(images(2, bands, 64, 64))
    assert logits.shape == (2, 4, 64, 64)
    logits.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert next(model.parameters()).grad.abs().max() > 0


@slow
@pytest.mark.parametrize("encoder", ["resnet18", "mit_b0"])  # mit_b0 has no map at 1/2
@pytest.mark.parametrize("architecture", ["deeplabv3", "deeplabv3plus", "fpn", "manet", "pspnet", "segformer", "unet",
                                          "upernet"])  # fmt: skip
def test_without_the_signed_layer_it_is_the_librarys_own_network(architecture, encoder):
    import segmentation_models_pytorch as library

    torch.manual_seed(0)
    theirs = library.create_model(
        architecture, encoder, encoder_weights=None, in_channels=3, classes=4
    )
    ours = made(name=f"{architecture}:{encoder}")
    for part, other in ((ours.encoder.encoder, theirs.encoder), (ours.decoder.body.decoder, theirs.decoder),
                        (ours.decoder.head, theirs.segmentation_head)):  # fmt: skip
        part.load_state_dict(other.state_dict())
    ours.encoder.signed = nn.Identity()
    if encoder == "mit_b0":  # its maps are signed themselves
        ours.decoder.body.decoder.register_forward_pre_hook(
            lambda _, given: ([*given[0][:-1], kept[-1]],)
        )
    x = images(2, 3, 64, 96)
    ours, theirs = ours.eval(), theirs.eval()
    kept = ours.encode(x)
    assert torch.equal(ours(x), theirs(x))


@slow
@pytest.mark.parametrize("name", ["linknet:resnet18", "unetplusplus:resnet18", "unet:tu-convnext_atto",
                                  "unet:efficientnet-b0"])  # fmt: skip
def test_others_of_the_library(name):
    assert made(name=name).eval()(images(1, 3, 40, 50)).shape == (1, 4, 40, 50)


@slow
def test_no_encoder_of_the_library_has_an_odd_map():
    import segmentation_models_pytorch as library

    kept = library.encoders.encoders.values()
    assert not [width for one in kept for width in one["params"]["out_channels"][1:] if width % 2]


@slow
def test_the_library_is_imported_only_when_asked_for():
    code = (
        "import sys; from discom.models import network; network(3, 4)\n"
        "print([name for name in ('segmentation_models_pytorch', 'timm') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_its_absence_is_said_in_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(
        ConfigError, match=r"segmentation_models_pytorch.*pip install 'discom\[dense\]'"
    ) as error:
        network(3, 4, "unet:resnet34")
    assert "\n" not in str(error.value)
    assert isinstance(network(3, 4), EncoderDecoder)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "name", ["large", "", "unet", "unet:", ":resnet34", "unet:tu-hf-hub:someone/model"]
)
def test_unknown_forms_of_names(name):
    with pytest.raises(
        ConfigError, match=r"network: '.*' is unknown; choose small or .* unet:resnet34$"
    ):
        network(3, 4, name)


@slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unit:resnet34", "architecture 'unit' is unknown; choose small or unet, .*deeplabv3plus"),
        ("dpt:tu-vit_base_patch16_224", "architecture 'dpt' is unknown"),
        ("unet:resnet33", "encoder 'resnet33' is unknown; choose resnet"),
        (
            "unet:zzz",
            "encoder 'zzz' is unknown; choose resnet18 or another of segmentation_models_pytorch.encoders",
        ),
        (
            "unet:tu-nothing",
            "unet cannot be made with encoder 'tu-nothing': .*resnet18 goes with all",
        ),
        ("linknet:mit_b0", "linknet cannot be made with encoder 'mit_b0': .*not supported"),
        ("deeplabv3plus:vgg11", "deeplabv3plus cannot be made with encoder 'vgg11'"),
    ],
)
def test_unknown_names_of_the_library(name, message):
    with pytest.raises(ConfigError, match=message) as error:
        network(3, 4, name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("width", [0, 1, 7, -16])
def test_a_width_without_halves(width):
    with pytest.raises(ConfigError, match=f"width: {width} has no halves"):
        network(3, 4, width=width)
