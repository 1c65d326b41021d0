"""What the functions that compress have in common: settings checked, and a note of what was done."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from ganglion.data.rows import n_rows, take_rows
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Estimator


def check_share(name: str, value: Any) -> None:
    """Raise InvalidParameter unless `value` is a number above 0 and below 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < float(value) < 1:
        raise InvalidParameter(f"{name}={value!r}: give a number above 0 and below 1.")


def check_count(name: str, value: Any) -> int:
    """Return a whole number of 1 or more, or raise InvalidParameter."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise InvalidParameter(f"{name}={value!r}: give a whole number of 1 or more.")
    return int(value)


def check_model(model: Any, *, trained_further: bool = False) -> None:
    """Raise an error that explains unless `model` is a fitted estimator of Ganglion, and one that can go on training.

    Raises
    ------
    InvalidInput
        If it is a class, or of another library.
    NotFitted
    InvalidParameter
        If it was not trained by gradients and is to be trained further.
    """
    if isinstance(model, type) or not isinstance(model, Estimator):
        what = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}"
        raise InvalidInput(f"{what} was given. Give a fitted estimator of Ganglion, such as MLPClassifier().fit(X, y).")
    model._check_fitted()
    if trained_further and not model.tags.gradients:
        raise InvalidParameter(
            f"{type(model).__name__} is not trained by gradients, so it cannot go on. Round its weights with quantize, "
            "or take an estimator that is."
        )


def epochs_further(model: Any, epochs: int | None) -> int:
    """Return how long to go on training: as wished, or a third of the epochs behind the model, 2 at least."""
    if epochs is not None:
        return check_count("epochs", epochs)
    return max(2, math.ceil(len(model.history_) / 3))


def noted(made: Any, model: Any, step: str, **settings: Any) -> Any:
    """Return `made`, whose `compression_` says what was done to `model` and now to it."""
    made.metrics_, made.audit_ = {}, {}  # those of the model before
    made.network_.changes = [*model.compression_, {"step": step, **settings}]
    return made


def some_rows(X: Any, most: int) -> Any:
    """Return at most so many samples of X, evenly spaced, in the form in which they came."""
    n = n_rows(X)
    return X if n <= most else take_rows(X, np.linspace(0, n - 1, most).astype(np.int64))


def check_spread(spread: str) -> None:
    """Raise InvalidParameter unless it is a way to spread what goes over the layers."""
    if spread not in ("even", "importance"):
        raise InvalidParameter(f"spread={spread!r}: give 'even' or 'importance'.")
