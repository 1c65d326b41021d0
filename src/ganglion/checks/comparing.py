"""What checks compare with: fresh clones, all answers of a model, and what has to hold of them."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from ganglion.data.dataset import Dataset
from ganglion.errors import DataWarning
from ganglion.estimators.artifact import load

EPOCHS = 3
METHODS = (
    *("predict", "predict_proba", "decision_function", "heat_maps", "score_samples"),
    *("transform", "reconstruction_error", "discriminate"),
)


def unfitted(estimator: Any) -> Any:
    """Return an unfitted clone: scikit-learn's `clone`, for one estimator."""
    return clone(estimator)


def fresh(estimator: Any, *, epochs: int = EPOCHS) -> Any:
    """Return an unfitted clone with seed 0, and few epochs where there are any."""
    cloned = unfitted(estimator).set_params(random_state=0)
    return cloned.set_params(epochs=epochs) if "epochs" in cloned.get_params() else cloned


def answers(model: Any, X: Any) -> dict[str, np.ndarray]:
    """Return everything that a fitted estimator answers, by method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        if not has_answers(model):  # it only makes new data: as many as were given
            n = len(next(iter(X.values()))) if isinstance(X, dict) else len(X)
            made = plain(model.sample(n, random_state=0))
            return {"sample": np.rint(made).astype(np.int64) if model.modality_ == "image" else made}
        return {name: _numbers(getattr(model, name)(X), model) for name in METHODS if hasattr(model, name)}


def has_answers(estimator: Any) -> bool:
    """Return whether an estimator answers anything of the rows that it is given."""
    return any(hasattr(estimator, name) for name in METHODS)


def plain(data: Any) -> np.ndarray:
    """Return data in any form of X, as an array: of mixed columns numbers, labels as the places of their names."""
    if isinstance(data, np.ndarray) and data.dtype.kind in "fu":
        return data
    if isinstance(data, np.ndarray):
        columns = list(data.T)
    elif isinstance(data, Dataset):
        columns = [data.values(name) for name in data.names]
    else:
        columns = [data[name].to_numpy() for name in data.columns]
    return np.column_stack([_as_numbers(column) for column in columns])


def _as_numbers(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind in "OU":
        return np.array([sum(map(ord, str(label))) for label in column], dtype=np.float64)
    return column.astype("int64" if column.dtype.kind == "M" else np.float64).astype(np.float64)


def _numbers(answer: np.ndarray, model: Any) -> np.ndarray:
    """Return boxes of pictures as numbers, one row a box, filled up with 0; labels of steps, and chords, as a block."""
    if model.tags.task in ("tagging", "music_modelling"):
        return np.array(list(answer))  # samples are equally long here
    if model.tags.task != "detection" or answer.dtype != object:
        return answer
    rows = np.zeros((len(answer), model.max_detections, 6), dtype=np.float32)
    for i, each in enumerate(answer):
        rows[i, : len(each)] = np.column_stack([each.boxes, np.searchsorted(model.classes_, each.labels), each.scores])
    return rows


def ask(model: Any, X: Any) -> Any:
    """Return the plainest of a model's answers."""
    return getattr(model, next(name for name in METHODS if hasattr(model, name)))(X)


def same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Compare two sets of answers to the bit."""
    ensure(one.keys() == other.keys(), f"{sorted(one)} answered here, {sorted(other)} there")
    for name, answer in one.items():
        np.testing.assert_array_equal(answer, other[name], err_msg=name, strict=True)


def close(one: dict[str, np.ndarray], other: dict[str, np.ndarray], *, atol: float = 1e-5) -> None:
    """Compare two sets of answers, numbers to within `atol` of their scale (rounding may come in another order)."""
    ensure(one.keys() == other.keys(), f"{sorted(one)} answered here, {sorted(other)} there")
    for name, answer in one.items():
        if answer.dtype.kind == "f":
            scale = max(1.0, np.abs(other[name]).max())
            np.testing.assert_allclose(answer / scale, other[name] / scale, rtol=0, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(answer, other[name], err_msg=name)


def close_answers(one: Any, other: Any, X: Any) -> None:
    """Compare what two fitted estimators answer, but for rounding."""
    close(answers(one, X), answers(other, X))


def same_answers(one: Any, other: Any, X: Any) -> None:
    """Compare what two fitted estimators answer, to the bit."""
    same_bits(answers(one, X), answers(other, X))


def saved_and_loaded(model: Any) -> Any:
    """Return a model after a trip through a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ganglion")
        model.save(path)
        return load(path)


def ensure(condition: bool, otherwise: str) -> None:
    """Raise AssertionError with a reason, also under `python -O`."""
    if not condition:
        raise AssertionError(otherwise)


def refused(call: Callable[[], Any], kinds: Any, words: str = "") -> None:
    """Expect an error of one of these kinds, whose message is more than a few words and holds `words`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            call()
    except kinds as error:
        message = str(error)
        ensure(len(message.split()) >= 5, f"the message says too little: {message!r}")
        ensure(words.lower() in message.lower(), f"the message does not name {words!r}: {message!r}")
    else:
        raise AssertionError(f"nothing was raised, where {kinds} was expected")
