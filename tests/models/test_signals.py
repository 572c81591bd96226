"""Encoders and views of signals: against torch's spectrogram, and properties of what they draw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.refusal import refused
from torch import nn

from discom.data import Batches, Modality, MultiModalData
from discom.data.augmentation import STRONG, _rotations, distort, draw_transforms, signal_view
from discom.data.checks import is_signal
from discom.errors import ConfigError, DataError
from discom.models.encoders import check_encoder, encoder
from discom.models.signals import _Spectra


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def generator(seed=3):
    return torch.Generator().manual_seed(seed)


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
@pytest.mark.parametrize("length", [32, 100, 125, 300])
def test_encoders_tell_fast_from_slow(name, length):
    """A linear layer on trained features separates two frequencies of unknown phase and offset."""
    torch.manual_seed(0)
    phase, offset = 6.3 * torch.rand(64, 1, 1), torch.randn(64, 1, 1)
    labels = torch.arange(64) % 2
    frequency = torch.where(labels == 1, 0.7, 1.4)[:, None, None]
    x = (torch.sin(frequency * torch.arange(length) + phase) + offset)[:, :, None].repeat(
        1, 2, 1, 1
    )
    body, features = encoder(name, width=16)(2)
    network = nn.Sequential(body, nn.Linear(features, 2))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[:32]), labels[:32]).backward()
        optimizer.step()
    assert body(x).shape == (64, features)
    assert (network.eval()(x[32:]).argmax(1) == labels[32:]).float().mean() > 0.9


def test_an_encoder_refuses_what_it_cannot_read():
    for shape in ((3, 1, 20), (3, 32, 32)):  # less than a window; an image
        refused(lambda s=shape: check_encoder("spectrum", {"acc": s}), "^encoder: ", ConfigError)
    check_encoder("conv1d", {"acc": (3, 1, 100), "gyro": (6, 1, 125)})


def test_a_view_draws_speeds_sizes_offsets_and_noise_as_stated():
    time, count = torch.arange(400.0), 500
    x = torch.sin(2 * torch.pi * 60 * time / 400).repeat(count, 1, 1, 1)
    seen = signal_view(x, STRONG, generator=generator())[:, 0, 0]
    peak = torch.fft.rfft(seen - seen.mean(1, keepdim=True)).abs().argmax(1)
    assert peak.min() >= 44
    assert peak.max() <= 60
    assert peak.float().std() > 3  # uniform from 45 to 60: 4.3
    offset = seen.mean(1) / x.std()
    assert abs(offset.std() - 0.25) < 0.03
    assert abs(offset.mean()) < 0.05
    assert abs((seen.std(1) / x.std()).log().std() - 0.3) < 0.03
    levels = noise(count, 1, 1, 1).expand_as(x)  # of what never changes, noise alone is left
    still = signal_view(levels, STRONG, generator=generator())[:, 0, 0].std(1) / levels.std()
    assert abs(still.mean() - 0.1) < 0.01
    assert still.max() < 0.22


def test_a_view_turns_axes_in_space():
    turns = _rotations(noise(200, 3), torch.linspace(0, 40, 200))[:, 0]
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3).expand(200, 3, 3), atol=1e-5, rtol=0)
    traces = turns.diagonal(dim1=1, dim2=2).sum(1)  # 1 + 2 cos of the angle
    expected = 1 + 2 * torch.linspace(0, 40, 200).deg2rad().cos()
    torch.testing.assert_close(traces, expected, atol=1e-4, rtol=0)


def test_a_distorted_signal_is_a_strong_view():
    x = noise(4, 3, 1, 50)
    assert is_signal(x.shape)
    torch.manual_seed(3)
    seen = distort(x, "rotate")
    torch.manual_seed(3)
    torch.testing.assert_close(seen, signal_view(x, STRONG, "rotate"))


def worn(symmetry="none", channels=3, groups=5):
    """Signals of persons; a class of which each has 12."""
    x = noise(60, channels, 1, 64).numpy()
    labels, ids = np.arange(60) % 3, np.arange(60)
    modality = Modality(x, labels, ids, symmetry=symmetry)
    own = np.array([f"p{k // 12}" for k in range(60)]) if groups else None
    return MultiModalData({"acc": modality}, ("sit", "walk", "run"), groups=own)


def test_batches_show_signals_in_weak_views():
    for chance in (0.0, 1.0):
        batches = Batches(worn("rotate"), 60, seed=0, augment=chance)
        first, again = (next(iter(batches.epoch(0))).x["acc"] for _ in range(2))
        assert torch.equal(first, again)
        plain = next(iter(Batches(worn(), 60, seed=0, augment=0.0).epoch(0))).x["acc"]
        assert torch.equal(first, plain) == (chance == 0)


def test_axes_that_are_not_three_are_not_turned():
    refused(lambda: worn("rotate", channels=4), "^data/acc: symmetry 'rotate'", DataError)


def test_labels_come_from_as_many_groups_as_asked():
    data, seen = worn(), set()
    for seed in range(5):
        kept = data.keep_labels(0.1, seed, groups=1)
        people = {*data.groups[kept.labels >= 0].tolist()}
        assert np.bincount(kept.labels[kept.labels >= 0]).tolist() == [2, 2, 2]
        assert len(people) == 1
        seen |= people
    assert len(seen) == 5  # each person once
    two = data.keep_labels(1.0, 1, groups=2)
    assert {*data.groups[two.labels >= 0].tolist()} == {"p1", "p3"}  # not neighbours by name
    whole = data.keep_labels(1.0, 0, groups=1)  # all that one person has
    assert (whole.labels >= 0).sum() == 12


def test_more_groups_than_there_are_and_missing_groups_are_refused():
    for data, asked in ((worn(), 6), (worn(groups=0), 1)):
        refused(lambda d=data, k=asked: d.keep_labels(1.0, 0, k), "^labelled_groups: ", ConfigError)


def test_a_class_that_a_person_lacks_is_warned_of():
    data = worn()
    lacking = data.take(np.flatnonzero((data.labels != 2) | (data.groups != "p0")))
    with pytest.warns(UserWarning, match=r"\['p0'\].* run"):
        kept = lacking.keep_labels(1.0, 0, groups=1)
    assert {*kept.labels.tolist()} == {-1, 0, 1}


@pytest.mark.parametrize("symmetry", ["none", "rotate"])
def test_time_never_runs_backwards(symmetry):
    """The flips of images are no views of a signal."""
    x = noise(200, 3, 1, 50)
    assert not draw_transforms(x, 1.0, generator(), symmetry=symmetry).any()
    slope = torch.arange(64.0).expand(60, 3, 1, 64)
    data = worn(symmetry)
    rising = data.with_modalities({"acc": replace(data.modalities["acc"], x=slope.numpy())})
    seen = next(iter(Batches(rising, 60, seed=0, augment=1.0).epoch(0))).x["acc"][:, :, 0]
    assert (seen[..., -8:].mean(2) > seen[..., :8].mean(2)).all()
