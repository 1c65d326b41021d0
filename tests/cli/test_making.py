"""Models that make data on the command line: trained without a target, judged, and asked for more."""

import csv
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ganglion.algorithms.autoencoder import Autoencoder
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.algorithms.vae import VAE

SMALL = ("--set", "epochs=2", "--set", "hidden=8", "--set", "latent=2")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Small models of a table with classes, and of pictures."""
    folder = tmp_path_factory.mktemp("models")
    digits = load_digits()
    rng = np.random.default_rng(0)
    options = {"epochs": 2, "hidden": (8,), "latent": 2, "random_state": 0}
    X, y = rng.normal(size=(60, 2)), rng.choice(["no", "yes"], 60)
    VAE(conditional=True, **options).fit(X, y).save(folder / "classes")
    VAE(**options).fit((16 * digits.images[:60] - 1).clip(0).astype(np.uint8)).save(folder / "pictures")
    Autoencoder(**options).fit(X).save(folder / "codes")
    MLPClassifier(epochs=1, hidden=(4,), random_state=0).fit(X, y).save(folder / "classifier")
    return folder


def test_a_table_is_learned_without_a_target(ganglion, people):
    ran = ganglion("train", people, "-a", "VAE", *SMALL, "--report", "page.html", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report["task"] == "generation"
    assert report["comparison"]["metric"] == "coverage"
    assert report["model"]["metrics"]["tstr"]["value"] is not None
    made = ganglion("sample", "model.ganglion", "-n", 7, "--seed", 1, "--out", "more.csv")
    assert made.code == 0, made.err
    rows = list(csv.DictReader(Path("more.csv").read_text().splitlines()))
    assert len(rows) == 7
    assert list(rows[0]) == ["age", "job", "pay", "rich"]
    assert all(row["age"].lstrip("-").isdigit() for row in rows)  # whole, as in training
    assert {row["job"] for row in rows} <= {"cook", "baker", "clerk"}
    again = ganglion("sample", "model.ganglion", "-n", 7, "--seed", 1)
    assert again.out == Path("more.csv").read_text()


def test_a_target_holds_classes_and_is_not_learned(ganglion, people):
    ran = ganglion("train", people, "--task", "generation", "-t", "rich", *SMALL, "--set", "conditional=true", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert "MLPClassifier" in report["facts"]["Features"]
    assert report["comparison"]["metric"] == "frechet"
    made = ganglion("sample", "model.ganglion", "-n", 3, "--label", ">50K")
    assert made.out.splitlines()[0] == "age,job,pay"
    judged = ganglion("evaluate", "model.ganglion", people, "--json")
    assert judged.code == 0, judged.err
    codes = ganglion("predict", "model.ganglion", people)
    assert codes.code == 1
    assert "ganglion sample MODEL" in codes.err


def test_pictures_go_to_a_sheet_an_array_or_a_folder(ganglion, models):
    assert ganglion("sample", models / "pictures", "-n", 5, "--out", "s.png").code == 0
    width, height = struct.unpack(">II", Path("s.png").read_bytes()[16:24])
    assert (width, height) == (3 * 8 + 2 * 2, 2 * 8 + 2)
    assert ganglion("sample", models / "pictures", "-n", 12, "--out", "many").code == 0
    assert sorted(each.name for each in Path("many").iterdir()) == [f"{i:02}.png" for i in range(12)]
    assert ganglion("sample", models / "pictures", "-n", 2, "--out", "s.npz").code == 0
    assert np.load("s.npz")["image"].shape == (2, 8, 8)


def test_what_says_rows_again_is_judged_by_what_it_misses(ganglion, people):
    ran = ganglion("train", people, "-a", "Autoencoder", *SMALL, "--report", "page.html", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report["comparison"]["metric"] == "reconstruction_error"
    assert report["comparison"]["baseline"] == "PCA"
    assert list(report["model"]["metrics"]) == ["reconstruction_error"]


def test_codes_are_what_a_generator_answers(ganglion, models):
    images = (16 * load_digits().images[:4] - 1).clip(0).astype(np.uint8)
    np.save("some.npy", images)
    ran = ganglion("predict", models / "pictures", "some.npy")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "code_0,code_1"
    assert len(ran.out.splitlines()) == 5


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("pictures",), 2, "give --out FILE.png"),
        (("pictures", "--out", "x.csv"), 2, "pictures go to .png"),
        (("classes", "--out", "x.png"), 2, "rows go to .csv"),
        (("classes", "--out", "nowhere/x.csv"), 1, "does not exist"),
        (("classes", "--label", "ye"), 2, "Did you mean 'yes'"),
        (("pictures", "--label", "3", "--out", "x.png"), 2, "--set conditional=true"),
        (("classes", "--prompt", "Once"), 2, "this model makes rows or pictures"),
        (("classes", "--top-k", "3"), 2, "this model makes rows or pictures"),
        (("classifier", "-n", "3"), 1, "makes nothing new"),
        (("codes", "-n", "3"), 1, "makes nothing new"),
        (("classes", "-n", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_made_is_refused(ganglion, models, words, code, why):
    ran = ganglion("sample", models / words[0], *words[1:])
    assert ran.code == code
    assert why in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("-a", "VAE", "--set", "conditional=true"), 2, "--target NAME"),
        (("-a", "VAE", "--task", "classification"), 2, "Leave one of them out"),
        (("-a", "VAE", "--target", "rixh"), 1, "Did you mean 'rich'"),
        (("-a", "VAE", "--drop", "age", "--drop", "job", "--drop", "pay", "--drop", "rich"), 1, "no column is left"),
    ],
)
def test_what_cannot_be_learned_is_refused(ganglion, people, words, code, why):
    ran = ganglion("train", people, *words, *SMALL)
    assert ran.code == code
    assert why in " ".join(ran.err.split())


def test_they_are_listed(ganglion):
    rows = {row["name"]: row for row in json.loads(ganglion("list", "--json").out)}
    assert rows["VAE"]["task"] == "generation"
    assert rows["VAE"]["reads"] == "table, image"
