"""Learning curves of all contenders: fitted to beginnings of the rows of each fold, asked of the same held-out rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganglion.evaluation.contest import Answer, Contest
from ganglion.evaluation.folds import Folds, nested
from ganglion.evaluation.held_out import score
from ganglion.evaluation.metrics import Metric
from ganglion.evaluation.more_rows import Growth, growth_of
from ganglion.evaluation.predictions import Array
from ganglion.evaluation.progress import Progress

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
FEWEST_LEARNED = 20  # rows, and so many for each class: of fewer a score says nothing
FEWEST_A_CLASS = 4
BEST = {"rmse": 0.0, "mae": 0.0, "median_absolute_error": 0.0, "log_loss": 0.0, "brier": 0.0, "hamming_loss": 0.0}


def has_curves(folds: Folds) -> bool:
    """Say whether the rows learned from are about as many in every fold, and not cut off by time."""
    sizes = [len(learned) for learned, _ in folds.first_round]
    return folds.order != "time" and len(sizes) > 1 and max(sizes) <= 1.2 * min(sizes)


def growths(
    contest: Contest, folds: Folds, answers: Sequence[Sequence[Answer]], metric: Metric, *, seed: int, bar: Progress
) -> dict[str, Growth]:
    """Return the learning curve of each contender.

    Parameters
    ----------
    contest : Contest
    folds : Folds
        Of which the first round is taken.
    answers : sequence of sequence of Answer
        Of each fold, one a contender, fitted to all its rows.
    metric : Metric
    seed : int
    bar : Progress
    """
    sizes = _sizes(contest, folds)
    curves: dict[str, list[list[float]]] = {each.name: [] for each in answers[0]}
    for k, (learned, held) in enumerate(folds.first_round):
        truth, order = contest.truth.take(held), nested(learned, contest.truth, folds, seed)
        rounds = [*(contest.run(np.sort(order[:n]), held, quiet=True) for n in sizes[:-1]), answers[k]]
        for some in zip(*rounds, strict=True):
            curves[some[0].name].append([score(truth, each, metric) for each in some])
        bar.step(sum(SHARES[:-1]), f"learning curve, fold {k + 1} of {len(folds.first_round)}")
    sign = 1.0 if metric.higher_is_better else -1.0
    best = 1.0 if metric.higher_is_better else BEST.get(metric.name, np.inf)
    found = {}
    for name, rows in curves.items():
        scores = np.array(rows)
        scores = scores[np.isfinite(scores).all(axis=1)]
        found[name] = growth_of(name, sizes, scores, sign=sign, best=best, test_share=folds.test_share, seed=seed)
    return found


def _sizes(contest: Contest, folds: Folds) -> Array:
    """Return how many rows to learn from, rising; the last stands for all of a fold's."""
    n = min(len(learned) for learned, _ in folds.first_round)
    n_classes = len(contest.truth.classes) if contest.labels is not None else 1
    fewest = max(FEWEST_LEARNED, FEWEST_A_CLASS * n_classes)
    return np.array([size for size in (round(share * n) for share in SHARES) if size >= fewest] or [n])
