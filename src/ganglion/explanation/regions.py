"""A picture and its parts, as they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """A picture, (channels, height, width) uint8, and the number of the part of each pixel, (height, width)."""

    picture: NDArray[np.uint8]
    part: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Heat(Regions):
    """A picture of which is known what each pixel adds to each of the k outputs, (k, height, width)."""

    heat: NDArray[np.float64]
