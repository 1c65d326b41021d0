"""Recurrent encoder and decoder with attention: each word of the answer is said looking at some of the source.

    h_j   = [→GRU; ←GRU](x_j)                                     what the encoder makes of token j of the source
    e_ij  = vᵀ tanh(W s_{i-1} + U h_j),   α_i = softmax(e_i)       how token j fits what comes next       (section 3.1)
    c_i   = Σ_j α_ij h_j                                                                                   (eq. 5)
    s_i   = GRU(s_{i-1}, [y_{i-1}; c_i])                           s_0 = tanh(W_s ←h_1)
    out_i = tanh(W_o [s_i; y_{i-1}; c_i])                          what is to be said next

Bahdanau, Cho & Bengio 2015, arXiv:1409.0473. Differs: tanh where the paper takes the larger of two (maxout).

Letters: n samples, S places of the source, T of the answer, D width of a vector, H units.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.attention import only
from ganglion.networks.dropout import Dropout
from ganglion.networks.mlp import linear
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.sequences import Steps


class RecurrentReading:
    """What a recurrent decoder knows: the source with its keys, and its own state, (n, H)."""

    def __init__(self, source: Tensor, keys: Tensor, bias: Tensor | None, state: Tensor) -> None:
        self.source, self.keys, self.bias, self.state = source, keys, bias, state

    def take(self, rows: Tensor) -> None:
        """Go on with the samples `rows`, (m,) int64: left out, in another order, or several times."""
        self.source, self.keys, self.state = self.source[rows], self.keys[rows], self.state[rows]
        self.bias = None if self.bias is None else self.bias[rows]


class RecurrentPair(nn.Module):
    """Bidirectional encoder and a decoder with additive attention.

    Parameters
    ----------
    width : int
        Numbers of a token's vector, D.
    units : int
        Of the decoder, and of each direction of the encoder, H.
    depth : int
        Layers of the encoder; the decoder has one.
    dropout : float
        Share of vectors and of what is to be said that is silenced in training.
    """

    def __init__(self, width: int, units: int, *, depth: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.units = units
        self.encoder = Recurrent(width, units, layers=depth, cell="gru", bidirectional=True, dropout=dropout)
        self.start = linear(units, units, "tanh")
        self.keys = linear(2 * units, units, "tanh")
        self.ask = linear(units, units, "tanh", bias=False)
        self.fits = linear(units, 1, "tanh", bias=False)
        self.cell = nn.GRUCell(width + 2 * units, units)
        self.say = linear(units + width + 2 * units, width, "tanh")
        self.dropout = Dropout(dropout)
        if self.cell.weight_hh.device.type != "meta":  # as `recurrent.cell` begins
            for gate in self.cell.weight_hh.data.split(units):
                nn.init.orthogonal_(gate)
            for gate in self.cell.weight_ih.data.split(units):
                nn.init.xavier_uniform_(gate)
            self.cell.bias_hh.data.zero_()
            self.cell.bias_ih.data.zero_()

    def read(self, source: Steps) -> RecurrentReading:
        """Return what the decoder looks at, from the vectors of a source, (n, S, D)."""
        h = self.encoder(Steps(self.dropout(source.x), source.lengths)).x
        bias = None if source.full else only(source.there)[:, 0, 0]
        return RecurrentReading(h, self.keys(h), bias, self.start(h[:, 0, self.units :]).tanh())

    def answer(self, reading: RecurrentReading, said: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        """Return what is to be said after each token, from the vectors of those that were said, (n, T, D) → (n, T, D).

        `reading` remembers them, and is gone on from in the next call.
        """
        said = self.dropout(said)
        states, seen = [], []
        for y in said.unbind(1):
            alpha = self._looks(reading)
            context = (alpha[:, None].to(reading.source.dtype) @ reading.source)[:, 0]
            reading.state = self.cell(torch.cat([y, context], 1), reading.state)
            states.append(reading.state)
            seen.append(context)
            if weights is not None:
                weights.append(alpha)
        everything = torch.cat([torch.stack(states, 1), said, torch.stack(seen, 1)], 2)
        return self.dropout(self.say(everything).tanh())

    def alignment(self, reading: RecurrentReading, said: Tensor) -> Tensor:
        """Return how much each token of an answer looked at each of the source, α, (n, T, S)."""
        weights: list[Tensor] = []
        self.answer(reading, said, weights)
        return torch.stack(weights, 1)

    def _looks(self, reading: RecurrentReading) -> Tensor:
        fitting = self.fits((reading.keys + self.ask(reading.state)[:, None]).tanh())[..., 0]
        return (fitting if reading.bias is None else fitting + reading.bias.to(fitting.dtype)).softmax(1)
