"""A convolution on a map of a few pixels is a matrix product."""

import pytest
import torch
from torch import nn

from discom.models import MatrixConv, as_products, resnet18
from discom.models.small_maps import PIXELS


def convolution(stride=1, bias=False, seed=0):
    torch.manual_seed(seed)
    return nn.Conv2d(3, 5, 3, stride, 1, bias=bias).double()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "size", [(1, 1), (2, 2), (1, 4), (4, 1), (3, 3), (4, 4), (3, 2), (5, 7)], ids=str
)
def test_values_and_gradients_are_those_of_the_convolution(size, stride, bias):
    plain = convolution(stride, bias)
    ours = as_products(convolution(stride, bias))
    assert type(ours) is MatrixConv
    results = []
    for module in (plain, ours):
        x = torch.randn(
            2,
            3,
            *size,
            generator=torch.Generator().manual_seed(1),
            dtype=torch.double,
            requires_grad=True,
        )
        y = module(x)
        (y * torch.arange(y.numel()).view(y.shape)).sum().backward()
        results.append([y, x.grad, *(p.grad for p in module.parameters())])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("size", "product"), [(2, True), (3, False)])
def test_the_product_is_taken_on_small_maps_alone(size, product, monkeypatch):
    called = []
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: called.append(x.shape))
    as_products(convolution())(torch.zeros(1, 3, size, size, dtype=torch.double))
    assert bool(called) != product == (size * size <= PIXELS)


@pytest.mark.parametrize(
    "other",
    [{"kernel_size": 1}, {"kernel_size": 3}, {"kernel_size": 3, "padding": 1, "groups": 2},
     {"kernel_size": 3, "padding": 1, "dilation": 2}, {"kernel_size": 3, "padding": 1, "stride": 3},
     {"kernel_size": 3, "padding": 1, "padding_mode": "circular"}],
    ids=str,
)  # fmt: skip
def test_other_convolutions_are_left_alone(other):
    assert type(as_products(nn.Sequential(nn.Conv2d(2, 4, **other)))[0]) is nn.Conv2d


def test_an_encoder_keeps_its_names_and_its_numbers():
    torch.manual_seed(0)
    encoder, _ = resnet18(3, width=8, stem="small")
    encoder.double().eval()
    x = torch.rand(2, 3, 32, 32, dtype=torch.double)
    names, expected = list(encoder.state_dict()), encoder(x)
    assert list(as_products(encoder).state_dict()) == names
    torch.testing.assert_close(encoder(x), expected, rtol=1e-10, atol=1e-12)
