"""`discom advise`."""

from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from click import IntRange

import discom
from discom.cli import flags
from discom.cli.flags import command


@command
def advise(
    data: str,
    folds: Annotated[int, IntRange(2), "Parts; each is tested once."] = 4,
    features: Annotated[str, "Frozen weights: imagenet, a file, or none."] = "imagenet",
    workers: flags.Workers = 0,
    dry_run: flags.DryRun = False,
    modalities: flags.Modalities = "",
    runs: flags.Runs = Path("runs"),
    **settings: Any,
) -> None:
    """Should you train with your second sensor, or deploy both? Measures it on your pairs.

    Frozen features of a pretrained network with a linear layer first; then each sensor alone
    (student, simclr), with the other (kdv2, nt-xent), and both fused (teacher), every image tested
    once, with twice the profile's epochs, of which the last is taken. Images without a label are
    used, too. The same command continues where it stopped.

    \b
    discom advise my_images --labelled 0.2
    """
    from discom import advice
    from discom.running import sweep

    epochs = 2 * discom.profile(settings["name"]).epochs
    config = discom.profile(**{"epochs": epochs, "select": "last", **settings})
    images = discom.data.load(data, modalities, 0)
    rates = (config.learning_rate,) if "learning_rate" in settings else advice.RATES
    planned = advice.plan(images, config, rates, folds, runs, data, modalities)
    tried = [run for run in chain(*planned.values()) if run.method == "student"]
    tried = [run for run in tried if run.origin.fold == 0 and len(rates) > 1]
    needed = {run.folder: run for run in (*tried, *planned[rates[0]])}  # none twice
    workers = sweep.worker_count(workers)
    if absent := sweep.missing(needed.values())[0]:
        print(advice.outlook(images, len(absent), workers), flush=True)
    if dry_run:
        return

    train, tables = partial(sweep.results, workers=workers), discom.tables
    frozen = []
    if features != "none":
        frozen = train(advice.frozen_runs(images, config, folds, runs, features))
    rate = advice.best_rate(train(tried)) if tried else rates[0]
    results = train(planned[rate])
    beside = advice.beside(frozen, results)
    table = tables.summary([*beside, *results], ["student"])
    print(tables.to_markdown(table, ["student"]), end="\n\n")
    students = [run for run in results if run.method == "student"]
    if short := advice.unfinished(students, runs):
        print(f"No answer: {short}.")
        return
    for answer in advice.answers(results, images, runs):
        print(answer.text)
        chosen = zip(planned[rate], results, strict=True)  # results have the order of the runs
        run = next(run for run, result in chosen if result.label == answer.recommended)
        if answer.learned:
            print(f"  {advice.command(run, settings['name'])}")
