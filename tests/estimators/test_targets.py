"""Labels and numbers become tensors and come back, also by way of a file."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import DataConversionWarning

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.read import with_target
from ganglion.errors import InvalidInput, InvalidModel
from ganglion.estimators.labels import read_labels, read_numbers
from ganglion.estimators.reading import name_of_target
from ganglion.estimators.targets import ClassTarget, NumberTarget, target_from_json
from ganglion.networks import outputs

# numpy cuts texts at trailing zero bytes, and so do not tell "a" from "a\0"
TEXT = st.text(max_size=8).filter(lambda text: not text.endswith("\0"))
LABELS = {
    "text": st.lists(TEXT, min_size=2, max_size=20, unique=True).map(np.array),
    "integers": st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=20, unique=True).map(np.array),
    "floats": st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20, unique=True).map(
        np.array
    ),
    "truth": st.just(np.array([False, True])),
}


def through_a_file(target):
    return target_from_json(json.loads(json.dumps(target.to_json(), allow_nan=False)))


@pytest.mark.parametrize("kind", LABELS)
@given(data=st.data())
def test_labels_come_back(kind, data):
    distinct = data.draw(LABELS[kind])
    assume(len(np.unique(distinct)) > 1)
    y = distinct[data.draw(arrays("int64", 30, elements=st.integers(0, len(distinct) - 1)))]
    assume(len(np.unique(y)) > 1)
    target = ClassTarget.fit(y)
    kept = through_a_file(target)
    np.testing.assert_array_equal(kept.classes, np.unique(y))
    assert (kept.binary, kept.n_scores) == (target.binary, target.n_scores)
    codes = target.encode(y, torch.float32)
    assert torch.equal(codes, kept.encode(y, torch.float32))
    np.testing.assert_array_equal(target.classes[codes.long().flatten()], y)


def test_shapes_of_class_targets():
    two, three = ClassTarget.fit(np.array(["b", "a"])), ClassTarget.fit(np.array([5, 3, 9]))
    assert (two.n_scores, three.n_scores) == (1, 3)
    assert two.encode(np.array(["b", "a"]), torch.float64).tolist() == [[1.0], [0.0]]
    assert three.encode(np.array([9, 3]), torch.float64).tolist() == [2, 0]
    assert three.encode(np.array([9, 3]), torch.float64).dtype == torch.int64
    assert isinstance(two.output(), outputs.Bernoulli)
    assert isinstance(three.output(), outputs.Softmax)
    several = ClassTarget.fit(np.array([[0, 1], [1, 1]]))
    assert several.n_scores == 2
    assert several.multilabel
    assert not several.binary
    assert several.encode(np.array([[0, 1]]), torch.float32).tolist() == [[0.0, 1.0]]
    assert isinstance(several.output(), outputs.Sigmoid)
    assert through_a_file(several).multilabel


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(InvalidInput, match=r"the target has one class only, 'a'.*at least two classes"):
        ClassTarget.fit(np.array(["a", "a"]))


@pytest.mark.parametrize("unknown", [["c"], ["", "zz"]])
def test_labels_that_training_had_not(unknown):
    with pytest.raises(InvalidInput, match=f"{unknown[0]!r}"):
        ClassTarget.fit(np.array(["a", "b"])).encode(np.array(unknown), torch.float32)


FINITE = st.floats(-1e9, 1e9)


@given(
    y=arrays("float64", st.tuples(st.integers(2, 15), st.integers(1, 3)), elements=FINITE),
    normal=st.booleans(),
    flat=st.booleans(),
)
def test_numbers_come_back(y, normal, flat):
    y = y[:, 0] if flat else y
    target = NumberTarget.fit(y, None, normal=normal, positive=False)
    kept = through_a_file(target)
    assert (kept.n_targets, kept.flat, kept.normal, kept.positive) == (target.n_targets, flat, normal, False)
    np.testing.assert_array_equal(kept.mean, target.mean)
    np.testing.assert_array_equal(kept.deviation, target.deviation)
    assert target.n_scores == target.n_targets * (2 if normal else 1)
    encoded = kept.encode(y, torch.float64)
    scores = torch.cat([encoded, torch.zeros_like(encoded)], 1) if normal else encoded
    back = kept.output()(scores)[:, : target.n_targets].numpy()
    np.testing.assert_allclose(back, y.reshape(len(y), -1), rtol=1e-9, atol=1e-9 * (1 + np.abs(y).max()))


def test_numbers_are_standardised():
    y = np.random.default_rng(0).normal(1e6, 3, size=(100, 2))
    encoded = NumberTarget.fit(y, None, normal=False, positive=False).encode(y, torch.float64).numpy()
    np.testing.assert_allclose([encoded.mean(0), encoded.std(0)], [[0, 0], [1, 1]], atol=1e-9)


@given(times=arrays("int64", 8, elements=st.integers(0, 3)))
def test_a_weight_equals_repetition(times):
    assume(times.sum() > 0)
    y = np.arange(8.0) ** 2
    weighted = NumberTarget.fit(y, times.astype(float), normal=False, positive=False)
    repeated = NumberTarget.fit(np.repeat(y, times), None, normal=False, positive=False)
    np.testing.assert_allclose([weighted.mean, weighted.deviation], [repeated.mean, repeated.deviation], atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3, 1e-300])
def test_a_constant_target_is_kept(value):
    target = NumberTarget.fit(np.full(10, value), None, normal=False, positive=False)
    assert target.deviation.tolist() == [1.0]
    np.testing.assert_allclose(target.output()(torch.zeros(1, 1)).numpy(), value, rtol=1e-12)


def test_rates_are_left_as_they_are():
    target = NumberTarget.fit(np.array([0.0, 4.0]), None, normal=False, positive=True)
    assert (target.mean[0], target.deviation[0]) == (0, 1)
    assert isinstance(through_a_file(target).output(), outputs.Exponential)


def test_a_wrong_number_of_targets():
    with pytest.raises(InvalidInput, match="y has 3 targets a row, but the model was trained on 2"):
        NumberTarget.fit(np.ones((4, 2)), None, normal=False, positive=False).encode(np.ones((4, 3)), torch.float32)


CLASSES = ClassTarget.fit(np.array([1, 2, 3])).to_json()
NUMBERS = NumberTarget.fit(np.arange(4.0), None, normal=False, positive=False).to_json()


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        {"kind": "other"},
        CLASSES | {"classes": [3, 1, 2]},
        CLASSES | {"classes": [1, 1, 2]},
        CLASSES | {"classes": [1]},
        CLASSES | {"classes": []},
        CLASSES | {"classes": [1, "2"]},
        CLASSES | {"classes": [1, 2.0]},
        CLASSES | {"classes": [1, True]},
        CLASSES | {"classes": [2**70, 2**71]},
        CLASSES | {"classes": "abc"},
        CLASSES | {"dtype": "object"},
        CLASSES | {"multilabel": 1},
        NUMBERS | {"n_targets": 2},
        NUMBERS | {"n_targets": 0, "mean": [], "deviation": []},
        NUMBERS | {"n_targets": True},
        NUMBERS | {"mean": ["x"]},
        NUMBERS | {"mean": [[1.0]]},
        NUMBERS | {"deviation": [float("nan")]},
        NUMBERS | {"mean": [float("inf")]},
        NUMBERS | {"flat": 1},
        {key: value for key, value in NUMBERS.items() if key != "normal"},
    ],
)
def test_a_damaged_description_is_refused(stored):
    with pytest.raises(InvalidModel, match="target is damaged"):
        target_from_json(stored)


# reading y


@pytest.mark.parametrize(
    ("y", "kept"),
    [
        (["a", "b"], np.array(["a", "b"])),
        ([1, 2], np.array([1, 2])),
        ([True, False], np.array([True, False])),
        ([1.5, 2.5], np.array([1.5, 2.5])),
        (np.array(["a", "b"], dtype=object), np.array(["a", "b"])),
        (np.array([1, 2], dtype=object), np.array([1, 2])),
        (np.array([True, False], dtype=object), np.array([True, False])),
        (torch.tensor([3, 4]), np.array([3, 4])),
        ([[0, 1], [1, 0]], np.array([[0, 1], [1, 0]])),
        ([[True, False], [False, False]], np.array([[1, 0], [0, 0]])),
        ([[0.0, 1.0], [1.0, 1.0]], np.array([[0, 1], [1, 1]])),
    ],
)
def test_labels_are_read(y, kept):
    found = read_labels(y, 2, several=True)
    np.testing.assert_array_equal(found, kept)
    assert found.dtype.kind == kept.dtype.kind


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        (["a"], r"inconsistent numbers of samples: \[2, 1\]"),
        (["a", None], r"y contains NaN: 1 labels are missing, the first in row 1. Drop those rows"),
        ([1.0, np.nan], "Input y contains NaN in 1 of 2 rows, the first is row 1. Drop those rows"),
        ([1.0, np.inf], "infinity"),
        (np.array(["a", 1], dtype=object), r"y mixes text and numbers.*int, str.*y.astype\(str\)"),
        ([1j, 2j], "omplex"),
        ([[0, 2], [1, 0]], "zeros and ones"),
        ([[[0]], [[1]]], r"shape \(2, 1, 1\)"),
        (7, "shape"),
    ],
)
def test_labels_that_cannot_be_trusted(y, message):
    with pytest.raises(InvalidInput, match=message):
        read_labels(y, 2, several=True)


def test_several_labels_where_one_is_wanted():
    with pytest.raises(InvalidInput, match=r"one label a sample, \(n_samples,\)\.$"):
        read_labels([[0, 1], [1, 0]], 2, several=False)


def test_a_column_of_labels_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning, match=r"y.ravel\(\)"):
        assert read_labels([["a"], ["b"]], 2, several=True).shape == (2,)


@pytest.mark.parametrize(
    "y", [[1, 2], [1.5, 2], ["1", "2"], np.array([1, 2.5], dtype=object), [True, False], torch.ones(2)]
)
def test_numbers_are_read(y):
    assert read_numbers(y, 2, several=False).dtype == np.float64


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"], "y must hold numbers, but holds 'a'. Use a classifier"),
        ([1.0, None], "NaN"),
        ([np.nan, 1.0], "NaN in 1 of 2 rows, the first is row 0"),
        ([np.inf, 1.0], "infinity"),
        ([[1.0, 2.0], [3.0, 4.0]], "one number a sample"),
        ([1.0], "inconsistent numbers of samples"),
        (None, "requires y"),
    ],
)
def test_numbers_that_cannot_be_trusted(y, message):
    with pytest.raises(InvalidInput, match=message):
        read_numbers(y, 2, several=False)


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (pd.Series([0, 1], name="rich"), "rich"),
        (pl.Series("rich", [0, 1]), "rich"),
        (pd.DataFrame({"a": [0, 1], 1: [1, 0]}), "a, 1"),
        (np.array([0, 1]), ""),
        (pd.Series([0, 1]), ""),
        ([0, 1], ""),
    ],
)
def test_the_name_of_the_target_is_that_of_the_series_or_columns(y, name):
    assert name_of_target([[1.0], [2.0]], y) == name


def test_a_model_knows_what_its_target_is_called():
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "rich": ["no", "no", "yes", "yes"]})
    data = with_target(as_dataset(frame), ["rich"])
    assert gg.Perceptron(epochs=1).fit(data).target_name_ == "rich"
