"""The windows that end where targets end, with what is known of the steps after: what a forecast is asked of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganglion.data.series import Panel, named
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.errors import InvalidInput


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """One window a series, and the times of the steps to come.

    Attributes
    ----------
    window : Tensor of shape (n_series, n_columns, window + horizon)
        NaN where nothing is known ahead.
    ends : Tensor of shape (n_series,), int64
        The step of the panel behind each series' last target.
    times : ndarray of shape (n_series, horizon), float64
    """

    window: Tensor
    ends: Tensor
    times: np.ndarray


def horizon_of(panel: Panel, encoder: SeriesEncoder, horizon: int) -> Horizon:
    """Return the windows that end with the last target of each series.

    Parameters
    ----------
    panel : Panel
        What is known: the rows behind a series' last target tell what is known ahead.
    encoder : SeriesEncoder
        It read the panel.
    horizon : int
        Steps ahead.

    Raises
    ------
    InvalidInput
        If a series has no target, or fewer steps than are read, or what is to be known ahead ends before the horizon.
    """
    ends = last_targets(panel, encoder.n_targets)
    short = torch.nonzero(ends - panel.offsets[:-1] < encoder.window).flatten().tolist()
    if short:
        n = int(ends[short[0]] - panel.offsets[short[0]])
        raise InvalidInput(
            f"{named(panel.ids[short[0]])} has {n:,} steps up to its last target, but the model reads "
            f"{encoder.window}{f'; {len(short):,} of {len(panel):,} series are so' if len(short) > 1 else ''}. Give a "
            "longer history."
        )
    steps = ends[:, None] + torch.arange(-encoder.window, horizon)
    there = steps < panel.offsets[1:, None]
    values = panel.values[steps.clamp(max=panel.n_steps - 1)]
    ahead = slice(encoder.window, None)
    times = np.stack([panel.grid.after(float(panel.times[end - 1]), horizon) for end in ends.tolist()])
    n_told = encoder.count("target", "past")
    first_static = n_told + encoder.count("known")
    first_told = first_static + encoder.count("static")
    _refuse_unknown(panel, encoder, steps[:, ahead], there[:, ahead], slice(n_told, first_static), times)
    values[:, ahead, :n_told] = torch.nan
    values[:, ahead, first_static:first_told] = panel.values[ends - 1, first_static:first_told][:, None]
    if encoder.calendar:
        told = encoder.calendar_at(times.ravel()).view(len(panel), horizon, -1)
        values[:, ahead, first_told:] = told.to(values.dtype)
    return Horizon(values.transpose(1, 2).contiguous(), ends, times)


def last_targets(panel: Panel, n_targets: int) -> Tensor:
    """Return the step behind the last one of each series that has a target, (n_series,) int64."""
    if panel.observed is None:
        return panel.offsets[1:]
    given = panel.observed[:, :n_targets].any(1)
    step = torch.where(given, torch.arange(panel.n_steps), -1).cummax(0).values
    last = step[panel.offsets[1:] - 1]
    missing = torch.nonzero(last < panel.offsets[:-1]).flatten().tolist()
    if missing:
        raise InvalidInput(
            f"{named(panel.ids[missing[0]])} has no target at all: all values of "
            f"{', '.join(panel.names[:n_targets][:5])} are missing. Give a history."
        )
    return last + 1


def _refuse_unknown(
    panel: Panel, encoder: SeriesEncoder, steps: Tensor, there: Tensor, columns: slice, times: np.ndarray
) -> None:
    """Raise InvalidInput if a column that is to be known ahead is not, at some step of the horizon."""
    if columns.start == columns.stop:
        return
    given = panel.seen()[steps.clamp(max=panel.n_steps - 1)][:, :, columns] & there[:, :, None]
    if given.all():
        return
    series, step, column = torch.nonzero(~given)[0].tolist()
    name = encoder.names[columns.start + column].split("=")[0]
    n_known = int(given[series, :, column].int().cumprod(0).sum())
    raise InvalidInput(
        f"the covariate {name!r} is told for {n_known} steps ahead of {named(panel.ids[series])}, and the horizon "
        f"has {len(steps[0])}: its value at {panel.grid.text(float(times[series, step]))} is missing. Append rows to X "
        "with the times to come and its values, and leave targets empty there (NaN), or train without it in `known`."
    )
