"""Windows of one long tensor, drawn in passes: the order, and the place in it, whatever a window is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class Passes:
    """Batches of windows in a new order every pass, without Python per window: a class adds `_draw` and `_at`.

    Passes follow one another without end; an epoch is a number of batches.

    Parameters
    ----------
    n_windows : int
        In a pass.
    batch_size : int
        Windows in a batch; the last batch of a pass may be smaller.
    generator : torch.Generator
        Gives the windows and their order in every pass.
    epoch : int, optional
        Batches of an epoch; without it those of a pass.
    steps : int, optional
        Batches in all: the last epoch ends with them.
    """

    def __init__(
        self,
        n_windows: int,
        batch_size: int,
        generator: torch.Generator,
        *,
        epoch: int | None = None,
        steps: int | None = None,
    ) -> None:
        self.n_windows, self.batch_size, self.generator, self.steps = n_windows, batch_size, generator, steps
        self.batches_of_pass = -(-n_windows // batch_size)
        self.epoch = self.batches_of_pass if epoch is None else epoch
        self._starts = torch.empty(0, dtype=torch.int64)
        self._pass_start = generator.get_state()
        self._place = self.batches_of_pass  # in the pass: at its end, so that a new one is begun
        self._taken = self._done = 0  # batches of this epoch, and in all

    def __len__(self) -> int:
        return self.epoch

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        while self._taken < self.epoch and (self.steps is None or self._done < self.steps):
            if self._place == self.batches_of_pass:
                self._begin_pass()
                self._place = 0
            starts = self._starts[self._place * self.batch_size : (self._place + 1) * self.batch_size]
            self._place, self._taken, self._done = self._place + 1, self._taken + 1, self._done + 1
            yield self._at(starts)
        self._taken = 0

    def state_dict(self) -> dict[str, Tensor]:
        """Return the order of this pass, the place in it, and how many batches were taken in this epoch and in all."""
        within = self._place < self.batches_of_pass
        return {
            "generator": self._pass_start if within else self.generator.get_state(),
            "place": torch.tensor([self._place, self._taken, self._done]),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from where another source was."""
        self.generator.set_state(state["generator"])
        place, self._taken, self._done = state["place"].tolist()
        if place < self.batches_of_pass:
            self._begin_pass()
        self._place = place

    def _begin_pass(self) -> None:
        self._pass_start = self.generator.get_state()
        self._starts = self._draw()

    def _draw(self) -> Tensor:
        """Return where the windows of a new pass begin, (n_windows,) int64, in their order."""
        raise NotImplementedError

    def _at(self, starts: Tensor) -> dict[str, Tensor]:
        """Return the windows that begin at `starts`, (n,) int64, as a batch."""
        raise NotImplementedError
