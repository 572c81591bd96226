"""Draw the figures that pages show, from the rows in results/."""

import sys
from io import BytesIO
from statistics import mean

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image
from scipy import stats

import real
from claims import worth
from discom import cli, plots
from discom.cli import flags
from discom.plots import panels
from stored import RESULTS, networks

GREY, LIGHT, ORANGE, BLUE, GREEN = "#4d4d4d", "#b0b0b0", "#d55e00", "#0173b2", "#029e73"
PURPLE = "#8c3fb0"
SENSORS = {"rgb": "RGB", "depth": "depth"}
BELOW = {"loc": "outside lower center", "frameon": False}  # a legend of all panels


def interval(count: int) -> tuple[str, float]:
    """What seaborn takes for the 95 % t interval of the mean of `count` values."""
    return "se", float(stats.t.ppf(0.975, count - 1))


def worth_of_pairs() -> Figure:
    """Bars for each sensor: labels alone, with its own images, with pairs, and twice the labels
    with its own images; mean and 95 % interval over seeds, dotted the best possible score."""
    bars = {
        ("student", 0.1): ("200 labels", GREY),
        ("fixmatch", 0.1): ("200 labels + own unlabelled\nimages (FixMatch)", LIGHT),
        ("agreed", 0.1): ("200 labels + unlabelled\npairs (agreed labels)", ORANGE),
        ("fixmatch", 0.2): ("400 labels + own unlabelled\nimages (FixMatch)", LIGHT),
    }
    every = pd.concat([networks("labels"), networks("labels-more")])
    every = every.set_index(["method", "share"]).loc[[*bars]]
    every["bar"] = every.index.map(lambda key: bars[key][0])
    drawn, axes = panels(1, 2, 7.8, 3.0, sharex=True, sharey=True)
    look = {"palette": dict(bars.values()), "saturation": 1, "width": 0.72}
    look |= {"errorbar": interval(every["seed"].nunique()), "err_kws": {"color": "black"}}
    for axis, sensor in zip(axes[0], ("depth", "rgb"), strict=True):
        own = every[every["network"] == sensor]
        sns.barplot(own, x="score", y="bar", hue="bar", ax=axis, **look)
        for name, score in own.groupby("bar")["score"].mean().items():
            colour = "black" if look["palette"][name] == LIGHT else "white"
            axis.text(2, name, f"{score:.0f}", va="center", fontweight="bold", color=colour)
        best = own["best"].iloc[0]
        axis.axvline(best, color=GREY, linestyle=":")
        axis.text(best - 1, -0.62, "best possible", ha="right", color=GREY, fontsize=9)
        axis.set(xlim=(0, 100), ylim=(3.6, -0.9), xlabel="F1 on new scenes, %", ylabel="")
        axis.set_title(f"deployed: {SENSORS[sensor]} alone", fontsize=11)
    better = [min(worth(name, rival)[0] for rival in ("student", "fixmatch")) for name in SENSORS]
    number = round(mean(better), -2)
    title = f"200 labels and pairs do what about {number:.0f} do without the other sensor"
    drawn.suptitle(title, fontweight="bold", fontsize=12)
    return drawn


def kinds() -> Figure:
    """Bars for each deployed sensor and kind of scene: the share of scenes that are right."""
    bars = {
        "student": ("student", GREY),
        "discom-solo": ("DisCoM-KD's branch alone", LIGHT),
        "discom": ("DisCoM-KD", ORANGE),
        "kdv2": ("student of a teacher of both", BLUE),
        "teacher": ("teacher: reads both sensors", GREEN),
    }
    every = pd.read_csv(RESULTS / "all-labels-kinds.csv").query("method in @bars")
    drawn, axes = panels(1, 2, 9.5, 3.7, sharey=True)
    names, colours = zip(*bars.values(), strict=True)
    look = {"hue_order": bars, "palette": colours, "saturation": 1, "legend": False}
    look |= {"order": ["ordinary", "dark", "far", "dark and far"], "errorbar": None}
    for axis, (sensor, name) in zip(axes[0], SENSORS.items(), strict=True):
        own = every[every["network"].isin([sensor, "rgb+depth"])]
        sns.barplot(own, x="kind", y="accuracy", hue="method", ax=axis, **look)
        axis.axhline(100 / 3, color=GREY, linestyle=":")
        axis.set(title=f"deployed: {name} alone", xlabel="", ylabel="new scenes right, %")
        axis.set(ylim=(0, 104), yticks=range(0, 101, 25))
    axes[0, 1].text(3.5, 38, "one guess in three", ha="right", fontsize=9, color=GREY)
    drawn.suptitle("The teacher's lead lies mostly where the deployed sensor shows no material")
    drawn.legend(axes[0, 0].containers, names, ncols=3, **BELOW)
    return drawn


