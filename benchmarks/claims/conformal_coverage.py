"""Prediction sets on CIFAR-10 and intervals on bike sharing: whether nine of ten hold the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.algorithms.cnn import CNNClassifier
from ganglion.algorithms.mlp import MLPRegressor
from ganglion.data.public import find
from ganglion.data.read import read, with_target
from ganglion.errors import InvalidFile
from ganglion.evaluation.conformal import Conformal, conformal

SEED, SPLITS, COVERAGE, WITHIN = 0, 20, 0.9, 0.015
CNN: dict[str, Any] = {"epochs": 8, "threads": 1, "random_state": SEED}
MLP: dict[str, Any] = {"epochs": 40, "threads": 1, "random_state": SEED}


def claim() -> Claim:
    """Train each once; half of the held-out rows calibrate, the others are looked at, in many splits."""
    from benchmarks.public import cifar10

    try:
        X, y, X_test, y_test = cifar10()
        bikes = with_target(
            read(find("bike_sharing/hour.csv")).drop(["instant", "dteday", "casual", "registered"]), "cnt"
        )
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    order = np.random.default_rng(SEED).permutation(len(bikes))
    seen, others = bikes.take(order[:12_000]), bikes.take(order[12_000:])
    features, counts = others.X_y()
    sets = coverages(CNNClassifier(**CNN).fit(X, y), X_test.__getitem__, y_test, in_set)
    intervals = coverages(MLPRegressor(**MLP).fit(*seen.X_y()), features.take, counts, in_interval)
    figures = []
    for name, found in (("sets, CIFAR-10", sets), ("intervals, bike sharing", intervals)):
        low, high = np.quantile(found, [0.025, 0.975])
        apart = abs(float(found.mean()) - COVERAGE)
        figures.append(
            Figure(
                f"{name}: {found.mean():.4f} ({low:.4f} to {high:.4f}) covered, apart from {COVERAGE}",
                apart,
                apart,
                apart,
                target=WITHIN,
                lower_is_better=True,
            )
        )
    return Claim(
        name="conformal_coverage",
        data=f"CIFAR-10, {len(X):,} images to learn from and {len(X_test):,} held out; bike sharing by the hour, "
        f"{len(seen):,} and {len(others):,} rows.",
        settings=f"CNNClassifier({CNN}), MLPRegressor({MLP}), split-conformal at {COVERAGE:.0%}: half of the held-out "
        f"rows calibrate, the other half is asked for sets or intervals, in {SPLITS} splits. In brackets: 95 % of the "
        "splits; they are of the same rows, so that the mean says little of other rows.",
        reference="Vovk et al. 2005; Sadinle et al. 2019; Lei et al. 2018: at least the nominal, whatever the model",
        figures=figures,
        details={"sets": sets.tolist(), "intervals": intervals.tolist()},
    )


def coverages(
    model: Any, take: Callable[[np.ndarray], Any], y: Any, inside: Callable[[Conformal, Any, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the share of rows that are covered, of each split; `take` returns some of the rows of X."""
    rng, y = np.random.default_rng(SEED), np.asarray(y)
    found = []
    for _ in range(SPLITS):
        here, there = np.array_split(rng.permutation(len(y)), 2)
        covering = conformal(model, take(here), y[here], coverage=COVERAGE)
        found.append(float(inside(covering, take(there), y[there]).mean()))
    return np.array(found)


def in_set(covering: Conformal, X: Any, y: np.ndarray) -> np.ndarray:
    return covering.predict_set(X)[np.arange(len(y)), np.searchsorted(covering.model.classes_, y)]


def in_interval(covering: Conformal, X: Any, y: np.ndarray) -> np.ndarray:
    low, high = covering.predict_interval(X).T
    return (low <= y) & (y <= high)
