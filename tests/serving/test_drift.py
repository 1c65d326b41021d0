"""Drift: figures against closed forms and scipy, planted changes found, unchanged rows left in peace."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from tests.serving.asking import get, post, service_of

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.encoding import TableEncoder
from ganglion.data.summarising import summarise
from ganglion.data.summary import ColumnSummary, Summary, of_numbers
from ganglion.deployment.drift import LEAST, Counts, Drift, drift_of, ks, psi
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.watching import LEAST as TOLD
from ganglion.deployment.serving.watching import TOGETHER, Watch
from ganglion.deployment.signature import Input, Signature
from ganglion.deployment.tally import Tally, added, from_json, to_json
from ganglion.errors import InvalidFile, InvalidParameter

RNG = np.random.default_rng(0)


def people(n, rng, *, age=40.0, cities=("paris", "rome", "oslo"), gap=0.1):
    table = pd.DataFrame({"age": rng.normal(age, 10, n), "city": rng.choice(cities, n), "flag": rng.random(n) > 0.5})
    table.loc[rng.random(n) < gap, "age"] = np.nan
    return table


def counted(summary, table):
    tally = Tally(summary, {"city": ["paris", "rome", "oslo"]})
    columns = {
        "age": table["age"].to_numpy(),
        "city": np.array([None if city != city else city for city in table["city"]], dtype=object),
        "flag": table["flag"].to_numpy().astype(float),
    }
    tally.add(columns, {"prediction": np.zeros(len(table))})
    return tally


@pytest.fixture(scope="module")
def summary():
    data = as_dataset(people(3000, np.random.default_rng(1)))
    return summarise(data, TableEncoder.fit(data))


def drift(summary, table):
    return drift_of(summary, counted(summary, table).columns, {})


# the figures


def test_psi_is_the_sum_of_its_definition():
    before, now = [0.5, 0.3, 0.2], [100_000, 500_000, 400_000]
    shares = [0.1, 0.5, 0.4]
    expected = sum((p - q) * math.log(p / q) for p, q in zip(shares, before, strict=True))
    assert psi(before, now) == pytest.approx(expected, rel=1e-4)
    assert psi(before, [500, 300, 200]) == 0
    assert psi(before, [0, 0, 0]) == 0
    assert math.isfinite(psi([1.0, 0.0], [0, 10]))


def test_ks_is_that_of_scipy_at_the_edges():
    before, now = RNG.normal(size=20_000), RNG.normal(0.5, 1.0, size=5_000)
    column = of_numbers("x", "numeric", before)
    found = ks(column.shares, column.counts(now).tolist())
    exact = ks_2samp(before, now).statistic
    assert found <= exact + 1e-9
    assert found == pytest.approx(exact, abs=0.02)


def test_counts_add_up():
    one, other = Counts(3, 1, 1, (1.0, 1.0)), Counts(2, 0, 0, (2.0, 0.0))
    assert one + other == Counts(5, 1, 1, (3.0, 1.0))
    both = {"a": one, "b": other}
    assert from_json(json.loads(json.dumps(to_json(both)))) == both
    assert added({"a": one}, {"a": other, "b": other}) == {"a": one + other, "b": other}
    for bad in ({"a": [1, 2, 0, []]}, {"a": [-1, 0, 0, []]}, {"a": [1.5, 0, 0, []]}, {"a": 3}, []):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            from_json(bad)


def test_a_tally_counts_by_hand(summary):
    table = pd.DataFrame({"age": [np.nan, 40.0, 41.0], "city": ["paris", "mars", None], "flag": [True, False, True]})
    tally = counted(summary, table)
    assert tally.columns["age"].missing == 1
    assert sum(tally.columns["age"].parts) == 2
    assert (tally.columns["city"].missing, tally.columns["city"].unseen) == (1, 1)
    assert tally.columns["flag"].parts == (1.0, 2.0)


# the verdict


def test_the_same_law_raises_no_alarm(summary):
    outcomes = [drift(summary, people(n, np.random.default_rng(n))).outcome for n in range(150, 1150, 10)]
    assert outcomes.count("steady") >= 99


@pytest.mark.parametrize(
    ("change", "column", "why"),
    [
        ({"age": 48.0}, "age", "PSI"),
        ({"cities": ("paris", "paris", "paris", "rome", "oslo")}, "city", "PSI"),
        ({"cities": ("paris", "rome", "oslo", "mars")}, "city", "never seen in training"),
        ({"gap": 0.3}, "age", "30% missing, 10% before"),
    ],
)
def test_a_planted_change_is_found_and_named(summary, change, column, why):
    found = drift(summary, people(2000, np.random.default_rng(5), **change))
    assert found.outcome == "drift"
    (changed,) = (each for each in found.columns if each.verdict == "drift")
    assert changed.name == column
    assert why.replace("30%", f"{changed.missing:.0%}") in changed.why
    assert f"{column} (" in found.verdict


def test_few_rows_are_not_judged(summary):
    found = drift(summary, people(LEAST - 1, RNG, age=90.0))
    assert found.outcome == "too few"
    assert "too few to judge" in found.verdict


def test_a_drift_can_be_read(summary):
    found = drift(summary, people(1000, np.random.default_rng(5), age=55.0))
    assert "age" in str(found)
    assert "drift" in str(found)
    assert "<table>" in found._repr_html_()
    assert found.plot().svg.startswith("<svg")
    assert json.loads(json.dumps(found.to_dict()))["outcome"] == "drift"
    assert repr(found) == "Drift(the model: drift, 1,000 rows)"


# from a server


def rows(table):
    records = table.to_dict("records")
    return [
        {**each, "age": None if np.isnan(each["age"]) else each["age"], "flag": bool(each["flag"])} for each in records
    ]


@pytest.fixture(scope="module")
def model():
    table = people(1500, np.random.default_rng(1))
    labels = np.where(table["age"].fillna(40) + 5 * table["flag"] > 42, "old", "young")
    return gg.MLPClassifier(hidden=(8,), epochs=15, random_state=0).fit(table, labels)


@pytest.fixture
def logged(model, tmp_path):
    return service_of({"m": model}, Settings(log=str(tmp_path / "log.jsonl"))), tmp_path / "log.jsonl"


def test_steady_rows_stay_steady_and_changed_ones_raise_the_alarm(model, logged):
    service, log = logged
    post(service, "/predict", json=rows(people(1000, np.random.default_rng(7))))
    service.log()
    (steady,) = gg.monitor(log)
    assert steady.outcome == "steady", steady.verdict
    assert steady.n_rows == 1000
    assert [each.name for each in steady.predictions] == ["prediction"]
    assert 'ganglion_drift_alarm{model="m",version="1",kind="column",column="age"} 0' in get(service, "/metrics").text
    post(service, "/predict", json=rows(people(3000, np.random.default_rng(8), age=60.0)))
    service.log()
    (changed,) = gg.monitor(log)
    assert changed.n_rows == 4000
    assert changed.outcome == "drift"
    assert {each.name for each in (*changed.columns, *changed.predictions) if each.verdict == "drift"} == {
        "age",
        "prediction",
    }
    assert 'kind="column",column="age"} 1' in get(service, "/metrics").text
    assert 'kind="prediction",column="prediction"} 1' in get(service, "/metrics").text


def test_one_row_at_a_time_counts_the_same(model):
    table = people(60, np.random.default_rng(9))
    one, many = (service_of({"m": model}) for _ in range(2))
    post(one, "/predict", json=rows(table))
    for row in rows(table):
        post(many, "/predict", json=row)
    first, second = (get(each, "/drift").json()["models"][0] for each in (one, many))
    assert first["columns"] == second["columns"]
    np.testing.assert_allclose(first["predicted"]["prediction"][3], second["predicted"]["prediction"][3], atol=0.01)


def test_no_row_and_no_few_rows_are_told(model, logged):
    service, log = logged
    table = people(TOLD - 1, np.random.default_rng(3)).assign(
        city="Zanzibar", age=np.linspace(31.23456, 47.65432, TOLD - 1)
    )
    post(service, "/predict", json=rows(table))
    service.log()
    assert not log.exists()
    assert get(service, "/drift").json() == {"models": []}
    post(service, "/predict", json=rows(table))
    service.log()
    assert "Zanzibar" not in log.read_text()
    assert "31.23456" not in log.read_text()
    (found,) = gg.monitor(log)
    assert found.n_rows == 2 * (TOLD - 1)


def test_a_log_is_read_with_care(model, logged, tmp_path):
    service, log = logged
    post(service, "/predict", json=rows(people(200, RNG)))
    service.log()
    whole = log.read_text()
    log.write_text(whole + whole.splitlines()[-1][:50])  # killed while it wrote
    assert gg.monitor(log)[0].n_rows == 200
    assert gg.monitor(log, hours=1)[0].n_rows == 200
    for text, says in (("", "no counts"), ("x", "no log"), ("{}\n", "line 1"), ("x\n" + whole, "line 1 is no JSON")):
        log.write_text(text)
        with pytest.raises(InvalidFile, match=says):
            gg.monitor(log)
    with pytest.raises(InvalidFile, match="cannot be read"):
        gg.monitor(tmp_path / "nowhere")
    with pytest.raises(InvalidParameter, match="hours=0"):
        gg.monitor(log, hours=0)
    with pytest.raises(InvalidFile, match="does not answer"):
        gg.monitor("http://127.0.0.1:9")


def test_models_without_a_summary_are_served_all_the_same(model):
    old = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit(people(100, RNG), np.arange(100) % 2)
    old.summary_ = None
    service = service_of({"m": old})
    assert post(service, "/predict", json=rows(people(50, RNG))).status_code == 200
    assert get(service, "/drift").json() == {"models": []}
    assert isinstance(drift_of(Summary(0), {}, {}), Drift)


def test_predicted_numbers_are_watched():
    X = np.random.default_rng(0).normal(size=(1000, 3))
    model = gg.MLPRegressor(hidden=(8,), epochs=20, random_state=0).fit(X, X @ [1.0, 2.0, 3.0])
    service = service_of({"r": model})
    post(service, "/predict", json=(np.random.default_rng(1).normal(size=(2000, 3)) + 1).tolist())
    found = service.shelf.find().watch.drift("r")
    assert {each.name: each.verdict for each in (*found.columns, *found.predictions)} == dict.fromkeys(
        ["x0", "x1", "x2", "prediction"], "drift"
    )


@pytest.mark.parametrize("classes", [("no", "yes"), ()], ids=["labels", "numbers"])
def test_rows_are_counted_alike_in_small_parts_and_all_at_once(summary, classes):
    rng = np.random.default_rng(4)
    n = 2 * TOGETHER + 30
    table = people(n, rng)
    columns = {
        "age": table["age"].to_numpy(),
        "city": table["city"].to_numpy(dtype=object),
        "flag": table["flag"].to_numpy().astype(float),
    }
    shares = rng.random((n, 2)).astype(np.float32)
    answer = (
        {"prediction": rng.choice(["no", "yes"], n), "probabilities": shares}
        if classes
        else {"prediction": shares[:, 0]}
    )
    said = of_numbers("prediction", "numeric", shares[:500, 0])
    if classes:
        said = ColumnSummary("prediction", "categorical", 0.0, (), classes, (0.5, 0.5, 0.0))
    inputs = (
        Input("age", "numeric", "float64", ("N", 1)),
        Input("city", "categorical", "string", ("N", 1), ("paris", "rome", "oslo")),
        Input("flag", "boolean", "float64", ("N", 1)),
    )
    signature = Signature(
        estimator="m", task="", modality="table", inputs=inputs, outputs=(), classes=classes, target=""
    )
    backend = SimpleNamespace(summary=replace(summary, prediction=(said,)), signature=signature)
    whole, parts = Watch(backend), Watch(backend)
    whole.note(columns, answer)  # more than are held together
    ends = np.unique(np.minimum(np.cumsum(rng.integers(1, 40, n)), n))
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        parts.note(*({name: values[begin:end] for name, values in each.items()} for each in (columns, answer)))
    one, other = whole.record()[-1], parts.record()[-1]
    assert one["rows"] == other["rows"] == n
    assert one["columns"] == other["columns"]
    *counts, of_parts = other["predicted"]["prediction"]
    assert counts == one["predicted"]["prediction"][:3]
    np.testing.assert_allclose(of_parts, one["predicted"]["prediction"][3], atol=0.01)
