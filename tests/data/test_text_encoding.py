"""From texts to ids: columns, lengths, words never seen, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ganglion.algorithms.rnn import RNNClassifier
from ganglion.data.convert import as_dataset
from ganglion.data.encoders import encoder_from_json
from ganglion.data.text_encoding import LONGEST, TextEncoder
from ganglion.data.tokenizers import Words
from ganglion.data.vocabulary import UNKNOWN
from ganglion.errors import DataWarning, InvalidInput, InvalidModel

TEXTS = ["a good film", "a bad film", "so good, so good", "bad, bad and bad"]


def fitted(texts=TEXTS, **settings) -> TextEncoder:
    return TextEncoder.fit(as_dataset(texts), Words(min_count=1), **settings)


def words_of(encoder: TextEncoder, given) -> list[str]:
    return [encoder.tokenizer.decode(each) for each in encoder.encode(as_dataset(given))["tokens"].split()]


def test_texts_become_the_ids_of_their_words():
    assert words_of(fitted(), TEXTS) == ["a good film", "a bad film", "so good , so good", "bad , bad and bad"]
    assert fitted().spec.vocabulary == 4 + 7


def test_a_word_never_seen_is_unknown_and_no_error():
    tokens = fitted().encode(as_dataset(["a good book"]))["tokens"]
    assert tokens.values.tolist()[-1] == UNKNOWN
    assert UNKNOWN not in tokens.values.tolist()[:-1]


@pytest.mark.parametrize("texts", [["good", "", "bad", " \n"], ["good", None, "bad", "\t"]])
def test_empty_texts_are_refused_by_row(texts):
    data = as_dataset({"text": ["long enough to be a text of many words"] * 3, "x": [1, 2, 3]}).drop(["x"])
    encoder = TextEncoder.fit(data, Words(min_count=1))
    frame = pd.DataFrame({"text": texts})
    with pytest.raises(InvalidInput, match=r"2 of 4 texts are empty \(row 1, 3\).*Leave these rows out"):
        encoder.encode(as_dataset(frame))


def test_longer_texts_are_cut_with_a_warning():
    encoder = fitted(longest=2)
    with pytest.warns(DataWarning, match="4 of 4 texts have more than 2 tokens .the longest 5.*max_length"):
        assert words_of(encoder, TEXTS) == ["a good", "a bad", "so good", "bad ,"]
    assert encoder.spec.longest == 2


def test_the_longest_text_counts_up_to_a_limit():
    assert fitted().longest == 5
    assert fitted(["a " * (LONGEST + 9), "a"]).longest == LONGEST


def test_several_columns_are_one_text_and_others_are_left_out():
    # long enough, and different enough, to be texts and no labels
    rows = [f"number {i} says that this is a text of words" for i in range(9)]
    frame = pd.DataFrame({"title": rows, "body": rows[::-1], "stars": range(9)})
    with pytest.warns(DataWarning, match="'stars' hold no text.*left out"):
        encoder = TextEncoder.fit(as_dataset(frame), Words(min_count=1))
    assert encoder.columns == ("title", "body")
    with pytest.raises(
        InvalidInput, match=r"the column 'title' is missing. Did you mean 'titles'.*texts of: title, body"
    ):
        encoder.encode(as_dataset(frame.drop(columns="body").rename(columns={"title": "titles"})))
    joined = encoder.encode(as_dataset(frame))["tokens"]
    assert joined.lengths.tolist() == [20] * 9


def test_no_text_is_refused():
    with pytest.raises(InvalidInput, match="there is no text to read"):
        TextEncoder.fit(as_dataset(np.zeros((3, 2))), Words())
    with pytest.raises(InvalidInput, match="stands there 2 times or more"):
        TextEncoder.fit(as_dataset(["one two", "three four"]), Words())


@pytest.mark.parametrize(
    "given",
    [
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pl.Series("words", TEXTS),
        tuple(TEXTS),
        pd.DataFrame({"words": TEXTS}),
    ],
    ids=["strings", "objects", "pandas", "polars", "tuple", "frame"],
)
def test_containers_of_texts_are_read_alike(given):
    model = RNNClassifier(width=2, embedding=2, epochs=1, random_state=0)
    expected = model.fit(TEXTS * 1, [0, 1, 0, 1]).predict_proba(TEXTS)
    np.testing.assert_array_equal(model.fit(given, [0, 1, 0, 1]).predict_proba(given), expected)


@pytest.mark.parametrize(
    "damage",
    [
        {"columns": []},
        {"columns": [1]},
        {"columns": "text"},
        {"longest": 0},
        {"longest": 1.5},
        {"tokenizer": None},
        {"tokenizer": {"tokenizer": "words", "lowercase": True, "vocabulary": ["a"]}},
        {"modality": "smell"},
    ],
)
def test_a_damaged_encoder_is_refused(damage):
    stored = fitted().to_json()
    assert encoder_from_json(stored) == fitted()
    with pytest.raises(InvalidModel):
        encoder_from_json(stored | damage)
