"""What training data looked like, in shares alone: small enough for a model file, and never a row of anybody.

    numbers, dates   edges between bins of equal share, and the share of rows in each bin; truth values, that of true
    categories       the share of each that training had often enough to keep, and of all others together
    all              the share of missing values

No bin is cut for fewer than ten rows, edges are rounded, and neither the smallest nor the largest value is told, so
that no value of a single row stands in a summary. It is what later data are compared with, without torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.errors import InvalidModel

if TYPE_CHECKING:
    from ganglion.data.dataset import Kind

BINS = 20
ROWS_IN_BIN = 10
MOST_CATEGORIES = 50  # the commonest; the others count together
_DIGITS = 4  # of an edge, beside the spread of its column


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column in shares.

    Attributes
    ----------
    name : str
    kind : Kind
        "numeric", "boolean", "date" or "categorical".
    missing : float
        Share of rows without a value.
    edges : tuple of float
        Of numbers: bin i holds what is above edges[i - 1] and up to edges[i].
    labels : tuple of str
        Of categories: what each share is of; the last share is of all others.
    shares : tuple of float
        Of the rows with a value; they sum to 1. Of truth values: of false, and of true.
    """

    name: str
    kind: Kind
    missing: float
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()

    def counts(self, values: np.ndarray) -> np.ndarray:
        """Return how many of some values lie in each part, (n_shares,) int64.

        Parameters
        ----------
        values : ndarray of shape (n,)
            None of them missing; numbers, or of categories texts.
        """
        if self.kind == "categorical":
            place = {label: i for i, label in enumerate(self.labels)}
            found = [place.get(value, len(self.labels)) for value in values.tolist()]
            return np.bincount(found, minlength=len(self.shares)).astype(np.int64)
        return np.bincount(np.searchsorted(self.edges, values, side="left"), minlength=len(self.shares))


@dataclass(frozen=True, slots=True)
class Summary:
    """A training set in shares.

    Attributes
    ----------
    n_rows : int
        How many rows were looked at.
    columns : tuple of ColumnSummary
    prediction : tuple of ColumnSummary
        What the model said of some of the training rows, one a target; of classes, their mean probabilities.
    """

    n_rows: int
    columns: tuple[ColumnSummary, ...] = ()
    prediction: tuple[ColumnSummary, ...] = ()

    @property
    def middles(self) -> dict[str, float]:
        """The middle edge of each column of numbers that has edges: about its median."""
        return {each.name: each.edges[len(each.edges) // 2] for each in self.columns if each.edges}

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)


def of_labels(name: str, values: np.ndarray, known: Sequence[str]) -> ColumnSummary:
    """Return a column of labels, None where one is missing, in shares; those that are not `known` count together."""
    present = values[values != None]  # noqa: E711 - each of them
    found, n = np.unique(present.astype(str), return_counts=True)
    counts = dict(zip(found.tolist(), n.tolist(), strict=True))
    kept = sorted(known, key=lambda label: -counts.get(label, 0))[:MOST_CATEGORIES]
    kept = [label for label in kept if counts.get(label, 0) > 1]
    shares = [counts[label] / len(present) for label in kept]
    missing = 1 - len(present) / max(1, len(values))
    rest = max(0.0, 1 - sum(shares)) if len(present) else 0.0
    return ColumnSummary(name, "categorical", missing, (), tuple(kept), (*shares, rest))


def of_numbers(name: str, kind: Kind, values: np.ndarray) -> ColumnSummary:
    """Return a column of numbers, NaN where one is missing, in shares."""
    ordered = np.sort(values.astype(np.float64))  # NaN comes last
    ordered = ordered[: len(ordered) - int(np.isnan(ordered).sum())]
    missing = 1 - len(ordered) / max(1, len(values))
    if kind == "boolean":
        true = float(ordered.mean()) if len(ordered) else 0.0
        return ColumnSummary(name, kind, missing, (0.5,), (), (1 - true, true))
    edges = _edges(ordered)
    if not edges:
        return ColumnSummary(name, kind, missing)
    up_to = [0, *ordered.searchsorted(edges, side="right").tolist(), len(ordered)]
    shares = tuple((stop - start) / len(ordered) for start, stop in pairwise(up_to))
    return ColumnSummary(name, kind, missing, edges, (), shares)


def _edges(ordered: np.ndarray) -> tuple[float, ...]:
    """Return rounded edges between bins of about equal share; none where there are few rows, or one value."""
    n_bins = min(BINS, len(ordered) // ROWS_IN_BIN)
    if n_bins < 2:
        return ()
    places = np.arange(1, n_bins) * ((len(ordered) - 1) / n_bins)
    below = places.astype(np.intp)  # quantiles, between neighbours; np.quantile would order once more
    cuts = ordered[below] + (places - below) * (ordered[below + 1] - ordered[below])
    spread = float(cuts[-1] - cuts[0])
    if spread > 0:
        cuts = np.round(cuts, min(300, max(-300, _DIGITS - math.ceil(math.log10(spread)))))
    return tuple(sorted(set(cuts.tolist())))


def summary_from_json(stored: Any) -> Summary | None:
    """Make a summary again from `to_json`, believing nothing: a flaw raises InvalidModel; None where there is none."""
    if not stored:
        return None
    try:
        return Summary(
            _count(stored["n_rows"]),
            tuple(map(_column, stored["columns"])),
            tuple(map(_column, stored["prediction"])),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidModel(
            f"the summary of the training data is damaged ({error}). Train and save it again."
        ) from error


def _column(stored: Mapping[str, Any]) -> ColumnSummary:
    name, kind = stored["name"], stored["kind"]
    edges, shares = (tuple(float(value) for value in stored[part]) for part in ("edges", "shares"))
    labels, missing = tuple(stored["labels"]), float(stored["missing"])
    if not isinstance(name, str) or kind not in ("numeric", "boolean", "date", "categorical"):
        raise ValueError(f"column {name!r:.40}")
    if not all(isinstance(label, str) for label in labels) or not all(0 <= share <= 1 for share in (*shares, missing)):
        raise ValueError(f"the shares of {name!r:.40}")
    if shares and len(shares) != len(labels if kind == "categorical" else edges) + 1:
        raise ValueError(f"the parts of {name!r:.40}")
    if not all(map(math.isfinite, edges)) or list(edges) != sorted(edges):
        raise ValueError(f"the edges of {name!r:.40}")
    return ColumnSummary(name, kind, missing, edges, labels, shares)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"{value!r:.40} rows")
    return value
