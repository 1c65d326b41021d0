"""Anomaly detection: which steps of a series are strange, judged step by step; the bootstrap draws blocks of steps.

    precision           the share of the alarms that are right
    recall              the share of the anomalous steps with an alarm
    event recall        the share of the anomalies (runs of such steps) with an alarm anywhere
    F1                  of precision and recall
    PR AUC, ROC AUC     how well scores rank anomalous steps above others, whatever the threshold
    false-alarm rate    the share of the other steps with an alarm, to be held against the one that was stated
    alarm rate          the share of all steps with an alarm: all that can be said without labels

Steps that follow one another are alike, so blocks of about √n of them are drawn whole (Künsch 1989; blocks that do not
overlap: Carlstein 1986). Labels are 0 and 1, -1 and 1 (as scikit-learn has them: -1 is strange), or pairs of times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.series import Panel
from ganglion.drawing.anomalies import Marked, anomaly_chart, runs_of
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.ranking import Ranking
from ganglion.evaluation.resampling import Resampled, ratio, values_at

UNKNOWN = -1
FEWEST_BLOCKS = 20
N_EVENTS = 6  # shown of each sort
AROUND = 60  # steps drawn on each side of an event, at least
MOST_CHARTS = 4
_GIVE = "Give 0 or 1 for each row (1 where it is an anomaly), or pairs of times: [(begin, end), …]."


@dataclass(frozen=True, slots=True)
class AlarmTruth(Truth):
    """Which steps are anomalies: `values` (n,) int64, 1 or 0, -1 where that is not known.

    Attributes
    ----------
    panel : Panel
        The series.
    steps : ndarray of shape (n,), int64
        Where the judged steps stand in it: those that were given, not those that were missing.
    rate, rule : float and str, or None and ""
        The false-alarm rate that the model was asked for, and by which rule.
    n_targets : int
        Columns of the panel, the first ones, that are of interest.
    """

    panel: Panel
    steps: Array
    rate: float | None = None
    rule: str = ""
    n_targets: int = 1

    def __len__(self) -> int:
        return int(self.blocks[-1]) + 1

    @property
    def blocks(self) -> Array:
        """The block of each step, (n,) int64: about √n steps of one series."""
        lengths = np.bincount(self.series)
        size = max(1, min(round(math.sqrt(len(self.steps))), len(self.steps) // FEWEST_BLOCKS))
        place = np.arange(len(self.steps)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.unique(self.series * (len(self.steps) + 1) + place // size, return_inverse=True)[1]

    @property
    def series(self) -> Array:
        """The number of the series that each step is of, (n,) int64, rising."""
        return np.searchsorted(self.panel.offsets.numpy(), self.steps, side="right") - 1

    @property
    def labelled(self) -> bool:
        """Whether labels are known."""
        return bool((self.values != UNKNOWN).all())

    def events(self) -> list[tuple[int, int]]:
        """Return where anomalies begin, and where they have ended: runs of steps within one series."""
        return _runs(self.values == 1, self.series)


@dataclass(frozen=True, slots=True)
class Alarms:
    """What one model says of the steps.

    Attributes
    ----------
    scores : ndarray of shape (n,), float64
        How strange each is.
    values : ndarray of shape (n,), bool
        Whether it raises an alarm.
    threshold : float
        The score above which it does.
    """

    scores: Array
    values: Array
    threshold: float


def anomaly_truth(model: Any, X: Any, y: Any, what: str = "y", *, before: Any = None) -> AlarmTruth:
    """Return which steps of a series are anomalies.

    Parameters
    ----------
    model : detector with `panel`, `labels` and `scores_of`
    X : series, as the model reads them
    y : array-like of shape (n_rows,), pairs of times, mapping of series to pairs of times, or None
        Without it the labels that stand in X are taken, if there are any.
    what : str
        What y is called in messages.
    before : as X, optional
        What came before X, so that its first steps can be judged too.

    Raises
    ------
    InvalidInput
        If y does not fit X, or holds something else than labels.
    """
    panel = model.panel(X, before=before)
    steps = np.flatnonzero(panel.rows >= 0)
    values = np.full(len(steps), UNKNOWN, dtype=np.int64)
    y = model.labels(X) if y is None else y
    if y is not None:
        values = _labels(y, panel, what)[steps]
    rate = getattr(model, "false_alarm_rate", None)
    n_targets = getattr(getattr(model, "encoder_", None), "n_targets", len(panel.names))
    return AlarmTruth(
        "anomaly_detection", values, ("normal", "anomaly"), panel, steps, rate, _rule_of(model), n_targets
    )


def predict_alarms(model: Any, X: Any, truth: AlarmTruth) -> Alarms:
    """Ask a detector how strange each step is; scores above minus its `offset_` are alarms.

    Raises
    ------
    InvalidInput
        If it does not answer with one finite number a step.
    """
    scores, threshold = np.asarray(model.scores_of(truth.panel), dtype=np.float64), -float(model.offset_)
    if scores.shape != (truth.panel.n_steps,) or not np.isfinite(scores).all():
        raise InvalidInput(f"{type(model).__name__} must say how strange each step is: one finite number a step.")
    scores = scores[truth.steps]
    return Alarms(scores, scores > threshold, threshold)


def resampled_alarm_metrics(truth: AlarmTruth, said: Alarms) -> list[Resampled]:
    """Return functions of the weights of the blocks, (n_blocks, b), that give every metric, (b,) each."""
    return [_rates(truth, said), *([_rankings(truth, said)] if truth.labelled else [])]


def alarm_values(truth: AlarmTruth, said: Alarms, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these steps."""
    weight = np.ones(len(truth)) if weight is None else weight
    found = values_at(resampled_alarm_metrics(truth, said), weight, lambda name: _reason(truth, name))
    return {name: found.get(name, _reason(truth, name)) for name in (*_OF_LABELS, "alarm_rate")}


