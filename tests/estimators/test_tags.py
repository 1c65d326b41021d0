"""Labels of words: how they are read, their codes, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch

from ganglion.errors import InvalidInput, InvalidModel
from ganglion.estimators.tags import FILLING, STRANGE, TagTarget, read_tags
from ganglion.estimators.targets import target_from_json

Y = [["b", "a"], ["a"], ["c", "a", "a"]]
LENGTHS = np.array([2, 1, 3])


@pytest.mark.parametrize(
    "given",
    [
        Y,
        tuple(map(tuple, Y)),
        [np.array(each) for each in Y],
        [pd.Series(each) for each in Y],
        np.array(Y, dtype=object),
        pd.Series(Y),
    ],
)
def test_containers_of_labels(given):
    assert read_tags(given, LENGTHS).tolist() == Y


def test_numbers_and_truth_values_become_pythons_own():
    read = read_tags([np.array([1, 2]), [np.int64(3)], [4.0, 5, 6]], LENGTHS)
    assert read.tolist() == [[1, 2], [3], [4, 5, 6]]
    assert {type(label) for row in read for label in row} == {int}
    assert read_tags(torch.tensor([[0, 1], [1, 1]]), np.array([2, 2])).tolist() == [[0, 1], [1, 1]]
    assert read_tags(np.array([[True, False]]), np.array([2])).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "y is NoneType"),
        ("a text", "y is str"),
        ({"a": 1}, "y is dict"),
        (np.zeros((3, 2, 2)), r"y is ndarray of shape \(3, 2, 2\)"),
        (Y[:2], r"inconsistent numbers of samples: \[3, 2\]"),
        ([["b"], ["a"], ["c", "a", "a"]], r"row 0 has 2 words or steps, but 1 labels; 1 of 3 rows are so"),
        ([["b", "a"], [], ["c", "a"]], r"row 1 has 1 words or steps, but 0 labels; 2 of 3 rows"),
        (["ba", "a", "caa"], "row 0 of y is 'ba', and no list of labels"),
        ([["b", "a"], None, ["c", "a", "a"]], "the labels of row 1 are missing"),
        ([["b", None], ["a"], ["c", "a", "a"]], "the label of word or step 1 in row 0 is missing"),
        ([["b", np.nan], ["a"], ["c", "a", "a"]], "the label of word or step 1 in row 0 is missing"),
        ([["b", 1], ["a"], ["c", "a", "a"]], "mixed kinds: int, str"),
        ([[1, 2], [1], [1, 2, 0.5]], "word or step 2 in row 2 is 0.5, a float"),
    ],
)
def test_bad_labels_are_refused(given, words):
    with pytest.raises(InvalidInput, match=words):
        read_tags(given, LENGTHS)


def tags(rows=Y) -> np.ndarray:
    return read_tags(rows, np.array(list(map(len, rows))))


def test_codes_of_labels_and_of_those_never_seen():
    target = TagTarget.fit(tags(), None)
    assert target.classes.tolist() == ["a", "b", "c"]
    assert target.per_sample == 2
    codes = target.encode(tags([["c", "d"], ["a"]]))
    assert codes.values.tolist() == [2, STRANGE, 0]
    assert codes.padded(torch.arange(2))[0].tolist() == [[2, STRANGE], [0, FILLING]]


def test_weights_of_texts_and_labels_count_in_the_usual_length():
    weight = np.array([1.0, 3.0, 0.5])
    assert TagTarget.fit(tags(), weight).per_sample == pytest.approx((2 + 3 + 1.5) / 4.5)
    repeated = TagTarget.fit(tags([Y[0], Y[1], Y[1], Y[1]]), None)
    assert TagTarget.fit(tags(Y[:2]), weight[:2]).per_sample == pytest.approx(repeated.per_sample)
    balanced = TagTarget.fit(tags(), None, "balanced")
    assert balanced.weights.tolist() == pytest.approx([6 / (3 * 4), 6 / 3, 6 / 3])
    assert balanced.per_sample == pytest.approx(2)
    assert TagTarget.fit(tags(), None, {"b": 5.0}).weights.tolist() == [1, 5, 1]


def test_one_label_is_refused():
    with pytest.raises(InvalidInput, match="one class only, 'a'"):
        TagTarget.fit(tags([["a"], ["a", "a"]]), None)


@pytest.mark.parametrize("rows", [Y, [[1, 0], [1]], [[True, False]]])
def test_a_target_survives_json(rows):
    target = TagTarget.fit(tags(rows), None, "balanced")
    again = target_from_json(target.to_json())
    assert isinstance(again, TagTarget)
    assert again.classes.tolist() == target.classes.tolist()
    assert again.classes.dtype.kind == target.classes.dtype.kind
    assert again.weights.tolist() == target.weights.tolist()
    assert again.per_sample == target.per_sample


@pytest.mark.parametrize(
    "damage",
    [
        {"classes": ["a"]},
        {"classes": ["b", "a"]},
        {"classes": ["a", "a"]},
        {"classes": ["a", 1]},
        {"classes": None},
        {"dtype": "float"},
        {"per_sample": 0},
        {"per_sample": "2"},
        {"per_sample": float("nan")},
        {"weights": [1.0]},
        {"weights": [1.0, -1.0, 1.0]},
        {"weights": [1.0, float("inf"), 1.0]},
        {"weights": "balanced"},
    ],
)
def test_a_damaged_target_is_refused(damage):
    with pytest.raises(InvalidModel, match="target is damaged"):
        target_from_json(TagTarget.fit(tags(), None).to_json() | damage)
