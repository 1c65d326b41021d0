"""The dumb baselines of tagging: what a network must beat to be worth its cost.

    most frequent label     the commonest label of all, for every word
    each word's label       the commonest label of the word in training; of a word never seen, that of words seen once
    hidden Markov model     of pairs of labels; a word never seen is told by its ending and first letter
    logistic regression     of each step on its numbers and its neighbours', for sequences of numbers

The hidden Markov model is that of Brants 2000, "TnT: a statistical part-of-speech tagger", with pairs of labels in
place of triples:

    max over t_1 … t_n of  Π_i P(w_i | t_i) P(t_i | t_{i-1})          P(t | t') smoothed by P(t)
    P(t | ending of k letters) = (P̂(t | ending) + θ P(t | ending of k - 1)) / (1 + θ)      for words never seen

It is fitted on the training texts; without them, on the other folds of the evaluation texts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ganglion.data.convert import as_dataset
from ganglion.data.ragged import Ragged
from ganglion.data.sequences import holds_sequences, sequences_to_dataset
from ganglion.errors import InvalidInput
from ganglion.evaluation.baselines import N_FOLDS, Baseline
from ganglion.evaluation.predictions import Array
from ganglion.evaluation.tagging import TagPredictions, TagTruth, read_words

CANDIDATES = 12  # labels of a word that are thought of
LETTERS = 5  # of an ending
RARE = 10  # words that stand so often at most teach what endings mean
SMOOTHING = 0.1  # of P(t | t') by P(t), and θ
TOGETHER = 1024  # texts that are tagged side by side
N_STEPS = 20_000  # that the linear classifier learns from
TINY = 1e-12

Words = Sequence[str]
Text = Any  # words, or an array of steps (T, d)
Answer = Callable[[list[Text]], list[Array]]  # texts -> codes of each
Fit = Callable[[list[Text], list[Array], int, int], Answer]  # texts, their codes, number of classes, seed


def run_tag_baselines(
    truth: TagTruth,
    X: Any,
    *,
    train: tuple[Any, TagTruth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Fit the baselines and tag the evaluation texts.

    Parameters
    ----------
    truth : TagTruth
        Of the evaluation texts.
    X : list of lists of words, list of texts, sequences, or Dataset
    train : tuple of X_train and its TagTruth, optional
        Without it, the baselines predict out of fold, in 5 folds of the evaluation texts.
    weight : ndarray of shape (n,), optional
        Not used: counts of words are what is learned.
    random_state : int
        Decides folds and samples.

    Raises
    ------
    InvalidInput
        If X holds neither words nor sequences.
    """
    asked, every = _texts(X, truth), np.arange(len(truth))
    if train is None:
        splitter = KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=random_state)
        seen, known, folds = asked, truth, list(splitter.split(every))
        note = f"out of fold: fitted on the evaluation sequences, {len(folds)} folds"
    else:
        seen, known = _texts(train[0], train[1]), train[1]
        folds, note = [(np.arange(len(known)), every)], f"fitted on {len(known):,} training sequences"
    found = []
    for name, fit, more in _OF_STEPS if asked and isinstance(asked[0], np.ndarray) else _OF_WORDS:
        started, said = time.perf_counter(), np.empty(len(truth), dtype=object)
        for rows, held_out in folds:
            texts, codes = [seen[i] for i in rows], [known.values[i] for i in rows]
            answer = fit(texts, codes, len(truth.classes), random_state)
            for row, each in zip(held_out, answer([asked[i] for i in held_out]), strict=True):
                said[row] = each
        predictions = TagPredictions(np.concatenate(said))
        found.append(Baseline(name, predictions, note + more, time.perf_counter() - started))
    return found


