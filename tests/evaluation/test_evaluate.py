from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.metrics import METRICS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
Y = np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")  # an XOR: linear models see nothing in it


class Oracle(ClassifierMixin, BaseEstimator):
    """Answers `rule(X)`, and is wrong in every `wrong`-th row."""

    def __init__(self, rule=None, wrong: int = 0):
        self.rule, self.wrong = rule, wrong
        self.classes_ = np.array(["no", "yes"])

    def fit(self, X, y):
        return self

    def predict(self, X):
        answers = self.rule(X)
        if self.wrong:
            answers = answers.copy()
            answers[:: self.wrong] = np.where(answers[:: self.wrong] == "yes", "no", "yes")
        return answers


class Constant(RegressorMixin, BaseEstimator):
    def __init__(self, value: float = 0.0):
        self.value = value

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), self.value)


def xor(X):
    return np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")


@pytest.mark.parametrize(
    ("model", "outcome", "words"),
    [
        (Oracle(xor), "better", "worth it here"),
        (Oracle(lambda X: np.full(len(X), "yes")), "worse", "Do not use Oracle here"),
    ],
)
def test_verdicts(model, outcome, words):
    report = evaluate(model, X, Y, n_bootstrap=200)
    assert report.comparison.outcome == outcome
    assert words in report.verdict
    assert report.comparison.metric == "accuracy"


def test_the_baseline_itself_shows_no_difference():
    y = np.where(X[:, 0] + 0.5 * RNG.normal(size=200) > 0, "yes", "no")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:100], y[:100])
    report = evaluate(model, X[100:], y[100:], train=(X[:100], y[:100]), n_bootstrap=200)
    assert report.comparison.outcome == "no difference"
    assert "Use the simpler one" in report.verdict
    assert report.facts["Model"] == "LogisticRegression in Pipeline"


def test_an_unbalanced_target_is_judged_by_ranking():
    y = np.where(X[:, 0] > 1.3, "yes", "no")
    model = LogisticRegression().fit(X, y)
    assert evaluate(model, X, y, n_bootstrap=40).comparison.metric == "roc_auc"
    assert evaluate(Oracle(xor), X, y, n_bootstrap=40).comparison.metric == "balanced_accuracy"


def test_regression_with_several_targets():
    y = np.stack([X[:, 0], X[:, 1] * 2], axis=1)
    report = evaluate(LinearRegression().fit(X, y), X, pd.DataFrame(y, columns=["up", "down"]), n_bootstrap=40)
    assert report.classes == ("up", "down")
    assert report.comparison.outcome == "better"
    assert report.metrics["r2"].value == pytest.approx(1)


def test_several_labels_of_a_forest():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)
    model = RandomForestClassifier(10, random_state=0).fit(X[:100], y[:100])
    report = evaluate(model, X[100:], y[100:], train=(X[:100], y[:100]), n_bootstrap=40)
    assert report.task == "multilabel"
    assert report.metrics["roc_auc"].value > 0.9
    assert report.confusion is None


def test_a_decision_function_ranks_without_probabilities():
    report = evaluate(RidgeClassifier().fit(X, Y), X, Y, n_bootstrap=40, baselines=False)
    assert report.metrics["roc_auc"].value is not None
    assert report.metrics["log_loss"].value is None
    assert report.comparison.outcome == "not compared"
    assert any("no probabilities" in note for note in report.notes)


def test_other_spellings_of_labels():
    with pytest.warns(DataWarning, match="' YES.' as 'yes'"):
        report = evaluate(Oracle(xor), X, np.where(Y == "yes", " YES.", "no"), n_bootstrap=40, baselines=False)
    assert report.metrics["accuracy"].value == 1


def test_without_training_data_the_report_says_so():
    report = evaluate(Oracle(xor), X, Y, n_bootstrap=40, notes=["a leak"])
    assert report.notes[0] == "a leak"
    assert any("No training data were given" in note for note in report.notes)


def test_the_seed_decides_everything():
    first, again = (evaluate(Oracle(xor, wrong=9), X, Y, n_bootstrap=60, random_state=4).to_dict() for _ in range(2))
    for each in (*first["baselines"], *again["baselines"]):
        del each["seconds"]
    assert first == again


