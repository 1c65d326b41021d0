"""Reading y: labels and numbers as a user has them become arrays that can be trusted."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning

from ganglion.errors import InvalidInput


def read_labels(y: Any, n_samples: int, *, several: bool) -> np.ndarray:
    """Return class labels as an array that can be trusted.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
    n_samples : int
        How many labels there must be.
    several : bool
        Whether a matrix of zeros and ones is allowed: several labels a sample.

    Returns
    -------
    ndarray of shape (n_samples,) of strings, integers, floats or booleans, or (n_samples, n_labels) of int64

    Raises
    ------
    InvalidInput
        If labels are missing, of mixed kinds, too many or too few, or of the wrong shape.
    """
    labels = _array(y, n_samples)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Give y.ravel().",
            DataConversionWarning,
            stacklevel=5,
        )
        labels = labels.ravel()
    if labels.ndim == 2:
        if not several or not np.isin(labels, (0, 1)).all():
            raise InvalidInput(
                f"y has shape {labels.shape}: bad input shape for classes. Give one label a sample, (n_samples,)"
                + (", or several as a matrix of zeros and ones." if several else ".")
            )
        return labels.astype(np.int64)
    if labels.dtype.kind == "O":
        labels = _plain_objects(labels)
    if labels.dtype.kind == "f":
        _refuse_nonfinite(labels)
    return labels


def _plain_objects(labels: np.ndarray) -> np.ndarray:
    """Return an array of Python objects as one of strings or numbers, where all are of one kind."""
    missing = [i for i, label in enumerate(labels.tolist()) if label is None or label != label]
    if missing:
        raise InvalidInput(
            f"y contains NaN: {len(missing)} labels are missing, the first in row {missing[0]}. Drop those rows."
        )
    kinds = {type(label) for label in labels.tolist()}
    if all(issubclass(kind, str) for kind in kinds):
        return labels.astype(str)
    if len(kinds) > 1 and any(issubclass(kind, str) for kind in kinds):
        raise InvalidInput(
            "y mixes text and numbers (Unknown label type: unknown): "
            f"{', '.join(sorted(kind.__name__ for kind in kinds))}. Give labels of one kind, e.g. y.astype(str)."
        )
    if all(issubclass(kind, int | float | np.generic) for kind in kinds):
        return np.array(labels.tolist())
    return labels


def read_numbers(y: Any, n_samples: int, *, several: bool) -> np.ndarray:
    """Return numeric targets as float64, (n_samples,) or (n_samples, n_targets).

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_targets)
    n_samples : int
        How many targets there must be.
    several : bool
        Whether several targets a sample are allowed.

    Raises
    ------
    InvalidInput
        If a target is missing, infinite or no number, or the shape is wrong.
    """
    raw = _array(y, n_samples)
    try:
        numbers = raw.astype(np.float64)
    except (TypeError, ValueError) as error:
        example = next((value for value in raw.ravel().tolist() if isinstance(value, str)), raw.ravel()[0])
        raise InvalidInput(
            f"y must hold numbers, but holds {example!r}. Use a classifier for labels, or give numbers."
        ) from error
    if numbers.ndim == 2 and not several:
        raise InvalidInput(
            f"y has shape {numbers.shape}, but one number a sample is wanted, (n_samples,). Fit one model a column."
        )
    _refuse_nonfinite(numbers)
    return numbers


def _array(y: Any, n_samples: int) -> np.ndarray:
    if y is None:
        raise InvalidInput(
            "This estimator requires y to be passed, but the target y is None. Give y, or a Dataset with a target."
        )
    values = np.asarray(y)
    if values.ndim not in (1, 2):
        raise InvalidInput(f"y has shape {values.shape}, but (n_samples,) or (n_samples, n_targets) is wanted.")
    if values.dtype.kind == "c":
        raise InvalidInput("Complex data not supported: y holds complex numbers.")
    if len(values) != n_samples:
        raise InvalidInput(
            f"X and y have inconsistent numbers of samples: [{n_samples}, {len(values)}]. Give one target a sample."
        )
    return values if values.flags.writeable else values.copy()  # a tensor is not made of what must not be written


def _refuse_nonfinite(values: np.ndarray) -> None:
    finite = np.isfinite(values)
    if finite.all():
        return
    row = int(np.argwhere(~finite)[0][0])
    what = "NaN" if np.isnan(values).any() else f"infinity or a value too large for {values.dtype!r}"
    raise InvalidInput(
        f"Input y contains {what} in {int((~finite).sum())} of {len(values)} rows, the first is row {row}. Drop those "
        "rows first."
    )
