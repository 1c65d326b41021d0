"""Prediction sets on CIFAR-10 and intervals on bike sharing: whether nine of ten hold the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.algorithms.cnn import CNNClassifier
from ganglion.algorithms.mlp import MLPRegressor
from ganglion.data.public import find
from ganglion.data.read import read, with_target
from ganglion.errors import InvalidFile
from ganglion.evaluation.conformal import conformal_quantile, strangeness
from ganglion.evaluation.inputs import truth_of
from ganglion.evaluation.predictions import predict

SEED, SPLITS, COVERAGE, WITHIN = 0, 50, 0.9, 0.015
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
    sets = coverages(CNNClassifier(**CNN).fit(X, y), X_test, y_test)
    intervals = coverages(MLPRegressor(**MLP).fit(*seen.X_y()), *others.X_y())
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
        f"rows calibrate, the other half is looked at, in {SPLITS} splits. In brackets: 95 % of the splits.",
        reference="Vovk et al. 2005; Sadinle et al. 2019; Lei et al. 2018: at least the nominal, whatever the model",
        figures=figures,
        details={"sets": sets.tolist(), "intervals": intervals.tolist()},
    )


def coverages(model: Any, X: Any, y: Any) -> np.ndarray:
    """Return the share of rows that are covered, of each split."""
    truth = truth_of(model, X, y)
    scores, rng = strangeness(truth, predict(model, X, truth)), np.random.default_rng(SEED)
    found = []
    for _ in range(SPLITS):
        here, there = np.array_split(rng.permutation(len(truth)), 2)
        found.append(float((scores[there] <= conformal_quantile(scores[here], COVERAGE)).mean()))
    return np.array(found)
