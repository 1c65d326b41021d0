"""Spectrograms as charts: time to the right, height of tones upwards, the louder the lighter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganglion.drawing.axes import tick_labels, ticks
from ganglion.drawing.png import Array, png_data_uri
from ganglion.drawing.svg import Chart, image, line, shorten, text

# from silence to the loudest, in even steps of lightness
_COLOURS = ((9, 8, 32), (58, 18, 104), (134, 32, 106), (206, 66, 70), (246, 133, 32), (250, 215, 100))
_TONES = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)  # Hz
LEFT, TOP, HEIGHT = 34.0, 8.0, 110.0
NARROW, WIDE, A_SECOND = 200.0, 474.0, 150.0  # pixels
_WORDS = 15.0  # pixels, for words above


def pixels_of(levels: Array) -> Array:
    """Return a spectrogram, (T, B), as a picture, (3, B, T) uint8, low tones at the bottom, over its own range."""
    low, high = float(levels.min()), float(levels.max())
    share = (levels.T[::-1] - low) / ((high - low) or 1.0) * (len(_COLOURS) - 1)
    below = np.minimum(share.astype(np.int64), len(_COLOURS) - 2)
    colours = np.array(_COLOURS, dtype=np.float64)
    mixed = colours[below] + (share - below)[:, :, None] * (colours[below + 1] - colours[below])
    return np.round(mixed).astype(np.uint8).transpose(2, 0, 1)


def spectrogram_chart(
    levels: Array,
    seconds: float,
    highest: float,
    title: str,
    *,
    words: Sequence[tuple[str, float]] = (),
) -> Chart:
    """Draw a spectrogram.

    Parameters
    ----------
    levels : ndarray of shape (T, B)
        Loudness of each band in each step, in any unit; bands are evenly apart in mel.
    seconds : float
        How long it is.
    highest : float
        The highest frequency, in Hz.
    title : str
    words : sequence of (str, float)
        What is said, and when, in seconds: written above.
    """
    width = float(np.clip(A_SECOND * seconds, NARROW, WIDE))
    top = TOP + (_WORDS if words else 0.0)
    marks = [image(LEFT, top, width, HEIGHT, png_data_uri(pixels_of(levels), most_side=400))]
    for word, moment in words:
        x = LEFT + width * moment / seconds
        marks.append(line(x, top - 3, x, top, colour="soft"))
        marks.append(text(x, top - 5, shorten(word, 14), anchor="middle", kind="xs"))
    whole = _mel(highest)
    for tone in _TONES:
        if tone < highest and (tone != 125 or highest < 2000):
            y = top + HEIGHT * (1 - _mel(tone) / whole)
            marks.append(line(LEFT - 3, y, LEFT, y, colour="soft"))
            name = f"{tone / 1000:g}k" if tone >= 1000 else str(tone)
            marks.append(text(LEFT - 5, y + 3.5, name, anchor="end", kind="xs s"))
    moments = ticks(0.0, seconds, 4)
    bottom = top + HEIGHT
    for moment, label in zip(moments, tick_labels(moments), strict=True):
        x = LEFT + width * moment / seconds
        marks.append(line(x, bottom, x, bottom + 3, colour="soft"))
        marks.append(text(x, bottom + 13, f"{label} s", anchor="middle", kind="xs s"))
    return Chart(title, LEFT + width + 14, bottom + 18, "".join(marks))


def _mel(hertz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hertz / 700.0))
