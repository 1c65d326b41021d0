"""`ganglion train`: results on stdout, everything else on stderr, one line each; exit codes 0, 1, 2."""

import json
import re

import numpy as np
import pytest

import ganglion as gg
from ganglion.options import options_of
from ganglion.registry import all_algorithms

from .conftest import QUICK, table, write


def test_report_on_stdout_and_the_rest_on_stderr(ganglion, people):
    ran = ganglion("train", people, "--target", "rich", *QUICK)
    assert ran.code == 0
    assert "Verdict" in ran.out
    assert "Accuracy" in ran.out
    assert "epoch" not in ran.out
    said = ran.err.splitlines()
    assert said[0].startswith("MLPClassifier: binary from a table; the target holds labels of 2 classes")
    assert re.fullmatch(r"96 rows to train on, 24 to test on", said[-4])
    assert re.fullmatch(r"epoch 1/2  loss \d+\.\d{4}", said[-3])
    assert re.fullmatch(r"epoch 2/2  loss \d+\.\d{4}", said[-2])
    assert said[-1] == "saved model.ganglion"
    assert not re.search(r"\x1b|…", ran.out + ran.err)


def test_nothing_is_cut_at_80_columns(ganglion, people):
    ran = ganglion("train", people, "--target", "rich", *QUICK)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "gradient-" in ran.out
    figures = re.findall(
        r"Accuracy\s↑\s+(\d\.\d{3}) \[(\d\.\d{3}), (\d\.\d{3})\]\s+0\.\d{3}\s+0\.\d{3}\s+0\.\d{3}", ran.out
    )
    assert len(figures) == 1


def test_the_model_that_was_saved_has_the_figures(ganglion, people):
    ganglion("train", people, "--target", "rich", *QUICK, "--no-baselines", "--out", "m")
    model = gg.load("m")
    assert 0 <= model.metrics_["accuracy"]["value"] <= 1
    assert model.target_name_ == "rich"


def test_json(ganglion, people):
    ran = ganglion("train", people, "-t", "rich", *QUICK, "--json", "--no-baselines")
    report = json.loads(ran.out)
    assert report["saved"] == "model.ganglion"
    assert report["task"] == "binary"
    assert ran.err == ""


def test_quiet(ganglion, people):
    ran = ganglion("train", people, "-t", "rich", *QUICK, "--quiet", "--no-baselines")
    assert ran.err == ""
    assert "Accuracy" in ran.out


def test_no_color(ganglion, people, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in "".join(map(str, ganglion("train", people, "-t", "rich", *QUICK, "--no-baselines")))


def test_report_as_a_page(ganglion, people, tmp_path):
    ran = ganglion("train", people, "-t", "rich", *QUICK, "--report", "report.html")
    assert "report report.html" in ran.err
    assert "<html" in (tmp_path / "report.html").read_text()[:200]


def test_same_seed_same_file(ganglion, people):
    answers = []
    for out in ("a", "b"):
        assert ganglion("train", people, "-t", "rich", *QUICK, "--out", out, "--seed", 3, "--no-baselines").code == 0
        answers.append(ganglion("predict", out, people).out)
    assert answers[0] == answers[1]


def test_without_names_and_with_labels_that_end_in_a_full_stop(ganglion, tmp_path):
    """Adult census as it comes: no names, `--target -1`, and test labels such as ">50K."."""
    train = write(tmp_path / "adult.data", table(), names=())
    other = [[*row[:3], f"{row[3]}."] for row in table(40, seed=1)]
    test = write(tmp_path / "adult.test", other, names=())
    ran = ganglion("train", train, "--target", "-1", "--test", test, *QUICK)
    assert ran.code == 0, ran.err
    assert "on 40 rows" in ran.out
    assert "matched with the model's classes" in ran.err
    assert ganglion("evaluate", "model.ganglion", test, "--target", "-1").code == 0


def test_images(ganglion, tmp_path):
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 255, (60, 6, 6), dtype=np.uint8), np.arange(60) % 3
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    ran = ganglion("train", "digits.npz", *QUICK, "--no-baselines")
    assert ran.code == 0, ran.err
    assert "multiclass from images" in ran.err
    ran = ganglion("predict", "model.ganglion", "digits.npz")
    assert ran.out.splitlines()[0] == "prediction,p_0,p_1,p_2"
    assert len(ran.out.splitlines()) == 61
    assert ganglion("evaluate", "model.ganglion", "digits.npz").code == 0


def test_a_file_of_both_parts_is_judged_on_the_one_for_testing(ganglion, tmp_path):
    random = np.random.default_rng(0)
    parts = {
        f"x_{part}": random.integers(0, 255, (n, 6, 6), dtype=np.uint8) for part, n in (("train", 60), ("test", 20))
    }
    np.savez(tmp_path / "both.npz", **parts, y_train=np.arange(60) % 3, y_test=np.arange(20) % 3)
    assert ganglion("train", "both.npz", *QUICK, "--no-baselines").code == 0
    ran = ganglion("evaluate", "model.ganglion", "both.npz", "--json")
    assert "on the part for testing, 20 of 80" in ran.err
    assert json.loads(ran.out)["n_rows"] == 20


