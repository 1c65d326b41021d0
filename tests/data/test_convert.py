"""Whatever is in memory becomes the same data set."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.errors import InvalidInput, UnsupportedType

X = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
COLUMNS = {"n": [1.5, 2.5, None], "b": [True, False, True], "c": ["x", None, "y"], "i": [1, 2, 3]}


def values(data: Dataset):
    return {
        field.name: (field.kind, field.shape, field.categories, data.columns[field.name].tolist())
        for field in data.fields
    }


@pytest.mark.parametrize(
    "given",
    [X.tolist(), torch.from_numpy(X), X.astype(object), X.astype(str), np.asfortranarray(X), X[::-1][::-1]],
    ids=["list", "tensor", "object", "str", "fortran", "reversed"],
)
def test_numbers_make_one_block(given):
    data = as_dataset(given)
    assert data.field("x").shape == (3,)
    np.testing.assert_array_equal(data.columns["x"].numpy(), X)


@pytest.mark.parametrize(("given", "kept"), [("float32", "float32"), ("float16", "float32"), ("int64", "float64")])
def test_types_of_numbers(given, kept):
    assert as_dataset(np.ones((2, 2), dtype=given)).columns["x"].dtype == getattr(torch, kept)


def test_memory_is_shared_even_when_read_only(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for array in (X, mapped):
        assert as_dataset(array).columns["x"].data_ptr() == array.ctypes.data


def test_a_dataset_is_returned_as_it_is():
    data = as_dataset(X)
    assert as_dataset(data) is data
    assert as_dataset(data, names=["block"]).names == ("block",)


def test_mixed_cells_make_columns():
    data = as_dataset([["a", 1.5], ["b", None]])
    assert [(field.name, field.kind) for field in data.fields] == [("x0", "categorical"), ("x1", "numeric")]
    assert as_dataset(X, names=["a", "b", "c"]).names == ("a", "b", "c")


def test_all_frames_agree():
    frames = [pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS), pa.table(COLUMNS), COLUMNS]
    first, *others = [values(as_dataset(frame).drop(["n"])) for frame in frames]
    assert all(other == first for other in others)
    for frame in frames:
        np.testing.assert_array_equal(as_dataset(frame).columns["n"].numpy(), [1.5, 2.5, np.nan])


def test_dates_categories_and_nullable_types():
    frame = pd.DataFrame(
        {
            "d": pd.to_datetime(["2024-01-02", None]).tz_localize("Europe/Berlin"),
            "c": pd.Categorical(["u", None], categories=["v", "u"]),
            "i": pd.Series([1, None], dtype="Int64"),
            "b": pd.Series([None, True], dtype="boolean"),
            "s": pd.to_timedelta([90, None], unit="s"),
            7: [1.0, 2.0],
        }
    )
    data = as_dataset(frame)
    assert [field.kind for field in data.fields] == ["date", "categorical", "numeric", "boolean", "numeric", "numeric"]
    assert data.columns["d"][0] == pd.Timestamp("2024-01-02", tz="Europe/Berlin").timestamp()
    assert data.columns["s"][0] == 90.0
    assert data.names[-1] == "7"
    assert all(torch.isnan(data.columns[name]).sum() == 1 for name in "dibs")


def test_records_and_blocks_in_a_mapping():
    records = np.array([(1.0, "a"), (2.0, "b")], dtype=[("n", "f8"), ("c", "U1")])
    assert [field.kind for field in as_dataset(records).fields] == ["numeric", "categorical"]
    data = as_dataset({"x": np.ones((4, 3)), "picture": np.zeros((4, 8, 8), dtype=np.uint8), "y": [1, 2, 3, 4]})
    assert [field.shape for field in data.fields] == [(3,), (1, 8, 8), ()]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 8, 9), (5, 1, 8, 9)),
        ((5, 8, 9, 3), (5, 3, 8, 9)),
        ((5, 3, 8, 9), (5, 3, 8, 9)),
        ((5, 8, 9, 1), (5, 1, 8, 9)),
    ],
)
@pytest.mark.parametrize(("given", "kept"), [("uint8", "uint8"), ("int64", "float32"), ("float64", "float32")])
def test_images(shape, expected, given, kept):
    array = np.arange(np.prod(shape)).reshape(shape).astype(given)
    data = as_dataset(array)
    assert data.columns["image"].shape == expected
    assert data.columns["image"].dtype == getattr(torch, kept)
    if shape[-1] == 3:
        np.testing.assert_array_equal(data.columns["image"].numpy()[:, 2], array[..., 2].astype(kept))


@pytest.mark.parametrize("shape", [(5, 3, 8, 3), (5, 8, 9, 7), (32, 32, 3), (28, 28, 1000)])
def test_swapped_axes(shape):
    with pytest.raises(InvalidInput, match=r"swapped axes are suspected.*Allowed are \(n, height, width\)"):
        as_dataset(np.zeros(shape, dtype=np.uint8))


def test_missing_pixels():
    with pytest.raises(InvalidInput, match="image 0 holds NaN or infinity"):
        as_dataset(np.full((2, 4, 5), np.nan))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones(3), r"Expected 2D array, got 1D array instead[\s\S]*Reshape your data"),
        (np.float64(3), r"Expected 2D array, got scalar array instead[\s\S]*Reshape your data"),
        (pd.Series([1.0, 2.0]), "Expected 2D array, got 1D array instead"),
        (np.ones((1, 1, 1, 1, 1)), "Found array with dim 5"),
        (np.ones((0, 3)), r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required\."),
        (np.ones((12, 0)), r"0 feature\(s\) \(shape=\(12, 0\)\) while a minimum of 1 is required\."),
        (pd.DataFrame({"a": []}), r"Found array with 0 sample\(s\) \(shape=\(0, 1\)\)"),
        ({}, "0 feature"),
        (np.array([[1.0, 2.0], [3.0, np.inf]]), r"column 'x1' holds infinity in row 1"),
        (np.ones((2, 2)) * 1j, "Complex data not supported"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than once: a"),
        ([[1, 2], [3]], "unequal length"),
        ({"a": [1, 2], "b": [1]}, "equal length"),
    ],
)
def test_refused_values(given, message):
    with pytest.raises(InvalidInput, match=message):
        as_dataset(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (scipy.sparse.csr_matrix(np.eye(3)), r"Sparse data was given.*toarray"),
        (pl.LazyFrame({"a": [1]}), r"collect"),
        (np.array([[1.0, {"foo": "bar"}]], dtype=object), "argument must be a string or a number"),
        (pl.DataFrame({"a": [[1, 2]]}), "argument must be a string or a number"),
        ("file.csv", r"read\(path\)"),
    ],
)
def test_refused_types(given, message):
    with pytest.raises(UnsupportedType, match=message):
        as_dataset(given)


def test_wrong_number_of_names():
    with pytest.raises(InvalidInput, match="2 names were given for 3 columns"):
        as_dataset(X, names=["a", "b"])
