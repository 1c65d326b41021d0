"""What one column is taken for."""

import datetime
import warnings

import numpy as np
import pytest
import torch

from ganglion.data.columns import infer_column
from ganglion.data.ragged import Ragged
from ganglion.errors import DataWarning, InvalidInput, UnsupportedType


def kind_of(values, **options):
    return infer_column("c", values, **options)[0].kind


def seconds(*moments):
    return [datetime.datetime.fromisoformat(m).replace(tzinfo=datetime.UTC).timestamp() for m in moments]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " 2.5", "-3e4"], "numeric"),
        ([1, None, 2.5], "numeric"),
        (np.array([1, 2], dtype=np.int8), "numeric"),
        (np.array([True, False]), "boolean"),
        ([True, None, False], "boolean"),
        (["true", "FALSE", "?"], "boolean"),
        (["yes", "no", "yes"], "categorical"),
        (["t", "f", "t"], "categorical"),
        (["2021_01", "2021_02"], "categorical"),
        (["2024-01-02", "2024-02-30"], "categorical"),
        ([f"ID{i}" for i in range(50)], "categorical"),
        ([f"this sentence has number {i} in it" for i in range(50)], "text"),
        (["strongly agree with what was said"] * 5 + ["do not agree at all with it"] * 5, "categorical"),
        (["", None, "NA"], "categorical"),
        (np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"), "date"),
        ([datetime.date(2024, 1, 2), None], "date"),
        (np.array([b"a", b"b"]), "categorical"),
    ],
)
def test_kind(values, kind):
    assert kind_of(values) == kind


@pytest.mark.parametrize("marker", ["", "  ", "?", "-", "NA", "N/A", "nan", "NaN", "null", "NULL", "None", "#N/A"])
def test_markers_are_missing(marker):
    _, numbers = infer_column("c", ["1", marker, "2"])
    assert torch.isnan(numbers).tolist() == [False, True, False]
    _, codes = infer_column("c", ["b", marker, "a"])
    assert codes.tolist() == [1, -1, 0]


def test_categories_are_sorted_and_stripped():
    field, codes = infer_column("c", [" b", "a", "b ", None])
    assert field.categories == ("a", "b")
    assert codes.tolist() == [1, 0, 1, -1]


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        (["2024-01-31", "2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["2024-01", "2024-02"], ["2024-01-01", "2024-02-01"]),
        (["2024-01-31 12:30", "2024-01-31T12:30:15.5"], ["2024-01-31T12:30", "2024-01-31T12:30:15.500"]),
        (["2024-01-31T12:00+02:00", "2024-01-31T12:00Z"], ["2024-01-31T10:00", "2024-01-31T12:00"]),
        (["2024/1/31", "2024/02/01"], ["2024-01-31", "2024-02-01"]),
        (["31.01.2024", "1.2.2024"], ["2024-01-31", "2024-02-01"]),
        (["01/31/2024", "02/01/2024"], ["2024-01-31", "2024-02-01"]),
        (["31/01/2024", "02/01/2024"], ["2024-01-31", "2024-01-02"]),
    ],
)
def test_dates(texts, same):
    field, column = infer_column("c", texts)
    assert field.kind == "date"
    assert column.tolist() == seconds(*same)


def test_dates_that_could_be_swapped_are_left_alone():
    with pytest.warns(DataWarning, match=r"'day'.*could be swapped.*YYYY-MM-DD"):
        field, _ = infer_column("day", ["01/02/2024", "03/04/2024"])
    assert field.kind == "categorical"


def test_text_is_kept_as_utf8():
    sentences = [f"ein Satz über {i} schöne Dinge, täglich" for i in range(30)]
    field, column = infer_column("c", [*sentences, None])
    assert field.kind == "text"
    assert isinstance(column, Ragged)
    assert bytes(column.values[: column.offsets[1]].tolist()).decode() == sentences[0]
    assert column.offsets[-1] == column.offsets[-2]


def test_few_odd_values_among_numbers_are_missing():
    with pytest.warns(DataWarning, match=r"'age'.*1 of 40 values.*'unknown', first in row 39"):
        field, column = infer_column("age", [*map(str, range(39)), "unknown"])
    assert field.kind == "numeric"
    assert torch.isnan(column).sum() == 1


def test_many_odd_values_make_categories():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kind_of(["1", "2", "3", "unknown"]) == "categorical"


def test_float32_stays_and_memory_is_shared():
    values = np.array([1.5, 2.5], dtype=np.float32)
    _, column = infer_column("c", values)
    assert column.dtype == torch.float32
    assert column.data_ptr() == values.ctypes.data


@pytest.mark.parametrize(("values", "kind"), [([1, 2], "categorical"), (["1", "0"], "boolean"), (["a b"], "text")])
def test_kind_can_be_chosen(values, kind):
    assert kind_of(values, kind=kind) == kind


def test_a_kind_that_does_not_fit():
    with pytest.raises(InvalidInput, match=r"'c' cannot be read as numeric: it holds 'a'"):
        infer_column("c", ["a", "1"], kind="numeric")


@pytest.mark.parametrize("odd", [{"foo": "bar"}, [1, 2], object()])
def test_objects_are_refused(odd):
    with pytest.raises(UnsupportedType, match=r"column 'c' .*row 1.*argument must be a string or a number"):
        infer_column("c", np.array([1.0, odd, None], dtype=object))


@pytest.mark.parametrize("values", [np.array([1j]), [1j, 2.0]])
def test_complex_numbers_are_refused(values):
    with pytest.raises(InvalidInput, match="Complex data not supported"):
        infer_column("c", values)


@pytest.mark.parametrize("values", [np.array([1.0, np.inf]), [1.0, -np.inf, None], ["1", "inf"]])
def test_infinity_is_refused(values):
    with pytest.raises(InvalidInput, match=r"column 'c' holds infinity in row 1"):
        infer_column("c", values)
