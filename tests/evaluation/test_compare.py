"""The board: the test by hand, false alarms where nothing is planted, and what is planted found."""

import itertools
import json
import statistics

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.compare import compare
from ganglion.evaluation.folds import folds_of, nested
from ganglion.evaluation.metrics import metric_of
from ganglion.evaluation.paired import Pair, compare_pairs, corrected_t_test, holm
from ganglion.evaluation.predictions import Truth
from ganglion.evaluation.recommendation import Entry, recommend

QUICK = {"n_bootstrap": 200, "progress": False}

# the tests by hand


def test_the_corrected_t_test_is_the_formula_of_the_paper():
    d = [0.02, 0.05, -0.01, 0.03, 0.04]
    t = statistics.mean(d) / ((1 / 5 + 25 / 100) * statistics.variance(d)) ** 0.5
    assert t == pytest.approx(0.026 / (0.45 * 0.00053) ** 0.5)  # 1.6836
    found = corrected_t_test(np.array(d), 25 / 100)
    assert found == pytest.approx((t, 2 * (1 - stats.t.cdf(t, 4))))
    # without the correction it is the usual paired test
    assert corrected_t_test(np.array(d), 0.0) == pytest.approx(tuple(stats.ttest_1samp(d, 0)))


@pytest.mark.parametrize(("d", "expected"), [([0.0] * 5, (0.0, 1.0)), ([0.1] * 5, (np.inf, 0.0))])
def test_differences_without_spread(d, expected):
    assert corrected_t_test(np.array(d), 0.25) == expected


def test_holm_by_hand():
    # 0.01 · 4, 0.02 · 3, 0.03 · 2, and 0.04 · 1, which may not fall below the one before
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


# false alarms and true ones, on scores


def scores_of_two(generator, n=200, k=5, repeats=2, lead=0.0, memory=0.5):
    """Return differences in repeated folds: what held-out rows add, and what the overlapping training rows do.

    Each row shifts a model that learns from it, half as much as it shifts the score where it is asked of: the
    differences of folds are not independent.
    """
    asked, taught = generator.normal(size=n), generator.normal(size=n)
    found = []
    for _ in range(repeats):
        for held in np.array_split(generator.permutation(n), k):
            learned = np.setdiff1d(np.arange(n), held)
            found.append(lead + asked[held].mean() + memory * taught[learned].mean())
    return np.array(found)


def test_equal_models_are_rarely_told_apart():
    generator = np.random.default_rng(0)
    runs = [scores_of_two(generator) for _ in range(600)]
    corrected = np.mean([corrected_t_test(d, 1 / 4)[1] < 0.05 for d in runs])
    usual = np.mean([corrected_t_test(d, 0.0)[1] < 0.05 for d in runs])
    assert corrected <= 0.07  # 5 %, and 2 standard errors
    assert usual > 0.12  # what the correction is for


def test_a_better_model_is_told_apart():
    generator = np.random.default_rng(1)
    found = [corrected_t_test(scores_of_two(generator, lead=0.6), 1 / 4)[1] < 0.05 for _ in range(200)]
    assert np.mean(found) > 0.9


def test_of_many_equal_models_rarely_any_two_are_told_apart():
    generator, alarms = np.random.default_rng(2), 0
    for _ in range(150):
        own = [scores_of_two(generator) for _ in range(5)]
        scores = {str(i): each for i, each in enumerate(own)}
        samples = {name: each.mean() + generator.normal(0, 0.1, 50) for name, each in scores.items()}
        pairs = compare_pairs(scores, samples, test_share=1 / 4, higher_is_better=True)
        assert len(pairs) == 10
        alarms += any(pair.told_apart for pair in pairs)
    assert alarms <= 15  # 7.5 expected at most, and 3 standard errors


def test_whether_anything_beats_a_guess_is_corrected_for_by_itself():
    generator = np.random.default_rng(5)
    scores = {
        name: lead + generator.normal(0, 0.02, 5) for name, lead in zip("gabc", (0.5, 0.6, 0.61, 0.62), strict=True)
    }
    p = {
        pair: corrected_t_test(scores[pair[0]] - scores[pair[1]], 1 / 4)[1]
        for pair in itertools.combinations("gabc", 2)
    }
    pairs = compare_pairs(scores, scores, test_share=1 / 4, higher_is_better=True, guess="g")
    found = {tuple(sorted((pair.first, pair.second), key="gabc".index)): pair.p_corrected for pair in pairs}
    assert len(found) == 6
    for with_guess in (True, False):
        kind = [pair for pair in p if ("g" in pair) == with_guess]
        assert [found[pair] for pair in kind] == pytest.approx(holm([p[pair] for pair in kind]))


