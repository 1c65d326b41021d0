"""One file of sound: what its head says, and its samples as one channel at the rate that is wanted.

soundfile (libsndfile) decodes. It takes a file that was cut off for one that ends there, so that what is there is
compared with what the file promises.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ganglion.data.image_files import Unreadable
from ganglion.errors import missing_extra

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
KINDS = "WAV, FLAC, Ogg"
LOWEST, HIGHEST = 1_000, 384_000  # samples a second that sound can have
_STREAMED = (0, 0xFFFFFFFF)  # sizes of a WAV that was written without knowing its end
_LAST_PAGE = 0x04  # of an Ogg stream


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a file says: samples of each channel, samples a second, if 16 bits hold a sample, channels."""

    n_samples: int
    rate: int
    is_short: bool
    n_channels: int = 1

    def n_at(self, rate: int) -> int:
        """Return how many samples there are at another rate."""
        return -(-self.n_samples * rate // self.rate)


def is_recording(file: str) -> bool:
    """Say whether a file holds sound, by its name."""
    return file.lower().endswith(SUFFIXES)


def load_soundfile(purpose: str) -> Any:
    """Return the package `soundfile`, or raise MissingExtra."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, and the library of C is not
        raise missing_extra("soundfile", "audio", purpose) from error
    return soundfile


def look(stream: IO[bytes]) -> Head:
    """Return what the head of a file says; raises Unreadable if it is no sound, was cut off, or holds no sample."""
    _refuse_cut(stream)
    with _opened(stream) as file:
        is_short = not file.subtype.endswith(("_24", "_32", "FLOAT", "DOUBLE"))
        head = Head(file.frames, file.samplerate, is_short, file.channels)
    if not head.n_samples:
        raise Unreadable("holds no sample (0 seconds)")
    if not LOWEST <= head.rate <= HIGHEST:
        raise Unreadable(f"has {head.rate:,} samples a second; sound has {LOWEST:,} to {HIGHEST:,}")
    return head


def decode(stream: IO[bytes], rate: int) -> np.ndarray:
    """Return the samples of a file, (n_samples,) float32 in [-1, 1], all channels mixed, at `rate` samples a second.

    Raises
    ------
    Unreadable
        If it cannot be decoded to its end, or holds NaN or infinity.
    """
    with _opened(stream) as file:
        promised, given = file.frames, file.samplerate
        try:
            samples = file.read(dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise Unreadable(f"is damaged ({error})") from error
    if len(samples) < promised:
        raise Unreadable(f"was cut off: {len(samples):,} of {promised:,} samples are there")
    odd = np.flatnonzero(~np.isfinite(samples).all(axis=1))
    if len(odd):
        raise Unreadable(f"holds NaN or infinity, first after {odd[0] / given:.3g} s")
    return resampled(samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1), given, rate)


def resampled(samples: np.ndarray, given: int, wanted: int) -> np.ndarray:
    """Return sound at another rate, (n,) → (⌈n · wanted / given⌉,) float32; what is too high for it is filtered out."""
    if given == wanted:
        return samples
    from scipy.signal import resample_poly  # slow to import, and mostly not needed

    common = math.gcd(given, wanted)
    return resample_poly(samples, wanted // common, given // common).astype(np.float32)


def _opened(stream: IO[bytes]) -> Any:
    soundfile = load_soundfile("Reading recordings")
    stream.seek(0)
    try:
        return soundfile.SoundFile(stream)
    except (RuntimeError, TypeError) as error:
        raise Unreadable(f"is no recording that can be read ({KINDS}): {_plain(error)}") from error


def _plain(error: Exception) -> str:
    """Return what the library says, without the name of the stream."""
    return str(error).rpartition(": ")[2].rstrip(".") or type(error).__name__


def _refuse_cut(stream: IO[bytes]) -> None:
    stream.seek(0, 2)
    size = stream.tell()
    if not size:
        raise Unreadable("is empty (0 bytes)")
    stream.seek(0)
    magic = stream.read(4)
    if magic == b"RIFF":
        _refuse_cut_wav(stream, size)
    elif magic == b"OggS":
        _refuse_cut_ogg(stream, size)


def _refuse_cut_wav(stream: IO[bytes], size: int) -> None:
    """Walk over the chunks of a WAV: one that ends behind the file was cut off."""
    place = 12
    while place + 8 <= size:
        stream.seek(place)
        name, length = struct.unpack("<4sI", stream.read(8))
        if length in _STREAMED:
            return
        if place + 8 + length > size and name == b"data":
            there = size - place - 8
            raise Unreadable(f"was cut off: {there:,} of {length:,} bytes of its sound are there")
        place += 8 + length + length % 2


def _refuse_cut_ogg(stream: IO[bytes], size: int) -> None:
    """Look at the last page of an Ogg: it must say that it is the last one."""
    stream.seek(max(0, size - 2**16 - 282))  # as long as a page may be
    end = stream.read()
    last = end.rfind(b"OggS")
    if last >= 0 and len(end) > last + 5 and not end[last + 5] & _LAST_PAGE:
        raise Unreadable("was cut off: the page that ends an Ogg file is not there")
