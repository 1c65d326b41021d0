"""The machine that measures: what it is, whether it is quiet, and how many cores everybody gets."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, system and Python, as a result file keeps them."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores_used": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def keep_to(cores: int) -> None:
    """Let this process, and all that it starts, use so many cores; libraries size their thread pools by that."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:cores])


def load() -> float | None:
    """Return the load average of the last minute: processes that want a core."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def busy_share(seconds: float = 1.0) -> float | None:
    """Return the share of all cores that is busy right now; the load average lags a minute behind."""
    before = _ticks()
    if before is None:
        return None
    time.sleep(seconds)
    after = _ticks()
    assert after is not None
    total = after[0] - before[0]
    return round(1 - (after[1] - before[1]) / total, 3) if total else 0.0


def _ticks() -> tuple[int, int] | None:
    """Return the clock ticks of all cores since boot, and those of them that were idle."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    numbers = [int(word) for word in path.read_text().splitlines()[0].split()[1:9]]
    return sum(numbers), numbers[3] + numbers[4]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        names = [
            line.split(":", 1)[1].strip() for line in path.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or sys.platform
