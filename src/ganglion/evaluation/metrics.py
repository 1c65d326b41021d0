"""The figures by which models are judged, each with a 95 % bootstrap interval.

    task         metrics
    binary       accuracy, balanced accuracy, precision, recall, F1 (positive: the second class), ROC AUC, PR AUC,
                 log loss, Brier score, expected calibration error
    multiclass   the same; precision, recall, F1 and the areas are means over the classes (macro, one against the rest)
    multilabel   subset accuracy, F1 (micro, macro), Hamming loss, ROC AUC and PR AUC (macro)
    regression   RMSE, MAE, R², median absolute error; several targets: their mean
    segmentation mean IoU, mean Dice, pixel accuracy and error; IoU of each class            (see `segmentation`)
    detection    mAP@0.5, mAP@[.5:.95], precision and recall; AP@0.5 of each class           (see `detection`)
    language     bits per character, loss in nats per token, perplexity                          (see `language`)
    music        loss in nats per step, accuracy of notes                                            (see `music`)
    tagging      accuracy of all words and of those never seen, macro F1, sentence accuracy  (see `tagging`)
    translation  BLEU, chrF, exact match                                                     (see `translation`)
    forecasting  MASE, CRPS, sMAPE, MSE, MAE, coverage of the interval                       (see `forecasting`)
    anomalies    PR AUC, ROC AUC, precision, recall, F1, false-alarm rate                    (see `anomalies`)
    speech       word error rate, character error rate, exact match                       (see `transcription`)
    generation   Fréchet distance, precision, recall, density, coverage, memorisation, copies, TSTR,
                 reconstruction error, evidence bound, log-likelihood                        (see `generation`)
    reconstruction   reconstruction error                                                    (see `generation`)

The values of the first four are scikit-learn's own; their intervals come from `resampling`, which agrees with it. A
figure that is not defined on the given rows is absent, with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.calibration import expected_calibration_error
from ganglion.evaluation.predictions import Array, Predictions, Task, Truth

Value = Callable[[], float | str]  # of one metric, or why it is not defined


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of a metric in code, its name on paper, and which direction is good."""

    name: str
    label: str
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of one model: estimates, and the resampled values behind their intervals, (n_resamples,) each."""

    metrics: Mapping[str, Estimate]
    samples: Mapping[str, Array]


_CLASSIFICATION = (
    Metric("accuracy", "Accuracy"),
    Metric("balanced_accuracy", "Balanced accuracy"),
    Metric("precision", "Precision"),
    Metric("recall", "Recall"),
    Metric("f1", "F1"),
    Metric("roc_auc", "ROC AUC"),
    Metric("average_precision", "PR AUC"),
    Metric("log_loss", "Log loss", higher_is_better=False),
    Metric("brier", "Brier score", higher_is_better=False),
    Metric("calibration_error", "Calibration error", higher_is_better=False),
)
METRICS: dict[Task, tuple[Metric, ...]] = {
    "binary": _CLASSIFICATION,
    "multiclass": _CLASSIFICATION,
    "multilabel": (
        Metric("subset_accuracy", "Subset accuracy"),
        Metric("f1_micro", "F1 (micro)"),
        Metric("f1_macro", "F1 (macro)"),
        Metric("hamming_loss", "Hamming loss", higher_is_better=False),
        Metric("roc_auc", "ROC AUC"),
        Metric("average_precision", "PR AUC"),
    ),
    "regression": (
        Metric("rmse", "RMSE", higher_is_better=False),
        Metric("mae", "MAE", higher_is_better=False),
        Metric("r2", "R²"),
        Metric("median_absolute_error", "Median absolute error", higher_is_better=False),
    ),
    "segmentation": (
        Metric("mean_iou", "Mean IoU"),
        Metric("mean_dice", "Mean Dice"),
        Metric("pixel_accuracy", "Pixel accuracy"),
        Metric("pixel_error", "Pixel error", higher_is_better=False),
    ),
    "detection": (
        Metric("map_50", "mAP@0.5"),
        Metric("map_50_95", "mAP@[.5:.95]"),
        Metric("precision", "Precision"),
        Metric("recall", "Recall"),
    ),
    "language_modelling": (
        Metric("bits_per_character", "Bits per character", higher_is_better=False),
        Metric("loss", "Loss, nats per token", higher_is_better=False),
        Metric("perplexity", "Perplexity", higher_is_better=False),
    ),
    "music_modelling": (
        Metric("loss", "Loss, nats per step", higher_is_better=False),
        Metric("accuracy", "Accuracy of notes"),
    ),
    "tagging": (
        Metric("accuracy", "Accuracy"),
        Metric("unseen_accuracy", "Accuracy on unseen words"),
        Metric("f1_macro", "F1 (macro)"),
        Metric("sentence_accuracy", "Sentence accuracy"),
    ),
    "translation": (
        Metric("bleu", "BLEU"),
        Metric("chrf", "chrF"),
        Metric("exact_match", "Exact match"),
    ),
    "forecasting": (
        Metric("mase", "MASE", higher_is_better=False),
        Metric("crps", "CRPS", higher_is_better=False),
        Metric("smape", "sMAPE, %", higher_is_better=False),
        Metric("mse", "MSE", higher_is_better=False),
        Metric("mae", "MAE", higher_is_better=False),
        Metric("coverage", "Coverage of the interval"),
    ),
    "anomaly_detection": (
        Metric("average_precision", "PR AUC"),
        Metric("roc_auc", "ROC AUC"),
        Metric("precision", "Precision"),
        Metric("recall", "Recall"),
        Metric("event_recall", "Recall of events"),
        Metric("f1", "F1"),
        Metric("false_alarm_rate", "False-alarm rate", higher_is_better=False),
        Metric("alarm_rate", "Alarm rate", higher_is_better=False),
    ),
    "speech_recognition": (
        Metric("word_error_rate", "Word error rate", higher_is_better=False),
        Metric("character_error_rate", "Character error rate", higher_is_better=False),
        Metric("exact_match", "Exact match"),
    ),
    "generation": (
        Metric("frechet", "Distance (Fréchet)", higher_is_better=False),
        Metric("precision", "Precision"),
        Metric("recall", "Recall"),
        Metric("density", "Density"),
        Metric("coverage", "Coverage"),
        Metric("memorisation", "Memorisation (0.5 is fair)", higher_is_better=False),
        Metric("copies", "Copies of training rows", higher_is_better=False),
        Metric("tstr", "Trained on made, tested on real"),
        Metric("trtr", "Trained on real, tested on real"),
        Metric("reconstruction_error", "Reconstruction error", higher_is_better=False),
        Metric("elbo", "Evidence bound, nats"),
        Metric("log_likelihood", "Log-likelihood, nats"),
    ),
    "reconstruction": (Metric("reconstruction_error", "Reconstruction error", higher_is_better=False),),
}
_OF_A_CLASS: dict[Task, tuple[str, str]] = {"segmentation": ("iou", "IoU"), "detection": ("ap_50", "AP@0.5")}


def class_metrics(task: Task, classes: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics that a task has for each class, in the order of the classes; of most tasks there are none."""
    if task not in _OF_A_CLASS:
        return ()
    name, label = _OF_A_CLASS[task]
    return tuple(Metric(f"{name}_{each}", f"{label} of {each}") for each in classes)


