"""Learning-rate schedules by name: pure functions of how far training is, so that a resumed run continues them.

`factor(progress)` multiplies the estimator's learning rate at every step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ganglion.errors import InvalidParameter
from ganglion.options import call_by_name, call_text, in_range


class Progress(NamedTuple):
    """How far training is: steps done and planned, epochs done, and the monitored loss after each of them."""

    step: int
    n_steps: int
    epoch: int
    monitored: Sequence[float]

    @property
    def share(self) -> float:
        """Return the part of the planned steps that is done, in [0, 1]."""
        return min(1.0, self.step / max(1, self.n_steps))


class Schedule(Protocol):
    """A schedule: `factor(progress)` → what the learning rate is multiplied with."""

    def factor(self, progress: Progress) -> float:
        """Return the multiplier of the learning rate for the next step."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """`constant`: the learning rate stays as given."""

    def factor(self, progress: Progress) -> float:
        """Return 1."""
        return 1.0

    def __str__(self) -> str:
        return "constant"


@dataclass(frozen=True, slots=True)
class Step:
    """`step(every=30, gamma=0.1)`: times `gamma` after every `every` epochs."""

    every: int = 30
    gamma: float = 0.1

    def __post_init__(self) -> None:
        in_range("step", "every", self.every, at_least=1)
        in_range("step", "gamma", self.gamma, above=0, at_most=1)

    def factor(self, progress: Progress) -> float:
        """Return gamma^(epochs // every)."""
        return self.gamma ** (progress.epoch // self.every)

    def __str__(self) -> str:
        return call_text("step", self)


@dataclass(frozen=True, slots=True)
class Cosine:
    """`cosine(floor=0.0)`: half a cosine from 1 down to `floor`. Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5."""

    floor: float = 0.0

    def __post_init__(self) -> None:
        in_range("cosine", "floor", self.floor, at_least=0, below=1)

    def factor(self, progress: Progress) -> float:
        """Return floor + (1 - floor)(1 + cos(π share)) / 2."""
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress.share)) / 2

    def __str__(self) -> str:
        return call_text("cosine", self)


@dataclass(frozen=True, slots=True)
class OneCycle:
    """`one_cycle(peak_at=0.3, start=0.04)`: up to the learning rate, then down to nothing.

    Smith 2018, arXiv:1708.07120. Both halves are half cosines; `peak_at` is the share of training where the top is,
    `start` where it begins.
    """

    peak_at: float = 0.3
    start: float = 0.04

    def __post_init__(self) -> None:
        in_range("one_cycle", "peak_at", self.peak_at, above=0, below=1)
        in_range("one_cycle", "start", self.start, above=0, at_most=1)

    def factor(self, progress: Progress) -> float:
        """Return the height of the cycle at this step."""
        share = progress.share
        if share < self.peak_at:
            return 1 - (1 - self.start) * (1 + math.cos(math.pi * share / self.peak_at)) / 2
        return (1 + math.cos(math.pi * (share - self.peak_at) / (1 - self.peak_at))) / 2

    def __str__(self) -> str:
        return call_text("one_cycle", self)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """`warm_up(steps=100, then="constant")`: up from nothing in so many steps, then the schedule `then`."""

    steps: int = 100
    then: str = "constant"

    def __post_init__(self) -> None:
        in_range("warm_up", "steps", self.steps, at_least=1)
        if isinstance(schedule_by_name(self.then), WarmUp):
            raise InvalidParameter(f"warm_up(then={self.then!r}): the schedule after a warm-up is another one.")

    def factor(self, progress: Progress) -> float:
        """Return the share of the warm-up that is done, and after it what `then` says."""
        if progress.step < self.steps:
            return (progress.step + 1) / self.steps
        after = progress._replace(step=progress.step - self.steps, n_steps=max(1, progress.n_steps - self.steps))
        return schedule_by_name(self.then).factor(after)

    def __str__(self) -> str:
        return call_text("warm_up", self)


@dataclass(frozen=True, slots=True)
class Plateau:
    """`plateau(gamma=0.5, patience=5)`: times `gamma` whenever the monitored loss has not fallen for some epochs."""

    gamma: float = 0.5
    patience: int = 5

    def __post_init__(self) -> None:
        in_range("plateau", "gamma", self.gamma, above=0, below=1)
        in_range("plateau", "patience", self.patience, at_least=1)

    def factor(self, progress: Progress) -> float:
        """Return gamma^(number of plateaus so far), counted anew from the history: nothing to save or restore."""
        best, waited, plateaus = math.inf, 0, 0
        for loss in progress.monitored:
            best, waited = (loss, 0) if loss < best else (best, waited + 1)
            if waited == self.patience:
                plateaus, waited = plateaus + 1, 0
        return self.gamma**plateaus

    def __str__(self) -> str:
        return call_text("plateau", self)


SCHEDULES: dict[str, type] = {
    "constant": Constant,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "plateau": Plateau,
    "step": Step,
    "warm_up": WarmUp,
}


def schedule_by_name(given: Any) -> Schedule:
    """Return the schedule that a text such as "step(every=10)" names, or raise InvalidParameter."""
    return call_by_name("schedule", given, SCHEDULES)
