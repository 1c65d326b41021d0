"""From what a method found to an `Explanation`: names, values, base, prediction and span of one sample."""

from __future__ import annotations

import numpy as np

from ganglion.explanation.asking import Array, Asked
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.players import Players


def explanation_of(
    players: Players,
    asked: Asked,
    row: int,
    *,
    method: str,
    how: str,
    effects: Array,
    errors: Array | None = None,
    stability: float | None = None,
    adds_up: bool = True,
    bases: Array | None = None,
) -> Explanation:
    """Return the explanation of one sample, by effects of shape (d, k).

    Without `bases`, (k,), the base is the mean answer to the background.
    """
    outputs, shown = asked.shown(row)
    one = np.array([row])
    return Explanation(
        method=method,
        how=how,
        features=players.names,
        given=players.given(row),
        outputs=outputs,
        shown=shown,
        effects=effects,
        bases=asked.taken(asked.empty.mean(axis=0, keepdims=True), one)[0] if bases is None else bases,
        predictions=asked.taken(asked.whole[row : row + 1], one)[0],
        spans=asked.spans(row),
        errors=errors,
        adds_up=adds_up,
        stability=stability,
        modality=players.modality,
        drawn=players.drawn(row),
    )