def masks() -> Figure:
    """Scores over the share of images with a mask, mean and 95 % interval over seeds: a panel for
    each sensor, a curve for each method; dotted is the best possible score."""
    curves = {
        "single": ("masks alone", "o", GREY),
        "dense-simclr": ("+ all images of this sensor (SimCLR)", "s", BLUE),
        "dense-self": ("+ a teacher of this sensor", "^", LIGHT),
        "dense-kdv2": ("+ a teacher of both sensors", "D", GREEN),
        "crodino": ("+ our CroDiNo-KD", "v", PURPLE),
    }
    names, markers, colours = zip(*curves.values(), strict=True)
    every = networks("dense/scenes-labelled").query("method in @curves")
    every = every.assign(percent=(100 * every["share"]).map("{:g}".format)).sort_values("share")
    drawn, axes = panels(1, 2, 8.4, 4.4, sharey=True)
    look = {"hue_order": curves, "palette": colours, "markers": list(markers)}
    look |= {"errorbar": interval(every["seed"].nunique()), "dodge": 0.3, "capsize": 0.05}
    look |= {"markersize": 7, "linewidth": 1.5}
    for axis, sensor in zip(axes[0], SENSORS, strict=True):
        own = every[every["network"] == sensor]
        sns.pointplot(own, x="percent", y="score", hue="method", ax=axis, **look)
        axis.axhline(own["best"].iloc[0], color="black", linewidth=0.8, linestyle=":")
        axis.text(0, own["best"].iloc[0], "best possible", va="bottom", size=8)
        axis.set(title=sensor, xlabel="training pairs with a label (%)", ylabel="test mIoU × 100")
        axis.get_legend().remove()
    handles, _ = axes[0, 0].get_legend_handles_labels()
    drawn.legend(handles, names, ncols=2, **BELOW)
    drawn.suptitle("A teacher of both sensors helps RGB where masks are few")
    return drawn


def real_sensors() -> Figure:
    """A line for each set: what labels alone, own signals, pairs and both sensors score."""
    scores, own = real.scores(), real.gained("fixmatch")
    drawn, axes = panels(1, 1, 9, 0.75 * len(scores) + 1.6)
    axis, rows = axes[0, 0], scores.index
    axis.hlines(rows, scores.min(axis=1), scores.max(axis=1), color="#dddddd", zorder=0)
    for column, marker, colour in zip(scores, "osD^", (LIGHT, GREY, ORANGE, GREEN), strict=True):
        axis.scatter(scores[column], rows, s=70, color=colour, marker=marker, label=column)
    axis.set(xlabel="F1 × 100 of new persons or places", ylim=(len(rows) - 0.4, -0.6))
    drawn.legend(ncols=2, **BELOW)
    title = f"Pairs score above own unlabelled data in {(own['mean'] > 0).sum()} of {len(own)}"
    drawn.suptitle(f"{title}; in {(own['low'] > 0).sum()} the whole interval does")
    return drawn


def parts() -> Figure:
    """What probes read from embeddings, means over seeds: a row for each part of a method, a column
    for each fact, RGB and depth."""
    names = {"student": "student", "untrained": "DisCoM-KD untrained", "discom": "DisCoM-KD"}
    names |= {"discom adversary=alternating": "alternating", "mdico": "MDiCo", "decur": "DeCUR"}
    names |= {"student few": "student, 200 labels", "nt-xent contrast=3 few": "NT-Xent, 200 labels"}
    names["agreed few"] = "agreed, 200 labels"
    every = pd.read_csv(RESULTS / "parts.csv")
    every.loc[every["labelled"] < 1, "method"] += " few"
    means = every.pivot_table("score", ["method", "part"], ["sensor", "fact"], sort=False)
    means = means.loc[[*names]].clip(lower=0)  # an R² below 0: worse than the mean
    drawn, axes = panels(1, 2, 11, 0.7 + 0.3 * len(means), sharey=True)
    labels = [f"{names[method]}  {part}" for method, part in means.index]
    look = {"cmap": "Greys", "vmin": 0, "vmax": 100, "annot": True, "fmt": ".0f"}
    for axis, (sensor, title) in zip(axes[0], SENSORS.items(), strict=True):
        own = means[sensor]
        sns.heatmap(own, ax=axis, yticklabels=labels, linewidths=1, cbar=False, **look)
        axis.set(title=title, xlabel="", ylabel="")
        axis.set_xticks(axis.get_xticks(), own.columns, rotation=35, ha="right")
        axis.tick_params(length=0)
        firsts = means.reset_index().groupby("method", sort=False).head(1).index[1:]
        axis.hlines(firsts, 0, own.shape[1], color="white", linewidth=4)
    drawn.suptitle("What a linear probe reads: accuracy, or R² of size, distance and light, %")
    return drawn


FIGURES = {
    "labels-worth": worth_of_pairs,
    "all-labels-kinds": kinds,
    "parts": parts,
    "real": real_sensors,
    "dense/scenes-labelled-scores": masks,
}


@flags.command
def figures() -> None:
    """Draw the figures that pages show into results/."""
    plots.style()
    for name, draw in FIGURES.items():
        dots = 150 if name in ("labels-worth", "all-labels-kinds", "parts") else 120
        drawn = BytesIO()
        draw().savefig(drawn, dpi=dots)
        picture = Image.open(drawn).convert("RGB").quantize()  # a third of the room
        picture.save(RESULTS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(cli.main(command=figures))
