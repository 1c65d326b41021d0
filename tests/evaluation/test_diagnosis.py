"""Wrong labels, groups that are worse, temperatures and thresholds: what is planted is found, and little else."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.errors import InvalidParameter
from ganglion.evaluation.costs import cheapest_threshold, checked_threshold
from ganglion.evaluation.diagnosis import Diagnosis
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.label_errors import label_suspects, suspected
from ganglion.evaluation.predictions import Predictions, Truth
from ganglion.evaluation.proportions import wilson
from ganglion.evaluation.slices import badness_of, worst_slices
from ganglion.evaluation.temperature import checked_temperature, fit_temperature


def test_wilson_is_what_statisticians_have():
    assert wilson(0.1, 10) == pytest.approx((0.017876, 0.404150), abs=1e-6)
    assert wilson(0.0, 10)[0] == 0.0
    assert wilson(1.0, 10)[1] == 1.0


# labels


def test_suspects_are_those_of_the_definition():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.45, 0.55]])
    codes = np.array([0, 0, 0, 1, 1])
    # t_0 = (0.9 + 0.8 + 0.2) / 3 = 0.633, t_1 = (0.7 + 0.55) / 2 = 0.625: row 2 alone is as sure of the other class
    rows, likely = suspected(codes, p)
    assert rows.tolist() == [2]
    assert likely.tolist() == [1]
    (found,) = label_suspects(codes, p, ("cat", "dog"))
    assert (found.row, found.given, found.likely) == (2, "cat", "dog")
    assert found.margin == pytest.approx(0.6)


@pytest.mark.parametrize("seed", range(10))
def test_flipped_labels_are_found(seed):
    generator = np.random.default_rng(seed)
    true = generator.integers(0, 3, 1000)
    probabilities = softmax(generator.normal(size=(1000, 3)) + 5 * np.eye(3)[true], axis=1)
    flipped = generator.choice(1000, 30, replace=False)
    codes = true.copy()
    codes[flipped] = (true[flipped] + 1) % 3
    rows, likely = suspected(codes, probabilities)
    assert len(set(rows) & set(flipped)) >= 22  # the others are less sure than their class is on average
    assert len(rows) <= 33
    there = np.isin(rows, flipped)
    assert (likely[there] == true[rows[there]]).mean() > 0.9


def test_a_class_without_rows_is_never_suspected():
    rows, _ = suspected(np.array([0, 0]), np.array([[0.1, 0.9], [0.6, 0.4]]))
    assert len(rows) == 0


# groups


def table(n, generator):
    return pd.DataFrame(
        {
            "age": generator.integers(18, 90, n),
            "job": generator.choice(["cook", "clerk", "nurse"], n),
            "member": generator.random(n) < 0.5,
            "noise": generator.normal(size=n),
        }
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_group_is_found(seed):
    generator = np.random.default_rng(seed)
    frame = table(2000, generator)
    planted = (frame["job"] == "cook") & frame["member"]
    wrong = (generator.random(2000) < np.where(planted, 0.4, 0.1)).astype(float)
    found = worst_slices(frame, wrong)
    assert set(found.found[0].conditions) == {"job = cook", "member = 1"}
    assert found.found[0].n_rows == planted.sum()
    assert found.found[0].badness.value == pytest.approx(wrong[planted].mean())
    assert found.found[0].others == pytest.approx(wrong[~planted].mean())


def test_where_nothing_is_planted_little_is_found():
    alarms = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        frame = table(600, generator)
        alarms += len(worst_slices(frame, (generator.random(600) < 0.2).astype(float)).found) > 0
    assert alarms <= 5  # 5 % of 40 are 2


def test_groups_of_numbers_are_parts_of_their_column():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.arange(800.0)})
    found = worst_slices(frame, np.where(frame["x"] >= 600, 2.0, 1.0) + 0.1 * generator.random(800))
    assert found.found[0].conditions == ("x > 599.2",)
    assert found.n_looked_at == 4
    frame.loc[:99, "x"] = np.nan
    assert worst_slices(frame, frame["x"].isna().astype(float).to_numpy()).found[0].conditions == ("x is missing",)


def test_badness_of_each_task():
    multilabel = Truth("multilabel", np.array([[0, 1], [1, 1]]), ("a", "b"))
    assert badness_of(multilabel, Predictions(np.array([[0, 1], [1, 0]]))).tolist() == [0, 1]
    numbers = Truth("regression", np.array([[1.0], [2.0]]), ("y",))
    assert badness_of(numbers, Predictions(np.array([[3.0], [2.0]]))).tolist() == [2, 0]


# temperatures


def test_the_temperature_that_was_taken_away_is_found():
    generator = np.random.default_rng(0)
    logits = 2 * generator.normal(size=(20_000, 4))
    codes = np.array([generator.choice(4, p=each) for each in softmax(logits, axis=1)])
    assert fit_temperature(codes, softmax(3 * logits, axis=1)) == pytest.approx(3, rel=0.05)
    found = checked_temperature(codes, softmax(3 * logits, axis=1))
    assert found.after < 0.02 < found.before
    assert found.loss_after < found.loss_before
    assert "too sure of itself" in found.sentence
    fine = checked_temperature(codes, softmax(logits, axis=1))
    assert fine.temperature == pytest.approx(1, rel=0.05)


# costs


def test_no_other_line_is_cheaper():
    generator = np.random.default_rng(0)
    probability = generator.random(300).round(2)
    positive = generator.random(300) < probability
    line = cheapest_threshold(positive, probability, 1, 4)

    def cost(t):
        said = probability >= t
        return (said & ~positive).sum() + 4 * (~said & positive).sum()

    assert cost(line) == min(cost(t) for t in np.linspace(-0.005, 1.005, 102))


def test_of_right_probabilities_the_line_is_where_elkan_has_it():
    generator = np.random.default_rng(0)
    probability = generator.random(50_000)
    found = checked_threshold(generator.random(50_000) < probability, probability, (1, 4), n_bootstrap=200)
    assert found.calibrated == 0.2
    assert found.value == pytest.approx(0.2, abs=0.05)
    assert found.cost.high < found.cost_at_half.low
    assert "a miss 4" in found.sentence


@pytest.mark.parametrize("costs", [(0, 1), (1,), "ab", (1, float("nan")), 3])
def test_costs_are_two_numbers(costs):
    with pytest.raises(InvalidParameter, match="two numbers above 0"):
        checked_threshold(np.array([True, False]), np.array([0.2, 0.7]), costs)


# all of it, in a report


@pytest.fixture(scope="module")
def report():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    y = y.to_numpy().copy()
    y[[300, 310]] = 1 - y[[300, 310]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:280], y[:280])
    options = {"train": (X[:280], y[:280]), "baselines": False, "conformal": 0.9, "costs": (1, 5), "n_bootstrap": 100}
    return evaluate(model, X[280:], y[280:], **options), model, X, y


def test_a_report_says_how_far_to_trust_the_model(report):
    found, model, X, y = report
    assert found.diagnosis.fit.training == pytest.approx(model.score(X[:280], y[:280]))
    assert {each.row for each in found.diagnosis.suspects} >= {20, 30}
    assert found.diagnosis.coverage.held.value == pytest.approx(0.9, abs=0.06)
    assert found.diagnosis.threshold.calibrated == pytest.approx(1 / 6)
    shown, page = str(found), found.to_html()
    for words in ("rows that it learned from", "90% prediction sets", "say yes from", "emperature", "worth a check"):
        assert words in " ".join(shown.split()), words
    assert "How far to trust it" in page
    assert json.loads(found.to_json())["diagnosis"]["coverage"]["nominal"] == 0.9


def test_what_does_not_suit_the_task_is_refused(report):
    _, model, X, y = report
    with pytest.raises(InvalidParameter, match="between 0 and 1"):
        evaluate(model, X, y, conformal=90)
    with pytest.raises(InvalidParameter, match="for two classes"):
        evaluate(LinearRegression().fit(X, y), X, y, costs=(1, 2))


def test_rows_that_count_differently_are_not_diagnosed(report):
    _, model, X, y = report
    weighted = evaluate(model, X, y, sample_weight=np.arange(len(y)) + 1.0, baselines=False, n_bootstrap=50)
    assert weighted.diagnosis == Diagnosis()
