"""What callers hand over, checked before any work starts and turned into plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.data.task import ALONE
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.labels import match_labels
from ganglion.evaluation.predictions import Array, Truth, task_of


def learns_alone(model: Any) -> bool:
    """Say whether a model learns from X alone, so that there is no y."""
    return getattr(getattr(model, "tags", None), "task", None) in ALONE or holds_all(model)


def holds_all(model: Any) -> bool:
    """Say whether a model reads its target from X, where it stays."""
    return getattr(getattr(model, "tags", None), "task", None) in ("forecasting", "anomaly_detection")


def split_target(model: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return X and y, taking y from a `Dataset` that has its target inside when no y is given."""
    if y is not None or holds_all(model):
        return X, y
    from ganglion.data.dataset import Dataset  # loads torch

    if isinstance(X, Dataset) and X.target:
        return X.X_y()
    if learns_alone(model):
        return X, None
    raise InvalidInput(
        "y is missing. Give the true labels or values as y, or a Dataset that knows its target: "
        "read(path, target=name), dataset.with_target(name)."
    )


def truth_of(model: Any, X: Any, y: Any, what: str = "y") -> Truth:
    """Return the true answers of the rows of X, coded by the classes of the model.

    Parameters
    ----------
    model : estimator
        A fitted classifier or regressor.
    X : array-like with n rows
    y : array-like of shape (n,) or (n, n_targets)
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If X and y differ in length, are empty, or y has missing or unfit values.
    """
    names = _column_names(y)
    values = _array(y, what)
    check_lengths(X, values, what)
    _refuse_missing(values, what)
    task = task_of(model, values)
    if task == "regression":
        return _numbers(values, names, what)
    if task == "multilabel":
        return _label_matrix(model, values, names, what)
    classes = np.asarray(model.classes_).tolist()
    codes = match_labels(values, classes, model=type(model).__name__)
    return Truth(task, codes, tuple(str(name) for name in classes))


def read_answers(y: Any, what: str = "y") -> Array:
    """Return labels or numbers, (n,) or (n, n_targets), as an array in which nothing is missing."""
    values = _array(y, what)
    _refuse_missing(values, what)
    return values


def check_lengths(X: Any, y: Any, what: str) -> None:
    """Raise InvalidInput unless there is one answer for each row, and any row at all."""
    shape = getattr(X, "shape", None)
    n_rows = int(shape[0]) if shape else len(X)
    if n_rows != len(y):
        raise InvalidInput(f"X has {n_rows:,} rows and {what} has {len(y):,}. Give one answer for each row.")
    if not n_rows:
        raise InvalidInput(f"X and {what} are empty. Give at least one row to evaluate on.")


def class_codes(labels: Array, classes: Array) -> tuple[Array, list[Any]]:
    """Return labels, of any shape, as codes into `classes`, int64, and the labels that are not among them."""
    if labels.dtype.kind in "OUS" or classes.dtype.kind in "OUS":
        labels, classes = labels.astype(str), classes.astype(str)
    order = np.argsort(classes)
    ordered = classes[order]
    place = np.minimum(np.searchsorted(ordered, labels), len(classes) - 1)
    strange = ordered[place] != labels
    return order[place], np.unique(labels[strange]).tolist() if strange.any() else []


def listed(labels: list[Any]) -> str:
    """Return labels as a message names them."""
    return ", ".join(map(repr, labels[:20])) + (", …" if len(labels) > 20 else "")


def check_pair(train: Any) -> None:
    """Raise InvalidInput unless `train` is None or a pair of features and answers."""
    if train is not None and not (isinstance(train, tuple | list) and len(train) == 2):
        raise InvalidInput(
            f"train is a pair (X_train, y_train), but a {type(train).__name__} was given. Give (X_train, None) for a "
            "model that learns from X alone."
        )


def check_model(model: Any) -> None:
    """Raise InvalidInput unless the model is an object that can predict, and is fitted as far as it tells."""
    if isinstance(model, type):
        name = model.__name__
        raise InvalidInput(f"model is the class {name}. Give a fitted estimator: {name}().fit(X_train, y_train).")
    if not hasattr(model, "predict") and not learns_alone(model):
        raise InvalidInput(
            f"model is {repr(model)[:60]}, which cannot predict. Give a fitted estimator; ganglion.load(path) reads "
            "one from its file."
        )
    fitted = getattr(model, "__sklearn_is_fitted__", None)
    if fitted is not None and not fitted():
        raise InvalidInput(f"{type(model).__name__} is not fitted yet. Call fit(X_train, y_train) first.")


