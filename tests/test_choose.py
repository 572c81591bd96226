"""benchmarks/choose.py: the value with the best validation score, for a setting or an option."""

import json

import choose
import pytest

from discom.running.runs import Result

SMALL = ["--data", "scenes:n=66,size=8,shapes=2", "--profile", "tiny", "--workers", "1"]


@pytest.mark.parametrize(
    ("option", "values", "method"),
    [
        ("epochs", (1, 2), "student"),
        ("temperature", (1.0, 4.0), "kdv2"),
        ("contrast", (0.1, 1.0), "mdico"),
    ],
)
def test_the_best_value_on_validation_is_chosen(tmp_path, option, values, method):
    words = [*SMALL, "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "choice.json")]
    words += ["--methods", method, "--option", option, "--values", *map(str, values)]
    words += ["--seeds", "100", "101", "--set", "labelled=0.5"]
    assert choose.main(words) == 0
    seen = {}
    for file in (tmp_path / "runs").rglob(f"{method}/*/result.json"):
        result = Result.read(file)
        assert result.config["labelled"] == 0.5
        options = result.config["options"]
        own = {**result.config, **options, **options["weights"]}
        valid = [scores["valid_f1"] for scores in result.scores.values()]
        seen.setdefault(own[option], {})[result.seed] = sum(valid) / len(valid)
    assert set(seen) == set(values)
    assert [*map(sorted, seen.values())] == [[100, 101]] * 2
    seen = {value: sum(scores.values()) / 2 for value, scores in seen.items()}
    choice = json.loads((tmp_path / "choice.json").read_text())
    assert choice["data"] == "scenes-shapes=2"
    assert choice["chosen"][method] == max(seen, key=seen.get)
    assert {float(v): choice[f"{v:g}"][method] for v in values} == pytest.approx(seen)


@pytest.mark.parametrize("option", ["warmth", "options"])
def test_a_wrong_option_is_one_line(tmp_path, capsys, option):
    words = [*SMALL, "--runs", str(tmp_path), "--methods", "student", "--option", option]
    assert choose.main(words) == 2
    assert f"choose: error: options: student has no '{option}'" in capsys.readouterr().err


def test_a_teacher_has_as_few_labels_as_its_student(tmp_path):
    words = [*SMALL, "--runs", str(tmp_path), "--methods", "kdv2", "--option", "labelled"]
    assert choose.main([*words, "--values", "0.5"]) == 0
    results = [Result.read(file) for file in tmp_path.rglob("result.json")]
    shares = {result.method: result.config["labelled"] for result in results}
    assert shares == {"teacher": 0.5, "kdv2": 0.5}


def test_dense_methods_have_a_profile_of_their_own(tmp_path):
    words = ["--data", "scenes-dense:n=20,size=16", "--profile", "tiny", "--workers", "1"]
    out = tmp_path / "choice.json"
    words += ["--runs", str(tmp_path), "--methods", "crodino", "--values", "0.001"]
    assert choose.main([*words, "--out", str(out)]) == 0
    (result,) = [Result.read(file) for file in tmp_path.rglob("result.json")]
    assert set(result.valid) == {"rgb", "depth", "rgb+depth"}
    # the sensors alone: what the auxiliary decoder scores with both is not what is deployed
    alone = (result.valid["rgb"] + result.valid["depth"]) / 2
    assert json.loads(out.read_text())["0.001"] == {"crodino": pytest.approx(alone)}


def test_other_weights_of_a_method_stay_as_they_are(tmp_path):
    words = [*SMALL, "--runs", str(tmp_path), "--methods", 'discom:{"weights": {"adv": 0}}']
    assert choose.main([*words, "--option", "orth", "--values", "0.5"]) == 0
    (result,) = [Result.read(file) for file in tmp_path.rglob("result.json")]
    weights = result.config["options"]["weights"]
    assert (weights["adv"], weights["orth"]) == (0, 0.5)
