"""How far two sequences are apart: the fewest changes, omissions and additions that make one of the other.

    d_ij = min(d_{i-1,j-1} + [a_i ≠ b_j], d_{i-1,j} + 1, d_{i,j-1} + 1)

Levenshtein 1966, "Binary codes capable of correcting deletions, insertions and reversals"; Wagner & Fischer 1974. A
row of the table is found at once: what additions bring along it is a running minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def n_edits(true: Sequence[Any], said: Sequence[Any]) -> int:
    """Return how many changes, omissions and additions there are at least between two sequences of tokens."""
    return int(_table(true, said)[-1, -1])


def aligned(true: Sequence[Any], said: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return the tokens of two sequences side by side; what one of them lacks is None.

    Parameters
    ----------
    true, said : sequence
        Of tokens that can be compared.

    Returns
    -------
    list of (true, said)
        With as many unequal pairs as there are edits; of several such alignments one with the most pairs.
    """
    table, i, j, pairs = _table(true, said), len(true), len(said), []
    while i or j:
        if i and j and table[i, j] == table[i - 1, j - 1] + (true[i - 1] != said[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((true[i], said[j]))
        elif i and table[i, j] == table[i - 1, j] + 1:
            i -= 1
            pairs.append((true[i], None))
        else:
            j -= 1
            pairs.append((None, said[j]))
    return pairs[::-1]


def _table(true: Sequence[Any], said: Sequence[Any]) -> np.ndarray:
    """Return the distance of every beginning of `true` from every beginning of `said`."""
    code_of: dict[Any, int] = {}
    one, other = (
        np.array([code_of.setdefault(each, len(code_of)) for each in side], dtype=np.int64) for side in (true, said)
    )
    places = np.arange(len(other) + 1)
    table = np.empty((len(one) + 1, len(other) + 1), dtype=np.int64)
    table[0] = places
    for i, token in enumerate(one):
        row = np.minimum(table[i, 1:] + 1, table[i, :-1] + (other != token))
        row = np.concatenate([[i + 1], row])
        table[i + 1] = np.minimum.accumulate(row - places) + places
    return table