def test_pairs_know_which_is_better_and_which_way_a_metric_goes():
    low, high = np.array([1.0, 1.1, 0.9]), np.array([2.0, 2.2, 2.1])
    for better, first in ((True, "high"), (False, "low")):
        (pair,) = compare_pairs(
            {"low": low, "high": high}, {"low": low, "high": high}, test_share=0.5, higher_is_better=better
        )
        assert pair.first == first
        assert pair.difference.value == pytest.approx(1.1)
        assert pair.t > 0


# what to take


def entry(name, score, **what):
    return Entry(name, Estimate(score, score - 0.01, score + 0.01), (score,), 1.0, **what)


def told(*apart, names, scores):
    """Return all pairs; those named are told apart."""
    order = sorted(names, key=lambda name: -scores[name])
    return [
        Pair(a, b, Estimate(scores[a] - scores[b], 0.001, 0.1), 9.0, 0.001, 0.01 if {a, b} in apart else 0.4)
        for a, b in itertools.combinations(order, 2)
    ]


NAMES = ("majority class", "linear", "trees", "forest", "net")
WHAT = {"forest": {}, "net": {"is_deep": True}}


@pytest.mark.parametrize(
    ("scores", "apart", "outcome", "take", "challenger", "begins"),
    [
        ((0.5, 0.7, 0.8, 0.8, 0.9), "all", "best", "net", "", "Deep learning is worth it here: net is best"),
        ((0.5, 0.7, 0.9, 0.8, 0.85), "all", "best", "trees", "net", "Don't use deep learning here: trees is best"),
        ((0.5, 0.88, 0.8, 0.8, 0.9), {"linear", "net"}, "tied", "linear", "net", "Deep learning is not shown"),
        ((0.5, 0.7, 0.8, 0.89, 0.9), {"forest", "net"}, "tied", "forest", "net", "Deep learning is not shown"),
        ((0.5, 0.4, 0.45, 0.5, 0.51), "none", "nothing", "majority class", "net", "Nothing is shown to be better"),
    ],
)
def test_what_to_take(scores, apart, outcome, take, challenger, begins):
    scores = dict(zip(NAMES, scores, strict=True))
    every = [set(pair) for pair in itertools.combinations(NAMES, 2)]
    kept = every if apart == "all" else [] if apart == "none" else [pair for pair in every if pair != apart]
    entries = [entry(name, scores[name], **WHAT.get(name, {"is_baseline": True})) for name in NAMES]
    found = recommend(entries, told(*kept, names=NAMES, scores=scores), metric_of("binary", "accuracy"))
    assert (found.outcome, found.take, found.challenger) == (outcome, take, challenger)
    assert found.sentence.startswith(begins)


# folds


def classes(n=120, seed=0):
    generator = np.random.default_rng(seed)
    return Truth("multiclass", generator.choice(3, n, p=[0.6, 0.3, 0.1]), ("a", "b", "c"))


def test_every_row_is_held_out_once_a_round_and_classes_in_equal_shares():
    truth = classes()
    folds = folds_of(truth, seed=1)
    assert folds.n_repeats == 3
    assert len(folds.pairs) == 15
    for k in range(3):
        held = np.concatenate([held for _, held in folds.pairs[5 * k : 5 * k + 5]])
        assert np.array_equal(np.sort(held), np.arange(120))
    shares = [np.bincount(truth.values[held], minlength=3) for _, held in folds.pairs]
    assert np.ptp(shares, axis=0).max() <= 1
    assert folds.test_share == pytest.approx(0.25)


def test_groups_stay_whole():
    truth, groups = classes(), np.arange(120) // 6
    folds = folds_of(truth, groups=groups)
    assert all(not set(groups[a]) & set(groups[b]) for a, b in folds.pairs)
    order = nested(folds.pairs[0][0], truth, folds, seed=0)
    begun = [groups[order[:n]] for n in (18, 36)]  # whole groups: 3 and 6 of them
    assert [len(set(each)) for each in begun] == [3, 6]


def test_time_is_never_learned_from_later_rows():
    folds = folds_of(classes(), cv="time")
    assert all(learned.max() < held.min() for learned, held in folds.pairs)
    assert nested(np.arange(10), classes(), folds, seed=0).tolist() == list(range(9, -1, -1))


def test_beginnings_of_the_rows_have_classes_in_equal_shares():
    truth = classes(600)
    folds = folds_of(truth)
    order = nested(folds.pairs[0][0], truth, folds, seed=0)
    assert sorted(order.tolist()) == sorted(folds.pairs[0][0].tolist())
    whole = np.bincount(truth.values[order]) / len(order)
    for n in (30, 120, 240):
        assert np.abs(np.bincount(truth.values[order[:n]], minlength=3) / n - whole).max() < 1.5 / n + 0.01


