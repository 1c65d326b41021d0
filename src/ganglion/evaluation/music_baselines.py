"""The dumb baselines of music: what a network must beat to be worth its cost.

    note frequencies     each key sounds as often as in the training pieces, whatever came before
    each key by itself   a key goes on, or begins, as often as it did behind the step before: mostly, chords repeat

    p = (c + 1/2) / (n + 1)                      Krichevsky & Trofimov 1981, IEEE Trans. IT 27: no chance is ever 0

with c how often a key sounded in the n steps that are counted. The first step of a piece has the frequencies of all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import Baseline
from ganglion.evaluation.music import Heard, Pieces
from ganglion.evaluation.predictions import Array

Chances = Callable[[Array], Array]  # of each key in each step of a piece, (steps, 88)


def run_piece_baselines(
    truth: Pieces,
    X: Any,
    *,
    train: tuple[Any, Pieces] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Count the notes of the training pieces, and say how surprising the evaluation pieces are.

    Parameters
    ----------
    truth : Pieces
    X : not used
    train : tuple of X_train and its Pieces
    weight, random_state
        Not used.

    Raises
    ------
    InvalidInput
        Without training pieces: counting those that are asked for would know them.
    """
    if train is None:
        raise InvalidInput("give the training pieces, train=(X_train, None), for tables of how often notes follow")
    seen = list(train[1].values)
    note = f"counted in {sum(map(len, seen)):,} training steps"
    makers = {"note frequencies": note_frequencies, "each key by itself": key_by_key}
    return [_raced(name, make, seen, truth, note) for name, make in makers.items()]


def note_frequencies(pieces: list[Array]) -> Chances:
    """Return a model of keys that do not look at time."""
    every = np.concatenate(pieces)
    chance = smoothed(every.sum(axis=0, dtype=np.float64), len(every))
    return lambda piece: np.broadcast_to(chance, piece.shape)


def key_by_key(pieces: list[Array]) -> Chances:
    """Return a model in which each key looks at itself in the step before."""
    before, after = (np.concatenate([piece[part] for piece in pieces]) for part in (slice(-1), slice(1, None)))
    first = note_frequencies(pieces)
    goes_on = smoothed((before & after).sum(axis=0, dtype=np.float64), before.sum(axis=0, dtype=np.float64))
    begins = smoothed((after > before).sum(axis=0, dtype=np.float64), (before == 0).sum(axis=0, dtype=np.float64))

    def chances(piece: Array) -> Array:
        return np.concatenate([first(piece[:1]), np.where(piece[:-1] > 0, goes_on, begins)])

    return chances


def smoothed(count: Array, n: Array | int) -> Array:
    """Return chances of what happened `count` of `n` times."""
    return (count + 0.5) / (n + 1.0)


def _raced(name: str, make: Callable[[list[Array]], Chances], seen: list[Array], truth: Pieces, note: str) -> Baseline:
    started = time.perf_counter()
    model = make(seen)
    told = [model(piece) for piece in truth.values]
    nats = tuple(
        -np.log(np.where(piece > 0, chance, 1 - chance)).sum(axis=1)
        for piece, chance in zip(truth.values, told, strict=True)
    )
    said = Heard(nats, tuple((chance > 0.5).astype(np.uint8) for chance in told))
    return Baseline(name, said, note, time.perf_counter() - started)
