"""Networks that say which chord comes next: rows of keys, something that reads them in order, and the law of a chord.

    independent   p(v | h) = Π_i σ(s_i)^v_i (1 - σ(s_i))^(1 - v_i),              s = W h + w
    nade          p(v | h) = Π_i p(v_i | v_1 … v_{i-1}, h), the lowest key first
                  p(v_i = 1 | …) = σ(b_i + V_i · σ(c + Σ_{j < i} v_j U_j)),      b = B h + β,  c = C h + γ

NADE: Larochelle & Murray 2011, "The neural autoregressive distribution estimator"; with biases that follow a recurrent
network: Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392, section 4. Its hidden units change only behind a
key that sounds, so that a chord of four notes needs five rows of them and not 88.

Letters: n pieces, T steps, D numbers known of what came before, K keys, H hidden units, N chords.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganglion.networks.network import Inputs, Network
from ganglion.networks.next_token import Reader
from ganglion.networks.sequences import Steps

RARE = -3.0  # the score of every key at first: about one in twenty sounds


class ChordInput(nn.Module):
    """Rows of keys, (n, T + 1, K + 1) of 0 and 1, the last number saying that a piece begins, as numbers.

    Parameters
    ----------
    keys : int
    """

    def __init__(self, keys: int) -> None:
        super().__init__()
        self.dtype, self.keys, self.n_out = torch.float32, keys, keys + 1

    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Do nothing: keys need no scaling."""

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"music": rows as numbers, "music_length": (n,)}."""
        return {"music": inputs["music"].to(self.dtype), "music_length": inputs["music_length"]}

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:
        """Return the row before each chord, (n, T, K + 1)."""
        return Steps(prepared["music"][:, :-1], prepared["music_length"] - 1)

    def chords(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return the chords, (n, T, K)."""
        return prepared["music"][:, 1:, : self.keys]


class ChordLaw(Protocol):
    """How likely each chord is, given what is known, (N, D)."""

    def __call__(self, known: Tensor, chords: Tensor) -> Tensor:
        """Return log p of chords, (N, K) of 0 and 1, as (N,) float32 or float64."""
        ...

    def draw(self, known: Tensor, generator: torch.Generator | None, temperature: float = 1.0) -> Tensor:
        """Return a chord for each row, (N, K) of 0 and 1; at temperature 0 each key sounds if that is likelier."""
        ...


class IndependentChord(nn.Module):
    """Each key by itself."""

    def __init__(self, n_in: int, keys: int) -> None:
        super().__init__()
        self.layer = _layer(n_in, keys, start=RARE)

    def forward(self, known: Tensor, chords: Tensor) -> Tensor:
        """Return log p of each chord, (N,)."""
        return log_chance(self.layer(known), chords)

    def draw(self, known: Tensor, generator: torch.Generator | None, temperature: float = 1.0) -> Tensor:
        """Return a chord for each row, (N, K)."""
        return sounding(self.layer(known), generator, temperature)


class NadeChord(nn.Module):
    """Each key given those below it that sound."""

    def __init__(self, n_in: int, keys: int, hidden: int) -> None:
        super().__init__()
        self.bias, self.offset = _layer(n_in, keys, start=RARE), _layer(n_in, hidden)
        self.below = nn.Parameter(torch.empty(keys, hidden))  # U
        self.score = nn.Linear(hidden, keys, bias=False)  # V
        if self.below.device.type != "meta":
            for weight in (self.below, self.score.weight):
                nn.init.xavier_uniform_(weight)

    def forward(self, known: Tensor, chords: Tensor) -> Tensor:
        """Return log p of each chord, (N,)."""
        on = chords > 0.5
        rank = on.cumsum(1) - on.long()  # keys below each that sound, (N, K)
        most = int(on.sum(1).max()) if len(on) else 0
        places = torch.full((len(on), most), chords.shape[1], device=on.device)  # of the keys that sound
        rows, keys = on.nonzero(as_tuple=True)
        places[rows, rank[rows, keys]] = keys
        heard = F.pad(self.below, (0, 0, 0, 1))[places].cumsum(1)  # (N, most, H)
        units = torch.sigmoid(self.offset(known)[:, None] + F.pad(heard, (0, 0, 1, 0)))  # row j: j keys were heard
        scores = self.score(units).gather(1, rank[:, None])[:, 0] + self.bias(known)
        return log_chance(scores, chords)

    def draw(self, known: Tensor, generator: torch.Generator | None, temperature: float = 1.0) -> Tensor:
        """Return a chord for each row, (N, K)."""
        bias, units = self.bias(known), self.offset(known)
        keys: list[Tensor] = []
        for i, (score, below) in enumerate(zip(self.score.weight, self.below, strict=True)):
            key = sounding(bias[:, i] + torch.sigmoid(units) @ score, generator, temperature)
            units = units + key[:, None] * below
            keys.append(key)
        return torch.stack(keys, 1)