def test_other_folds():
    truth = classes()
    assert len(folds_of(truth, cv=3, n_repeats=2).pairs) == 6
    assert len(folds_of(truth, cv=ShuffleSplit(4, test_size=0.5, random_state=0)).pairs) == 4
    given = [(np.arange(60), np.arange(60, 120)), (np.arange(60, 120), np.arange(60))]
    assert folds_of(truth, cv=given).test_share == 1.0


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"cv": 1}, "between 2 and 120"),
        ({"cv": "tme"}, "cv='tme'"),
        ({"cv": "time", "groups": np.arange(120)}, "exclude one another"),
        ({"n_repeats": 0}, "n_repeats=0"),
        ({"groups": np.zeros(120)}, "all rows are of one group"),
        ({"groups": np.zeros(7)}, "groups has shape"),
        ({"cv": [(np.arange(3), np.arange(0))]}, "cv gives 1 folds"),
    ],
)
def test_folds_that_are_refused(what, words):
    with pytest.raises((InvalidInput, InvalidParameter), match=words):
        folds_of(classes(), **what)


# the whole board


def lines(n=400, seed=0):
    """Two classes by a line: trees have to build stairs."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, 6))
    return X, np.where(X.sum(axis=1) + generator.normal(0, 0.4, n) > 0, "yes", "no")


def test_where_a_line_is_true_the_linear_model_is_taken():
    X, y = lines()
    models = [DecisionTreeClassifier(random_state=0), KNeighborsClassifier()]
    found = compare(models, X, y, n_repeats=2, learning_curve=False, **QUICK)
    assert found.take == "logistic regression"
    assert found.entries[0].name == "logistic regression"
    assert not [pair for pair in found.pairs if not pair.told_apart and "majority class" in (pair.first, pair.second)]
    assert found.entry("DecisionTreeClassifier").score.value < 0.85


def test_a_network_that_is_worth_it_is_found():
    generator = np.random.default_rng(3)
    X = generator.normal(size=(400, 2))
    y = (np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 0] > 0).astype(int)
    net = make_pipeline(StandardScaler(), MLPClassifier((30, 30), solver="lbfgs", random_state=0, max_iter=2000))
    nets = {"net": net, "guess": Guess()}
    found = compare(nets, X, y, n_repeats=2, baselines=False, learning_curve=False, **QUICK)
    assert found.take == "net"
    assert found.verdict.startswith("Deep learning is worth it here: net is best")
    assert found.more_rows is None


class Guess(ClassifierMixin, BaseEstimator):
    """Answers without looking."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


def test_ours_beside_others_and_the_same_seed_gives_the_same():
    X, y = lines(110)
    models = [gg.MLPClassifier(hidden=(4,), epochs=1, random_state=0, threads=1), GaussianNB(), GaussianNB()]
    found, again = (compare(models, X, y, cv=3, n_repeats=1, baselines=False, **QUICK) for _ in range(2))
    assert {each.name for each in found.entries} == {"MLPClassifier", "GaussianNB", "GaussianNB 2"}
    assert found.entry("MLPClassifier").is_deep
    assert [each.score for each in found.entries] == [each.score for each in again.entries]
    assert (found.pairs, found.curves, found.verdict) == (again.pairs, again.curves, again.verdict)
    (same,) = [pair for pair in found.pairs if {pair.first, pair.second} == {"GaussianNB", "GaussianNB 2"}]
    assert (same.difference.value, same.p_corrected) == (0.0, 1.0)
    assert not hasattr(models[0], "network_")  # a clone was fitted


@pytest.mark.parametrize("convert", [pl.from_pandas, as_dataset, lambda frame: frame], ids=["polars", "ours", "pandas"])
def test_tables_and_groups_by_name(convert):
    X, y = lines(120)
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(who=np.arange(120) // 4)
    model = gg.Perceptron(random_state=0)
    found = compare(model, convert(frame), y, groups="who", n_repeats=1, learning_curve=False, **QUICK)
    assert "30 whole groups" in found.facts["Folds"]
    assert "groups" in found.facts["Intervals"]
    assert found.entry("logistic regression").score.value > 0.8


def test_numbers_are_judged_by_their_error():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(150, 3))
    y = X @ [1.0, 2.0, 3.0] + generator.normal(0, 0.1, 150)
    quick = QUICK | {"n_repeats": 1, "learning_curve": False}
    found = compare({"tree": DecisionTreeRegressor(random_state=0), "ridge": Ridge()}, X, y, **quick)
    assert found.metric.name == "rmse"
    assert [each.name for each in found.entries][-1] == "mean"
    assert found.entries[0].score.value < found.entries[-1].score.value
    assert found.take == "ridge regression"
    assert compare(Ridge(), X, y, metric="r2", baselines=False, **quick).entry("Ridge").score.value > 0.99