def alarm_facts(truth: AlarmTruth, said: Alarms) -> dict[str, str]:
    """Return what a reader must know of the series and the alarms."""
    n_series, n = len(truth.panel), len(truth.steps)
    facts = {"Steps": f"{n:,}" + (f" of {n_series:,} series" if n_series > 1 else "") + f", {truth.panel.grid}"}
    n_alarms, n_events = int(said.values.sum()), len(_runs(said.values, truth.series))
    facts["Alarms"] = f"{n_alarms:,} steps, {n_events:,} in a row counted once"
    if truth.labelled:
        facts["Anomalies"] = f"{len(truth.events()):,}, {int(truth.values.sum()):,} steps ({truth.values.mean():.2%})"
    if truth.rate is not None:
        by = f", by the rule {truth.rule.replace('_', ' ')}" if truth.rule else ""
        counted = truth.values != 1
        measured = f"{said.values[counted].mean():.3%} of {int(counted.sum()):,} steps" if counted.any() else "none"
        of = "that are no anomalies" if truth.labelled else "in all, anomalies among them: there are no labels"
        facts["False-alarm rate"] = f"stated {truth.rate:.3%}{by}; measured {measured} {of}"
    return facts


def shown_alarms(truth: AlarmTruth, said: Alarms, X: Any) -> tuple[Mistake, ...]:
    """Return the anomalies that were missed and the strongest false alarms; without labels the strongest alarms."""
    alarms = _runs(said.values, truth.series)
    wrong = [(a, b) for a, b in alarms if not (truth.values[a:b] == 1).any()]
    missed = [(a, b) for a, b in truth.events() if not said.values[a:b].any()]
    wrong.sort(key=lambda run: -float(said.scores[slice(*run)].max()))
    said_of = "alarm" if truth.labelled else "an alarm; nothing is known of it"
    found = [_event(truth, said, run, "anomaly", "nothing") for run in missed[:N_EVENTS]]
    return (*found, *(_event(truth, said, run, "normal", said_of) for run in wrong[:N_EVENTS]))


def alarm_charts(truth: AlarmTruth, said: Alarms) -> dict[str, Chart]:
    """Return a picture of each of the first series with its alarms, by name."""
    charts = {}
    for k in np.unique(truth.series)[:MOST_CHARTS].tolist():
        inside = np.flatnonzero(truth.series == k)
        name = truth.panel.ids[k] or "the series"
        charts[f"alarms_{k}" if k else "alarms"] = anomaly_chart(_marked(truth, said, inside, f"Alarms in {name}"))
    return charts


