"""How surprising the tokens of texts are to a network that says what comes next: - log p(w_t | w_1 … w_{t-1})."""

from __future__ import annotations

import torch
from torch import Tensor

from ganglion.data.ragged import Ragged, by_length
from ganglion.data.stream import spans
from ganglion.networks.next_token import NextToken


def surprise(network: NextToken, texts: Ragged, *, size: int, overlap: int, together: int) -> Ragged:
    """Return minus the logarithm of the chance of each token but the first of each text, in nats.

    Parameters
    ----------
    network : NextToken
    texts : Ragged
        Ids, (total,); the first of each text is what the others come after.
    size : int
        Tokens that the network reads together at most: longer texts are cut into windows,
    overlap : int
        of which each repeats so many tokens of the one before it.
    together : int
        Tokens of all windows that go through the network together.

    Returns
    -------
    Ragged
        `values` (total - n_texts,) float64.
    """
    cuts = spans(texts, size, overlap)
    nats = torch.empty(len(texts.values), dtype=torch.float64)
    for some in by_length(cuts.length, together):
        begin, length, known = (part[some, None] for part in (cuts.begin, cuts.length, cuts.known))
        steps = torch.arange(int(length.max()))
        places, there = begin + steps, steps < length  # filling comes after all that counts
        read, answers = (texts.values[each.where(there, 0)].long() for each in (places, places + 1))
        scores = network.scores({"tokens": read}).float()
        lost = -scores.log_softmax(-1).gather(-1, answers[:, :, None])[:, :, 0]
        new = there & (steps >= known)
        nats[places[new] + 1] = lost[new].double()
    answered = torch.ones(len(nats), dtype=torch.bool)
    answered[texts.offsets[:-1]] = False
    return Ragged(nats[answered], texts.offsets - torch.arange(len(texts.offsets)))


def framed(texts: Ragged, start: int, end: int | None) -> Ragged:
    """Return texts with the token `start` before, and `end`, if there is one, behind each of them."""
    n, more = len(texts), 1 if end is None else 2
    offsets = texts.offsets + more * torch.arange(n + 1)
    values = texts.values.new_empty(int(offsets[-1]))
    places: Tensor = torch.arange(len(texts.values)) + more * torch.repeat_interleave(texts.lengths) + 1
    values[places] = texts.values
    values[offsets[:-1]] = start
    if end is not None:
        values[offsets[1:] - 1] = end
    return Ragged(values, offsets)