def test_several_labels_and_texts():
    X, _ = lines(120)
    labels = (X[:, :2] > 0).astype(int)
    quick = QUICK | {"n_repeats": 1, "learning_curve": False}
    found = compare(RandomForestClassifier(10, random_state=0), X, labels, **quick)
    assert (found.task, found.metric.name) == ("multilabel", "f1_micro")
    words = np.array(["a good day", "a bad day"] * 30)
    texts = [f"{each} number {i}" for i, each in enumerate(words)]
    found = compare(gg.TextCNN(maps=4, epochs=1, random_state=0), texts, words == "a good day", **quick)
    assert {each.name for each in found.entries} >= {"naive Bayes", "TextCNN"}


def test_pictures():
    generator = np.random.default_rng(0)
    y = np.arange(60) % 2
    pictures = generator.integers(0, 90, (60, 8, 8)).astype(np.uint8)
    pictures[y == 1, 2:5] += 120
    model = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0)
    found = compare(model, pictures, y, n_repeats=1, learning_curve=False, **QUICK)
    assert found.entry("logistic regression").score.value == 1.0


def test_where_one_class_prevails_ranks_are_judged():
    X, _ = lines(300)
    y = (X[:, 0] > 1.3).astype(int)
    found = compare(GaussianNB(), X, y, n_repeats=1, learning_curve=False, **QUICK)
    assert found.metric.name == "roc_auc"
    assert found.entry("majority class").score.value == pytest.approx(0.5)  # of folds together it would be far below


def test_a_class_that_a_fold_has_never_met():
    X, y = lines(100)
    y = np.where(np.arange(100) < 2, "rare", y)
    found = compare(GaussianNB(), X, y, n_repeats=1, learning_curve=False, **QUICK)
    assert any("rare" in note for note in found.notes)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ([], "no models"),
        ([GaussianNB(), Ridge()], "Ridge is a regressor"),
        ([GaussianNB], "is the class GaussianNB"),
        (["mlp"], "cannot fit and predict"),
        ([StandardScaler()], "cannot fit and predict"),
        ([gg.LanguageModel()], "neither a classifier nor a regressor|cannot fit and predict"),
    ],
)
def test_models_that_are_refused(models, words):
    X, y = lines(60)
    with pytest.raises(InvalidInput, match=words):
        compare(models, X, y, **QUICK)


def test_what_else_is_refused():
    X, y = lines(60)
    with pytest.raises(InvalidParameter, match="Did you mean 'accuracy'"):
        compare(GaussianNB(), X, y, metric="acuracy", **QUICK)
    with pytest.raises(InvalidInput, match="GaussianNB cannot learn from 48 of these rows"):
        compare(GaussianNB(), np.where(X > 2, np.nan, X), y, baselines=False, **QUICK)
    with pytest.raises(InvalidInput, match="'yes' in every row"):
        compare(GaussianNB(), X, np.repeat("yes", 60), **QUICK)
    with pytest.raises(InvalidInput, match="12 rows are too few"):
        compare(GaussianNB(), X[:12], y[:12], **QUICK)


# what it looks like


@pytest.fixture(scope="module")
def board():
    X, y = lines(200)
    models = {"<tree>": DecisionTreeClassifier(random_state=0), "nb": GaussianNB()}
    return compare(models, X, y, n_repeats=1, **QUICK)


def test_it_prints_draws_and_is_json(board, tmp_path):
    text = str(board)
    assert board.recommendation.sentence.split(":")[0][:20] in text
    assert "behind the best" in text
    assert max(map(len, text.splitlines())) <= 118
    assert list(board.plot()) == ["scores", "behind", "learning_curves"]
    page = board.to_html(tmp_path / "board.html")
    assert (tmp_path / "board.html").read_text() == page
    assert "&lt;tree&gt;" in page
    assert "<tree>" not in page
    kept = json.loads(board.to_json())
    assert kept["take"] == board.take
    assert {pair["told_apart"] for pair in kept["pairs"]} == {True, False}
    assert len(kept["curves"]) == 5


def test_progress_is_told_line_by_line():
    X, y = lines(60)
    told_lines = []
    compare(GaussianNB(), X, y, n_bootstrap=40, n_repeats=1, progress=told_lines.append)
    assert told_lines[0].startswith("fold 1 of 5; about")
