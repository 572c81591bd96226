"""DisCoM-KD in one picture, as in docs/_static/method.svg, its part in question lit."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import FancyBboxPatch

from course import draw, fact_pairs
from course_data import SENSORS

DARK, LINE, PAPER = "#1a202c", "#4a5568", "#edf2f7"
FILL = {"inv": "#2b6cb0", "inf": "#276749", "irr": LINE}
NAMES = {"inv": "invariant", "inf": "informative", "irr": "irrelevant"}
ROWS = {"inv": 228, "inf": 142, "irr": 56}  # height of the middle of a part
# head → what it is asked, and the height of its middle
HEADS = {"adv": ("sensor? adv,\nreversed", 256), "aux": ("class? aux", 187)}
HEADS |= {"mod_inf": ("sensor?\nmod_inf", 122), "mod_irr": ("sensor?\nmod_irr", 56)}
READ = (("inv", "adv"), ("inv", "aux"), ("inf", "aux"), ("inf", "mod_inf"))
READ += (("irr", "mod_irr"),)
# loss → what it reads, and the heads that it trains
LOSSES = {"cl": ("inv", "inf", "task"), "aux": ("inv", "inf", "aux")}
LOSSES |= {"mod": ("inf", "irr", "mod_inf", "mod_irr"), "adv": ("inv", "adv")}
LOSSES |= {"orth": ("inv", "inf", "irr", "cosines")}
TITLES = {
    "cl": "$L_{cl}$: together, inv and inf name the class",
    "aux": "$L_{aux}$: alone, inv and inf name the class, too",
    "mod": "$L_{mod}$: inf and irr name the sensor",
    "adv": "$L_{adv}$: inv hides the sensor from a head that looks for it",
    "orth": r"$L_\perp$: two cosines are lowered",
}


@cache
def _thumbnails() -> dict[str, torch.Tensor]:
    """A square of metal, as each sensor sees it."""
    pairs, facts = fact_pairs()
    row = next(row for row, name in facts["shape"].items() if name == "square")
    return {sensor: pairs.images[sensor][row] for sensor in SENSORS}


def show(*lit: str, title: str = ""):
    """The method. `lit`: losses (cl, aux, mod, adv, orth), parts (inv, inf, irr), heads
    or encoders (invariant, specific); all else is pale. Without any, all of it is lit.
    The title of a loss is its own."""
    names = {name for one in lit for name in LOSSES.get(one, (one,))}
    figure, axis = plt.subplots(figsize=(9.2, 3.9))
    figure.subplots_adjust(0, 0, 1, 0.91)
    figure.suptitle(title or ", ".join(TITLES.get(one, one) for one in lit), y=0.985)
    axis.set(xlim=(0, 920), ylim=(0, 352))
    axis.axis("off")
    for sensor, image in _thumbnails().items():
        _Side(axis, names, mirrored=sensor == "depth").draw(SENSORS[sensor], image)
    for name, (text, height) in HEADS.items():
        _box(axis, 460, height, 118, 52, text, on=not names or name in names)
    look = {"ha": "center", "va": "center", "color": "0.75" if names else DARK}
    axis.text(460, 320, "shared,\nin training only", **look)
    legend = r"$\perp$: their cosine is lowered.   Dashed: read by the task head."
    axis.text(460, 9, legend, fontsize=10, **look)
    return figure


class _Side:
    """One sensor's branch: from left to right, or mirrored."""

    def __init__(self, axis, names, mirrored):
        self.axis, self.names, self.mirrored = axis, names, mirrored

    def draw(self, sensor, image):
        """Its panel, image, encoders, parts and task head, and the arrows to heads."""
        centred = {"ha": "center", "va": "center"}
        _frame(self.axis, self.left(6, 362), 24, 356, 326, facecolor=PAPER, zorder=0)
        title = f"{sensor} branch,\ndeployed alone"
        self.axis.text(self.x(80), 320, title, color=DARK, fontweight="bold", **centred)
        corner = (self.left(14, 80), 152, 66, 66)
        draw(self.axis.inset_axes(corner, transform=self.axis.transData), image)
        self.encoder("invariant", 228, 58, "inv")
        self.encoder("specific", 99, 144, "inf", "irr")
        for part, height in ROWS.items():
            text = f"$z_{{{part}}}$\n{NAMES[part]}"
            look = {"fill": FILL[part], "on": self.on(part)}
            _box(self.axis, self.x(292), height, 104, 52, text, **look)
        for height in (185, 99):
            colour = DARK if self.on("cosines") else "0.8"
            look = {"fontsize": 17, "color": colour, **centred}
            self.axis.text(self.x(292), height, r"$\perp$", **look)
        for part, head in READ:
            on = self.on(head) and self.on(part)
            self.arrow((344, ROWS[part]), (401, HEADS[head][1]), on, FILL[part])
        on = self.on("task")
        edge = {"edgecolor": DARK if on else "0.85", "lw": 1.5, "ls": (0, (4, 3))}
        _frame(self.axis, self.left(232, 352), 110, 120, 150, facecolor="none", **edge)
        _box(self.axis, self.x(292), 318, 104, 46, "class?\ntask", on=on)
        self.arrow((292, 260), (292, 295), on)

    def encoder(self, name, height, tall, *parts):
        on = self.on(name)
        _box(self.axis, self.x(162), height, 96, tall, f"{name}\nencoder", on=on)
        entry = max(height - 14, 150)
        self.arrow((80, 185), (114, entry), on)
        for part in parts:
            self.arrow((210, ROWS[part]), (240, ROWS[part]), on)

    def x(self, place):
        return 920 - place if self.mirrored else place

    def left(self, *places):
        return min(map(self.x, places))

    def on(self, name):
        return not self.names or name in self.names

    def arrow(self, start, end, on, colour=LINE):
        look = {"arrowstyle": "-|>", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        look["color"] = colour if on else "0.85"
        places = [(self.x(place), height) for place, height in (end, start)]
        self.axis.annotate("", *places, arrowprops=look)


def _box(axis, x, y, wide, tall, text, *, fill="white", on=True):
    """A box around (x, y) with its text."""
    plain = fill == "white"
    edge = LINE if plain else fill
    look = {"facecolor": fill if on else "white", "edgecolor": edge if on else "0.8"}
    _frame(axis, x - wide / 2, y - tall / 2, wide, tall, lw=1.3, **look)
    colour = (DARK if plain else "white") if on else "0.7"
    axis.text(x, y, text, ha="center", va="center", color=colour, linespacing=1.25)


def _frame(axis, left, bottom, wide, tall, **look):
    round_corners = "round,pad=0,rounding_size=8"
    frame = FancyBboxPatch((left, bottom), wide, tall, boxstyle=round_corners)
    frame.set(**{"edgecolor": "none", **look})
    axis.add_patch(frame)