def test_rows_of_weight_zero_do_not_count():
    model = Oracle(xor, wrong=2)
    weight = (np.arange(200) % 2).astype(float)  # every wrong row has weight 0
    report = evaluate(model, X, Y, sample_weight=weight, n_bootstrap=40)
    assert report.metrics["accuracy"].value == 1


def test_learning_curves_come_from_the_history():
    model = make_pipeline(StandardScaler(), Oracle(xor).fit(X, Y)).fit(X, Y)
    rows = [{"epoch": e, "loss": 1 / e, "validation_loss": None if e == 1 else 2 / e, "note": "x"} for e in (1, 2, 3)]
    model[-1].history_ = type("History", (), {"rows": rows})()
    report = evaluate(model, X, Y, n_bootstrap=40, baselines=False)
    assert report.learning_curves == {
        "epoch": [1, 2, 3],
        "loss": [1, 1 / 2, 1 / 3],
        "validation_loss": [None, 1, 2 / 3],
    }
    assert "loss" in report.plot()


@pytest.mark.parametrize(
    ("model", "y", "match"),
    [
        (Oracle(xor), Y[:-1], "X has 200 rows and y has 199"),
        (Oracle(xor), np.where(np.arange(200) == 3, None, Y), "missing .* in 1 of 200 rows, the first is row 3"),
        (Oracle(xor), np.full(200, "maybe"), "not trained on: 'maybe'"),
        (Constant(), Y, "the model is a regressor"),
        (Constant(), np.full(200, np.nan), "missing .* in 200 of 200"),
        (Constant(), np.full(200, np.inf), "infinite"),
        (Constant(np.nan), X[:, 0], "predicts NaN or infinity for 200"),
        (Constant(), X, r"predicts an array of shape \(200, 1\), but y has shape \(200, 4\)"),
        (Oracle(xor), X, "0 or 1, but it holds"),
        (KMeans(2), Y, "neither a classifier nor a regressor"),
        (Oracle(xor), None, "y is missing"),
    ],
)
def test_bad_input_is_refused(model, y, match):
    with pytest.raises(InvalidInput, match=match):
        evaluate(model, X, y)


def test_empty_rows_bad_weights_and_bad_counts_are_refused():
    with pytest.raises(InvalidInput, match="empty"):
        evaluate(Oracle(xor), X[:0], Y[:0])
    with pytest.raises(InvalidInput, match="sample_weight"):
        evaluate(Oracle(xor), X, Y, sample_weight=-np.ones(200))
    with pytest.raises(InvalidParameter, match="n_bootstrap=3"):
        evaluate(Oracle(xor), X, Y, n_bootstrap=3)


def test_one_class_and_few_rows_do_not_crash():
    report = evaluate(LogisticRegression().fit(X, Y), X[:6], np.full(6, "yes"), n_bootstrap=40)
    assert report.baselines == ()
    assert report.metrics["roc_auc"].value is None
    assert set(report.metrics) == {metric.name for metric in METRICS["binary"]}
    assert "–" in str(report)


def test_rows_that_baselines_cannot_read_are_still_evaluated():
    rows = [{"a", i} for i in range(20)]
    labels = np.array(["yes", "no"] * 10)
    with pytest.warns(DataWarning, match="baselines were not run"):
        report = evaluate(Oracle(lambda X: np.array(["yes"] * len(X))), rows, labels, n_bootstrap=40)
    assert report.metrics["accuracy"].value == 0.5
    assert report.mistakes[0].features == {}


def test_texts_and_sequences_have_baselines():
    rng = np.random.default_rng(0)
    labels = np.array(["yes", "no"] * 50)
    texts = [f"word {label} {i % 7}" for i, label in enumerate(labels)]
    steps = [rng.normal(size=(5 + i % 3, 2)) + 3 * (label == "yes") for i, label in enumerate(labels)]
    for rows, told in ((texts, "on words"), (steps, "regression")):
        report = evaluate(Oracle(lambda X: np.array(["yes"] * len(X))), rows, labels, n_bootstrap=40)
        found = next(each for each in report.baselines if told in each.name)
        assert found.metrics["accuracy"].value > 0.95
        assert report.mistakes
