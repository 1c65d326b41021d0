"""Small pictures inside a page: PNG (RFC 2083) by hand, as a data URI, so that no image library is needed."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from ganglion.evaluation.predictions import Array

MOST_PIXELS_A_SIDE = 96
_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # channels to PNG's grey, RGB, RGBA


def png_data_uri(picture: Array) -> str:
    """Return a picture as a `data:image/png` URI.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width), uint8
        1, 3 or 4 channels; of any other number the first is shown. Sides longer than 96 pixels are thinned out.
    """
    step = max(1, -(-max(picture.shape[1:]) // MOST_PIXELS_A_SIDE))
    shown = picture[:, ::step, ::step]
    if len(shown) not in _COLOUR_TYPE:
        shown = shown[:1]
    rows = np.ascontiguousarray(shown.transpose(1, 2, 0), dtype=np.uint8)
    height, width, channels = rows.shape
    # each row of pixels begins with the number of its filter: 0, none
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows.reshape(height, -1)], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 9)) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode("ascii")


def displayable(images: Array) -> Array:
    """Return a stack of images as uint8, stretched over black to white unless it already uses that range.

    Parameters
    ----------
    images : ndarray of shape (n, channels, height, width), uint8 or float
    """
    if not images.size or (images.dtype == np.uint8 and images.max() > 127):
        return images
    low, high = float(images.min()), float(images.max())
    scaled = (images.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.round(255 * scaled).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
