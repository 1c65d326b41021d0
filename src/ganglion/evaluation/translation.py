"""Texts that answer texts, judged as translations are; the bootstrap draws pairs.

    BLEU, chrF      of all answers together (`data.text_scores`)
    exact match     share of the answers that are the true ones to the letter

The worst answers are those with the lowest chrF of their own, drawn with what was looked at for each word where the
model can tell (`attention`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.data.text_encoding import joined_texts, text_columns
from ganglion.data.text_scores import bleu, bleu_counts, chrf, chrf_counts, load_sacrebleu
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.inputs import check_lengths
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, values_at

N_WORST = 8
N_BLEU = 10  # counts of a text; those of chrF come behind them


@dataclass(frozen=True, slots=True)
class TextPredictions:
    """What one model answers to the evaluation texts.

    Attributes
    ----------
    values : ndarray of shape (n,), of str
    counts : ndarray of shape (n, 28)
        What BLEU and chrF count of each.
    exact : ndarray of shape (n,), bool
    pictures : callable
        `pictures(rows)`: what was looked at for each of some answers, or None.
    """

    values: Array
    counts: Array
    exact: Array
    pictures: Callable[[Array], Sequence[Chart | None]] = field(default=lambda rows: [None] * len(rows), compare=False)


def text_truth(model: Any, X: Any, y: Any, what: str = "y") -> Truth:
    """Return the true answers.

    Parameters
    ----------
    model : estimator
    X : list of str, or Dataset of n texts
    y : sequence of n str
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If there are more or fewer answers than texts, or one of them is no text.
    MissingExtra
        If sacrebleu is not installed.
    """
    load_sacrebleu()
    y = y.values(y.names[0]) if hasattr(y, "with_target") else y
    given: list[Any] = y.tolist() if hasattr(y, "tolist") else list(y)
    given = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in given]
    check_lengths(X, given, what)
    odd = next((i for i, each in enumerate(given) if not isinstance(each, str)), None)
    if odd is not None:
        raise InvalidInput(
            f"{what} holds {given[odd]!r:.60} in row {odd}, and no text. An answer cannot be judged without the true "
            "one: leave such rows out."
        )
    return Truth("translation", _texts(given), ())


def predict_texts(model: Any, X: Any, truth: Truth) -> TextPredictions:
    """Ask a model for the answers to all texts.

    Raises
    ------
    InvalidInput
        If it gives more or fewer answers, or others than texts.
    """
    said = list(model.predict(X))
    if len(said) != len(truth) or not all(isinstance(each, str) for each in said):
        raise InvalidInput(
            f"{type(model).__name__} gives {len(said):,} answers, such as {said[:1]!r:.60}, to {len(truth):,} texts. "
            "Give a model that answers each text with a text."
        )
    return compared(truth, said, partial(_pictures, model, X, said))


def compared(truth: Truth, said: Sequence[str], pictures: Callable[[Array], Any] | None = None) -> TextPredictions:
    """Return answers beside the true ones."""
    true = truth.values.tolist()
    counts = np.hstack([bleu_counts(said, true), chrf_counts(said, true)])
    exact = np.array([one == other for one, other in zip(said, true, strict=True)])
    if pictures is None:
        return TextPredictions(_texts(said), counts, exact)
    return TextPredictions(_texts(said), counts, exact, pictures)


def resampled_text_metrics(truth: Truth, said: TextPredictions) -> list[Resampled]:
    """Return the function of the weights of the texts, (n, b), that gives every metric, (b,) each."""

    def metrics(weights: Array) -> dict[str, Array]:
        counts = weights.T @ said.counts
        return {
            "bleu": bleu(counts[:, :N_BLEU]),
            "chrf": chrf(counts[:, N_BLEU:]),
            "exact_match": said.exact @ weights / weights.sum(axis=0),
        }

    return [metrics]


def text_values(truth: Truth, said: TextPredictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric."""
    functions = resampled_text_metrics(truth, said)
    return values_at(functions, np.ones(len(truth)) if weight is None else weight, lambda name: "there is no text")


def text_facts(truth: Truth, said: TextPredictions) -> dict[str, str]:
    """Return what a reader must know of the answers, and of how they are judged."""
    words = [sum(len(text.split()) for text in texts) / len(texts) for texts in (truth.values, said.values)]
    return {
        "Answers": f"{words[0]:.1f} words on average; the model says {words[1]:.1f}",
        "BLEU, chrF": f"of all together, words '13a', with capitals (sacrebleu {load_sacrebleu().__version__})",
    }


def worst_texts(truth: Truth, said: TextPredictions, X: Any) -> tuple[Mistake, ...]:
    """Return the answers with the lowest chrF of their own, worst first; of equal ones the longer ones first."""
    score = chrf(said.counts[:, N_BLEU:]) / 100
    rows = np.flatnonzero(~said.exact)
    lengths = np.array([len(truth.values[row]) for row in rows])
    rows = rows[np.lexsort((-lengths, score[rows]))][:N_WORST]
    sources = texts_of(X)
    return tuple(
        Mistake(
            row,
            str(truth.values[row]),
            str(said.values[row]),
            score=float(score[row]),
            features={} if sources is None else {"source": sources[row]},
            picture=picture,
        )
        for row, picture in zip(rows.tolist(), said.pictures(rows), strict=True)
    )


def texts_of(X: Any) -> list[str] | None:
    """Return X as texts, one a row, or None where it cannot be read as such."""
    try:
        data = as_dataset(X)
        return joined_texts(data, text_columns(data))
    except InvalidInput:
        return None


def _pictures(model: Any, X: Any, said: list[str], rows: Array) -> list[Chart | None]:
    """Return what was looked at for some answers; None for those without a word."""
    look, data = getattr(model, "attention", None), as_dataset(X)
    kept = [row for row in rows.tolist() if said[row].strip()]
    if look is None or not kept:
        return [None] * len(rows)
    drawn = dict(zip(kept, look(data.take(np.array(kept)), [said[row] for row in kept]), strict=True))
    return [drawn[row].plot() if row in drawn else None for row in rows.tolist()]


def _texts(given: Sequence[str]) -> Array:
    texts = np.empty(len(given), dtype=object)
    texts[:] = given
    return texts
