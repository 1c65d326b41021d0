"""Series and what comes after them, put together: a test part needs the end of the training part to be asked from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ganglion.data.series import Panel, filled


def joined(before: Panel, after: Panel, *, timeless: bool = False) -> tuple[Panel, Tensor]:
    """Return the series of `after`, each with the steps of the same name that came before it in time.

    Parameters
    ----------
    before, after : Panel
        Of the same columns and grid.
    timeless : bool
        Whether there is no column of times: the later steps are then taken to follow the earlier ones, unless they
        are the same.

    Returns
    -------
    panel : Panel
        Steps that are missing between the two are filled like any others; `rows` is -1 for all but those of `after`.
    first : Tensor of shape (n_series,), int64
        The step of each series with which `after` begins.
    """
    earlier = {name: i for i, name in enumerate(before.ids)}
    parts = [_pair(before, earlier.get(name), after, i, timeless) for i, name in enumerate(after.ids)]
    lengths = torch.tensor([0, *(len(values) for values, *_ in parts)])
    offsets = lengths.cumsum(0)
    values, seen = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    panel = replace(
        after,
        values=filled(values.masked_fill(~seen, torch.nan), offsets),
        observed=None if seen.all() else seen,
        offsets=offsets,
        times=np.concatenate([part[2] for part in parts]),
        rows=np.concatenate([part[3] for part in parts]),
    )
    return panel, torch.tensor([part[4] for part in parts])


def _pair(
    before: Panel, one: int | None, after: Panel, other: int, timeless: bool
) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray, int]:
    """Return values, whether they were given, times and rows of one series, and where its later part begins."""
    later = _steps(after, other)
    if one is None:
        return *later, 0
    earlier = _steps(before, one)
    if timeless and not torch.equal(earlier[0].nan_to_num()[: len(later[0])], later[0].nan_to_num()):
        later = later[0], later[1], later[2] + len(earlier[2]), later[3]
    kept = earlier[2] < later[2][0]
    n = int(kept.sum())
    if not n:
        return *later, 0
    times = np.concatenate([earlier[2][:n], later[2]])
    places = after.grid.places(times)
    if (np.diff(places) <= 0).any():  # another phase, or what stands between cannot be told
        return *later, 0
    length, first = int(places[-1]) + 1, int(places[n])
    values = later[0].new_full((length, later[0].shape[1]), torch.nan)
    seen = torch.zeros(values.shape, dtype=torch.bool)
    every, rows = np.full(length, np.nan), np.full(length, -1)
    where = torch.from_numpy(places)
    values[where] = torch.cat([earlier[0][:n].to(values.dtype), later[0]])
    seen[where] = torch.cat([earlier[1][:n], later[1]])
    every[places] = times
    rows[places[n:]] = later[3]
    hole = int(places[n - 1])
    every[hole + 1 : first] = after.grid.after(float(every[hole]), first - hole - 1)
    return values, seen, every, rows, first


def _steps(panel: Panel, i: int) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
    begin, end = panel.offsets[i : i + 2].tolist()
    return panel.values[begin:end], panel.seen()[begin:end], panel.times[begin:end], panel.rows[begin:end]
