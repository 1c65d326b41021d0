"""Samples of a mixture whose centres are known: how many of them are found, and how many samples are any good.

    good   = share of samples within 3 σ of a centre
    found  = centres with a good sample (or a share of them that is wanted at least)

The measure of Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761, section 5.1, and Lin et al. 2018 (PacGAN),
arXiv:1712.04086, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.manifold import nearest
from ganglion.evaluation.predictions import Array

REACH = 3.0  # deviations


@dataclass(frozen=True, slots=True)
class ModeCoverage:
    """What was found of a mixture.

    Attributes
    ----------
    found : int
        Centres with enough good samples.
    n_modes : int
        Centres that there are.
    good : float
        Share of samples within three deviations of a centre, in [0, 1].
    counts : ndarray of shape (n_modes,), int64
        Good samples of each centre.
    """

    found: int
    n_modes: int
    good: float
    counts: Array


def mode_coverage(samples: Array, centers: Array, deviation: float, *, least: float = 0.0) -> ModeCoverage:
    """Measure samples of a mixture of round Gaussians of known centres.

    Parameters
    ----------
    samples : array-like of shape (n, d)
    centers : array-like of shape (n_modes, d)
    deviation : float
        Of every Gaussian, along each axis.
    least : float
        A centre is found if it has more than this share of n / n_modes good samples; 0 asks for one.

    Raises
    ------
    InvalidInput
        If the widths differ, there are no samples, or the deviation is not above 0.
    """
    samples, centers = (np.asarray(each, dtype=np.float64) for each in (samples, centers))
    if samples.ndim != 2 or not len(samples) or centers.shape[1:] != samples.shape[1:] or not deviation > 0:
        raise InvalidInput(
            f"samples have shape {samples.shape}, centers {centers.shape}, deviation is {deviation}. Give two matrices "
            "of the same width, at least one sample, and a deviation above 0."
        )
    distance, place = nearest(samples, centers)
    good = distance <= REACH * deviation
    counts = np.bincount(place[good], minlength=len(centers))
    enough = max(1.0, least * len(samples) / len(centers))
    return ModeCoverage(int((counts >= enough).sum()), len(centers), float(good.mean()), counts)
