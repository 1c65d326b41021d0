"""What every estimator refuses, before anything is trained."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import NotFittedError

from ganglion.checks.comparing import METHODS, answers, ask, ensure, fresh, has_answers, refused
from ganglion.checks.data import data_for, mixed_frame
from ganglion.checks.suiting import (
    always,
    classifies,
    detects,
    has_target,
    reads_music,
    reads_numbers,
    reads_tables,
    reads_texts_alone,
)
from ganglion.errors import InvalidInput
from ganglion.estimators.base import Estimator


def check_bad_features_are_refused(estimator: Estimator) -> None:
    """Features of a wrong shape, type or size, and infinite ones, are refused before anything is trained."""
    X, y = data_for(estimator)
    infinite = X.copy()
    infinite[3, 1] = np.inf
    narrower, wider = X[..., :-1], np.concatenate([X, X], -1)
    nothing = fresh(estimator)
    one = () if detects(estimator.tags) else (X[:, 0],)  # one column is a series, and has no target to lack
    for bad in (infinite, *one, X[:0], X[:, :0], X + 1j, X[:-1], np.zeros((4,) * 5), "a text", None):
        refused(lambda bad=bad: nothing.fit(bad, y), InvalidInput)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    bad_ones = (infinite, X[0], X[:0], *(() if estimator.tags.any_size else (narrower, wider)))
    for bad in bad_ones if has_answers(model) else ():
        refused(lambda bad=bad: ask(model, bad), ValueError)


def check_bad_texts_are_refused(estimator: Estimator) -> None:
    """What is no list of texts, and texts without anything in them, are refused before anything is trained."""
    X, y = data_for(estimator)
    nothing, empty = fresh(estimator), X.astype(object)
    empty[3] = ""
    for bad in ("a text", None, [], np.zeros((len(X), 3)), X[:, None, None], empty, [*X[:-1], 7], [*X[:-1], b"bytes"]):
        refused(lambda bad=bad: nothing.fit(bad, y), InvalidInput)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    for bad in (str(X[0]), [], [""], [7]):
        refused(lambda bad=bad: answers(model, bad), ValueError)


def check_bad_music_is_refused(estimator: Estimator) -> None:
    """What are no pieces, no chords and no pitches is refused before anything is trained."""
    X, y = data_for(estimator)
    nothing, wrong = fresh(estimator), X.astype(np.float64)
    wrong[3, 1, 5] = np.nan
    for bad in (
        "a text",
        None,
        [],
        X[0],
        X[:0],
        X[:, :0],
        X * 2,
        wrong,
        [*X[:-1], []],
        [[[60]], [[5]]],
        [[["C4"]]],
        [[60]],
    ):
        refused(lambda bad=bad: nothing.fit(bad, y), ValueError)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    for bad in (X[0], [], X * 2, wrong, [[[60.5]]]):
        refused(lambda bad=bad: answers(model, bad), ValueError)


def check_bad_targets_are_refused(estimator: Estimator) -> None:
    """Missing, infinite, too few and misshapen targets are refused."""
    X, y = data_for(estimator)
    missing = y.astype(object)
    missing[5] = None
    gaps = np.where(np.arange(len(y)) == 5, np.nan, np.arange(len(y)) % 2.0)
    endless = np.where(np.arange(len(y)) == 5, np.inf, np.arange(len(y)) % 2.0)
    for bad in (missing, gaps, endless, y[:-1], np.tile(np.arange(3), (len(y), 2, 1)), None, gaps + 1j):
        refused(lambda bad=bad: fresh(estimator).fit(X, bad), (InvalidInput, ValueError))


def check_bad_weights_are_refused(estimator: Estimator) -> None:
    """Weights that are negative, missing, all zero or of a wrong number are refused."""
    X, y = data_for(estimator)
    ones = np.ones(len(y))
    for bad in (-ones, ones * np.nan, ones * np.inf, ones * 0, ones[:-1], np.ones((len(y), 2))):
        refused(lambda bad=bad: fresh(estimator).fit(X, y, sample_weight=bad), InvalidInput)


def check_bad_validation_is_refused(estimator: Estimator) -> None:
    """Held-out data that differ in their columns or targets are refused."""
    X, y = data_for(estimator)
    half = X[..., : X.shape[-1] // 2]
    for bad in ((half, y), (X, y[:-1]), (X,), X):
        refused(lambda bad=bad: fresh(estimator).fit(X, y, validation=bad), ValueError)


def check_unfitted_is_refused(estimator: Estimator) -> None:
    """Nothing answers or is saved before `fit`."""
    X, _ = data_for(estimator)
    for method in METHODS:
        if hasattr(estimator, method):
            refused(lambda method=method: getattr(fresh(estimator), method)(X), NotFittedError, "fit")
    refused(lambda: fresh(estimator).save("never-written"), NotFittedError, "fit")


def check_one_class_is_refused(estimator: Estimator) -> None:
    """One class alone cannot be told apart from anything."""
    X, y = data_for(estimator)
    refused(lambda: fresh(estimator).fit(X, np.full(len(y), "only")), InvalidInput, "only")
    lonely = np.where(y == y[0], 1.0, 0.0)
    refused(lambda: fresh(estimator).fit(X, y, sample_weight=lonely), InvalidInput, "one class")


def check_text_where_numbers_were_is_refused(estimator: Estimator) -> None:
    """A column of numbers in training that holds words at prediction is refused by name."""
    frame, y = mixed_frame(estimator)
    model = fresh(estimator).fit(frame, y)
    if has_answers(model):
        refused(lambda: ask(model, frame.assign(number=["word"] * len(y))), InvalidInput, "number")


CHECKS = (
    (reads_numbers, check_bad_features_are_refused),
    (reads_texts_alone, check_bad_texts_are_refused),
    (reads_music, check_bad_music_is_refused),
    (has_target, check_bad_targets_are_refused),
    (always, check_bad_weights_are_refused),
    (reads_numbers, check_bad_validation_is_refused),
    (always, check_unfitted_is_refused),
    (reads_tables, check_text_where_numbers_were_is_refused),
    (classifies, check_one_class_is_refused),
)
