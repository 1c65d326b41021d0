"""Transcripts as targets: what was said, as the tokens of a vocabulary, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ganglion.data.ragged import Ragged
from ganglion.data.text_encoding import refuse_empty
from ganglion.data.tokenizers import tokenizer_from_json
from ganglion.data.vocabulary import Tokenizer
from ganglion.errors import InvalidInput
from ganglion.networks.ctc import steps_needed

_NAMED = 5  # rows in a message


@dataclass(frozen=True, eq=False)
class TranscriptTarget:
    """A text that was spoken.

    Attributes
    ----------
    tokenizer : Tokenizer
        Its id 0, which no text has, is CTC's blank.
    per_text : float
        Tokens of a transcript on average in training.
    """

    tokenizer: Tokenizer
    per_text: float = 1.0

    @classmethod
    def fit(cls, texts: Sequence[str], tokenizer: Tokenizer, weight: np.ndarray | None = None) -> TranscriptTarget:
        """Learn how long transcripts are."""
        lengths = tokenizer.encode(texts).lengths.numpy()
        return cls(tokenizer, max(1.0, float(np.average(lengths, weights=weight))))

    @property
    def n_scores(self) -> int:
        """How many tokens there are to choose from, the blank among them."""
        return self.tokenizer.n_tokens

    def output(self) -> nn.Module:
        """Return the output layer: scores are decoded, and remain what they are."""
        return nn.Identity()

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Ragged:
        """Return the tokens of transcripts, (total,) int32; one without any raises InvalidInput."""
        tokens = self.tokenizer.encode(y.tolist())
        refuse_empty(tokens, "transcript")
        return tokens

    def refuse_too_long(self, y: np.ndarray, n_steps: np.ndarray, rows: np.ndarray) -> None:
        """Raise InvalidInput if a transcript needs more steps than its recording has: CTC says one token a step.

        Parameters
        ----------
        y : ndarray of shape (n,), of str
        n_steps : ndarray of shape (n,), int
            Steps in which something can be said.
        rows : ndarray of shape (n,), int
            Where each stood in what was given.
        """
        tokens = self.encode(y, torch.float32)
        needed = steps_needed(tokens.values, tokens.offsets).numpy()
        wrong = np.flatnonzero(needed > n_steps)
        if not len(wrong):
            return
        shown = "; ".join(
            f"row {rows[i]} ({y[i][:40]!r}{'…' if len(y[i]) > 40 else ''}) needs {needed[i]:,} steps and has "
            f"{n_steps[i]:,}"
            for i in wrong[:_NAMED]
        )
        raise InvalidInput(
            f"{len(wrong):,} of {len(y):,} transcripts are longer than their recordings can carry: {shown}"
            + ("; …" if len(wrong) > _NAMED else "")
            + ". One token is said a step at most, and a repeated one needs a step between. Leave these rows out, or "
            "mend them; or have more steps, by subsampling=1 or spectrogram='log_mel(step=0.005)', or larger tokens, "
            "by tokenizer='words'."
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {"kind": "transcripts", "tokenizer": self.tokenizer.to_json(), "per_text": self.per_text}


def transcript_target(stored: dict[str, Any]) -> TranscriptTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError, ValueError or InvalidModel."""
    per_text = stored["per_text"]
    if type(per_text) is not float or not 1 <= per_text < 2**31:
        raise ValueError(f"per_text {per_text!r}")
    return TranscriptTarget(tokenizer_from_json(stored["tokenizer"]), per_text)
