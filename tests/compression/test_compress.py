"""`compress`: what it tries, that it calls nothing smaller or faster that is not, and what it chooses."""

import json
import time

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import accuracy_score, r2_score

import ganglion as gg
from ganglion.compression import timing
from ganglion.compression.budget import Budget, budget_of
from ganglion.compression.compress import choose, compress
from ganglion.compression.pareto import pareto_front
from ganglion.compression.quality import Judge
from ganglion.compression.result import Variant
from ganglion.compression.timing import Latency, in_turn, latency
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.bootstrap import Estimate


def table():
    return make_classification(700, 12, n_informative=8, random_state=0)


@pytest.fixture(scope="module", autouse=True)
def _few_rounds():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "MOST", timing.FEWEST)
        yield


@pytest.fixture(scope="module")
def found():
    X, y = table()
    model = gg.MLPClassifier(hidden=(48, 24), epochs=12, random_state=0).fit(X[:500], y[:500])
    student = gg.MLPClassifier(hidden=(6,), epochs=8, random_state=0)
    return compress(
        model,
        X[:500],
        y[:500],
        test=(X[500:], y[500:]),
        keep=(0.5,),
        epochs=3,
        students=[student],
        budget="3 points",
        progress=False,
    )


def variant(name="v", *, times=2.0, faster=(1.9, 2.0, 2.1), lost=(-0.5, 0.1, 0.6), ms=1.0):
    slow, mid, quick = (1 / each for each in faster)
    loss = Estimate(lost[1], lost[0], lost[2])
    return Variant(
        name, int(1000 / times), 10, Latency(ms, 2 * ms, Estimate(mid, quick, slow)), loss, loss, times, True
    )


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        ("0.2 points", Budget(loss=0.2)),
        ("1 point, 100 kB,2ms", Budget(loss=1.0, size=100_000, latency=2.0)),
        ("500 us, 1.5 MB", Budget(size=1_500_000, latency=0.5)),
        ({"loss": 0, "latency": 3}, Budget(loss=0.0, latency=3.0)),
        (Budget(size=1.0), Budget(size=1.0)),
    ],
)
def test_budgets_are_read(given, budget):
    assert budget_of(given) == budget


@pytest.mark.parametrize("given", ["", "cheap", "2 parsecs", {}, {"loss": -1}, {"colour": 1}, 3, {"loss": True}])
def test_other_budgets_are_refused(given):
    with pytest.raises(InvalidParameter, match="give what may be lost"):
        budget_of(given)


def test_the_front_of_a_planted_set():
    points = [(10, 10, 0.0), (5, 10, 0.0), (5, 10.1, 0.0), (1, 20, 3.0), (1, 20, 4.0), (2, 5, 1.0), (10, 4, 0.5)]
    assert pareto_front(points) == [False, True, True, True, False, True, True]
    assert pareto_front([(5, 10, 0.0), (5, 10.9, 0.0)]) == [True, False]  # slower by more than measuring differs


def test_a_verdict_calls_nothing_what_it_was_not_shown_to_be():
    assert variant().verdict == "2 × smaller, 2 × faster, no loss shown"
    assert variant(times=0.8).verdict.startswith("1.25 × larger")
    assert variant(times=1.01).verdict.startswith("no smaller")
    assert "no faster" in variant(faster=(0.98, 1.2, 1.4)).verdict
    assert "2 × slower" in variant(faster=(0.4, 0.5, 0.6)).verdict
    assert variant(lost=(0.2, 0.7, 1.2)).verdict.endswith("0.7 points lost")
    assert variant(lost=(-2.0, -1.0, -0.5)).verdict.endswith("1 points gained")


