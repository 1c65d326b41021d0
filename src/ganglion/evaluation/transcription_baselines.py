"""The dumb baselines of transcripts: the commonest one for all, and that of the recording that sounds most alike.

Recordings sound alike whose length, and the levels of 20 bands in their thirds, are near (`hearing.summed_up`), each
measured by its own deviation.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import N_FOLDS, Baseline
from ganglion.evaluation.hearing import recordings_in, summed_up
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.transcription import compared
from ganglion.evaluation.translation_baselines import most_frequent


def run_transcript_baselines(
    truth: Truth,
    X: Any,
    *,
    train: tuple[Any, Truth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Write down what is said in the evaluation recordings without any network.

    Parameters
    ----------
    truth : Truth
        Of the evaluation recordings.
    X : list of (rate, samples), or Dataset
    train : tuple of X_train and its Truth, optional
        Without it, transcripts are those of the other folds of the evaluation recordings, in 5 folds.
    weight : ndarray of shape (n,), optional
        Weights of the evaluation recordings, used where these are what is learned from.
    random_state : int
        Decides folds.

    Raises
    ------
    InvalidInput
        If X cannot be read as recordings.
    """
    data = recordings_in(X)
    known = data if train is None else recordings_in(train[0])
    if data is None or known is None:
        raise InvalidInput("they read lists of (rate, samples) and data sets of recordings.")
    every = np.arange(len(truth))
    if train is None:
        splitter = KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=random_state)
        texts, folds = truth.values, list(splitter.split(every))
        note = f"out of fold: the transcripts of the evaluation recordings, {len(folds)} folds"
        counted = np.ones(len(truth)) if weight is None else weight
    else:
        texts, folds, counted = train[1].values, [(np.arange(len(train[1])), every)], np.ones(len(train[1]))
        note = f"the transcripts of {len(texts):,} training recordings"
    same, near = np.empty(len(truth), dtype=object), np.empty(len(truth), dtype=object)
    started = time.perf_counter()
    for rows, asked in folds:
        same[asked] = most_frequent(texts[rows], counted[rows])
    middle = time.perf_counter()
    told, heard = summed_up(known), summed_up(data)
    for rows, asked in folds:
        near[asked] = texts[rows][_nearest(told[rows], heard[asked])]
    seconds = middle - started, time.perf_counter() - middle
    return [
        Baseline("commonest transcript", compared(truth, same.tolist()), note, seconds[0]),
        Baseline("nearest recording's transcript", compared(truth, near.tolist()), note, seconds[1]),
    ]


def _nearest(known: Array, asked: Array) -> Array:
    """Return the index of the most similar of the known recordings, for each that is asked, (n,)."""
    scale = StandardScaler().fit(known)
    found = NearestNeighbors(n_neighbors=1).fit(scale.transform(known))
    return found.kneighbors(scale.transform(asked), return_distance=False)[:, 0]
