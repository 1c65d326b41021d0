"""Figures of alarms are scikit-learn's and those counted by hand; labels come in every form; baselines see the past."""

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from ganglion.data.grid import Grid
from ganglion.data.series import Panel
from ganglion.drawing.anomalies import Marked, anomaly_chart, outline, runs_of
from ganglion.errors import InvalidInput
from ganglion.evaluation.anomalies import (
    alarm_charts,
    alarm_facts,
    alarm_values,
    anomaly_truth,
    predict_alarms,
    resampled_alarm_metrics,
    shown_alarms,
)
from ganglion.evaluation.anomaly_baselines import moving_median, rolling_z, run_anomaly_baselines
from ganglion.evaluation.evaluate import evaluate

RNG = np.random.default_rng(0)


class Tags:
    task = "anomaly_detection"


class Detector:
    """A detector that calls a number strange that is large."""

    tags = Tags()
    threshold, false_alarm_rate, offset_ = "conformal", 0.05, -3.0

    def __init__(self, lengths=None, dated=False):
        self.lengths, self.dated = lengths, dated

    def labels(self, X):
        return None

    def panel(self, X, before=None):
        X = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
        lengths = self.lengths or [len(X)]
        offsets = torch.tensor([0, *lengths]).cumsum(0)
        times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
        grid = Grid("seconds", 3600.0, True) if self.dated else Grid()
        times = times * 3600 if self.dated else times
        ids = tuple("abc"[: len(lengths)]) if len(lengths) > 1 else ("",)
        names = tuple(f"x{i}" for i in range(X.shape[1]))
        return Panel(torch.from_numpy(X), None, offsets, times, np.arange(len(X)), ids, names, grid)

    def scores_of(self, panel):
        return np.abs(panel.values[:, 0].numpy())

    def predict(self, X):
        return np.where(self.scores_of(self.panel(X)) > -self.offset_, -1, 1)


def made(n=400):
    x = RNG.normal(size=n)
    y = np.zeros(n, dtype=int)
    y[[50, 51, 52, 200, 300, 301]] = 1
    x[[51, 200, 210, 211]] = [5.0, 6.0, 4.0, 4.5]
    x[[50, 52, 300, 301]] = 0.0
    x[np.abs(x) > 3] = np.where(np.isin(np.flatnonzero(np.abs(x) > 3), [51, 200, 210, 211]), x[np.abs(x) > 3], 1.0)
    return x, y


def judged(x, y, model=None):
    model = model or Detector()
    truth = anomaly_truth(model, x, y)
    return truth, predict_alarms(model, x, truth)


def test_figures_are_those_of_scikit_learn_and_counted_by_hand():
    x, y = made()
    values = alarm_values(*judged(x, y))
    said, scores = np.abs(x) > 3, np.abs(x)
    assert values["precision"] == pytest.approx(sk.precision_score(y, said)) == pytest.approx(2 / 4)
    assert values["recall"] == pytest.approx(sk.recall_score(y, said)) == pytest.approx(2 / 6)
    assert values["f1"] == pytest.approx(sk.f1_score(y, said))
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(y, scores))
    assert values["average_precision"] == pytest.approx(sk.average_precision_score(y, scores))
    assert values["event_recall"] == pytest.approx(2 / 3)
    assert values["false_alarm_rate"] == pytest.approx(2 / 394)
    assert values["alarm_rate"] == pytest.approx(4 / 400)


def test_a_block_drawn_twice_counts_twice():
    x, y = made()
    truth, said = judged(x, y)
    weight = np.ones(len(truth))
    weight[truth.blocks[51]] = 2
    counted = weight[truth.blocks]
    found = {k: v[0] for f in resampled_alarm_metrics(truth, said) for k, v in f(weight[:, None]).items()}
    assert found["precision"] == pytest.approx(sk.precision_score(y, said.values, sample_weight=counted))
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, said.scores, sample_weight=counted))
    assert len(truth) == 20
    assert np.bincount(truth.blocks).max() == 20


def test_blocks_and_events_end_with_their_series():
    x, y = RNG.normal(size=100), np.zeros(100, dtype=int)
    y[58:63] = 1
    truth, _ = judged(x, y, Detector(lengths=[60, 40]))
    assert truth.events() == [(58, 60), (60, 63)]
    assert not set(truth.blocks[:60]) & set(truth.blocks[60:])


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y.astype(bool),
        lambda y: np.where(y == 1, -1, 1),
        lambda y: y[:, None],
        lambda y: [(50, 52), (200, 200), (300, 301)],
        lambda y: {"": [(50, 52), (200, 200), (300, 301)]},
    ],
)
def test_labels_in_every_form(labels):
    x, y = made()
    np.testing.assert_array_equal(anomaly_truth(Detector(), x, labels(y)).values, y)


def test_pairs_of_times():
    x, _ = made()
    pairs = [("1970-01-03 02:00", "1970-01-03 04:30")]
    truth = anomaly_truth(Detector(dated=True), x, pairs)
    assert np.flatnonzero(truth.values).tolist() == [50, 51, 52]
    assert truth.panel.grid.text(truth.panel.times[50]) == "1970-01-03 02:00:00"


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros(3), r"400 rows and y has shape \(3,\)"),
        (np.full(400, 2), "holds 2 beside 0 and 1"),
        (np.full(400, "odd"), "'odd', which is no label"),
        ([(500, 600)], r"\(500, 600\) of y has no step of the series, which goes from 0 to 399"),
        ([(60, 50)], "ends before it begins"),
        ([("monday", "friday")], "'monday' where the number of a step is wanted"),
        ({"z": [(1, 2)]}, "anomalies of the series z; the series are ''"),
        ({"": [(1, 2, 3)]}, r"\(1, 2, 3\), which is no pair of times"),
    ],
)
def test_bad_labels_are_refused_with_what_to_give(y, words):
    with pytest.raises(InvalidInput, match=words):
        anomaly_truth(Detector(), made()[0], y)


