"""Counterfactuals: nearest points in closed form, columns that stay, ranges, trees, and what cannot be reached."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.explanation.counterfactual import counterfactual

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4)) * [1.0, 3.0, 0.5, 1.0]
WEIGHTS = np.array([1.0, -2.0, 0.5, 0.0])
Y = np.where(X @ WEIGHTS + 0.3 > 0, "yes", "no")
MAD = np.median(np.abs(X - np.median(X, axis=0)), axis=0)
WIDE = {f"x{j}": (-1e3, 1e3) for j in range(4)}


@pytest.fixture(scope="module")
def linear():
    return LogisticRegression().fit(X, Y)


def frame(n=300, seed=0):
    rng = np.random.default_rng(seed)
    data = {
        "color": rng.choice(["red", "green", "blue"], n),
        "age": rng.integers(18, 80, n),
        "weight": rng.normal(size=n),
        "sex": rng.choice(["f", "m"], n),
    }
    return pd.DataFrame(data)


def labels(data):
    return np.where((data["color"] == "red") & (data["age"] >= 40), "yes", "no")


def piped(data):
    encoded = make_column_transformer((OneHotEncoder(), ["color", "sex"]), remainder="passthrough")
    return make_pipeline(encoded, RandomForestClassifier(20, random_state=0)).fit(data, labels(data))


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_of_a_linear_model_the_column_with_most_weight_for_its_spread_moves_just_over_the_line(linear, row):
    weights, score = linear.coef_[0], float(linear.decision_function(X[[row]])[0])
    needed = -score / weights  # by which each column alone reaches the line
    best = int(np.argmin(np.abs(needed) / MAD))
    found = counterfactual(linear, X[[row]], background=X, ranges=WIDE)
    (change,) = found[0].changes
    assert change.feature == f"x{best}"
    assert change.now - X[row, best] == pytest.approx(needed[best], abs=0.02 * MAD[best])
    assert abs(change.now - X[row, best]) >= abs(needed[best])
    assert found[0].distance == pytest.approx(abs(needed[best]) / MAD[best], abs=0.02)
    assert linear.predict(found[0].row)[0] != linear.predict(X[[row]])[0]
    assert [len(each.changes) for each in found] == sorted(len(each.changes) for each in found)
    assert len({each.changes[0].feature for each in found}) == len(found)


def test_what_is_kept_never_changes_and_what_is_not_named_neither(linear):
    best = counterfactual(linear, X[[0]], background=X, ranges=WIDE)[0].changes[0].feature
    others = counterfactual(linear, X[[0]], background=X, ranges=WIDE, keep=[best], k=5)
    assert len(others)
    assert all(change.feature != best for each in others for change in each.changes)
    named = counterfactual(linear, X[[0]], background=X, ranges=WIDE, features=["x0", "x2"], k=5)
    assert {change.feature for each in named for change in each.changes} <= {"x0", "x2"}
    np.testing.assert_array_equal(np.asarray(named[0].row)[0, [1, 3]], X[0, [1, 3]])


def test_ranges_and_directions_are_kept(linear):
    row = X[[0]]
    for j in range(3):
        up = counterfactual(linear, row, background=X, ranges=dict.fromkeys(WIDE, "up"), k=9)
        down = counterfactual(linear, row, background=X, ranges=dict.fromkeys(WIDE, "down"), k=9)
        assert all(change.now > change.was for each in up for change in each.changes)
        assert all(change.now < change.was for each in down for change in each.changes)
        inside = counterfactual(linear, row, background=X, ranges={f"x{j}": (X[0, j] - 0.1, X[0, j] + 0.1)}, k=9)
        moved = [c.now for each in inside for c in each.changes if c.feature == f"x{j}"]
        assert all(abs(now - X[0, j]) <= 0.1 for now in moved)
    for each in counterfactual(linear, row, background=X, k=9):
        assert (np.asarray(each.row)[0] >= X.min(axis=0)).all()
        assert (np.asarray(each.row)[0] <= X.max(axis=0)).all()


def test_a_range_that_lies_away_from_the_row_is_not_left_on_the_way_back():
    model = LinearRegression().fit(X, X[:, 0])
    row = np.array([[-1.0, 0.0, 0.0, 0.0]])
    found = counterfactual(model, row, (-0.9, None), background=X, ranges={"x0": (0.5, 2)}, features=["x0"])
    assert found[0].changes[0].now == 0.5


@pytest.mark.parametrize("form", [pd.DataFrame, pl.DataFrame])
def test_a_forest_over_categories_and_whole_numbers(form):
    data = frame()
    model = piped(form(data.to_dict("list")))
    row = int(
        np.flatnonzero(
            (data["color"] == "blue") & (data["age"] < 35) & (model.predict(form(data.to_dict("list"))) == "no")
        )[0]
    )
    given = form(data.to_dict("list"))
    found = counterfactual(model, given[[row]] if form is pl.DataFrame else given.iloc[[row]], background=given)
    changes = {change.feature: change.now for change in found[0].changes}
    assert changes["color"] == "red"
    assert isinstance(changes["age"], int)
    assert 38 <= changes["age"] <= 42
    assert len(changes) == 2
    assert found[0].says == "yes" == model.predict(found[0].row)[0]
    json.dumps(found.to_dict())


def test_a_tree_that_wants_three_things_at_once():
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, size=(400, 6))
    model = DecisionTreeClassifier(random_state=0).fit(bits, bits[:, :3].all(axis=1))
    found = counterfactual(model, np.zeros((1, 6), dtype=int), True, background=bits)
    assert {change.feature for change in found[0].changes} == {"x0", "x1", "x2"}
    assert len(found) == 1
    assert found[0].distance == 3


def test_what_cannot_be_reached_is_said():
    data = frame()
    model = piped(data)
    row = data[(data["color"] == "blue")].iloc[[0]]
    found = counterfactual(model, row, "yes", background=data, keep=["color"])
    assert len(found) == 0
    assert "NONE FOUND" in str(found)
    assert "age, weight, sex" in str(found)
    assert found.to_dict()["found"] == 0
    assert found.to_dict()["best_attempt"]["shown"] < 0.5
    assert "NONE FOUND" in found.to_html()
    assert "best attempt" in found.plot().svg


def test_our_networks_read_frames_arrays_and_data_sets(tmp_path):
    data = frame()
    model = gg.MLPClassifier(hidden=(16,), epochs=40, random_state=0).fit(data, labels(data))
    no = data[model.predict(data) == "no"]
    data.to_csv(tmp_path / "rows.csv", index=False)
    read = gg.read(tmp_path / "rows.csv")
    one = counterfactual(model, no.iloc[[0]], background=data, keep=["sex"])
    other = counterfactual(model, read.take([int(no.index[0])]), background=read, keep=["sex"])
    assert len(one)
    assert [str(each) for each in one] == [str(each) for each in other]
    assert model.predict(one[0].row)[0] == "yes"
    assert "sex" not in {change.feature for each in one for change in each.changes}


def test_numbers_are_wanted_in_a_range():
    model = LinearRegression().fit(X, X @ WEIGHTS)
    now = float(model.predict(X[[0]])[0])
    found = counterfactual(model, X[[0]], (now + 1, None), background=X, ranges=WIDE)
    assert found[0].shown == pytest.approx(now + 1, abs=0.05)
    assert found[0].shown >= now + 1
    best = np.argmax(np.abs(WEIGHTS) * MAD)
    assert found[0].changes[0].feature == f"x{best}"


def test_a_model_of_scores_and_any_other_class():
    many = np.digitize(X[:, 0], [-1, 0, 1])
    found = counterfactual(RidgeClassifier().fit(X, Y), X[[0]], background=X)
    assert found.line == 0
    assert found[0].says != RidgeClassifier().fit(X, Y).predict(X[[0]])[0]
    model = LogisticRegression().fit(X, many)
    found = counterfactual(model, X[[0]], background=X)
    assert found.wanted == f"not {model.predict(X[[0]])[0]}"
    assert model.predict(found[0].row) != model.predict(X[[0]])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "maybe"}, "no class is called 'maybe'"),
        ({"keep": ["x9"]}, "no column is called 'x9'"),
        ({"ranges": {"x0": (3, 1)}}, "lower end lies above"),
        ({"ranges": {"x0": ["a"]}}, "give \\(low, high\\)"),
        ({"features": ["x0"], "keep": ["x0"]}, "nothing may change"),
        ({"k": 0}, "k=0"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(linear, settings, said):
    with pytest.raises((InvalidInput, InvalidParameter), match=said):
        counterfactual(linear, X[[0]], **({"background": X} | settings))


def test_a_row_that_is_decided_so_already_is_refused(linear):
    with pytest.raises(InvalidInput, match="already"):
        counterfactual(linear, X[[0]], linear.predict(X[[0]])[0], background=X)
    with pytest.raises(InvalidInput, match="one row"):
        counterfactual(linear, X[:2], background=X)
    with pytest.raises(InvalidInput, match="target=\\(low, high\\)"):
        counterfactual(LinearRegression().fit(X, X[:, 0]), X[[0]], background=X)
