"""How much memory this process may use, and what is too large for it.

Data beyond an eighth of it stay on disk (`data.spool`). The memory is that of the machine, or the limit of the
container where that is lower; GANGLION_MEMORY, in megabytes, overrides both.
"""

from __future__ import annotations

import functools
import math
import os
from pathlib import Path, PurePosixPath

from ganglion.errors import InvalidParameter

VARIABLE = "GANGLION_MEMORY"
# while data are read, split and encoded, there are up to five copies of them for a moment
SHARE = 8
MOST_PIECE, MOST_BLOCK = 16 * 2**20, 256 * 2**20
MB = 2**20


def memory_bytes() -> int:
    """Return how many bytes of memory this process may use.

    Raises
    ------
    InvalidParameter
        If GANGLION_MEMORY is no number above 0.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return _of_machine()
    try:
        megabytes = float(given)
    except ValueError:
        megabytes = math.nan
    if not 0 < megabytes < math.inf:
        raise InvalidParameter(f"{VARIABLE}={given!r}: give the megabytes that may be used, such as {VARIABLE}=4000.")
    return int(megabytes * MB)


def is_large(n_bytes: int) -> bool:
    """Say whether data of so many bytes stay on disk."""
    return n_bytes > memory_bytes() // SHARE


def piece_bytes() -> int:
    """Return how much of large data is looked at together."""
    return min(MOST_PIECE, memory_bytes() // 16)


def block_bytes() -> int:
    """Return how much of large data is put in order together."""
    return min(MOST_BLOCK, memory_bytes() // SHARE)


@functools.cache
def _of_machine() -> int:
    limits = [limit for limit in map(_limit, _limit_files()) if limit is not None]
    return min([_physical(), *limits])


def _physical() -> int:
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8 * 2**30  # Windows tells it through its own interface only


def _limit_files() -> list[Path]:
    """Return the files that may hold a limit of the control group of this process, or of one above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    files = []
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if not controllers:
            root, name = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            root, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        files += [root / each / name for each in (path, *path.parents)]
    return files


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such group seen from inside a container, or "max"
        return None
