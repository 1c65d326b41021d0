"""Occlusion: what the model says with a feature, less what it says without it (Zeiler & Fergus 2014, sec. 4.2).

    e_i = f(x) - mean over background rows b of f(x with b's feature i)

One feature at a time: cheap, d evaluations a background row, and blind to what two features say together. The values
need not add up to the prediction; the gap says by how much they do not.
"""

from __future__ import annotations

import numpy as np

from ganglion.explanation.asking import Asked
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.making import explanation_of
from ganglion.explanation.players import Players
from ganglion.explanation.settings import Settings


def occlusion(players: Players, asked: Asked, settings: Settings) -> list[Explanation]:
    """Return how much each sample's answer changes when each feature alone is left out."""
    B, d = players.n_background, len(players.names)
    found = []
    for row in range(players.n_rows):
        place = np.repeat(np.arange(d), B)
        answers = players.mixed(np.full(B * d, row), np.tile(np.arange(B), d), np.arange(d) != place[:, None])
        without = asked.taken(answers, np.full(B * d, row)).reshape(d, B, -1)
        whole = asked.taken(asked.whole[row : row + 1], np.array([row]))
        drawn = settings.share < 1 and B > 1
        found.append(
            explanation_of(
                players,
                asked,
                row,
                method="occlusion",
                how=f"each feature alone left out: {settings.replaced or players.replaced}",
                effects=whole - without.mean(axis=1),
                errors=without.std(axis=1, ddof=1) * np.sqrt((1 - settings.share) / B) if drawn else None,
                adds_up=False,
            )
        )
    return found
