"""Grids of times: what pandas' own date ranges are, what their gaps are, and what follows them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.grid import Grid, grid_of

RANGES = {
    "h": ("seconds", "every hour"),
    "15min": ("seconds", "every 15 minutes"),
    "D": ("seconds", "every day"),
    "W": ("seconds", "every week"),
    "B": ("weekdays", "every day from Monday to Friday"),
    "MS": ("months", "every month"),
    "ME": ("months", "every month"),
    "QE": ("months", "every 3 months"),
    "YS": ("months", "every year"),
}


def seconds(index):
    return index.to_numpy().astype("datetime64[ms]").astype(np.int64) / 1e3


@pytest.mark.parametrize("freq", RANGES)
@pytest.mark.parametrize("start", ["2023-01-02", "1960-02-29", "2024-12-30"])
def test_a_date_range_is_recognised_and_goes_on_as_pandas_does(freq, start):
    index = pd.date_range(start, periods=50, freq=freq)
    times = seconds(index)
    grid = grid_of([times[:40]], dated=True)
    assert (grid.unit, str(grid)) == RANGES[freq]
    assert (grid.places(times) == np.arange(50)).all()
    np.testing.assert_array_equal(grid.after(times[39], 10), times[40:])


@pytest.mark.parametrize("freq", RANGES)
@given(kept=st.sets(st.integers(1, 58), min_size=40))
def test_places_skip_what_is_missing(freq, kept):
    kept = np.array(sorted({0, 59, *kept}))
    times = seconds(pd.date_range("2020-01-01", periods=60, freq=freq))
    grid = grid_of([times], dated=True)
    assert (grid.places(times[kept]) == kept).all()


def test_numbers_have_a_grid_of_their_own():
    grid = grid_of([np.arange(1990.0, 2000), np.arange(1985.0, 1989)], dated=False)
    assert (grid.unit, grid.step, str(grid)) == ("steps", 1.0, "step by step")
    assert grid.text(1990.0) == "1990"


def test_a_clock_that_drifts_is_regular_and_scattered_times_are_not():
    rng = np.random.default_rng(0)
    drifting = np.cumsum(300 + rng.uniform(-5, 5, 1000))
    grid = grid_of([drifting], dated=True)
    assert grid.unit == "seconds"
    assert (grid.places(drifting) == np.arange(1000)).all()
    scattered = np.sort(rng.uniform(0, 1e6, 1000))
    assert not grid_of([scattered], dated=True).regular
    assert not grid_of([np.array([3.0])], dated=True).regular


def test_the_last_day_of_a_month_stays_the_last():
    grid = Grid("months", 1.0, True)
    january = pd.Timestamp("2024-01-31").timestamp()
    told = [grid.text(time) for time in grid.after(january, 3)]
    assert told == ["2024-02-29", "2024-03-31", "2024-04-30"]
    assert grid.text(grid.after(pd.Timestamp("2023-01-30").timestamp(), 1)[0]) == "2023-02-28"


def test_a_grid_comes_back_from_json_and_damage_is_seen():
    grid = Grid("seconds", 3600.0, True)
    assert Grid.from_json(grid.to_json()) == grid
    for damage in ({"unit": "parsecs"}, {"step": 0}, {"step": float("nan")}, {"dated": 1}):
        with pytest.raises(ValueError, match="grid"):
            Grid.from_json(grid.to_json() | damage)
