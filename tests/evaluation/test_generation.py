"""Models that make data are judged by numbers: those of models whose faults are known."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.feature_space import feature_space
from ganglion.evaluation.frechet import frechet_distance
from ganglion.evaluation.generation import generation_values, imagine, informed_reality, reality
from ganglion.evaluation.generation_baselines import gaussian, independent
from ganglion.evaluation.manifold import neighbourhoods
from ganglion.evaluation.usefulness import column_to_learn


class Maker:
    """A model that makes what it is told to."""

    tags = SimpleNamespace(task="generation")

    def __init__(self, make):
        self.make = make

    def sample(self, n, *, random_state):
        return self.make(n, np.random.default_rng(random_state))


class Projector(Maker):
    """A model that says rows again from their first principal components."""

    tags = SimpleNamespace(task="reconstruction")

    def __init__(self, X, width):
        self.mean = X.mean(0)
        self.axes = np.linalg.svd(X - self.mean)[2][:width]

    sample = property()  # it makes nothing

    def transform(self, data):
        return (data.values("x") - self.mean) @ self.axes.T

    def inverse_transform(self, codes):
        return codes @ self.axes + self.mean


def two_moons_like(n, rng):
    """Return points of two arcs: numbers that depend on one another, as no Gaussian does."""
    side, angle = rng.integers(0, 2, n), rng.uniform(0, np.pi, n)
    points = np.column_stack([np.cos(angle) + side, np.sin(angle) * (1 - 2 * side) + 0.5 * side])
    return points + 0.05 * rng.normal(size=(n, 2))


@pytest.fixture(scope="module")
def moons():
    rng = np.random.default_rng(0)
    return two_moons_like(500, rng), two_moons_like(300, rng)


def judge(model, X, train, y=None, y_train=None, **options):
    return evaluate(model, X, y, train=(train, y_train), n_bootstrap=60, **options)


def test_a_model_of_the_law_itself_beats_the_baselines(moons):
    training, held_out = moons
    report = judge(Maker(two_moons_like), held_out, training)
    assert report.comparison.outcome == "better"
    assert report.comparison.metric == "coverage"
    assert report.metrics["coverage"].value > 0.9
    assert report.metrics["memorisation"].value == pytest.approx(0.5, abs=0.1)
    assert report.metrics["copies"].value == 0
    assert report.metrics["tstr"].value == pytest.approx(report.metrics["trtr"].value, abs=0.15)
    assert [each.name for each in report.baselines] == ["independent columns", "Gaussian", "training rows again"]


def test_who_copies_is_found_out_and_rows_again_do_not_race(moons):
    training, held_out = moons
    report = judge(Maker(lambda n, rng: training[rng.integers(0, 500, n)]), held_out, training)
    assert report.metrics["copies"].value == 1
    assert report.metrics["memorisation"].value > 0.99
    assert report.comparison.baseline != "training rows again"


def test_one_half_of_the_data_is_precise_and_lacks_recall(moons):
    training, held_out = moons
    half = training[training[:, 0] < 0.2]
    report = judge(Maker(lambda n, rng: half[rng.integers(0, len(half), n)]), held_out, training)
    assert report.metrics["precision"].value > 0.9
    assert report.metrics["recall"].value < 0.5


def test_figures_are_those_of_the_functions_by_themselves(moons):
    training, held_out = moons
    truth = informed_reality(reality(Maker(None), held_out, None), held_out, (training, None))
    said = imagine(Maker(two_moons_like), held_out, truth)
    values = generation_values(truth, said)
    made = (two_moons_like(300, np.random.default_rng(0)) - training.mean(0)) / training.std(0)
    real = (held_out - training.mean(0)) / training.std(0)
    assert values["frechet"] == pytest.approx(frechet_distance(real, made))
    around = neighbourhoods(real, made).values()
    assert {name: values[name] for name in around} == pytest.approx(around)
    twice = generation_values(truth, said, np.full(300, 2.0))
    assert {n: v for n, v in twice.items() if isinstance(v, float)} == pytest.approx(
        {n: v for n, v in values.items() if isinstance(v, float)}
    )


def test_saying_again_from_principal_components_is_the_baseline_itself():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    X = (X - X[:200].mean(0)) / X[:200].std(0)  # so that units and standardised numbers have the same components
    report = judge(Projector(X[:200], 2), X[200:], X[:200])
    baseline = {each.name: each for each in report.baselines}["PCA"].metrics["reconstruction_error"].value
    assert report.metrics["reconstruction_error"].value == pytest.approx(baseline, rel=1e-6)
    assert report.comparison.outcome == "no difference"
    assert list(report.metrics) == ["reconstruction_error"]
    assert [each.name for each in report.baselines] == ["PCA"]


def test_a_gaussian_keeps_covariances_and_independent_columns_only_their_spread():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(2000, 3)) @ [[1, 0.9, 0], [0, 0.2, 0], [0, 0, 3]] + 5
    normal = gaussian(X, 2000, rng)
    assert normal.mean(0) == pytest.approx(X.mean(0), abs=0.25)
    assert np.corrcoef(normal.T) == pytest.approx(np.corrcoef(X.T), abs=0.07)
    assert normal.std(0) == pytest.approx(X.std(0), rel=0.1)
    apart = independent(X, 2000, rng, [[0], [1], [2]])
    assert apart.std(0) == pytest.approx(X.std(0), rel=0.1)
    assert abs(np.corrcoef(apart.T)[0, 1]) < 0.1 < np.corrcoef(X.T)[0, 1]
    kept = independent(X, 2000, rng, [[0, 1], [2]])
    assert np.corrcoef(kept.T)[0, 1] == pytest.approx(np.corrcoef(X.T)[0, 1], abs=0.05)


def mixed(n, rng):
    job = rng.choice(["cook", "clerk"], n)
    pay = 40.0 + 20 * (job == "clerk") + 3 * rng.normal(size=n)
    gaps = np.where(rng.random(n) < 0.1, np.nan, pay)
    return pd.DataFrame({"pay": gaps, "age": rng.normal(40, 9, n), "old": rng.random(n) < 0.3, "job": job})


def test_mixed_columns_and_missing_values_are_compared(tmp_path):
    rng = np.random.default_rng(3)
    train, test = mixed(300, rng), mixed(150, rng)
    report = judge(Maker(mixed), test, train)
    assert report.metrics["tstr"].value > 0.85
    assert "job" in report.facts["Trained on made, tested on real"]
    apart = {each.name: each for each in report.baselines}["independent columns"]
    assert apart.metrics["tstr"].value < 0.75
    page = report.to_html(tmp_path / "page.html")
    for words in ("Made beside real", "pay: real and made", "job: real and made", "Real and made rows"):
        assert words in page
    assert json.loads(report.to_json())["model"]["metrics"]["tstr"]["value"] == report.metrics["tstr"].value


def test_back_and_forth_between_columns_and_plain_numbers():
    data = as_dataset(mixed(100, np.random.default_rng(4)))
    space = feature_space(data)
    again = space.back(space.plain(data))
    assert again.values("job").tolist() == data.values("job").tolist()
    known = np.isfinite(data.values("pay"))
    assert again.values("pay")[known] == pytest.approx(data.values("pay")[known])
    assert space.plain(again) == pytest.approx(space.plain(data))
    assert space.names == ("pay", "age", "old", "job=clerk", "job=cook")


def test_pictures_are_told_apart_in_features_that_were_learned_here():
    from sklearn.datasets import load_digits

    digits = load_digits()
    X, y = (16 * digits.images - 1).clip(0).astype(np.uint8), digits.target
    noise = np.random.default_rng(5).permuted(X[300:500].reshape(200, -1), axis=1).reshape(-1, 8, 8)
    good, bad = (
        judge(Maker(lambda n, rng, made=made: made), X[300:500], X[:300], None, y[:300], baselines=False)
        for made in (X[500:700], noise)
    )
    assert "CNNClassifier" in good.facts["Features"]
    assert "no FID" in good.facts["Features"]
    assert good.comparison.metric == "frechet"
    assert good.metrics["frechet"].value < 0.3 * bad.metrics["frechet"].value
    assert {"samples", "nearest"} <= {*good.plot()}


def test_without_training_rows_there_is_no_race_and_no_memory(moons):
    report = evaluate(Maker(two_moons_like), moons[1], n_bootstrap=60)
    assert report.comparison.outcome == "not compared"
    assert any("draw from the training rows" in note for note in report.notes)
    assert "train=" in report.metrics["memorisation"].reason


def test_alarms_of_training_stand_in_the_notes(moons):
    model = Maker(two_moons_like)
    alarm = {"name": "posterior collapse", "evidence": "0 of 2 units tell anything.", "remedy": "Try beta below 1."}
    model.history_ = SimpleNamespace(rows=[], alarms=[alarm])
    report = evaluate(model, moons[1], n_bootstrap=60)
    assert any("posterior collapse: 0 of 2 units" in note and "beta" in note for note in report.notes)


@pytest.mark.parametrize(
    ("make", "X", "why"),
    [
        (two_moons_like, np.zeros((4, 2)), "4 rows are too few"),
        (two_moons_like, [np.zeros((3, 2)), np.zeros((4, 2))] * 5, "tables or images"),
    ],
)
def test_what_cannot_be_compared_is_refused(make, X, why):
    with pytest.raises(InvalidInput, match=why):
        evaluate(Maker(make), X, n_bootstrap=60)


def test_a_model_of_classes_is_asked_for_with_classes(moons):
    model = Maker(two_moons_like)
    model.conditional = True
    with pytest.raises(InvalidInput, match="Give y, the classes"):
        evaluate(model, moons[1], n_bootstrap=60)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"a": [1.5, 2.5], "b": ["x", "y"], "c": [0.1, 0.2]}, "b"),
        ({"a": [1.5, 2.5], "c": [0.1, 0.2]}, "c"),
        ({"a": [1.5, 2.5]}, None),
    ],
)
def test_the_column_that_is_learned(columns, name):
    found = column_to_learn(as_dataset(columns))
    assert (found and found.name) == name
