"""What a word looks like: itself in small letters, its ends and its shape, and the id of each (see `word_encoding`).

Nothing here imports torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

UNKNOWN = 1  # the id of a word that is not in the vocabulary; 0 is nothing
SUFFIXES, PREFIXES = 4, 3  # letters at most
FEATURES = 1 + SUFFIXES + PREFIXES + 1
_SHAPES = (re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"([^\w])\1+"))


def numbered_looks(vocabularies: Sequence[Sequence[str]]) -> list[dict[str, int]]:
    """Return the id of everything that has one, feature by feature, of vocabularies as of `WordEncoder`."""
    starts = np.cumsum([2, *map(len, vocabularies)]).tolist()
    return [
        {name: start + i for i, name in enumerate(known)} for start, known in zip(starts, vocabularies, strict=False)
    ]


def ids_of(words: Sequence[str], ids: Sequence[dict[str, int]]) -> np.ndarray:
    """Return the ids of words, (n, features) int32, by those of `numbered_looks`."""
    otherwise = [UNKNOWN] + [0] * (FEATURES - 1)
    rows = [
        [known.get(part, none) for known, part, none in zip(ids, look_of(word), otherwise, strict=True)]
        for word in words
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, FEATURES)


def shape_of(word: str) -> str:
    """Return what a word looks like: "Xx-x" of "Well-known", "d" of "1984", "X.X." of "U.S."."""
    runs, digits, repeated = _SHAPES
    shape = runs.sub(lambda run: _case(run.group()), word)
    return repeated.sub(r"\1", digits.sub("d", shape))


def _case(letters: str) -> str:
    if letters.islower() or letters.lower() == letters:
        return "x"
    return ("X" if letters[0].isupper() else "x") + (
        "" if letters.isupper() else "x" if letters[1:].islower() else "Xx"
    )


def look_of(word: str) -> Iterator[str]:
    """Give the features of a word; '' is none."""
    small = word.lower()
    yield small
    for k in range(1, SUFFIXES + 1):
        yield small[-k:] if len(small) > k else ""
    for k in range(1, PREFIXES + 1):
        yield small[:k] if len(small) > k else ""
    yield shape_of(word)
