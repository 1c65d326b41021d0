"""Tokenizers by name, and the two that need no package: characters and words.

    name         tokens                                        decoding
    characters   every character (code point)                  exact, if all were seen
    words        words and marks of punctuation                words and marks with blanks between them
    bpe          byte pairs, `subwords`                        exact
    wordpiece    words, or pieces of them, `subwords`          as words

The vocabulary of the first two are the most frequent tokens, in falling order.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby, repeat
from typing import Any, ClassVar, Self

import numpy as np

from ganglion.data.subwords import BytePairs, BytePairTokenizer, WordPieces, WordPieceTokenizer
from ganglion.data.vocabulary import SPECIAL, UNKNOWN, Settings, Tokenizer, cleaned
from ganglion.errors import InvalidModel
from ganglion.options import call_by_name

_MARKED = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # where Unicode has marks that combine with letters
_JOINERS = "\u200c\u200d"  # zero-width, inside words of Persian and of Indian languages


@dataclass(frozen=True)
class CharacterTokenizer(Tokenizer):
    """Every character (Unicode code point) is a token."""

    name: ClassVar[str] = "characters"

    @cached_property
    def _table(self) -> np.ndarray:
        """The id of each code point up to the highest known one, and of one more, unknown."""
        known = [ord(token) for token in self.vocabulary[len(SPECIAL) :]]
        table = np.full(max(known, default=0) + 2, UNKNOWN, dtype=np.int32)
        table[known] = np.arange(len(SPECIAL), self.n_tokens)
        return table

    def tokens(self, text: str) -> list[str]:
        """Return the characters of a text, known or not."""
        return list(cleaned([text], self.lowercase)[0])

    def _ids(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        points = _code_points(texts)
        return self._table[np.minimum(points, len(self._table) - 1)], np.fromiter(map(len, texts), np.int64)

    def _joined(self, tokens: list[str]) -> str:
        return "".join(tokens)

    @classmethod
    def _from_stored(cls, stored: Mapping[str, Any], vocabulary: tuple[str, ...]) -> Self:
        if any(len(token) != 1 for token in vocabulary[len(SPECIAL) :]):
            raise ValueError("its vocabulary holds more than characters")
        return cls(vocabulary, stored["lowercase"])


@dataclass(frozen=True)
class WordTokenizer(Tokenizer):
    r"""Words, and every mark of punctuation or symbol by itself.

    A word is a letter, digit or underscore (`\w`), what follows of these, of marks that combine with them (accents,
    vowel signs) and of zero-width joiners, and the same again after an apostrophe: "don't" is one word, "well-known" is
    two and a hyphen. Anything else but a blank is a token of one character. Chinese, Japanese and Thai, which have no
    blanks between words, are better cut by another tokenizer.
    """

    name: ClassVar[str] = "words"

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.vocabulary)}

    def tokens(self, text: str) -> list[str]:
        """Return the words and marks of a text, known or not."""
        return _word_pattern().findall(cleaned([text], self.lowercase)[0])

    def _ids(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        cut = list(map(_word_pattern().findall, texts))
        ids = map(self._numbers.get, chain.from_iterable(cut), repeat(UNKNOWN))  # no Python is run for each word
        return np.fromiter(ids, np.int32), np.fromiter(map(len, cut), np.int64)

    def _joined(self, tokens: list[str]) -> str:
        return " ".join(tokens)


@dataclass(frozen=True)
class Characters(Settings):
    """`characters(vocabulary=10000, lowercase=False, min_count=1)`: every character is a token."""

    vocabulary: int = 10_000
    lowercase: bool = False
    min_count: int = 1
    name: ClassVar[str] = "characters"

    def fit(self, texts: Sequence[str]) -> CharacterTokenizer:
        """Learn which characters there are."""
        points, counts = np.unique(_code_points(cleaned(texts, self.lowercase)), return_counts=True)
        found = dict(zip(map(chr, points.tolist()), counts.tolist(), strict=True))
        kept = self.most_frequent(found, self.vocabulary - len(SPECIAL))
        return CharacterTokenizer((*SPECIAL, *kept), self.lowercase)


@dataclass(frozen=True)
class Words(Settings):
    """`words(vocabulary=20000, lowercase=True, min_count=2)`: words and punctuation, see `WordTokenizer`."""

    vocabulary: int = 20_000
    lowercase: bool = True
    min_count: int = 2
    name: ClassVar[str] = "words"

    def fit(self, texts: Sequence[str]) -> WordTokenizer:
        """Learn which words are frequent."""
        counts = Counter(chain.from_iterable(map(_word_pattern().findall, cleaned(texts, self.lowercase))))
        kept = self.most_frequent(counts, self.vocabulary - len(SPECIAL))
        return WordTokenizer((*SPECIAL, *kept), self.lowercase)


SETTINGS: dict[str, type[Settings]] = {each.name: each for each in (Characters, Words, BytePairs, WordPieces)}
TOKENIZERS: dict[str, type[Tokenizer]] = {
    each.name: each for each in (CharacterTokenizer, WordTokenizer, BytePairTokenizer, WordPieceTokenizer)
}


def tokenizer_by_name(given: str | Settings) -> Settings:
    """Return the settings that a text such as `words(vocabulary=20000)` names; their `fit` makes the tokenizer.

    Raises
    ------
    InvalidParameter
        If there is no such tokenizer or setting, or a value is not allowed.
    """
    return call_by_name("tokenizer", given, SETTINGS)


def tokenizer_from_json(stored: Any) -> Tokenizer:
    """Make a tokenizer again from `to_json`, believing nothing: any flaw raises InvalidModel."""
    name = stored.get("tokenizer") if isinstance(stored, dict) else None
    if not isinstance(name, str) or name not in TOKENIZERS:
        raise InvalidModel(f"the model file's tokenizer {name!r:.40} is not known: {', '.join(TOKENIZERS)}.")
    return TOKENIZERS[name].from_json(stored)


def _code_points(texts: Sequence[str]) -> np.ndarray:
    return np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")


@functools.cache
def _word_pattern() -> re.Pattern[str]:
    return re.compile(word_pattern(r"\w", r"\s"))


def word_pattern(letters: str, blanks: str) -> str:
    """Return the regular expression of words and marks, see `WordTokenizer`.

    Parameters
    ----------
    letters, blanks : str
        What stands in brackets for both, where another library than `re` has other ones.
    """
    inside = f"[{letters}{_combining()}{_JOINERS}]*"
    return f"[{letters}]{inside}(?:['’][{letters}]{inside})*|[^{letters}{blanks}]"


def _combining() -> str:
    r"""Return all marks that combine with letters as ranges of a regular expression; `\w` leaves them out."""
    marks = [point for part in _MARKED for point in part if unicodedata.category(chr(point))[0] == "M"]
    runs = [list(run) for _, run in groupby(enumerate(marks), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)
