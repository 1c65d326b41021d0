"""What was looked at for each word of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganglion.drawing.alignment import alignment_chart
from ganglion.drawing.svg import Chart, shorten


@dataclass(frozen=True, eq=False)
class Alignment:
    """How much each piece of an answer looked at each piece of the text that it answers.

    Attributes
    ----------
    source, answer : tuple of str
        The pieces: tokens, those of byte pairs joined to words.
    weights : ndarray of shape (len(answer), len(source))
        Each row sums to 1.
    """

    source: tuple[str, ...]
    answer: tuple[str, ...]
    weights: np.ndarray

    def plot(self) -> Chart:
        """Return the picture: a row for each word of the answer, a column for each of the source."""
        title = f"What was looked at for {shorten(' '.join(self.answer), 60)}"
        return alignment_chart(self.source, self.answer, self.weights, title)


def of_words(source: Sequence[str], answer: Sequence[str], weights: np.ndarray) -> Alignment:
    """Return the alignment of words from that of their pieces: columns are added up, rows are averaged.

    Parameters
    ----------
    source, answer : sequence of str
        Pieces; one that does not begin a word has no blank before it where others have.
    weights : ndarray of shape (len(answer), len(source))
    """
    columns, rows = _begins(source), _begins(answer)
    summed = np.add.reduceat(weights, columns, axis=1)
    sizes = np.diff([*rows, len(answer)])
    averaged = np.add.reduceat(summed, rows, axis=0) / sizes[:, None]
    return Alignment(_joined(source, columns), _joined(answer, rows), averaged)


def _begins(pieces: Sequence[str]) -> list[int]:
    """Return where words begin, if pieces tell by a blank or by "##"; else every piece is one."""
    if any(piece.startswith(" ") for piece in pieces):
        return [i for i, piece in enumerate(pieces) if not i or piece.startswith(" ")]
    if any(piece.startswith("##") for piece in pieces):
        return [i for i, piece in enumerate(pieces) if not i or not piece.startswith("##")]
    return list(range(len(pieces)))


def _joined(pieces: Sequence[str], begins: Sequence[int]) -> tuple[str, ...]:
    ends = [*begins[1:], len(pieces)]
    words = ("".join(pieces[a:b]) for a, b in zip(begins, ends, strict=True))
    return tuple(word.replace("##", "").strip() or word for word in words)
