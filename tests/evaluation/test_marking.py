"""The words that pushed a model to its wrong answer: which are marked, how texts are cut, and how both are shown."""

import re

import numpy as np
import pytest
from rich.console import Console

from ganglion.algorithms.text_cnn import TextCNN
from ganglion.algorithms.transformer import TransformerRegressor
from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import run_baselines
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.marking import LETTERS, marked, shortened
from ganglion.evaluation.predictions import Truth

FILLER = "the film that was shown to all of us in town on <monday>"


def reviews(n=120, seed=0):
    """Return texts that are good or bad by one word, with a few wrong labels at the end."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(n):
        words = rng.permutation(FILLER.split())[: rng.integers(3, 9)].tolist()
        words.insert(int(rng.integers(0, len(words))), "Lovely" if i % 2 else "Dreadful")
        texts.append(" ".join(words) + ".")
        labels.append("good" if i % 2 else "bad")
    return texts, np.array(labels)


@pytest.fixture(scope="module")
def model():
    return TextCNN(maps=16, embedding=16, batch_size=16, epochs=12, random_state=0).fit(*reviews())


@pytest.fixture(scope="module")
def report(model):
    texts, labels = reviews(40, seed=1)
    labels[:4] = np.where(labels[:4] == "good", "bad", "good")
    return evaluate(model, texts, labels, train=reviews(), n_bootstrap=40)


def test_word_scores_name_the_word_that_decides(model):
    ((pieces, scores),) = model.word_scores(["All of us,\n  Dreadful town"])
    assert "".join(pieces) == "All of us,\n  Dreadful town"
    assert pieces == ["All ", "of ", "us", ",\n  ", "Dreadful ", "town"]
    assert scores.shape == (6, 2)
    np.testing.assert_allclose(scores[:, 0], -scores[:, 1])
    assert scores[:, 0].argmax() == 4
    change = model.decision_function(["All of us,\n  Dreadful town", "All of us,\n  zyzzyva town"])
    np.testing.assert_allclose(scores[4, 1], change[0] - change[1], atol=1e-5)


def test_word_scores_of_long_texts_and_of_what_is_not_read():
    texts, _ = reviews()
    short = TransformerRegressor(width=8, layers=1, heads=2, epochs=1, max_length=3, random_state=0)
    with pytest.warns(UserWarning, match="not read"):
        short.fit(texts, np.arange(120.0))
    ((pieces, scores),) = short.word_scores(["a film of us all"])
    assert len(pieces) == 5
    assert scores.shape == (5, 1)
    assert (scores[3:] == 0).all()
    ((pieces, scores),) = (
        TextCNN(maps=2, epochs=1, max_length=400, random_state=0).fit(*reviews()).word_scores(["film " * 300])
    )
    assert len(np.unique(scores[:, 0])) <= 128


def test_word_scores_are_of_texts():
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(InvalidInput, match=r"was trained on table data. Give a model of texts"):
        TransformerRegressor(epochs=1).fit(X, X[:, 0] * X[:, 1]).word_scores(X)


def test_marks_are_shares_of_the_strongest_push():
    found = marked(["a ", "b ", "c ", "d"], np.array([-3.0, 1.0, 2.0, 0.1]))
    assert found == (("a ", 0.0), ("b ", 0.5), ("c ", 1.0), ("d", 0.0))
    assert marked(["a ", "b"], np.zeros(2)) == (("a ", 0.0), ("b", 0.0))


def test_long_texts_are_cut_around_their_marks():
    text = [(f"w{i} ", 0.0) for i in range(1000)]
    text[700] = ("strong ", 1.0)
    text[300] = ("weak ", 0.3)
    cut = shortened(text)
    shown = "".join(piece for piece, _ in cut)
    assert len(shown) < LETTERS + 10
    assert re.match(r"w0 w1 .* … .*w299 weak w301 .* … .*w699 strong w701 .* … $", shown)
    assert shortened(text[:20]) == tuple(text[:20])
    assert sum(mark > 0 for _, mark in cut) == 2


def test_the_report_shows_marked_texts(report):
    assert {each.row for each in report.mistakes} >= {0, 1, 2, 3}
    for mistake in report.mistakes[:4]:
        marks = {piece.strip(): strength for piece, strength in mistake.pieces}
        assert max(marks.get("Lovely", 0), marks.get("Dreadful", 0)) > 0.5
        assert "".join(piece for piece, _ in mistake.pieces) == mistake.features["text"]
    page = report.to_html()
    assert len(re.findall(r"<mark[^>]*>(Lovely|Dreadful)</mark>", page)) >= 4
    assert "<monday>" not in page
    assert "without them it would have leant more to the truth" in page
    assert [each.name for each in report.baselines] == ["majority class", "logistic regression on words", "naive Bayes"]
    console = Console(width=90, record=True, force_terminal=True)
    console.print(report)
    assert re.search(r"\x1b\[1;4;31m(Lovely|Dreadful)", console.export_text(styles=True))
    assert report.to_dict()["mistakes"][0]["pieces"]


def test_baselines_of_texts_count_words():
    texts, labels = reviews()
    truth = Truth("binary", (labels == "good").astype(np.int64), ("bad", "good"))
    for train in (None, (texts, truth)):
        raced = {each.name: each for each in run_baselines(truth, texts, train=train)}
        assert (raced["logistic regression on words"].predictions.values == truth.values).mean() > 0.95
        assert (raced["naive Bayes"].predictions.values == truth.values).mean() > 0.95
    numbers = Truth("regression", (labels == "good")[:, None] * 2.0, ("y",))
    _, ridge = run_baselines(numbers, texts, train=(texts, numbers), weight=None)
    assert ridge.name == "ridge regression on words"
    assert np.abs(ridge.predictions.values - numbers.values).mean() < 0.5
