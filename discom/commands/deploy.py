"""`discom export` and `predict`: a trained branch at use."""

from pathlib import Path

from discom.commands.shared import only_run
from discom.errors import ConfigError, DataError

__all__ = ["export", "predict"]


def export(
    run: Path,
    modality: str | None = None,
    out: Path = Path("exported"),
    data: str | None = None,
    modalities: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write one trained branch as ONNX and torch.export, with its scaling, classes, contract and
    model card.

    Both files are compared with the branch on the test part first; nothing is written where they
    differ by more than 1e-4. The cost stands beside that of the plain student: parameters, bytes,
    and time an image.

    Args:
        run: the folder of a finished run, or one with a single run below it.
        modality: the sensor whose branch is written; may be left out where the run has one alone.
        out: the folder for model.onnx, model.pt2 and MODEL_CARD.md.
        data: what the run was trained on, as `discom train` took it; by default what the run calls
        its data.
        modalities: which ones were used, such as rgb+elevation; all by default.
        overwrite: replace an earlier export.
    """
    from discom.deployment import exporting
    from discom.runs import Result

    run = only_run(run)
    result = Result.read(run / "result.json")
    made = exporting.export(run, _data(result, data, modalities).split(seed=result.seed), modality, out,
                            overwrite=overwrite)  # fmt: skip
    print(f"{out}: {', '.join(sorted(file.name for file in out.iterdir()))}")
    ours, theirs = made.scores["f1"], result.f1[made.contract.modality]
    print(f"F1 on the test part: the run {theirs:.2f}, model.onnx {ours:.2f}")
    for file, found in made.differences.items():
        print(f"{file}: differs from the trained branch by {found['logits']:.1e} in logits and"
              f" {found['probabilities']:.1e} in probabilities at most ({made.images} test images)")  # fmt: skip
    print(_costs(made))


def predict(model: Path, files: list[Path], out: Path | None = None) -> None:
    """Name the class of images, by an exported branch alone.

    Args:
        model: model.onnx, model.pt2, or the folder that `discom export` wrote, whose model.onnx is
        taken.
        files: images, or folders of images, of the size and bands that the model reads.
        out: a .csv or .json file for the answers; by default CSV is printed.
    """
    from discom import deployment, files
    from discom.deployment.predicting import to_csv, to_json

    forms = {".csv": to_csv, ".json": to_json}
    if out and out.suffix.lower() not in forms:
        raise ConfigError(
            f"--out: '{out}' ends in '{out.suffix}'; answers are written as .csv or .json"
        )
    if out and out.is_dir():
        raise ConfigError(
            f"--out: {out} is a folder; name a file in it, such as {out / 'answers.csv'}"
        )
    loaded = deployment.load(model)
    answers = deployment.predict(loaded, deployment.find_images(files))
    if out is None:
        print(to_csv(answers), end="")
        return
    with files.atomic_file(out) as part:
        part.write_text(forms[out.suffix.lower()](answers), encoding="utf-8")
    print(f"{out}: {len(answers)} images")


def _data(result, data: str | None, modalities: str | None):
    from discom import data as sets

    try:
        return sets.load(data or result.data, modalities)
    except (ConfigError, DataError) as error:
        if data:
            raise
        raise ConfigError(
            f"--data: the run calls its data '{result.data}', and nothing of that name is here ({error}); say what"
            " `discom train` was given"
        ) from None


def _costs(made) -> str:
    import pandas as pd

    rows = {}
    for who, cost in made.costs.items():
        rows[who] = {"parameters": f"{cost['parameters']:,}"}
        rows[who] |= {f"{file}, bytes": f"{size:,}" for file, size in cost["bytes"].items()}
        for form, times in cost["milliseconds"].items():
            rows[who] |= {
                f"{form}, {batch} at once, ms an image": f"{value:.3f}"
                for batch, value in times.items()
            }
    about = f"medians of {made.rounds} rounds in turn, {made.machine['processor']}, {made.machine['threads']} thread(s)"
    return f"{pd.DataFrame(rows).to_string()}\n{about}"
