"""How far apart the steps of a series are, told from their times: a grid of places that times stand at.

unit       a step is                                     taken where
seconds    so many seconds                               dates are (nearly) equally far apart, but for gaps
weekdays   a day from Monday to Friday                   days, and never a Saturday or Sunday
months     so many months, on the same day or the last   dates are 28 days or more apart
steps      so much of a number                           times are numbers (1, 2, 3; 1990, 1991), or there are none
rows       a row, whatever its time                      nothing of that holds: the times are irregular
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

Unit = Literal["seconds", "weekdays", "months", "steps", "rows"]
DAY = 86400.0
JITTER = 0.1  # of a step that a time may stand beside its place
ODD_SHARE = 0.01  # of the times that may stand farther, before they count as irregular
_SPANS = (("week", 7 * DAY), ("day", DAY), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0))


@dataclass(frozen=True, slots=True)
class Grid:
    """The places of times.

    Attributes
    ----------
    unit : {"seconds", "weekdays", "months", "steps", "rows"}
    step : float
        Of it, from one place to the next; of irregular times the median distance.
    dated : bool
        Whether times are moments (seconds since 1970-01-01 UTC), and not plain numbers.
    """

    unit: Unit = "steps"
    step: float = 1.0
    dated: bool = False

    @property
    def regular(self) -> bool:
        """Whether times say where a step is missing."""
        return self.unit != "rows"

    def places(self, times: np.ndarray) -> np.ndarray:
        """Return the place of each time of one series, (n,) int64, the first 0; `times` (n,) float64 rise."""
        if not self.regular:
            return np.arange(len(times))
        if self.unit == "months":
            return (_months(times) - _months(times[:1])) // round(self.step)
        if self.unit == "weekdays":
            return _weekdays(times) - _weekdays(times[:1])
        far = np.rint(np.diff(times) / self.step).astype(np.int64)  # from one to the next: a drift does not add up
        return np.concatenate([[0], np.cumsum(far)])

    def after(self, last: float, n: int) -> np.ndarray:
        """Return the times of the `n` places that follow the time `last`, (n,) float64."""
        ahead = np.arange(1, n + 1)
        if self.unit == "months":
            return _months_after(last, ahead * round(self.step))
        if self.unit == "weekdays":
            place = _weekdays(np.array([last])) + ahead
            return (place // 5 * 7 + place % 5 - 3) * DAY + last % DAY  # 1970-01-01 was a Thursday
        return last + self.step * ahead

    def text(self, time: float) -> str:
        """Return a time as people write it."""
        if not self.dated:
            return f"{time:g}"
        moment = np.datetime64(round(time * 1e3), "ms")
        whole_days = time % DAY == 0 and (self.unit in ("months", "weekdays") or self.step % DAY == 0)
        return str(moment.astype("datetime64[D]" if whole_days else "datetime64[s]")).replace("T", " ")

    def period(self, seconds: float) -> float:
        """Return how many steps so many seconds have, about; NaN where times are no moments."""
        if not self.dated:
            return math.nan
        of_a_step = {"weekdays": DAY * 7 / 5, "months": self.step * 365.2425 / 12 * DAY}.get(self.unit, self.step)
        return seconds / of_a_step

    def __str__(self) -> str:
        if self.unit == "steps":
            return "step by step"
        if self.unit == "rows":
            return "irregular"
        if self.unit == "weekdays":
            return "every day from Monday to Friday"
        if self.unit == "months":
            years, months = divmod(round(self.step), 12)
            return _every(*((months + 12 * years, "month") if months else (years, "year")))
        name, span = next(((n, s) for n, s in _SPANS if self.step >= s and self.step % s == 0), ("second", 1.0))
        return _every(self.step / span, name)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same grid again."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Grid:
        """Make a grid again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
        unit, step, dated = stored["unit"], float(stored["step"]), stored["dated"]
        if unit not in get_args(Unit) or type(dated) is not bool or not 0 < step < math.inf:
            raise ValueError(f"a grid of {unit!r:.20}, {step}")
        return cls(unit, step, dated)


def grid_of(series: list[np.ndarray], *, dated: bool) -> Grid:
    """Return the grid that the times of some series stand on, by the rules at the top of the module.

    Parameters
    ----------
    series : list of ndarray of shape (n_i,), float64
        The times of each, rising, none twice.
    dated : bool
        Whether they are moments.
    """
    far = np.concatenate([np.diff(times) for times in series]) if series else np.empty(0)
    if not len(far):
        return Grid("rows", 1.0, dated)
    step = float(np.sort(far)[(len(far) - 1) // 2])  # the lower median: gaps, if fewer than half, do not move it
    if dated:
        every = np.concatenate(series)
        if _are_months(every, far):
            apart = np.unique(np.concatenate([np.diff(_months(times)) for times in series]))
            return Grid("months", float(np.gcd.reduce(apart)), True)
        if step == DAY and (far % DAY == 0).all() and (_day_of_week(every) < 5).all() and (far >= 3 * DAY).any():
            return Grid("weekdays", 1.0, True)
    beside = np.abs(far / step - np.rint(far / step))
    if (far < step / 2).any() or (beside > JITTER).mean() > ODD_SHARE:
        return Grid("rows", step, dated)
    return Grid("seconds" if dated else "steps", step, dated)


def _every(count: float, name: str) -> str:
    return f"every {name}" if count == 1 else f"every {count:g} {name}s"


def _are_months(times: np.ndarray, far: np.ndarray) -> bool:
    if far.min() < 28 * DAY or (times % DAY != times[0] % DAY).any():
        return False
    days = times.astype("datetime64[s]").astype("datetime64[D]")
    of_month = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(int)
    return bool((of_month == of_month[0]).all() or _are_last(days).all())


def _are_last(days: np.ndarray) -> np.ndarray:
    return (days + 1).astype("datetime64[M]") != days.astype("datetime64[M]")


def _months(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)


def _months_after(last: float, ahead: np.ndarray) -> np.ndarray:
    """Return the same day of later months, or the last one where that of now is the last or is not there."""
    day = np.array([last]).astype("datetime64[s]").astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    first = (month + ahead).astype("datetime64[D]")
    latest = (month + ahead + 1).astype("datetime64[D]") - 1
    days = latest if _are_last(day)[0] else np.minimum(first + (day - month.astype("datetime64[D]")), latest)
    return days.astype("datetime64[s]").astype(np.float64) + last % DAY


def _day_of_week(times: np.ndarray) -> np.ndarray:
    return (np.floor(times / DAY).astype(np.int64) + 3) % 7  # 0 is Monday


def _weekdays(times: np.ndarray) -> np.ndarray:
    """Return the number of days from Monday to Friday before each, counted from the Monday of 1970's first week."""
    weeks, day = np.divmod(np.floor(times / DAY).astype(np.int64) + 3, 7)
    return weeks * 5 + day
