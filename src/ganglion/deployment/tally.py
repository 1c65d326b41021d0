"""Counts of what a model is asked and answers, kept against the summary of its training data. No row is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ganglion.data.summary import ColumnSummary, Summary
from ganglion.deployment.drift import Counts


class Tally:
    """Adds up counts.

    Parameters
    ----------
    summary : Summary
        Of the training data.
    known : mapping of str to a collection of str
        The categories that training kept, of each column of categories.
    classes : sequence
        The classes, in the order of the probabilities; empty where numbers are predicted.
    """

    def __init__(self, summary: Summary, known: Mapping[str, Collection[str]], classes: Sequence[Any] = ()) -> None:
        self.summary = summary
        self._known = {name: frozenset(labels) for name, labels in known.items()}
        self._classes = [str(each) for each in classes]
        self.n = 0
        self.columns: dict[str, Counts] = {}
        self.predicted: dict[str, Counts] = {}

    def add(self, columns: Mapping[str, np.ndarray], answer: Mapping[str, np.ndarray]) -> None:
        """Count rows and what was answered.

        Parameters
        ----------
        columns : mapping of str to ndarray
            By the names of the summary's columns, (n,): numbers with NaN, labels with None.
        answer : mapping of str to ndarray
            "prediction", and of classifiers "probabilities".
        """
        for _ in self.adding(columns, answer):
            pass

    def adding(self, columns: Mapping[str, np.ndarray], answer: Mapping[str, np.ndarray]) -> Iterator[None]:
        """Count as `add` does, a column at each step."""
        self.n += len(answer["prediction"])
        for each in self.summary.columns:
            if each.name in columns:
                counted = self._counts(each, columns[each.name])
                self.columns[each.name] = self.columns.get(each.name, Counts(0)) + counted
                yield
        for name, counted in self._predictions(answer).items():
            self.predicted[name] = self.predicted.get(name, Counts(0)) + counted

    def _counts(self, each: ColumnSummary, values: np.ndarray) -> Counts:
        if each.kind == "categorical":
            present = values[values != None]  # noqa: E711 - each of them
            known = self._known.get(each.name, frozenset())
            unseen = sum(value not in known for value in present.tolist())
        else:
            present, unseen = values[~np.isnan(values)], 0
        parts = tuple(each.counts(present).tolist()) if each.shares else ()
        return Counts(len(values), len(values) - len(present), unseen, parts)

    def _predictions(self, answer: Mapping[str, np.ndarray]) -> dict[str, Counts]:
        if not self.summary.prediction:
            return {}
        predicted = answer["prediction"]
        if not self._classes:
            numbers = predicted.reshape(len(predicted), -1).T
            pairs = zip(self.summary.prediction, numbers, strict=False)
            return {each.name: Counts(len(column), 0, 0, _parts(each, column)) for each, column in pairs}
        shares = answer.get("probabilities")
        if shares is None:
            shares = np.stack([predicted.astype(str) == each for each in self._classes], axis=1)
        sums = shares.sum(axis=0, dtype=np.float64).tolist()
        (first, *more), n = self.summary.prediction, len(predicted)
        if first.kind == "categorical":
            return {first.name: Counts(n, 0, 0, (*sums, 0.0))}
        return {
            each.name: Counts(n, 0, 0, (n - total, total)) for each, total in zip((first, *more), sums, strict=False)
        }


def _parts(each: ColumnSummary, values: np.ndarray) -> tuple[float, ...]:
    return tuple(each.counts(values).tolist()) if each.shares else ()


def to_json(counts: Mapping[str, Counts]) -> dict[str, list[Any]]:
    """Return counts as short lists: rows, missing, unseen, and those of each part."""
    return {
        name: [each.n, each.missing, each.unseen, [round(part, 3) for part in each.parts]]
        for name, each in counts.items()
    }


def from_json(stored: Any) -> dict[str, Counts]:
    """Make counts again; a flaw raises a ValueError, KeyError, TypeError or AttributeError."""
    found = {}
    for name, (n, missing, unseen, parts) in stored.items():
        whole = all(type(value) is int and value >= 0 for value in (n, missing, unseen))
        if not whole or missing + unseen > n or not all(0 <= float(part) < 2**63 for part in parts):
            raise ValueError(f"the counts of {name!r:.40}")
        found[str(name)] = Counts(n, missing, unseen, tuple(map(float, parts)))
    return found


def added(one: Mapping[str, Counts], other: Mapping[str, Counts]) -> dict[str, Counts]:
    """Return the sums of counts, column by column; where parts are not as many, the later ones."""
    both = dict(one)
    for name, counts in other.items():
        known = both.get(name)
        fits = known is not None and len(known.parts) == len(counts.parts)
        both[name] = known + counts if known is not None and fits else counts
    return both
