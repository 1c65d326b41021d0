"""The picture of an alignment: which words of a text were looked at for each word of its answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganglion.drawing.svg import Chart, rect, shorten_inside, text, text_width

CELL = 19.0
MOST_LETTERS = 18
MOST_WORDS = 40  # of each side: more cannot be read


def alignment_chart(source: Sequence[str], answer: Sequence[str], weights: np.ndarray, title: str) -> Chart:
    """Draw an alignment: a row for each word of the answer, a column for each of the source, darker for more.

    Parameters
    ----------
    source, answer : sequence of str
        Words, or tokens.
    weights : ndarray of shape (len(answer), len(source))
        From 0 to 1.
    title : str
        What the picture is of.
    """
    columns, rows = ([shorten_inside(each, MOST_LETTERS) for each in side[:MOST_WORDS]] for side in (source, answer))
    left = 24 + max(map(text_width, rows), default=0)
    above = 20 + 0.72 * max(map(text_width, columns), default=0)
    width = left + CELL * len(columns) + 0.72 * text_width(columns[-1] if columns else "") + 12
    marks = []
    for j, word in enumerate(columns):
        marks.append(text(left + CELL * (j + 0.5) + 2, above - 6, word, turn=-45))
    for i, word in enumerate(rows):
        marks.append(text(left - 6, above + CELL * (i + 0.5) + 4, word, anchor="end"))
        for j, other in enumerate(columns):
            share = float(np.clip(weights[i, j], 0, 1))
            x, y = left + CELL * j, above + CELL * i
            marks.append(rect(x + 0.5, y + 0.5, CELL - 1, CELL - 1, colour="grid", opacity=0.45))
            if share >= 0.01:
                tip = f"{word} ← {other}: {share:.0%}"
                marks.append(rect(x + 0.5, y + 0.5, CELL - 1, CELL - 1, colour="blue", opacity=share, tip=tip))
    height = above + CELL * len(rows) + 12
    return Chart(title, max(width, 160), height, "".join(marks))