def test_without_labels_there_is_a_rate_of_alarms_and_the_alarms_themselves():
    x, _ = made()
    truth, said = judged(x, None)
    values = alarm_values(truth, said)
    assert values["alarm_rate"] == pytest.approx(4 / 400)
    assert all("no labels were given" in values[name] for name in ("precision", "roc_auc", "false_alarm_rate"))
    assert [each.truth for each in shown_alarms(truth, said, x)] == ["not known"] * 3
    assert "there are no labels" in alarm_facts(truth, said)["False-alarm rate"]


def test_events_are_shown_missed_ones_first_then_the_strongest_false_ones():
    x, y = made()
    shown = shown_alarms(*judged(x, y), x)
    assert [(each.truth, each.prediction, each.row) for each in shown[:1]] == [("anomaly", "nothing", shown[0].row)]
    assert shown[0].row in (300, 301)
    assert (shown[1].truth, shown[1].row, shown[1].features["steps"]) == ("normal", 211, 2)
    assert all(each.picture is not None for each in shown)


def test_rolling_scores_look_at_the_past_only():
    x = RNG.normal(size=(200, 2))
    changed = x.copy()
    changed[150:] += 100
    for score in (rolling_z, moving_median):
        np.testing.assert_array_equal(score(x)[:150], score(changed)[:150])
        assert np.isnan(score(x)[:50]).all()
    past = x[30:80]
    expected = np.sqrt((((x[80] - past.mean(0)) / past.std(0)) ** 2).mean())
    assert rolling_z(x)[80] == pytest.approx(expected)


def test_baselines_find_a_jump_and_hold_the_rate_on_noise():
    x = np.sin(2 * np.pi * np.arange(900) / 24)[:, None] + 0.05 * RNG.normal(size=(900, 1))
    train, test = x[:500], x[500:].copy()
    test[300] += 5
    model = Detector()
    truth = anomaly_truth(model, test, np.arange(400) == 300)
    raced = run_anomaly_baselines(truth, test, train=(train, anomaly_truth(model, train, None)))
    assert [each.name for each in raced] == ["rolling z-score", "moving median", "seasonal naive", "isolation forest"]
    for each in raced:
        assert each.predictions.values[300:308].any(), each.name  # trees ask for one of several steps at a time
        assert each.predictions.values.mean() < 0.2
    assert "period 24;" in raced[2].note
    with pytest.raises(InvalidInput, match="training series"):
        run_anomaly_baselines(truth, test)


def test_a_report_has_intervals_baselines_and_pictures():
    x, y = made()
    model = Detector()
    model.fitted = True
    report = evaluate(model, x[:, None], y, train=(RNG.normal(size=(300, 1)), None), n_bootstrap=40)
    assert report.task == "anomaly_detection"
    assert report.metrics["average_precision"].low is not None
    assert {each.name for each in report.baselines} >= {"rolling z-score", "isolation forest"}
    assert {"alarms", "comparison", "mistake_1"} <= {*report.plot()}
    page = report.to_html()
    assert "True anomaly" in page or "true anomaly" in page
    assert "stated 5.000%, by the rule conformal" in page
    unlabelled = evaluate(model, x[:, None], train=(RNG.normal(size=(300, 1)), None), n_bootstrap=40)
    assert "Not compared" in unlabelled.verdict
    assert unlabelled.metrics["alarm_rate"].value == pytest.approx(0.01)
    assert "no labels were given" in str(unlabelled)
    assert unlabelled.to_json()


def test_chart_draws_every_alarm_and_the_anomalies():
    x, y = made()
    scores = np.abs(x)
    scores[:20] = np.nan
    chart = anomaly_chart(
        Marked(title="A series", values=x, scores=scores, alarms=scores > 3, threshold=3.0, truth=y == 1)
    )
    assert chart.svg.count('fill="var(--orange)"') == 2 * 4
    assert chart.svg.count('fill="var(--green)"') == 3
    flat = anomaly_chart(
        Marked(title="x", values=np.zeros(5), scores=np.zeros(5), alarms=np.zeros(5, bool), threshold=1.0)
    )
    assert "nan" not in (flat.svg + chart.svg).replace("anomal", "")


def test_an_outline_keeps_the_extremes():
    x = RNG.normal(size=10_000)
    x[[1234, 7777]] = 50, -50
    kept = outline(x, 100)
    assert {0, 1234, 7777, 9999} <= set(kept.tolist())
    assert len(kept) <= 202
    assert runs_of([True, True, False, True]) == [(0, 2), (3, 4)]


def test_charts_of_many_series_are_of_the_first_four():
    x = RNG.normal(size=60)
    truth, said = judged(x, None, Detector(lengths=[20, 20, 20]))
    assert [*alarm_charts(truth, said)] == ["alarms", "alarms_1", "alarms_2"]
