"""`ganglion inspect`, `evaluate`, `predict`, `list`: what they print, where, and what they refuse."""

import csv
import io
import json
import re

import numpy as np
import pytest

import ganglion as gg
from ganglion.checks.data import discs
from ganglion.registry import ALGORITHMS

from .conftest import N, table, write


def words(text):
    return " ".join(text.split())


def test_inspect(ganglion, people):
    ran = ganglion("inspect", people, "--target", "rich")
    assert ran.code == 0
    assert ran.out.startswith(f"people.csv: {N} rows, 4 columns")
    assert "Task: binary of rich" in ran.out
    assert ran.err == ""
    assert max(map(len, ran.out.splitlines())) <= 80


def test_inspect_without_a_target(ganglion, people):
    assert "No target was given: name one" in ganglion("inspect", people).out


def test_inspect_json(ganglion, people):
    seen = json.loads(ganglion("inspect", people, "-t", "rich", "--json").out)
    assert [column["name"] for column in seen["columns"]] == ["age", "job", "pay", "rich"]


def test_inspect_unknown_target(ganglion, people):
    ran = ganglion("inspect", people, "-t", "rch")
    assert (ran.code, ran.out) == (1, "")
    assert "Did you mean 'rich'?" in ran.err


def test_evaluate(ganglion, saved):
    model, data = saved
    ran = ganglion("evaluate", model, data)
    assert ran.code == 0
    assert f"on {N} rows" in ran.out
    assert "--train FILE to the command" in words(ran.out)
    assert ran.err == ""


def test_evaluate_with_the_training_data(ganglion, saved, tmp_path):
    model, data = saved
    fresh = write(tmp_path / "fresh.csv", table(50, seed=9))
    ran = ganglion("evaluate", model, fresh, "--train", data)
    assert ran.code == 0
    assert f"fitted on {N} training rows" in words(ran.out)
    assert "stand among the training rows" not in words(ran.out)


def test_evaluate_with_costs_and_sets(ganglion, saved):
    ran = ganglion("evaluate", *saved, "--conformal", 0.9, "--costs", 1, 5)
    assert ran.code == 0, ran.err
    assert "90% prediction sets" in words(ran.out)
    assert "a miss 5, say yes from" in words(ran.out)
    assert "between 0 and 1" in ganglion("evaluate", *saved, "--conformal", 90).err


def test_evaluate_on_the_training_data(ganglion, saved):
    model, data = saved
    assert "stand among the training rows too" in words(ganglion("evaluate", model, data, "--train", data).out)


def test_evaluate_json_and_page(ganglion, saved, tmp_path):
    model, data = saved
    ran = ganglion("evaluate", model, data, "--json", "--report", "page.html")
    assert 0 <= json.loads(ran.out)["model"]["metrics"]["accuracy"]["value"] <= 1
    assert ran.err == "report page.html\n"
    assert (tmp_path / "page.html").exists()


def test_evaluate_a_file_without_the_target(ganglion, saved, tmp_path):
    model, _ = saved
    write(tmp_path / "new.csv", [row[:3] for row in table(20)], names=("age", "job", "pay"))
    ran = ganglion("evaluate", model, "new.csv")
    assert (ran.code, ran.out) == (1, "")
    assert "no column of new.csv is called 'rich'" in ran.err


def test_evaluate_a_model_that_was_trained_in_python(ganglion, tmp_path, people):
    X, y = gg.read(people, target="rich").X_y()
    model = gg.MLPClassifier(hidden=(4,), epochs=1).fit(X, y)
    model.save(tmp_path / "m")
    ran = ganglion("evaluate", "m", people)
    assert ran.code == 1
    assert re.search(r"which column is to be predicted\? .*--target NAME", ran.err)
    assert ganglion("evaluate", "m", people, "--target", "rich").code == 0
    model.fit(gg.read(people, target="rich")).save(tmp_path / "m")  # a data set says what its target is called
    assert ganglion("evaluate", "m", people).code == 0


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_predict(ganglion, saved):
    model, data = saved
    ran = ganglion("predict", model, data)
    rows = rows_of(ran.out)
    assert ran.code == 0
    assert ran.err == ""
    assert len(rows) == N
    assert list(rows[0]) == ["prediction", "p_<=50K", "p_>50K"]
    assert all(abs(float(row["p_<=50K"]) + float(row["p_>50K"]) - 1) < 1e-5 for row in rows)
    X = gg.read(data, target="rich").X_y()[0]
    assert [row["prediction"] for row in rows] == gg.load(model).predict(X).tolist()


