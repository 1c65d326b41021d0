"""The rows that a model was most confidently wrong about: where mislabelled data and blind spots show first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganglion.drawing.pictures import picture_chart
from ganglion.drawing.png import displayable
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.predictions import Array, Predictions, Truth

N_MISTAKES = 12
MOST_FEATURES = 50


@dataclass(frozen=True, slots=True)
class Mistake:
    """One row, what is true of it, and what the model said.

    Attributes
    ----------
    row : int
        Index into the evaluation rows.
    truth, prediction : str or float
        Class names (labels joined by commas), or numbers.
    probability : float or None
        The model's, of its wrong prediction (multilabel: of the label that it was most wrong about).
    truth_probability : float or None
        The model's, of the truth.
    error : float or None
        Predicted minus true, regression only; of several targets the one that is furthest off.
    score : float or None
        How good the prediction of this image is, from 0 to 1, segmentation and detection only.
    features : dict of str to value
        The row itself, for tables.
    file : str
        The name of the image's file, where the data know it.
    pieces : tuple of (str, float)
        A text in pieces, and how strongly each is marked, from 0 to 1: it pushed the model to its wrong answer, or was
        not expected (language modelling).
    picture : Chart or None
        The image, for images; what is true and what was said is drawn over it where it has places. The spectrogram, for
        recordings.
    words : tuple of (word, true label, predicted label)
        The words around the mistake, tagging; true words and said ones side by side, speech recognition.
    """

    row: int
    truth: str | float
    prediction: str | float
    probability: float | None = None
    truth_probability: float | None = None
    error: float | None = None
    score: float | None = None
    features: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    pieces: tuple[tuple[str, float], ...] = ()
    picture: Chart | None = None
    words: tuple[tuple[str, str, str], ...] = ()


def worst_mistakes(truth: Truth, said: Predictions, X: Any, *, most: int = N_MISTAKES) -> tuple[Mistake, ...]:
    """Return the rows with the most confident mistakes or the largest errors, worst first.

    Parameters
    ----------
    truth : Truth
    said : Predictions
    X : Dataset, ndarray, frame, or list of rows
        The evaluation rows; where they cannot be read as a table or images, mistakes have neither values nor picture.
    most : int
        Number of rows.
    """
    rows = _worst_rows(truth, said)[:most]
    shown = _looks(X, rows)
    return tuple(_mistake(truth, said, row, look) for row, look in zip(rows.tolist(), shown, strict=True))


def pictures_of(X: Any, rows: Array) -> list[tuple[Array | None, str]]:
    """Return the images of some rows, (channels, height, width) uint8, or None, and the names of their files, or "".

    Parameters
    ----------
    X : Dataset, ndarray, or anything else that can be read as data
    rows : ndarray of shape (k,), int64
    """
    from ganglion.data.convert import as_dataset

    nothing: list[tuple[Array | None, str]] = [(None, "") for _ in rows]
    try:
        chosen = as_dataset(X).take(rows)
    except InvalidInput:
        return nothing
    images = [each.name for each in chosen.features if each.kind == "image"]
    files = chosen.values("file").tolist() if "file" in chosen.index else [""] * len(rows)
    if not images or not len(rows):
        return nothing
    return list(zip(displayable(np.asarray(chosen.columns[images[0]])), files, strict=True))


def _worst_rows(truth: Truth, said: Predictions) -> Array:
    if truth.task == "regression":
        spread = truth.values.std(axis=0)
        badness = np.abs(said.values - truth.values).max(axis=1, initial=0, where=spread == 0)
        scaled = np.abs(said.values - truth.values) / np.where(spread > 0, spread, 1)
        badness = np.maximum(badness, scaled.max(axis=1))
        return _largest(badness, badness > 0)
    if truth.task == "multilabel":
        belief = said.values if said.probabilities is None else said.probabilities
        return _largest(np.abs(belief - truth.values).max(axis=1), (said.values != truth.values).any(axis=1))
    wrong = said.values != truth.values
    if said.scores is None:
        return np.flatnonzero(wrong)
    every = np.arange(len(truth))
    return _largest(said.scores[every, said.values] - said.scores[every, truth.values], wrong)


def _largest(badness: Array, counted: Array) -> Array:
    rows = np.flatnonzero(counted)
    return rows[np.argsort(-badness[rows], kind="stable")]


def _mistake(truth: Truth, said: Predictions, row: int, look: dict[str, Any]) -> Mistake:
    if truth.task == "regression":
        errors = said.values[row] - truth.values[row]
        k = int(np.abs(errors).argmax())
        return Mistake(row, float(truth.values[row, k]), float(said.values[row, k]), error=float(errors[k]), **look)
    if truth.task == "multilabel":
        return _label_mistake(truth, said, row, look)
    true, guess = int(truth.values[row]), int(said.values[row])
    p = said.probabilities
    of_guess, of_truth = (None, None) if p is None else (float(p[row, guess]), float(p[row, true]))
    return Mistake(row, truth.classes[true], truth.classes[guess], of_guess, of_truth, **look)


def _label_mistake(truth: Truth, said: Predictions, row: int, look: dict[str, Any]) -> Mistake:
    right, guess = (
        ", ".join(name for name, there in zip(truth.classes, values[row], strict=True) if there) or "none"
        for values in (truth.values, said.values)
    )
    if said.probabilities is None:
        return Mistake(row, right, guess, **look)
    p = said.probabilities[row]
    wrong = np.flatnonzero(said.values[row] != truth.values[row])
    k = int(wrong[np.abs(p - truth.values[row])[wrong].argmax()])
    of_guess = float(p[k] if said.values[row, k] else 1 - p[k])
    return Mistake(row, right, guess, of_guess, 1 - of_guess, **look)


def _looks(X: Any, rows: Array) -> list[dict[str, Any]]:
    """Return for each row its values or its picture."""
    from ganglion.data.convert import as_dataset

    try:
        data = as_dataset(X)
    except InvalidInput:  # a pipeline's own kind of input: the mistakes are still worth listing
        return [{} for _ in rows]
    chosen = data.take(rows)
    if any(each.kind == "image" for each in chosen.features):
        return [
            {"picture": None if image is None else picture_chart(image, f"Row {row}"), "file": file}
            for row, (image, file) in zip(rows.tolist(), pictures_of(data, rows), strict=True)
        ]
    if any(each.kind == "audio" for each in chosen.features):
        return _sounds(data, rows)
    columns: dict[str, list[Any]] = {}
    for each in chosen.features:
        values = chosen.values(each.name)
        if each.kind == "sequence":
            columns |= {"steps": list(map(len, values))}
            columns |= {name: [_step(steps[at]) for steps in values] for name, at in (("first", 0), ("last", -1))}
            continue
        values = _moments(values) if each.kind == "date" else values
        block = [(f"{each.name}{i}", part) for i, part in enumerate(values.T)] if each.shape else [(each.name, values)]
        columns |= {name: part.tolist() for name, part in block[: MOST_FEATURES - len(columns)]}
    return [{"features": {name: _plain(column[i]) for name, column in columns.items()}} for i in range(len(rows))]


def _sounds(data: Any, rows: Array) -> list[dict[str, Any]]:
    """Return the spectrogram of each recording, and the name of its file."""
    from ganglion.evaluation.hearing import spectrograms_of

    files = data.take(rows).values("file").tolist() if "file" in data.index else [""] * len(rows)
    return [{"picture": chart, "file": file} for chart, file in zip(spectrograms_of(data, rows), files, strict=True)]


def _step(numbers: Array) -> str:
    shown = ", ".join(f"{value:.3g}" for value in numbers[:4].tolist())
    return shown + (", …" if len(numbers) > 4 else "")


def _moments(seconds: Array) -> Array:
    """Return seconds since 1970 as people write moments: 2026-01-31, or 2026-01-31T12:00:00."""
    moments = np.where(np.isnan(seconds), np.datetime64("NaT"), np.nan_to_num(seconds).astype("datetime64[s]"))
    return np.array([None if text == "NaT" else text.removesuffix("T00:00:00") for text in moments.astype(str)])


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: missing numbers become None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
