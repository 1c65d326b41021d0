"""What all tokenizers share: special ids, settings, and how texts come in and go out.

    id   token    meaning
    0    <pad>    fills a batch up to its longest text
    1    <unk>    a token that the vocabulary does not hold
    2    <bos>    the beginning of a text
    3    <eos>    its end

`encode` never writes 0, 2 or 3: who makes a batch adds them. No text can spell a special token, since every tokenizer
cuts `<` from letters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ganglion.errors import InvalidInput, InvalidModel, UnsupportedType
from ganglion.options import call_text, in_range

if TYPE_CHECKING:  # an exported model cuts its texts without torch
    from torch import Tensor

    from ganglion.data.ragged import Ragged

SPECIAL = ("<pad>", "<unk>", "<bos>", "<eos>")
PADDING, UNKNOWN, BEGINNING, END = range(len(SPECIAL))
BETWEEN = "\n"  # several columns of text are one text, with this between them
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # what an unknown token is decoded to


@dataclass(frozen=True)
class Tokenizer(ABC):
    """Cuts texts into tokens of a fixed vocabulary, and joins them again. Made by the `fit` of its `Settings`.

    Attributes
    ----------
    vocabulary : tuple of str
        The token of each id; the first four are `SPECIAL`.
    lowercase : bool
        Whether texts are brought to small letters first.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool
    name: ClassVar[str]

    @property
    def n_tokens(self) -> int:
        """How many ids there are, the special ones included."""
        return len(self.vocabulary)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """Return the ids of texts.

        Parameters
        ----------
        texts : sequence of str
            An empty text gives no id. Half a surrogate pair, which no file can hold, counts as "?".

        Returns
        -------
        Ragged
            `values` (total,) int32 in [0, n_tokens), `offsets` (n_texts + 1,) int64.

        Raises
        ------
        UnsupportedType
            If `texts` is one text, or one of them is no text.
        """
        import torch

        from ganglion.data.ragged import Ragged

        ids, lengths = self.ids(texts)
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return Ragged(torch.from_numpy(ids), torch.from_numpy(offsets))

    def ids(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return what `encode` does, as arrays: the ids of all texts, (total,) int32, and how many each has, (n,)."""
        return self._ids(cleaned(texts, self.lowercase))

    def decode(self, ids: Sequence[int] | np.ndarray | Tensor) -> str:
        """Return the text of some ids.

        Parameters
        ----------
        ids : sequence of int in [0, n_tokens), or an array or tensor of them, (n,)
            Padding, beginning and end are left out; unknown becomes U+FFFD.

        Raises
        ------
        InvalidInput
            If there is no such id.
        """
        given = np.asarray(ids)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise InvalidInput(
                f"ids of shape {given.shape} and type {given.dtype} were given. Give the whole numbers of one text."
            )
        if given.size and not 0 <= given.min() <= given.max() < self.n_tokens:
            raise InvalidInput(
                f"ids from {given.min()} to {given.max()} were given, but the vocabulary has the ids 0 to "
                f"{self.n_tokens - 1}. Give ids of this tokenizer."
            )
        kept = given[(given != PADDING) & (given != BEGINNING) & (given != END)]
        return self._joined([REPLACEMENT if i == UNKNOWN else self.vocabulary[i] for i in kept.tolist()])

    @abstractmethod
    def tokens(self, text: str) -> list[str]:
        """Return the pieces that a text is cut into, one for each id that `encode` gives."""

    def pieces(self, text: str) -> list[str]:
        """Return a text cut before each of its tokens: one piece a token, which make up the text again.

        Blanks stand at the end of the piece before them. Where letters cannot be told apart (a token of a part of a
        letter), a piece may be empty, and the one before it longer.
        """
        plain, starts, end = text.lower() if self.lowercase and len(text.lower()) == len(text) else text, [], 0
        for token in self.tokens(text):
            letters = token.strip().removeprefix("##")
            found = plain.find(letters, end) if letters else -1
            starts.append(end if found < 0 else found)
            end = end if found < 0 else found + len(letters)
        if starts:
            starts[0] = 0
        return [text[a:b] for a, b in pairwise([*starts, len(text)])]

    @abstractmethod
    def _ids(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all cleaned texts, (total,) int32, and how many each has, (n_texts,)."""

    @abstractmethod
    def _joined(self, tokens: list[str]) -> str:
        """Return tokens as a text."""

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same tokenizer again."""
        return {"tokenizer": self.name, "lowercase": self.lowercase, "vocabulary": list(self.vocabulary)}

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Make a tokenizer again from `to_json`, believing nothing: any flaw raises InvalidModel."""
        try:
            if stored["tokenizer"] != cls.name or type(stored["lowercase"]) is not bool:
                raise ValueError("its name or its settings")
            return cls._from_stored(stored, stored_vocabulary(stored["vocabulary"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidModel(f"the model file's description of its tokenizer is damaged ({error}).") from error

    @classmethod
    def _from_stored(cls, stored: Mapping[str, Any], vocabulary: tuple[str, ...]) -> Self:
        """Make a tokenizer from what has been checked; a flaw in the rest raises a ValueError."""
        return cls(vocabulary, stored["lowercase"])


@dataclass(frozen=True)
class Settings(ABC):
    """What a tokenizer is fitted with, by name: `words(vocabulary=20000, lowercase=True)`.

    Attributes
    ----------
    vocabulary : int
        The most ids that there may be, the four special ones included.
    lowercase : bool
        Bring texts to small letters first. What was a capital cannot be decoded then.
    min_count : int
        How often a token must stand in the texts to have an id. From 2 on, no text of one single place is written into
        a model file.
    """

    vocabulary: int
    lowercase: bool
    min_count: int
    name: ClassVar[str]
    least: ClassVar[int] = len(SPECIAL) + 1

    def __post_init__(self) -> None:
        in_range(self.name, "vocabulary", self.vocabulary, at_least=self.least, at_most=2**31 - 1)
        in_range(self.name, "min_count", self.min_count, at_least=1)

    def __str__(self) -> str:
        return call_text(self.name, self)

    @abstractmethod
    def fit(self, texts: Sequence[str]) -> Tokenizer:
        """Learn a vocabulary from texts; those that hold nothing to learn raise InvalidInput."""

    def most_frequent(self, counts: Mapping[str, int], room: int) -> list[str]:
        """Return the most frequent of counted tokens, at most `room`; equally frequent ones in their own order."""
        kept = [token for token, count in counts.items() if count >= self.min_count]
        if not kept:
            raise self.nothing_found()
        return sorted(kept, key=lambda token: (-counts[token], token))[:room]

    def nothing_found(self) -> InvalidInput:
        """Return the error for texts without anything to learn."""
        return InvalidInput(
            f"the texts hold no token that stands there {self.min_count} times or more, so that {self} can learn "
            "nothing. Give more text, or a smaller min_count."
        )


def cleaned(texts: Sequence[str], lowercase: bool) -> list[str]:
    """Return texts as all tokenizers take them; raises UnsupportedType for what is no list of texts."""
    if isinstance(texts, str | bytes):
        raise UnsupportedType("one text was given where a list of texts is wanted. Give [text].")
    given = texts.tolist() if isinstance(texts, np.ndarray) else list(texts)
    for i, text in enumerate(given):
        if not isinstance(text, str):
            raise UnsupportedType(
                f"text {i} is a {type(text).__name__} ({text!r:.60}). Give texts only, and '' where one is missing."
            )
    if lowercase:
        given = [text.lower() for text in given]
    return [text if text.isascii() else text.encode("utf-8", errors="replace").decode() for text in given]


def stored_vocabulary(stored: Any) -> tuple[str, ...]:
    """Return the vocabulary of a model file; a flaw raises ValueError."""
    if not isinstance(stored, list) or not all(isinstance(token, str) and token for token in stored):
        raise ValueError("its vocabulary is no list of texts")
    if tuple(stored[: len(SPECIAL)]) != SPECIAL or len(set(stored)) < len(stored):
        raise ValueError("its vocabulary lacks special tokens or holds one twice")
    "".join(stored).encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
    return tuple(stored)
