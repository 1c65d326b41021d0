"""NAB's scoring: cases computed by hand, and the figures that NAB itself has published."""

import math

import numpy as np
import pytest
from benchmarks.claims._nab import PUBLISHED, SERIES, Labelled, best_threshold, labelled, normalised, score_of
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import InvalidFile


def sigmoid(y):
    return math.tanh(-5 * y / 2)  # 2 / (1 + e^{5y}) - 1


def series(n=100, windows=((40, 49), (80, 89))):
    return Labelled("made", np.zeros(n), np.array(windows))


def alarms(*steps, n=100):
    return np.isin(np.arange(n), steps)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), -2.0),  # two windows are missed
        ((40, 80), 2.0),  # their first steps: perfect
        ((14, 40, 80), 2.0),  # the first 15 steps are not scored
        ((15, 40, 80), 2.0 - 0.11),  # before all windows: a whole false alarm
        ((40, 45, 80), 2.0),  # a window counts once
        ((45, 80), 1.0 + sigmoid(-0.5) / sigmoid(-1)),  # half of the window has passed
        ((49, 80), 1.0 + sigmoid(-0.1) / sigmoid(-1)),
        ((40, 50, 80), 2.0 + 0.11 * sigmoid(1 / 9)),  # one step behind a window is nearly right
        ((40, 75, 80), 2.0 + 0.11 * sigmoid(26 / 9)),
        ((40, 76, 80), 2.0 - 0.11),  # three widths behind
    ],
)
def test_score_by_hand(given, expected):
    assert math.isclose(score_of(alarms(*given), series()), expected, abs_tol=1e-12)


def test_nothing_is_0_and_perfect_is_100():
    both = [series(), series()]
    assert normalised(2 * score_of(alarms(), series()), both) == 0
    assert math.isclose(normalised(2 * score_of(alarms(40, 80), series()), both), 100)


@given(st.integers(0, 500), st.integers(1, 6))
def test_best_threshold_is_the_best_of_all(seed, n_levels):
    rng = np.random.default_rng(seed)
    scores = [rng.integers(0, n_levels, 100).astype(float) for _ in range(2)]
    both = [series(), series(windows=((20, 30),))]

    def total(threshold):
        return sum(score_of(each >= threshold, one) for each, one in zip(scores, both, strict=True))

    threshold, best = best_threshold(scores, both)
    assert math.isclose(total(threshold), best, abs_tol=1e-9)
    assert math.isclose(max(map(total, range(n_levels))), best, abs_tol=1e-9)


def test_numenta_s_alarms_have_the_score_that_nab_has_published():
    """Of realTraffic/speed_7578, as numenta_speed_7578.csv of the benchmark has them, at its threshold 0.542."""
    try:
        speed = labelled("realTraffic/speed_7578")
    except InvalidFile as error:
        pytest.skip(str(error))
    given = ["09-11 12:14", "09-11 16:44", "09-15 04:55", "09-15 14:24", "09-15 14:29", "09-16 14:14", "09-16 17:10"]
    import csv

    from ganglion.data.public import find

    with find("nab/realTraffic/speed_7578.csv").open() as file:
        times = [row[0] for row in list(csv.reader(file))[1:]]
    alarm = np.isin(times, [f"2015-{each}:00" for each in [*given, "09-17 13:55"]])
    assert math.isclose(score_of(alarm, speed), 3.19572468045, abs_tol=1e-9)


def test_published_scores_are_of_all_series_and_normalised_as_nab_does():
    # of all 58 series, 116 windows: 46.634 is published as 70.10
    assert math.isclose(100 * (46.634450197137596 + 116) / 232, 70.10105611943965)
    assert all(len(scores) == len(SERIES) for scores in PUBLISHED.values())
