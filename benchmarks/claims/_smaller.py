"""What the claims of compression have in common: a table of variants, and figures of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.claims import Figure
from ganglion.compression.result import Compression


def figures_of(found: Compression, name: str, *, smaller: float, faster: float | None, lost: float) -> list[Figure]:
    """Return how many times smaller and faster one variant is, and what it loses, with what each has to reach."""
    best = found.variant(name)
    ratio, loss = best.latency.ratio, best.loss
    figures = [Figure("times smaller", best.times_smaller, best.times_smaller, best.times_smaller, target=smaller)]
    if faster is not None and ratio.value and ratio.low and ratio.high:
        figures.append(Figure("times faster", 1 / ratio.value, 1 / ratio.high, 1 / ratio.low, target=faster))
    value, low, high = (each or 0.0 for each in (loss.value, loss.low, loss.high))
    return [*figures, Figure("points lost", value, low, high, target=lost, lower_is_better=True)]


def details_of(found: Compression) -> Mapping[str, Any]:
    """Return the whole table, and the Pareto front in words."""
    front = [
        f"{each.name}: {each.size / 1000:.1f} kB, {each.latency.median:.3g} ms (p99 {each.latency.p99:.3g}), "
        f"{each.score.value:.2f} %, {each.verdict}"
        for each in found.front
    ]
    return {"pareto_front": front, "verdict": found.verdict, "variants": found.to_dict()["variants"]}
