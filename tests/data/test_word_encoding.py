"""From words to ids: of themselves, their ends and shapes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.convert import as_dataset
from ganglion.data.encoders import encoder_from_json, modality_of
from ganglion.data.tokens import holds_tokens, tokens_to_dataset, words_of
from ganglion.data.word_encoding import WordEncoder
from ganglion.data.word_looks import FEATURES, UNKNOWN, shape_of
from ganglion.errors import DataWarning, InvalidInput, InvalidModel, UnsupportedType

SENTENCES = [
    ["The", "walking", "cat"],
    ["the", "talking", "dog"],
    ["a", "Walk-in", "of", "1984"],
    ["the", "U.S.", "12"],
]


def spelled(encoder: WordEncoder, given) -> list[list[list[str]]]:
    """What the ids of words stand for."""
    names = ["", "<unknown>", *(name for known in encoder.vocabularies for name in known)]
    return [[[names[i] for i in word] for word in text.tolist()] for text in encoder.encode(given)["words"].split()]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("cat", "x"),
        ("Cat", "Xx"),
        ("CAT", "X"),
        ("McDonald", "XXx"),
        ("Well-known", "Xx-x"),
        ("1984", "d"),
        ("3.14", "d.d"),
        ("U.S.", "X.X."),
        ("--", "-"),
        ("``", "`"),
        ("B2B", "XdX"),
        ("\u732b", "x"),
        ("Caf\u00e9", "Xx"),
        ("don't", "x'x"),
    ],
)
def test_shapes(word, shape):
    assert shape_of(word) == shape


def test_words_ends_and_shapes_have_ids_by_how_many_texts_have_them():
    encoder = WordEncoder.fit(tokens_to_dataset(SENTENCES))
    words, *ends, shapes = encoder.vocabularies
    assert words == ("the",)  # in three texts; all others stand in one
    assert set(shapes) == {"x", "d"}  # "Xx", "Xx-x" and "X.X." stand in one text each
    assert ends[2] == ("ing",)
    assert ends[3] == ("king",)
    assert set(ends[4]) == {"t", "w", "1"}
    (first, second) = spelled(encoder, tokens_to_dataset([["The", "Balking"]]))[0]
    assert first == ["the", "e", "he", "", "", "t", "th", "", ""]
    assert second == ["<unknown>", "g", "ng", "ing", "king", "", "", "", ""]


def test_a_word_in_one_text_is_written_nowhere_however_often_it_stands_there():
    data = tokens_to_dataset([["zyzzyva"] * 9 + ["the"], ["the"]])
    assert "zyzzyva" not in str(WordEncoder.fit(data).to_json())
    assert "zyzzyva" in str(WordEncoder.fit(data, min_count=1).to_json())


def test_the_most_frequent_words_are_kept():
    data = tokens_to_dataset([["a", "b"], ["a", "b"], ["a", "c"], ["c"]])
    assert WordEncoder.fit(data, most=2).vocabularies[0] == ("a", "b")


@given(st.lists(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5), min_size=1, max_size=5))
def test_any_words_are_encoded_one_row_each(texts):
    data = tokens_to_dataset(texts)
    encoder = WordEncoder.fit(data, min_count=1)
    column = encoder.encode(data)["words"]
    assert column.lengths.tolist() == list(map(len, texts))
    assert column.values.shape[1] == FEATURES
    assert 0 <= int(column.values.min()) <= int(column.values.max()) < encoder.n_ids
    assert (column.values[:, 0] > UNKNOWN).all()  # all were seen
    for text, rows in zip(texts, spelled(encoder, data), strict=True):
        assert [row[0] for row in rows] == [word.lower() for word in text]
    assert encoder_from_json(encoder.to_json()) == encoder


@pytest.mark.parametrize(
    "given",
    [
        SENTENCES,
        [tuple(each) for each in SENTENCES],
        [np.array(each) for each in SENTENCES],
        [pd.Series(each) for each in SENTENCES],
        [pl.Series(each) for each in SENTENCES],
        np.array(SENTENCES, dtype=object),
        pd.Series(SENTENCES),
        np.array(SENTENCES[:2]),
    ],
    ids=["lists", "tuples", "arrays", "pandas", "polars", "objects", "series", "matrix"],
)
def test_containers_of_words(given):
    assert holds_tokens(given)
    data = tokens_to_dataset(given)
    assert modality_of(data) == "text"
    assert data.values("tokens").tolist() == SENTENCES[: len(given)]


@pytest.mark.parametrize(
    "given", [["a text"], [], None, [1, 2], [["a", 1]], np.zeros((2, 2)), [[]], "text", [["a"], None]]
)
def test_what_holds_no_words(given):
    assert not holds_tokens(given)


def test_texts_are_cut_at_blanks():
    codes, distinct = words_of(as_dataset(["the cat\tthe", "a  cat"]))
    assert [[distinct[i] for i in text] for text in codes.split()] == [["the", "cat", "the"], ["a", "cat"]]


def test_bad_data_are_refused():
    encoder = WordEncoder.fit(tokens_to_dataset(SENTENCES))
    with pytest.raises(InvalidInput, match=r"1 of 3 sentences are empty \(row 1\)"):
        encoder.encode(tokens_to_dataset([["a"], [], ["b"]]))
    with pytest.raises(InvalidInput, match=r"2 of 2 sentences are empty \(row 0, 1\)"):
        WordEncoder.fit(as_dataset(["", " "]))
    with pytest.raises(InvalidInput, match="there are no words to read in the columns x"):
        WordEncoder.fit(as_dataset(np.zeros((2, 2))))
    with pytest.raises(InvalidInput, match="the column 'tokens' is missing"):
        encoder.encode(as_dataset({"a": ["x", "y"], "b": ["x", "y"]}))
    with pytest.raises(UnsupportedType, match="'tokens' holds numeric values"):
        encoder.encode(as_dataset({"tokens": [1.5, 2.5]}))


def test_other_columns_are_left_out_with_a_warning():
    data = as_dataset({"words": ["the cat of the house is white", "the dog of the house is black"], "x": [1.0, 2.0]})
    with pytest.warns(DataWarning, match="'x' are left out"):
        assert WordEncoder.fit(data).column == "words"


@pytest.mark.parametrize(
    "damage",
    [
        {"column": 1},
        {"longest": 0},
        {"longest": True},
        {"vocabularies": []},
        {"vocabularies": None},
        {"vocabularies": [["a", "a"]] + [[]] * (FEATURES - 1)},
        {"vocabularies": [["a", 1]] + [[]] * (FEATURES - 1)},
        {"vocabularies": [[""]] + [[]] * (FEATURES - 1)},
        {"encoder": "smell"},
        {"encoder": "text"},
    ],
)
def test_a_damaged_encoder_is_refused(damage):
    with pytest.raises(InvalidModel):
        encoder_from_json(WordEncoder.fit(tokens_to_dataset(SENTENCES)).to_json() | damage)
