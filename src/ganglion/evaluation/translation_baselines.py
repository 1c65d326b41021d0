"""The dumb baselines of answers to texts: the text itself, the commonest answer, that to the most similar text.

Texts are similar that share rare words: the cosine of their tf-idf vectors (Salton & Buckley 1988, "Term-weighting
approaches in automatic text retrieval").
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold

from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import N_FOLDS, Baseline
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.translation import compared, texts_of

TOGETHER = 2**23  # similarities held at a time
WORDS = r"\w+|[^\w\s]"


def run_text_baselines(
    truth: Truth,
    X: Any,
    *,
    train: tuple[Any, Truth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Answer the evaluation texts without any network.

    Parameters
    ----------
    truth : Truth
        Of the evaluation texts.
    X : list of str, or Dataset
        The evaluation texts.
    train : tuple of X_train and its Truth, optional
        Without it, answers are those of the other folds of the evaluation texts, in 5 folds.
    weight : ndarray of shape (n,), optional
        Weights of the evaluation texts, used where these are what is learned from.
    random_state : int
        Decides folds.

    Raises
    ------
    InvalidInput
        If X cannot be read as texts.
    """
    sources, every = texts_of(X), np.arange(len(truth))
    known = sources if train is None else texts_of(train[0])
    if sources is None or known is None:
        raise InvalidInput("they read lists of texts and columns of them.")
    if train is None:
        splitter = KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=random_state)
        answers, folds = truth.values, list(splitter.split(every))
        note = f"out of fold: the answers of the evaluation texts, {len(folds)} folds"
        counted = np.ones(len(truth)) if weight is None else weight
    else:
        answers, folds, counted = train[1].values, [(np.arange(len(train[1])), every)], np.ones(len(train[1]))
        note = f"the answers to {len(answers):,} training texts"
    same, near = np.empty(len(truth), dtype=object), np.empty(len(truth), dtype=object)
    seconds = [0.0, 0.0]
    for rows, asked in folds:
        started = time.perf_counter()
        same[asked] = most_frequent(answers[rows], counted[rows])
        seconds[0] += time.perf_counter() - started
        started = time.perf_counter()
        found = nearest([known[i] for i in rows], [sources[i] for i in asked])
        near[asked] = answers[rows][found]
        seconds[1] += time.perf_counter() - started
    return [
        Baseline("copy of the text", compared(truth, sources), "", 0.0),
        Baseline("commonest answer", compared(truth, same.tolist()), note, seconds[0]),
        Baseline("nearest text's answer", compared(truth, near.tolist()), note, seconds[1]),
    ]


def most_frequent(answers: Array, weight: Array) -> str:
    """Return the answer that is given most often, each counting by its weight; of equal ones the first."""
    total: dict[str, float] = defaultdict(float)
    for answer, share in zip(answers.tolist(), weight.tolist(), strict=True):
        total[answer] += share
    return max(total, key=lambda answer: total[answer])


def nearest(known: list[str], asked: list[str]) -> Array:
    """Return the index of the most similar of the known texts, for each that is asked, (n,)."""
    vectors = TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True)
    of_known = vectors.fit_transform(known).T.tocsc()
    of_asked, step = vectors.transform(asked), max(1, TOGETHER // len(known))
    parts = (of_asked[i : i + step] @ of_known for i in range(0, len(asked), step))
    return np.concatenate([part.toarray().argmax(axis=1) for part in parts])