def _texts(X: Any, truth: TagTruth) -> list[Text]:
    """Return the words of each text, or the steps of each sequence."""
    words = read_words(X)
    if words is not None:
        codes, distinct = words
        spelled = np.array(distinct, dtype=object)[codes]
        return [each.tolist() for each in np.split(spelled, np.cumsum(truth.lengths)[:-1])]
    data = (
        sequences_to_dataset(X) if holds_sequences(X) or (isinstance(X, np.ndarray) and X.ndim == 2) else as_dataset(X)
    )
    columns = [data.columns[field.name] for field in data.features if field.kind == "sequence"]
    if not columns or not isinstance(columns[0], Ragged):
        raise InvalidInput("there are neither words nor sequences in X.")
    return [each.numpy() for each in columns[0].split()]


def _majority(texts: list[Text], codes: list[Array], n_classes: int, seed: int) -> Answer:
    flat = np.concatenate(codes)
    commonest = int(np.bincount(flat[flat >= 0], minlength=n_classes).argmax())
    return lambda asked: [np.full(len(text), commonest) for text in asked]


def _of_each_word(texts: list[Text], codes: list[Array], n_classes: int, seed: int) -> Answer:
    pairs = _counted(texts, codes)
    best = {word: max(counts, key=lambda code: (counts[code], -code)) for word, counts in pairs.items()}
    once = [code for counts in pairs.values() if sum(counts.values()) == 1 for code in counts]
    every = np.concatenate(codes)
    unknown = int(np.bincount(once or every[every >= 0], minlength=n_classes).argmax())
    return lambda asked: [np.array([best.get(word, unknown) for word in text], dtype=np.int64) for text in asked]


def _counted(texts: list[Words], codes: list[Array]) -> dict[str, dict[int, int]]:
    """Return how often each word has each label."""
    pairs: dict[str, dict[int, int]] = {}
    for text, labels in zip(texts, codes, strict=True):
        for word, code in zip(text, labels.tolist(), strict=True):
            if code >= 0:
                counts = pairs.setdefault(word, {})
                counts[code] = counts.get(code, 0) + 1
    return pairs


def _markov(texts: list[Text], codes: list[Array], n_classes: int, seed: int) -> Answer:
    pairs, total = _counted(texts, codes), np.zeros(n_classes)
    for labels in codes:
        total += np.bincount(labels[labels >= 0], minlength=n_classes)
    shares = total / total.sum()
    follow = _transitions(codes, n_classes, shares)
    endings = _endings(pairs, n_classes, shares)
    look: dict[str, tuple[Array, Array]] = {}

    def emission(word: str) -> tuple[Array, Array]:
        """Return the labels that a word may have, and log P(word | label) but for what is the same for all."""
        if word not in look:
            if word in pairs:
                of_label = np.zeros(n_classes)
                of_label[list(pairs[word])] = list(pairs[word].values())
            else:
                of_label = _by_ending(word, endings, shares)
            labels = np.argsort(-of_label, kind="stable")[:CANDIDATES]
            look[word] = labels, np.log(np.maximum(of_label[labels], TINY) / np.maximum(total[labels], TINY))
        return look[word]

    def answer(asked: list[Words]) -> list[Array]:
        order = sorted(range(len(asked)), key=lambda i: -len(asked[i]))
        said: list[Array] = [np.empty(0, dtype=np.int64)] * len(asked)
        for start in range(0, len(order), TOGETHER):
            some = order[start : start + TOGETHER]
            for i, path in zip(some, _viterbi([[emission(w) for w in asked[i]] for i in some], follow), strict=True):
                said[i] = path
        return said

    return answer


def _transitions(codes: list[Array], n_classes: int, shares: Array) -> Array:
    """Return log P(label | label before), (n_classes + 1, n_classes); the last row is the beginning of a text."""
    counts = np.zeros((n_classes + 1, n_classes))
    for labels in codes:
        known = labels[labels >= 0]
        np.add.at(counts, (np.concatenate([[n_classes], known[:-1]]), known), 1.0) if len(known) else None
    seen = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.log((1 - SMOOTHING) * seen + SMOOTHING * shares + TINY)