def test_the_smallest_and_fastest_within_the_budget_is_chosen():
    rows = [
        variant("original", times=1.0, faster=(1, 1, 1)),
        variant("small", times=8.0, faster=(0.9, 1.0, 1.1)),
        variant("both", times=5.0, faster=(2.9, 3.0, 3.1)),
        variant("bad", times=50.0),
        variant("larger", times=0.5, faster=(0.9, 1.0, 1.1)),
    ]
    lost = {"original": 0.0, "small": 0.1, "both": 0.15, "bad": 9.0, "larger": 0.0}
    assert choose(rows, lost, Budget(loss=0.2)) == "both"
    assert choose(rows, lost, Budget(loss=0.12)) == "small"
    assert choose(rows, lost, Budget(size=100)) == "bad"
    assert choose(rows, lost, Budget(latency=0.1)) == "original"
    assert choose([rows[0], rows[4]], lost, Budget(loss=1)) == "original"


def test_models_are_timed_in_turn_and_slowness_is_found():
    threads = []

    def quick(row):
        threads.append(torch.get_num_threads())
        time.sleep(0.0005)

    def slow(row):
        time.sleep(0.0015)

    before = torch.get_num_threads()
    seconds = in_turn({"quick": quick, "slow": slow}, [1, 2])
    assert set(threads) == {1}
    assert torch.get_num_threads() == before
    assert len(seconds["quick"]) == len(seconds["slow"]) >= 100
    found = latency(seconds["slow"], seconds["quick"])
    assert found.ratio.low > 1.5
    assert found.ratio.low <= found.ratio.value <= found.ratio.high
    assert found.median <= found.p99
    assert found.median > 1.4
    same = latency(seconds["quick"], seconds["quick"])
    assert same.ratio.low == same.ratio.value == same.ratio.high == 1.0


@pytest.mark.parametrize("n_targets", [1, 3])
def test_scores_of_numbers_are_those_of_scikit_learn(n_targets):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(200, n_targets)).squeeze()
    said, other = truth + rng.normal(size=truth.shape) * 0.3, truth + rng.normal(size=truth.shape)
    judge = Judge("regression", truth)
    (found, same), (_, lost) = judge.scores([judge.errors(said), judge.errors(other)])
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)
    assert found.value == pytest.approx(100 * r2_score(truth, said))
    assert found.low < found.value < found.high
    assert lost.value == pytest.approx(100 * (r2_score(truth, said) - r2_score(truth, other)))
    assert lost.low > 0


