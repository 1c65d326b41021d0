"""From the texts that a user has to the ids that a network takes: what a tokenizer does, and what it needs checked.

text    tokens (n, of different lengths), int32 in [0, n_tokens)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.dataset import Dataset
from ganglion.data.encoding import InputSpec
from ganglion.data.ragged import Ragged
from ganglion.data.tokenizers import tokenizer_from_json
from ganglion.data.vocabulary import BETWEEN, Settings, Tokenizer
from ganglion.errors import DataWarning, InvalidInput, suggestion

LONGEST = 512  # tokens: where nothing else is asked for, what stands beyond is not read
WHOLE = 2**31 - 1  # as the longest: all of every text is read
_NAMED = 5  # rows named in a message


@dataclass(frozen=True)
class TextEncoder:
    """Reads texts with the tokenizer that was fitted to the training texts.

    Attributes
    ----------
    tokenizer : Tokenizer
    columns : tuple of str
        The columns of text, in order; several are joined, a new line between them.
    longest : int
        Tokens that are read of a text; a DataWarning tells of texts that have more.
    """

    tokenizer: Tokenizer
    columns: tuple[str, ...]
    longest: int

    @classmethod
    def fit(cls, data: Dataset, settings: Settings, longest: int | None = None) -> TextEncoder:
        """Learn a vocabulary from the training texts.

        Parameters
        ----------
        data : Dataset
            Features only. Columns that hold no text are left out with a DataWarning.
        settings : Settings
            Of the tokenizer.
        longest : int, optional
            Tokens that are read of a text at most; without it as many as the longest has, up to 512.

        Raises
        ------
        InvalidInput
            If there is no text, or one is empty.
        """
        columns = text_columns(data)
        others = [field.name for field in data.features if field.name not in columns]
        if others:
            warnings.warn(
                f"the columns {', '.join(map(repr, others[:10]))} hold no text, and this network reads text alone; "
                "they are left out.",
                DataWarning,
                stacklevel=2,
            )
        texts = joined_texts(data, columns)
        tokenizer = settings.fit(texts)
        found = tokenizer.encode(texts).longest if longest is None else longest
        return cls(tokenizer, tuple(columns), min(found, LONGEST) if longest is None else longest)

    @property
    def spec(self) -> InputSpec:
        """What the network is given."""
        return InputSpec(vocabulary=self.tokenizer.n_tokens, longest=self.longest)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of text."""
        return self.columns

    def encode(self, data: Dataset) -> dict[str, Ragged]:
        """Return the column "tokens".

        Raises
        ------
        InvalidInput
            If a column is missing, or a text is empty.

        Warns
        -----
        DataWarning
            If texts have more tokens than are read.
        """
        tokens = self.tokenizer.encode(self.texts(data))
        refuse_empty(tokens)
        too_long = int((tokens.lengths > self.longest).sum())
        if too_long:
            warnings.warn(
                f"{too_long:,} of {len(tokens):,} texts have more than {self.longest} tokens (the longest "
                f"{tokens.longest:,}); what stands beyond is not read. Give max_length to read more, or cut the texts "
                "into parts.",
                DataWarning,
                stacklevel=2,
            )
            tokens = tokens.cut(self.longest)
        return {"tokens": tokens}

    def texts(self, data: Dataset) -> list[str]:
        """Return the texts that are read, one a row; a column that is missing raises InvalidInput."""
        return joined_texts(data, self._columns(data))

    def _columns(self, data: Dataset) -> Sequence[str]:
        """Return the columns of `data` that stand for those of training: by name, or a single one by its kind."""
        if all(name in data.columns for name in self.columns):
            return self.columns
        texts = [field.name for field in data.features if field.kind in ("text", "tokens", "categorical")]
        if len(self.columns) == 1 and len(texts) == 1:
            return texts
        missing = next(name for name in self.columns if name not in data.columns)
        raise InvalidInput(
            f"the column {missing!r} is missing.{suggestion(missing, data.names)} Given: "
            f"{', '.join(data.names[:20])}. The model was trained on the texts of: {', '.join(self.columns)}. Give "
            "these columns, or a list of texts."
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same encoder again."""
        return {
            "modality": "text",
            "tokenizer": self.tokenizer.to_json(),
            "columns": list(self.columns),
            "longest": self.longest,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TextEncoder:
        """Make an encoder again from what was stored; a flaw raises a ValueError, KeyError or TypeError."""
        columns, longest = stored["columns"], stored["longest"]
        if not isinstance(columns, list) or not columns or not all(isinstance(name, str) for name in columns):
            raise ValueError("columns of text")
        if type(longest) is not int or not 0 < longest < 2**31:
            raise ValueError(f"longest {longest!r}")
        return cls(tokenizer_from_json(stored["tokenizer"]), tuple(columns), longest)


def text_columns(data: Dataset) -> list[str]:
    """Return the features that are read as text: those of texts, or where there are none those of labels.

    Short texts that repeat look like labels, but who asks for a network of texts means texts.
    """
    texts = [field.name for field in data.features if field.kind == "text"]
    labels = [field.name for field in data.features if field.kind == "categorical"]
    if not texts and not labels:
        raise InvalidInput(
            f"there is no text to read: the columns {', '.join(data.names[:10])} hold "
            f"{', '.join(sorted({field.kind for field in data.features}))} values. Give a list of texts, or a column "
            "of them."
        )
    return texts or labels


def joined_texts(data: Dataset, columns: Sequence[str]) -> list[str]:
    """Return one text a row: that of a column, or of several with a new line between them; missing ones are ''."""
    parts = [["" if value is None else str(value) for value in data.values(name).tolist()] for name in columns]
    return parts[0] if len(parts) == 1 else list(map(BETWEEN.join, zip(*parts, strict=True)))


def are_texts_alone(data: Dataset) -> bool:
    """Say whether data are texts and nothing else, so that what comes next in them is all that can be learned."""
    return not data.target and bool(data.features) and all(field.kind == "text" for field in data.features)


def n_characters(data: Dataset) -> int:
    """Return how many characters the texts of a data set have."""
    return sum(map(len, joined_texts(data, text_columns(data))))


def refuse_empty(tokens: Ragged, what: str = "text") -> None:
    """Raise InvalidInput if a text has no token."""
    empty = np.flatnonzero((tokens.lengths == 0).numpy())
    if len(empty):
        rows = ", ".join(map(str, empty[:_NAMED].tolist())) + (", …" if len(empty) > _NAMED else "")
        raise InvalidInput(
            f"{len(empty):,} of {len(tokens):,} {what}s are empty (row {rows}): there is nothing to read in them. "
            "Leave these rows out."
        )
