"""The index page of a batch: a row for each notebook, readable on a phone, nothing loaded from
elsewhere."""

import statistics
from html import escape
from typing import Any

from discom.files import atomic_file
from discom.reproduce.record import Batch

__all__ = ["figures_of", "write_page"]

WORDS = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "not for these data",
    "missing": "not yet executed",
}
STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c62828; --other: #8a6d00 }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --bad: #ff7b72; --other: #d4a72c } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .3rem } p { margin: .3rem 0 }
table { border-collapse: collapse; width: 100%; margin-top: 1.2rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; border-top: 1px solid var(--line) }
th { border-top: 0; font-weight: 600 } td a, td:nth-child(3), td:nth-child(4) { white-space: nowrap }
.passed { color: var(--good) } .failed { color: var(--bad) } .skipped, .missing { color: var(--other) }
.reason { display: block; font-size: .9rem; overflow-wrap: anywhere }
td:last-child span { display: inline-block; margin-right: 1.2rem }
@media (max-width: 640px) {
  thead { display: none } table, tbody, tr, td { display: block }
  tr { border-top: 1px solid var(--line); padding: .8rem 0 } td { border: 0; padding: .1rem 0 }
  td:empty { display: none } td[data-name]::before { content: attr(data-name) ": "; opacity: .7 }
}
"""


def write_page(batch: Batch) -> None:
    """Write `batch.folder`/index.html, whole or not at all."""
    with atomic_file(batch.folder / "index.html") as part:
        part.write_text(_page(batch), encoding="utf-8")


def figures_of(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The key figures of one notebook's executions that passed: of several, mean ± standard
    deviation.

    >>> figures_of([{"status": "passed", "figures": {"f1": value}} for value in (60.0, 62.0)])
    {'f1': '61 ± 1.4 (n = 2)'}
    """
    held: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row["figures"].items() if row["status"] == "passed" else ():
            held.setdefault(name, []).append(value)
    return {
        name: f"{statistics.mean(values):.4g} ± {statistics.stdev(values):.2g} (n = {len(values)})"
        if len(values) > 1
        else f"{values[0]:.4g}"
        for name, values in held.items()
    }


def _page(batch: Batch) -> str:
    held: dict[str, dict[str, dict[str, Any]]] = {}
    for copy, row in sorted(batch.rows.items()):
        held.setdefault(row["notebook"], {})[copy] = row
    asked, rows = batch.settings, list(batch.rows.values())
    kinds = [row["status"] for row in rows]
    counts = [f"{kinds.count(kind)} {word}" for kind, word in WORDS.items() if kind in kinds]
    title = f"Notebooks, profile {escape(asked['profile'])}"
    seeds = "seed 0" if asked["seeds"] == 1 else f"seeds 0 to {asked['seeds'] - 1}"
    body = "\n".join(_row(name, copies, asked["seeds"]) for name, copies in sorted(held.items()))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>data {escape(str(asked["data"]))} · {seeds} · begun {escape(batch.started)} · package {escape(asked["code"])}</p>
<p>{" · ".join(counts)} · {_time(sum(row["seconds"] for row in rows))} in all</p>
<table><thead><tr><th>notebook</th><th>status</th><th>time</th><th>checks</th><th>key figures</th></tr></thead><tbody>
{body}
</tbody></table></body></html>
"""


def _row(name: str, copies: dict[str, dict[str, Any]], seeds: int) -> str:
    rows = list(copies.values())
    title = escape(name.replace("_", " "))
    links = [
        _link(copy, row, f"seed {row['seed']}" if seeds > 1 else title)
        for copy, row in copies.items()
    ]
    notebook = links[0] if seeds == 1 else f"{title}<br>{' · '.join(links)}"
    checks = sorted({row["checks"] for row in rows if row["status"] == "passed"})
    took = [row["seconds"] for row in rows if row["status"] in ("passed", "failed")]
    cells = {
        "time": _time(statistics.mean(took)) + " each" * (len(took) > 1) if took else "",
        "checks": "–".join(str(count) for count in [*checks[:1], *checks[1:][-1:]]),
        "key figures": " ".join(
            f"<span>{escape(k)} {escape(v)}</span>" for k, v in figures_of(rows).items()
        ),
    }
    told = "".join(f'<td data-name="{kind}">{text}</td>' for kind, text in cells.items())
    return f"<tr><td>{notebook}</td><td>{_status(rows, seeds)}</td>{told}</tr>"


def _link(copy: str, row: dict[str, Any], text: str) -> str:
    """To the page of a copy, to the copy where it has none, or nowhere as long as there is
    neither."""
    file = copy.removesuffix(".ipynb") + ".html" if row["page"] else copy
    return text if row["status"] == "missing" else f'<a href="{escape(file)}">{text}</a>'


def _status(rows: list[dict[str, Any]], seeds: int) -> str:
    """One word for all seeds, or how many of each; and every reason once."""
    kinds = [row["status"] for row in rows]
    words = [
        f'<span class="{kind}">{WORDS[kind]}</span>'
        + f" {kinds.count(kind)} of {seeds}" * (seeds > 1)
        for kind in WORDS
        if kind in kinds
    ]
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(row["reason"], []).append(str(row["seed"]))
    reasons = [
        f"seed {', '.join(found)}: {reason}" if seeds > 1 else reason
        for reason, found in told.items()
        if reason
    ]
    return ", ".join(words) + "".join(
        f'<span class="reason">{escape(reason)}</span>' for reason in reasons
    )


def _time(seconds: float) -> str:
    """Seconds as a person says them.

    >>> _time(59.4), _time(61), _time(7320)
    ('59 s', '1 min 1 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60} min"
    )
