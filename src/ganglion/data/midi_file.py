"""MIDI files (Standard MIDI Files 1.0): read on a grid of equal steps, and written.

A step holds the notes that sound at its beginning, as the quarter notes of the JSB chorales do, or begin an eighth of a
step or less beside it: played by hand, notes are never quite together. Times are counted in quarter notes, as the file
counts them; tempo says how long these are, and changes nothing. Drums (channel 10) have no pitches and are left out;
pedals are not looked at. Whether a note that goes on was struck again is not kept.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ganglion.data.chords import HIGHEST, KEYS, LOWEST, roll_of
from ganglion.data.note_values import STEP, step_length
from ganglion.errors import InvalidParameter, missing_extra
from ganglion.storage import atomic_write

SUFFIXES = (".mid", ".midi")
MAGIC = b"MThd"
BESIDE = Fraction(1, 8)  # of a step
DRUMS = 9  # channel 10, counted from 0
TICKS = 480  # of a quarter note, in files that are written
VELOCITY = 80  # of 127: how hard keys are struck
LONGEST = 2**20  # steps: times beyond are damage, not music
FASTEST, SLOWEST = 1000.0, 4.0  # quarter notes a minute; a file holds the length of one in 24 bits


class NoMidi(ValueError):
    """Bytes are no whole MIDI file; the message says why, in words that follow the file's name."""


@dataclass(frozen=True, slots=True)
class Played:
    """One MIDI file, read.

    Attributes
    ----------
    roll : ndarray of shape (steps, 88), uint8
        From the first note to the end of the last one.
    n_notes : int
        Notes in the file, without drums.
    n_outside : int
        Notes that no key of a piano has, left out.
    n_between : int
        Notes that begin and end between two steps, left out.
    """

    roll: np.ndarray
    n_notes: int
    n_outside: int
    n_between: int


def is_midi(name: str) -> bool:
    """Say whether a file is MIDI, by its name."""
    return name.lower().endswith(SUFFIXES)


def read_midi(raw: bytes, step: str = STEP) -> Played:
    """Read the bytes of a MIDI file.

    Parameters
    ----------
    raw : bytes
    step : str
        The note that a step is as long as, such as "1/4".

    Raises
    ------
    NoMidi
        If it is none, is cut off or damaged, or holds no note.
    MissingExtra
        If the package mido is not installed.
    """
    midi = _parsed(raw)
    notes = np.array(list(_notes(midi)), dtype=np.int64).reshape(-1, 3)
    if not len(notes):
        raise NoMidi("holds no note but drums" if any(map(_has_notes, midi.tracks)) else "holds no note")
    inside = (notes[:, 2] >= LOWEST) & (notes[:, 2] <= HIGHEST)
    if not inside.any():
        raise NoMidi(f"holds no note of a piano, whose MIDI pitches are {LOWEST} (A0) to {HIGHEST} (C8)")
    length = step_length(step) * midi.ticks_per_beat  # of a step, in ticks
    first, last = _on_grid(notes[inside, 0], notes[inside, 1], length)
    kept = last > first
    if not kept.any():
        raise NoMidi(f"has no note that sounds at the beginning of a step of {step}; give a shorter step")
    first, last, keys = first[kept], last[kept], notes[inside, 2][kept] - LOWEST
    if last.max() - first.min() > LONGEST:
        raise NoMidi(f"is {last.max() - first.min():,} steps long, more than any music ({LONGEST:,})")
    return Played(
        _filled(first - first.min(), last - first.min(), keys), len(notes), int((~inside).sum()), int((~kept).sum())
    )


