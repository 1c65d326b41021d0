"""Folders and zips of MIDI files as a data set, a piece each; and pieces written, as MIDI or as sound.

Folders train/, val/ and test/ are parts, as of pictures; what other folders are called does not matter. The data set
has a column "music" and "file", the name of each, which is no feature.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ganglion.data.chords import rolls_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.file_tree import ZIP_DAMAGE, Part, Skipped, Tree, listed, part_folders, reason_of, refuse_or_tell
from ganglion.data.memory import MB, VARIABLE, is_large
from ganglion.data.midi_file import SUFFIXES, NoMidi, Played, is_midi, read_midi, write_midi
from ganglion.data.note_values import STEP
from ganglion.data.tones import write_tones
from ganglion.errors import DataWarning, InvalidFile, InvalidParameter

_MOSTLY = 0.5  # so many files must be MIDI
MANY_BETWEEN = 0.2  # of the notes: a shorter step would keep them
WRITERS: dict[str, Callable[..., None]] = {**dict.fromkeys(SUFFIXES, write_midi), ".wav": write_tones}


def is_music_tree(tree: Tree) -> bool:
    """Say whether a folder or zip holds MIDI files, mostly."""
    return sum(map(is_midi, tree.files)) > _MOSTLY * len(tree.files)


def midi_to_dataset(tree: Tree, step: str = "", part: Part = "train", corrupt: str = "skip") -> Dataset | None:
    """Read the MIDI files of a folder or zip; None if it has no such part.

    Parameters
    ----------
    tree : Tree
    step : str
        The note that a step is as long as; a quarter note unless given.
    part : "train" or "test"
        A tree without parts is all "train".
    corrupt : "skip" or "refuse"
        What to do about files that are damaged or hold no note: leave them out with a DataWarning, or raise.

    Raises
    ------
    InvalidFile
        If none can be read, one cannot and `corrupt` is "refuse", or they are too large for memory.

    Warns
    -----
    DataWarning
        If notes were left out that a piano has not, or many that a shorter step would keep.
    """
    tree = tree.named_after(part)
    parts = part_folders(tree, is_midi)
    if parts is None and part == "test":
        return None
    seen = [tree] if parts is None else [tree.below(folder) for folder in parts[part]]
    files = [file for each in seen for file in each.files if is_midi(file)]
    return midi_files_to_dataset(tree, files, step, corrupt) if files else None


def midi_files_to_dataset(tree: Tree, files: Sequence[str], step: str = "", corrupt: str = "skip") -> Dataset:
    """Read these MIDI files of a tree, whatever they are called; see `midi_to_dataset`."""
    step, names = step or STEP, [str(tree.inside(file)) for file in files]
    played, skipped = _read_all(tree, files, step)
    if not played:
        raise InvalidFile(
            f"none of the {len(names)} MIDI files of {tree.name} can be read: {listed(names, skipped)}. Give MIDI "
            "files with notes in them."
        )
    refuse_or_tell(tree, names, skipped, corrupt, "pieces")
    gone = {i for i, _ in skipped}
    _tell_left_out(tree, played, step)
    kept = [name for i, name in enumerate(names) if i not in gone]
    return rolls_to_dataset([each.roll for each in played], step=step, files=kept, source=tree.name)


def write_music(path: str | os.PathLike[str], piece: Any, *, step: str = STEP, tempo: float = 80.0) -> None:
    """Write a piece as a MIDI file (.mid) or as sound (.wav), by the end of the file's name.

    Parameters
    ----------
    path : path-like
    piece : array (steps, 88) of 0 and 1, or list of chords of MIDI pitches
        What `MusicModel.sample` gives. A note that stands in several steps, one after the other, is held.
    step : str
        The note that a step is as long as, such as "1/4".
    tempo : float
        Quarter notes a minute.

    Raises
    ------
    InvalidInput, InvalidParameter
        If the piece, the step or the tempo is none, or the name ends otherwise.
    MissingExtra
        If it is MIDI, and the package mido is not installed.
    SaveFailed
        If it cannot be written.
    """
    check_music_name(path)
    WRITERS[Path(path).suffix.lower()](path, piece, step=step, tempo=tempo)


def check_music_name(path: str | os.PathLike[str]) -> None:
    """Raise InvalidParameter unless a file's name says how music is to be written to it."""
    if Path(path).suffix.lower() not in WRITERS:
        raise InvalidParameter(f"{Path(path).name}: music is written to files called .mid (notes) or .wav (sound).")


def _read_all(tree: Tree, files: Sequence[str], step: str) -> tuple[list[Played], Skipped]:
    """Return the pieces that can be read, and which files cannot."""
    played: list[Played] = []
    skipped: Skipped = []
    n_bytes = 0
    for i, file in enumerate(files):
        try:
            with tree.open(file) as stream:
                raw = stream.read()
        except ZIP_DAMAGE as error:
            skipped.append((i, reason_of(error)))
            continue
        try:
            played.append(read_midi(raw, step))
        except NoMidi as error:
            skipped.append((i, str(error)))
            continue
        n_bytes += played[-1].roll.nbytes
        if is_large(n_bytes):
            raise InvalidFile(
                f"{tree.name}: the first {i + 1:,} of {len(files):,} pieces take {n_bytes / MB:,.0f} MB, too many for "
                f"memory. Give fewer pieces or longer steps, or allow more memory with {VARIABLE} (in MB)."
            )
    return played, skipped


def _tell_left_out(tree: Tree, played: Sequence[Played], step: str) -> None:
    n_notes, n_outside, n_between = (
        sum(getattr(each, name) for each in played) for name in ("n_notes", "n_outside", "n_between")
    )
    if n_outside:
        warnings.warn(
            f"{tree.name}: {n_outside:,} of {n_notes:,} notes lie outside the 88 keys of a piano (A0 to C8) and are "
            "left out.",
            DataWarning,
            stacklevel=3,
        )
    if n_between > MANY_BETWEEN * n_notes:
        warnings.warn(
            f"{tree.name}: {n_between:,} of {n_notes:,} notes begin and end between two steps of {step}, and are left "
            "out. Read it with a shorter step, such as step='1/16' (--step 1/16), to keep them.",
            DataWarning,
            stacklevel=3,
        )
