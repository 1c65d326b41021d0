"""Pieces of music as chords: which of a piano's 88 keys sound in each step.

given                                                        becomes
a list of pieces, each a list of chords of MIDI pitches      one piece each; an empty chord is silence
arrays (steps, 88) of 0 and 1, or (steps, 128)               a piano roll each, from A0 up, or from MIDI pitch 0
arrays (steps, voices) of MIDI pitches                       the notes of all voices together

    music    ragged uint8, 0 or 1, (total, 88): key k is MIDI pitch 21 + k

A pitch of -1 is a voice that is silent. How long a step is ("1/4": a quarter note) is known of files alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.data.strings import text_column
from ganglion.errors import InvalidInput, UnsupportedType

NAME = "music"
KEYS, LOWEST, PITCHES = 88, 21, 128  # A0, the lowest key of a piano, is MIDI pitch 21; C8, the highest, 108
HIGHEST = LOWEST + KEYS - 1
SILENT = -1  # a voice that rests
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "G♯", "A", "B♭", "B")
_EXAMPLE = "[[[60, 64, 67], [], [62, 65]], [[57]]]"
_PIANO = f"A piano has the MIDI pitches {LOWEST} (A0) to {HIGHEST} (C8), and {SILENT} is a voice that is silent"


def pieces_to_dataset(X: Any, *, step: str = "", files: Sequence[str] = (), source: str = "") -> Dataset:
    """Return pieces of music as a data set of one column.

    Parameters
    ----------
    X : sequence of pieces
        See the table at the top of the module; an array (n, steps, 88) is n piano rolls.
    step : str
        The note that a step is as long as, "1/4" for a quarter note, where that is known.
    files : sequence of str
        The file of each piece, where they are from files; it is no feature.
    source : str
        Where they come from, for messages.

    Raises
    ------
    InvalidInput
        If there is none, one is empty, or a pitch is none of a piano; the message says where.
    UnsupportedType
        If X is no sequence of pieces, or holds what are no numbers.
    """
    rolls = [roll_of(piece, f"piece {i}") for i, piece in enumerate(_listed(X))]
    if not rolls:
        raise InvalidInput(f"no piece was given (minimum of 1 is required). Give a list of pieces, such as {_EXAMPLE}.")
    return rolls_to_dataset(rolls, step=step, files=files, source=source)


def rolls_to_dataset(
    rolls: Sequence[np.ndarray], *, step: str = "", files: Sequence[str] = (), source: str = ""
) -> Dataset:
    """Return piano rolls, (steps, 88) uint8 each, that are known to be sound, as a data set."""
    offsets = torch.tensor([0, *map(len, rolls)]).cumsum(0)
    fields = [Field(NAME, "music", (KEYS,), step=step)]
    columns: dict[str, Any] = {NAME: Ragged(torch.from_numpy(np.concatenate(rolls)), offsets)}
    if files:
        named, columns["file"] = text_column("file", list(files))
        fields.append(named)
    return Dataset(fields, columns, index=["file"] if files else [], source=source)


def is_music(data: Dataset) -> bool:
    """Say whether data are pieces of music, of which what comes next is all that can be learned."""
    return not data.target and any(field.kind == "music" for field in data.features)


def music_in(data: Dataset) -> tuple[Field, Ragged]:
    """Return the pieces of a data set, (total, 88); raises InvalidInput if there are none."""
    for field in data.features:
        column = data.columns[field.name]
        if field.kind == "music" and isinstance(column, Ragged):
            return field, column
    raise InvalidInput(
        f"there is no music in the columns {', '.join(data.names[:10])}. Give pieces, each a list of chords of MIDI "
        f"pitches: {_EXAMPLE}."
    )


def roll_of(piece: Any, where: str = "the piece") -> np.ndarray:
    """Return one piece as a piano roll, (steps, 88) uint8.

    Parameters
    ----------
    piece : sequence of chords, or array (steps, 88), (steps, 128) or (steps, voices)
    where : str
        What it is called in messages.
    """
    if isinstance(piece, Tensor):
        piece = piece.detach().cpu().numpy()
    if hasattr(piece, "__len__") and getattr(piece, "ndim", 1) and not len(piece):
        raise InvalidInput(f"{where} is empty: it has no chord. Leave it out; silence is an empty chord, [[]].")
    if isinstance(piece, np.ndarray) and piece.ndim == 2 and piece.dtype.kind in "biuf":
        return _of_roll(piece, where) if piece.shape[1] in (KEYS, PITCHES) else _of_chords(piece, where)
    if isinstance(piece, np.ndarray) and piece.ndim != 1:
        raise InvalidInput(
            f"{where} is an array of shape {piece.shape} and type {piece.dtype}. Give (steps, {KEYS}) or (steps, "
            f"{PITCHES}) of 0 and 1, or a list of chords of MIDI pitches."
        )
    if isinstance(piece, str | bytes) or not isinstance(piece, Sequence | np.ndarray):
        raise UnsupportedType(
            f"{where} is a {type(piece).__name__} ({piece!r:.40}). A piece is a list of chords, each a collection of "
            f"MIDI pitches: {_EXAMPLE} are two pieces."
        )
    return _of_chords(piece, where)


def chords_of(roll: np.ndarray) -> list[tuple[int, ...]]:
    """Return the MIDI pitches of each step of a piano roll, (steps, 88), the lowest first."""
    return [tuple((np.flatnonzero(keys) + LOWEST).tolist()) for keys in np.asarray(roll)]


def note_name(pitch: int) -> str:
    """Return the name of a MIDI pitch: 60 is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def chord_name(keys: np.ndarray) -> str:
    """Return the names of the keys that sound, (88,), the lowest first: "C3 E4 G4"; of none "silence"."""
    return " ".join(note_name(pitch) for pitch in (np.flatnonzero(keys) + LOWEST).tolist()) or "silence"


