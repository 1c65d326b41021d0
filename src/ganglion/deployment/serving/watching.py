"""What a server keeps of what it was asked: counts, against the training data's summary, and a log of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.deployment.drift import Counts, Drift, drift_of
from ganglion.deployment.serving.backend import Backend
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.signature import ROWS, Input, Signature
from ganglion.deployment.tally import Tally, added, to_json

TOGETHER = 2_000  # rows that are counted together
RECENT = 10_000  # rows, at least, that are compared with training; twice as many at most
LEAST = 20  # rows that are told of together: counts of fewer would be their values
COUNTED = ("prediction", "probabilities")  # of what is said
_Counts = dict[str, Counts]
_Arrays = dict[str, np.ndarray]


class Watch:
    """Counts of one model, since it was loaded.

    Rows are held until there are enough of them; then they are counted column by column while further ones come, so
    that no request waits for all of it.

    Parameters
    ----------
    backend : Backend
        Whose summary they are compared with.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._lock = threading.Lock()
        self._held: tuple[_Arrays, _Arrays] = ({}, {})  # columns and answers, with room for TOGETHER rows
        self._n_held = 0
        self._counting: Iterator[None] = iter(())  # of rows that were held before
        signature = backend.signature
        known = columns_known(signature)
        self._looked_at = [each.name for each in known]
        self._n_columns = sum(len(each.names) for each in known)
        self._known = {each.name: frozenset(each.categories) for each in known if each.kind == "categorical"}
        self._is_counted = backend.summary is not None and (signature.modality == "table" or signature.task in ROWS)
        self._recent: list[tuple[int, _Counts, _Counts]] = [(0, {}, {})]
        self._new: tuple[int, _Counts, _Counts] = (0, {}, {})
        self._is_told = False

    def note(self, columns: Columns, answer: dict[str, np.ndarray]) -> None:
        """Take rows and answers, to be counted with others."""
        if not self._is_counted:
            return
        n = len(next(iter(answer.values())))
        answer = {name: answer[name] for name in COUNTED if name in answer}
        with self._lock:
            # twice as fast as rows come, so that it has ended before as many again are held
            self._go_on(1 + 2 * self._n_columns * n // TOGETHER)
            if self._n_held + n > TOGETHER:
                self._put_aside()
            if n > TOGETHER:
                self._go_on()
                self._counting = self._count(columns, answer)
                return
            places = slice(self._n_held, self._n_held + n)
            columns = {name: columns[name] for name in self._looked_at}
            if not any(self._held):
                self._held = (_rooms(columns), _rooms(answer, labels=bool(self.backend.signature.classes)))
            for rooms, given in zip(self._held, (columns, answer), strict=True):
                for name, values in given.items():
                    rooms[name][places] = values
            self._n_held += n

    def drift(self, name: str) -> Drift | None:
        """Return how the latest rows differ from those of training; None where they are few, or nothing is known."""
        with self._lock:
            self._count_all()
            n, columns, predicted = _sum(self._recent)
        summary = self.backend.summary
        return drift_of(summary, columns, predicted, model=name) if summary is not None and n >= LEAST else None

    def totals(self) -> dict[str, Any] | None:
        """Return the counts of the latest rows and what they are compared with; None where they are few."""
        with self._lock:
            self._count_all()
            n, columns, predicted = _sum(self._recent)
        if self.backend.summary is None or n < LEAST:
            return None
        return {**_told(n, columns, predicted), "summary": self.backend.summary.to_json()}

    def record(self) -> list[dict[str, Any]]:
        """Return what is to be logged: the counts since the last time, behind the summary where it is new."""
        with self._lock:
            self._count_all()
            n, columns, predicted = self._new
            if n < LEAST or self.backend.summary is None:
                return []
            self._new = (0, {}, {})
        first = [] if self._is_told else [{"summary": self.backend.summary.to_json()}]
        self._is_told = True
        return [*first, _told(n, columns, predicted)]

    def _count_all(self) -> None:
        """Count all rows that are held."""
        self._put_aside()
        self._go_on()

    def _go_on(self, steps: int | None = None) -> None:
        """Count some columns of what was put aside, or all that are left."""
        for _ in islice(self._counting, steps):
            pass

    def _put_aside(self) -> None:
        """Begin to count the rows that are held, and hold others."""
        self._go_on()
        n, self._n_held = self._n_held, 0
        held, self._held = self._held, ({}, {})
        if n:
            self._counting = self._count(*({name: room[:n] for name, room in rooms.items()} for rooms in held))

    def _count(self, columns: Columns, answer: _Arrays) -> Iterator[None]:
        """Count rows, a column at each step; with the last all counts are taken together."""
        if self.backend.summary is None:
            return
        signature = self.backend.signature
        tally = Tally(self.backend.summary, self._known, signature.classes)
        yield from tally.adding(apart(columns, signature), answer)
        counted = (tally.n, tally.columns, tally.predicted)
        self._new = _sum([self._new, counted])
        self._recent[-1] = _sum([self._recent[-1], counted])
        if self._recent[-1][0] >= RECENT:
            self._recent = [self._recent[-1], (0, {}, {})]


def _rooms(given: Mapping[str, np.ndarray], *, labels: bool = False) -> _Arrays:
    """Return empty columns in which rows are kept below one another: to fill a place costs less than to join rows."""
    return {
        name: np.empty(
            (TOGETHER, *values.shape[1:]),
            object if values.dtype == object or (labels and name == "prediction") else np.float64,
        )
        for name, values in given.items()
    }


def columns_known(signature: Signature) -> tuple[Input, ...]:
    """Return the columns that a summary may tell of: those of tables."""
    return signature.given if signature.modality == "table" else ()


def apart(columns: Columns, signature: Signature) -> Columns:
    """Return columns with each number of a block by itself, under its own name; what has no summary is left out."""
    found: Columns = {}
    for each in columns_known(signature):
        values = columns[each.name]
        if each.kind == "numbers":
            found |= {name: values[:, j] for j, name in enumerate(each.names)}
        else:
            found[each.name] = values
    return found


def _sum(parts: Iterable[tuple[int, _Counts, _Counts]]) -> tuple[int, _Counts, _Counts]:
    n, columns, predicted = 0, {}, {}
    for more, of_columns, of_predictions in parts:
        n, columns, predicted = n + more, added(columns, of_columns), added(predicted, of_predictions)
    return n, columns, predicted


def _told(n: int, columns: _Counts, predicted: _Counts) -> dict[str, Any]:
    return {"rows": n, "columns": to_json(columns), "predicted": to_json(predicted)}


def append(path: str | Path, records: Iterable[dict[str, Any]], name: str, version: str) -> None:
    """Append records to a log, one line of JSON each.

    Parameters
    ----------
    path : path-like
    records : iterable of dict
        Of `Watch.record`.
    name, version : str
        Of the model.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [json.dumps({"time": now, "model": name, "version": version, **each}) + "\n" for each in records]
    if lines:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("".join(lines))
