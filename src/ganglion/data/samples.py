"""Samples of sound as numbers that can be trusted, without torch: rates, channels, types.

Whole numbers span their type, 16 bits -32,768 to 32,767; other numbers are taken as they are, from -1 to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.data.recording_files import HIGHEST, LOWEST
from ganglion.errors import InvalidInput, UnsupportedType

SHORT = 2**15  # the loudest sample of 16 bits
MOST_CHANNELS = 64


def checked_rate(i: int, rate: Any) -> int:
    """Return the rate of recording i, in samples a second; one that no sound has raises InvalidInput."""
    whole = isinstance(rate, int | np.integer | float) and not isinstance(rate, bool) and float(rate).is_integer()
    if not whole or not LOWEST <= rate <= HIGHEST:
        raise InvalidInput(
            f"recording {i} has the rate {rate!r:.40}. Give its samples a second, a whole number from {LOWEST:,} to "
            f"{HIGHEST:,} (16 kHz is 16000), as in (16000, samples)."
        )
    return int(rate)


def checked_samples(i: int, given: Any) -> np.ndarray:
    """Return the samples of recording i, (n,), all channels mixed.

    Parameters
    ----------
    i : int
        For messages.
    given : ndarray or Tensor of shape (n,) or (n, channels)

    Raises
    ------
    InvalidInput
        If it holds no sample, NaN or infinity, or too many channels.
    UnsupportedType
        If samples are no numbers.
    """
    array = given.detach().cpu().numpy() if hasattr(given, "detach") else given
    if array.dtype.kind not in "iuf":
        raise UnsupportedType(f"recording {i} holds {array.dtype} values. Give numbers: (rate, samples).")
    if array.ndim == 2 and array.shape[1] > MOST_CHANNELS:
        raise InvalidInput(
            f"recording {i} has shape {array.shape}, {array.shape[1]:,} channels. Give (samples, channels); (channels, "
            "samples) is its transpose."
        )
    if array.ndim not in (1, 2) or not array.size:
        what = "holds no sample (0 seconds)" if not array.size else f"has shape {array.shape}"
        raise InvalidInput(f"recording {i} {what}. Give samples, (n,) or (n, channels), with one sample at least.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = int(np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0])
        raise InvalidInput(
            f"recording {i} holds NaN or infinity, first in sample {where}. Leave it out, or cut that part away."
        )
    if array.ndim == 2:
        return array[:, 0] if array.shape[1] == 1 else as_floats(array).mean(axis=1)
    return array


def as_floats(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32, those of whole numbers from -1 to 1."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32, copy=False)
    limits = np.iinfo(samples.dtype)
    middle = (limits.max + 1) // 2 if limits.min == 0 else 0  # unsigned samples lie around the middle
    return ((samples.astype(np.float64) - middle) / (middle or -float(limits.min))).astype(np.float32)


def shortened(samples: np.ndarray) -> np.ndarray:
    """Return samples from -1 to 1 as whole numbers of 16 bits; those that had 16 come back to the bit."""
    return np.clip(np.round(samples * SHORT), -SHORT, SHORT - 1).astype(np.int16)
