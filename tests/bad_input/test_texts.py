"""Mistakes with texts: each is refused, or told, in words that say what to do."""

import numpy as np
import pandas as pd
import pytest

from ganglion.algorithms.rnn import RNNClassifier
from ganglion.algorithms.text_cnn import TextCNN
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter, UnsupportedType

TEXTS = ["a good film, really", "a bad film, really"] * 20
Y = np.array(["up", "down"] * 20)


def quick(**options):
    return TextCNN(**{"maps": 4, "embedding": 8, "epochs": 1, "random_state": 0} | options)


@pytest.fixture(scope="module")
def model():
    return quick().fit(TEXTS, Y)


@pytest.mark.parametrize("nothing", ["", " \t\n", None, float("nan")])
def test_an_empty_text(nothing):
    with pytest.raises(InvalidInput, match=r"1 of 40 texts are empty \(row 3\).*Leave these rows out"):
        quick().fit([*TEXTS[:3], nothing, *TEXTS[4:]], Y)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["good", ""], InvalidInput, r"1 of 2 texts are empty \(row 1\)"),
        ([], InvalidInput, "Expected 2D array"),
        ("a good film", UnsupportedType, "a str cannot be read as data"),
        ([b"good", b"bad"], UnsupportedType, r"of bytes: b'good'.*each.decode\('utf-8'\)"),
        (["good", 3], UnsupportedType, r"text 1 is a int \(3\)"),
        ([np.zeros((3, 2)), np.zeros((4, 2))], InvalidInput, "trained on the texts of: text.*or a list of texts"),
        (pd.DataFrame({"size": [1.0, 2.0]}), InvalidInput, "trained on the columns text. Given: size"),
    ],
)
def test_what_is_no_list_of_texts(model, given, error, message):
    with pytest.raises(error, match=message):
        model.predict(given)


def test_one_class_and_unequal_numbers():
    with pytest.raises(InvalidInput, match=r"one class only, 'up'.*at least two classes"):
        quick().fit(TEXTS, ["up"] * 40)
    with pytest.raises(InvalidInput, match=r"inconsistent numbers of samples: \[40, 39\]"):
        quick().fit(TEXTS, Y[:-1])


def test_no_word_stands_there_twice():
    with pytest.raises(InvalidInput, match=r"no token that stands there 2 times or more.*smaller min_count"):
        quick().fit([f"word{i}" for i in range(40)], Y)


def test_words_never_seen_are_answered(model):
    assert set(model.predict(["zyzzyva", "東京 qwertz", "\N{PILE OF POO}"])) <= {"up", "down"}


def test_a_text_longer_than_is_read(model):
    with pytest.warns(DataWarning, match=r"1 of 2 texts have more than 5 tokens \(the longest 300\); what stands"):
        answers = model.predict_proba(["good film " * 150, "good"])
    np.testing.assert_allclose(answers[:1], model.predict_proba(["good film good film good"]), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenizer": "word"}, "no tokenizer is called 'word'. Did you mean 'words'"),
        ({"tokenizer": "words(vocabulary=3)"}, "vocabulary"),
        ({"max_length": 0}, "max_length is an integer at least 1 or 'auto'"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
@pytest.mark.parametrize("cls", [TextCNN, RNNClassifier])
def test_options(cls, options, message):
    with pytest.raises(InvalidParameter, match=message):
        cls(**options).fit(TEXTS, Y)
