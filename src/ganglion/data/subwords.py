"""Tokens between characters and words, by the package `tokenizers`.

Byte-pair encoding begins with the 256 bytes of UTF-8 and joins, again and again, the pair of neighbours that stands
there most often; joins stay inside words (a blank belongs to the word after it). Every text can be encoded, and decodes
to itself exactly.

    Sennrich, Haddow & Birch 2016, arXiv:1508.07909; over bytes: Radford et al. 2019, "Language models are unsupervised
    multitask learners".

WordPiece cuts at blanks, punctuation and between Chinese characters, then takes the longest piece of the vocabulary
from the left, again and again; pieces inside a word begin with "##". A word that cannot be cut so, or has more than 100
characters, is unknown.

    Schuster & Nakajima 2012, "Japanese and Korean voice search"; Devlin et al. 2019, arXiv:1810.04805. Differs: pieces
    are learned by joining the most frequent pair, as in byte-pair encoding, not the one that makes the texts likeliest.

Only the vocabulary and the joins are stored: the library's own file format is never read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np

from ganglion.data.vocabulary import SPECIAL, UNKNOWN, Settings, Tokenizer, cleaned
from ganglion.errors import missing_extra

INSIDE = "##"  # how a piece inside a word begins
# how each of the 256 bytes is written: those of printable Latin-1 as themselves, the others from U+0100 on
_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
BYTES = frozenset(map(chr, [*_PRINTABLE, *range(0x100, 0x200 - len(_PRINTABLE))]))
_TOGETHER = 10_000  # texts: the library's own objects take some 50 times the memory of an id


@dataclass(frozen=True)
class BytePairTokenizer(Tokenizer):
    """Byte-pair encoding (Sennrich et al. 2016) over the bytes of UTF-8.

    Attributes
    ----------
    vocabulary, lowercase
        As of `Tokenizer`; each byte is written as a printable character (a blank as "Ġ").
    merges : tuple of (str, str)
        The joins, in the order in which they were learned.
    """

    merges: tuple[tuple[str, str], ...]
    name: ClassVar[str] = "bpe"

    @cached_property
    def _library(self) -> Any:
        tokenizers = load_tokenizers("Byte-pair encoding")
        made = tokenizers.Tokenizer(tokenizers.models.BPE(_numbered(self.vocabulary), list(self.merges)))
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        return made

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of a text; one that holds a part of a character only is U+FFFD."""
        (encoding,) = self._library.encode_batch(cleaned([text], self.lowercase), add_special_tokens=False)
        return [self._joined([token]) for token in encoding.tokens]

    def _ids(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return _encoded(self._library, texts)

    def _joined(self, tokens: list[str]) -> str:
        return load_tokenizers("Byte-pair encoding").decoders.ByteLevel().decode(tokens)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same tokenizer again."""
        return {**super().to_json(), "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def _from_stored(cls, stored: Mapping[str, Any], vocabulary: tuple[str, ...]) -> Self:
        known, merges = set(vocabulary), stored["merges"]
        if not known >= BYTES:
            raise ValueError("its vocabulary lacks bytes")
        if not isinstance(merges, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in merges):
            raise ValueError("its merges are no pairs")
        if not all(a in known and b in known and a + b in known for a, b in merges):
            raise ValueError("a merge of it is not in its vocabulary")
        return cls(vocabulary, stored["lowercase"], tuple((a, b) for a, b in merges))


@dataclass(frozen=True)
class WordPieceTokenizer(Tokenizer):
    """WordPiece (Schuster & Nakajima 2012, Devlin et al. 2019)."""

    name: ClassVar[str] = "wordpiece"

    @cached_property
    def _library(self) -> Any:
        return _word_pieces(_numbered(self.vocabulary))

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of a text; a word that cannot be cut is "<unk>"."""
        (encoding,) = self._library.encode_batch(cleaned([text], self.lowercase), add_special_tokens=False)
        return encoding.tokens

    def _ids(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return _encoded(self._library, texts)

    def _joined(self, tokens: list[str]) -> str:
        return " ".join(tokens).replace(f" {INSIDE}", "")


@dataclass(frozen=True)
class BytePairs(Settings):
    """`bpe(vocabulary=8000, lowercase=False, min_count=2)`: byte-pair encoding, see `subwords`.

    `vocabulary` is at least 260: the special tokens and 256 bytes. `min_count` is how often a pair must stand in the
    texts to be joined.
    """

    vocabulary: int = 8_000
    lowercase: bool = False
    min_count: int = 2
    name: ClassVar[str] = "bpe"
    least: ClassVar[int] = len(SPECIAL) + len(BYTES)

    def fit(self, texts: Sequence[str]) -> BytePairTokenizer:
        """Learn joins from texts."""
        tokenizers, texts = load_tokenizers("Byte-pair encoding"), cleaned(texts, self.lowercase)
        if not any(texts):
            raise self.nothing_found()
        made = tokenizers.Tokenizer(tokenizers.models.BPE())
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=int(self.vocabulary),
            min_frequency=int(self.min_count),
            special_tokens=list(SPECIAL),
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        made.train_from_iterator(texts, trainer)
        model = json.loads(made.to_str())["model"]
        merges = tuple((a, b) for a, b in model["merges"])
        return BytePairTokenizer(_in_order(model["vocab"]), self.lowercase, merges)


@dataclass(frozen=True)
class WordPieces(Settings):
    """`wordpiece(vocabulary=8000, lowercase=True, min_count=2)`: pieces of words, see `subwords`.

    At most half of the vocabulary are single characters, each at the beginning of a word and inside; `min_count` is how
    often a character, or a pair to be joined, must stand in the texts.
    """

    vocabulary: int = 8_000
    lowercase: bool = True
    min_count: int = 2
    name: ClassVar[str] = "wordpiece"
    least: ClassVar[int] = len(SPECIAL) + 2

    def fit(self, texts: Sequence[str]) -> WordPieceTokenizer:
        """Learn pieces from texts."""
        tokenizers, texts = load_tokenizers("WordPiece"), cleaned(texts, self.lowercase)
        counts = Counter(chain.from_iterable(texts))
        letters = {each: count for each, count in counts.items() if not each.isspace()}
        alphabet = sorted(self.most_frequent(letters, (self.vocabulary - len(SPECIAL)) // 2))
        trainer = tokenizers.trainers.WordPieceTrainer(
            vocab_size=int(self.vocabulary),
            min_frequency=int(self.min_count),
            # the trainer numbers "##a" when it meets it, in the order of a hash map, and joins equally frequent pairs
            # by number: only with all of them numbered beforehand do the same texts give the same pieces
            # (github.com/huggingface/tokenizers/issues/1794)
            special_tokens=[*SPECIAL, *(INSIDE + each for each in alphabet)],
            initial_alphabet=alphabet,
            limit_alphabet=len(alphabet),
            show_progress=False,
        )
        made = _word_pieces({})
        made.train_from_iterator(texts, trainer)
        return WordPieceTokenizer(_in_order(made.get_vocab(with_added_tokens=True)), self.lowercase)


def load_tokenizers(purpose: str) -> Any:
    """Return the package `tokenizers`, or raise MissingExtra."""
    try:
        import tokenizers
    except ImportError as error:
        raise missing_extra("tokenizers", "text", purpose) from error
    return tokenizers


def _word_pieces(numbers: dict[str, int]) -> Any:
    tokenizers = load_tokenizers("WordPiece")
    model = tokenizers.models.WordPiece(numbers, unk_token=SPECIAL[UNKNOWN], continuing_subword_prefix=INSIDE)
    made = tokenizers.Tokenizer(model)
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return made


def _encoded(library: Any, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    ids, lengths = [np.empty(0, dtype=np.int32)], np.zeros(len(texts), dtype=np.int64)
    for start in range(0, len(texts), _TOGETHER):
        part = library.encode_batch_fast(texts[start : start + _TOGETHER], add_special_tokens=False)
        found = [each.ids for each in part]
        lengths[start : start + len(found)] = list(map(len, found))
        ids.append(np.fromiter(chain.from_iterable(found), dtype=np.int32))
    return np.concatenate(ids), lengths


def _numbered(vocabulary: Sequence[str]) -> dict[str, int]:
    return {token: i for i, token in enumerate(vocabulary)}


def _in_order(numbers: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(numbers, key=lambda token: numbers[token]))