def check_weight(weight: Any, n_rows: int) -> Array | None:
    """Return weights of rows as float64, (n,), or raise InvalidInput: finite, not negative, not all zero."""
    if weight is None:
        return None
    try:
        values = np.asarray(weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"sample_weight must hold numbers ({error}). Give one number for each row.") from error
    if values.shape != (n_rows,):
        raise InvalidInput(f"sample_weight has shape {values.shape}. Give one number for each of the {n_rows:,} rows.")
    if not np.isfinite(values).all() or values.min() < 0 or not values.any():
        raise InvalidInput(
            "sample_weight must be finite, not negative and not zero everywhere; it ranges from "
            f"{values.min():g} to {values.max():g}. Give 0 to the rows that are not to count."
        )
    return values


def check_resamples(n_bootstrap: Any) -> int:
    """Return the number of resamples, or raise InvalidParameter: a 95 % interval needs at least 40."""
    if not isinstance(n_bootstrap, (int, np.integer)) or isinstance(n_bootstrap, bool) or n_bootstrap < 40:
        raise InvalidParameter(
            f"n_bootstrap={n_bootstrap!r}: give a whole number of 40 or more (a 95 % interval leaves out one resample "
            "in forty at each end). 1000 is usual."
        )
    return int(n_bootstrap)


def _array(y: Any, what: str) -> Array:
    if hasattr(y, "values") and hasattr(y, "with_target"):  # a Dataset, without importing torch
        y = np.column_stack([y.values(name) for name in y.names])
    if hasattr(y, "detach"):  # a torch tensor, without importing torch
        y = y.detach().cpu()
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise InvalidInput(
            f"{what} has shape {values.shape}. Give shape (n,), or (n, n_targets) for several targets or labels."
        )
    return values


def _column_names(y: Any) -> tuple[str, ...]:
    """Return the names that a Dataset, frame or series gives to its columns, or nothing."""
    names = y.names if hasattr(y, "with_target") else getattr(y, "columns", getattr(y, "name", ()))
    names = [names] if isinstance(names, str) else names
    return tuple(str(name) for name in names) if hasattr(names, "__iter__") else ()


def _refuse_missing(values: Array, what: str) -> None:
    if values.dtype.kind in "fc":
        missing = np.isnan(values)
    elif values.dtype == object:
        missing = np.array([_is_missing(value) for value in values.ravel().tolist()]).reshape(values.shape)
    else:
        return
    n_missing = int(missing.reshape(len(values), -1).any(axis=1).sum())
    if n_missing:
        raise InvalidInput(
            f"{what} is missing (NaN or None) in {n_missing:,} of {len(values):,} rows, the first is row "
            f"{int(np.argwhere(missing)[0, 0])}. A prediction cannot be judged without the truth: leave these rows out."
        )


def _is_missing(value: Any) -> bool:
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _numbers(values: Array, names: tuple[str, ...], what: str) -> Truth:
    try:
        numbers = values.astype(np.float64).reshape(len(values), -1)
    except (TypeError, ValueError):
        examples = ", ".join(repr(value) for value in values.ravel()[:3].tolist())
        raise InvalidInput(
            f"{what} holds {examples}, but the model is a regressor and is judged by numbers. Give numbers, or a "
            "classifier."
        ) from None
    if not np.isfinite(numbers).all():
        raise InvalidInput(f"{what} holds infinite values. Leave these rows out, or clip them to the largest real one.")
    if len(names) != numbers.shape[1]:
        names = ("y",) if numbers.shape[1] == 1 else tuple(f"target {k}" for k in range(numbers.shape[1]))
    return Truth("regression", numbers, names)


def _label_matrix(model: Any, values: Array, names: tuple[str, ...], what: str) -> Truth:
    try:
        labels: Array = values.astype(np.float64)
    except (TypeError, ValueError):
        labels = np.full(values.shape, np.nan)
    if not np.isin(labels, (0.0, 1.0)).all():
        raise InvalidInput(
            f"{what} has {values.shape[1]} columns, so each must be a label that is there or not, 0 or 1, but it holds "
            "other values. Several targets of many classes are judged one at a time: give one column, and the model "
            "of that column."
        )
    if len(names) != labels.shape[1]:
        known: Any = getattr(model, "classes_", ())
        flat = not isinstance(known, list) and np.shape(known) == (labels.shape[1],)
        names = tuple(str(name) for name in known) if flat else tuple(f"label {k}" for k in range(labels.shape[1]))
    return Truth("multilabel", labels.astype(np.int64), names)
