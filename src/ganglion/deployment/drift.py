"""Drift: whether rows that come look like those of training, from counts alone.

    PSI      sum_i (p_i - q_i) ln(p_i / q_i), over parts of equal share in training; q of training, p of now
    KS       the largest distance between the two distributions at the edges of the parts
    missing  share of rows without a value, now less in training
    unseen   share of rows with a category that training had not often enough to keep

An alarm needs both: a difference that matters, and one that chance does not make. Of n and m rows from one
distribution PSI / (1/n + 1/m) is about chi-squared with as many degrees of freedom as there are parts less one; all
columns together raise a false alarm in about one of a hundred looks.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.data.summary import ColumnSummary, Summary

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ganglion.drawing.svg import Chart

PSI, LOOK = 0.2, 0.1  # usual in credit scoring: above the first rows have changed, above the second they deserve a look
KS, SHARE = 0.2, 0.05
LEAST = 100  # rows to judge by
FALSE_ALARMS = 0.01  # of all columns together


@dataclass(frozen=True, slots=True)
class Counts:
    """What came in one column.

    Attributes
    ----------
    n : int
        Rows.
    missing, unseen : int
        Rows without a value, and with a category that training did not keep.
    parts : tuple of float
        Rows in each part of the column's summary; of predicted classes, the sum of their probabilities.
    """

    n: int
    missing: int = 0
    unseen: int = 0
    parts: tuple[float, ...] = ()

    def __add__(self, other: Counts) -> Counts:
        parts = self.parts or (0.0,) * len(other.parts)
        both = tuple(a + b for a, b in zip(parts, other.parts or (0.0,) * len(parts), strict=True))
        return Counts(self.n + other.n, self.missing + other.missing, self.unseen + other.unseen, both)


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How one column differs from training.

    Attributes
    ----------
    name : str
    kind : str
    n : int
        Rows that came.
    psi : float
    ks : float or None
        None of categories, which have no order.
    missing, missing_before : float
        Share of rows without a value, now and in training.
    unseen : float
        Share of rows with a category that training did not keep.
    p : float
        How often chance alone would differ as much in parts or missing values.
    verdict : str
        "drift", "look", "steady", or "too few".
    why : str
        What is behind the verdict, in words.
    """

    name: str
    kind: str
    n: int
    psi: float
    ks: float | None
    missing: float
    missing_before: float
    unseen: float
    p: float
    verdict: str
    why: str


