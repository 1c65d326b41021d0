"""Do the figures flatter? Evaluation rows that were learned from, columns that hold the answer, groups and times torn.

    duplicates   evaluation rows whose features stand among the training rows too
    column       a column that alone predicts the target nearly without error (see `data/leakage.py`)
    groups       evaluation rows of a group (a patient, a customer) that the model learned from; where groups are told
    time         evaluation rows older than the newest training row; where times are told

Where rows are concerned, the figure that decides is given again without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.findings import leaking_columns
from ganglion.data.leakage import sample_rows
from ganglion.data.profile import profile
from ganglion.data.suspicions import WARN_SHARE, repeated_rows
from ganglion.data.task import Task
from ganglion.errors import InvalidInput, unknown_name
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.measuring import measure
from ganglion.evaluation.metrics import Metric
from ganglion.evaluation.predictions import Array, Predictions, Truth

FEWEST_LEFT = 30  # rows that a figure without the others is worth anything of


@dataclass(frozen=True, slots=True)
class Leak:
    """One way in which the figures may be too good.

    Attributes
    ----------
    kind : {"duplicates", "column", "groups", "time"}
    column : str
        That gives the answer, or tells groups or times; else empty.
    n_rows : int
        Evaluation rows that are concerned.
    without : Estimate or None
        The figure that decides on the other rows, where these are 30 or more.
    sentence : str
        What was found, and what to do.
    """

    kind: Literal["duplicates", "column", "groups", "time"]
    column: str
    n_rows: int
    without: Estimate | None
    sentence: str


@dataclass(frozen=True)
class Judged:
    """The evaluation rows, what the model said of them, and how it is judged.

    Attributes
    ----------
    X : what the model reads
    truth : Truth
    said : Predictions
    metric : Metric
    n_bootstrap, seed : int
    """

    X: Any
    truth: Truth
    said: Predictions
    metric: Metric
    n_bootstrap: int
    seed: int

    def without(self, rows: Array) -> Estimate | None:
        """Return the figure that decides on the rows that are not marked, (n,) bool, if enough are left."""
        kept = np.flatnonzero(~rows)
        if len(kept) < FEWEST_LEFT or len(kept) == len(rows):
            return None
        parts = (self.said.values, self.said.probabilities, self.said.scores)
        said = Predictions(*(None if each is None else each[kept] for each in parts))  # type: ignore[arg-type]
        measured = measure(self.truth.take(kept), {"": said}, n_bootstrap=self.n_bootstrap, seed=self.seed)
        return measured[""].metrics[self.metric.name]

    def leak(self, kind: Any, column: str, rows: Array, what: str, then: str) -> Leak:
        """Return a leak of rows: what they are, the figure without them, and what to do."""
        without, n = self.without(rows), int(rows.sum())
        label = self.metric.label
        figure = f" On the {len(rows) - n:,} other rows the {label} is {without}." if without is not None else ""
        return Leak(kind, column, n, without, f"{n:,} of the {len(rows):,} evaluation rows {what}.{figure} {then}")


def find_leaks(
    judged: Judged, *, train: tuple[Any, Truth] | None, target: str = "y", groups: Any = None, time: Any = None
) -> tuple[Leak, ...]:
    """Look for all of them.

    Parameters
    ----------
    judged : Judged
    train : tuple of X_train and its Truth, optional
        Without, only columns are looked at, among the evaluation rows.
    target : str
        Its name in words.
    groups, time : str, or pair of arrays, optional
        A column of X and X_train, or the values of the training rows and of the evaluation rows.

    Raises
    ------
    InvalidInput
        If groups or time are told, but there are no training rows, or they cannot be read.
    """
    for name, given in (("groups", groups), ("time", time)):
        if given is not None and train is None:
            raise InvalidInput(f"{name}=… is compared with the training rows. Give train=(X_train, y_train), too.")
    found = list(_columns(judged, train, target))
    if train is not None:
        found = [*_duplicates(judged, train[0]), *found]
    if train is not None and groups is not None:
        found += _groups(judged, *_told("groups", groups, train[0], judged.X))
    if train is not None and time is not None:
        found += _times(judged, *_told("time", time, train[0], judged.X))
    return tuple(found)


def _duplicates(judged: Judged, X_train: Any) -> Iterator[Leak]:
    data, seen = _read(judged.X), _read(X_train)
    rows = None if data is None or seen is None else repeated_rows(data, seen)
    if rows is not None and rows.mean() >= WARN_SHARE:
        what = "stand among the training rows too (features compared): the figures may be too good"
        yield judged.leak("duplicates", "", rows, what, "Remove duplicates, or split so that copies stay together.")


def _columns(judged: Judged, train: tuple[Any, Truth] | None, target: str) -> Iterator[Leak]:
    """Look at a sample of the training rows, or without them of the evaluation rows."""
    X, truth = (judged.X, judged.truth) if train is None else train
    data = _read(X)
    if data is None or truth.task == "multilabel" or truth.values.reshape(len(truth), -1).shape[1] > 1:
        return
    rows = np.sort(sample_rows(len(truth)))
    name = _free(target, data)
    values = truth.values.reshape(len(truth), -1)[rows, 0]
    labels = values if truth.task == "regression" else np.array(truth.classes, dtype=object)[values]
    answers = as_dataset({name: labels})
    features = profile(data.take(rows).drop(data.target))
    task = Task(truth.task, "as the model has it")  # type: ignore[arg-type]
    for each in leaking_columns(features, profile(answers)[0], task):
        yield Leak("column", each.column, len(judged.truth), None, f"{each.column}: {each.text}")


def _groups(judged: Judged, column: str, before: Dataset, here: Dataset) -> Iterator[Leak]:
    seen, asked = (data.values(data.names[0]).astype(str) for data in (before, here))
    rows = np.isin(asked, seen)
    if rows.any():
        groups = len(np.unique(asked[rows]))
        what = f"are of {groups:,} groups that the model learned from ({column})"
        then = "Split by groups: whole ones on one side, as compare(…, groups=…) does."
        yield judged.leak("groups", column, rows, what, then)


def _times(judged: Judged, column: str, before: Dataset, here: Dataset) -> Iterator[Leak]:
    seen, asked = (_numbers(data, column) for data in (before, here))
    rows = asked < np.nanmax(seen)
    if rows.any():
        what = f"are older than the newest training row ({column}): the model learned from their future"
        then = "Hold out the last rows, as compare(…, cv='time') does."
        yield judged.leak("time", column, rows, what, then)


def _numbers(data: Dataset, column: str) -> Array:
    field = data.fields[0]
    if field.kind not in ("numeric", "date") or field.shape:
        raise InvalidInput(f"time: {column} holds neither dates nor numbers, but {field.kind} values. Give others.")
    return np.asarray(data.columns[field.name], dtype=np.float64)


def _told(what: str, given: Any, X_train: Any, X: Any) -> tuple[str, Dataset, Dataset]:
    """Return the name of what is told, and its values of the training rows and of the evaluation rows."""
    if isinstance(given, str):
        both = [as_dataset(each) for each in (X_train, X)]
        for data in both:
            if given not in data.names:
                raise unknown_name("column", given, data.names)
        parts = [data.drop([name for name in data.names if name != given]) for data in both]
        return given, parts[0], parts[1]
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise InvalidInput(f"{what} is the name of a column, or a pair: of the training rows, of the evaluation rows.")
    parts = [as_dataset({what: np.asarray(each)}) for each in given]
    if len(parts[1]) != len(X):
        raise InvalidInput(f"{what} has {len(parts[1]):,} values for {len(X):,} evaluation rows. Give one a row.")
    return what, parts[0], parts[1]


def _read(X: Any) -> Dataset | None:
    """Return X as a data set, or None where only the model can read it."""
    try:
        return as_dataset(X)
    except InvalidInput:
        return None


def _free(name: str, data: Dataset) -> str:
    return f"{name} (target)" if name in data.names else name