def test_regression_and_several_targets(ganglion, tmp_path):
    random = np.random.default_rng(0)
    rows = [[f"{a:.3f}", f"{b:.3f}", f"{a + b:.3f}", f"{a - b:.3f}"] for a, b in random.normal(size=(60, 2))]
    write(tmp_path / "sums.csv", rows, names=("a", "b", "plus", "minus"))
    ran = ganglion("train", "sums.csv", "-t", "plus", "-t", "minus", *QUICK, "--no-baselines")
    assert ran.code == 0, ran.err
    assert "RMSE" in ran.out
    assert ganglion("predict", "model.ganglion", "sums.csv").out.startswith("prediction_0,prediction_1\n")
    assert ganglion("evaluate", "model.ganglion", "sums.csv").code == 0


def test_name_of_a_target_with_a_comma(ganglion, tmp_path):
    rows = [[f'"{a}"', b, c, d] for a, b, c, d in table()]
    write(tmp_path / "p.csv", rows, names=("age", "job", "pay", '"rich, or not"'))
    assert ganglion("train", "p.csv", "-t", "rich, or not", *QUICK, "--no-baselines").code == 0
    assert ganglion("evaluate", "model.ganglion", "p.csv").code == 0


@pytest.mark.parametrize("name", [name for name, cls in all_algorithms().items() if "table" in cls.tags.modalities])
def test_every_option_of_the_list_can_be_set_to_its_default(ganglion, people, name):
    listed = json.loads(ganglion("list", name, "--json").out)
    assert [row["option"] for row in listed] == list(options_of(all_algorithms()[name]))
    settings = [word for row in listed for word in ("--set", f"{row['option']}={row['default']}")]
    few = {"epochs": 2} | ({"units": 8} if name == "RBM" else {})  # so few units are summed over and not sampled
    quick = [f"--set={row['option']}={few[row['option']]}" for row in listed if row["option"] in few]
    target = "pay" if "Regressor" in name else "rich"
    ran = ganglion("train", people, "-t", target, "-a", name, *settings, *quick, "--no-baselines")
    assert ran.code == 0, ran.err


def test_settings_reach_the_model(ganglion, people):
    settings = ["hidden=8,4", "optimizer=sgd(momentum=0.5)", "patience=none", "residual=yes", "learning-rate=0.01"]
    words = [word for setting in settings for word in ("-s", setting)]
    assert ganglion("train", people, "-t", "rich", *words, "-s", "epochs=1", "--no-baselines").code == 0
    model = gg.load("model.ganglion")
    assert (model.hidden, model.patience, model.residual, model.learning_rate) == ((8, 4), None, True, 0.01)
    assert model.optimizer == "sgd(momentum=0.5)"


def test_findings_are_told_once(ganglion, tmp_path):
    rows = [[str(i), *row, row[3]] for i, row in enumerate(table())]
    write(tmp_path / "p.csv", rows, names=("id", "age", "job", "pay", "rich", "copy"))
    ran = ganglion("train", "p.csv", "-t", "rich", *QUICK)
    assert ran.code == 0
    lines = [line for line in ran.err.splitlines() if line.startswith("warning:")]
    assert sum(line.startswith("warning: id: differs in (nearly) every row") for line in lines) == 1
    assert sum("copy: gives 'rich' away" in line for line in lines) == 1
    assert len({line.split(":")[1] for line in lines}) == len(lines)
    assert "copy: gives 'rich' away" in ran.out


def test_test_rows_that_were_trained_on(ganglion, people):
    ran = ganglion("train", people, "-t", "rich", "--test", people, *QUICK)
    assert "stand among the training rows too" in " ".join(ran.out.split())


