"""The picture of notebooks 06 and 13, from arrays."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from fixtures.refusal import refused
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from discom.evaluation import embeddings
from discom.evaluation.embeddings import Pairs
from discom.plots.maps import CLASSES
from pictures.parts import plot_panels, plot_parts

SAMPLES, CLASS_NAMES = 12, ["disk", "square", "triangle"]


def pairs_of(labels, add=0.0):
    """The first unit of an embedding is the number of its sample, the second that of its sensor."""
    samples = np.arange(len(labels))
    views = {
        name: np.stack([samples + add, np.full(len(labels), k)], 1)
        for k, name in enumerate(("colour", "depth"))
    }
    return Pairs.of({"inv": views, "irr": views}, labels)


def reads_of(share):
    rows = {part: {"sensor": share, "class, colour": 7.0, "class, depth": 8.0} for part in PARTS}
    return pd.DataFrame(rows).T


PARTS = ("inv", "irr")


@pytest.fixture
def flat(monkeypatch):
    """Instead of UMAP, which takes half a minute to be compiled: the embedding itself."""
    monkeypatch.setattr(embeddings, "project", lambda z, neighbors, seed: np.asarray(z))


def test_dots_are_the_samples_in_the_colours_of_their_classes(flat):
    labels = np.arange(SAMPLES) % 3
    embedded = {"before": pairs_of(labels), "after": pairs_of(labels, 100.0)}
    reads = {"before": reads_of(31.0), "after": reads_of(62.0)}
    figure = plot_parts(embedded, reads, CLASS_NAMES, "a finding", shown=9)
    assert figure.get_suptitle() == "a finding"
    axes = figure.axes
    assert len(axes) == 4  # two networks, two parts
    assert [axis.get_ylabel() for axis in axes[::2]] == ["before", "after"]
    for axis, add, share in zip(axes, (0, 0, 100, 100), (31, 31, 62, 62), strict=True):
        samples = []
        for number, dots in enumerate(axis.collections[-2:]):
            x, y = np.asarray(dots.get_offsets()).T
            assert {*y} == {number}  # the sensor that the marker stands for
            sample = (x - add).astype(int)
            colours = [to_hex(colour) for colour in dots.get_facecolors()]
            assert colours == [CLASSES[label] for label in labels[sample]]
            samples.append(sample.tolist())
        assert samples[0] == samples[1]
        assert len({*samples[0]}) == 9
        (corner,) = axis.texts
        assert f"{share}" in corner.get_text()


def test_guessing_is_that_of_all_samples_not_of_those_drawn(flat):
    labels = np.array([0] * 7 + [1, 1, 1, 2, 2])  # 58 %; of the two drawn it is 50 or 100 %
    figure = plot_parts({"one": pairs_of(labels)}, {"one": reads_of(50.0)}, CLASS_NAMES, shown=2)
    note = figure.legends[0].get_title().get_text()
    assert "2 samples" in note
    assert "58 %" in note


def test_networks_of_other_samples_are_refused(flat):
    labels = np.arange(SAMPLES) % 3
    embedded = {"before": pairs_of(labels), "after": pairs_of(labels[::-1])}
    reads = dict.fromkeys(embedded, reads_of(50.0))
    refused(partial(plot_parts, embedded, reads, CLASS_NAMES), "'after'")
    embedded["after"] = pairs_of(labels[:9])
    refused(partial(plot_parts, embedded, reads, CLASS_NAMES), "'after'")


def test_panels_show_maps_that_are_given_with_what_was_read_there():
    labels = np.arange(SAMPLES) % 3
    places = np.random.default_rng(0).random((2, SAMPLES, 2))
    maps = {name: places + k for k, name in enumerate(("inv", "inf", "irr", "erased"))}
    reads = pd.DataFrame({"sensor": [100, 91, 82, 50], "class": [70, 71, 12, 69]}, [*maps])
    figure = plot_panels(maps, labels, ["colour", "depth"], CLASS_NAMES, reads, "a finding")
    assert figure.get_suptitle() == "a finding"
    axes = figure.axes[:4]
    assert [axis.get_title() for axis in axes] == [*maps]
    for axis, name in zip(axes, maps, strict=True):
        (joined,) = [each for each in axis.collections if isinstance(each, LineCollection)]
        assert len(joined.get_segments()) == 10
        for dots, own in zip(axis.collections[-2:], maps[name], strict=True):
            assert np.allclose(dots.get_offsets(), own)
        (corner,) = axis.texts
        assert str(reads.loc[name, "sensor"]) in corner.get_text()
        assert corner.get_text().endswith(f"class {reads.loc[name, 'class']} %")
    assert not any(axis.axison for axis in figure.axes[4:])  # nothing stands there
