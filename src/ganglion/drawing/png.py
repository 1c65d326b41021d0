"""PNG by hand (RFC 2083), as data URIs: pictures inside a page without an image library.

Photographs are made small first: averaged down to a few hundred pixels a side, and rounded to fewer shades as long as
they take too many bytes. A page with a dozen of them stays well below two megabytes.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_SIDE = 256  # pixels
MOST_BYTES = 80_000  # of a picture, before base64 makes a third more of it
FEWEST_BITS = 4  # a channel
FEWEST_SIDE = 16  # pixels
_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # channels to PNG's grey, RGB, RGBA
_PALETTE = 3


def png_data_uri(picture: Array, *, most_side: int = MOST_SIDE, most_bytes: int = MOST_BYTES) -> str:
    """Return a picture as a `data:image/png` URI.

    Parameters
    ----------
    picture : ndarray of shape (channels, height, width), uint8
        1, 3 or 4 channels; of any other number the first is shown.
    most_side : int
        Longer sides, in pixels, are averaged down to it.
    most_bytes : int
        While the file is larger, it gets fewer shades (down to 16 a channel), then fewer pixels.
    """
    shown = picture if len(picture) in _COLOUR_TYPE else picture[:1]
    shown = shrunk(shown, most_side)
    longest = max(shown.shape[1:])
    for bits in range(8, FEWEST_BITS - 1, -1):
        file = _png(_rounded(shown, bits).transpose(1, 2, 0), _COLOUR_TYPE[len(shown)])
        if len(file) <= most_bytes or longest <= FEWEST_SIDE:
            return _uri(file)
    return png_data_uri(shown, most_side=longest * 3 // 4, most_bytes=most_bytes)


def png_file(picture: Array) -> bytes:
    """Return a picture, (channels, height, width) uint8, as the bytes of a PNG file, every pixel kept."""
    shown = picture if len(picture) in _COLOUR_TYPE else picture[:1]
    return _png(shown.transpose(1, 2, 0), _COLOUR_TYPE[len(shown)])


def palette_data_uri(codes: Array, colours: Sequence[str | None]) -> str:
    """Return a map of codes as a `data:image/png` URI, one colour a code.

    Parameters
    ----------
    codes : ndarray of shape (height, width), integers in [0, n_colours), n_colours at most 256
    colours : sequence of str or None
        "#rrggbb", or None for what is transparent.
    """
    shades = b"".join(bytes.fromhex((colour or "#000000")[1:]) for colour in colours)
    opaque = bytes(0 if colour is None else 255 for colour in colours)
    return _uri(_png(codes[:, :, None], _PALETTE, _chunk(b"PLTE", shades) + _chunk(b"tRNS", opaque)))


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


def shrunk(picture: Array, most_side: int) -> Array:
    """Return a picture, (channels, height, width) uint8, averaged down so that no side is longer than `most_side`."""
    longest = max(picture.shape[1:])
    if longest <= most_side:
        return picture
    part = picture.astype(np.float64)
    for axis in (1, 2):
        side = picture.shape[axis]
        edges = block_edges(side, max(1, round(side * most_side / longest)))
        sums = np.add.reduceat(part, edges[:-1], axis=axis)
        part = sums / np.expand_dims(np.diff(edges), tuple(k for k in range(3) if k != axis))
    return np.round(part).astype(np.uint8)


def thinned(codes: Array, most_side: int) -> Array:
    """Return a map of codes, (height, width), cut down to `most_side`: a code has no average, its place has a middle.

    It has the shape that `shrunk` gives to a picture of the same shape.
    """
    longest = max(codes.shape)
    if longest <= most_side:
        return codes
    rows, columns = (
        (edges[:-1] + edges[1:]) // 2
        for edges in (block_edges(side, max(1, round(side * most_side / longest))) for side in codes.shape)
    )
    return codes[rows[:, None], columns]


def block_edges(side: int, n_blocks: int) -> Array:
    """Return where each of `n_blocks` blocks of nearly equal size begins, and where the last ends, (n_blocks + 1,)."""
    return np.arange(n_blocks + 1) * side // n_blocks


def _rounded(picture: Array, bits: int) -> Array:
    """Return a picture whose channels have so many bits: neighbours become equal, and equal ones cost nothing."""
    if bits == 8:
        return picture
    levels = 2**bits - 1
    return np.round(np.round(picture * (levels / 255)) * (255 / levels)).astype(np.uint8)


def _png(rows: Array, colour_type: int, extra: bytes = b"") -> bytes:
    """Return the file of pixels (height, width, channels)."""
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    height, width = rows.shape[:2]
    plain = colour_type == _PALETTE  # codes have no neighbours that are nearly equal
    lines = np.pad(rows.reshape(height, -1), ((0, 0), (1, 0))) if plain else _filtered(rows)
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    data = zlib.compress(lines.tobytes(), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _filtered(rows: Array) -> Array:
    """Return the lines of a file: each the number of its filter and what the filter leaves, (height, 1 + bytes).

    A filter takes from each byte what its neighbours let expect (RFC 2083, section 6); of each line that one is taken
    whose rests are smallest, as the RFC advises.
    """
    height = len(rows)
    x = rows.astype(np.int16)
    left, up, corner = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    left[:, 1:], up[1:], corner[1:, 1:] = x[:, :-1], x[:-1], x[:-1, :-1]
    guess = left + up - corner
    near = np.stack([np.abs(guess - each) for each in (left, up, corner)])
    paeth = np.choose(near.argmin(axis=0), [left, up, corner])
    expected = [np.zeros_like(x), left, up, (left + up) // 2, paeth]
    rests = np.stack([(x - each).astype(np.uint8).reshape(height, -1) for each in expected])
    sizes = np.abs(rests.view(np.int8).astype(np.int16)).sum(axis=2)
    best = sizes.argmin(axis=0)
    return np.column_stack([best.astype(np.uint8), rests[best, np.arange(height)]])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _uri(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode("ascii")