def test_losses_are_paired():
    """Two models wrong on the same rows differ by nothing, however hard the rows are."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    said = np.where(rng.random(300) < 0.7, truth, 0)
    judge = Judge("classification", truth)
    errors = judge.errors(said)
    worse = judge.errors(np.where(np.arange(300) < 30, 9, said))
    (score, _), (_, none), (_, lost) = judge.scores([errors, errors, worse])
    assert score.value == pytest.approx(100 * accuracy_score(truth, said))
    assert (none.low, none.high) == (0.0, 0.0)
    assert lost.value == pytest.approx(100 * (accuracy_score(truth, said) - (1 - worse.mean())))


def test_what_is_tried_is_measured(found, tmp_path):
    names = [each.name for each in found.variants]
    assert names == [
        *("original", "bfloat16", "int8", "int8 all"),
        *("50 % units", "50 % units + bfloat16", "50 % units + int8", "50 % units + int8 all"),
        *("80 % zeros", "80 % zeros + bfloat16", "80 % zeros + int8", "80 % zeros + int8 all"),
        *("student, MLPClassifier", *(f"student, MLPClassifier + {bits}" for bits in ("bfloat16", "int8", "int8 all"))),
    ]
    assert found.models["student, MLPClassifier"].compression_[0]["step"] == "distil"
    X, y = table()
    for name, model in found.models.items():
        each = found.variant(name)
        model.save(tmp_path / "m")
        assert each.size == (tmp_path / "m").stat().st_size
        assert each.score.value == pytest.approx(100 * model.score(X[500:], y[500:]))
        assert each.latency.median > 0
    assert found.variants[0].loss.value == 0.0
    assert found.variants[0].latency.ratio.value == 1.0
    assert found.variant("50 % units").n_parameters < found.variants[0].n_parameters
    assert found.variant("80 % zeros").n_parameters == found.variants[0].n_parameters


def test_the_best_is_an_estimator_and_the_result_has_the_habit(found, tmp_path):
    best = found.variant(found.best)
    assert found.best_ is found.models[found.best]
    assert best.times_smaller > 1
    assert "rows that it was not chosen by" in found.verdict
    assert found.best in found.verdict
    shown = str(found)
    assert "Verdict" in shown
    assert all(name[:20] in shown for name in ("original", "80 % zeros"))
    assert json.loads(found.to_json())["best"] == found.best
    page = found.to_html(tmp_path / "page.html")
    assert "<script" not in page
    assert page.count("<svg") == 2
    assert "no faster" in page
    assert list(found.plot()) == ["size", "latency"]
    assert found.front
    assert all(each.on_front for each in found.front)
    with pytest.raises(InvalidParameter, match="no variant is called 'int9'"):
        found.variant("int9")


def test_the_same_share_of_each_layer_goes_where_that_is_asked(found):
    X, y = table()
    settings = {"steps": ("shrink",), "keep": (0.5,), "epochs": 1, "progress": False, "n_bootstrap": 20}
    even = compress(found.models["original"], X[:500], y[:500], test=(X[500:], y[500:]), spread="even", **settings)
    assert even.models["50 % units"].hidden == (24, 12)


def test_nothing_within_the_budget_keeps_the_original():
    X, y = table()
    model = gg.MLPClassifier(hidden=(8,), epochs=3, random_state=0).fit(X, y)
    found = compress(model, X, y, budget="1 b", steps=("int8",), progress=False)
    assert found.best_ is model
    assert found.verdict.startswith("Keep the original: none of 1 variants")
    assert "held out of the further training" in found.notes[0]


def test_numbers_and_layers_that_cannot_shrink():
    X, y = make_regression(300, 6, random_state=0)
    model = gg.MLPRegressor(hidden=(8, 8), residual=True, epochs=5, random_state=0).fit(X, y)
    lines = []
    found = compress(model, X, y, steps=["shrink", "aware"], epochs=2, progress=lines.append, budget="5 points")
    assert [each.name for each in found.variants] == ["original", "int8, aware"]
    assert any("has no layers whose units can be removed" in note for note in found.notes)
    assert lines == ["made int8, aware"]
    assert found.measure == "100 R²"


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"budget": "small"}, InvalidParameter, "budget='small'"),
        ({"steps": ("melt",)}, InvalidParameter, "no step of compression is called 'melt'"),
        ({"steps": ()}, InvalidParameter, "give some of shrink"),
        ({"keep": (0.5, 2)}, InvalidParameter, "keep=2: give a number"),
        ({"spread": "wide"}, InvalidParameter, "spread='wide': give 'even' or 'importance'"),
        ({"test": 3}, InvalidInput, "test is a pair"),
        ({"students": [gg.MLPRegressor()]}, InvalidInput, "does classification, but the student MLPRegressor regress"),
        ({"students": [gg.MLPClassifier]}, InvalidInput, "MLPClassifier is a class"),
    ],
)
def test_settings_are_checked_before_work_starts(settings, error, message):
    X, y = table()
    model = gg.MLPClassifier(hidden=(4,), epochs=1).fit(X, y)
    with pytest.raises(error, match=message):
        compress(model, X, y, **settings)


def test_what_cannot_be_judged_is_refused():
    X, y = table()
    model = gg.MLPClassifier(hidden=(4,), epochs=1).fit(X, y)
    with pytest.raises(InvalidInput, match="Give 40 or more"):
        compress(model, X, y, test=(X[:10], y[:10]))
    with pytest.raises(InvalidInput, match=r"9|class"):
        compress(model, X, y, test=(X[:100], y[:100] + 9))
    with pytest.raises(InvalidInput, match=r"does generation; compress judges classes and numbers"):
        compress(gg.RBM(units=4, epochs=1).fit((X > 0).astype(float)), X)
