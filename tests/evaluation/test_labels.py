from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.labels import match_labels


def test_equal_labels_are_matched_without_a_word():
    assert match_labels(np.array(["b", "a", "b"]), ["a", "b"]).tolist() == [1, 0, 1]
    assert match_labels(np.array([3.0, 1.0]), [1, 3]).tolist() == [1, 0]
    assert match_labels(np.array([True, False]), [0, 1]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("y", "classes", "codes"),
    [
        ([" >50K.", " <=50K."], ["<=50K", ">50K"], [1, 0]),
        (["YES", "no "], ["no", "yes"], [1, 0]),
        (["1", "0"], [0, 1], [1, 0]),
        ([1.0, 2.0], ["1", "2"], [0, 1]),
        (["True", "false"], [False, True], [1, 0]),
        ([True, False], ["False", "True"], [1, 0]),
        (["1", "0"], [False, True], [1, 0]),
        (["yes", "No"], ["No", "Yes"], [1, 0]),
    ],
)
def test_other_spellings_are_matched_and_told(y, classes, codes):
    with pytest.warns(DataWarning, match=" as "):
        assert match_labels(np.array(y, dtype=object), classes).tolist() == codes


def test_strangers_are_refused_with_the_classes():
    with pytest.raises(InvalidInput, match=r"'maybe'.*'no', 'yes'"):
        match_labels(np.array(["yes", "maybe"]), ["no", "yes"])


def test_two_spellings_of_one_class_are_refused():
    with pytest.raises(InvalidInput, match="two ways, 'yes' and 'YES'"):
        match_labels(np.array(["yes", "YES", "no"]), ["no", "yes"])


def test_two_classes_that_differ_in_case_only_stay_two():
    assert match_labels(np.array(["A", "a"]), ["A", "a"]).tolist() == [0, 1]
    with pytest.raises(InvalidInput, match="not trained on: 'A '"):
        match_labels(np.array(["A ", "a"]), ["A", "a"])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_labels_taken_from_the_classes_come_back(codes):
    classes = np.array(["ape", "bee", "cat", "dog", "eel"])
    assert match_labels(classes[codes], classes.tolist()).tolist() == codes
