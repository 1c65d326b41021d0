"""Series: numbers step by step, many series end to end, and windows of them by index.

All steps of all series lie in one tensor, (n_steps, n_columns); offsets cut it into series. A window is the number of
its first step: nothing is copied but the windows of a batch, by one gather.

Times stand on a grid (`data.grid`). Where it misses a step, the step is there all the same: it repeats the last value
that was known, `observed` says that it was not, and `gaps` where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ganglion.data.grid import Grid
from ganglion.errors import InvalidInput, InvalidParameter

MOST_TOLD = 3  # gaps, one by one


@dataclass(frozen=True, slots=True)
class Gap:
    """Steps that are missing: `n_steps` of the series `series`, after the time `after`."""

    series: str
    after: float
    n_steps: int


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Series on one grid, end to end.

    Attributes
    ----------
    values : Tensor of shape (n_steps, n_columns), float
        A missing value repeats the last known one of its series; NaN where there is none before it.
    observed : Tensor of shape (n_steps, n_columns), bool, or None
        Whether each value was given; None if all were.
    offsets : Tensor of shape (n_series + 1,), int64
        Series i has the steps from `offsets[i]` to `offsets[i + 1]`.
    times : ndarray of shape (n_steps,), float64
        Seconds since 1970-01-01 UTC, or the numbers of the steps.
    rows : ndarray of shape (n_steps,), int64
        Where each step stood in what was given, -1 for one that was missing.
    ids : tuple of str
        The name of each series; "" for the only one.
    names : tuple of str
        Of the columns.
    grid : Grid
    gaps : tuple of Gap
        What was missing, in order.
    """

    values: Tensor
    observed: Tensor | None
    offsets: Tensor
    times: np.ndarray
    rows: np.ndarray
    ids: tuple[str, ...]
    names: tuple[str, ...]
    grid: Grid
    gaps: tuple[Gap, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_steps(self) -> int:
        """How many steps all series have."""
        return len(self.values)

    @property
    def lengths(self) -> Tensor:
        """How many steps each series has, (n_series,) int64."""
        return self.offsets.diff()

    def seen(self) -> Tensor:
        """Return `observed`, as a tensor in any case, (n_steps, n_columns) bool."""
        return torch.ones_like(self.values, dtype=torch.bool) if self.observed is None else self.observed

    def between(self, first: Tensor, last: Tensor) -> Panel:
        """Return of each series the steps from `first` on, before `last`.

        Parameters
        ----------
        first, last : Tensor of shape (n_series,), int64
            Counted in each series from its beginning; what lies outside it is not there.
        """
        zero = torch.zeros_like(self.lengths)
        first = torch.minimum(torch.maximum(first, zero), self.lengths)
        last = torch.minimum(torch.maximum(last, first), self.lengths)
        lengths = last - first
        offsets = torch.cat([zero[:1], lengths.cumsum(0)])
        kept = torch.arange(int(offsets[-1])) + torch.repeat_interleave(
            self.offsets[:-1] + first - offsets[:-1], lengths
        )
        observed = None if self.observed is None else self.observed[kept]
        return replace(
            self,
            values=self.values[kept],
            observed=None if observed is None or observed.all() else observed,
            offsets=offsets,
            times=self.times[kept.numpy()],
            rows=self.rows[kept.numpy()],
        )

    def split(self, after: float | int) -> tuple[Panel, Panel]:
        """Return the steps of each series before and after a moment of its own.

        Parameters
        ----------
        after : float in (0, 1), or int
            The share of its steps, or their number, that come before.
        """
        if isinstance(after, float):
            if not 0 < after < 1:
                raise InvalidParameter(f"after={after}: give a share between 0 and 1, or a whole number of steps.")
            cut = (self.lengths * after).round().long()
        else:
            cut = torch.full_like(self.lengths, after)
        return self.between(torch.zeros_like(cut), cut), self.between(cut, self.lengths)

    def take(self, series: Sequence[int]) -> Panel:
        """Return some of the series, in this order."""
        parts = [slice(*self.offsets[i : i + 2].tolist()) for i in series]
        index = np.concatenate([np.arange(part.start, part.stop) for part in parts])
        kept = torch.from_numpy(index)
        ids = tuple(self.ids[i] for i in series)
        return replace(
            self,
            values=self.values[kept],
            observed=None if self.observed is None else self.observed[kept],
            offsets=torch.tensor([0, *(part.stop - part.start for part in parts)]).cumsum(0),
            times=self.times[index],
            rows=self.rows[index],
            ids=ids,
            gaps=tuple(gap for gap in self.gaps if gap.series in ids),
        )

    def series_of(self, steps: Tensor) -> Tensor:
        """Return to which series steps belong, (n,) int64."""
        return torch.searchsorted(self.offsets, steps, right=True) - 1

    def told(self) -> str:
        """Return what is missing, in words; empty where nothing is."""
        n = sum(gap.n_steps for gap in self.gaps)
        if not n:
            return ""
        shown = [f"{gap.n_steps:,} after {self.grid.text(gap.after)}{_of(gap.series)}" for gap in self.gaps[:MOST_TOLD]]
        more = f", … {len(self.gaps) - MOST_TOLD:,} more gaps" if len(self.gaps) > MOST_TOLD else ""
        were = "step is" if n == 1 else "steps are"
        return f"{n:,} of {self.n_steps:,} {were} missing ({self.grid}): {', '.join(shown)}{more}"


def named(series: str) -> str:
    """Return a series as messages speak of it."""
    return f"series {series!r}" if series else "the series"


def _of(series: str) -> str:
    return f" in {series!r}" if series else ""


def starts_of(offsets: Tensor, length: int, *, first: Tensor | None = None, stride: int = 1) -> Tensor:
    """Return where windows begin that lie within one series each, (n_windows,) int64.

    Parameters
    ----------
    offsets : Tensor of shape (n_series + 1,), int64
    length : int
        Steps of a window.
    first : Tensor of shape (n_series,), int64, optional
        The first begin that is wanted, counted within each series; may be beyond its end.
    stride : int
        Steps from one begin to the next.
    """
    counts = offsets.diff() - length + 1
    first = torch.zeros_like(counts) if first is None else first
    counts = torch.div(counts - first + stride - 1, stride, rounding_mode="floor").clamp(min=0)
    series = torch.repeat_interleave(counts)
    number = torch.arange(len(series)) - (counts.cumsum(0) - counts)[series]
    return (offsets[:-1] + first)[series] + number * stride


def by_columns(values: Tensor) -> Tensor:
    """Return values (n_steps, n_columns) laid out column after column: what windows are cut from fastest."""
    return values.t().contiguous().t()


def windows_at(values: Tensor, length: int) -> Tensor:
    """Return every window of a tensor (n_steps, n_columns) as a view, (n_steps - length + 1, n_columns, length).

    Window i begins at step i, whatever series it runs into: `starts_of` says which ones are wanted. Nothing is copied;
    `windows_at(…).index_select(0, starts)` copies a batch.
    """
    return values.unfold(0, length, 1)


def filled(values: Tensor, offsets: Tensor) -> Tensor:
    """Return values (n_steps, n_columns), NaN replaced by the last number before it in its series, if there is one."""
    there = ~values.isnan()
    if there.all():
        return values
    step = torch.arange(len(values))[:, None]
    last = torch.where(there, step, -1).cummax(0).values
    begin = torch.repeat_interleave(offsets[:-1], offsets.diff())[:, None]
    known = values.gather(0, last.clamp(min=0))
    return torch.where(last >= begin, known, torch.full_like(known, torch.nan))


def refuse_duplicates(times: np.ndarray, offsets: np.ndarray, ids: Sequence[str], grid: Grid, source: str) -> None:
    """Raise InvalidInput if a series has two steps at one time; its times, (n_steps,), never fall."""
    for i, (begin, end) in enumerate(pairwise(offsets.tolist())):
        twice = np.flatnonzero(np.diff(times[begin:end]) == 0)
        if len(twice):
            raise InvalidInput(
                f"{named(ids[i])} has {len(twice):,} steps at a time that stands there already, the first at "
                f"{grid.text(float(times[begin + twice[0]]))}{source}. Keep one row a time (or their mean); if several "
                "series stand in the table, name the column that tells them apart (series=…); if clocks were set back "
                "in autumn, give times in UTC."
            )
