"""Is the network worth it? One sentence, from a paired bootstrap of the difference to the best baseline.

Both models are measured on the same resamples, so that rows which are hard for both do not blur the difference (Efron &
Tibshirani 1993, ch. 16). The baseline that is best on these rows is taken: a choice that favours the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganglion.evaluation.bootstrap import Estimate, percentile_interval
from ganglion.evaluation.metrics import Measured, Metric, metric_of
from ganglion.evaluation.predictions import Truth

Outcome = Literal["better", "no difference", "worse", "not compared"]
UNBALANCED = 0.8  # a class with more of the rows than this makes accuracy flatter whoever always names it


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model stands against the best baseline.

    Attributes
    ----------
    outcome : {"better", "no difference", "worse", "not compared"}
    metric : str
        The headline metric that decided.
    baseline : str
        The best baseline on it, or empty.
    gain : Estimate
        By how much the model is better (negative: worse), in units of the metric.
    sentence : str
        The verdict in plain words.
    """

    outcome: Outcome
    metric: str
    baseline: str
    gain: Estimate
    sentence: str


def label_in_text(metric: Metric) -> str:
    """Return the name of a metric as it stands within a sentence: abbreviations keep their capitals."""
    kept = metric.label[1:2].isupper() or metric.label[1:2].isdigit()
    return metric.label if kept else metric.label[0].lower() + metric.label[1:]


def headline_metric(truth: Truth, measured: Mapping[str, Measured]) -> Metric:
    """Return the metric that decides: accuracy, where one class prevails ROC AUC; micro F1; RMSE."""
    return usual_metric(
        truth, ranked=lambda: all(each.metrics["roc_auc"].value is not None for each in measured.values())
    )


def usual_metric(truth: Truth, *, ranked: Callable[[], bool]) -> Metric:
    """Return the metric that decides; `ranked` is asked whether every contender ranks the rows."""
    if truth.task == "regression":
        return metric_of(truth.task, "rmse")
    if truth.task == "multilabel":
        return metric_of(truth.task, "f1_micro")
    if np.bincount(truth.values).max() <= UNBALANCED * len(truth):
        return metric_of(truth.task, "accuracy")
    return metric_of(truth.task, "roc_auc" if ranked() else "balanced_accuracy")


def stand(model: str, measured: Mapping[str, Measured], metric: Metric, *, is_deep: bool = True) -> Standing:
    """Decide whether a model is better than every baseline, on the same resamples.

    Parameters
    ----------
    model : str
        The model's name in `measured`; the other names are baselines.
    measured : mapping of str to Measured
    metric : Metric
        The headline metric.
    is_deep : bool
        Whether the model is a network; only then is deep learning what the sentence speaks about.
    """
    baselines = [name for name in measured if name != model]
    own = measured[model].metrics[metric.name]
    if not baselines or own.value is None:
        why = own.reason or "no baseline was run"
        return Standing("not compared", metric.name, "", Estimate(None, reason=why), f"Not compared: {why}.")
    sign = 1.0 if metric.higher_is_better else -1.0

    def quality(name: str) -> float:
        value = measured[name].metrics[metric.name].value
        return -np.inf if value is None else sign * value

    best = max(baselines, key=quality)
    gains = sign * (measured[model].samples[metric.name] - measured[best].samples[metric.name])
    gain = Estimate(quality(model) - quality(best), *percentile_interval(gains))
    outcome: Outcome = "no difference"
    if gain.low is not None and gain.high is not None:
        outcome = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no difference"
    label = label_in_text(metric)
    figures = f"{model} has {label} {own.value:.4g}, against {measured[best].metrics[metric.name].value:.4g} for {best}"
    return Standing(outcome, metric.name, best, gain, _sentence(outcome, model, best, figures, gain, is_deep))


def _sentence(outcome: Outcome, model: str, best: str, figures: str, gain: Estimate, is_deep: bool) -> str:
    difference = f"{_distance(gain.value)} (95 % interval: {_span(gain)})"
    subject = "deep learning" if is_deep else model
    if outcome == "better":
        return f"{subject[0].upper()}{subject[1:]} is worth it here: {figures}, the best baseline: {difference}."
    if outcome == "worse":
        return f"Do not use {subject} here: {figures}: {difference}. Use {best}."
    return f"No difference shown: {figures}: {difference}, which may be chance. Use the simpler one, {best}."


def _distance(gain: float | None) -> str:
    """Return a gain in words, for readers who should not have to think about the sign of an error measure."""
    return "level" if not gain else f"{_size(abs(gain))} {'better' if gain > 0 else 'worse'}"


def _size(gain: float) -> str:
    return f"{gain:.2g}" if gain < 10 else f"{gain:,.0f}"


def _span(gain: Estimate) -> str:
    if gain.low is None or gain.high is None:
        return "none"
    if gain.low * gain.high <= 0:
        return f"{_distance(gain.low)} to {_distance(gain.high)}"
    near, far = sorted((abs(gain.low), abs(gain.high)))
    return f"{_size(near)} to {_distance(far if gain.low > 0 else -far)}"
