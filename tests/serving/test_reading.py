"""What comes as JSON: its depth is known before it is parsed, and each value is checked."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.asking import frame, rows_of

from ganglion.deployment.describing import signature_of
from ganglion.deployment.serving.columns import columns_of
from ganglion.deployment.serving.json_text import depth_of, parse_json
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits
from ganglion.deployment.signature import Input, Signature

LIMITS = Limits(depth=5, values=50)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def depth_by_walking(tree):
    if isinstance(tree, dict):
        return 1 + max(map(depth_by_walking, tree.values()), default=0)
    return 1 + max(map(depth_by_walking, tree), default=0) if isinstance(tree, list) else 0


@settings(max_examples=30)
@given(TREES, st.booleans())
def test_depth_is_that_of_the_parsed_tree(tree, ascii_only):
    assert depth_of(json.dumps(tree, ensure_ascii=ascii_only).encode()) == depth_by_walking(tree)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"[" * 6 + b"]" * 6, 422, "6 deep; allowed are 5"),
        (b"[" * 100_000, 422, "deep"),
        (b'{"a":' * 100_000, 422, "deep"),
        (b"[NaN]", 422, "NaN"),
        (b"[-Infinity]", 422, "-Infinity"),
        (b"[1" + b",1" * 50 + b"]", 413, "more than 50 values"),
        (b"{'a': 1}", 422, "no JSON: .* in line 1"),
        (b"\xff\xfe[]", 422, "UTF-8"),
        (b"[" + b"9" * 5000 + b"]", 422, "digits"),
        (b'["\\ud800"]', 422, "half of a letter"),
        (b"", 422, "no JSON"),
    ],
)
def test_hostile_json_is_refused(body, status, says):
    with pytest.raises(Refused, match=says) as caught:
        parse_json(body, LIMITS)
    assert caught.value.status == status


def test_brackets_in_texts_are_letters():
    assert parse_json(b'["[[[[[[[[", "\\"[[[[[[["]', LIMITS) == ["[[[[[[[[", '"[[[[[[[']
    assert parse_json(b'["\\ud83d\\ude00"]', LIMITS) == ["\U0001f600"]


@pytest.mark.parametrize("body", [b'"' * 2_000_001, b'"' + b'\\"' * 1_000_000, b"[{" * 1_000_000])
def test_depth_takes_time_by_length_only(body):
    assert depth_of(body) >= 0  # a search that began anew at each quote would take hours


# rows


def test_rows_become_the_columns_that_the_model_reads(mixed):
    columns = columns_of(rows_of(frame()), signature_of(mixed))
    assert columns["size"].dtype == np.float64
    assert np.isnan(columns["size"][0])
    assert columns["color"].tolist() == frame()["color"].tolist()
    assert columns["when"][0] == frame()["when"][0].timestamp()
    assert set(columns["loud"].tolist()) == {0.0, 1.0}


def test_objects_and_lists_are_the_same_rows(mixed):
    rows = rows_of(frame(5))
    named, listed = (columns_of(each, signature_of(mixed)) for each in (rows, [list(row.values()) for row in rows]))
    for name, column in named.items():
        np.testing.assert_array_equal(column, listed[name])


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("size", "1.5", "'size', row 1: the text '1.5' came; allowed is a number"),
        ("size", True, "true came"),
        ("size", 1e999, "the number inf"),
        ("size", 10**400, "the number 1000"),
        ("size", [1], "a list of 1 came"),
        ("color", {"a": 1}, "an object of 1 came; allowed is a text, .*'blue', 'green', 'red'"),
        ("loud", 1, "the number 1 came; allowed is true or false"),
        ("when", "yesterday", "'yesterday' came; allowed is a date"),
        ("when", 20240101, "the number 20240101"),
        ("when", "2024-02-31", "'2024-02-31'"),
    ],
)
def test_a_wrong_value_is_named(mixed, column, value, says):
    rows = rows_of(frame(3))
    rows[1][column] = value
    with pytest.raises(Refused, match=says) as caught:
        columns_of(rows, signature_of(mixed))
    assert caught.value.status == 422
    assert caught.value.details["column"] == column
    assert caught.value.details["row"] == 1


def test_a_missing_column_is_named_with_the_nearest(mixed):
    rows = rows_of(frame(3))
    rows[2]["colour"] = rows[2].pop("color")
    with pytest.raises(Refused, match=r"row 2 has no column 'color'\. Is it 'colour'\?"):
        columns_of(rows, signature_of(mixed))


@pytest.mark.parametrize("value", [None, 3, 3.0, True, "3"])
def test_labels_may_come_as_numbers(value):
    grade = Input("grade", "categorical", "string", ("N", 1), ("3",))
    signature = Signature(estimator="", task="classification", modality="table", target="", inputs=(grade,), outputs=())
    (found,) = columns_of([{"grade": value}], signature)["grade"]
    assert found == (None if value is None else str(value) if value is True else "3")


@pytest.mark.parametrize("rows", [[], [1], [{}, []], [None], [[1, 2]], ["x"]])
def test_what_is_no_row_is_refused(mixed, rows):
    with pytest.raises(Refused) as caught:
        columns_of(rows, signature_of(mixed))
    assert caught.value.status == 422


def test_a_block_names_the_column_that_is_wrong(numbers):
    with pytest.raises(Refused, match="'x1', row 1: the text 'a'"):
        columns_of([[1, 2, 3], [1, "a", 3]], signature_of(numbers))
    with pytest.raises(Refused, match="row 0 has 2 values; a list has 3: x0, x1, x2"):
        columns_of([[1, 2]], signature_of(numbers))
    by_name = columns_of([{"x0": 1, "x1": None, "x2": 3}], signature_of(numbers))
    np.testing.assert_array_equal(by_name["X"], [[1, np.nan, 3]])