@dataclass(frozen=True, repr=False)
class Drift:
    """What has changed since training, column by column, of one model.

    Attributes
    ----------
    model : str
    n_rows : int
        That came.
    columns : tuple of ColumnDrift
        The inputs.
    predictions : tuple of ColumnDrift
        What was answered.
    since, until : str
        The time that the counts are of, ISO 8601, or empty.
    """

    model: str
    n_rows: int
    columns: tuple[ColumnDrift, ...]
    predictions: tuple[ColumnDrift, ...]
    since: str = ""
    until: str = ""

    @property
    def outcome(self) -> str:
        """The worst verdict of any column or prediction: "drift", "look", "steady", or "too few"."""
        found = {each.verdict for each in (*self.columns, *self.predictions)}
        return next((each for each in ("drift", "look", "steady") if each in found), "too few")

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        changed = [each for each in (*self.columns, *self.predictions) if each.verdict == self.outcome]
        named = "; ".join(f"{each.name} ({each.why})" for each in changed[:4])
        more = f"; and {len(changed) - 4} more" if len(changed) > 4 else ""
        if self.outcome == "drift":
            return f"The rows are not like those of training: {named}{more}. Look at what has changed, or train again."
        if self.outcome == "look":
            return f"Some columns deserve a look: {named}{more}."
        if self.outcome == "steady":
            return f"The {self.n_rows:,} rows look like those of training."
        return f"{self.n_rows:,} rows are too few to judge by; {LEAST} are needed."

    def __repr__(self) -> str:
        return f"Drift({self.model}: {self.outcome}, {self.n_rows:,} rows)"

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=100, color_system=None, legacy_windows=False)
        console.print(self)
        return "\n".join(row.rstrip() for row in console.file.getvalue().splitlines())  # type: ignore[attr-defined]

    def __rich__(self) -> RenderableType:
        from ganglion.deployment.drift_shown import terminal

        return terminal(self)

    def _repr_html_(self) -> str:
        from ganglion.deployment.drift_shown import fragment

        return fragment(self)

    def plot(self) -> Chart:
        """Return a picture: the PSI of each column beside the line of alarm."""
        from ganglion.deployment.drift_shown import chart

        return chart(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {**asdict(self), "outcome": self.outcome, "verdict": self.verdict}


def drift_of(
    summary: Summary, counts: Mapping[str, Counts], predicted: Mapping[str, Counts], *, model: str = "the model"
) -> Drift:
    """Compare counts of what came with the training data's summary.

    Parameters
    ----------
    summary : Summary
    counts, predicted : mapping of str to Counts
        By the names of `summary.columns` and `summary.prediction`; those that are not there are not compared.
    model : str
        Its name.
    """
    pairs = [(each, counts[each.name]) for each in summary.columns if each.name in counts]
    said = [(each, predicted[each.name]) for each in summary.prediction if each.name in predicted]
    level = FALSE_ALARMS / max(1, 2 * len(pairs) + len(said))
    n_rows = max((each.n for _, each in (*pairs, *said)), default=0)
    asked = min(summary.n_rows, 500)  # training rows behind the summary of predictions
    return Drift(
        model,
        n_rows,
        tuple(_compared(before, now, summary.n_rows, level) for before, now in pairs),
        tuple(_compared(before, now, asked, level) for before, now in said),
    )


def _compared(before: ColumnSummary, now: Counts, m: int, level: float) -> ColumnDrift:
    present = now.n - now.missing
    index = psi(before.shares, now.parts)
    distance = None if before.kind == "categorical" else ks(before.shares, now.parts)
    p_parts = _chance(index, len(before.shares), present, m * (1 - before.missing))
    missing, unseen = now.missing / max(1, now.n), now.unseen / max(1, now.n)
    known_unseen = before.shares[-1] * (1 - before.missing) if before.kind == "categorical" and before.shares else 0.0
    p_missing = _chance_of_shares(before.missing, missing, m, now.n)
    p_unseen = _chance_of_shares(min(1.0, known_unseen), unseen, m, now.n) if unseen > known_unseen else 1.0
    reasons = [
        (index > PSI and p_parts < level, f"PSI {index:.2f}"),
        (distance is not None and distance > KS and p_parts < level, f"KS {distance or 0:.2f}"),
        (
            abs(missing - before.missing) > SHARE and p_missing < level,
            f"{missing:.0%} missing, {before.missing:.0%} before",
        ),
        (unseen - known_unseen > SHARE and p_unseen < level, f"{unseen:.0%} never seen in training"),
    ]
    why = ", ".join(words for holds, words in reasons if holds)
    verdict = "drift" if why else "steady"
    if now.n < LEAST:
        verdict, why = "too few", f"{now.n:,} rows"
    elif not why and index > LOOK and p_parts < level:
        verdict, why = "look", f"PSI {index:.2f}"
    p = min(p_parts, p_missing, p_unseen)
    return ColumnDrift(
        before.name, before.kind, now.n, index, distance, missing, before.missing, unseen, p, verdict, why
    )


def psi(before: Sequence[float], now: Sequence[float]) -> float:
    """Return the population stability index of counts beside shares; parts without rows count as half a row.

    Parameters
    ----------
    before : sequence of float
        Shares in training, that sum to 1.
    now : sequence of float
        Counts of what came.
    """
    total = float(sum(now))
    if len(before) < 2 or not total:
        return 0.0
    p = (np.array(now, dtype=np.float64) + 0.5) / (total + 0.5 * len(now))
    q = (np.array(before, dtype=np.float64) * total + 0.5) / (total + 0.5 * len(now))
    return float(((p - q) * np.log(p / q)).sum())


def ks(before: Sequence[float], now: Sequence[float]) -> float:
    """Return the largest distance between two distributions at the edges of their parts.

    Parameters
    ----------
    before : sequence of float
        Shares in training, that sum to 1.
    now : sequence of float
        Counts of what came.
    """
    total = float(sum(now))
    if len(before) < 2 or not total:
        return 0.0
    return float(np.abs(np.cumsum(now) / total - np.cumsum(before)).max())


def _chance(index: float, k: int, n: float, m: float) -> float:
    """Return how often chance alone would make a PSI as large, of k parts and n and m rows."""
    if k < 2 or n < 1 or m < 1:
        return 1.0
    from scipy.stats import chi2

    return float(chi2.sf(index / (1 / n + 1 / m), k - 1))


def _chance_of_shares(before: float, now: float, m: int, n: int) -> float:
    """Return how often chance alone would make two shares, of m and n rows, differ as much."""
    if not m or not n:
        return 1.0
    both = (before * m + now * n + 1) / (m + n + 2)
    z = abs(now - before) / math.sqrt(both * (1 - both) * (1 / m + 1 / n))
    return math.erfc(z / math.sqrt(2))
