"""The arithmetic of a comparison: the order of runs, medians, ratios, and whether everybody learned as much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import Any

US = "ganglion"


@dataclass(frozen=True)
class Run:
    """What one process of one contender reported.

    Attributes
    ----------
    seconds : float
        What a user waits for.
    quality : float or None
        The workload's figure of quality, such as test accuracy; None where nothing is learned.
    report : dict
        Everything that the process printed.
    """

    contender: str
    round: int
    seconds: float
    quality: float | None = None
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A contender's line of the table.

    Attributes
    ----------
    ratio : float or None
        Its median time over Ganglion's: 2 means that Ganglion takes half as long.
    over_limit : float or None
        Its median time over that of the fastest hand-written limit.
    target : float or None
        The ratio to reach.
    peer : bool
        Whether it counts in the geometric mean; a hand-written limit does not.
    learns : str
        "" if its quality is Ganglion's within noise, else "more" or "less".
    """

    contender: str
    runs: int
    seconds: float
    ratio: float | None
    over_limit: float | None
    quality: float | None
    spread: float | None
    target: float | None
    peer: bool
    learns: str

    @property
    def verdict(self) -> str:
        """Say whether the target was reached, at no less quality."""
        if self.contender == US or self.ratio is None or self.target is None:
            return ""
        if self.ratio < self.target:
            return "short"
        return "reached" if self.learns != "more" else "reached in time, not in quality"


def interleaved(contenders: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield (round, contender) as A B C A B C …, so that a slow minute of the machine hits everybody alike."""
    for number in range(rounds):
        for contender in contenders:
            yield number, contender


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive numbers, NaN if there are none."""
    return math.exp(fmean(map(math.log, values))) if values else math.nan


def compare(ours: Sequence[float], theirs: Sequence[float], *, lower_is_better: bool = False) -> str:
    """Say whether they learn "more" or "less" than we do, or "" if no more than noise lies between.

    Noise is two standard errors of the difference of the means over the seeds; with a single seed nothing is said.
    """
    if len(ours) < 2 or len(theirs) < 2:
        return ""
    gap = fmean(theirs) - fmean(ours)
    error = math.sqrt(stdev(ours) ** 2 / len(ours) + stdev(theirs) ** 2 / len(theirs))
    if abs(gap) <= 2 * error + 1e-9:
        return ""
    return "more" if (gap > 0) != lower_is_better else "less"


def table(
    runs: Sequence[Run],
    order: Sequence[str],
    *,
    targets: dict[str, float] | None = None,
    limits: Sequence[str] = (),
    lower_is_better: bool = False,
) -> list[Line]:
    """Return one line for each contender that finished at least once, in the order given.

    Parameters
    ----------
    runs : sequence of Run
    order : sequence of str
        The contenders.
    targets : dict of str to float, optional
        The ratio to reach against a contender.
    limits : sequence of str
        Contenders that are hand-written bounds, not peers.
    lower_is_better : bool
        Whether less of the quality's figure is better, as of a loss.
    """
    targets = targets or {}
    mine = [run for run in runs if run.contender == US]
    medians = {
        each: median(run.seconds for run in runs if run.contender == each) for each in {r.contender for r in runs}
    }
    our_seconds = medians.get(US)
    limit_seconds = min((seconds for each, seconds in medians.items() if each in limits), default=None)
    lines = []
    for contender in order:
        theirs = [run for run in runs if run.contender == contender]
        if not theirs:
            continue
        seconds = medians[contender]
        qualities = _qualities(theirs)
        lines.append(
            Line(
                contender=contender,
                runs=len(theirs),
                seconds=seconds,
                ratio=seconds / our_seconds if our_seconds else None,
                over_limit=seconds / limit_seconds if limit_seconds else None,
                quality=fmean(qualities) if qualities else None,
                spread=stdev(qualities) if len(qualities) > 1 else None,
                target=targets.get(contender),
                peer=contender != US and contender not in limits,
                learns=compare(_qualities(mine), qualities, lower_is_better=lower_is_better),
            )
        )
    return lines


def ratios_of_peers(lines: Sequence[Line]) -> list[float]:
    """Return the ratios that count in the geometric mean."""
    return [line.ratio for line in lines if line.peer and line.ratio is not None]


def _qualities(runs: Sequence[Run]) -> list[float]:
    return [run.quality for run in runs if run.quality is not None]
