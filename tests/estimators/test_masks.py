"""Masks: what is read and what is refused, their codes, and how well two agree."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import confusion_matrix, jaccard_score

from ganglion.errors import InvalidInput, InvalidModel
from ganglion.estimators.masks import MaskTarget, confusion, mean_iou, read_masks
from ganglion.estimators.targets import target_from_json
from ganglion.networks.outputs import Softmax

MASKS = np.random.default_rng(0).integers(0, 3, (4, 5, 6))


@pytest.mark.parametrize(
    ("given_", "dtype"),
    [
        (MASKS, np.uint8),
        (MASKS.astype(np.uint16), np.uint8),
        (MASKS[..., None].astype(np.int8), np.uint8),
        (list(MASKS), np.uint8),
        (MASKS.tolist(), np.uint8),
        (torch.from_numpy(MASKS), np.uint8),
        (MASKS * 1000, np.int64),
        (MASKS > 1, np.bool_),
    ],
)
def test_what_is_read(given_, dtype):
    found = read_masks(given_, 4, (5, 6))
    assert (found.shape, found.dtype) == ((4, 5, 6), dtype)
    np.testing.assert_array_equal(found, np.asarray(given_).reshape(4, 5, 6))


def test_bytes_are_not_copied():
    masks = MASKS.astype(np.uint8)
    assert read_masks(masks, 4, (5, 6)) is masks


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (None, "needs masks"),
        (MASKS / 2, r"numbers with fractions.*astype\(np.uint8\)"),
        (MASKS.astype(str), "values of the type <U"),
        (MASKS.astype(object), "values of the type object"),
        (MASKS[:3], r"\[4, 3\]. Give one mask an image"),
        (MASKS[:, :4], "fit no image: they have 4 × 6 pixels, the images 5 × 6"),
        (MASKS.transpose(0, 2, 1), "fit no image: they have 6 × 5 pixels"),
        (MASKS[:, 0, 0], "no stack of masks.*one label an image take CNNClassifier"),
        (np.stack([MASKS, MASKS], -1), r"no stack of masks.*y.argmax\(-1\)"),
        ([MASKS[0], MASKS[1][:, :3], MASKS[2], MASKS[3]], r"unequal size were given: \(5, 3\), \(5, 6\)"),
        (MASKS - (np.arange(4) == 2)[:, None, None], "mask 2 holds negative numbers, the lowest is -1"),
    ],
)
def test_what_is_refused(given_, words):
    with pytest.raises(InvalidInput, match=words):
        read_masks(given_, 4, (5, 6))


@pytest.mark.parametrize("values", [[0, 1], [3, 7, 200], [10, 1000, 2**40], [False, True]])
def test_codes_and_back(values):
    masks = np.array(values)[np.random.default_rng(1).integers(0, len(values), (6, 4, 5))]
    masks = read_masks(masks, 6, (4, 5))
    target = MaskTarget.fit(masks)
    assert target.classes.tolist() == values
    assert target.n_scores == len(values)
    assert isinstance(target.output(), Softmax)
    codes = target.encode(masks)
    assert codes.dtype == torch.uint8
    np.testing.assert_array_equal(codes, np.searchsorted(values, masks))
    again = target.decode(codes)
    np.testing.assert_array_equal(again, masks, strict=True)
    stored = target_from_json(json.loads(json.dumps(target.to_json())))
    np.testing.assert_array_equal(stored.classes, target.classes, strict=True)


@pytest.mark.parametrize("unknown", [1, 5, 9])
def test_a_class_that_training_had_not(unknown):
    target = MaskTarget.fit(np.array([[[2, 4, 8]]], dtype=np.uint8))
    with pytest.raises(InvalidInput, match=rf"the classes \[{unknown}\], which are not among .*\[2, 4, 8\]"):
        target.encode(np.array([[[2, unknown]]], dtype=np.uint8))


def test_one_class_and_too_many_classes():
    with pytest.raises(InvalidInput, match="one class only, 5,"):
        MaskTarget.fit(np.full((3, 4, 4), 5, dtype=np.uint8))
    with pytest.raises(InvalidInput, match="more than 256 classes, as if they numbered objects"):
        MaskTarget.fit(np.arange(400).reshape(1, 20, 20))
    assert MaskTarget.fit(np.arange(256).reshape(1, 16, 16)).n_scores == 256


STORED = MaskTarget.fit(MASKS.astype(np.uint8)).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"classes": [0]},
        {"classes": [1, 0]},
        {"classes": [0, 0]},
        {"classes": [-1, 0]},
        {"classes": [0, 1.0]},
        {"classes": [0, 300]},
        {"classes": [False, True]},
        {"classes": list(range(257)), "dtype": "int64"},
        {"classes": 3},
        {"dtype": "object"},
        {"dtype": None},
    ],
)
def test_a_damaged_description_is_refused(change):
    with pytest.raises(InvalidModel, match="target is damaged"):
        target_from_json(STORED | change)


@given(arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3)), arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3)))
def test_agreement_is_scikit_learns(truth, said):
    tables = confusion(torch.from_numpy(truth), torch.from_numpy(said), 4)
    for table, one, other in zip(tables, truth, said, strict=True):
        np.testing.assert_array_equal(table, confusion_matrix(one.ravel(), other.ravel(), labels=range(4)))
    occur = np.union1d(truth, said)
    expected = jaccard_score(truth.ravel(), said.ravel(), labels=occur, average="macro")
    np.testing.assert_allclose(mean_iou(tables.sum(0)), expected, rtol=1e-12)


def test_counts_do_not_overflow_their_bytes():
    ones = torch.full((1, 40, 40), 255, dtype=torch.uint8)
    assert confusion(ones, ones, 256)[0, 255, 255] == 1600
    assert mean_iou(np.array([[3, 1], [2, 0]])) == pytest.approx((3 / 6 + 0 / 3) / 2)