def _listed(X: Any) -> list[Any]:
    if isinstance(X, Tensor):
        X = X.detach().cpu().numpy()
    if isinstance(X, np.ndarray) and (X.ndim == 3 or (X.ndim == 1 and X.dtype == object)):
        return list(X)
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] in (KEYS, PITCHES):
        raise InvalidInput(
            f"one piano roll, {X.shape}, was given where pieces are wanted. Give a list of them: [roll]."
        )
    if isinstance(X, list | tuple):
        return list(X)
    what = f"an array of shape {X.shape}" if isinstance(X, np.ndarray) else f"a {type(X).__name__}"
    raise UnsupportedType(
        f"{what} was given where pieces of music are wanted. Give a list of pieces, each a list of chords of MIDI "
        f"pitches, {_EXAMPLE}, or an array of piano rolls, (n, steps, {KEYS})."
    )


def _of_roll(given: np.ndarray, where: str) -> np.ndarray:
    """Return a piano roll of 88 keys or 128 pitches as one of 88 keys."""
    strange = (given != 0) & (given != 1)  # NaN is neither
    if strange.any():
        step, key = np.argwhere(strange)[0].tolist()
        raise InvalidInput(
            f"{where}, step {step}: the piano roll holds {given[step, key]:g}. A roll has 0 for silent "
            "and 1 for sounding, nothing else. If these are velocities, give roll > 0; if they are pitches, a "
            "list of chords."
        )
    if given.shape[1] == KEYS:
        return np.ascontiguousarray(given, dtype=np.uint8)
    outside = given.copy()
    outside[:, LOWEST : HIGHEST + 1] = 0
    if outside.any():
        step, pitch = np.argwhere(outside)[0].tolist()
        raise _out_of_range(where, step, pitch)
    return np.ascontiguousarray(given[:, LOWEST : HIGHEST + 1], dtype=np.uint8)


def _of_chords(piece: Any, where: str) -> np.ndarray:
    """Return chords of MIDI pitches as a piano roll."""
    numbers, steps = _pitches(piece, where)
    _check_pitches(numbers, steps, where)
    sounding = numbers != SILENT
    roll = np.zeros((len(piece), KEYS), dtype=np.uint8)
    roll[steps[sounding], numbers[sounding].astype(np.intp) - LOWEST] = 1
    return roll


def _pitches(piece: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers in all chords, and the step of each."""
    chords = list(piece)
    for step, chord in enumerate(chords):
        if isinstance(chord, str | bytes) or not hasattr(chord, "__len__") or not hasattr(chord, "__iter__"):
            raise UnsupportedType(
                f"{where}, step {step}: {chord!r:.40} is no chord, which is a collection of MIDI pitches such as [60, "
                "64, 67], or [] for silence. One piece alone is given as a list of one: [piece]."
            )
    flat = list(chain.from_iterable(chords))
    steps = np.repeat(np.arange(len(chords)), list(map(len, chords)))
    kinds = {type(each) for each in flat}
    wrong = next((kind for kind in kinds if kind is bool or not issubclass(kind, int | float | np.number)), None)
    if wrong is not None:
        place = next(i for i, each in enumerate(flat) if type(each) is wrong)
        raise UnsupportedType(
            f"{where}, step {steps[place]}: {flat[place]!r:.40} is a {wrong.__name__}, and no MIDI pitch. Give whole "
            "numbers: 60 is the C in the middle of a piano."
        )
    return np.array(flat, dtype=np.float64), steps


def _check_pitches(numbers: np.ndarray, steps: np.ndarray, where: str) -> None:
    missing = np.flatnonzero(np.isnan(numbers))
    if len(missing):
        raise InvalidInput(
            f"{where}, step {steps[missing[0]]}: the chord holds NaN. Leave out what does not sound, or give {SILENT} "
            "for a voice that is silent."
        )
    broken = np.flatnonzero(numbers != np.floor(numbers))
    if len(broken):
        raise InvalidInput(
            f"{where}, step {steps[broken[0]]}: {numbers[broken[0]]:g} is no MIDI pitch, which are whole numbers. "
            "Round the pitches; 60 is the C in the middle of a piano."
        )
    outside = np.flatnonzero(((numbers < LOWEST) | (numbers > HIGHEST)) & (numbers != SILENT))
    if len(outside):
        raise _out_of_range(where, int(steps[outside[0]]), float(numbers[outside[0]]))


def _out_of_range(where: str, step: int, pitch: float) -> InvalidInput:
    looks = " If these are piano rolls of 0 and 1, give arrays, not lists." if pitch in (0, 1) else ""
    known = "no MIDI pitch (0 to 127)" if not 0 <= pitch < PITCHES else f"{note_name(int(pitch))}, and not on a piano"
    return InvalidInput(
        f"{where}, step {step}: the note {pitch:g} is {known}. {_PIANO}. Move the piece by octaves of 12, or leave the "
        f"note out.{looks}"
    )
