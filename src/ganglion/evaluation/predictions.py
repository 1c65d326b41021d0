"""What is true and what a model says, in one shape for every task, so that metrics and charts need to know no model.

task         Truth.values and Predictions.values      probabilities, scores
binary       (n,) int64, codes into `classes`         (n, 2)
multiclass   (n,) int64, codes into `classes`         (n, n_classes)
multilabel   (n, n_labels) int64, 0 or 1              (n, n_labels), each label for itself
regression   (n, n_targets) float64                   none
segmentation (n, height, width) uint8, codes of pixels                            (predictions: see `segmentation`)
detection    (n,) of Boxes, their labels codes                                    (predictions: see `detection`)
language_modelling   (n,) of texts, the passages                           (truth and predictions: see `language`)
music_modelling      (n,) of piano rolls, (steps, 88) uint8                     (truth and predictions: see `music`)
tagging      (n,) of int64 arrays, codes of the words                             (truth and predictions: see `tagging`)
translation  (n,) of str                                                          (predictions: see `translation`)
forecasting  (n, horizon, n_targets) float64, what came                           (both: see `forecasting`)
anomaly_detection    (n_steps,) int64, 1, 0 or not known                          (both: see `anomalies`)
speech_recognition   (n,) of str                                                (predictions: see `transcription`)
generation, reconstruction   (n,) places of rows                                  (both: see `generation`)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor

from ganglion.errors import InvalidInput

Task = Literal[
    "binary",
    "multiclass",
    "multilabel",
    "regression",
    "segmentation",
    "detection",
    "language_modelling",
    "music_modelling",
    "tagging",
    "translation",
    "forecasting",
    "anomaly_detection",
    "speech_recognition",
    "generation",
    "reconstruction",
]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """The true answers of the evaluation rows.

    Attributes
    ----------
    task : Task
    values : ndarray
        See the table at the top of this file.
    classes : tuple of str
        Names of the classes, of the labels (multilabel) or of the targets (regression).
    """

    task: Task
    values: Array
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Array) -> Truth:
        """Return the truth of the rows `rows`, (k,) indices."""
        return Truth(self.task, self.values[rows], self.classes)


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one model says about the evaluation rows.

    Attributes
    ----------
    values : ndarray
        Predicted codes, labels or numbers, of the shape of `Truth.values`.
    probabilities : ndarray of shape (n, n_classes) or (n, n_labels), or None
        Rows sum to 1, except for multilabel.
    scores : ndarray of the same shape, or None
        Greater means more likely; the probabilities where there are any, else the decision function.
    """

    values: Array
    probabilities: Array | None = None
    scores: Array | None = None


def task_of(model: Any, y: Array) -> Task:
    """Return the task of a model and the labels it is judged by.

    Raises
    ------
    InvalidInput
        If the model neither classifies nor regresses.
    """
    if is_regressor(model):
        return "regression"
    if not is_classifier(model):
        raise InvalidInput(
            f"{type(model).__name__} is neither a classifier nor a regressor, so there is no right answer to compare "
            "its output with. Give a fitted estimator whose tags say 'classifier' or 'regressor'."
        )
    if y.ndim == 2:
        return "multilabel"
    return "binary" if len(model.classes_) == 2 else "multiclass"


def predict(model: Any, X: Any, truth: Truth) -> Predictions:
    """Ask a fitted model for its predictions on X, through scikit-learn's contract only.

    Raises
    ------
    InvalidInput
        If the predictions are not finite, or not of the shape that `truth` has.
    """
    if truth.task == "regression":
        return _regression(model, X, truth)
    if truth.task == "multilabel":
        return _multilabel(model, X, truth)
    return _classification(model, X, truth)


def _regression(model: Any, X: Any, truth: Truth) -> Predictions:
    values = np.asarray(model.predict(X), dtype=np.float64).reshape(len(truth), -1)
    _check_shape(model, values.shape, truth.values.shape)
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise InvalidInput(
            f"{type(model).__name__} predicts NaN or infinity for {broken:,} of {len(truth):,} rows, so its errors "
            "cannot be measured. Look for extreme or missing values in X, or train again with a lower learning rate."
        )
    return Predictions(values)


