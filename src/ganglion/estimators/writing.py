"""How a language model writes: one token after the other, each drawn by a law from what the network expects.

What was read is kept (keys and values, or states), so that a token costs one step. A transformer that has read as much
as it can goes on with the later half of it, read anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganglion.data.vocabulary import END, REPLACEMENT, Tokenizer
from ganglion.errors import InvalidParameter
from ganglion.networks.choosing import draw
from ganglion.networks.next_token import NextToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """By which law the next token is drawn; see `networks.choosing`."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise InvalidParameter(
                f"temperature={self.temperature}: give a number of 0 or more. 0 always takes the likeliest token, 1 "
                "draws as the model believes, and above 1 texts become wilder."
            )
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise InvalidParameter(f"top_k={self.top_k}: give a whole number of 1 or more, or None for all tokens.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InvalidParameter(
                f"top_p={self.top_p}: give a share of the chance above 0 and up to 1, or None for all tokens."
            )


@torch.inference_mode()
def written(network: NextToken, ids: Tensor, law: Law, generator: torch.Generator, never: Tensor) -> Iterator[Tensor]:
    """Write on and on.

    Parameters
    ----------
    network : NextToken
    ids : Tensor of shape (n, T), int64
        What was written before, at least one token; a transformer reads the last `context` of them.
    law : Law
    generator : torch.Generator
    never : Tensor of int64
        Tokens that must not be drawn.

    Yields
    ------
    Tensor of shape (n,), int64
        The next token of each row.
    """
    most = network.reader.context
    seen, known = (ids if most is None else ids[:, -most:]), network.reader.begin()
    new = seen
    while True:
        scores = network.go_on(new, known).index_fill(1, never, float("-inf"))
        token = draw(scores, generator, temperature=law.temperature, top_k=law.top_k, top_p=law.top_p)
        yield token
        new = token[:, None]
        if most is None:
            continue
        seen = torch.cat([seen, new], 1)
        if seen.shape[1] > most:
            seen, known = seen[:, -max(1, most // 2) :], network.reader.begin()
            new = seen


def pieces_of(tokenizer: Tokenizer, before: Sequence[int], ids: Iterable[int]) -> Iterator[str]:
    """Give the text of tokens as they come, each piece when it is whole: a character may be of several tokens.

    Parameters
    ----------
    tokenizer : Tokenizer
    before : sequence of int
        What the tokens come behind: words, say, have a blank between them.
    ids : iterable of int
        It ends with the token of a text's end, or when there are no more.
    """
    shown = list(before)[-1:]
    known, pending = tokenizer.decode(shown), []
    for token in ids:
        if token == END:
            break
        pending.append(token)
        text = tokenizer.decode([*shown, *pending])
        if text.endswith(REPLACEMENT) and len(pending) < LONGEST_CHARACTER:
            continue
        yield text[len(known) :]
        shown, pending = pending[-1:], []
        known = tokenizer.decode(shown)
    if pending:
        yield tokenizer.decode([*shown, *pending])[len(known) :]


LONGEST_CHARACTER = 4  # bytes, and so tokens, that a character has in UTF-8


def until(pieces: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """Pass pieces on up to the first text of `stop`, which is left out; what may be its beginning is held back."""
    if not stop:
        yield from pieces
        return
    held = ""
    for piece in pieces:
        held += piece
        places = [place for place in map(held.find, stop) if place >= 0]
        if places:
            yield held[: min(places)]
            return
        safe = len(held) - _beginning_of_any(held, stop)
        yield held[:safe]
        held = held[safe:]
    yield held


def _beginning_of_any(text: str, stop: Sequence[str]) -> int:
    """Return how many letters at the end of a text may be the beginning of one of `stop`."""
    longest = max(map(len, stop)) - 1
    return next((n for n in range(min(longest, len(text)), 0, -1) if any(s.startswith(text[-n:]) for s in stop)), 0)
