"""Many pictures side by side as one."""

from __future__ import annotations

import math

import numpy as np

from ganglion.drawing.png import Array

GAP = 2  # pixels


def contact_sheet(pictures: Array) -> Array:
    """Return pictures in rows and columns, about as many of either, with white between.

    Parameters
    ----------
    pictures : ndarray of shape (n, channels, height, width), uint8

    Returns
    -------
    ndarray of shape (channels, sheet_height, sheet_width), uint8
    """
    n, channels, height, width = pictures.shape
    across = math.ceil(math.sqrt(n))
    down = math.ceil(n / across)
    tiles = np.full((down * across, channels, height + GAP, width + GAP), 255, dtype=np.uint8)
    tiles[:n, :, :height, :width] = pictures
    tiles = tiles.reshape(down, across, channels, height + GAP, width + GAP).transpose(2, 0, 3, 1, 4)
    return tiles.reshape(channels, down * (height + GAP), across * (width + GAP))[:, :-GAP, :-GAP]