def test_predict_without_the_target_column(ganglion, saved, tmp_path):
    """New data do not know their answers; and columns may come in another order, beside others."""
    model, data = saved
    new = write(tmp_path / "new.csv", [[p, "x", a, j] for a, j, p, _ in table()], names=("pay", "note", "age", "job"))
    assert ganglion("predict", model, new).out == ganglion("predict", model, data).out


def test_predict_to_a_file(ganglion, saved, tmp_path):
    model, data = saved
    ran = ganglion("predict", model, data, "--out", "answers.csv", "--no-probabilities")
    assert (ran.out, ran.err) == ("", "saved answers.csv\n")
    assert (tmp_path / "answers.csv").read_text().startswith("prediction\n")
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == N + 1


def test_predict_json(ganglion, saved):
    model, data = saved
    rows = json.loads(ganglion("predict", model, data, "--json").out)
    assert len(rows) == N
    assert rows[0]["prediction"] in ("<=50K", ">50K")


def test_predict_to_a_folder_that_is_not_there(ganglion, saved):
    model, data = saved
    ran = ganglion("predict", model, data, "--out", "none/answers.csv")
    assert ran.code == 1
    assert "Create the folder first" in ran.err


@pytest.mark.parametrize(
    ("names", "rows", "message"),
    [
        (("age", "jb", "pay"), [row[:3] for row in table(20)], "the column 'job' is missing. Did you mean 'jb'"),
        (
            ("age", "job", "pay"),
            [[a, j, "much"] for a, j, _, _ in table(20)],
            "'pay' held numbers in training, but now",
        ),
    ],
)
def test_predict_on_other_columns(ganglion, saved, tmp_path, names, rows, message):
    write(tmp_path / "new.csv", rows, names)
    ran = ganglion("predict", saved[0], "new.csv")
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"there is no model file m\. The current folder is"),
        (b"age,job\n1,2\n", "m is no Ganglion model file: it begins with b'age,job"),
        (b"\x80\x05K\x01.", "m is a pickle, which could run any program when loaded, and is never opened"),
    ],
)
def test_no_model(ganglion, saved, tmp_path, command, content, message):
    if content is not None:
        (tmp_path / "m").write_bytes(content)
    ran = ganglion(command, "m", saved[1])
    assert (ran.code, ran.out) == (1, "")
    assert re.search(message, ran.err), ran.err


def test_list(ganglion):
    ran = ganglion("list")
    assert ran.code == 0
    assert all(name in ran.out for name in ("MLPClassifier", "MLPRegressor", "Perceptron"))
    assert max(map(len, ran.out.splitlines())) <= 80
    assert [row["name"] for row in json.loads(ganglion("list", "--json").out)] == sorted(ALGORITHMS)


def test_list_of_options(ganglion):
    ran = ganglion("list", "mlp-classifier")
    assert "hidden=128,64  a tuple of integers at least 1\n    Units of each hidden layer" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_list_of_an_unknown_algorithm(ganglion):
    ran = ganglion("list", "mlp")
    assert ran.code == 2
    assert "Did you mean 'MLPClassifier'?" in ran.err


def test_markup_in_names_is_no_markup(ganglion, tmp_path):
    """Square brackets in a column or file are shown as they are."""
    rows = [[*row, "[/red]"] for row in table()]
    write(tmp_path / "[bold]p.csv", rows, names=("age [years]", "job", "pay", "rich", "[red]"))
    assert "age [years]" in ganglion("inspect", "[bold]p.csv").out
    ran = ganglion("train", "[bold]p.csv", "-t", "rich", "-s", "epochs=1", "--out", "[m]", "--no-baselines")
    assert ran.code == 0, ran.err
    assert "warning: [red]: is always [/red]." in ran.err
    assert "saved [m]" in ran.err


def test_masks_are_predicted_into_arrays(ganglion, tmp_path):
    images, masks = discs(n=8)
    model = gg.SegmentationCNN(channels=2, epochs=1, random_state=0).fit(images, masks)
    model.save(tmp_path / "model")
    np.save(tmp_path / "images.npy", images)
    ran = ganglion("predict", tmp_path / "model", tmp_path / "images.npy", "--out", tmp_path / "masks.npz")
    assert ran.code == 0
    with np.load(tmp_path / "masks.npz") as found:
        np.testing.assert_array_equal(found["prediction"], model.predict(images))
        np.testing.assert_array_equal(found["probabilities"], model.predict_proba(images))
        assert found["classes"].tolist() == [0, 1, 2]
    ran = ganglion("predict", tmp_path / "model", tmp_path / "images.npy")
    assert (ran.code, ran.out) == (2, "")
    assert "give --out FILE.npz" in words(ran.err)
