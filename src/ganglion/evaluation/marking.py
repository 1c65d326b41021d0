"""The words of a text that pushed a model to its wrong answer, as the model itself tells (`word_scores`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Predictions, Truth

LETTERS = 420  # of a text that are shown
START = 60  # letters that are shown of the beginning of a longer one
AROUND = 4  # pieces shown on either side of a marked one
FAINT = 0.2  # of the strongest push: below, a word is not marked
MOST_MARKED = 10

PUSHED = ("binary", "multiclass", "multilabel", "regression")  # tasks with a score that words push up or down

Pieces = tuple[tuple[str, float], ...]


def with_words(model: Any, X: Any, truth: Truth, said: Predictions, mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Return mistakes with the text of each, the words marked that pushed the model to its answer.

    Parameters
    ----------
    model : estimator
        One that has no `word_scores`, or reads no texts, leaves the mistakes as they are.
    X : Dataset, list of texts, …
        The evaluation rows.
    truth : Truth
    said : Predictions
    mistakes : sequence of Mistake
    """
    if not mistakes or truth.task not in PUSHED or not hasattr(model, "word_scores"):
        return tuple(mistakes)
    if getattr(model, "modality_", "") != "text":
        return tuple(mistakes)
    from ganglion.data.convert import as_dataset

    rows = np.array([each.row for each in mistakes])
    told = model.word_scores(as_dataset(X).take(rows))
    return tuple(
        replace(each, pieces=marked(pieces, _push(truth, said, each.row, scores)))
        for each, (pieces, scores) in zip(mistakes, told, strict=True)
    )


def marked(pieces: Sequence[str], push: Array) -> Pieces:
    """Return a text in pieces with the strength of each, from 0 to 1; a long text is cut to what surrounds the marks.

    Parameters
    ----------
    pieces : sequence of str
        Together they are the text.
    push : ndarray of shape (n_pieces,)
        How much each speaks for the answer that was given, and against the right one.
    """
    strength = np.maximum(push, 0) / max(float(push.max(initial=0)), 1e-12)
    order = np.argsort(-strength, kind="stable")[:MOST_MARKED]
    kept = np.zeros_like(strength)
    chosen = order[strength[order] >= FAINT]
    kept[chosen] = strength[chosen]
    text = [(piece, float(mark)) for piece, mark in zip(pieces, kept, strict=True)]
    return shortened(text)


def shortened(text: Sequence[tuple[str, float]], most: int = LETTERS) -> Pieces:
    """Return a text with about `most` letters: its beginning and what stands around its strongest marks."""
    lengths = np.array([len(piece) for piece, _ in text])
    if lengths.sum() <= most:
        return tuple(text)
    shown = lengths.cumsum() <= min(START, most // 4)
    for i in sorted(range(len(text)), key=lambda i: (-text[i][1], i)):
        near = np.zeros_like(shown)
        near[max(0, i - AROUND) : i + AROUND + 1] = True
        if lengths[shown | near].sum() > most:
            break
        shown |= near
    out: list[tuple[str, float]] = []
    for i, (piece, mark) in enumerate(text):
        if shown[i]:
            out.append((piece[:most], mark))
        elif not out or out[-1] != (" … ", 0.0):
            out.append((" … ", 0.0))
    return tuple(out)


def _push(truth: Truth, said: Predictions, row: int, scores: Array) -> Array:
    if truth.task == "regression":
        errors = said.values[row] - truth.values[row]
        k = int(np.abs(errors).argmax())
        return np.sign(errors[k]) * scores[:, k]
    if truth.task == "multilabel":
        belief = said.values[row] if said.probabilities is None else said.probabilities[row]
        wrong = np.where(said.values[row] != truth.values[row], np.abs(belief - truth.values[row]), -1.0)
        k = int(wrong.argmax())
        return scores[:, k] if said.values[row, k] else -scores[:, k]
    return scores[:, said.values[row]] - scores[:, truth.values[row]]
