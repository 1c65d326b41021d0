"""Mitigations: closed forms, the paper's projection, fairlearn's classes on our estimators, scikit-learn's contract."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.algorithms.mlp import MLPClassifier
from ganglion.algorithms.perceptron import Perceptron
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput, InvalidParameter, UnknownParameter
from ganglion.estimators.beside import Beside
from ganglion.fairness.adversarial import Adversary, turn
from ganglion.fairness.audit import audit, audit_scores
from ganglion.fairness.debias import METHODS, debias
from ganglion.fairness.debiased import NotFitted
from ganglion.fairness.relaxed import find_thresholds
from ganglion.fairness.reweighing import reweigh
from ganglion.fairness.trade_off import trade_off

RNG = np.random.default_rng(0)
SEX = RNG.choice(["f", "m"], 1200, p=[0.4, 0.6])
SKILL = RNG.normal(size=1200)
FRAME = pd.DataFrame({"skill": SKILL, "other": RNG.normal(size=1200), "sex": SEX})
HIRED = np.where(SKILL + 0.7 * RNG.normal(size=1200) + 0.8 * (SEX == "m") > 0.6, "yes", "no")
TINY = {"hidden": (4,), "epochs": 3, "random_state": 0}
FAST = {"constraints": {"max_iter": 2, "slack": 0.1}}


def gap(said, measure: str = "equalized_odds_difference", y=HIRED, sex=SEX) -> float:
    return audit_scores(y, said, {"sex": sex}, n_bootstrap=40).section().gaps[measure].estimate.value


# reweighing


def test_weights_are_those_computed_by_hand():
    # Kamiran & Calders 2012, section 5.3: ten people, P(s) P(y) / P(s, y)
    sex = ["m"] * 5 + ["f"] * 5
    label = ["+", "+", "+", "+", "-", "+", "+", "-", "-", "-"]
    by_hand = {("m", "+"): 0.5 * 0.6 / 0.4, ("m", "-"): 2.0, ("f", "+"): 0.5 * 0.6 / 0.2, ("f", "-"): 0.5 * 0.4 / 0.3}
    assert reweigh(label, {"sex": sex}) == pytest.approx([by_hand[pair] for pair in zip(sex, label, strict=True)])
    assert by_hand["f", "-"] == pytest.approx(0.67, abs=0.005)  # the paper's own figures: 0.75, 2, 1.5, 0.67


def test_reweighed_classes_are_independent_of_groups():
    own = RNG.uniform(0.5, 2, len(HIRED))
    weight = reweigh(HIRED, "sex", X=FRAME, sample_weight=own)
    assert weight.sum() == pytest.approx(own.sum())
    shares = [weight[(s == SEX) & (HIRED == "yes")].sum() / weight[s == SEX].sum() for s in "fm"]
    assert shares[0] == pytest.approx(shares[1])


def test_strength_is_a_power_of_the_weights():
    whole, half, none = (
        debias(LogisticRegression(), strength=power).fit(FRAME[["skill"]], HIRED, sensitive=SEX).weights_
        for power in (1.0, 0.5, 0.0)
    )
    assert whole == pytest.approx(reweigh(HIRED, SEX))
    assert half == pytest.approx(np.sqrt(whole))
    assert none == pytest.approx(np.ones(len(HIRED)))


# the adversary


def test_a_turned_gradient_neither_helps_nor_spares_the_adversary():
    own = [torch.randn(3, 2, dtype=torch.float64), torch.randn(4, dtype=torch.float64)]
    other = [torch.randn(3, 2, dtype=torch.float64), torch.randn(4, dtype=torch.float64)]
    flat = [torch.cat([each.reshape(-1) for each in those]) for those in (own, other)]
    turned = torch.cat([each.reshape(-1) for each in turn(own, other, 0.0)])
    assert turned @ flat[1] == pytest.approx(0, abs=1e-12)
    unit = flat[1] / flat[1].norm()
    by_hand = flat[0] - (flat[0] @ unit) * unit - 0.7 * flat[1]  # eq. 1
    assert torch.cat([each.reshape(-1) for each in turn(own, other, 0.7)]).tolist() == pytest.approx(by_hand.tolist())


def test_without_a_gradient_of_the_adversary_nothing_is_turned():
    own = [torch.ones(3)]
    assert turn(own, [torch.zeros(3)], 5.0)[0].tolist() == [1, 1, 1]


def test_the_adversary_sees_scores_apart_for_each_class():
    torch.manual_seed(0)
    adversary = Adversary(2, 3, knows_class=True).double()
    scores, target = torch.randn(5, 1, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 1])
    share = torch.sigmoid(scores[:, 0] * (1 + adversary.sharpness.abs()))
    s = torch.stack([1 - share, share], 1)
    y = torch.eye(2, dtype=torch.float64)[target]
    features = torch.cat([s, s[:, :1] * y, s[:, 1:] * y, y], 1)
    linear = adversary.body[-1]
    torch.testing.assert_close(adversary(scores, target), features @ linear.weight.T + linear.bias)


@pytest.mark.parametrize("goal", ["equalized_odds", "demographic_parity"])
def test_against_an_adversary_answers_tell_less_of_the_group(goal):
    measure = {"equalized_odds": "equalized_odds_difference", "demographic_parity": "demographic_parity_difference"}
    y = np.where(SKILL + 0.7 * RNG.normal(size=1200) + 1.6 * (SEX == "m") > 1, "yes", "no")
    network = MLPClassifier(hidden=(8,), epochs=20, batch_size=100, learning_rate=0.01, random_state=0)
    plain = network.set_params(validation_fraction=0.0).fit(FRAME, y)
    model = debias(network, "adversarial", sensitive="sex", goal=goal, strength=2.0, rate=5.0).fit(FRAME, y)
    before, after = (gap(each.predict(FRAME), measure[goal], y=y) for each in (plain, model))
    assert before > 0.2
    assert after < 0.6 * before
    assert "adversary_loss" in model.estimator_.history_.rows[-1]


def test_no_strength_and_a_deaf_adversary_change_nothing_but_the_projection():
    labels = RNG.integers(0, 3, 300)  # three classes and weights: the gradient is still that of a network
    model = debias(MLPClassifier(**TINY), "adversarial", strength=0.0)
    model.fit(FRAME[:300], labels, sample_weight=np.ones(300), sensitive={"sex": SEX[:300]})
    assert model.predict_proba(FRAME[:300]).shape == (300, 3)
    assert model.get_params()["strength"] == 0.0


# thresholds


def test_thresholds_without_slack_are_fairlearns():
    model = debias(LogisticRegression(), "thresholds", holdout=0.0, random_state=3)
    X, codes = FRAME[["skill", "other"]], (HIRED == "yes").astype(int)
    model.fit(X, HIRED, sensitive={"sex": SEX})
    inner = LogisticRegression().fit(X, HIRED)
    scores = inner.predict_proba(X)[:, 1:]
    theirs = ThresholdOptimizer(
        estimator=model.optimizer_.estimator, constraints="equalized_odds", prefit=True, predict_method="predict_proba"
    ).fit(scores, codes, sensitive_features=SEX)
    ours = model.predict_proba(X, sensitive={"sex": SEX})
    assert ours == pytest.approx(theirs._pmf_predict(scores, sensitive_features=SEX))
    assert gap(model.predict(X, sensitive={"sex": SEX})) < 0.08


def test_with_slack_accuracy_is_between_free_and_equal():
    X = FRAME[["skill", "other"]]
    scores = LogisticRegression().fit(X, HIRED).predict_proba(X)[:, 1]
    true, groups = HIRED == "yes", (SEX == "m").astype(int)
    accuracies, gaps = [], []
    for slack in (0.001, 0.03, 0.1, 1.0):
        found = find_thresholds(scores, true, groups, constraint="equalized_odds", slack=slack)
        chance = found.chances(scores, groups)
        rates = [[chance[(groups == g) & (true == t)].mean() for t in (True, False)] for g in (0, 1)]
        gaps.append(np.abs(np.subtract(*rates)).max())
        accuracies.append(np.where(true, chance, 1 - chance).mean())
        assert gaps[-1] <= slack + 1e-9
    assert accuracies == sorted(accuracies)
    cuts = np.r_[np.inf, np.unique(scores)]
    best = [max(((scores[groups == g] >= cut) == true[groups == g]).sum() for cut in cuts) for g in (0, 1)]
    assert accuracies[-1] == pytest.approx(sum(best) / len(true))  # without a limit the best threshold of each


def test_groups_are_cut_again_as_in_fit():
    age = RNG.integers(20, 70, len(HIRED))
    data = FRAME.assign(age=age)
    model = debias(LogisticRegression(), "thresholds", sensitive="age", holdout=0.3, slack=0.05)
    X = data[["skill", "other", "age"]]
    whole = model.fit(X, HIRED).predict_proba(X)
    assert model.predict_proba(X[:7]) == pytest.approx(whole[:7])
    assert model.predict_proba(X[3:4]) == pytest.approx(whole[3:4])


def test_a_group_that_fit_had_not_is_refused():
    X = FRAME[["skill"]]
    model = debias(LogisticRegression(), "thresholds", slack=0.1).fit(X, HIRED, sensitive={"sex": SEX})
    with pytest.raises(InvalidInput, match="the group 'x' of sex, which fit had not"):
        model.predict(X[:2], sensitive={"sex": ["x", "f"]})
    with pytest.raises(InvalidInput, match="needs the group of each row"):
        model.predict(X)


# fairlearn's classes on our estimators


def test_threshold_optimizer_works_on_our_estimators():
    X, y = FRAME[["skill", "other"]], (HIRED == "yes").astype(int)
    network = MLPClassifier(hidden=(8,), epochs=10, random_state=0)
    optimizer = ThresholdOptimizer(estimator=network, constraints="equalized_odds", predict_method="predict_proba")
    said = optimizer.fit(X, y, sensitive_features=SEX).predict(X, sensitive_features=SEX, random_state=0)
    plain = clone(network).fit(X, y)
    assert gap(said, y=y) < 0.1 < gap(plain.predict(X), y=y)


@pytest.mark.filterwarnings("ignore:Setting a:DeprecationWarning")  # fairlearn's, of pandas
def test_exponentiated_gradient_works_on_our_estimators():
    X, y = FRAME.assign(sex=SEX == "m").astype(float), (HIRED == "yes").astype(int)
    network = MLPClassifier(hidden=(4,), epochs=10, learning_rate=0.02, random_state=0)
    reduction = ExponentiatedGradient(network, DemographicParity(difference_bound=0.02), max_iter=4)
    said = reduction.fit(X, y, sensitive_features=SEX).predict(X, random_state=0)
    plain = clone(network).fit(X, y)
    measure = "demographic_parity_difference"
    assert gap(said, measure, y=y) < gap(plain.predict(X), measure, y=y) / 2


@pytest.mark.filterwarnings("ignore:Setting a:DeprecationWarning")
def test_constraints_are_fairlearns():
    X, y = FRAME[["skill", "other"]], (HIRED == "yes").astype(int)
    model = debias(LogisticRegression(), "constraints", constraint="demographic_parity", slack=0.02, max_iter=8)
    model.fit(X, HIRED, sensitive={"sex": SEX})
    theirs = ExponentiatedGradient(LogisticRegression(), DemographicParity(difference_bound=0.02), eps=0.02, max_iter=8)
    theirs.fit(X, y, sensitive_features=(SEX == "m").astype(int))
    assert model.predict_proba(X) == pytest.approx(theirs._pmf_predict(X))
    assert gap(model.predict(X), "demographic_parity_difference") < 0.08
    assert sum(share for share, _ in model.mixture_) == pytest.approx(1)


# the contract


@pytest.mark.parametrize("method", METHODS)
class TestContract:
    def made(self, method, **options):
        return debias(MLPClassifier(**TINY), method, sensitive="sex", **FAST.get(method, {}), **options)

    def test_clones_answer_alike(self, method):
        model = self.made(method)
        first, second = (clone(model).fit(FRAME, HIRED) for _ in range(2))
        assert first.predict_proba(FRAME) == pytest.approx(second.predict_proba(FRAME), abs=0)
        assert (first.predict(FRAME) == second.predict(FRAME)).all()
        assert set(first.predict(FRAME)) <= {"yes", "no"}
        assert first.predict_proba(FRAME).sum(axis=1) == pytest.approx(np.ones(len(FRAME)))
        assert first.n_features_in_ == 3
        assert not hasattr(model, "estimator_")
        assert model.get_params()["estimator__hidden"] == (4,)

    def test_every_form_of_data_gives_the_same(self, method):
        data = as_dataset(FRAME.assign(hired=HIRED)).with_target("hired")
        ours, theirs = self.made(method).fit(FRAME, HIRED), self.made(method).fit(data)
        assert ours.predict_proba(FRAME) == pytest.approx(theirs.predict_proba(data.drop(["hired"])), abs=1e-6)

    def test_hidden_columns_are_not_seen(self, method):
        model = self.made(method, hide=True).fit(FRAME, HIRED)
        if method != "constraints":
            assert model.estimator_.n_features_in_ == 2
        turned = FRAME.assign(sex=np.where(FRAME.sex == "m", "f", "m"))
        if method != "thresholds":  # which need the group themselves
            assert (model.predict_proba(FRAME) == model.predict_proba(turned)).all()

    def test_asking_before_fit_and_wrong_settings(self, method):
        with pytest.raises(NotFitted, match=r"Call fit\(X, y\) first"):
            self.made(method).predict(FRAME)
        with pytest.raises(UnknownParameter, match="has no setting 'strenght'"):
            self.made(method, strenght=2)
        with pytest.raises(InvalidInput, match="no column is called 'sexx'"):
            clone(self.made(method)).set_params(sensitive="sexx").fit(FRAME, HIRED)
        with pytest.raises(InvalidInput, match="for every sample"):
            self.made(method).fit(FRAME, ["yes"] * len(FRAME))


def test_grid_searches_and_pipelines():
    model = debias(make_pipeline(StandardScaler(), LogisticRegression()), "reweighing")
    search = GridSearchCV(model, {"estimator__logisticregression__C": [0.01, 1.0]}, cv=2)
    search.fit(FRAME[["skill", "other"]], HIRED, sensitive=SEX)
    assert search.best_score_ > 0.7
    by_name = GridSearchCV(debias(MLPClassifier(**TINY), sensitive="sex"), {"hide": [True, False]}, cv=2)
    assert by_name.fit(FRAME, HIRED).predict(FRAME).shape == (1200,)


def test_what_is_refused():
    with pytest.raises(InvalidParameter, match=r"no method is called 'reweihing'\. Did you mean 'reweighing'"):
        debias(LogisticRegression(), "reweihing")
    with pytest.raises(InvalidInput, match="LogisticRegression is not trained by objectives"):
        debias(LogisticRegression(), "adversarial", sensitive="sex").fit(FRAME, HIRED)
    with pytest.raises(InvalidParameter, match="Perceptron learns without objectives"):
        Perceptron().fit(FRAME[["skill"]], HIRED, beside=Beside({}, lambda network, own: own))
    with pytest.raises(InvalidInput, match="is no classifier"):
        debias(StandardScaler()).fit(FRAME, HIRED)
    with pytest.raises(InvalidInput, match="but y has 3"):
        debias(LogisticRegression(), "thresholds", sensitive=1).fit(RNG.normal(size=(9, 1)).repeat(2, 1), [0, 1, 2] * 3)
    with pytest.raises(InvalidParameter, match="goal='odds'"):
        debias(MLPClassifier(**TINY), "adversarial", sensitive="sex", goal="odds").fit(FRAME, HIRED)


def test_what_joins_a_training_is_checked():
    def same(network, own):
        return own

    model, X, y = MLPClassifier(**TINY), RNG.normal(size=(40, 2)), np.tile([0, 1], 20)
    with pytest.raises(InvalidInput, match="'group' has 3 rows, but X has 40"):
        model.fit(X, y, beside=Beside({"group": np.zeros(3)}, same))
    with pytest.raises(InvalidParameter, match="a checkpoint holds the network only"):
        model.fit(X, y, beside=Beside({}, same), checkpoint="folder")
    plain, joined = (clone(model).fit(X, y, beside=beside) for beside in (None, Beside({"g": np.arange(40)}, same)))
    assert (plain.predict_proba(X) == joined.predict_proba(X)).all()


def test_rows_without_weight_are_left_out_of_what_joins():
    seen = []

    def look(network, own):
        (objective,) = own
        plain = objective.loss
        objective.closed_form = None
        objective.loss = lambda network, batch: (seen.append(batch["g"].tolist()), plain(network, batch))[1]
        return own

    X, y, weight = RNG.normal(size=(40, 2)), np.tile([0, 1], 20), np.tile([1.0, 1.0, 0.0, 0.0], 10)
    MLPClassifier(**TINY).fit(X, y, weight, beside=Beside({"g": np.arange(40)}, look))
    assert sorted(seen[0]) == np.flatnonzero(weight).tolist()


# the trade-off curve


def test_the_trade_off_is_that_of_audits():
    train, test = slice(0, 800), slice(800, None)
    models = {
        "plain": LogisticRegression(),
        **{f"thresholds {slack}": debias(LogisticRegression(), "thresholds", slack=slack) for slack in (0.02, 0.2)},
    }
    X = FRAME.assign(sex=SEX == "m").astype(float)
    curve = trade_off(
        {name: model if name == "plain" else model.set_params(sensitive="sex") for name, model in models.items()},
        X[train],
        HIRED[train],
        test=(X[test], HIRED[test]),
        sensitive="sex",
        n_bootstrap=100,
    )
    plain = LogisticRegression().fit(X[train], HIRED[train])
    found = audit(plain, X[test], HIRED[test], sensitive="sex", n_bootstrap=100).section()
    first = curve.points[0]
    assert first.unfairness.value == pytest.approx(found.gaps["equalized_odds_difference"].estimate.value)
    assert first.accuracy.value == pytest.approx(plain.score(X[test], HIRED[test]))
    assert curve.points[1].unfairness.value < first.unfairness.value
    assert any(each.best for each in curve.points)
    assert "accuracy" in str(curve)
    assert "<svg" in curve.to_html()
    assert list(curve.plot()) == ["trade_off"]
    assert json.loads(curve.to_json())["points"][0]["name"] == "plain"
    with pytest.raises(InvalidParameter, match="no measure of unfairness is called"):
        trade_off(models, X, HIRED, test=(X, HIRED), sensitive="sex", measure="unfair")
