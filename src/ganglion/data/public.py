"""Named public data sets for tests and benchmarks: where they lie on this machine. Nothing is fetched."""

from __future__ import annotations

import os
from pathlib import Path

from ganglion.errors import InvalidFile, suggestion

VARIABLE = "GANGLION_DATA_HOME"


def places() -> list[Path]:
    """Return the folders that may hold the data sets, the most wanted first.

    These are the folder that $GANGLION_DATA_HOME names, `shared/data` beside the current folder or one above it, and
    `~/.cache/ganglion`.
    """
    named = os.environ.get(VARIABLE)
    here = Path.cwd()
    beside = [folder / "shared" / "data" for folder in (here, *here.parents)]
    return [*([Path(named).expanduser()] if named else []), *beside, Path.home() / ".cache" / "ganglion"]


def data_home() -> Path:
    """Return the first of `places` that exists.

    Raises
    ------
    InvalidFile
        If none exists.
    """
    for folder in places():
        if folder.is_dir():
            return folder
    raise InvalidFile(f"there is no folder of public data sets. Looked for: {_listed()}. Set {VARIABLE} to one.")


def find(name: str) -> Path:
    """Return the path of a public data file or folder, such as "adult/adult.data".

    Raises
    ------
    InvalidFile
        If it is in none of `places`; the message says where was looked.
    """
    for folder in places():
        if (folder / name).exists():
            return folder / name
    known = {each.name for folder in places() if folder.is_dir() for each in folder.iterdir()}
    near = suggestion(Path(name).parts[0], known)
    raise InvalidFile(
        f"no public data {name!r}.{near} Looked in: {_listed()}. Set {VARIABLE} to the folder that has it."
    )


def _listed() -> str:
    return ", ".join(map(str, places()))
