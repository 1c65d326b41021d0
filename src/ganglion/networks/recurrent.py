"""Recurrent networks as blocks: what a step becomes depends on all steps before it.

    elman   h_t = tanh(W x_t + U h_{t-1} + b)                             Elman 1990, "Finding structure in time"
    lstm    i, f, o = σ(W x_t + U h_{t-1} + b) each,  g = tanh(…)         Hochreiter & Schmidhuber 1997; with a forget
            c_t = f c_{t-1} + i g,   h_t = o tanh(c_t)                    gate: Gers, Schmidhuber & Cummins 2000
    gru     r, z = σ(…),  n = tanh(W x_t + r (U h_{t-1} + b))             Cho et al. 2014, arXiv:1406.1078
            h_t = (1 - z) n + z h_{t-1}

Letters: n samples, T steps, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ganglion.networks.sequences import Steps

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def cell(name: str, n_in: int, width: int, *, forget_bias: float = 1.0) -> nn.RNNBase:
    """Return one layer of cells in one direction, (n, T, D_in) → (n, T, D).

    Recurrent weights are orthogonal (Saxe et al. 2014, arXiv:1312.6120), those of the input Glorot's; an LSTM begins
    without forgetting, its forget gates' bias 1 (Jozefowicz, Zaremba & Sutskever 2015), unless told otherwise.
    """
    made = CELLS[name](n_in, width, batch_first=True)
    of_input, of_state, bias, other_bias = (parameter.data for parameter in made.parameters())
    if bias.device.type == "meta":
        return made
    for weight, start in ((of_input, nn.init.xavier_uniform_), (of_state, nn.init.orthogonal_)):
        for gate in weight.split(width):
            start(gate)
    bias.zero_()
    other_bias.zero_()
    if name == "lstm":
        bias[width : 2 * width] = forget_bias
    return made


class RecurrentLayer(nn.Module):
    """One layer of cells, ahead or both ways: (n, T, D_in) → (n, T, D), or 2 D with the two directions side by side."""

    def __init__(
        self, name: str, n_in: int, width: int, *, bidirectional: bool, packing: bool, forget_bias: float
    ) -> None:
        super().__init__()
        self.packing, self.width = packing, width
        self.ahead = cell(name, n_in, width, forget_bias=forget_bias)
        self.back = cell(name, n_in, width, forget_bias=forget_bias) if bidirectional else None

    def forward(self, steps: Steps) -> Steps:
        """Return what the cells make of every step that counts; of filling, something that no step depends on."""
        ahead = self._run(self.ahead, steps)
        if self.back is None:
            return ahead
        back = mirrored(self._run(self.back, mirrored(steps)))
        return Steps(torch.cat([ahead.x, back.x], 2), steps.lengths)

    def _run(self, cells: nn.RNNBase, steps: Steps) -> Steps:
        # ahead, what fills up comes after all that counts
        if not self.packing or steps.full or torch.compiler.is_exporting():
            return Steps(cells(steps.x)[0], steps.lengths)
        packed = pack_padded_sequence(steps.x, steps.lengths.cpu(), batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(cells(packed)[0], batch_first=True, total_length=steps.x.shape[1])
        return Steps(out, steps.lengths)


class Recurrent(nn.Module):
    """Layers of cells, each reading what the one below made: `Steps` (n, T, D_in) → (n, T, n_out).

    Parameters
    ----------
    n_in, width : int
        Numbers in a step, and units of each layer and direction.
    layers : int
    cell : {"elman", "gru", "lstm"}
    bidirectional : bool
        Whether each layer reads from both ends (Schuster & Paliwal 1997); n_out is then 2 · width.
    dropout : float
        Share of the units silenced between layers (Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329).
    packing : bool
        Whether filling is skipped, not run over. The results are the same; it pays where lengths differ much.
    forget_bias : float
        Of an LSTM at first: 1 keeps what was read long ago, 0 learns faster where the last few steps tell most.
    """

    def __init__(
        self,
        n_in: int,
        width: int,
        *,
        layers: int = 1,
        cell: str = "lstm",
        bidirectional: bool = False,
        dropout: float = 0.0,
        packing: bool = False,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__()
        self.n_out = 2 * width if bidirectional else width
        self.bidirectional = bidirectional
        self.layers = nn.ModuleList(
            RecurrentLayer(
                cell,
                n_in if i == 0 else self.n_out,
                width,
                bidirectional=bidirectional,
                packing=packing,
                forget_bias=forget_bias,
            )
            for i in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, steps: Steps) -> Steps:
        """Return the last layer's units at every step."""
        for i, layer in enumerate(self.layers):
            steps = layer(steps if i == 0 else Steps(self.dropout(steps.x), steps.lengths))
        return steps

    def go_on(self, x: Tensor, states: list[Any]) -> Tensor:
        """Read further steps, (n, T, D_in) → (n, T, D), ahead from the states of the layers, which change in place.

        A state of None is the one before the first step.
        """
        for i, layer in enumerate(cast("Iterable[RecurrentLayer]", self.layers)):
            x, states[i] = layer.ahead(x if i == 0 else self.dropout(x), states[i])
        return x


def mirrored(steps: Steps) -> Steps:
    """Return sequences from their end to their beginning; filling stays behind."""
    if steps.full:
        return Steps(steps.x.flip(1), steps.lengths)
    places = torch.arange(steps.x.shape[1], device=steps.x.device)
    there = steps.lengths[:, None] - 1 - places
    order = torch.where(there >= 0, there, places)
    return Steps(steps.x.gather(1, order[:, :, None].expand_as(steps.x)), steps.lengths)


def last_states(steps: Steps, *, bidirectional: bool) -> Tensor:
    """Return what the cells know when they have read everything: the last step ahead, the first one back, (n, D)."""
    rows = torch.arange(steps.x.shape[0], device=steps.x.device)
    last = steps.x[rows, steps.lengths - 1]
    if not bidirectional:
        return last
    width = steps.x.shape[2] // 2
    return torch.cat([last[:, :width], steps.x[:, 0, width:]], 1)