def _event(truth: AlarmTruth, said: Alarms, run: tuple[int, int], true: str, answer: str) -> Mistake:
    a, b = run
    peak = a + int(said.scores[a:b].argmax())
    series, around = truth.series, max(AROUND, 2 * (b - a))
    inside = np.flatnonzero(series == series[a])
    inside = inside[(inside >= a - around) & (inside < b + around)]
    begin, end = (_time(truth, step) for step in (a, b - 1))
    name = truth.panel.ids[series[a]]
    where = f"{name}: {begin}" if name else begin
    title = f"{where} to {end}" if b - a > 1 else where
    features = {"from": begin, "to": end, "steps": b - a, "score": float(said.scores[peak])}
    return Mistake(
        int(truth.panel.rows[truth.steps[peak]]),
        true if truth.labelled else "not known",
        answer,
        features=({"series": name} if name else {}) | features,
        picture=anomaly_chart(_marked(truth, said, inside, title)),
    )


def _marked(truth: AlarmTruth, said: Alarms, inside: Array, title: str) -> Marked:
    return Marked(
        title=title if len(truth.panel.names) == 1 else f"{title} ({truth.panel.names[0]})",
        values=truth.panel.values[truth.steps[inside], 0].double().numpy(),
        scores=said.scores[inside],
        alarms=said.values[inside],
        threshold=said.threshold,
        truth=truth.values[inside] == 1 if truth.labelled else None,
        name=truth.panel.names[0],
        time_of=lambda step: _time(truth, int(inside[step])),
    )


def _time(truth: AlarmTruth, step: int) -> str:
    return truth.panel.grid.text(float(truth.panel.times[truth.steps[step]]))


_OF_LABELS = ("precision", "recall", "event_recall", "f1", "average_precision", "roc_auc", "false_alarm_rate")


def _reason(truth: AlarmTruth, name: str) -> str:
    if not truth.labelled:
        return "which steps are anomalies is not known: no labels were given"
    return {
        "precision": "there is no alarm",
        "false_alarm_rate": "every step is an anomaly",
        "f1": "there is neither an anomaly nor an alarm",
    }.get(name, "no step is an anomaly" if not truth.values.any() else "all steps are anomalies")


def _rates(truth: AlarmTruth, said: Alarms) -> Resampled:
    blocks, n_blocks = truth.blocks, len(truth)
    true, marked = truth.values == 1, said.values

    def in_block(what: Array) -> Array:
        return np.bincount(blocks, weights=what, minlength=n_blocks)

    steps, alarms = in_block(np.ones(len(blocks))), in_block(marked)
    hits, positives = in_block(true & marked), in_block(true)
    events = truth.events()
    begins = np.array([blocks[a] for a, _ in events], dtype=np.int64)
    found = np.array([marked[a:b].any() for a, b in events], dtype=np.float64)
    n_events = np.bincount(begins, minlength=n_blocks).astype(float)
    n_found = np.bincount(begins, weights=found, minlength=n_blocks).astype(float)

    def metrics(weights: Array) -> dict[str, Array]:
        counted = [each @ weights for each in (steps, alarms, hits, positives, n_events, n_found)]
        n, said_n, right, true_n, events_n, found_n = counted
        rates = {"alarm_rate": ratio(said_n, n)}
        if not truth.labelled:
            return rates
        return rates | {
            "precision": ratio(right, said_n),
            "recall": ratio(right, true_n),
            "event_recall": ratio(found_n, events_n),
            "f1": ratio(2 * right, said_n + true_n),
            "false_alarm_rate": ratio(said_n - right, n - true_n),
        }

    return metrics


def _rankings(truth: AlarmTruth, said: Alarms) -> Resampled:
    ranking, blocks = Ranking(truth.values == 1, said.scores), truth.blocks

    def metrics(weights: Array) -> dict[str, Array]:
        if not ranking.is_defined:
            return {name: np.full(weights.shape[1], np.nan) for name in ("roc_auc", "average_precision")}
        return dict(zip(("roc_auc", "average_precision"), ranking.areas(weights[blocks]), strict=True))

    return metrics


