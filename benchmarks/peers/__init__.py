"""Peers: the libraries that Ganglion is measured beside, each in an environment of its own.

`NAME.txt` pins one; `python -m benchmarks.peers NAME …` installs it to `benchmarks/.peers/NAME`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LISTS = Path(__file__).parent
ENVIRONMENTS = LISTS.parent / ".peers"


def names() -> list[str]:
    """Return the names of all peers that have a list."""
    return sorted(path.stem for path in LISTS.glob("*.txt"))


def requirements(name: str) -> list[str]:
    """Return the pinned requirements of a peer."""
    lines = (line.partition("#")[0].strip() for line in (LISTS / f"{name}.txt").read_text().splitlines())
    return [line for line in lines if line]


def python(name: str) -> Path:
    """Return the interpreter of a peer's environment; of the project's own for ""."""
    if not name:
        return Path(sys.executable)
    folder = ENVIRONMENTS / name
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def installed(name: str) -> bool:
    """Return whether a peer is there: its environment was completed."""
    return not name or (ENVIRONMENTS / name / ".ready").exists()
