"""What may be lost, and how large and slow the result may be: "0.2 points, 100 kB, 2 ms"."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganglion.errors import InvalidParameter

_UNITS = {  # what a number with this unit bounds, and how many points, bytes or milliseconds it is
    "point": ("loss", 1.0),
    "points": ("loss", 1.0),
    "b": ("size", 1.0),
    "bytes": ("size", 1.0),
    "kb": ("size", 1e3),
    "mb": ("size", 1e6),
    "us": ("latency", 1e-3),
    "µs": ("latency", 1e-3),
    "ms": ("latency", 1.0),
    "s": ("latency", 1e3),
}
_PART = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-zµ]+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bounds; None where there is none.

    Attributes
    ----------
    loss : float or None
        Points of accuracy (of classes) or of 100 R² (of numbers) that may be lost.
    size : float or None
        Bytes of the file.
    latency : float or None
        Milliseconds of one answer, the median.
    """

    loss: float | None = None
    size: float | None = None
    latency: float | None = None

    def __str__(self) -> str:
        parts = [
            None if self.loss is None else f"{self.loss:g} points lost",
            None if self.size is None else f"{self.size / 1000:,.6g} kB",
            None if self.latency is None else f"{self.latency:g} ms",
        ]
        return "at most " + ", ".join(part for part in parts if part)


def budget_of(given: Any) -> Budget:
    """Read a budget.

    Parameters
    ----------
    given : str, mapping or Budget
        "0.2 points, 100 kB, 2 ms", in any order and with any of them; or {"loss": points, "size": bytes, "latency":
        milliseconds}.

    Raises
    ------
    InvalidParameter
        If nothing is bounded, or it cannot be read.
    """
    if isinstance(given, Budget):
        return given
    bounds = dict(given) if isinstance(given, Mapping) else _read(given) if isinstance(given, str) else {}
    sound = all(isinstance(v, numbers.Real) and not isinstance(v, bool) and float(v) >= 0 for v in bounds.values())
    if not bounds or not sound or not bounds.keys() <= {"loss", "size", "latency"}:
        raise InvalidParameter(
            f'budget={given!r}: give what may be lost and how large and slow the result may be, such as "0.2 points", '
            '"0.5 points, 100 kB, 2 ms", or {"loss": 0.2, "size": 100_000, "latency": 2} (points, bytes, milliseconds).'
        )
    return Budget(**{name: float(value) for name, value in bounds.items()})


def _read(text: str) -> dict[str, float]:
    bounds: dict[str, float] = {}
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None or found[2].lower() not in _UNITS:
            return {}
        name, factor = _UNITS[found[2].lower()]
        bounds[name] = float(found[1]) * factor
    return bounds