class NextChord(Network):
    """Rows of keys (n, T + 1, K + 1) → log p of each chord given those before it, (n, T); 0 for what fills up.

    Parameters
    ----------
    keys : int
        K.
    reader : Reader
    law : ChordLaw
    output : Module
    """

    def __init__(self, keys: int, reader: nn.Module, law: nn.Module, output: nn.Module) -> None:
        super().__init__(ChordInput(keys), reader, output)
        self.law = law

    @property
    def reader(self) -> Reader:
        """What reads the rows."""
        return cast(Reader, self.body)

    def scores(self, prepared: Inputs) -> Tensor:
        """Return log p of each chord, (n, T)."""
        before = self._input(prepared)
        known, there = self.body(before.x), before.there
        log_p = cast(ChordLaw, self.law)(known[there], self._input.chords(prepared)[there])
        return log_p.new_zeros(there.shape).masked_scatter(there, log_p)

    def expected(self, prepared: Inputs) -> Tensor:
        """Return the keys that sound rather than not in each step, given all chords before it, (n, T, K)."""
        known = self.body(self._input(prepared).x)
        return cast(ChordLaw, self.law).draw(known.flatten(0, 1), None, 0.0).view(*known.shape[:2], -1)

    def go_on(self, rows: Tensor, known: Any, generator: torch.Generator, temperature: float) -> Tensor:
        """Read further rows, (n, T, K + 1), and return the next chord, (n, K); `known` is changed in place."""
        return cast(ChordLaw, self.law).draw(self.reader.go_on(rows, known)[:, -1], generator, temperature)

    def cast(self, dtype: torch.dtype, *, inputs: torch.dtype | None = None) -> Network:
        """Compute in `dtype` from here on."""
        self.law.to(dtype)
        return super().cast(dtype, inputs=inputs)

    @property
    def _input(self) -> ChordInput:
        return cast(ChordInput, self.input)


def log_chance(scores: Tensor, keys: Tensor) -> Tensor:
    """Return Σ_i log p(v_i) of keys, (N, K) of 0 and 1, each with its score, the logarithm of p / (1 - p); (N,)."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))  # sums of 88 terms need more than bfloat16
    return -F.binary_cross_entropy_with_logits(scores, keys.to(scores.dtype), reduction="none").sum(1)


def sounding(scores: Tensor, generator: torch.Generator | None, temperature: float) -> Tensor:
    """Return 1 where a key sounds and 0 elsewhere, drawn by its score; at temperature 0 where that is likelier."""
    if temperature == 0:
        return (scores > 0).to(scores.dtype)
    chance = torch.sigmoid(scores.double() / temperature)
    return (torch.rand(scores.shape, generator=generator, dtype=torch.float64) < chance).to(scores.dtype)


def _layer(n_in: int, n_out: int, *, start: float = 0.0) -> nn.Linear:
    layer = nn.Linear(n_in, n_out)
    if layer.weight.device.type != "meta":
        nn.init.xavier_uniform_(layer.weight)
        nn.init.constant_(layer.bias, start)
    return layer
