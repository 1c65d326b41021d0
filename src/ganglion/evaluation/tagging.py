"""Tagging: a label of every word or step, judged by all words; the bootstrap draws texts, whose words hang together.

    accuracy            the share of the words that are right
    unseen accuracy     the same of the words that no training text has (as they are written)
    macro F1            the mean of F1 over the labels that are true or predicted anywhere
    sentence accuracy   the share of the texts without any mistake

A label that the model was not trained on cannot be right, and counts as wrong.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.tokens import KINDS, holds_tokens, tokens_to_dataset, words_of
from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.inputs import check_lengths, class_codes, listed
from ganglion.evaluation.mistakes import N_MISTAKES, Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, mean_where, ratio, values_at

STRANGE = -1  # the code of a label that the model was not trained on
TOGETHER = 512  # texts whose probabilities are held at a time
MOST_WORDS = 50  # shown of a text
MOSTLY = 0.5  # of the words must have labels that the model knows


@dataclass(frozen=True, slots=True)
class TagTruth(Truth):
    """The true labels: `values` are (n,) of int64 arrays, -1 for a label that the model was not trained on.

    Attributes
    ----------
    unseen : ndarray of shape (n_words,), bool, or None
        Whether a word stands in no training text; None where these are not known, or there are no words.
    """

    unseen: Array | None = None

    @property
    def codes(self) -> Array:
        """The labels of all words, one text after the other, (n_words,) int64."""
        return np.concatenate(self.values)

    @property
    def lengths(self) -> Array:
        """How many words each text has, (n,) int64."""
        return np.fromiter(map(len, self.values), np.int64, count=len(self.values))


@dataclass(frozen=True, slots=True)
class TagPredictions:
    """What one model says about the words of the evaluation texts, one text after the other.

    Attributes
    ----------
    values : ndarray of shape (n_words,), int64
        Codes of the predicted labels.
    sureness : ndarray of shape (n_words,), or None
        The model's probability of them.
    """

    values: Array
    sureness: Array | None = None


def tag_truth(model: Any, X: Any, y: Any, what: str = "y") -> TagTruth:
    """Return the true labels of the words, coded by the classes of the model.

    Parameters
    ----------
    model : estimator with `classes_`
    X : list of lists of words, list of texts, sequences, or Dataset
    y : sequence of n sequences of labels
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If there are more or fewer labels than words, or most of them are none that the model knows.

    Warns
    -----
    DataWarning
        If some labels are not known to the model.
    """
    rows = list(y.values(y.names[0]) if hasattr(y, "with_target") else y)
    check_lengths(X, rows, what)
    wrong = next((i for i, row in enumerate(rows) if isinstance(row, str) or not hasattr(row, "__len__")), None)
    if wrong is not None:
        raise InvalidInput(f"row {wrong} of {what} is {rows[wrong]!r:.60}. Give a list of labels, one for each word.")
    _check_counts(X, rows, what)
    classes = np.asarray(model.classes_)
    flat = [label for row in rows for label in row]
    codes, strangers = class_codes(np.array(flat, dtype=object), classes)
    known = set(classes.astype(str).tolist())
    strange = np.array([str(label) not in known for label in flat], dtype=bool)
    codes[strange] = STRANGE
    if strange.mean() > MOSTLY:
        raise InvalidInput(
            f"{what} holds labels that {type(model).__name__} was not trained on: {listed(strangers)}. Its classes "
            f"are: {listed(classes.tolist())}. Is this the target that the model was trained on?"
        )
    if strangers:
        warnings.warn(
            f"{int(strange.sum()):,} of {len(flat):,} words of {what} have labels that no training text has, and count "
            f"as wrong: {listed(strangers)}.",
            DataWarning,
            stacklevel=4,
        )
    values = np.empty(len(rows), dtype=object)
    values[:] = np.split(codes.astype(np.int64), np.cumsum([len(row) for row in rows])[:-1])
    return TagTruth("tagging", values, tuple(str(each) for each in classes.tolist()))


def with_unseen(truth: TagTruth, X: Any, X_train: Any) -> TagTruth:
    """Return the truth with what is known of its words from the training texts: which do not stand there."""
    words, seen = read_words(X), read_words(X_train)
    if words is None or seen is None:
        return truth
    (codes, distinct), known = words, {seen[1][code] for code in np.unique(seen[0]).tolist()}
    return replace(truth, unseen=np.array([word not in known for word in distinct], dtype=bool)[codes])


def read_words(X: Any) -> tuple[Array, tuple[str, ...]] | None:
    """Return the words of texts, one text after the other: codes and what they stand for; None if there are none."""
    try:
        data = tokens_to_dataset(X) if holds_tokens(X) else as_dataset(X)
    except InvalidInput:
        return None
    if not any(field.kind in KINDS for field in data.features):
        return None
    words, distinct = words_of(data)
    return words.values.numpy(), distinct


def predict_tags(model: Any, X: Any, truth: Truth) -> TagPredictions:
    """Ask a model for the labels of all words.

    Raises
    ------
    InvalidInput
        If it answers for more or fewer words, or with labels that it does not name.
    """
    said, name = list(model.predict(X)), type(model).__name__
    if [len(row) for row in said] != [len(row) for row in truth.values]:
        raise InvalidInput(f"{name} predicts another number of labels than there are words. It must give one for each.")
    classes = np.asarray(model.classes_)
    codes, strangers = class_codes(np.array([label for row in said for label in row], dtype=object), classes)
    if strangers:
        raise InvalidInput(
            f"{name} predicts {listed(strangers)}, which its classes_ do not hold: {listed(classes.tolist())}. Its "
            "predict and classes_ must agree."
        )
    if not hasattr(model, "predict_proba"):
        return TagPredictions(codes)
    parts = [np.arange(i, min(i + TOGETHER, len(truth))) for i in range(0, len(truth), TOGETHER)]
    shares = [np.max(each, axis=1) for part in parts for each in model.predict_proba(_rows_of(X, part))]
    return TagPredictions(codes, np.concatenate(shares).astype(np.float64))


def resampled_tag_metrics(truth: TagTruth, said: TagPredictions) -> list[Resampled]:
    """Return the function of the weights of the texts, (n, b), that gives every metric, (b,) each."""
    true, guess, lengths = truth.codes, said.values, truth.lengths
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    right = true == guess
    counts = [np.bincount(text_of, each, len(lengths)) for each in (np.ones(len(true)), right)]
    counts.append((counts[0] == counts[1]).astype(np.float64))
    if truth.unseen is not None:
        counts += [np.bincount(text_of, each, len(lengths)) for each in (truth.unseen, truth.unseen & right)]
    of_texts = np.stack(counts)
    hits, support, guesses = (
        _by_label(each[kept], text_of[kept], (len(truth.classes), len(lengths)))
        for each, kept in ((true, right), (true, true >= 0), (guess, guess >= 0))
    )

    def metrics(weights: Array) -> dict[str, Array]:
        words, correct, whole, *unseen = of_texts @ weights
        sizes = support @ weights + guesses @ weights
        found = {
            "accuracy": ratio(correct, words),
            "sentence_accuracy": whole / weights.sum(axis=0),
            "f1_macro": mean_where(ratio(2 * (hits @ weights), sizes, 0.0), sizes > 0),
        }
        return found | ({"unseen_accuracy": ratio(unseen[1], unseen[0])} if unseen else {})

    return [metrics]


def tag_values(truth: TagTruth, said: TagPredictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these texts."""
    weight = np.ones(len(truth)) if weight is None else weight
    found = values_at(resampled_tag_metrics(truth, said), weight, lambda name: "every word stands in a training text")
    return {"unseen_accuracy": "which words are new is not known: no training texts were given", **found}


