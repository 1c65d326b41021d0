"""Findings: those that should be there are, and few others."""

import json

import numpy as np
import pandas as pd
import pytest

from ganglion.data.inspection import inspect
from ganglion.data.public import VARIABLE, data_home, find
from ganglion.errors import InvalidFile, InvalidInput

RANDOM = np.random.default_rng(0)
N = 600


def frame(**more):
    y = RANDOM.choice(["no", "yes"], N)
    return pd.DataFrame({"a": RANDOM.normal(size=N), "b": RANDOM.choice(list("uvw"), N), "y": y, **more})


def found(data, target="y"):
    return {(each.check, each.column): each.severity for each in inspect(data, target).findings}


def public(name):
    try:
        return find(name)
    except InvalidFile as error:
        pytest.skip(str(error))


def test_clean_data_give_no_finding():
    assert found(frame()) == {}
    assert "Nothing else deserves a look" in str(inspect(frame(), "y"))


def test_each_finding():
    data = frame(
        id=np.arange(N) + 7,
        code=[f"K{i:04}" for i in range(N)],
        still="same",
        empty=[None] * N,
        gaps=np.where(np.arange(N) % 4 == 0, 1.0, np.nan) * RANDOM.normal(size=N),
        many=RANDOM.integers(0, 150, N).astype(str) + pd.Series(["x"] * N),
        day=pd.date_range("2024-01-01", periods=N),
    )
    data["twin"] = data["a"] * 3 + 1
    data["other"] = data["b"].map({"u": "U", "v": "V", "w": "W"})
    data["leak"] = np.where(data["y"] == "yes", RANDOM.uniform(0, 1, N), RANDOM.uniform(2, 3, N))
    data.loc[0, "b"] = data.loc[0, "other"] = "once"
    checks = found(data)
    assert checks[("leakage", "leak")] == "error"
    expected = {
        *[
            ("identifier", "id"),
            ("identifier", "code"),
            ("constant", "still"),
            ("missing", "empty"),
            ("missing", "gaps"),
        ],
        *[
            ("cardinality", "many"),
            ("rare", "b"),
            ("rare", "other"),
            ("same", "twin"),
            ("same", "other"),
            ("order", "day"),
        ],
    }
    assert expected <= set(checks)
    assert set(checks) - expected <= {("leakage", "leak"), ("same", "day")}


def test_a_copy_and_a_category_of_the_target_leak():
    data = frame()
    data["copy"] = data["y"].str.upper()
    assert found(data)[("leakage", "copy")] == "error"
    numbers = pd.DataFrame({"a": RANDOM.normal(size=N)})
    numbers["y"] = np.exp(numbers["a"])
    assert found(numbers)[("leakage", "a")] == "error"


def test_parts_of_a_sum_leak():
    data = pd.DataFrame(RANDOM.normal(size=(N, 3)), columns=["one", "two", "three"])
    data["y"] = data["one"] + 2 * data["two"]
    (finding,) = [each for each in inspect(data, "y").findings if each.check == "leakage"]
    assert "weighted sum of one, two." in finding.text


def test_target():
    y = np.array(["no"] * (N - 5) + ["yes"] * 5)
    assert found(frame(y=y))[("imbalance", "y")] == "warning"
    assert found(frame(y="no"))[("target", "y")] == "error"
    assert found(frame(y=[None, *["no", "yes", "no"] * 200][:N]))[("target", "y")] == "warning"
    assert found(frame().head(50))[("rows", "")] == "warning"


def test_duplicates():
    data = frame()
    assert found(pd.concat([data, data.head(100)]))[("duplicates", "")] == "warning"


def test_arrays_and_given_targets():
    X, y = RANDOM.normal(size=(N, 4)), RANDOM.integers(0, 2, N)
    seen = inspect(X, y)
    assert seen.task.name == "binary"
    assert seen.balance.keys() == {"0", "1"}
    assert [each.name for each in seen.columns] == ["x0", "x1", "x2", "x3", "target"]
    assert inspect(X, -1).target == ("x3",)
    assert inspect(X).task is None
    with pytest.raises(InvalidInput, match="the target has 3 values, but there are 600 rows"):
        inspect(X, y[:3])


def test_it_can_be_shown():
    data = frame(empty=[None] * N)
    seen = inspect(data, "y")
    assert json.loads(json.dumps(seen.to_dict()))["n_samples"] == N
    assert "<td>a</td>" in seen._repr_html_()
    assert "Task: binary of y; the target holds labels of 2 classes." in str(seen)
    assert "No target was given" in str(inspect(data))
    tricky = inspect(frame(**{"<b>[red]": [None] * N}), "y")
    assert "&lt;b&gt;[red]" in tricky._repr_html_()
    assert "<b>[red]" in str(tricky)


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("adult/adult.data", -1, {("rare", "column_14"), ("same", "column_5"), ("duplicates", "")}),
        (
            "titanic/titanic.csv",
            "Survived",
            {("identifier", "PassengerId"), ("identifier", "Name"), ("missing", "Cabin"), ("cardinality", "Ticket")},
        ),
        (
            "bike_sharing/hour.csv",
            "cnt",
            {("leakage", "cnt"), ("leakage", "registered"), ("identifier", "instant"), ("same", "dteday")},
        ),
        ("sonar/sonar.csv", -1, {("rows", "")}),
        ("wine_quality/winequality-red.csv", -1, {("duplicates", ""), ("imbalance", "column_12")}),
    ],
)
def test_public_data(name, target, expected):
    assert set(found(public(name), target)) == expected


def test_compas_shows_what_is_known_only_later():
    checks = found(public("compas/compas-scores-two-years.csv"), "two_year_recid")
    assert {("leakage", "is_recid"), ("identifier", "id"), ("same", "priors_count.1")} <= set(checks)


def test_public_data_home(tmp_path, monkeypatch):
    (tmp_path / "iris.csv").write_text("1,2\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert data_home() == tmp_path
    assert find("iris.csv") == tmp_path / "iris.csv"
    with pytest.raises(InvalidFile, match=r"no public data 'irs.csv'\. Did you mean 'iris.csv'.*Looked in: .*\.cache"):
        find("irs.csv")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr("ganglion.data.public.places", lambda: [tmp_path / "none"])
    with pytest.raises(InvalidFile, match="there is no folder of public data sets"):
        data_home()
