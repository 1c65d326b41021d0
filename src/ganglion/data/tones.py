"""A piece as sound: each note a few sines, louder when it is struck, written as a wave file.

    s(t) = Σ_notes e^(-t / decay) Σ_{h = 1 … 4} sin(2 π h f t) / h²,     f = 440 · 2^((pitch - 69) / 12) hertz

with t from the beginning of the note, faded in and out within a hundredth of a second so that nothing clicks.
"""

from __future__ import annotations

import os
import wave
from typing import Any

import numpy as np

from ganglion.data.chords import LOWEST, roll_of
from ganglion.data.midi_file import check_tempo, notes_of
from ganglion.data.note_values import STEP, step_length
from ganglion.storage import atomic_write

RATE = 22_050  # samples a second
HARMONICS = 4
DECAY, FADE = 1.2, 0.01  # seconds
LOUDEST = 0.8  # of what a file can hold


def tones(piece: Any, *, step: str = STEP, tempo: float = 80.0) -> np.ndarray:
    """Return a piece as sound.

    Parameters
    ----------
    piece : array (steps, 88), or list of chords of MIDI pitches
    step : str
        The note that a step is as long as.
    tempo : float
        Quarter notes a minute.

    Returns
    -------
    ndarray of shape (n,), float64
        22,050 samples a second, from -0.8 to 0.8.
    """
    check_tempo(tempo)
    roll = roll_of(piece)
    seconds = float(step_length(step)) * 60 / tempo
    sound = np.zeros(round(len(roll) * seconds * RATE) + 1)
    for begin, end, key in zip(*notes_of(roll), strict=True):
        first, last = round(begin * seconds * RATE), round(end * seconds * RATE)
        sound[first:last] += _note(key + LOWEST, last - first)
    loudest = np.abs(sound).max()
    return sound * (LOUDEST / loudest) if loudest else sound


def write_tones(path: str | os.PathLike[str], piece: Any, *, step: str = STEP, tempo: float = 80.0) -> None:
    """Write a piece as a wave file, 16 bits a sample; see `tones`. Raises SaveFailed if it cannot be written."""
    samples = np.round(tones(piece, step=step, tempo=tempo) * (2**15 - 1)).astype("<i2")
    with atomic_write(path) as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())


def _note(pitch: int, n: int) -> np.ndarray:
    time = np.arange(n) / RATE
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    audible = [h for h in range(1, HARMONICS + 1) if h * frequency < RATE / 2]
    tone = sum(np.sin(2 * np.pi * h * frequency * time) / h**2 for h in audible)
    edges = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / (FADE * RATE))
    return tone * np.exp(-time / DECAY) * edges