WRONG = {
    "no target": (
        [],
        1,
        r"which column is to be predicted\? .*--target NAME, or -1 for the last one.*Columns: age, job",
    ),
    "unknown target": (["-t", "rch"], 1, "no column of people.csv is called 'rch'. Did you mean 'rich'"),
    "position": (["-t", "9"], 1, "target=9: people.csv has 4 columns, at the positions 0 to 3"),
    "column to drop": (["-t", "rich", "--drop", "jb"], 1, "called 'jb'. Did you mean 'job'"),
    "algorithm": (["-t", "rich", "-a", "mlp"], 2, "no algorithm is called 'mlp'. Did you mean 'MLPClassifier'"),
    "option": (["-t", "rich", "-s", "hiden=3"], 2, "MLPClassifier has no option 'hiden'. Did you mean 'hidden'"),
    "no value": (["-t", "rich", "-s", "hidden"], 2, "--set hidden: give OPTION=VALUE, as in --set hidden=256,128"),
    "out of range": (["-t", "rich", "-s", "dropout=2"], 2, "dropout is a number at least 0 and below 1"),
    "type": (["-t", "rich", "-s", "epochs=many"], 2, "epochs is an integer at least 1 or 'auto'"),
    "in brackets": (["-t", "rich", "-s", "optimizer=sgd(momentun=1)"], 2, "Did you mean 'momentum'"),
    "task": (["-t", "rich", "--task", "clasification"], 2, "a task is 'classification' or 'regression'"),
    "share": (["-t", "rich", "--test-fraction", "2"], 2, "test_fraction=2.0: give a share between 0 and 1"),
    "folder": (["-t", "rich", "-o", "none/m"], 1, "the folder .*none does not exist, so m cannot be saved there"),
    "folder of the page": (["-t", "rich", "--report", "none/r.html"], 1, "so r.html cannot be saved there"),
    "a folder to save to": (["-t", "rich", "-o", "."], 1, r"\. is a folder. Give the name of a file in it"),
    "no number as a seed": (["-t", "rich", "--seed", "x"], 2, "Invalid value for '--seed'"),
    "a negative seed": (["-t", "rich", "--seed", "-1"], 2, "Invalid value for '--seed'"),
    "no such option": (["--targt", "rich"], 2, "No such option"),
    "text as numbers": (["-t", "job", "--task", "regression"], 1, "y must hold numbers, but holds"),
    "numbers as classes": (["-t", "pay", "-a", "MLPClassifier"], 1, "numbers with fractions|another value in each of"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_mistake(ganglion, people, mistake, tmp_path):
    words, code, message = WRONG[mistake]
    ran = ganglion("train", people, *words)
    assert ran.code == code
    assert ran.out == ""
    assert re.search(message, ran.err), ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


FILES = {
    "missing": (None, r"data\.csv does not exist.*current folder"),
    "empty": (b"", r"data\.csv is empty \(0 bytes\)"),
    "blank": (b" \n\n", r"data\.csv is empty. A table needs at least one row"),
    "binary": (bytes(range(256)) * 9, r"data\.csv is no text: it holds NUL bytes.*Save the table again as text"),
    "names only": (b"age,rich\n", "no row of data|holds nothing but missing|too few"),
    "ragged": (b"age,rich\n1,2\n3\n", r"data\.csv, line 3: 1 fields? found, 2 expected.*Correct or remove the line"),
    "open quote": (b'age,rich\n1,"a\n2,b\n', "a quoted field is never closed"),
    "equal names": (b"age,age,rich\n1,2,a\n3,4,b\n", "these stand more than once: age"),
    "few rows": (b"age,rich\n1,a\n2,b\n", "2 rows are too few to train and test on. Give at least 10"),
    "infinity": (b"age,rich\n" + b"1,a\ninf,b\n" * 9, "column 'age' holds infinity in row 1"),
    "one class": (b"age,rich\n" + b"1,a\n2,a\n" * 9, "one class only, 'a'"),
    "no target at all": (b"age,rich\n" + b"1,\n2,?\n" * 9, "0 rows are too few|nothing but missing values"),
    "every class once": (
        b"age,rich\n" + b"".join(b"%d,name%d\n" % (i % 7, i) for i in range(30)),
        "another value in each of the 29 training rows, so there are no classes to learn. Choose another column",
    ),
}


@pytest.mark.parametrize("mistake", FILES)
def test_file(ganglion, mistake, tmp_path):
    content, message = FILES[mistake]
    if content is not None:
        (tmp_path / "data.csv").write_bytes(content)
    ran = ganglion("train", "data.csv", "-t", "rich")
    assert ran.code == 1
    assert re.search(message, ran.err), ran.err
    assert ran.out == ""
    assert not (tmp_path / "model.ganglion").exists()


def test_folder_as_data(ganglion, tmp_path):
    ran = ganglion("train", tmp_path, "-t", "rich")
    assert ran.code == 1
    assert "is a folder or zip without pictures or Parquet files; it holds nothing at all" in ran.err


def test_test_rows_of_a_class_that_was_not_trained(ganglion, people, tmp_path):
    write(tmp_path / "other.csv", [[*row[:3], "middling"] for row in table(20)])
    ran = ganglion("train", people, "-t", "rich", "--test", "other.csv")
    assert ran.code == 1
    assert "labels that MLPClassifier was not trained on: 'middling'" in ran.err
    assert not (tmp_path / "model.ganglion").exists()


def test_mixed_types_in_a_column(ganglion, tmp_path):
    rows = table()
    rows[7][0] = "forty"
    write(tmp_path / "p.csv", rows)
    ran = ganglion("train", "p.csv", "-t", "rich", *QUICK, "--no-baselines")
    assert ran.code == 0
    assert re.search("warning: .*'age'.*'forty'", ran.err), ran.err


def test_a_failed_save_keeps_the_old_model(ganglion, people, tmp_path, monkeypatch):
    assert ganglion("train", people, "-t", "rich", *QUICK, "--no-baselines").code == 0
    old = (tmp_path / "model.ganglion").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = ganglion("train", people, "-t", "rich", *QUICK, "--no-baselines", "--seed", "5")
    assert ran.code == 1
    assert "No space left on device. What stood there before is untouched. Free some space" in ran.err
    assert (tmp_path / "model.ganglion").read_bytes() == old
