"""Writing as every model of music does it: how a piece begins, temperature, and chords that come one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ganglion.data.chords import KEYS, chords_of, roll_of
from ganglion.data.music_encoding import BEGINNING
from ganglion.errors import InvalidParameter


class Composer:
    """What writes music: an estimator adds the network."""

    def sample(
        self: Any,
        n: int | None = None,
        *,
        length: int = 64,
        temperature: float = 1.0,
        start: Any = None,
        random_state: int | None = None,
    ) -> np.ndarray:
        """Write new music.

        Parameters
        ----------
        n : int, optional
            Write so many pieces; without it one.
        length : int
            Chords to write.
        temperature : float
            Below 1 the model writes likelier chords, above 1 wilder ones; at 0 a key sounds if that is likelier.
        start : piece, optional
            How it begins: a list of chords, or a piano roll. The model goes on from there.
        random_state : int, optional
            The same number gives the same music.

        Returns
        -------
        ndarray of shape (n_steps, 88), or (n, n_steps, 88), uint8
            Piano rolls, the start included. `write_music` makes a file of one, `chords_of` chords.
        """
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise InvalidParameter(f"n={n!r}: give how many pieces to write, 1 or more.")
        begun = self._begun(length, temperature, start)
        rows = [torch.from_numpy(begun).repeat(n or 1, 1, 1)]
        rows += [chord[:, None] for chord in self._written(n or 1, length, temperature, begun, random_state)]
        rolls = torch.cat(rows, 1).numpy()
        return rolls[0] if n is None else rolls

    def stream(
        self: Any, *, length: int = 64, temperature: float = 1.0, start: Any = None, random_state: int | None = None
    ) -> Iterator[tuple[int, ...]]:
        """Write one piece, and give it chord by chord as it comes: MIDI pitches, the lowest first.

        Parameters
        ----------
        length, temperature, start, random_state
            See `sample`, which gives the same piece.

        Yields
        ------
        tuple of int
            First the chords of `start`, then those that come after them.
        """
        begun = self._begun(length, temperature, start)
        written = self._written(1, length, temperature, begun, random_state)
        return chain(chords_of(begun), (chords_of(chord.numpy())[0] for chord in written))

    def _begun(self: Any, length: Any, temperature: Any, start: Any) -> np.ndarray:
        """Return the roll that is gone on from, (steps, 88), when all that was asked for makes sense."""
        self._check_fitted()
        if isinstance(length, bool) or not isinstance(length, int) or length < 0:
            raise InvalidParameter(f"length={length!r}: give how many chords to write, 0 or more.")
        if not isinstance(temperature, int | float) or not 0 <= temperature < math.inf:
            raise InvalidParameter(
                f"temperature={temperature!r}: give a number of 0 or more. At 0 a key sounds if that is likelier, at 1 "
                "as the model believes, and above 1 music becomes wilder."
            )
        return np.empty((0, KEYS), dtype=np.uint8) if start is None else roll_of(start, "start")

    @torch.inference_mode()
    def _written(
        self: Any, n: int, length: int, temperature: float, begun: np.ndarray, random_state: int | None
    ) -> Iterator[Tensor]:
        """Give the chords of `n` pieces, (n, 88) uint8 each."""
        network, known = self._network, self._network.reader.begin()
        seed = int(np.random.default_rng(random_state).integers(2**31))
        generator, dtype = torch.Generator().manual_seed(seed), network.dtype
        rows = torch.zeros((n, 1 + len(begun), KEYS + 1), dtype=dtype)
        rows[:, 0, BEGINNING] = 1
        rows[:, 1:, :KEYS] = torch.from_numpy(begun).to(dtype)
        for _ in range(length):
            chord = network.go_on(rows, known, generator, float(temperature))
            yield chord.to(torch.uint8)
            rows = F.pad(chord, (0, 1))[:, None]
