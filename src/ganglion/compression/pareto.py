"""The Pareto front: what nothing else beats in every respect."""

from __future__ import annotations

from collections.abc import Sequence

SAME = 1.03  # latencies closer than by this factor count as equal: so much differs from one measuring to the next


def pareto_front(points: Sequence[tuple[float, float, float]]) -> list[bool]:
    """Return which points are on the front.

    Parameters
    ----------
    points : sequence of (size, latency, loss)
        Less is better of each.

    Returns
    -------
    list of bool
        False where another point is as good in all three, and better in one.
    """
    return [not any(_beats(other, own) for other in points) for own in points]


def _beats(other: tuple[float, float, float], own: tuple[float, float, float]) -> bool:
    size, latency, loss = (a <= b for a, b in zip(other, own, strict=True))
    as_fast = latency or other[1] <= own[1] * SAME
    better = other[0] < own[0] or other[2] < own[2] or other[1] * SAME < own[1]
    return size and as_fast and loss and better
