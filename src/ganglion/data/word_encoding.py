r"""From words to ids that say something of words never seen too: each has an id, and so have its ends and its shape.

    feature      of "Well-known"       id 0 where
    word         well-known            (an unknown word has the id 1)
    suffixes     n, wn, own, nown      the word is not longer, or few training words end so
    prefixes     w, we, wel            … begin so
    shape        Xx-x                  few training words look so

Capital letters are X in a shape, small ones x, digits d, all else stands for itself, and what repeats stands once:
what is lost by lowering the case is kept there. Ratnaparkhi 1996, "A maximum entropy model for part-of-speech tagging",
table 1, has these features for rare words.

    words    words (n, of different lengths, features), int32 in [0, n_ids)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ganglion.data.dataset import Dataset
from ganglion.data.encoding import InputSpec
from ganglion.data.ragged import Ragged
from ganglion.data.text_encoding import refuse_empty
from ganglion.data.tokens import KINDS, word_column, words_of
from ganglion.data.word_looks import FEATURES, ids_of, look_of, numbered_looks
from ganglion.errors import DataWarning


@dataclass(frozen=True)
class WordEncoder:
    """Reads texts word by word: ids of words, of their ends, and of their shapes.

    Attributes
    ----------
    column : str
        The column of words.
    vocabularies : tuple of tuple of str
        What has an id, feature by feature: words in small letters, suffixes of 1, 2, … letters, prefixes, shapes.
    longest : int
        Words of the longest training text.
    """

    column: str
    vocabularies: tuple[tuple[str, ...], ...]
    longest: int

    @classmethod
    def fit(cls, data: Dataset, *, min_count: int = 2, most: int = 50_000) -> WordEncoder:
        """Learn which words, ends and shapes are frequent.

        Parameters
        ----------
        data : Dataset
            Features only; columns that hold no words are left out with a DataWarning.
        min_count : int
            In how many texts each must stand, so that nothing of a single one is written into a model file.
        most : int
            Words at most, the most frequent ones.

        Raises
        ------
        InvalidInput
            If there are no words, or a text has none.
        """
        column = word_column(data)
        others = [field.name for field in data.features if field.name != column]
        if others:
            warnings.warn(
                f"the columns {', '.join(map(repr, others[:10]))} are left out: this network reads the words of "
                f"{column!r} alone.",
                DataWarning,
                stacklevel=2,
            )
        words, distinct = words_of(data, column)
        refuse_empty(words, "sentence")
        row_of = np.repeat(np.arange(len(words)), words.lengths.numpy())
        looks = zip(*map(look_of, distinct), strict=True)
        codes = words.values.numpy()
        found = [_frequent(list(look), codes, row_of, min_count) for look in looks]
        return cls(column, (found[0][:most], *found[1:]), words.longest)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(vocabulary=self.n_ids, features=FEATURES, longest=self.longest)

    @property
    def n_ids(self) -> int:
        """How many ids there are, of all features together, with those of nothing and of the unknown word."""
        return 2 + sum(map(len, self.vocabularies))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column of words."""
        return (self.column,)

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the column "words".

        Raises
        ------
        InvalidInput
            If there are no words, or a text has none.
        """
        words, distinct = words_of(data, self._column(data))
        refuse_empty(words, "sentence")
        table = torch.from_numpy(ids_of(distinct, self._ids))
        return {"words": Ragged(table[words.values], words.offsets)}

    @cached_property
    def _ids(self) -> list[dict[str, int]]:
        return numbered_looks(self.vocabularies)

    def _column(self, data: Dataset) -> str:
        """Return the column that stands for that of training: by its name, or the only one that can be read so."""
        if self.column in data.columns:
            return self.column
        found = [field.name for field in data.features if field.kind in KINDS]
        return found[0] if len(found) == 1 else self.column

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        return {
            "modality": "text",
            "encoder": "words",
            "column": self.column,
            "longest": self.longest,
            "vocabularies": [list(known) for known in self.vocabularies],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> WordEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError, KeyError or TypeError."""
        column, longest, given = stored["column"], stored["longest"], stored["vocabularies"]
        if not isinstance(column, str) or type(longest) is not int or not 0 < longest < 2**31:
            raise ValueError(f"column {column!r:.40}, longest {longest!r:.40}")
        if not isinstance(given, list) or len(given) != FEATURES:
            raise ValueError("vocabularies of words")
        for known in given:
            if not isinstance(known, list) or not all(isinstance(each, str) and each for each in known):
                raise ValueError("a vocabulary is no list of texts")
            if len(set(known)) < len(known):
                raise ValueError("a vocabulary holds a text twice")
        return cls(column, tuple(map(tuple, given)), longest)


def _frequent(look: Sequence[str], codes: np.ndarray, row_of: np.ndarray, min_count: int) -> tuple[str, ...]:
    """Return what stands in so many texts at least, the most frequent first.

    Parameters
    ----------
    look : sequence of str
        A feature of each distinct word.
    codes, row_of : ndarray of shape (n_words,), int64
        Which distinct word each one is, and in which text it stands.
    min_count : int
    """
    names, place = np.unique(np.array(look, dtype=object), return_inverse=True)
    of_word = place[codes]
    pairs = np.unique(of_word * (int(row_of[-1]) + 1) + row_of)  # each once a text
    n_texts = np.bincount(pairs // (int(row_of[-1]) + 1), minlength=len(names))
    order = np.argsort(-n_texts, kind="stable")
    return tuple(str(names[i]) for i in order.tolist() if n_texts[i] >= min_count and names[i])
