"""Pieces of music as JSON, in the shape of the JSB chorales.

    {"train": [piece, …], "valid": […], "test": […]}      or      [piece, …]

with a piece a list of chords and a chord a list of MIDI pitches: sets of those that sound, or one of each voice, -1
where it is silent. How long a step is does not stand in such files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ganglion.data.chords import roll_of, rolls_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.file_tree import PART_FOLDERS, TEST, TRAIN, VALIDATION, Part
from ganglion.errors import InvalidFile, InvalidInput

SUFFIX = ".json"


def music_in_json(raw: bytes, source: str) -> Any | None:
    """Return what JSON of pieces holds, or None if it is none of pieces of music.

    Raises
    ------
    InvalidFile
        If it begins as such, and is cut off or damaged.
    """
    head = b"".join(raw[:200].split())
    if not head.startswith((b"{", b"[[[")) or (head.startswith(b"{") and b'":[[[' not in head):
        return None
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidFile(
            f"{source} begins as JSON with pieces of music, but is cut off or damaged ({error}). Save it again."
        ) from error
    parts = parsed if isinstance(parsed, Mapping) else {"train": parsed}
    named = all(str(name).lower() in PART_FOLDERS and isinstance(part, list) for name, part in parts.items())
    return parsed if named else None


def json_to_music(parsed: Any, source: str, part: Part = "train") -> Dataset | None:
    """Return the pieces of a part as a data set, or None if there is none of it.

    Parameters
    ----------
    parsed : mapping of str to list of pieces, or list of pieces
        As `music_in_json` gives it. "train" is the parts for training and validation; what has no parts is all "train".
    source : str
        The file's name, for messages.
    part : "train" or "test"

    Raises
    ------
    InvalidFile
        If a piece is empty or a pitch none of a piano; the message says where.
    """
    if not isinstance(parsed, Mapping):
        return _pieces({"": parsed}, source) if part == "train" else None
    names = {str(name).lower(): name for name in parsed}
    train, validation, test = ([names[each] for each in kind if each in names] for kind in (TRAIN, VALIDATION, TEST))
    if not train:
        chosen = [*validation, *test] if part == "train" else []
    elif part == "train":
        chosen = train + (validation if test else [])
    else:
        chosen = test or validation
    return _pieces({name: parsed[name] for name in chosen}, source) if chosen else None


def _pieces(parts: Mapping[str, Sequence[Any]], source: str) -> Dataset:
    rolls = []
    for name, pieces in parts.items():
        for i, piece in enumerate(pieces):
            where = f"{source}, {name + ', ' if name else ''}piece {i}"
            try:
                rolls.append(roll_of(piece, where))
            except InvalidInput as error:
                raise InvalidFile(str(error)) from error
    if not rolls:
        raise InvalidFile(f"{source} holds no piece. Give at least one, such as [[[60, 64, 67], [62]]].")
    return rolls_to_dataset(rolls, source=source)
