"""How long one answer takes: models asked for the same rows in turn, so that what else the machine does meets all.

On one thread: several share out little of one answer, and on a busy machine they wait for one another, up to a hundred
times as long as the answer takes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ganglion.evaluation.bootstrap import Estimate, percentile_interval

FEWEST, MOST = 100, 500  # rounds
SECONDS = 10.0  # of timing, about
RESAMPLES = 500

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one answer.

    Attributes
    ----------
    median, p99 : float
        Milliseconds.
    ratio : Estimate
        Median over that of the original, with the interval of the bootstrap over rounds.
    """

    median: float
    p99: float
    ratio: Estimate


def in_turn(ask: Mapping[str, Callable[[Any], object]], rows: Sequence[Any], *, seed: int = 0) -> dict[str, Array]:
    """Time every function on every round's row, on one thread.

    Parameters
    ----------
    ask : mapping of str to callable
        Called with one row, as X of one sample.
    rows : sequence of X
    seed : int
        Of the order within rounds.

    Returns
    -------
    dict of str to ndarray of shape (n_rounds,)
        Seconds; round i is of the same row for all.
    """
    with _one_thread():
        began = time.perf_counter()
        for call in ask.values():  # the first calls of a process are slow
            for row in rows[:3]:
                call(row)
        once = (time.perf_counter() - began) / 3
        n_rounds = int(np.clip(SECONDS / max(once, 1e-9), FEWEST, MOST))
        generator, names = np.random.default_rng(seed), list(ask)
        seconds = {name: np.empty(n_rounds) for name in names}
        for i in range(n_rounds):
            row = rows[i % len(rows)]
            for k in generator.permutation(len(names)):
                start = time.perf_counter()
                ask[names[k]](row)
                seconds[names[k]][i] = time.perf_counter() - start
    return seconds


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread, and put back how many there were."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def latency(own: Array, original: Array, *, seed: int = 0) -> Latency:
    """Return the latency of a model from its seconds and those of the original, (n_rounds,) each."""
    rounds = np.random.default_rng(seed).integers(0, len(own), (RESAMPLES, len(own)))
    ratios = np.median(own[rounds], 1) / np.median(original[rounds], 1)
    ratio = Estimate(float(np.median(own) / np.median(original)), *percentile_interval(ratios))
    return Latency(1000 * float(np.median(own)), 1000 * float(np.percentile(own, 99)), ratio)