def tag_facts(truth: TagTruth, said: TagPredictions) -> dict[str, str]:
    """Return what a reader must know of the words and their labels."""
    codes = truth.codes
    counts = np.bincount(codes[codes >= 0], minlength=len(truth.classes))
    most = np.argsort(-counts, kind="stable")[:6]
    shares = ", ".join(f"{truth.classes[k]} {counts[k] / len(codes):.1%}" for k in most)
    facts = {
        "Words": f"{len(codes):,}, {len(codes) / len(truth):.1f} a sequence",
        "Labels": f"{len(truth.classes)}: {shares}" + (", …" if len(counts) > 6 else ""),
    }
    strange = int((codes == STRANGE).sum())
    if strange:
        facts["Unknown labels"] = f"{strange:,} words have labels that no training text has, and count as wrong"
    if truth.unseen is not None:
        facts["Unseen words"] = f"{truth.unseen.mean():.1%} of the words stand in no training text"
    return facts


def present_tags(truth: TagTruth) -> list[bool]:
    """Return whether each label is true anywhere."""
    codes = truth.codes
    return (np.bincount(codes[codes >= 0], minlength=len(truth.classes)) > 0).tolist()


def confused_tags(truth: TagTruth, said: TagPredictions) -> tuple[tuple[int, ...], ...]:
    """Return how many words of each label were given which label; words of unknown labels are left out."""
    known, n = truth.codes >= 0, len(truth.classes)
    cells = np.bincount(truth.codes[known] * n + said.values[known], minlength=n * n)
    return tuple(map(tuple, cells.reshape(n, n).tolist()))


