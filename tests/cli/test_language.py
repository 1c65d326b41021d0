"""From a text file to a model that writes, on the command line."""

import json

import pytest

from ganglion.algorithms.language_model import LanguageModel
from ganglion.algorithms.perceptron import Perceptron

SCENE = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" * 30
SMALL = {"steps": 3, "width": 16, "layers": 1, "heads": 2, "context": 16}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "book.ganglion"
    LanguageModel(**SMALL, random_state=0).fit([SCENE]).save(path)
    return path


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text(SCENE)
    return path


def test_a_text_is_taken_for_one(ganglion, book, tmp_path):
    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    ran = ganglion("train", book, *settings, "--report", "report.html", "--seed", 1)
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "LanguageModel: language modelling from texts; there is no target" in said
    n_test = len(SCENE) - int(said.split(" characters to train on")[0].split()[-1].replace(",", ""))
    assert f"{n_test} to test on" in said
    assert len(SCENE) * 0.1 <= n_test <= len(SCENE) * 0.15  # at the end of a line
    assert "Bits per character" in ran.out
    assert "Written by the model" in (tmp_path / "report.html").read_text()


def test_a_model_writes(ganglion, trained):
    texts = [ganglion("sample", trained, "-p", "All:", "--length", 20, "--seed", 3).out for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("All:")
    assert len(texts[0]) == len("All:") + 20 + 1
    assert len(ganglion("sample", trained, "--length", 300, "--stop", "e", "--seed", 3).out) < 300


def test_texts_are_judged(ganglion, trained, book):
    assert json.loads(ganglion("predict", trained, book, "--json").out)[0]["log_likelihood"] < 0
    judged = json.loads(ganglion("evaluate", trained, book, "--train", book, "--json").out)
    assert judged["task"] == "language_modelling"
    assert [each["name"] for each in judged["baselines"]] == ["unigram", "5-gram", "LZMA"]


def test_inspect_says_what_can_be_learned(ganglion, book):
    assert "language modelling; there is no target" in ganglion("inspect", book).out


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--temperature", "-1"), "temperature=-1.0: give a number of 0 or more"), (("--top-p", "2"), "top_p=2.0: give")],
)
def test_what_makes_no_sense_is_refused(ganglion, trained, words, message):
    ran = ganglion("sample", trained, *words)
    assert ran.code == 2
    assert message in " ".join(ran.err.split())


def test_models_of_other_kinds_write_nothing(ganglion, tmp_path):
    Perceptron(random_state=0).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).save(tmp_path / "other.ganglion")
    ran = ganglion("sample", "other.ganglion")
    assert ran.code == 1
    assert "other.ganglion is a Perceptron, which makes nothing new" in " ".join(ran.err.split())
