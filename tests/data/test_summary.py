"""Shares of training data: counted by hand, never a value of a single row, and nothing believed of a file."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.encoding import TableEncoder
from ganglion.data.summarising import summarise
from ganglion.data.summary import Summary, of_numbers, summary_from_json
from ganglion.errors import InvalidModel


def summary_of(table):
    data = as_dataset(table)
    return summarise(data, TableEncoder.fit(data))


def test_bins_hold_equal_shares_of_different_numbers():
    column = of_numbers("x", "numeric", np.random.default_rng(0).permutation(np.arange(1000.0)))
    assert len(column.edges) == 19
    np.testing.assert_allclose(column.shares, 0.05, atol=0.002)
    np.testing.assert_allclose(column.edges, np.arange(50, 1000, 50), atol=1)


@given(st.lists(st.floats(-1e12, 1e12) | st.just(3.0), min_size=1, max_size=200))
def test_shares_are_those_of_the_rows(values):
    column = of_numbers("x", "numeric", np.array([*values, np.nan]))
    assert column.missing == pytest.approx(1 / (len(values) + 1))
    if column.edges:
        bins = np.digitize(values, column.edges, right=True)
        np.testing.assert_allclose(column.shares, np.bincount(bins, minlength=len(column.shares)) / len(values))


def test_categories_of_a_single_row_are_not_named():
    table = pd.DataFrame({"c": ["a"] * 5 + ["b"] * 3 + ["Mrs Smith", None]})
    (column,) = summary_of(table).columns
    assert column.labels == ("a", "b")
    np.testing.assert_allclose(column.shares, [5 / 9, 3 / 9, 1 / 9])
    assert column.missing == pytest.approx(0.1)
    assert "Smith" not in json.dumps(summary_of(table).to_json())
    np.testing.assert_array_equal(column.counts(np.array(["a", "c", "b", "c"], dtype=object)), [1, 1, 2])


def test_no_number_of_a_single_row_is_told():
    rng = np.random.default_rng(0)
    values = rng.normal(size=500) * 1e5
    told = of_numbers("salary", "numeric", values).edges
    assert not set(told) & set(values.tolist())
    assert min(told) > values.min()
    assert max(told) < values.max()
    assert of_numbers("few", "numeric", values[:15]).edges == ()


def test_kinds_and_blocks():
    table = pd.DataFrame({"flag": [True, False, True, True] * 10, "when": pd.date_range("2024-01-01", periods=40)})
    flag, when = summary_of(table).columns
    assert flag.shares == (0.25, 0.75)
    assert when.kind == "date"
    assert len(when.edges) == 3
    names = [column.name for column in summary_of(np.random.default_rng(0).normal(size=(50, 120))).columns]
    assert names == [f"x{i}" for i in range(100)]


def test_a_large_table_is_looked_at_in_part():
    X = np.random.default_rng(0).normal(size=(30_000, 100)).astype(np.float32)
    summary = summary_of(X)
    assert summary.n_rows == 4992  # 64 stretches of 78
    np.testing.assert_allclose(summary.columns[0].shares, 0.05, atol=0.01)


# in a model and its file


def test_a_model_keeps_the_summary_of_what_it_learned_from(tmp_path):
    X = pd.DataFrame({"a": np.arange(200.0) % 37, "b": ["x", "y"] * 100})
    y = np.where(X["a"] > 20, "high", "low")
    model = gg.MLPClassifier(hidden=(4,), epochs=5, random_state=0).fit(X, y)
    assert [column.name for column in model.summary_.columns] == ["a", "b"]
    (said,) = model.summary_.prediction
    assert said.labels == ("high", "low")
    np.testing.assert_allclose(said.shares[:2], model.predict_proba(X).mean(0), atol=1e-6)
    model.save(tmp_path / "m.ganglion")
    assert gg.load(tmp_path / "m.ganglion").summary_ == model.summary_


def test_predicted_numbers_are_summed_up_too():
    X = np.random.default_rng(0).normal(size=(400, 2))
    model = gg.MLPRegressor(hidden=(4,), epochs=2, random_state=0).fit(X, X @ [[1.0, 2.0], [0.5, 1.0]])
    first, second = model.summary_.prediction
    assert first.name == "prediction_0"
    predicted = model.predict(X)
    np.testing.assert_allclose(second.shares, second.counts(predicted[:, 1]) / 400)


@pytest.mark.parametrize("stored", [None, {}])
def test_older_files_have_none(stored):
    assert summary_from_json(stored) is None


def test_a_damaged_summary_is_refused():
    good = summary_of(pd.DataFrame({"a": np.arange(100.0), "b": ["x", "y"] * 50})).to_json()
    assert isinstance(summary_from_json(json.loads(json.dumps(good))), Summary)
    damages = [
        lambda s: s.update(n_rows=-1),
        lambda s: s.update(columns=3),
        lambda s: s["columns"][0].update(shares=[2.0] * 10),
        lambda s: s["columns"][0].update(edges=[3.0, 1.0]),
        lambda s: s["columns"][0].update(shares=[0.5]),
        lambda s: s["columns"][0].update(kind="picture"),
        lambda s: s["columns"][1].update(labels=[1, 2]),
        lambda s: s["columns"][0].update(edges=[float("nan")] * 9),
        lambda s: s.pop("prediction"),
    ]
    for damage in damages:
        stored = json.loads(json.dumps(good))
        damage(stored)
        with pytest.raises(InvalidModel, match="summary of the training data is damaged"):
            summary_from_json(stored)
