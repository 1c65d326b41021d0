"""A network that answers a text with a text: one vocabulary, whose vectors come in and measure what is to be said.

    p(y | x) = Π_i p(y_i | y_1 … y_{i-1}, x),    p(y_i | …) = softmax(E out_i)      E the vectors of all tokens

The vectors of source, answer and output layer are the same: Press & Wolf 2017, arXiv:1608.05859.

Letters: n samples, S tokens of the source, T of the answer, V of the vocabulary, N of all answers of a batch.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ganglion.networks.network import Inputs, Network
from ganglion.networks.sequences import Steps, TokenInput

STEP = 8
FILLING, BEGINNING = 0, 2  # ids that stand behind an answer in a batch, and before its first token


def filled_up(tokens: Tensor) -> Tensor:
    """Return tokens, (n, T), filled up to a multiple of 8 of them.

    oneDNN compiles and keeps code for every shape that is multiplied: of ever other ones, gigabytes in a long training.
    """
    return F.pad(tokens, (0, -tokens.shape[1] % STEP), value=FILLING)


class Reading(Protocol):
    """What a network knows of a source, and of the answer so far."""

    def take(self, rows: Tensor) -> None:
        """Go on with the samples `rows`."""
        ...


class Pair(Protocol):
    """What reads and says (see `networks.decoder`, `networks.aligning`)."""

    def read(self, source: Steps) -> Any:
        """Return what is known of a source."""
        ...

    def answer(self, reading: Any, said: Tensor) -> Tensor:
        """Return what is to be said after each token, (n, T, D)."""
        ...

    def alignment(self, reading: Any, said: Tensor) -> Tensor:
        """Return how much each token of an answer looked at each of the source, (n, T, S)."""
        ...


class EncoderDecoder(Network):
    """Vectors of tokens → encoder → decoder → scores of the next token.

    Parameters
    ----------
    input : TokenInput
        The vectors of all tokens.
    body : Module
        A `Pair`.
    output : Module
        What `forward` makes of the scores.
    """

    tied = True  # the vectors are also the output layer, which a sharded network could not gather for both

    @property
    def pair(self) -> Pair:
        """The encoder and the decoder."""
        return cast(Pair, self.body)

    @property
    def vectors(self) -> Tensor:
        """The vectors of all tokens, (V, D)."""
        return cast(TokenInput, self.input).vectors.weight

    def scores(self, prepared: Inputs) -> Tensor:
        """Return the scores of every token of the answers, each from those before it, (N, V); see `known`."""
        return self.next(self.known(prepared))

    def known(self, prepared: Inputs) -> Tensor:
        """Return what every token of the answers is told from, (N, D).

        Parameters
        ----------
        prepared : mapping
            "tokens" (n, S) and "tokens_length" (n,), and "target" (n, T): the answers, filled up with 0. Without a
            target the sources stand for it, as when the work is counted.
        """
        target = prepared["target"] if "target" in prepared else prepared["tokens"]
        if self.training:
            prepared = {**prepared, "tokens": filled_up(prepared["tokens"])}
            target = filled_up(target)
        said = self.pair.answer(self.read(prepared), self.said(target))
        return said[target != FILLING]

    def read(self, prepared: Inputs) -> Any:
        """Return what is known of the sources, a `Reading`."""
        return self.pair.read(self.input(prepared))

    def said(self, target: Tensor) -> Tensor:
        """Return the vectors of a beginning and of all tokens of answers but the last, (n, T) → (n, T, D)."""
        return F.embedding(F.pad(target[:, :-1], (1, 0), value=BEGINNING), self.vectors)

    def alignment(self, prepared: Inputs) -> Tensor:
        """Return how much each token of given answers, "target" (n, T), looked at each of the sources, (n, T, S)."""
        return self.pair.alignment(self.read(prepared), self.said(prepared["target"]))

    def next(self, out: Tensor) -> Tensor:
        """Return the scores of all tokens, (…, D) → (…, V)."""
        return F.linear(out, self.vectors)

    def step(self, reading: Any, tokens: Tensor) -> Tensor:
        """Return log p of the token after `tokens`, (n,) → (n, V) float32 or float64; `reading` remembers them."""
        scores = self.next(self.pair.answer(reading, F.embedding(tokens[:, None], self.vectors))[:, 0])
        return torch.log_softmax(scores.float() if scores.dtype == torch.bfloat16 else scores, 1)
