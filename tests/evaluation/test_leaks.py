"""Planted leaks are found, with the figure that is left without them; where nothing is planted nothing is said."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

import ganglion as gg
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.evaluation.evaluate import evaluate

N = 400
ASKED = {"n_bootstrap": 100, "baselines": False}


def table(seed):
    """Return rows whose class their numbers tell in four of five cases."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(2 * N, 3)), columns=["a", "b", "c"])
    y = np.where((frame["a"] > 0) ^ (rng.random(2 * N) < 0.2), "yes", "no")
    return frame, y, rng


def leaks(model, frame, y, n=N, **asked):
    model.fit(frame[["a", "b", "c"]][:n].to_numpy(), y[:n])
    pair = {name: (values[:n], values[n:]) for name, values in asked.items()}
    X, seen = (frame[["a", "b", "c"]].to_numpy()[part] for part in (slice(n, None), slice(n)))
    return evaluate(model, X, y[n:], train=(seen, y[:n]), **pair, **ASKED)


@pytest.mark.parametrize("seed", range(10))
def test_where_nothing_is_planted_nothing_is_said(seed):
    frame, y, _ = table(seed)
    groups, time = np.arange(2 * N) // 4, np.arange(2 * N)
    found = leaks(LogisticRegression(), frame, y, groups=groups, time=time)
    assert found.diagnosis.leaks == ()
    assert "too good" not in str(found) + found.to_html()


@pytest.mark.parametrize("seed", range(10))
def test_rows_that_were_learned_from(seed):
    frame, y, rng = table(seed)
    copied = rng.choice(N, 100, replace=False)
    there = rng.choice(np.arange(N, 2 * N), 100, replace=False)
    frame.loc[there] = frame.loc[copied].to_numpy()
    y[there] = y[copied]
    with pytest.warns(DataWarning, match="100 of the 400 evaluation rows stand among"):
        found = leaks(KNeighborsClassifier(1), frame, y)
    (leak,) = found.diagnosis.leaks
    assert (leak.kind, leak.n_rows) == ("duplicates", 100)
    others = np.setdiff1d(np.arange(N), there - N)
    model = KNeighborsClassifier(1).fit(frame[:N].to_numpy(), y[:N])
    honest = (model.predict(frame[N:].to_numpy()) == y[N:])[others].mean()
    assert leak.without.value == pytest.approx(honest)
    assert leak.without.high < found.metrics["accuracy"].value + 0.06
    assert sum("stand among the training rows" in note for note in found.notes) == 0  # once is enough


@pytest.mark.parametrize("seed", range(10))
def test_a_column_that_holds_the_answer(seed):
    frame, y, rng = table(seed)
    frame["status"] = np.where(rng.random(2 * N) < 0.995, y == "yes", y != "yes") + rng.normal(0, 0.01, 2 * N)
    model = gg.MLPClassifier(hidden=(4,), epochs=3, random_state=0, threads=1).fit(frame[:N], y[:N])
    for train in (None, (frame[:N], y[:N])):
        (leak,) = evaluate(model, frame[N:], y[N:], train=train, **ASKED).diagnosis.leaks
        assert (leak.kind, leak.column) == ("column", "status")
        assert "gives 'y' away" in leak.sentence


def test_a_column_that_holds_a_number():
    frame, _, rng = table(0)
    y = frame["a"] * 3 + rng.normal(0, 2, 2 * N)
    frame["later"] = y * 2 + rng.normal(0, 0.01, 2 * N)
    model = KNeighborsRegressor().fit(frame[:N].to_numpy(), y[:N])
    (leak,) = evaluate(model, frame[N:].to_numpy(), y[N:], train=(frame[:N].to_numpy(), y[:N]), **ASKED).diagnosis.leaks
    assert leak.column == "x3"


@pytest.mark.parametrize("seed", range(10))
def test_groups_on_both_sides(seed):
    rng = np.random.default_rng(seed)
    person = rng.permutation(2 * N) // 8  # eight rows of each, everywhere
    own, answer = rng.normal(size=(N // 4, 3)), rng.choice(["yes", "no"], N // 4)
    frame = pd.DataFrame(own[person] + rng.normal(0, 0.05, (2 * N, 3)), columns=["a", "b", "c"])
    person[-40:] += 1000  # and forty rows of somebody new, about whom nothing can be known
    frame.iloc[-40:] = rng.normal(size=(40, 3))
    y = answer[person % 1000]
    found = leaks(KNeighborsClassifier(1), frame, y, groups=person)
    (leak,) = found.diagnosis.leaks
    assert leak.kind == "groups"
    assert leak.n_rows == np.isin(person[N:], person[:N]).sum()
    assert found.metrics["accuracy"].value > 0.9
    assert leak.without.value < 0.8


@pytest.mark.parametrize("seed", range(10))
def test_rows_from_before_the_end_of_training(seed):
    frame, y, rng = table(seed)
    day = np.datetime64("2024-01-01") + np.arange(2 * N)
    order = rng.permutation(2 * N)
    found = leaks(LogisticRegression(), frame, y, time=day[order])
    (leak,) = found.diagnosis.leaks
    newest = day[order][:N].max()
    assert (leak.kind, leak.n_rows) == ("time", (day[order][N:] < newest).sum())
    assert "older than the newest training row" in leak.sentence


def test_by_the_name_of_a_column_and_on_the_page(tmp_path):
    frame, y, rng = table(0)
    frame["shop"] = rng.choice(["north", "south"], 2 * N)
    model = gg.MLPClassifier(hidden=(4,), epochs=2, random_state=0, threads=1).fit(frame[:N], y[:N])
    found = evaluate(model, frame[N:], y[N:], train=(frame[:N], y[:N]), groups="shop", **ASKED)
    (leak,) = found.diagnosis.leaks
    assert (leak.column, leak.n_rows, leak.without) == ("shop", N, None)
    assert "400 of the 400 evaluation rows are of 2 groups" in " ".join(str(found).replace("│", " ").split())
    assert "The figures may be too good" in found.to_html()
    assert json.loads(found.to_json())["diagnosis"]["leaks"][0]["kind"] == "groups"
    with pytest.raises(InvalidParameter, match="Did you mean 'shop'"):
        evaluate(model, frame[N:], y[N:], train=(frame[:N], y[:N]), groups="shp", **ASKED)
    with pytest.raises(InvalidInput, match="neither dates nor numbers"):
        evaluate(model, frame[N:], y[N:], train=(frame[:N], y[:N]), time="shop", **ASKED)
    with pytest.raises(InvalidInput, match="Give train="):
        evaluate(model, frame[N:], y[N:], groups="shop", **ASKED)
