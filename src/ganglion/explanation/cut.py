"""One sample cut into parts: the pixels, tokens, samples or steps of a part are left out together.

What is left out has the values of a filling in its place: a blurred picture, an unknown word, silence, a mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.explanation.asking import Array
from ganglion.explanation.players import Flags, Places

MIXED_BYTES = 2**24  # of samples that are mixed and asked together


class Cut:
    """A sample whose values, a tensor, are cut into parts, see `Players`.

    Parameters
    ----------
    ask : (Tensor of shape (n, …)) -> ndarray of shape (n, k)
        What the model says of samples of the shape of this one.
    values : Tensor of shape (…)
        The sample.
    fillings : Tensor of shape (n_background, …)
        What takes the place of what is left out.
    part : Tensor of shape (…), or of ones where it spreads, int64
        Which part each value belongs to, 0 to d - 1; -1 stays as it is.
    names : sequence of str
        The parts.
    modality, replaced : str
        See `Players`.
    given : sequence, optional
        What each part is, in words; without it their names say all.
    drawn : optional
        What is needed to draw the sample.
    """

    n_rows = 1
    free, usual = 2**12, 1000

    def __init__(
        self,
        ask: Callable[[Tensor], Array],
        values: Tensor,
        fillings: Tensor,
        part: Tensor,
        names: Sequence[str],
        *,
        modality: str,
        replaced: str,
        given: Sequence[Any] | None = None,
        drawn: Any = None,
    ) -> None:
        self._ask, self._values, self.fillings, self.part = ask, values, fillings, part
        self._part, self._fixed = part.clamp(min=0), part < 0
        self.names, self.modality, self.replaced = tuple(names), modality, replaced
        self.n_background = len(fillings)
        self._given = tuple(given) if given is not None else (None,) * len(self.names)
        self._drawn = drawn

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """The sample as it is, and with all of its parts left out, in the first way there is."""
        return self._values, torch.where(self._fixed, self._values, self.fillings[0])

    def differs(self, rows: slice) -> Flags:
        """Return which parts differ from their filling, (1, n_background, d)."""
        found = np.zeros((1, self.n_background, len(self.names)), dtype=bool)
        part = self._part.expand(self._values.shape)
        for i, filling in enumerate(self.fillings):
            apart = (filling != self._values) & ~self._fixed
            found[0, i, part[apart].unique().numpy()] = True
        return found[: len(range(*rows.indices(1)))]

    def mixed(self, rows: Places, background: Places, kept: Flags) -> Array:
        """Return what the model says of the sample with the parts that are not kept filled."""
        step = max(1, MIXED_BYTES // max(1, self._values.numel() * 4))
        parts = [
            self._ask(self._mixed(*(torch.from_numpy(each[i : i + step]) for each in (background, kept))))
            for i in range(0, len(kept), step)
        ]
        return np.concatenate(parts)

    def _mixed(self, background: Tensor, kept: Tensor) -> Tensor:
        shown = kept[:, self._part] | self._fixed
        return torch.where(shown, self._values, self.fillings[background])

    def given(self, row: int) -> tuple[Any, ...]:
        """Return what each part is, in words, where it has any."""
        return self._given

    def drawn(self, row: int) -> Any:
        """Return what is needed to draw the sample."""
        return self._drawn
