"""What can be left out of a sample, whatever its modality: the one view that all methods have of data and model."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ganglion.explanation.asking import Array

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


class Players(Protocol):
    """Samples that have the same features, what stands in place of those left out, and a model to ask.

    Attributes
    ----------
    names : tuple of str
        The d features.
    n_rows, n_background : int
        Samples, and the ways in which what is left out can be replaced: rows of a background, or one.
    modality : str
    replaced : str
        By what, in words.
    free : int
        Evaluations of all samples together that exact values may take before something is drawn instead.
    usual : int
        Evaluations of a sample, where nothing else is asked for.
    """

    names: tuple[str, ...]
    n_rows: int
    n_background: int
    modality: str
    replaced: str
    free: int
    usual: int

    def differs(self, rows: slice) -> Flags:
        """Return which features of rows differ from what would replace them, (rows, n_background, d)."""
        ...

    def mixed(self, rows: Places, background: Places, kept: Flags) -> Array:
        """Return what the model says of samples without the features that are not kept.

        Parameters
        ----------
        rows, background : ndarray of shape (n,)
            Which sample each is, and what replaces the features left out.
        kept : ndarray of shape (n, d), bool

        Returns
        -------
        ndarray of shape (n, k)
        """
        ...

    def given(self, row: int) -> tuple[Any, ...]:
        """Return the features of a sample as its user knows them."""
        ...

    def drawn(self, row: int) -> Any:
        """Return what is needed to draw a sample, or None."""
        ...


class TablePlayers(Players, Protocol):
    """Columns of rows, each of which can be replaced by the value of another background row: `background` is (n, d)."""

    def levels(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the value of each column as a code, (n_rows, d) and (n_background, d).

        A number's code is the quarter of the background that it lies in; where there are few values, which one it is.
        """
        ...


def answers(players: Players) -> tuple[Array, Array]:
    """Return what the model says of the samples as they are, (n_rows, k), and of the background, (n_background, k)."""
    n, m, d = players.n_rows, players.n_background, len(players.names)
    whole = players.mixed(np.arange(n), np.zeros(n, dtype=np.intp), np.ones((n, d), dtype=bool))
    empty = players.mixed(np.zeros(m, dtype=np.intp), np.arange(m), np.zeros((m, d), dtype=bool))
    return whole, empty
