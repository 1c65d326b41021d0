"""What is promised of series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ganglion.checks.comparing import answers, close, ensure, fresh, refused, same_bits
from ganglion.checks.data import several_series, steps
from ganglion.checks.suiting import detects, forecasts
from ganglion.errors import InvalidInput
from ganglion.estimators.base import Estimator


def check_series_do_not_depend_on_one_another(estimator: Estimator) -> None:
    """A series is answered alike, alone and among others, its rows in any order."""
    frame, y = several_series()
    model = fresh(estimator).fit(frame, y)
    together = answers(model, frame)
    alone = [answers(model, frame[frame["place"] == name]) for name in ("north", "south")]
    close({name: np.concatenate([each[name] for each in alone]) for name in together}, together, atol=1e-6)
    same_bits(answers(model, frame.iloc[::-1]), together)


def check_the_future_is_not_seen(estimator: Estimator) -> None:
    """Other steps after a moment change no forecast from there, and no statistic of what was held out."""
    X, _ = steps(n=120)
    model = fresh(estimator).fit(X)
    panel, places = model.origins(X, stride=5)
    said = model.forecast_from(panel, places).values
    for i, place in enumerate(places.tolist()):
        other = X.copy()
        other[place:] = 1e3
        again = model.forecast_from(model.origins(other)[0], places).values
        np.testing.assert_array_equal(again[i], said[i])


def check_damaged_times_are_refused(estimator: Estimator) -> None:
    """Times that stand twice or are missing are refused, and so is what is too short."""
    frame, _ = several_series()
    nothing = fresh(estimator)
    twice = pd.concat([frame, frame.iloc[:3]])
    for bad, words in (
        (twice, "stands there already"),
        (frame.assign(day=frame["day"].where(frame.index != 3)), "no time"),
        (frame.iloc[:3], "3 steps"),
        (frame.assign(one=1.0, other=2.0), "nothing to learn"),
    ):
        refused(lambda bad=bad: nothing.fit(bad), InvalidInput, words)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(frame)
    for bad in (twice, frame.iloc[:3]):
        refused(lambda bad=bad: model.predict(bad), InvalidInput)


def check_scores_look_back_only(estimator: Estimator) -> None:
    """Other steps after a moment change no score before it, and alarms are the scores below `offset_`."""
    X, _ = steps(n=120)
    model = fresh(estimator).fit(X)
    scores, other = model.score_samples(X), X.copy()
    other[80:] = 1e3
    same_bits({"scores": model.score_samples(other)[:80]}, {"scores": scores[:80]})
    ensure(bool((model.score_samples(other)[80:] < scores[80:]).any()), "steps far off are no stranger")
    same_bits({"alarms": model.predict(X) == -1}, {"alarms": scores < model.offset_})


CHECKS = (
    (detects, check_scores_look_back_only),
    (forecasts, check_series_do_not_depend_on_one_another),
    (forecasts, check_the_future_is_not_seen),
    (forecasts, check_damaged_times_are_refused),
)