def _runs(there: Array, series: Array) -> list[tuple[int, int]]:
    """Return runs of True, none of them over the border of two series."""
    cuts = np.flatnonzero(np.diff(series)) + 1
    return [
        (int(a), int(b))
        for begin, end in runs_of(there)
        for a, b in zip(
            [begin, *cuts[(cuts > begin) & (cuts < end)]], [*cuts[(cuts > begin) & (cuts < end)], end], strict=True
        )
    ]


def _rule_of(model: Any) -> str:
    rule = getattr(model, "threshold", "")
    return rule if isinstance(rule, str) else ""


def _labels(y: Any, panel: Panel, what: str) -> Array:
    """Return the label of each step of the panel, (n_steps,) int64; of missing steps 0."""
    if isinstance(y, Mapping):
        return _from_windows(y, panel, what)
    values = np.asarray(y.values(y.names[0]) if hasattr(y, "with_target") else y)
    if values.ndim == 2 and values.shape[1] == 2:
        return _from_windows(dict.fromkeys(panel.ids, values.tolist()), panel, what)
    n_rows = int(panel.rows.max()) + 1
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n_rows,):
        raise InvalidInput(f"X has {n_rows:,} rows and {what} has shape {values.shape}. {_GIVE}")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(f"{what} holds {str(values[0])!r}, which is no label of a step. {_GIVE}") from None
    kinds = set(np.unique(numbers).tolist())
    if not (kinds <= {0.0, 1.0} or kinds <= {-1.0, 1.0}):
        strange = sorted(kinds - {0.0, 1.0})[:5]
        raise InvalidInput(f"{what} holds {', '.join(f'{each:g}' for each in strange)} beside 0 and 1. {_GIVE}")
    anomalous = numbers == -1 if -1.0 in kinds else numbers == 1
    return np.where(panel.rows >= 0, anomalous[panel.rows], False).astype(np.int64)


def _from_windows(windows: Mapping[Any, Any], panel: Panel, what: str) -> Array:
    """Return labels from pairs of times, first and last, of each series."""
    labels, bounds = np.zeros(panel.n_steps, dtype=np.int64), panel.offsets.tolist()
    strange = sorted({str(name) for name in windows} - {*panel.ids})
    if strange:
        known = ", ".join(map(repr, panel.ids[:10]))
        raise InvalidInput(f"{what} has anomalies of the series {', '.join(strange[:5])}; the series are {known}.")
    for k, name in enumerate(panel.ids):
        times = panel.times[bounds[k] : bounds[k + 1]]
        for window in windows.get(name, ()):
            begin, end = _window(window, panel, what)
            inside = (times >= begin) & (times <= end)
            if not inside.any():
                raise InvalidInput(
                    f"the anomaly {_text(window)} of {what} has no step of the series, which goes from "
                    f"{panel.grid.text(times[0])} to {panel.grid.text(times[-1])}."
                )
            labels[bounds[k] : bounds[k + 1]][inside] = 1
    return labels


def _window(window: Any, panel: Panel, what: str) -> tuple[float, float]:
    if isinstance(window, str) or not isinstance(window, Sequence) or len(window) != 2:
        raise InvalidInput(f"{what} holds {window!r:.60}, which is no pair of times. {_GIVE}")
    begin, end = (_moment(each, panel, what) for each in window)
    if begin > end:
        raise InvalidInput(f"the anomaly {_text(window)} of {what} ends before it begins. {_GIVE}")
    return begin, end


def _moment(time: Any, panel: Panel, what: str) -> float:
    try:
        if panel.grid.dated:
            return float(np.datetime64(str(time), "ms").astype(np.int64)) / 1e3
        return float(time)
    except (TypeError, ValueError):
        kind = "a time, such as '2014-10-30 15:30'" if panel.grid.dated else "the number of a step"
        raise InvalidInput(f"{what} holds {time!r:.40} where {kind} is wanted. {_GIVE}") from None


def _text(window: Sequence[Any]) -> str:
    return f"({window[0]}, {window[1]})"
