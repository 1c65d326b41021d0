"""The Numenta Anomaly Benchmark's own scoring, and what is published for its detectors on the series that we have.

Lavin & Ahmad 2015, arXiv:1510.03336, section II; constants of version 1.1, profile "standard":

    σ(y) = 2 / (1 + e^{5 y}) - 1
    an alarm in a window, y its place from -1 (the first step) to just below 0 (the last):  σ(y) / σ(-1)
    an alarm outside:  0.11 σ(y), y its distance behind the last window in widths of it; -0.11 from 3 on, or before all
    a window counts by its best alarm; one without any by -1
    normalised: 0 without any alarm, 100 for an alarm at the first step of each window and nowhere else

The first 15 % of each series (at most 750 steps) are not scored: there a detector may learn. One threshold is used for
all series: the one with the best sum, as the benchmark takes it for every detector.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganglion.data.public import find

FALSE_ALARM, MISSED = -0.11, -1.0
PROBATION, MOST_PROBATION = 0.15, 5000
FAR = 3.0  # widths
SERIES = (
    "artificialWithAnomaly/art_daily_jumpsup",
    "realKnownCause/ambient_temperature_system_failure",
    "realKnownCause/ec2_request_latency_system_failure",
    "realKnownCause/machine_temperature_system_failure",
    "realKnownCause/nyc_taxi",
    "realTraffic/speed_7578",
    "realTweets/Twitter_volume_AAPL",
)
# results/…/…_standard_scores.csv of numenta/NAB, in the order of SERIES; each detector with its threshold of 58 series
PUBLISHED = {
    "Numenta HTM": (0.86067182427, -0.758599859273, 1.70586905384, 1.36013273774, 2.43572773247,
               3.19572468045, 1.26389791486),
    "Numenta TM": (0.86067182427, 1.10977284159, 1.70586905384, 1.58440215352, 0.471136230981,
               3.34800983887, 1.32317432013),
    "windowed Gaussian": (-1.0, -2.0, -0.06591011872780705, -4.0, -5.0, -4.0, 1.5139968362565832),
    "ARTime": (0.8589086704377245, 1.6577326504395065, 1.3905835377463662, 2.5563301921824606, 3.775210013719179,
               3.1077313980278403, 2.91610174881165),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """A series and its windows: `values` (n,) float64, `windows` (n_windows, 2) first and last step."""

    name: str
    values: np.ndarray
    windows: np.ndarray

    @property
    def probation(self) -> int:
        """How many steps are not scored."""
        return int(min(PROBATION * len(self.values), PROBATION * MOST_PROBATION))


def labelled(name: str) -> Labelled:
    """Read a series of the benchmark by its name in SERIES."""
    with find(f"nab/{name}.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    times = [time for time, _ in rows]
    windows = json.loads(find("nab/combined_windows.json").read_text())[f"{name}.csv"]
    places = [[times.index(time.split(".")[0]) for time in window] for window in windows]
    return Labelled(name, np.array([float(value) for _, value in rows]), np.array(places))


def rewards(n_steps: int, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what an alarm at each step is worth, (n_steps,), and the window that it lies in, -1 outside."""
    worth, window_of = np.full(n_steps, FALSE_ALARM), np.full(n_steps, -1)
    step = np.arange(n_steps)
    for k, (first, last) in enumerate(windows):
        width = last - first + 1
        behind = step > last
        y = np.minimum((step - last) / (width - 1), FAR)
        worth[behind] = np.where(y == FAR, FALSE_ALARM, -FALSE_ALARM * _sigmoid(y))[behind]
        inside = (step >= first) & (step <= last)
        worth[inside] = (_sigmoid((step - last - 1) / width) / _sigmoid(np.array(-1.0)))[inside]
        window_of[inside] = k
    return worth, window_of


def score_of(alarms: np.ndarray, series: Labelled) -> float:
    """Return the score of alarms, (n,) bool, on one series, not normalised."""
    worth, window_of = rewards(len(alarms), series.windows)
    counted = alarms.copy()
    counted[: series.probation] = False
    false = float(worth[counted & (window_of < 0)].sum())
    found = [worth[counted & (window_of == k)] for k in range(len(series.windows))]
    return false + sum(float(each.max()) if len(each) else MISSED for each in found)


def normalised(total: float, series: Sequence[Labelled]) -> float:
    """Return a sum of scores from 0 (no alarm at all) to 100 (perfect)."""
    n_windows = sum(len(each.windows) for each in series)
    return 100 * (total - MISSED * n_windows) / (n_windows * (1 - MISSED))


def best_threshold(scores: Sequence[np.ndarray], series: Sequence[Labelled]) -> tuple[float, float]:
    """Return the threshold (an alarm is a score of at least it) with the best sum over all series, and that sum.

    Parameters
    ----------
    scores : sequence of ndarray of shape (n,)
        Greater is stranger, one array a series.
    series : sequence of Labelled
    """
    gains, levels = zip(*(_gains(each, one) for each, one in zip(scores, series, strict=True)), strict=True)
    gain, level = np.concatenate(gains), np.concatenate(levels)
    order = np.argsort(-level, kind="stable")
    total = np.cumsum(gain[order]) + MISSED * sum(len(each.windows) for each in series)
    last = np.append(np.diff(level[order]) != 0, True)  # scores that are equal are all alarms, or none of them
    at = int(np.argmax(np.where(last, total, -np.inf)))
    return float(level[order][at]), float(total[at])


def _gains(scores: np.ndarray, series: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the score of a series changes with each of its steps, the highest scores first."""
    worth, window_of = rewards(len(scores), series.windows)
    order = np.argsort(-scores, kind="stable")
    order = order[order >= series.probation]
    gain = worth[order].copy()
    for k in range(len(series.windows)):
        of_window = np.flatnonzero(window_of[order] == k)
        best = np.maximum.accumulate(np.append(MISSED, gain[of_window]))
        gain[of_window] = np.diff(best)
    return gain, scores[order]


def _sigmoid(y: np.ndarray) -> np.ndarray:
    return 2 / (1 + np.exp(5 * y)) - 1
