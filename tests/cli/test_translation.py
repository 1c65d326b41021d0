"""Pairs of texts and dialogues from the command line: found, trained, told, saved, answered."""

import csv
import json

import numpy as np
import pytest

WORDS = ["red", "green", "blue", "old", "new"], ["house", "tree", "car", "shed"]
QUICK = ("--set", "width=16", "--set", "heads=2", "--set", "layers=1", "--set", "epochs=2", "--set", "beams=2")
SMALL = (*QUICK, "--set", "tokenizer=words(min_count=1)")


@pytest.fixture
def pairs(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "pairs.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["english", "german"])
        for i in range(60):
            words = [str(rng.choice(WORDS[j % 2])) for j in range(5 + i % 3)]
            writer.writerow([f"the {' '.join(words)} {i}", f"{' '.join(reversed(words))} {i} das"])
    return path


def test_pairs_are_trained_told_and_answered(ganglion, pairs):
    ran = ganglion("train", pairs, "--target", "german", *SMALL, "--report", "report.html")
    assert ran.code == 0, ran.err
    assert "Translator: translation from texts; the target holds texts" in ran.err + ran.out
    assert "BLEU" in ran.out
    assert "nearest" in ran.out
    page = (pairs.parent / "report.html").read_text(encoding="utf-8")
    assert "What was looked at for" in page
    told = ganglion("predict", "model.ganglion", pairs, "--json")
    assert told.code == 0, told.err
    answers = json.loads(told.out)
    assert len(answers) == 60
    assert all(isinstance(each["prediction"], str) for each in answers)
    judged = ganglion("evaluate", "model.ganglion", pairs, "--target", "german", "--json")
    assert judged.code == 0, judged.err
    assert json.loads(judged.out)["task"] == "translation"


def test_dialogues_are_trained_on(ganglion, tmp_path):
    lines = [
        {"category": "c", "turns": [f"what is {i} ?", f"it is the number {i} .", f"is it {i} ?"]} for i in range(20)
    ]
    (tmp_path / "talk.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    ran = ganglion("train", "talk.jsonl", "--task", "translation", *SMALL)
    assert ran.code == 0, ran.err
    assert "BLEU" in ran.out
