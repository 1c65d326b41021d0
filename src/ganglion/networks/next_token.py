"""Networks that say what comes next: vectors of tokens, something that reads them in order, and scores of the next one.

    x_t = E[token_t],   h_1 … h_T = read(x_1 … x_T),   s_t = W h_t           h_t depends on nothing behind t

A reader takes a window at once, (n, T, D) → (n, T, n_out), or goes on from where it stopped: a transformer keeps the
keys and values of what it read, recurrent layers their states.

Letters: n samples, T tokens, D width, V tokens of the vocabulary.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganglion.networks.attention import Encoder, Kept, causal
from ganglion.networks.network import Inputs, Network
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.sequences import Steps, TokenInput

SMALL = 0.02  # deviation of vectors and scores at first, as in GPT-2


class Reader(Protocol):
    """What reads vectors of tokens in order."""

    n_out: int
    context: int | None  # tokens that it can read, where there is a limit

    def __call__(self, x: Tensor) -> Tensor:
        """Read windows from their beginning, (n, T, D) → (n, T, n_out)."""
        ...

    def begin(self) -> Any:
        """Return what is known before anything was read."""
        ...

    def go_on(self, x: Tensor, known: Any) -> Tensor:
        """Read further tokens, (n, T, D) → (n, T, n_out), and change `known` in place."""
        ...


class TransformerReader(nn.Module):
    """Blocks of attention in which no place sees what comes after it.

    Parameters
    ----------
    width, layers, heads : int
    context : int
        The most places that are read together.
    dropout : float
        Share of the units silenced, of the vectors and of what each block adds.
    rotary : bool
        Whether places turn queries and keys (`positions.rotated`), or have learned vectors, added to the tokens'.
    """

    def __init__(
        self, width: int, *, layers: int, heads: int, context: int, dropout: float, rotary: bool = False
    ) -> None:
        super().__init__()
        self.n_out, self.n_layers, self.context = width, layers, context
        self.places = None if rotary else nn.Parameter(torch.empty(context, width))
        if self.places is not None and self.places.device.type != "meta":
            nn.init.normal_(self.places, std=SMALL)
        self.dropout = nn.Dropout(dropout)
        self.encoder = Encoder(width, layers, heads, hidden=4 * width, dropout=dropout, rotary=rotary)

    def forward(self, x: Tensor) -> Tensor:
        """Read windows of at most `context` tokens, (n, T, D) → (n, T, D)."""
        return self.encoder(self.dropout(self._placed(x)), causal(x.shape[1], device=x.device))

    def begin(self) -> list[Kept]:
        """Return what is kept of each block: nothing yet."""
        return [Kept() for _ in range(self.n_layers)]

    def go_on(self, x: Tensor, known: list[Kept]) -> Tensor:
        """Read further tokens; with those that were read there may be at most `context`."""
        n_seen = len(known[0])
        return self.encoder(self._placed(x, n_seen), causal(x.shape[1], n_seen, device=x.device), known)

    def _placed(self, x: Tensor, first: int = 0) -> Tensor:
        return x if self.places is None else x + self.places[first : first + x.shape[1]]


class RecurrentReader(nn.Module):
    """Layers of cells, with dropout around each (Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329)."""

    def __init__(self, n_in: int, width: int, *, layers: int, cell: str, dropout: float) -> None:
        super().__init__()
        self.n_out, self.context = width, None
        # the next token hangs on the last few: a gate that forgets from the start learned more in as many steps
        self.cells = Recurrent(n_in, width, layers=layers, cell=cell, dropout=dropout, forget_bias=0.0)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Read windows, (n, T, D_in) → (n, T, D)."""
        lengths = torch.full((len(x),), x.shape[1])
        return self.dropout(self.cells(Steps(self.dropout(x), lengths)).x)

    def begin(self) -> list[Any]:
        """Return the state of each layer: none yet."""
        return [None] * len(self.cells.layers)

    def go_on(self, x: Tensor, known: list[Any]) -> Tensor:
        """Read further tokens from the states that the cells have."""
        return self.cells.go_on(x, known)


class NextToken(Network):
    """Tokens (n, T) → scores of the token after each, (n, T, V).

    Parameters
    ----------
    vocabulary : int
        Number of tokens, V.
    embedding : int
        Numbers of a token's vector.
    reader : Reader
    output : Module
    tied : bool
        Whether the scores are products with the tokens' own vectors (Press & Wolf 2017, arXiv:1608.05859).
    scale : float
        Deviation of the tokens' vectors at first.
    """

    def __init__(
        self, vocabulary: int, embedding: int, reader: nn.Module, output: nn.Module, *, tied: bool, scale: float = SMALL
    ) -> None:
        super().__init__(TokenInput(vocabulary, embedding, scale=scale), reader, output)
        self.head = None if tied else nn.Linear(cast(Reader, reader).n_out, vocabulary)
        if self.head is not None and self.head.weight.device.type != "meta":
            nn.init.xavier_uniform_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    @property
    def reader(self) -> Reader:
        """What reads the vectors of the tokens."""
        return cast(Reader, self.body)

    def scores(self, prepared: Inputs) -> Tensor:
        """Return the scores of the token after each, (n, T, V)."""
        return self._scored(self.body(self._vectors(prepared["tokens"])))

    def go_on(self, tokens: Tensor, known: Any) -> Tensor:
        """Read further tokens, (n, T), and return the scores of the next one, (n, V); `known` is changed in place."""
        return self._scored(self.reader.go_on(self._vectors(tokens), known)[:, -1])

    def _vectors(self, tokens: Tensor) -> Tensor:
        return cast(TokenInput, self.input).vectors(tokens)

    def _scored(self, x: Tensor) -> Tensor:
        return F.linear(x, cast(TokenInput, self.input).vectors.weight) if self.head is None else self.head(x)
