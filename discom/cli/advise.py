"""`discom advise`."""

from itertools import chain
from types import SimpleNamespace as Namespace
from typing import Any

import discom
from discom.cli.data import reader
from discom.config import profile
from discom.errors import RunError


def advise(flags: Namespace) -> None:
    """Should you train with your second sensor, or deploy both? Measures it on your pairs.

    Frozen features of a pretrained network with a linear layer first; then each sensor alone
    (student, simclr), with the other (kdv2, nt-xent), and both fused (teacher), every image tested
    once, with twice the profile's epochs, of which the last is taken. Images without a label are
    used, too. The same command continues where it stopped.

    discom advise my_images --labelled 0.2
    """
    from discom import advice
    from discom.running import sweep

    given, tables = flags.settings, discom.tables
    usual = {"epochs": 2 * profile(flags.profile).epochs, "select": "last"}
    config = profile(flags.profile, **usual | given)
    images = reader(flags.data, flags.modalities)(0)
    rates = advice.RATES if flags.learning_rate is None else (flags.learning_rate,)
    where = flags.folds, flags.runs, flags.data, flags.modalities
    planned = advice.plan(images, config, rates, *where)
    tried = [run for run in chain(*planned.values()) if run.method == "student"]
    tried = [run for run in tried if run.origin.fold == 0 and len(rates) > 1]
    workers = sweep.worker_count(flags.workers)
    runs = {run.folder: run for run in (*tried, *planned[rates[0]])}  # none twice
    if absent := sweep.missing(runs.values())[0]:
        print(advice.trial(images, config, absent, workers), flush=True)
    if flags.dry_run:
        return

    def train(runs: list[Any]) -> list[Any]:
        results, failed = sweep.sweep(runs, workers=flags.workers)
        if failed:
            raise RunError(next(iter(failed.values())))
        return results

    frozen = []
    if flags.features != "none":
        frozen = train(advice.frozen_runs(images, config, flags.folds, flags.runs, flags.features))
    rate = advice.best_rate(train(tried)) if tried else rates[0]
    results = train(planned[rate])
    for part in filter(None, (frozen, results)):
        print(tables.to_markdown(tables.summary(part, ["student"]), ["student"]), end="\n\n")
    students = [run for run in results if run.method == "student"]
    if short := advice.unfinished(students, flags.runs):
        print(f"No answer: {short}.")
    else:
        _answer(flags, planned[rate], results, frozen, images)
    if flags.collect:
        tables.collect([*frozen, *results], flags.collect)


def _answer(
    flags: Namespace, runs: list[Any], results: list[Any], frozen: list[Any], images: Any
) -> None:
    """Print an answer for each network that may be deployed, and the command that trains it."""
    from discom import advice

    for answer in advice.answers(results, images, flags.runs):
        print(answer.text)
        chosen = zip(runs, results, strict=True)  # results have the order of the runs
        run = next(run for run, result in chosen if result.label == answer.recommended)
        if answer.learned:
            print(f"  {advice.command(run, flags.profile)}")
    if better := advice.frozen_leads(frozen, results):
        names = ", ".join(better)
        print(f"Frozen features score higher for {names}: start from pretrained weights.")
