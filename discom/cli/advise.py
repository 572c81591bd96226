"""`discom advise`."""

from functools import partial
from itertools import chain
from types import SimpleNamespace as Namespace

from click import IntRange, argument, option

import discom
from discom.cli import flags
from discom.cli.flags import command


@command(
    argument("data"),
    option("--folds", type=IntRange(2), default=4, help="Parts; each is tested once."),
    option("--features", default="imagenet", help="Frozen weights: imagenet, a file, or none."),
    flags.WORKERS,
    flags.DRY_RUN,
    *flags.TRAINING,
)
def advise(asked: Namespace) -> None:
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

    usual = {"epochs": 2 * discom.profile(asked.profile).epochs, "select": "last"}
    config, runs = discom.profile(asked.profile, **usual | asked.settings), asked.runs
    images = discom.data.load(asked.data, asked.modalities, 0)
    rates = (config.learning_rate,) if "learning_rate" in asked.settings else advice.RATES
    planned = advice.plan(images, config, rates, asked.folds, runs, asked.data, asked.modalities)
    tried = [run for run in chain(*planned.values()) if run.method == "student"]
    tried = [run for run in tried if run.origin.fold == 0 and len(rates) > 1]
    needed = {run.folder: run for run in (*tried, *planned[rates[0]])}  # none twice
    workers = sweep.worker_count(asked.workers)
    if absent := sweep.missing(needed.values())[0]:
        print(advice.trial(images, config, absent, workers), flush=True)
    if asked.dry_run:
        return

    train, tables = partial(sweep.results, workers=workers), discom.tables
    frozen = []
    if asked.features != "none":
        frozen = train(advice.frozen_runs(images, config, asked.folds, runs, asked.features))
    rate = advice.best_rate(train(tried)) if tried else rates[0]
    results = train(planned[rate])
    features = advice.beside(frozen, results)
    table = tables.summary([*features, *results], ["student"])
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
            print(f"  {advice.command(run, asked.profile)}")
    if features and (better := advice.frozen_leads(features, results)):
        names = ", ".join(better)
        print(f"Frozen features score higher for {names}: start from pretrained weights.")