def _endings(pairs: dict[str, dict[int, int]], n_classes: int, shares: Array) -> dict[tuple[bool, str], Array]:
    """Return how often rare words that end so have each label; words that begin with a capital by themselves."""
    endings: dict[tuple[bool, str], Array] = {}
    for word, counts in pairs.items():
        if sum(counts.values()) > RARE:
            continue
        for k in range(min(LETTERS, len(word)) + 1):
            table = endings.setdefault((word[:1].isupper(), word[len(word) - k :].lower()), np.zeros(n_classes))
            for code, count in counts.items():
                table[code] += count
    return endings


def _by_ending(word: str, endings: dict[tuple[bool, str], Array], shares: Array) -> Array:
    """Return P(label | ending of the word), from short endings to long ones."""
    found = shares
    for k in range(min(LETTERS, len(word)) + 1):
        table = endings.get((word[:1].isupper(), word[len(word) - k :].lower()))
        if table is None:
            break
        found = (table / table.sum() + SMOOTHING * found) / (1 + SMOOTHING)
    return found


def _viterbi(texts: list[list[tuple[Array, Array]]], follow: Array) -> list[Array]:
    """Return the most probable labels of texts side by side, the longest first (Viterbi 1967).

    Parameters
    ----------
    texts : list of list of (labels, log probabilities)
        What each word may be.
    follow : ndarray of shape (n_classes + 1, n_classes)
        Log probability of a label behind another one.
    """
    n, longest = len(texts), len(texts[0])
    labels = np.zeros((n, longest, CANDIDATES), dtype=np.int64)
    scores = np.full((n, longest, CANDIDATES), -np.inf)
    for i, text in enumerate(texts):
        for j, (may_be, score) in enumerate(text):
            labels[i, j, : len(may_be)], scores[i, j, : len(may_be)] = may_be, score
    lengths = np.array(list(map(len, texts)))
    came_from = np.zeros((n, longest, CANDIDATES), dtype=np.int64)
    reached = scores[:, 0] + follow[-1][labels[:, 0]]
    for j in range(1, longest):
        there = int((lengths > j).sum())
        steps = reached[:there, :, None] + follow[labels[:there, j - 1, :, None], labels[:there, j, None, :]]
        came_from[:there, j] = steps.argmax(axis=1)
        reached[:there] = steps.max(axis=1) + scores[:there, j]
    best, paths = reached.argmax(axis=1), []
    for i, length in enumerate(lengths.tolist()):
        path, at = np.empty(length, dtype=np.int64), int(best[i])
        for j in range(length - 1, -1, -1):
            path[j], at = labels[i, j, at], int(came_from[i, j, at])
        paths.append(path)
    return paths


def _linear(texts: list[Text], codes: list[Array], n_classes: int, seed: int) -> Answer:
    features, labels = np.concatenate([_beside(text) for text in texts]), np.concatenate(codes)
    chosen = np.random.default_rng(seed).permutation(len(labels))[:N_STEPS]
    chosen = chosen[labels[chosen] >= 0]
    if len(np.unique(labels[chosen])) < 2:
        return _majority(texts, codes, n_classes, seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline that has not converged is still a baseline
        model.fit(features[chosen], labels[chosen])
    return lambda asked: [model.predict(_beside(text)) for text in asked]


def _beside(steps: Array) -> Array:
    """Return the numbers of each step beside those of its neighbours, (T, 3 d), missing ones as 0."""
    numbers = np.nan_to_num(steps.astype(np.float64))
    around = np.pad(numbers, ((1, 1), (0, 0)))
    return np.hstack([numbers, around[:-2], around[2:]])


_OF_WORDS: tuple[tuple[str, Fit, str], ...] = (
    ("most frequent label", _majority, ""),
    ("each word's label", _of_each_word, "; of words never seen: that of words seen once"),
    ("hidden Markov model", _markov, "; pairs of labels, endings of words never seen (Brants 2000)"),
)
_OF_STEPS: tuple[tuple[str, Fit, str], ...] = (
    ("most frequent label", _majority, ""),
    ("logistic regression", _linear, "; of each step, on its numbers and its neighbours'"),
)
