"""Pictures cut into parts: tiles, or superpixels that follow their edges.

SLIC (Achanta et al. 2012, TPAMI 34(11)): k-means of pixels by colour and place, D² = d_colour² + (m / S)² d_place²,
begun on a grid of step S (eq. 3). Differs: colours are the picture's own channels, scaled to unit variance, and every
pixel is compared with all centres, which costs little at so few parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

COMPACT = 0.8  # m: how much a step of the grid counts beside colour, whose deviation is 1
ROUNDS = 6
PIXELS = 2**14  # compared with all centres together


def tiles(height: int, width: int, n: int) -> NDArray[np.intp]:
    """Return the number of the tile that each pixel lies in, (height, width), about n tiles, nearly square."""
    side = max(1.0, (height * width / n) ** 0.5)
    rows, columns = max(1, round(height / side)), max(1, round(width / side))
    return (np.arange(height) * rows // height)[:, None] * columns + np.arange(width) * columns // width


def superpixels(picture: NDArray, n: int) -> NDArray[np.intp]:
    """Return the number of the superpixel of each pixel, (height, width), 0 to at most n; each is in one piece.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width)
    n : int
        About how many.
    """
    channels, height, width = picture.shape
    colours = picture.reshape(channels, -1).T.astype(np.float64)
    colours = colours / (colours.std() or 1.0)
    step = (height * width / n) ** 0.5
    row, column = np.divmod(np.arange(height * width), width)
    points = np.column_stack([colours, row * (COMPACT / step), column * (COMPACT / step)])
    labels = tiles(height, width, n).ravel()
    for _ in range(ROUNDS):
        centres = np.stack([points[labels == i].mean(axis=0) for i in np.unique(labels)])
        sizes = (centres**2).sum(axis=1) / 2
        labels = np.concatenate(
            [(some @ centres.T - sizes).argmax(axis=1) for some in np.array_split(points, -(-len(points) // PIXELS))]
        )
    return in_one_piece(labels.reshape(height, width))


def in_one_piece(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return labels, numbered from 0, of which each keeps its largest piece; what lies apart joins who is nearest."""
    kept = np.full(labels.shape, -1)
    for number, label in enumerate(np.unique(labels)):
        pieces = np.empty(labels.shape, dtype=np.int32)
        ndimage.label(labels == label, output=pieces)
        kept[pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()] = number
    if (kept >= 0).all():
        return kept
    nearest = np.empty((2, *labels.shape), dtype=np.int32)
    ndimage.distance_transform_edt(kept < 0, return_distances=False, return_indices=True, indices=nearest)
    return kept[nearest[0], nearest[1]]
