"""The exercises of notebook 03: a line for each, solved or what is missing."""

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace

import torch

from checks import report


def first(paired: Callable) -> str:
    """Row i of every sensor is one scene; what is wrong, or nothing."""
    # an image shows the number of its scene, turned or not
    numbers = torch.arange(11.0)[:, None, None, None].expand(11, 1, 4, 4)
    images = {"rgb": numbers, "depth": numbers}
    part = SimpleNamespace(images=images, labels=torch.arange(11))
    orders = []
    for _ in range(2):
        batches = paired(part, ["rgb", "depth"], 4)
        if not isinstance(batches, Iterable):
            return "yield (images, labels), batch by batch"
        shown = {"rgb": [], "depth": []}
        for images, labels in batches:
            for sensor, rows in shown.items():
                own = images[sensor][:, 0, 0, 0].long()
                if not torch.equal(own.cpu(), labels[sensor].cpu()):
                    return f"labels of {sensor} must be those of its own images"
                rows.extend(own.tolist())
        if shown["rgb"] != shown["depth"]:
            return "row i of colour and row i of depth must show the same scene"
        if sorted(shown["rgb"]) != list(range(11)):
            return "every scene once an epoch, the last ones, too"
        orders.append(shown["rgb"])
    return "shuffle anew in each epoch" if orders[0] == orders[1] else ""


def second(orders: Callable) -> str:
    """Rows of an epoch where sensors have unlike numbers of images; what is wrong."""
    counts = {"depth": 200, "rgb": 30}
    rows = orders(counts, 16)
    if not isinstance(rows, Mapping) or set(rows) != set(counts):
        return "return the batches of each sensor: {'depth': …, 'rgb': …}"
    batches = {
        sensor: [list(map(int, one)) for one in own] for sensor, own in rows.items()
    }
    sizes = {sensor: [len(one) for one in own] for sensor, own in batches.items()}
    if len(sizes["depth"]) != 13 or max(sizes["depth"]) > 16:
        return f"200 rows, 16 at most in a batch: 13 batches, not {len(sizes['depth'])}"
    if sizes["depth"] != sizes["rgb"]:
        return "colour needs as many rows in each batch as depth: start it again"
    shown = {s: [int(row) for one in own for row in one] for s, own in rows.items()}
    if sorted(shown["depth"]) != list(range(200)):
        return "every depth image once"
    rounds = [shown["rgb"][k : k + 30] for k in range(0, 180, 30)]
    if any(sorted(one) != list(range(30)) for one in rounds):
        return "every colour image once before any is shown again"
    if rounds[0] == rounds[1]:
        return "shuffle colour anew in each round"
    return ""


def third(ends: Mapping[str, float | None], best: float) -> str:
    """Shares right of both kinds of batches; what is wrong, or nothing."""
    if set(ends) != {"paired", "unpaired"} or None in ends.values():
        return "set both shares, in %"
    if max(ends.values()) > best:
        return f"best possible are {best:.0f} %: score new scenes, not those it learned"
    if min(ends.values()) < 60:
        return "one has not learned: train as long as the notebook does, score in %"
    return ""


def check(paired: Callable, orders: Callable, ends: Mapping, best: float) -> None:
    """Print what is solved and what is missing."""
    report(first(paired), second(orders), third(ends, best))
