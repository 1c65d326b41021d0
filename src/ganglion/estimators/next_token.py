"""What a language model predicts: the token that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True)
class NextTokenTarget:
    """One token out of all.

    Attributes
    ----------
    n_tokens : int
    documents : bool
        Whether there were several texts in training, so that the model knows where one begins and ends.
    """

    n_tokens: int
    documents: bool

    @property
    def n_scores(self) -> int:
        """Width of the network's scores."""
        return self.n_tokens

    def output(self) -> nn.Module:
        """Return the output layer that turns scores into probabilities."""
        return nn.Softmax(dim=-1)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {"kind": "next_token", "n_tokens": self.n_tokens, "documents": self.documents}


def next_token_target(stored: dict[str, Any]) -> NextTokenTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
    n_tokens, documents = stored["n_tokens"], stored["documents"]
    if type(n_tokens) is not int or not 0 < n_tokens <= MOST_TOKENS or type(documents) is not bool:
        raise ValueError("n_tokens or documents")
    return NextTokenTarget(n_tokens, documents)
