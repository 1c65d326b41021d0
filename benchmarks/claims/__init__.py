"""Quality on real data beside the papers' figures: one file a claim, each with `claim()`. A new file is a new claim.

`claim()` returns a `Claim`, or a dict with "claim" (the promise, in words) and "holds"; it raises
`Skipped` where its data are absent.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganglion.evaluation.proportions import wilson as wilson


@dataclass(frozen=True)
class Figure:
    """A measured figure and what it has to reach.

    Attributes
    ----------
    value, low, high : float
        With its 95 % interval.
    target : float
        The least value that holds (the largest, if `lower_is_better`).
    paper : str
        The reference's own figure.
    """

    name: str
    value: float
    low: float
    high: float
    target: float
    paper: str = ""
    lower_is_better: bool = False

    @property
    def held(self) -> bool:
        """Whether the value, not the end of its interval, reaches the target."""
        return self.value <= self.target if self.lower_is_better else self.value >= self.target


@dataclass(frozen=True)
class Claim:
    """What was claimed, and what was found.

    Attributes
    ----------
    name, data, settings, reference : str
        In a line each.
    figures : sequence of Figure
        The claim is held if each of them is.
    details : mapping
        Every repeat, for the result file.
    """

    name: str
    data: str
    settings: str
    reference: str
    figures: Sequence[Figure]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether every figure reaches its target."""
        return all(figure.held for figure in self.figures)


class Skipped(Exception):
    """A claim cannot be checked here; the message says why."""


def names() -> list[str]:
    """Return the names of all claims."""
    return sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))


def bootstrap_mean(values: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean (Efron 1979)."""
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(array), size=(resamples, len(array)))
    low, high = np.quantile(array[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)
