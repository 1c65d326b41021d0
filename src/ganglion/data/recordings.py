"""Recordings in memory: samples with the rate at which they were taken, as a data set of one column "audio".

given                                     becomes
a list of (rate, samples)                 one recording each; as `scipy.io.wavfile.read` gives them
a list of paths                           one recording each, read from its file

Samples are (n,), or (n, channels), which are mixed. Whole numbers span their type, 16 bits -32,768 to 32,767; other
numbers are taken as they are, from -1 to 1. All are brought to one rate.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.data.recording_files import is_recording, resampled
from ganglion.data.samples import SHORT, as_floats, checked_rate, checked_samples
from ganglion.errors import DataWarning

NAME = "audio"
USUAL = 16_000  # samples a second: more tell little of speech, and are brought down unless asked for
SILENCE = 1e-4  # of the loudest that there can be, -80 dB
_NAMED = 5

Recording = tuple[int, np.ndarray]


def holds_recordings(X: Any) -> bool:
    """Say whether something is a list of paths of recordings, or of pairs (rate, samples)."""
    if isinstance(X, np.ndarray) and X.dtype.kind in "OU" and X.ndim == 1:
        X = X.tolist()
    if not isinstance(X, list | tuple) or not X:
        return False
    return all(map(_is_path, X)) or holds_pairs(X)


def holds_pairs(X: Any) -> bool:
    """Say whether something is a list, or an array of objects, of pairs (rate, samples)."""
    if isinstance(X, np.ndarray):
        X = X.tolist() if X.dtype == object and X.ndim == 1 else ()
    return isinstance(X, list | tuple) and len(X) > 0 and all(map(_is_pair, X))


def _is_path(each: Any) -> bool:
    return isinstance(each, str | os.PathLike) and is_recording(os.fspath(each))


def _is_pair(each: Any) -> bool:
    pair = isinstance(each, tuple | list) and len(each) == 2
    return pair and not isinstance(each[0], np.ndarray | Tensor) and isinstance(each[1], np.ndarray | Tensor)


def pairs_to_dataset(X: Sequence[Any], rate: int | None = None) -> Dataset:
    """Return recordings as a data set.

    Parameters
    ----------
    X : sequence of (rate, samples)
        Rates in samples a second, Hz.
    rate : int, optional
        What all are brought to; without it the rate that most have, at most 16,000.

    Raises
    ------
    InvalidInput
        If a rate is none that sound has, or a recording holds no sample, or NaN or infinity.
    UnsupportedType
        If samples are no numbers.
    """
    given = [checked_rate(i, each[0]) for i, each in enumerate(X)]
    wanted = rate or common_rate(given)
    samples = [checked_samples(i, each[1]) for i, each in enumerate(X)]
    tell_rates(given, wanted, rate, "the recordings")
    if all(each.dtype == np.int16 for each in samples) and set(given) == {wanted}:
        parts = samples
    else:
        parts = [resampled(as_floats(each), own, wanted) for each, own in zip(samples, given, strict=True)]
    tell_silent([f"recording {i}" for i, each in enumerate(parts) if is_silent(each)], len(parts), "the recordings")
    offsets = torch.tensor([0, *map(len, parts)]).cumsum(0)
    column = Ragged(torch.from_numpy(np.concatenate(parts)), offsets)
    return Dataset([Field(NAME, "audio", rate=wanted)], {NAME: column})


def common_rate(rates: Sequence[int]) -> int:
    """Return the rate that most recordings have, the lowest of several, at most 16,000."""
    counts = Counter(rates)
    most = max(counts.values())
    return min(USUAL, *(rate for rate, n in counts.items() if n == most))


def tell_rates(given: Sequence[int], wanted: int, asked: int | None, source: str) -> None:
    """Warn that recordings are brought to another rate, unless that was asked for."""
    others = Counter(rate for rate in given if rate != wanted)
    if not others or asked is not None:
        return
    shown = ", ".join(f"{n:,} with {rate:,}" for rate, n in others.most_common(_NAMED))
    warnings.warn(
        f"{source}: {others.total():,} of {len(given):,} are brought to {wanted:,} samples a second ({shown}). Choose "
        "with rate=.",
        DataWarning,
        stacklevel=3,
    )


def is_silent(samples: np.ndarray) -> bool:
    """Say whether nothing can be heard: no sample is further than -80 dB from the others."""
    scale = SHORT if samples.dtype == np.int16 else 1.0
    return float(samples.max()) - float(samples.min()) < SILENCE * scale


def tell_silent(names: Sequence[str], n: int, source: str) -> None:
    """Warn of recordings in which nothing can be heard."""
    if not names:
        return
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    warnings.warn(
        f"{source}: {len(names)} of {n} are silent: {shown}. Nothing can be learned from them, or told of them. Leave "
        "them out, unless silence is what they are to show.",
        DataWarning,
        stacklevel=3,
    )


def to_rate(column: Ragged, given: int, wanted: int) -> Ragged:
    """Return a column of recordings at another rate; in float32 where that differs."""
    if given == wanted:
        return column
    parts = [torch.from_numpy(resampled(as_floats(each.numpy()), given, wanted)) for each in column.split()]
    return Ragged(torch.cat(parts), torch.tensor([0, *map(len, parts)]).cumsum(0))