def _classification(model: Any, X: Any, truth: Truth) -> Predictions:
    classes = np.asarray(model.classes_)
    probabilities = _normalised(_call(model, "predict_proba", X), len(truth), len(classes))
    scores = probabilities
    if scores is None:
        scores = _decision(model, X, len(truth), len(classes))
    code_of = {label: code for code, label in enumerate(classes.tolist())}
    labels = np.asarray(model.predict(X)).reshape(-1).tolist()
    _check_shape(model, (len(labels),), (len(truth),))
    codes = np.array([code_of.get(label, -1) for label in labels], dtype=np.int64)
    if (codes < 0).any():
        strange = sorted({repr(label) for label, code in zip(labels, codes, strict=True) if code < 0})
        raise InvalidInput(
            f"{type(model).__name__} predicts {', '.join(strange[:5])}, which its classes_ do not hold: "
            f"{', '.join(map(repr, classes.tolist()[:20]))}. Its predict and classes_ must agree."
        )
    return Predictions(codes, probabilities, scores)


def _multilabel(model: Any, X: Any, truth: Truth) -> Predictions:
    given = model.predict(X)
    values = np.asarray(given.toarray() if hasattr(given, "toarray") else given)
    _check_shape(model, values.shape, truth.values.shape)
    probabilities = _label_probabilities(_call(model, "predict_proba", X), truth)
    scores = probabilities
    if scores is None:
        raw = _call(model, "decision_function", X)
        scores = None if raw is None or np.shape(raw) != truth.values.shape else np.asarray(raw, dtype=np.float64)
    return Predictions(values.astype(np.int64), probabilities, scores)


def _label_probabilities(given: Any, truth: Truth) -> Array | None:
    """Read both of scikit-learn's conventions: one array (n, n_labels), or a list of (n, 2) arrays."""
    if given is None:
        return None
    if isinstance(given, list):
        # a label that training saw with one value only has one column: the probability of that value, unknown to us
        columns = [np.asarray(each)[:, 1] if np.shape(each)[1] == 2 else None for each in given]
        if any(column is None for column in columns):
            return None
        given = np.column_stack([column for column in columns if column is not None])
    probabilities = np.asarray(given, dtype=np.float64)
    return probabilities if probabilities.shape == truth.values.shape else None


def _normalised(given: Any, n_rows: int, n_classes: int) -> Array | None:
    """Return probabilities in float64 whose rows sum to 1, or None where they are no probabilities.

    A float32 softmax sums to 1 within 1e-6 only, which scikit-learn's metrics warn about.
    """
    if given is None:
        return None
    probabilities = np.asarray(given, dtype=np.float64)
    if probabilities.shape != (n_rows, n_classes) or not np.isfinite(probabilities).all():
        return None
    total = probabilities.sum(axis=1, keepdims=True)
    if probabilities.min() < -1e-6 or np.abs(total - 1).max() > 1e-2:
        return None
    return np.clip(probabilities, 0, None) / total


def _decision(model: Any, X: Any, n_rows: int, n_classes: int) -> Array | None:
    given = _call(model, "decision_function", X)
    if given is None:
        return None
    scores = np.asarray(given, dtype=np.float64)
    if scores.shape == (n_rows,) and n_classes == 2:
        return np.column_stack([-scores, scores])
    return scores if scores.shape == (n_rows, n_classes) else None


def _call(model: Any, method: str, X: Any) -> Any:
    """Return what a method of the model gives, or None where the model has no such method."""
    return getattr(model, method)(X) if hasattr(model, method) else None


def _check_shape(model: Any, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if given != wanted:
        raise InvalidInput(
            f"{type(model).__name__} predicts an array of shape {given}, but y has shape {wanted}. Give the y that "
            "belongs to these rows, with one column for each target that the model was trained on."
        )
