"""Batches of windows of series: what the training loop is fed with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganglion.data.passes import Passes
from ganglion.data.series import windows_at


class SeriesWindows(Passes):
    """Windows of series, each once a pass, by one gather a batch and column.

    Parameters
    ----------
    columns : mapping of str to Tensor of shape (n_steps, c)
        What windows are cut from, all series end to end; see `data.series.by_columns` for the layout.
    starts : Tensor of shape (n_windows,), int64
        Where windows begin.
    length : int
        Their steps.
    batch_size, generator, epoch, steps
        See `Passes`.
    device : str
        Where batches go.

    Notes
    -----
    A batch has each column as (b, c, length). Batches of one size lie in the same memory: each is valid until the next.
    """

    def __init__(
        self,
        columns: Mapping[str, Tensor],
        starts: Tensor,
        length: int,
        batch_size: int,
        generator: torch.Generator,
        *,
        epoch: int | None = None,
        steps: int | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__(len(starts), batch_size, generator, epoch=epoch, steps=steps)
        self.starts, self.device = starts.to(device), device
        self._windows = {name: windows_at(column.to(device), length) for name, column in columns.items()}
        self._room: dict[str, Tensor] = {}

    def example(self) -> dict[str, Tensor]:
        """Return a batch of evenly spaced windows; no order is drawn for it."""
        places = torch.linspace(0, self.n_windows - 1, min(self.batch_size, self.n_windows)).long()
        return gathered(self._windows, self.starts[places.to(self.device)])

    def _draw(self) -> Tensor:
        return self.starts[torch.randperm(self.n_windows, generator=self.generator).to(self.device)]

    def _at(self, starts: Tensor) -> dict[str, Tensor]:
        if len(starts) < self.batch_size:
            return gathered(self._windows, starts)
        if not self._room:
            shapes = {name: (self.batch_size, *windows.shape[1:]) for name, windows in self._windows.items()}
            self._room = {name: self._windows[name].new_empty(shape) for name, shape in shapes.items()}
        for name, windows in self._windows.items():
            torch.index_select(windows, 0, starts, out=self._room[name])
        return dict(self._room)


def gathered(windows: Mapping[str, Tensor], starts: Tensor) -> dict[str, Tensor]:
    """Return the windows that begin at `starts`, (b,) int64, as a batch: (b, c, length) each."""
    return {name: each.index_select(0, starts) for name, each in windows.items()}
