"""Tables: values known in closed form, our networks and foreign models alike, and what is refused."""

from functools import cache
from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.errors import ExplanationWarning, InvalidInput, InvalidParameter
from ganglion.explanation.explain import explain, told
from ganglion.explanation.tables import EncodedTable, PlainTable

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + X[:, 0] * X[:, 1]


def frame(n=80, seed=0):
    rng = np.random.default_rng(seed)
    color = rng.choice(["red", "green", "blue"], n)
    size = rng.normal(size=n)
    size[::9] = np.nan
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame({"color": color, "size": size, "when": when, "weight": rng.normal(size=n)})


def labels(data):
    return np.where((data["color"] == "red") ^ (data["weight"] > 0.3), "yes", "no")


@pytest.fixture(scope="module")
def network():
    return gg.MLPClassifier(hidden=(8,), epochs=20, random_state=0).fit(frame(), labels(frame()))


@pytest.fixture(scope="module")
def numbers():
    return gg.MLPRegressor(hidden=(8,), epochs=20, random_state=0).fit(X, Y)


@pytest.mark.parametrize("method", ["exact", "permutation", "kernel", "auto"])
def test_of_a_linear_model_each_value_is_weight_times_distance_from_the_mean(method):
    model = LinearRegression().fit(X, Y)
    found = explain(model, X[:5], method, background=X[5:25])
    np.testing.assert_allclose(found.values, (X[:5] - X[5:25].mean(axis=0)) * model.coef_, atol=1e-10)
    assert found[0].base == pytest.approx(model.predict(X[5:25]).mean())
    assert found[0].prediction == pytest.approx(model.predict(X[:1])[0])
    assert found.gaps.max() < 1e-12


def brute_force(predict, x, background):
    """Return Shapley values of interventional means, by every order of every coalition, in plain NumPy."""
    d = len(x)

    @cache
    def value(kept):
        rows = background.copy()
        rows[:, list(kept)] = x[list(kept)]
        return predict(rows).mean(axis=0)

    total = 0.0
    every = list(permutations(range(d)))
    for order in every:
        gains = [value(frozenset(order[: i + 1])) - value(frozenset(order[:i])) for i in range(d)]
        total = total + np.array([gains[order.index(j)] for j in range(d)])
    return total / len(every)


def test_exact_values_are_those_of_brute_force(numbers):
    forest = RandomForestClassifier(3, max_depth=4, random_state=0).fit(X, (Y > 0).astype(int) + (Y > 2))
    found = explain(forest, X[:2], "exact", background=X[10:16])
    for each, x in zip(found, X, strict=False):
        np.testing.assert_allclose(each.effects, brute_force(forest.predict_proba, x, X[10:16]), atol=1e-12)
    found = explain(numbers, X[:1], "exact", background=X[10:16])
    for each, x in zip(found, X, strict=False):
        np.testing.assert_allclose(each.values, brute_force(numbers.predict, x, X[10:16]), atol=1e-6)


def test_a_column_is_one_player_whatever_the_network_makes_of_it(network):
    data = frame()
    assert isinstance(network.encoder_.column_names, tuple)
    found = explain(network, data[:6], "exact", background=data[20:40])
    assert found[0].features == ("color", "size", "when", "weight")
    assert found[0].given[0] == data["color"][0]
    assert found[0].given[2] == str(np.datetime64(data["when"][0], "s"))
    assert found[0].outputs == ("no", "yes")
    np.testing.assert_allclose(found[0].effects[:, 0], -found[0].effects[:, 1], atol=1e-6)
    assert found[0].output == network.predict(data[:1])[0]
    assert found[0].prediction == pytest.approx(network.predict_proba(data[:1]).max(), abs=1e-6)

    class Foreign:  # the same model through scikit-learn's contract alone, rows mixed as they are
        classes_ = network.classes_

        def predict_proba(self, X):
            return network.predict_proba(X)

        predict = None

    foreign = explain(Foreign(), data[:6], "exact", background=data[20:40])
    np.testing.assert_allclose(foreign.values, found.values, atol=1e-6)
    polars = explain(Foreign(), pl.from_pandas(data[:6]), "exact", background=pl.from_pandas(data[20:40]))
    np.testing.assert_allclose(polars.values, found.values, atol=1e-6)


def test_the_mixtures_that_our_networks_see_are_those_of_rows(network):
    data = as_dataset(frame())
    table = EncodedTable(network, "probability", data.take(range(5)), data.take(range(5, 15)))
    assert table._prepared
    kept = np.random.default_rng(0).random((30, 4)) < 0.5
    rows, other = np.arange(30) % 5, np.arange(30) % 10
    plain = PlainTable(network, "probability", frame()[:5], frame()[5:15])
    np.testing.assert_allclose(table.mixed(rows, other, kept), plain.mixed(rows, other, kept), atol=1e-6)
    differs = table.differs(slice(0, 5))
    np.testing.assert_array_equal(differs, plain.differs(slice(0, 5)))
    both_missing = np.isnan(frame()["size"][:5].to_numpy())[:, None] & np.isnan(frame()["size"][5:15].to_numpy())
    assert not differs[..., 1][both_missing].any()


def test_arrays_frames_data_sets_and_loaded_files_agree(network, tmp_path):
    data = frame()
    network.save(tmp_path / "model.ganglion")
    loaded = gg.load(tmp_path / "model.ganglion")
    one = explain(network, data[:4], background=data)
    other = explain(loaded, as_dataset(data[:4]), background=as_dataset(data))
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)


