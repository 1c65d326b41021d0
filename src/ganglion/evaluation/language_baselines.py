"""The dumb baselines of language modelling: what a network must beat to be worth its cost.

    unigram     how often each token stands in the training text, whatever stands before it
    5-gram      how often it stands behind the four tokens before it, mixed with what shorter histories say

    p_k(w | h) = (c(hw) + n(h) p_{k-1}(w | h')) / (c(h) + n(h))               Witten & Bell 1991, IEEE Trans. IT 37

with c how often something stands in the training text, n(h) how many different tokens follow h there, and h' the
history without its first token; p_0 is the same for every token. All of it are tables of numbered n-grams: no Python
is run for a token. Beside them, LZMA packs the training text and then the other: how far plain repetition goes.
"""

from __future__ import annotations

import lzma
import math
import time
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import Baseline
from ganglion.evaluation.language import Passages, Surprise
from ganglion.evaluation.predictions import Array

ORDERS = (1, 5)
MOST_TOKENS = 5_000_000  # of training text that is counted, its end
MOST_PACKED = 20_000_000  # bytes of training text that a packer reads first


def run_passage_baselines(
    truth: Passages,
    X: Any,
    *,
    train: tuple[Any, Passages] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Count n-grams of the training text, and say how surprising the evaluation passages are.

    Parameters
    ----------
    truth : Passages
    X : not used
    train : tuple of X_train and its Passages
    weight, random_state
        Not used.

    Raises
    ------
    InvalidInput
        Without training text: counting the passages that are asked for would know them.
    """
    if train is None:
        raise InvalidInput("give the training text, train=(X_train, None), for tables of how often tokens follow")
    seen, asked = _numbered(train[1].tokens, truth.tokens)
    n_left_out = max(0, len(seen) - MOST_TOKENS)
    seen = seen[n_left_out:]
    note = f"counted in {len(seen):,} training tokens" + (", the last ones" if n_left_out else "")
    bounds = np.cumsum([0, *map(len, truth.tokens)])[:-1]
    found = []
    for order in ORDERS:
        started = time.perf_counter()
        nats = np.add.reduceat(witten_bell(seen, asked, order), bounds)
        name = "unigram" if order == 1 else f"{order}-gram"
        found.append(Baseline(name, Surprise(nats), note, time.perf_counter() - started))
    started = time.perf_counter()
    characters = np.fromiter(map(len, truth.values), np.float64, count=len(truth))
    nats = packed_bits(train[1].values, truth.values) * math.log(2) * characters
    note = "packs the training text, then this one; its bits are spread evenly, so that it has no interval"
    return [*found, Baseline("LZMA", Surprise(nats), note, time.perf_counter() - started)]


def witten_bell(seen: Array, asked: Array, order: int) -> Array:
    """Return how surprising each token is, in nats, by n-grams of up to `order` tokens of another text.

    Parameters
    ----------
    seen : ndarray of shape (n_seen,), int64, numbers of tokens
        What is counted.
    asked : ndarray of shape (n_asked,), int64
        What is judged, each token behind those before it.
    order : int

    Returns
    -------
    ndarray of shape (n_asked,), float64
    """
    both, first = np.concatenate([seen, asked]), len(seen)
    n_kinds = int(both.max()) + 1
    grams, p = both, np.full(len(asked), 1 / n_kinds)
    history = np.zeros(len(both), dtype=np.int64)
    for k in range(1, order + 1):
        if k > 1:
            history = np.concatenate([[-1], grams[:-1]]) + 1
            grams = np.unique(history * n_kinds + both, return_inverse=True)[1]
        counted = slice(k - 1, first)  # what has a whole history in the text
        c_gram = np.bincount(grams[counted], minlength=int(grams.max()) + 1)
        c_history = np.bincount(history[counted], minlength=int(history.max()) + 1)
        place = np.unique(grams[counted], return_index=True)[1]  # one of each n-gram
        n_history = np.bincount(history[counted][place], minlength=len(c_history))
        c, total, kinds = c_gram[grams[first:]], c_history[history[first:]], n_history[history[first:]]
        known = total > 0
        p = np.where(known, (c + kinds * p) / np.maximum(total + kinds, 1), p)
    return -np.log(p)


def packed_bits(train: Iterable[str], test: Iterable[str]) -> float:
    """Return the bits that LZMA needs for a character of one text when it has packed another one first."""
    before = "".join(train).encode()[-MOST_PACKED:]
    text = "".join(test)
    sizes = [len(lzma.compress(raw, preset=6)) for raw in (before, before + text.encode())]
    return 8 * (sizes[1] - sizes[0]) / len(text)


def _numbered(seen: Iterable[list[str]], asked: Iterable[list[str]]) -> tuple[Array, Array]:
    """Return tokens, one text after the other, as numbers; those of the second that the first has not are one more."""
    numbers = {token: i for i, token in enumerate(dict.fromkeys(chain.from_iterable(seen)))}
    known = np.fromiter(map(numbers.__getitem__, chain.from_iterable(seen)), np.int64)
    strange = len(numbers)
    return known, np.fromiter((numbers.get(token, strange) for token in chain.from_iterable(asked)), np.int64)
