"""The command on tagged corpora, from a zip of documents to words with their labels."""

import json
import zipfile

import numpy as np
import pytest

import ganglion as gg


def sentences(n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    nouns, verbs = ["cat", "dog", "bird"], ["runs", "eats", "sleeps"]
    return [f"the/at {rng.choice(nouns)}/nn {rng.choice(verbs)}/vb ./." for _ in range(n)]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(20):
            archive.writestr(f"small/c{i:02}", "\n\n".join(sentences(5, seed=i)))
    return path


@pytest.fixture
def trained(ganglion, corpus):
    ran = ganglion(
        *("train", corpus, "--set", "epochs=3", "--set", "width=8", "--set", "learning_rate=0.02"),
        *("--json", "--out", "m.ganglion", "--report", "r.html"),
    )
    assert ran.code == 0, ran.err
    return ran


def test_train_finds_task_and_algorithm_and_reports(ganglion, trained, tmp_path):
    report = json.loads(trained.out)
    assert report["task"] == "tagging"
    assert report["model"]["name"] == "RNNTagger"
    assert [each["name"] for each in report["baselines"]][-1] == "hidden Markov model"
    assert report["notes"][0] == "20 of 100 rows, 4 whole files were held out at random (seed 0)."
    assert "tagging: a label of every word" in (tmp_path / "r.html").read_text("utf-8")
    assert gg.load(tmp_path / "m.ganglion").metrics_["accuracy"]["value"] > 0.5


def test_train_says_what_it_takes_and_why(ganglion, corpus):
    ran = ganglion("train", corpus, "--set", "epochs=1", "--set", "width=2", "--no-baselines", "--out", "m")
    assert ran.code == 0, ran.err
    assert "RNNTagger: tagging from texts; the target holds a list of labels" in " ".join(ran.err.split())


def test_predict_writes_words_with_labels(ganglion, trained, tmp_path):
    (tmp_path / "new.jsonl").write_text('{"tokens": ["the", "dog", "and/or"]}\n{"tokens": ["the"]}\n')
    ran = ganglion("predict", "m.ganglion", tmp_path / "new.jsonl", "--probabilities")
    assert ran.code == 0, ran.err
    header, first, second = ran.out.splitlines()
    assert header == "prediction,probability"
    words, shares = first.split(",")
    assert [pair.rpartition("/")[0] for pair in words.split()] == ["the", "dog", "and/or"]
    assert words.startswith("the/at dog/nn")
    assert all(0 < float(share) <= 1 for share in shares.split())
    assert second.startswith("the/at,")


def test_predict_on_a_corpus_names_the_files(ganglion, trained, corpus):
    ran = ganglion("predict", "m.ganglion", corpus, "--json")
    rows = json.loads(ran.out)
    assert len(rows) == 100
    assert rows[0]["file"] == "c00"
    assert rows[0]["prediction"].split()[0] == "the/at"


def test_evaluate_another_corpus(ganglion, trained, tmp_path):
    (tmp_path / "other.pos").write_text("\n".join(sentences(12, seed=99)))
    ran = ganglion("evaluate", "m.ganglion", tmp_path / "other.pos", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["n_rows"] == 12


def test_a_damaged_corpus_is_refused_before_training(ganglion, tmp_path):
    (tmp_path / "bad.conll").write_text("the AT\ncat\n")
    ran = ganglion("train", tmp_path / "bad.conll")
    assert ran.code == 1
    assert "has no word with a label in line 2" in " ".join(ran.err.split())
