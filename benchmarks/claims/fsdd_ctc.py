"""Free spoken digits, strings of three to six: what was said, by CTC; speakers heard before, recordings never."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.public import DIGITS, SPEAKERS, fsdd
from ganglion.algorithms.speech_recognizer import SpeechRecognizer
from ganglion.errors import InvalidFile
from ganglion.evaluation.predictions import Truth
from ganglion.evaluation.transcription import compared, resampled_transcript_metrics, transcript_values

TEST_TAKES, VALID_TAKES = 10, 5  # takes 0 … 9 of each digit and speaker are tested on, 10 … 14 validated on
TRAINING_STRINGS = 2000
SETTINGS: dict[str, Any] = {
    "tokenizer": "words(min_count=1)",
    "subsampling": 4,
    "width": 64,
    "channels": 16,
    "epochs": 12,
    "batch_size": 16,
    "threads": 1,
    "random_state": 0,
}
LETTERS: dict[str, Any] = {"epochs": 10, "threads": 1, "random_state": 0}  # all else, the units too, as it comes
RATE, SHORTEST, LONGEST = 8000, 3, 6
PAUSE = (0.05, 0.3)  # seconds


def claim() -> Claim:
    """Train on strings of some takes, keep the best epoch on those of others, test on the rest."""
    try:
        X, digits, speakers, takes = fsdd()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    is_test, is_valid = takes < TEST_TAKES, (takes >= TEST_TAKES) & (takes < TEST_TAKES + VALID_TAKES)
    train = strings(X, digits, speakers, ~is_test & ~is_valid, n=TRAINING_STRINGS, seed=1)
    valid, test = (strings(X, digits, speakers, rows, seed=seed) for rows, seed in ((is_valid, 2), (is_test, 3)))
    started = time.perf_counter()
    model = SpeechRecognizer(**SETTINGS).fit(*train, validation=valid)
    seconds = time.perf_counter() - started
    truth = Truth("speech_recognition", np.array(test[1], dtype=object), ())
    said = compared(truth, model.predict(test[0]).tolist())
    greedy = compared(truth, model.set_params(beams=1).predict(test[0]).tolist())
    values = transcript_values(truth, said)
    started = time.perf_counter()
    spelling = SpeechRecognizer(**LETTERS).fit(*train, validation=valid)
    spelling_minutes = (time.perf_counter() - started) / 60
    spelled = compared(truth, spelling.predict(test[0]).tolist())
    by_letters = transcript_values(truth, spelled)
    return Claim(
        name="fsdd_ctc",
        data=f"Strings of {SHORTEST} to {LONGEST} digits, made by joining recordings of one speaker with pauses of "
        f"{PAUSE[0]} to {PAUSE[1]} s of silence, their lengths drawn evenly, also before and behind. Takes 0 to "
        f"{TEST_TAKES - 1} of each digit and speaker are tested on, each once, in {len(test[0])} strings; the next "
        f"{VALID_TAKES} validated on; of the others {TRAINING_STRINGS:,} strings are made.",
        settings=f"SpeechRecognizer({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), words as "
        f"units; with letters SpeechRecognizer({', '.join(f'{name}={value!r}' for name, value in LETTERS.items())}), "
        f"trained in {spelling_minutes:.1f} min. The epoch is chosen on the validation strings. "
        f"Trained in {seconds / 60:.1f} min. By the best path the word "
        f"error rate is {transcript_values(truth, greedy)['word_error_rate']:.3f}. Intervals: bootstrap of the "
        "strings, no two of which share a recording.",
        reference="none",
        figures=[
            _figure("word error rate", values["word_error_rate"], truth, said, "word_error_rate", 0.03),
            _figure("character error rate", values["character_error_rate"], truth, said, "character_error_rate", 0.03),
            _figure("word error rate, letters", by_letters["word_error_rate"], truth, spelled, "word_error_rate", 0.03),
            _figure(
                *("character error rate, letters", by_letters["character_error_rate"], truth, spelled),
                *("character_error_rate", 0.03),
            ),
        ],
        details={
            "seconds": seconds,
            "epochs": model.history_.rows,
            "wrong": [[t, s] for t, s in zip(truth.values, said.values, strict=True) if t != s],
        },
    )


def strings(
    X: Sequence[tuple[int, np.ndarray]],
    digits: np.ndarray,
    speakers: np.ndarray,
    rows: np.ndarray,
    *,
    n: int | None = None,
    seed: int,
) -> tuple[list[tuple[int, np.ndarray]], list[str]]:
    """Join recordings to strings of one speaker each.

    Parameters
    ----------
    X : sequence of (rate, samples)
    digits, speakers : ndarray of shape (n_recordings,)
    rows : ndarray of shape (n_recordings,), bool
        The recordings that may be taken.
    n : int, optional
        So many strings; without it each recording stands in one string, and in one only.
    seed : int
    """
    rng, made, said = np.random.default_rng(seed), [], []
    for speaker in SPEAKERS:
        own = np.flatnonzero(rows & (speakers == speaker))
        for chosen in _drawn(own, rng, None if n is None else n // len(SPEAKERS)):
            parts = [_pause(rng)]
            for i in chosen:
                parts += [X[i][1], _pause(rng)]
            made.append((RATE, np.concatenate(parts)))
            said.append(" ".join(DIGITS[digits[i]] for i in chosen))
    return made, said


def _drawn(own: np.ndarray, rng: np.random.Generator, n: int | None) -> list[np.ndarray]:
    """Return which recordings make each string: drawn anew for each, or all of them dealt out."""
    if n is not None:
        return [rng.choice(own, rng.integers(SHORTEST, LONGEST + 1), replace=False) for _ in range(n)]
    left, dealt = rng.permutation(own), []
    while len(left):
        fit = [k for k in range(SHORTEST, LONGEST + 1) if len(left) == k or len(left) - k >= SHORTEST]
        k = int(rng.choice(fit))
        dealt.append(left[:k])
        left = left[k:]
    return dealt


def _pause(rng: np.random.Generator) -> np.ndarray:
    return np.zeros(int(rng.uniform(*PAUSE) * RATE), dtype=np.int16)


def _figure(name: str, value: Any, truth: Truth, said: Any, metric: str, target: float) -> Figure:
    draws = np.random.default_rng(0).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=10_000)
    rates = resampled_transcript_metrics(truth, said)[0](draws.T.astype(np.float64))[metric]
    low, high = np.quantile(rates, [0.025, 0.975])
    return Figure(name, float(value), float(low), float(high), target, lower_is_better=True)