def write_midi(path: str | os.PathLike[str], piece: Any, *, step: str = STEP, tempo: float = 80.0) -> None:
    """Write a piece as a MIDI file.

    Parameters
    ----------
    path : path-like
    piece : array (steps, 88), or list of chords of MIDI pitches
        A note that stands in several steps, one after the other, is held.
    step : str
        The note that a step is as long as, such as "1/4".
    tempo : float
        Quarter notes a minute.

    Raises
    ------
    InvalidInput, InvalidParameter
        If the piece, the step or the tempo is none.
    MissingExtra
        If the package mido is not installed.
    SaveFailed
        If it cannot be written.
    """
    mido, roll, ticks = _mido("Writing MIDI files"), roll_of(piece), step_length(step) * TICKS
    check_tempo(tempo)
    begin, end, keys = notes_of(roll)
    changes = [(round(at * ticks), True, key) for at, key in zip(begin.tolist(), keys.tolist(), strict=True)]
    changes += [(round(at * ticks), False, key) for at, key in zip(end.tolist(), keys.tolist(), strict=True)]
    track, now = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))]), 0
    for at, strikes, key in sorted(changes):  # at one moment, what ends comes before what begins
        what, velocity = ("note_on", VELOCITY) if strikes else ("note_off", 0)
        track.append(mido.Message(what, note=key + LOWEST, velocity=velocity, time=at - now))
        now = at
    track.append(mido.MetaMessage("end_of_track", time=max(0, round(len(roll) * ticks) - now)))
    with atomic_write(path) as file:
        mido.MidiFile(type=0, ticks_per_beat=TICKS, tracks=[track]).save(file=file)


def notes_of(roll: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the notes of a piano roll, (steps, keys): first step of each, the step behind it, and its key, (n,) each.

    Steps in which a key sounds, one after the other, are one note.
    """
    edges = np.diff(roll.T.astype(np.int8), axis=1, prepend=0, append=0)
    keys, begin = np.nonzero(edges == 1)
    return begin, np.nonzero(edges == -1)[1], keys


def check_tempo(tempo: float) -> None:
    """Raise InvalidParameter unless a tempo is one, in quarter notes a minute."""
    if isinstance(tempo, bool) or not isinstance(tempo, int | float) or not SLOWEST <= tempo <= FASTEST:
        raise InvalidParameter(f"tempo={tempo!r}: give quarter notes a minute, from {SLOWEST:g} to {FASTEST:g}.")


def _mido(purpose: str) -> Any:
    try:
        import mido  # an extra
    except ImportError as error:
        raise missing_extra("mido", "music", purpose) from error
    return mido


def _parsed(raw: bytes) -> Any:
    mido = _mido("Reading MIDI files")
    if not raw:
        raise NoMidi("is empty (0 bytes)")
    if not raw.startswith(MAGIC):
        raise NoMidi(f"is no MIDI file: it begins with {raw[:4]!r}, not with {MAGIC!r}")
    try:
        midi = mido.MidiFile(file=io.BytesIO(raw))
    except EOFError as error:
        raise NoMidi("is cut off: it ends in the middle of a track") from error
    except (OSError, ValueError, LookupError, ArithmeticError, TypeError, MemoryError) as error:
        raise NoMidi(f"is damaged ({error})") from error
    if midi.type == 2:
        raise NoMidi("is of type 2, in which each track is a piece of its own; save each as a file")
    if midi.ticks_per_beat <= 0:
        raise NoMidi("counts time in seconds (SMPTE) and not in notes; export it with ticks per quarter note")
    return midi


def _has_notes(track: Any) -> bool:
    return any(message.type == "note_on" for message in track)


def _notes(midi: Any) -> Iterator[tuple[int, int, int]]:
    """Give begin and end, in ticks, and pitch of each note; one that never ends does with its track."""
    for track in midi.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
                continue
            begun = sounding.pop((message.channel, message.note), None)
            if begun is not None:
                yield begun, now, message.note
            if message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note] = now
        yield from ((begun, now, pitch) for (_, pitch), begun in sounding.items())


def _on_grid(begin: np.ndarray, end: np.ndarray, length: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Return the first step of each note and the step behind its last one, in whole numbers: ticks are exact."""
    parts = BESIDE.denominator * length.denominator  # of a tick, so that steps and what may be beside them are whole
    step, beside = int(length * parts), int(length * BESIDE * parts)
    first, last = (-((beside - each * parts) // step) for each in (begin, end))  # ceil((t - beside) / step)
    near = first * step - begin * parts <= beside
    return first, np.where(near, np.maximum(last, first + 1), last)


def _filled(first: np.ndarray, last: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the roll in which key `keys[i]` sounds from step `first[i]` to before `last[i]`."""
    changes = np.zeros((int(last.max()) + 1, KEYS), dtype=np.int32)
    np.add.at(changes, (first, keys), 1)
    np.add.at(changes, (last, keys), -1)
    return (changes.cumsum(axis=0)[:-1] > 0).astype(np.uint8)
