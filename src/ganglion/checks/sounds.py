"""What is promised of recordings."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.checks.comparing import answers, close, close_answers, ensure, fresh, refused, same_bits
from ganglion.checks.data import tones
from ganglion.checks.suiting import hears
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput


def check_recordings_in_any_container(estimator: Any) -> None:
    """The same recordings give the same model, as an array or a list of pairs, as a data set, in stereo."""
    X, y = tones(estimator, n=20)
    model = fresh(estimator).fit(X, y)
    expected = answers(model, X)
    for given in (X.tolist(), as_dataset(X.tolist())):
        same_bits(answers(fresh(estimator).fit(given, y.tolist()), given), expected)
    stereo = [(rate, np.stack([samples, samples], 1)) for rate, samples in X]
    floats = [(rate, samples / np.float32(2**15)) for rate, samples in X]
    for given in (stereo, floats):
        close(answers(model, given), expected, atol=1e-4)


def check_recordings_of_another_rate(estimator: Any) -> None:
    """A recording of another rate is brought to that of training, and answered."""
    X, y = tones(estimator, n=20)
    model = fresh(estimator).fit(X, y)
    faster = [(2 * rate, np.repeat(samples, 2)) for rate, samples in X]
    found = answers(model, faster)
    ensure(all(len(answer) == len(X) for answer in found.values()), "not one answer for each recording")


def check_bad_recordings_are_refused(estimator: Any) -> None:
    """Recordings without a sample, with NaN, of an impossible rate, and what is none, are refused before training."""
    X, y = tones(estimator, n=20)
    nothing = fresh(estimator)
    samples = X[3][1].astype(np.float32)
    broken = np.where(np.arange(len(samples)) == 7, np.nan, samples)
    for bad in ((4000, samples[:0]), (4000, broken), (0, samples), (44.1, samples), (4000, samples.astype(str))):
        spoiled = X.copy()
        spoiled[3] = bad
        refused(lambda spoiled=spoiled: nothing.fit(spoiled, y), InvalidInput, "recording 3")
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    refused(lambda: model.predict([(4000, broken)]), InvalidInput, "recording 0")


def check_zero_weight_of_recordings(estimator: Any) -> None:
    """A recording of weight 0 leaves no trace."""
    X, y = tones(estimator, n=20)
    weight = np.ones(len(y))
    weight[1::4] = 0
    kept = np.flatnonzero(weight)
    weighted, without = fresh(estimator).fit(X, y, sample_weight=weight), fresh(estimator).fit(X[kept], y[kept])
    close_answers(weighted, without, X)  # targets are standardised, in sums of another order


CHECKS = (
    (hears, check_recordings_in_any_container),
    (hears, check_recordings_of_another_rate),
    (hears, check_bad_recordings_are_refused),
    (hears, check_zero_weight_of_recordings),
)
