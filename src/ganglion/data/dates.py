"""Dates written as text, read as seconds since 1970-01-01 UTC.

    2024-03-31 · 2024-03 · 2024-03-31 14:05:09.25 · 2024-03-31T14:05Z · 2024-03-31T14:05+02:00      (ISO 8601)
    2024/03/31 · 31.03.2024 · 03/31/2024 or 31/03/2024, whichever all values of the column allow

Without an offset a time is taken as UTC.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np

from ganglion.errors import DataWarning

_TIME = r"(?:[T ] ?(?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?" + _TIME)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})" + _TIME)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _TIME)
_MONTH_DAY = re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})" + _TIME)
_DAY_MONTH = re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})" + _TIME)


def parse_dates(name: str, texts: Sequence[str]) -> np.ndarray | None:
    """Return the seconds since 1970-01-01 UTC of dates that all have one format.

    Parameters
    ----------
    name : str
        The column's name, for the warning about dates whose day and month cannot be told apart.
    texts : sequence of str
        Distinct values, without missing ones and surrounding blanks.

    Returns
    -------
    ndarray of shape (len(texts),), float64, or None
        None when any value is no date.
    """
    for pattern in (_ISO, _YEAR_FIRST, _DAY_FIRST):
        if pattern.fullmatch(texts[0]):
            return _parse(pattern, texts)
    return _parse_slashes(name, texts) if _MONTH_DAY.fullmatch(texts[0]) else None


def _parse_slashes(name: str, texts: Sequence[str]) -> np.ndarray | None:
    """Read 03/31/2024 or 31/03/2024: only one of the two makes every value a date, or nobody can know."""
    month_first, day_first = _parse(_MONTH_DAY, texts), _parse(_DAY_MONTH, texts)
    if month_first is None or day_first is None or np.array_equal(month_first, day_first):
        return day_first if month_first is None else month_first
    warnings.warn(
        f"column {name!r} looks like dates, but in {texts[0]!r} and all others the month and the day could be swapped; "
        "it is read as categories. Write the dates as YYYY-MM-DD.",
        DataWarning,
        stacklevel=2,
    )
    return None


def _parse(pattern: re.Pattern[str], texts: Sequence[str]) -> np.ndarray | None:
    matches = [pattern.fullmatch(text) for text in texts]
    if not all(matches):
        return None
    found = [match for match in matches if match]
    try:
        moments = np.array([_iso(match) for match in found], dtype="datetime64[us]")
    except ValueError:  # the 31st of April
        return None
    seconds = moments.astype(np.int64) / 1e6
    if any(match["zone"] for match in found):
        seconds -= np.array([_offset_s(match["zone"]) for match in found])
    return seconds


def _iso(match: re.Match[str]) -> str:
    day = f"{match['year']}-{match['month'].zfill(2)}-{(match['day'] or '01').zfill(2)}"
    return f"{day}T{match['time']}" if match["time"] else day


def _offset_s(zone: str | None) -> float:
    """Return how many seconds a zone such as "+02:00" is before UTC."""
    if zone in (None, "Z", "UTC"):
        return 0.0
    sign = -1.0 if zone[0] == "-" else 1.0
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
