"""Texts as targets: what is to be answered, as the tokens of a vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ganglion.data.ragged import Ragged
from ganglion.data.text_encoding import LONGEST, refuse_empty
from ganglion.data.tokenizers import tokenizer_from_json
from ganglion.data.vocabulary import END, PADDING, Tokenizer
from ganglion.errors import DataWarning, InvalidInput


def read_answers(y: Any, n_samples: int) -> np.ndarray:
    """Return texts as an array that can be trusted, (n_samples,) of str.

    Raises
    ------
    InvalidInput
        If there are too many or too few, or one of them is no text, or empty.
    """
    if y is None or isinstance(y, str) or not hasattr(y, "__len__"):
        what = "one text" if isinstance(y, str) else f"{type(y).__name__}"
        raise InvalidInput(f"the target y is {what}. Give a list of texts, one answer for each text of X.")
    if len(y) != n_samples:
        raise InvalidInput(
            f"X and y have inconsistent numbers of samples: [{n_samples}, {len(y)}]. Texts and answers come in pairs: "
            "give one answer for each text."
        )
    given = y.tolist() if hasattr(y, "tolist") else list(y)
    given = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in given]
    for i, text in enumerate(given):
        if text is None or (isinstance(text, float) and text != text):
            raise InvalidInput(f"the answer in row {i} is missing. Leave such rows out.")
        if not isinstance(text, str):
            raise InvalidInput(
                f"the answer in row {i} is {text!r:.60}, a {type(text).__name__}, and no text. Give texts, or take a "
                "classifier or regressor for labels and numbers."
            )
    empty = [i for i, text in enumerate(given) if not text.strip()]
    if empty:
        rows = ", ".join(map(str, empty[:5])) + (", …" if len(empty) > 5 else "")
        raise InvalidInput(
            f"{len(empty):,} of {n_samples:,} answers are empty (row {rows}): there is nothing to say. Leave these "
            "rows out."
        )
    texts = np.empty(n_samples, dtype=object)
    texts[:] = given
    return texts


@dataclass(frozen=True, eq=False)
class TextTarget:
    """A text that answers a text.

    Attributes
    ----------
    tokenizer : Tokenizer
    longest : int
        Tokens that are learned of an answer, and said of one, at most.
    per_text : float
        Tokens of an answer on average in training, its end included.
    """

    tokenizer: Tokenizer
    longest: int
    per_text: float = 1.0

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        tokenizer: Tokenizer,
        longest: int | None = None,
        weight: np.ndarray | None = None,
    ) -> TextTarget:
        """Learn how long answers are; without `longest` all of them are learned whole, up to 512 tokens."""
        lengths = tokenizer.encode(texts).lengths
        most = min(LONGEST, max(1, int(lengths.max()))) if longest is None else longest
        return cls(tokenizer, most, float(np.average(lengths.clamp(max=most).numpy(), weights=weight)) + 1.0)

    @property
    def n_scores(self) -> int:
        """How many tokens there are to choose from."""
        return self.tokenizer.n_tokens

    def output(self) -> nn.Module:
        """Return the output layer: scores are chosen from by a search, and remain what they are."""
        return nn.Identity()

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Ragged:
        """Return the tokens of texts, (total,) int32, each with its end; one that is cut has none.

        Raises
        ------
        InvalidInput
            If a text has no token.

        Warns
        -----
        DataWarning
            If texts have more tokens than are learned.
        """
        tokens = self.tokenizer.encode(y.tolist())
        too_long = int((tokens.lengths > self.longest).sum())
        if too_long:
            warnings.warn(
                f"{too_long:,} of {len(tokens):,} answers have more than {self.longest} tokens (the longest "
                f"{tokens.longest:,}); what stands beyond is not learned. Give max_length to learn more, or cut the "
                "texts into parts.",
                DataWarning,
                stacklevel=2,
            )
        return self.tokens(y)

    def tokens(self, y: np.ndarray) -> Ragged:
        """Return what `encode` does, without a word about answers that are too long."""
        tokens = self.tokenizer.encode(y.tolist())
        refuse_empty(tokens, "answer")
        return ended(tokens, self.longest)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {
            "kind": "texts",
            "tokenizer": self.tokenizer.to_json(),
            "longest": self.longest,
            "per_text": self.per_text,
        }


def ended(tokens: Ragged, longest: int) -> Ragged:
    """Return texts cut to `longest` tokens; behind those that end there, the token of an end."""
    n, whole = len(tokens), tokens.lengths <= longest
    kept = tokens.cut(longest)
    offsets = torch.zeros_like(kept.offsets)
    torch.cumsum(kept.lengths + whole, 0, out=offsets[1:])
    values = kept.values.new_full((int(offsets[-1]),), END)
    shift = torch.repeat_interleave(offsets[:n] - kept.offsets[:n], kept.lengths)
    values[torch.arange(len(kept.values)) + shift] = kept.values
    return Ragged(values, offsets, PADDING)


def text_target(stored: dict[str, Any]) -> TextTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError, ValueError or InvalidModel."""
    longest, per_text = stored["longest"], stored["per_text"]
    if type(longest) is not int or not 0 < longest < 2**31:
        raise ValueError(f"longest {longest!r}")
    if type(per_text) is not float or not 1 <= per_text <= longest + 1:
        raise ValueError(f"per_text {per_text!r}")
    return TextTarget(tokenizer_from_json(stored["tokenizer"]), longest, per_text)
