"""Recordings on the command line: folders, zips and tables of them, from training to transcripts."""

import csv
import re

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")
RATE = 4000


def tone(word, rng):
    time = np.arange(rng.integers(500, 700)) / RATE
    return np.sin(2 * np.pi * {"low": 400, "high": 1300}[word] * time) / 2 + 0.02 * rng.normal(size=len(time))


def folder_of_classes(folder, n=40):
    rng = np.random.default_rng(0)
    for i in range(n):
        label = ("low", "high")[i % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / label / f"{i}.flac", tone(label, rng), RATE)
    return folder


def table_of_transcripts(folder, n=40):
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(n):
        words = rng.choice(["low", "high"], rng.integers(3, 8)).tolist()
        soundfile.write(folder / f"{i}.wav", np.concatenate([tone(word, rng) for word in words]), RATE)
        rows.append((f"{i}.wav", " ".join(words)))
    with open(folder / "transcripts.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "transcript"), *rows])
    return folder


def test_classes_from_a_folder(ganglion, tmp_path):
    folder_of_classes(tmp_path / "birds")
    quick = ("--set", "channels=8,8", "--set", "epochs=6", "--set", "batch_size=8", "--set", "hidden=16")
    ran = ganglion("train", "birds", *quick, "--report", "page.html")
    assert ran.code == 0, ran.err
    assert "CNNClassifier: binary from recordings; the target holds labels of 2 classes" in " ".join(ran.err.split())
    assert "32 rows to train on, 8 to test on" in ran.err
    page = (tmp_path / "page.html").read_text()
    assert "Augmentation" in page
    assert "Accuracy" in page
    ran = ganglion("predict", "model.ganglion", "birds", "--out", "said.csv")
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader((tmp_path / "said.csv").read_text().splitlines()))
    assert len(rows) == 40
    assert {"file", "prediction", "p_high", "p_low"} <= rows[0].keys()
    right = sum(row["file"].startswith(row["prediction"]) for row in rows)
    assert right > 30
    ran = ganglion("evaluate", "model.ganglion", "birds")
    assert ran.code == 0, ran.err
    assert "accuracy" in ran.out.lower()


def test_transcripts_from_a_table(ganglion, tmp_path):
    table_of_transcripts(tmp_path / "calls")
    quick = ("--set", "width=16", "--set", "layers=1", "--set", "channels=4", "--set", "epochs=2")
    ran = ganglion("train", "calls", *quick, "--report", "page.html", "--rate", "4000")
    assert ran.code == 0, ran.err
    assert "SpeechRecognizer: speech recognition from recordings" in " ".join(ran.err.split())
    assert re.search(r"Word error rate", ran.out.replace("\N{NO-BREAK SPACE}", " "))
    assert "commonest" in ran.out
    assert "Worst transcripts" in (tmp_path / "page.html").read_text()
    ran = ganglion("predict", "model.ganglion", "calls/3.wav")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == "file,prediction"
    ran = ganglion("evaluate", "model.ganglion", "calls/transcripts.csv", "--target", "transcript")
    assert ran.code == 0, ran.err


def test_looking_at_recordings(ganglion, tmp_path):
    folder_of_classes(tmp_path / "birds", n=12)
    ran = ganglion("inspect", "birds")
    assert ran.code == 0, ran.err
    assert "4,000 samples a second" in " ".join(ran.out.split())


def test_a_rate_that_is_none(ganglion, tmp_path):
    folder_of_classes(tmp_path / "birds", n=12)
    ran = ganglion("train", "birds", "--rate", "44")
    assert ran.code == 2
    assert "16 kHz is 16000" in " ".join(ran.err.split())