def worst_tags(truth: TagTruth, said: TagPredictions, X: Any) -> tuple[Mistake, ...]:
    """Return the texts with the surest wrong labels, worst first, each with its words and their labels."""
    ends = np.cumsum(truth.lengths)
    true, wrong = truth.codes, truth.codes != said.values
    sureness = np.ones(len(true)) if said.sureness is None else said.sureness
    order = np.flatnonzero(wrong)[np.argsort(-sureness[wrong], kind="stable")]
    rows, first = np.unique(np.searchsorted(ends, order, side="right"), return_index=True)
    chosen = np.argsort(first, kind="stable")[:N_MISTAKES]
    names, words, files = [*truth.classes, "(unknown)"], _words_of_rows(X, rows[chosen]), _files(X, rows[chosen])
    mistakes = []
    for row, place, text, file in zip(rows[chosen].tolist(), order[first[chosen]].tolist(), words, files, strict=True):
        start = int(ends[row] - truth.lengths[row])
        text = text or [str(i) for i in range(truth.lengths[row])]
        labels = [(names[a], names[b]) for a, b in zip(true[start : ends[row]], said.values[start:], strict=False)]
        at = place - start
        mistakes.append(
            Mistake(
                row,
                f"{text[at]}: {labels[at][0]}",
                f"{text[at]}: {labels[at][1]}",
                None if said.sureness is None else float(sureness[place]),
                file=file,
                words=_around([(word, *pair) for word, pair in zip(text, labels, strict=True)], at),
            )
        )
    return tuple(mistakes)


def _around(words: list[tuple[str, str, str]], at: int) -> tuple[tuple[str, str, str], ...]:
    """Return at most so many words around one of them."""
    start = max(0, min(at - MOST_WORDS // 2, len(words) - MOST_WORDS))
    before = [("…", "", "")] if start else []
    after = [("…", "", "")] if start + MOST_WORDS < len(words) else []
    return (*before, *words[start : start + MOST_WORDS], *after)


def _check_counts(X: Any, rows: list[Any], what: str) -> None:
    """Raise InvalidInput where a text has more or fewer labels than words, if the words can be read."""
    words = _words_of_rows(X, np.arange(len(rows)))
    for i, (text, labels) in enumerate(zip(words, rows, strict=True)):
        if text and len(text) != len(labels):
            raise InvalidInput(
                f"row {i} has {len(text)} words, but {len(labels)} labels in {what}. Give one label for each word."
            )


def _words_of_rows(X: Any, rows: Array) -> list[list[str]]:
    """Return the words of some texts; nothing for sequences of numbers, and what cannot be read."""
    try:
        some = _rows_of(X, rows)
        data = tokens_to_dataset(some) if holds_tokens(some) else as_dataset(some)
    except InvalidInput:
        return [[] for _ in rows]
    if not any(field.kind in KINDS for field in data.features):
        return [[] for _ in rows]
    column, distinct = words_of(data)
    return [[distinct[code] for code in text.tolist()] for text in column.split()]


def _files(X: Any, rows: Array) -> list[str]:
    if isinstance(X, Dataset) and "file" in X.index:
        return X.take(rows).values("file").tolist()
    return [""] * len(rows)


def _rows_of(X: Any, rows: Array) -> Any:
    if hasattr(X, "take") and hasattr(X, "columns") and not hasattr(X, "iloc"):
        return X.take(rows)
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X[rows] if isinstance(X, np.ndarray) else [X[i] for i in rows.tolist()]


def _by_label(labels: Array, text_of: Array, shape: tuple[int, int]) -> Any:
    """Return the sparse matrix (n_classes, n) of how often each label stands in each text."""
    return sparse.coo_matrix((np.ones(len(labels)), (labels, text_of)), shape=shape).tocsr()
