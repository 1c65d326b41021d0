"""One long stream of tokens, and the windows that a language model learns from and is judged by.

A window of T tokens is shown, and each token's answer is the one that follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganglion.data.passes import Passes
from ganglion.data.ragged import Ragged


class Windows(Passes):
    """Windows from all over a stream, in a new order every pass, without Python per window.

    In a pass every token is shown once: the stream is cut into windows from a random place on; only the first and the
    last one are moved inwards, over what their neighbours show too. Passes follow one another without end; an epoch is
    a number of batches.

    Parameters
    ----------
    columns : mapping of str to Tensor of shape (n_tokens,)
        "tokens", int, and what else belongs to each token as an answer ("weight").
    length : int
        Tokens of a window, T, below n_tokens.
    batch_size : int
        Windows in a batch; the last batch of a pass may be smaller.
    generator : torch.Generator
        Gives the cut and the order of every pass.
    epoch : int, optional
        Batches of an epoch; without it those of a pass.
    steps : int, optional
        Batches in all: the last epoch ends with them.
    device : str
        Where batches go.
    """

    def __init__(
        self,
        columns: Mapping[str, Tensor],
        length: int,
        batch_size: int,
        generator: torch.Generator,
        *,
        epoch: int | None = None,
        steps: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.columns, self.length, self.device = dict(columns), length, device
        n_windows = windows_of(len(self.columns["tokens"]), length)
        super().__init__(n_windows, batch_size, generator, epoch=epoch, steps=steps)

    def example(self) -> dict[str, Tensor]:
        """Return a batch of evenly spaced windows; no order is drawn for it."""
        last = len(self.columns["tokens"]) - 1 - self.length
        return self._at(torch.linspace(0, last, min(self.batch_size, self.n_windows)).long())

    def _draw(self) -> Tensor:
        first = torch.randint(self.length, (1,), generator=self.generator)
        starts = torch.arange(self.n_windows) * self.length - first
        order = torch.randperm(self.n_windows, generator=self.generator)
        return starts.clamp_(0, len(self.columns["tokens"]) - 1 - self.length)[order]

    def _at(self, starts: Tensor) -> dict[str, Tensor]:
        batch = cut(self.columns["tokens"], starts, self.length)
        for name, column in self.columns.items():
            if name != "tokens":
                batch[name] = column.unfold(0, self.length, 1).index_select(0, starts + 1)
        return {name: tensor.to(self.device) for name, tensor in batch.items()}


def cut(tokens: Tensor, starts: Tensor, length: int) -> dict[str, Tensor]:
    """Return the windows that begin at `starts`, (n,), as a batch: "tokens" and their answers "target", (n, T) int64.

    "tokens_length" (n,) is there too, since a network of texts asks for it.
    """
    drawn = tokens.unfold(0, length + 1, 1).index_select(0, starts).long()  # whole rows are copied, not places
    return {
        "tokens": drawn[:, :-1],
        "target": drawn[:, 1:],
        "tokens_length": torch.full((len(starts),), length),
    }


def windows_of(n_tokens: int, length: int) -> int:
    """Return how many windows show every token of a stream once, wherever they begin."""
    return 1 if n_tokens == length + 1 else -(-(n_tokens - 1) // length) + 1


def as_stream(documents: Ragged, end: int) -> Tensor:
    """Return documents as one stream, (n_tokens,): the token `end` stands before, between and behind them."""
    stream = documents.values.new_full((len(documents.values) + len(documents) + 1,), end)
    stream[_places(documents)] = documents.values
    return stream


def weights_of_stream(documents: Ragged, weight: Tensor) -> Tensor:
    """Return how much each token of `as_stream` counts, (n_tokens,): as much as its document, and so does its end."""
    return torch.cat([weight[:1], torch.repeat_interleave(weight, documents.lengths + 1)])


@dataclass(frozen=True, slots=True)
class Spans:
    """Windows in which every token of some texts is an answer once, the texts being rows of one ragged column.

    Attributes
    ----------
    begin : Tensor of shape (n_windows,), int64
        The place of a window's first token among all values.
    length : Tensor of shape (n_windows,), int64
        Its tokens; each is answered by the one behind it.
    known : Tensor of shape (n_windows,), int64
        How many of its first answers an earlier window has given already.
    """

    begin: Tensor
    length: Tensor
    known: Tensor


def spans(texts: Ragged, size: int, overlap: int) -> Spans:
    """Cut texts into windows of at most `size` tokens.

    From the second window of a text on, `overlap` of its tokens only stand there so that the others have something
    before them.
    """
    answers = texts.lengths - 1
    further = (answers - size).clamp(min=0)
    counts = 1 + -(-further // (size - overlap))
    row = torch.repeat_interleave(counts)
    number = torch.arange(len(row)) - (counts.cumsum(0) - counts)[row]
    first = number * (size - overlap)
    return Spans(
        texts.offsets[:-1][row] + first,
        (answers[row] - first).clamp(max=size),
        torch.where(number > 0, overlap, 0),
    )


def _places(documents: Ragged) -> Tensor:
    """Return where the tokens of documents stand in their stream: one further for each end before them."""
    return torch.arange(len(documents.values)) + 1 + torch.repeat_interleave(documents.lengths)