def metric_of(task: Task, name: str) -> Metric:
    """Return the metric of a task by its name."""
    return next(metric for metric in METRICS[task] if metric.name == name)


def point_values(truth: Truth, said: Predictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric of the task, or the reason why it is not defined on these rows.

    Parameters
    ----------
    truth : Truth
    said : Predictions
    weight : ndarray of shape (n,), optional
        Weights of the rows.
    """
    with _undefined_is_no_news():
        values = _each(truth, said, weight)
        return {metric.name: values[metric.name]() for metric in METRICS[truth.task]}


def point_value(truth: Truth, said: Predictions, name: str) -> float | str:
    """Return one metric of the task, or the reason why it is not defined on these rows; the others are not computed.

    Parameters
    ----------
    truth : Truth
    said : Predictions
    name : str
        Of the metric.
    """
    with _undefined_is_no_news():
        return _each(truth, said, None)[name]()


@contextmanager
def _undefined_is_no_news() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # what is undefined is said in the report
        # balanced_accuracy_score: a class that is predicted and never true is no news, the confusion matrix shows it
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        yield


def _each(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    """Return what computes each metric, by name."""
    return {"regression": _regression, "multilabel": _multilabel}.get(truth.task, _classification)(truth, said, weight)


def _classification(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    y, guess = truth.values, said.values
    w: dict[str, Any] = {"sample_weight": weight}
    average: dict[str, Any] = {"average": "binary" if truth.task == "binary" else "macro", "zero_division": 0} | w
    undefined = _undefined_binary(truth, said) if truth.task == "binary" else {}
    values: dict[str, Value] = {
        "accuracy": lambda: float(sk.accuracy_score(y, guess, **w)),
        "balanced_accuracy": lambda: float(sk.balanced_accuracy_score(y, guess, **w)),
        "precision": lambda: undefined.get("precision") or float(sk.precision_score(y, guess, **average)),
        "recall": lambda: undefined.get("recall") or float(sk.recall_score(y, guess, **average)),
        "f1": lambda: undefined.get("f1") or float(sk.f1_score(y, guess, **average)),
    }
    return values | _areas(truth, said, weight) | _probabilistic(truth, said, weight)


def _undefined_binary(truth: Truth, said: Predictions) -> dict[str, str]:
    positive = truth.classes[1]
    undefined: dict[str, str] = {}
    if not (said.values == 1).any():
        undefined["precision"] = f"no row is predicted as {positive!r}"
    if not (truth.values == 1).any():
        undefined["recall"] = f"no row is {positive!r}"
    return undefined | ({"f1": f"no row is or is predicted as {positive!r}"} if len(undefined) == 2 else {})


def _areas(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    if said.scores is None:
        return _without(
            "the model gives neither probabilities nor scores to rank rows by", "roc_auc", "average_precision"
        )
    if truth.task == "multilabel":
        positive, scores = truth.values == 1, said.scores
    elif truth.task == "binary":
        positive, scores = (truth.values == 1)[:, None], said.scores[:, 1:]
    else:
        positive, scores = truth.values[:, None] == np.arange(said.scores.shape[1]), said.scores
    counted = positive if weight is None else positive[weight > 0]
    defined = np.flatnonzero(counted.any(axis=0) & ~counted.all(axis=0)).tolist()
    if not defined:
        return _without("all rows are of one class, so there is nothing to rank", "roc_auc", "average_precision")

    def mean(score: Callable[..., Any]) -> float:
        return float(np.mean([score(positive[:, k], scores[:, k], sample_weight=weight) for k in defined]))

    return {"roc_auc": lambda: mean(sk.roc_auc_score), "average_precision": lambda: mean(sk.average_precision_score)}


def _without(reason: str, *names: str) -> dict[str, Value]:
    return dict.fromkeys(names, lambda: reason)


def _probabilistic(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    p, y, labels = said.probabilities, truth.values, np.arange(len(truth.classes))
    if p is None or len(labels) < 2:
        reason = "the model gives no probabilities" if p is None else "the model knows one class only"
        return _without(reason, "log_loss", "brier", "calibration_error")
    w: dict[str, Any] = {"labels": labels, "sample_weight": weight}
    return {
        "log_loss": lambda: float(sk.log_loss(y, p, **w)),
        "brier": lambda: float(sk.brier_score_loss(y, p, **w)),
        "calibration_error": lambda: expected_calibration_error(y, p, weight),
    }


def _multilabel(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    y, guess = truth.values, said.values
    w: dict[str, Any] = {"sample_weight": weight}
    f1: dict[str, Any] = {"zero_division": 0} | w
    values: dict[str, Value] = {
        "subset_accuracy": lambda: float(sk.accuracy_score(y, guess, **w)),
        "hamming_loss": lambda: float(sk.hamming_loss(y, guess, **w)),
        "f1_micro": lambda: float(sk.f1_score(y, guess, average="micro", **f1)),
        "f1_macro": lambda: float(sk.f1_score(y, guess, average="macro", **f1)),
    }
    return values | _areas(truth, said, weight)


def _regression(truth: Truth, said: Predictions, weight: Array | None) -> dict[str, Value]:
    y, guess = truth.values, said.values
    w: dict[str, Any] = {"sample_weight": weight}
    varies = bool((np.ptp(y, axis=0) > 0).all())
    return {
        "rmse": lambda: float(sk.root_mean_squared_error(y, guess, **w)),
        "mae": lambda: float(sk.mean_absolute_error(y, guess, **w)),
        "r2": lambda: float(sk.r2_score(y, guess, **w)) if varies else "the truth is the same in every row",
        "median_absolute_error": lambda: float(sk.median_absolute_error(y, guess, **w)),
    }
