"""What the cells of a table mean, told without torch: missing, a truth value, a number, the label of a category."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

MISSING = frozenset(
    {"", "?", "-", "--", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "NaT", "null", "NULL", "Null"}
    | {"None", "<null>"}
)
BOOLEANS = {"True": 1.0, "true": 1.0, "TRUE": 1.0, "False": 0.0, "false": 0.0, "FALSE": 0.0}


def plain_label(value: Any) -> str:
    """Return a value as the text that a category has: 3.0 and "3" are one category, None and NaN are none."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def parse_numbers(texts: Iterable[str]) -> np.ndarray | None:
    """Return the numbers (k,) float64 that all texts are, or None when one is no number."""
    texts = list(texts)
    try:
        numbers = np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:
        return None
    # Python reads "2021_01" as 202101; in a table it is a name
    return None if any("_" in text for text in texts) else numbers
