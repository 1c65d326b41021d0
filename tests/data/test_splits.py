"""Splits keep their promises; duplicate rows are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.convert import as_dataset
from ganglion.data.splits import duplicate_rows, split, split_end
from ganglion.errors import InvalidInput, InvalidParameter


@settings(max_examples=100)
@given(st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 9))
def test_every_row_is_in_one_part(n, fraction, seed):
    train, test = split(n, test_fraction=fraction, random_state=seed)
    assert sorted([*train, *test]) == list(range(n))
    assert len(test) == min(max(1, round(fraction * n)), n - 1)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=60))
def test_classes_keep_their_shares(labels):
    y = np.array([f"class {label}" for label in labels])
    train, test = split(y, test_fraction=0.25)
    assert len(train) + len(test) == len(y)
    assert len(test) >= 1
    if len(set(labels)) < len(labels):  # else there is one row for each class
        assert set(y) == set(y[train])
    for label in set(y):
        count = np.count_nonzero(y == label)
        assert abs(np.count_nonzero(y[test] == label) - 0.25 * count) <= 1


def test_the_same_seed_gives_the_same_rows():
    assert np.array_equal(split(50, random_state=3)[1], split(50, random_state=3)[1])
    assert not np.array_equal(split(50, random_state=3)[1], split(50, random_state=4)[1])


def test_stratify_can_be_chosen():
    y, labels = np.arange(40) / 7, np.arange(40) % 2
    assert labels[split(y, stratify=labels)[1]].mean() == 0.5
    assert len(split(labels, stratify=False)[1]) == 8
    with pytest.raises(InvalidParameter, match="stratify=True needs the target"):
        split(40, stratify=True)
    with pytest.raises(InvalidInput, match=r"stratify has shape \(40,\), but there are 30 rows"):
        split(30, stratify=labels)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=50))
def test_groups_stay_together(groups):
    if len(set(groups)) < 2:
        with pytest.raises(InvalidInput, match="all rows are of one group"):
            split(len(groups), groups=groups)
        return
    train, test = split(len(groups), groups=groups)
    of = np.array(groups)
    assert len(test)
    assert len(train)
    assert not set(of[train]) & set(of[test])


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 5])
def test_bad_fraction(fraction):
    with pytest.raises(InvalidParameter, match=f"test_fraction={fraction}"):
        split(10, test_fraction=fraction)


def test_one_row():
    with pytest.raises(InvalidInput, match="1 rows cannot be split"):
        split(1)


def table(rows):
    numbers, words = zip(*rows, strict=True)
    return as_dataset({"n": list(numbers), "block": np.array([[v, v] for v in numbers]), "w": list(words)})


rows = st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.0, 2.5]), st.sampled_from("abc")), min_size=1, max_size=15)


@settings(max_examples=60)
@given(rows, rows)
def test_duplicates_equal_a_set(one, two):
    seen, expected = set(), []
    for row in one:
        expected.append(row in seen)
        seen.add(row)
    assert duplicate_rows(table(one)).tolist() == expected
    assert duplicate_rows(table(one), table(two)).tolist() == [row in set(two) for row in one]


def test_duplicates_of_images_text_and_missing_values():
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 5), dtype=np.uint8)
    images[4] = images[1]
    assert np.flatnonzero(duplicate_rows(as_dataset(images))).tolist() == [4]
    text = [f"a sentence of some length, number {i}" for i in (1, 2, 1, 3, 4)]
    assert np.flatnonzero(duplicate_rows(as_dataset({"t": text}))).tolist() == [2]
    assert duplicate_rows(as_dataset({"n": [np.nan, 1.0, np.nan], "c": [None, "a", None]})).tolist() == [
        False,
        False,
        True,
    ]


@given(st.lists(st.sampled_from(["abc\n", "de fg", " ", "\n", "x"]), min_size=8, max_size=60), st.floats(0.05, 0.6))
def test_the_end_of_a_text_is_held_out(parts, share):
    text = "start " + "".join(parts) + " the end"
    begin, end = (str(part.values("text")[0]) for part in split_end(as_dataset([text]), share))
    assert begin + end == text
    assert len(end) >= round(share * len(text)) - 1
    assert "\n" not in text[: len(text) - round(share * len(text))] or begin.endswith("\n")


def test_the_last_of_several_texts_are_held_out():
    texts = ["a" * 50, "b" * 30, "c" * 10, "d" * 10]
    begin, end = (part.values("text").tolist() for part in split_end(as_dataset(texts), 0.2))
    assert (begin, end) == (texts[:2], texts[2:])
    begin, end = (part.values("text").tolist() for part in split_end(as_dataset(texts), 0.001))
    assert (begin, end) == (texts[:3], texts[3:])
    begin, end = (part.values("text").tolist() for part in split_end(as_dataset(texts), 0.99))
    assert (begin, end) == (texts[:1], texts[1:])


def test_texts_without_an_end_are_refused():
    with pytest.raises(InvalidInput, match="too short to learn from 90%"):
        split_end(as_dataset(["a"]), 0.1)
    with pytest.raises(InvalidParameter, match="test_fraction=1"):
        split_end(as_dataset(["a long text"]), 1.0)
