"""Transcripts of recordings, judged word by word and letter by letter; the bootstrap draws recordings.

    word error rate         (wrong + missing + added words) / true words, all recordings together
    character error rate    the same of letters, blanks among them
    exact match             share of the transcripts that are right to the letter

The worst transcripts are those with the most wrong words for their length, drawn with their spectrogram and the words
side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.edit_distance import aligned, n_edits
from ganglion.errors import InvalidInput
from ganglion.evaluation.hearing import recordings_in, spectrograms_of
from ganglion.evaluation.inputs import check_lengths
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, values_at

N_WORST = 12
ABSENT = "∅"  # in place of a word that is missing


@dataclass(frozen=True, slots=True)
class TranscriptPredictions:
    """What one model understands of the evaluation recordings.

    Attributes
    ----------
    values : ndarray of shape (n,), of str
    counts : ndarray of shape (n, 4)
        Wrong words, true words, wrong letters, true letters of each.
    exact : ndarray of shape (n,), bool
    """

    values: Array
    counts: Array
    exact: Array


def transcript_truth(model: Any, X: Any, y: Any, what: str = "y") -> Truth:
    """Return the true transcripts.

    Parameters
    ----------
    model : estimator
    X : list of recordings, or Dataset of n
    y : sequence of n str
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If there are more or fewer transcripts than recordings, or one of them is no text, or has no word.
    """
    y = y.values(y.names[0]) if hasattr(y, "with_target") else y
    given: list[Any] = y.tolist() if hasattr(y, "tolist") else list(y)
    given = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in given]
    check_lengths(X, given, what)
    odd = next((i for i, each in enumerate(given) if not isinstance(each, str) or not each.strip()), None)
    if odd is not None:
        raise InvalidInput(
            f"{what} holds {given[odd]!r:.60} in row {odd}, and no words. A transcript cannot be judged without the "
            "true one: leave such rows out."
        )
    return Truth("speech_recognition", _texts(given), ())


def predict_transcripts(model: Any, X: Any, truth: Truth) -> TranscriptPredictions:
    """Ask a model what is said in all recordings.

    Raises
    ------
    InvalidInput
        If it gives more or fewer transcripts, or others than texts.
    """
    said = list(model.predict(X))
    if len(said) != len(truth) or not all(isinstance(each, str) for each in said):
        raise InvalidInput(
            f"{type(model).__name__} gives {len(said):,} answers, such as {said[:1]!r:.60}, to {len(truth):,} "
            "recordings. Give a model that writes down what is said in each."
        )
    return compared(truth, said)


def compared(truth: Truth, said: Sequence[str]) -> TranscriptPredictions:
    """Return transcripts beside the true ones."""
    pairs = list(zip(truth.values.tolist(), said, strict=True))
    counts = [(n_edits(t.split(), s.split()), len(t.split()), n_edits(t, s), len(t)) for t, s in pairs]
    exact = np.array([true == other for true, other in pairs])
    return TranscriptPredictions(_texts(said), np.array(counts, dtype=np.float64), exact)


def resampled_transcript_metrics(truth: Truth, said: TranscriptPredictions) -> list[Resampled]:
    """Return the function of the weights of the recordings, (n, b), that gives every metric, (b,) each."""

    def metrics(weights: Array) -> dict[str, Array]:
        words, all_words, letters, all_letters = said.counts.T @ weights
        return {
            "word_error_rate": words / all_words,
            "character_error_rate": letters / all_letters,
            "exact_match": said.exact @ weights / weights.sum(axis=0),
        }

    return [metrics]


def transcript_values(truth: Truth, said: TranscriptPredictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric."""
    functions = resampled_transcript_metrics(truth, said)
    return values_at(functions, np.ones(len(truth)) if weight is None else weight, lambda name: "there is no recording")


def transcript_facts(truth: Truth, said: TranscriptPredictions) -> dict[str, str]:
    """Return what a reader must know of the transcripts, and of what was wrong with them."""
    pairs = [pair for t, s in zip(truth.values, said.values, strict=True) for pair in aligned(t.split(), s.split())]
    wrong = sum(one is not None and other is not None and one != other for one, other in pairs)
    missing, added = (sum(pair[side] is None for pair in pairs) for side in (1, 0))
    n_words = int(said.counts[:, 1].sum())
    return {
        "Words": f"{n_words:,} in all, {n_words / len(truth):.1f} a recording",
        "Errors": f"{wrong:,} words wrong, {missing:,} missing, {added:,} added",
    }


def worst_transcripts(truth: Truth, said: TranscriptPredictions, X: Any) -> tuple[Mistake, ...]:
    """Return the transcripts with the highest word error rate, worst first; of equal ones those of more words first."""
    rate = said.counts[:, 0] / said.counts[:, 1]
    rows = np.flatnonzero(~said.exact)
    rows = rows[np.lexsort((-said.counts[rows, 1], -said.counts[rows, 2], -rate[rows]))][:N_WORST]
    data = recordings_in(X)
    pictures = [None] * len(rows) if data is None else spectrograms_of(data, rows)
    files = [""] * len(rows)
    if data is not None and "file" in data.index:
        files = data.take(rows).values("file").tolist()
    return tuple(
        Mistake(
            row,
            str(truth.values[row]),
            str(said.values[row]),
            score=max(0.0, 1.0 - float(rate[row])),
            file=file,
            picture=picture,
            words=_side_by_side(str(truth.values[row]), str(said.values[row])),
        )
        for row, picture, file in zip(rows.tolist(), pictures, files, strict=True)
    )


def _side_by_side(true: str, said: str) -> tuple[tuple[str, str, str], ...]:
    """Return the words of two transcripts as (word if right, true, said); what one of them lacks is "∅"."""
    pairs = aligned(true.split(), said.split())
    return tuple((one if one == other else "", one or ABSENT, other or ABSENT) for one, other in pairs)


def _texts(given: Sequence[str]) -> Array:
    texts = np.empty(len(given), dtype=object)
    texts[:] = given
    return texts
