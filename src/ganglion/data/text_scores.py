"""How much said texts are like true ones, as translations are judged: BLEU and chrF.

    BLEU = b (p_1 p_2 p_3 p_4)^¼,   p_k = (runs of k words that are right) / (said),   b = min(1, exp(1 - true / said))
    chrF = (1 + β²) P R / (β² P + R),   P, R means over runs of 1 … 6 letters, β = 2

Both are of a whole corpus: counts are summed over texts before anything is divided, so that any weighting of the texts,
a bootstrap's too, is a product with their counts. Runs are counted for BLEU by the package sacrebleu (its words, "13a",
with capitals); the figures are those that it gives.

    Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation"; Post 2018,
    arXiv:1804.08771; Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.errors import missing_extra

WORDS, LETTERS = 4, 6  # the longest runs
BETA = 2


def load_sacrebleu(purpose: str = "BLEU") -> Any:
    """Return the package `sacrebleu`, or raise MissingExtra."""
    try:
        import sacrebleu
    except ImportError as error:
        raise missing_extra("sacrebleu", "text", purpose) from error
    return sacrebleu


def bleu_counts(said: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """Return what BLEU counts of each text, (n, 10): runs of 1 … 4 words right, the same said, words said and true."""
    measure = load_sacrebleu().BLEU(effective_order=True)  # no matter for the counts: it would warn of single texts
    rows = np.zeros((len(said), 2 * WORDS + 2))
    for row, one, other in zip(rows, said, true, strict=True):
        found = measure.sentence_score(one, [other])
        row[:] = [*found.counts, *found.totals, found.sys_len, found.ref_len]
    return rows


def bleu(counts: np.ndarray) -> np.ndarray:
    """Return BLEU, from 0 to 100, of summed counts, (…, 10) → (…).

    Where no run of some length is right, half of one is counted, then a quarter, and so on: sacrebleu's default.
    """
    right, all_ = counts[..., :WORDS], counts[..., WORDS : 2 * WORDS]
    said, true = counts[..., -2], counts[..., -1]
    none = (right == 0) & (all_ > 0)
    smoothed = np.where(none, 0.5 ** np.cumsum(none, axis=-1), right)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.log(smoothed / all_).sum(axis=-1) / WORDS
        brevity = np.where(said < true, 1 - true / said, 0.0)
        score = 100 * np.exp(precision + brevity)
    return np.where((right.sum(axis=-1) > 0) & (all_[..., -1] > 0), score, 0.0)


def chrf_counts(said: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """Return what chrF counts of each text, (n, 18): for runs of 1 … 6 letters those said, true and right."""
    return np.array([_letter_runs(*pair) for pair in zip(said, true, strict=True)], dtype=np.float64).reshape(-1, 18)


def chrf(counts: np.ndarray) -> np.ndarray:
    """Return chrF, from 0 to 100, of summed counts, (…, 18) → (…)."""
    said, true, right = (counts[..., i::3] for i in range(3))
    there = (said > 0) & (true > 0)
    n = np.maximum(there.sum(axis=-1), 1)
    precision = np.where(there, right / np.where(there, said, 1), 0.0).sum(axis=-1) / n
    recall = np.where(there, right / np.where(there, true, 1), 0.0).sum(axis=-1) / n
    below = BETA**2 * precision + recall
    return 100 * np.where(below > 0, (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1), 0.0)


def _letter_runs(said: str, true: str) -> list[int]:
    one, other, row = "".join(said.split()), "".join(true.split()), []
    for k in range(1, LETTERS + 1):
        runs = [Counter(text[i : i + k] for i in range(len(text) - k + 1)) for text in (one, other)]
        # as sacrebleu counts: of a length that the truth has not, nothing counts as said
        row += [runs[0].total() if runs[1] else 0, runs[1].total(), (runs[0] & runs[1]).total()]
    return row