def test_pipelines_see_columns_before_they_are_one_hot():
    data = frame().drop(columns=["when", "size"])
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["color"]), remainder="passthrough"), SVC())
    model.fit(data, labels(data))
    found = explain(model, data[:5], background=data[:30])
    assert found[0].features == ("color", "weight")
    assert found[0].outputs == ("yes",)  # a score
    np.testing.assert_allclose([each.prediction for each in found], model.decision_function(data[:5]))
    assert found.gaps.max() < 1e-12


@pytest.mark.parametrize("name", ["CNNClassifier", "RNNClassifier", "TransformerClassifier", "Perceptron"])
def test_every_network_of_tables(name):
    model = getattr(gg, name)(epochs=2, random_state=0).fit(X, np.where(Y > 0, "up", "down"))
    found = explain(model, X[:3], "permutation", background=X[:12])
    said = model.predict_proba(X[:3]).max(1) if hasattr(model, "predict_proba") else model.decision_function(X[:3])
    np.testing.assert_allclose([each.prediction for each in found], said, atol=1e-5)
    assert found.gaps.max() < 1e-5


def test_auto_is_exact_where_that_is_cheap_and_says_so(numbers):
    assert explain(numbers, X[:2], background=X[:20])[0].method == "exact"
    wide = np.random.default_rng(1).normal(size=(40, 18))
    model = LinearRegression().fit(wide, wide[:, 0])
    assert explain(model, wide)[0].method == "permutation"
    assert "all 40 rows of X itself" in explain(model, wide)[0].how
    assert explain(numbers, X[:2], background=X[:20], n_evaluations=200)[0].method == "permutation"


def test_intervals_cover_what_was_drawn(numbers):
    background = RNG.normal(size=(500, 4))
    truth = explain(numbers, X[:10], "exact", background=background[:100])
    walked = explain(numbers, X[:10], "permutation", background=background[:100], n_evaluations=1500)
    inside = [np.abs(a.values - b.values) <= 1.96 * b.error + 1e-9 for a, b in zip(truth, walked, strict=True)]
    assert np.mean(inside) > 0.85
    assert not truth[0].error.any()
    drawn = [explain(numbers, X[:10], "exact", background=background, random_state=seed) for seed in range(12)]
    spread = np.std([each.values for each in drawn], axis=0, ddof=1)
    stated = np.mean([[e.error for e in each] for each in drawn], axis=0)
    assert 0.7 < np.median(stated / np.maximum(spread, 1e-12)) < 1.5
    assert drawn[0].stability > 0.8


def test_the_same_seed_gives_the_same_bits(network):
    one, two, other = (
        explain(network, frame()[:3], "permutation", background=frame(), random_state=s) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.values, two.values)
    assert (one.values != other.values).any()
    assert one.agreement(other) > 0.9


def test_outputs_can_be_chosen():
    y = np.array(["a", "b", "c"])[np.digitize(Y, [-1, 1])]
    model = LogisticRegression().fit(X, y)
    every = explain(model, X[:4], background=X)
    assert [each.output for each in every] == model.predict(X[:4]).tolist()
    named = explain(model, X[:4], background=X, output="b")
    np.testing.assert_allclose(named.values, every.of("b").values, atol=1e-12)
    assert named[0].outputs == ("b",)
    with pytest.raises(InvalidInput, match="no output 'bb'\\. Did you mean 'b'"):
        explain(model, X[:4], background=X, output="bb")
    many = np.arange(60) % 20
    wide = explain(RandomForestClassifier(3, random_state=0).fit(X, many), X[:3], background=X[:20])
    assert [each.outputs for each in wide] == [(str(each),) for each in many[:3]]


def test_refusals(numbers):
    with pytest.raises(InvalidParameter, match="no method of explanation is called 'exakt'\\. Did you mean 'exact'"):
        explain(numbers, X, "exakt")
    with pytest.raises(InvalidInput, match="no background, and X has 1 row"):
        explain(numbers, X[:1])
    with pytest.raises(InvalidInput, match="background is empty"):
        explain(numbers, X[:1], background=X[:0])
    with pytest.raises(InvalidInput, match="not fitted"):
        explain(gg.MLPClassifier(), X)
    with pytest.raises(InvalidInput, match="labels alone"):
        explain(VotingClassifier([("a", LogisticRegression())]).fit(X, Y > 0), X)
    with pytest.raises(InvalidInput, match="has the columns x0, x1, but X has x0, x1, x2, x3"):
        explain(LinearRegression().fit(X, Y), X, background=X[:, :2])
    with pytest.raises(InvalidInput, match="shape \\(4,\\)"):
        explain(LinearRegression().fit(X, Y), X[0], background=X)
    with pytest.raises(InvalidParameter, match="n_evaluations=1"):
        explain(numbers, X, n_evaluations=1)
    with pytest.raises(InvalidParameter, match="less than one pair of walks"):
        explain(numbers, X, "permutation", n_evaluations=10)
    with pytest.raises(InvalidInput, match="is a model of generation"):
        explain(gg.VAE(epochs=1).fit(X), X)


def test_values_that_do_not_add_up_are_warned_of(numbers):
    from dataclasses import replace

    found = explain(numbers, X[:2], background=X)
    broken = gg.Explanations([found[0], replace(found[1], effects=found[1].effects + 0.1 * found[1].spans)])
    with pytest.warns(ExplanationWarning, match="1 of 2 explanations do not add up.*40.0% of its output range"):
        told(broken)
    assert "MISS" in str(broken[1])
