"""`evaluate`: from a fitted model and rows with known answers to a `Report`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from ganglion.data.convert import as_dataset
from ganglion.data.suspicions import warn_of_repeated_rows
from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.baselines import FEWEST_ROWS, Baseline, run_baselines
from ganglion.evaluation.bootstrap import affordable_resamples
from ganglion.evaluation.calibration import calibration_curve
from ganglion.evaluation.facts import best_epoch, facts_of, innermost, is_deep, learning_curves
from ganglion.evaluation.inputs import check_pair, check_resamples, check_weight, split_target, truth_of
from ganglion.evaluation.metrics import measure
from ganglion.evaluation.mistakes import worst_mistakes
from ganglion.evaluation.predictions import Array, Predictions, Truth, predict
from ganglion.evaluation.report import Contender, Report
from ganglion.evaluation.verdict import compare, headline_metric

FEW_ROWS = 100


def evaluate(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    train: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
    baselines: bool = True,
    notes: Sequence[str] = (),
) -> Report:
    """Judge a fitted model on rows with known answers, honestly: intervals, baselines, and whether it is worth it.

    Parameters
    ----------
    model : estimator
        A fitted classifier or regressor of Ganglion, scikit-learn, or anything with their contract; pipelines too.
    X : Dataset, ndarray, frame, or list of rows
        Rows that the model has not seen, as its `predict` takes them.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), optional
        The true labels or numbers. Not needed when X is a `Dataset` that knows its target.
    train : tuple of X_train and y_train, optional
        What the model was trained on; the baselines are then fitted on it too. Without, they predict the evaluation
        rows out of fold, and the report says so.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows in every figure.
    n_bootstrap : int
        Resamples behind each interval, 40 or more. Of very large data fewer are drawn, and the report says so.
    random_state : int
        The same seed gives the same report.
    baselines : bool
        Whether to run the baselines; without them there is no verdict.
    notes : sequence of str
        What else a reader should know (leakage found, how rows were split); shown in the report.

    Returns
    -------
    Report
        Printable, and a picture or a page by `.plot()` and `.to_html(path)`.

    Raises
    ------
    InvalidInput
        If X and y do not fit each other or the model, or are empty, or y has missing or unknown labels.
    InvalidParameter
        If `n_bootstrap` is no whole number of 40 or more.

    Warns
    -----
    DataWarning
        If labels of y were matched in another spelling, or baselines cannot read X.
    """
    n_bootstrap = check_resamples(n_bootstrap)
    check_pair(train)
    X, y = split_target(X, y)
    truth = truth_of(model, X, y)
    weight = check_weight(sample_weight, len(truth))
    said = predict(model, X, truth)
    remarks = [*notes, *_remarks(truth, said), *([] if train is None else _seen_before(X, train[0]))]
    raced = _race(truth, X, model, train, weight, random_state, remarks) if baselines else []
    name = _free_name(type(innermost(model)).__name__, raced)
    n_resamples = affordable_resamples(len(truth), _n_rankings(truth) * (1 + len(raced)), n_bootstrap)
    if n_resamples < n_bootstrap:
        remarks.append(f"Intervals come from {n_resamples:,} resamples instead of {n_bootstrap:,}: the data are large.")
    contenders = {name: said} | {each.name: each.predictions for each in raced}
    measured = measure(truth, contenders, weight=weight, n_bootstrap=n_resamples, seed=random_state)
    metric = headline_metric(truth, measured)
    return Report(
        task=truth.task,
        n_rows=len(truth),
        classes=truth.classes,
        model=Contender(name, measured[name].metrics),
        baselines=tuple(Contender(b.name, measured[b.name].metrics, b.note, b.seconds) for b in raced),
        comparison=compare(name, measured, metric, is_deep=is_deep(model)),
        confusion=_confusion(truth, said),
        calibration=_calibration(truth, said),
        learning_curves=learning_curves(model),
        best_epoch=best_epoch(model),
        mistakes=worst_mistakes(truth, said, X),
        facts=facts_of(model, truth, n_resamples, random_state, weight is not None),
        notes=tuple(remarks),
        truth=truth,
        predictions=said,
    )


def _race(
    truth: Truth,
    X: Any,
    model: Any,
    train: tuple[Any, Any] | None,
    weight: Array | None,
    seed: int,
    remarks: list[str],
) -> list[Baseline]:
    """Run the baselines, or say in `remarks` why they cannot be run."""
    if train is None and len(truth) < FEWEST_ROWS:
        remarks.append(f"No baselines: {len(truth)} rows are too few to fit any. Give train=(X_train, y_train).")
        return []
    seen = None if train is None else (train[0], truth_of(model, train[0], train[1], what="y_train"))
    try:
        raced = run_baselines(truth, X, train=seen, weight=weight, random_state=seed)
    except InvalidInput as error:
        remarks.append(f"No baselines: they read tables and images only. {error}")
        warnings.warn(f"the baselines were not run: {error}", DataWarning, stacklevel=3)
        return []
    if train is None:
        remarks.append(
            "No training data were given, so the baselines were fitted on the evaluation rows, each row predicted by "
            "models that had not seen it (5 folds). They saw other data than the model: for a race on equal terms give "
            "train=(X_train, y_train), or --train FILE to the command."
        )
    return raced


def _remarks(truth: Truth, said: Predictions) -> list[str]:
    remarks = []
    if len(truth) < FEW_ROWS:
        remarks.append(f"Only {len(truth)} rows: intervals are wide, and bootstrap intervals are too narrow on so few.")
    if truth.task in ("binary", "multiclass"):
        absent = [name for code, name in enumerate(truth.classes) if code not in set(truth.values.tolist())]
        if absent:
            named = ", ".join(absent[:10]) + (", …" if len(absent) > 10 else "")
            remarks.append(f"No row has the class {named}, so nothing is known about it; means leave it out.")
        if said.probabilities is None:
            remarks.append("The model gives no probabilities, so log loss, Brier score and calibration are absent.")
    return remarks


def _seen_before(X: Any, X_train: Any) -> list[str]:
    """Say how many evaluation rows were trained on, where both can be read."""
    try:
        data, seen = as_dataset(X), as_dataset(X_train)
    except InvalidInput:  # text, graphs: what the model reads and we do not
        return []
    remark = warn_of_repeated_rows(data, seen, "evaluation")
    return [remark] if remark else []


def _n_rankings(truth: Truth) -> int:
    return 1 if truth.task in ("binary", "regression") else len(truth.classes)


def _free_name(name: str, raced: Sequence[Baseline]) -> str:
    return f"{name} (model)" if name in {each.name for each in raced} else name


def _confusion(truth: Truth, said: Predictions) -> tuple[tuple[int, ...], ...] | None:
    if truth.task not in ("binary", "multiclass"):
        return None
    counts = confusion_matrix(truth.values, said.values, labels=np.arange(len(truth.classes)))
    return tuple(tuple(row) for row in counts.tolist())


def _calibration(truth: Truth, said: Predictions) -> tuple[Any, ...]:
    if said.probabilities is None or truth.task == "multilabel":
        return ()
    return calibration_curve(truth.values, said.probabilities)
