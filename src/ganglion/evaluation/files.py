"""Pages and pictures as files, written whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: str | Path, content: str) -> None:
    """Write text to a file as UTF-8, by way of a temporary sibling; raises SaveFailed and leaves the old file whole."""
    from ganglion.storage import atomic_write  # loads torch, which charts and pages do without

    with atomic_write(path) as file:
        file.write(content.encode())
