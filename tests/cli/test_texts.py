"""Texts on the command line: folders, tables and JSON lines of them, from training to marked mistakes."""

import csv
import json
import re

import numpy as np
import pytest

WORDS = ["the", "film", "was", "seen", "by", "people", "in", "town", "and", "they", "spoke", "of", "it", "for", "days"]


def reviews(n=60):
    rng = np.random.default_rng(0)
    texts = [
        " ".join([*rng.choice(WORDS, 6), "lovely" if i % 2 else "dreadful", *rng.choice(WORDS, 3)]) for i in range(n)
    ]
    return texts, ["good" if i % 2 else "bad" for i in range(n)]


def put(form, folder):
    """Write reviews in a form; returns the words that train on them."""
    texts, labels = reviews()
    if form == "csv":
        with open(folder / "reviews.csv", "w", newline="") as file:
            csv.writer(file).writerows([("review", "label"), *zip(texts, labels, strict=True)])
        return "reviews.csv", "--target", "label"
    if form == "jsonl":
        lines = [json.dumps({"review": text, "label": label}) for text, label in zip(texts, labels, strict=True)]
        (folder / "reviews.jsonl").write_text("\n".join(lines))
        return "reviews.jsonl", "--target", "label"
    for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
        (folder / "reviews" / label).mkdir(parents=True, exist_ok=True)
        (folder / "reviews" / label / f"{i}.txt").write_text(text)
    return ("reviews",)


QUICK = (
    "--set",
    "maps=8",
    "--set",
    "embedding=8",
    "--set",
    "epochs=6",
    "--set",
    "batch_size=4",
    "--set",
    "learning_rate=0.01",
)


@pytest.mark.parametrize("form", ["csv", "jsonl", "folder"])
def test_the_whole_road(ganglion, tmp_path, form):
    ran = ganglion("train", *put(form, tmp_path), *QUICK, "--report", "page.html")
    assert ran.code == 0, ran.err
    assert "TextCNN: binary from texts; the target holds labels of 2 classes" in ran.err
    assert "48 rows to train on, 12 to test on" in ran.err
    for name in ("majority", "logistic", "naive"):
        assert name in ran.out
    assert "they cannot read these data" not in ran.out
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "one.txt").write_text("a lovely film, seen by people")
    ran = ganglion("predict", "model.ganglion", "new")
    assert ran.out.splitlines()[0] == "file,prediction,p_bad,p_good"
    assert ran.out.splitlines()[1].startswith("one.txt,good,")


def test_mistakes_show_the_words(ganglion, tmp_path):
    ganglion("train", *put("csv", tmp_path), *QUICK, "--no-baselines")
    (tmp_path / "turned.csv").write_text(
        "review,label\n" + "the lovely people in town,bad\nthe dreadful film,good\n" * 3
    )
    ran = ganglion("evaluate", "model.ganglion", "turned.csv", "--target", "label", "--report", "page.html")
    assert ran.code == 0, ran.err
    assert "the lovely people in town" in ran.out
    page = (tmp_path / "page.html").read_text()
    assert re.search(r"<mark[^>]*>lovely</mark>", page)
    assert re.search(r"<mark[^>]*>dreadful</mark>", page)
    ran = ganglion("evaluate", "model.ganglion", "turned.csv", "--target", "label", "--json")
    pieces = json.loads(ran.out)["mistakes"][0]["pieces"]
    assert max(pieces, key=lambda piece: piece[1])[0].strip() in ("lovely", "dreadful")


def test_inspect(ganglion, tmp_path):
    texts, labels = reviews()
    texts[5], texts[6] = "", texts[8]
    rows = "\n".join(f"{text},{label}" for text, label in zip(texts, labels, strict=True))
    (tmp_path / "reviews.csv").write_text(f"review,label\n{rows}\n")
    ran = ganglion("inspect", "reviews.csv", "--target", "label")
    said = " ".join(ran.out.split())
    assert "0 … 10 words, half have up to 10" in said
    assert "Task: binary of label" in said
    assert "review has no text in 1.67% of the rows" in said
    assert "repeat an earlier row" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (bytes(range(256)), "is no text"),
    ],
)
def test_files_that_hold_no_text(ganglion, tmp_path, content, message):
    ganglion("train", *put("csv", tmp_path), "--set", "epochs=1", "--no-baselines")
    (tmp_path / "new.txt").write_bytes(content)
    ran = ganglion("predict", "model.ganglion", "new.txt")
    assert ran.code == 1
    assert message in ran.err
    assert not ran.out
