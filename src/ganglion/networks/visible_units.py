"""The law of the visible units of an energy model, given what the hidden units tell each of them.

    p(v | a) = exp(a·v - B(v) - A(a)),   a the natural parameters, A the logarithm of what makes the law sum to 1

    bernoulli   v ∈ {0, 1}               B = 0       A = log(1 + eᵃ)            mean σ(a)
    gaussian    v ∈ R, of variance 1     B = v²/2    A = a²/2 + log(2π)/2       mean a
    softmax     one of K units is 1      B = 0       A = log Σ_k e^{a_k}        mean softmax(a)

Welling, Rosen-Zvi & Hinton 2005, "Exponential family harmoniums with an application to information retrieval";
softmax units: Salakhutdinov, Mnih & Hinton 2007.   Letters: n rows, d visible units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ganglion.networks.draws import normal

UnitKind = Literal["bernoulli", "gaussian", "softmax"]
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)
RAREST = 1e-3  # no unit is taken to be on, or off, in a smaller share of the data


class VisibleUnits:
    """Units side by side, in blocks of one kind each.

    Parameters
    ----------
    blocks : sequence of (kind, width)
        "bernoulli" or "gaussian" units, as many as `width`, or one "softmax" unit of so many states.

    Attributes
    ----------
    are_binary : bool
        Whether each unit is on or off by itself.
    """

    def __init__(self, blocks: Sequence[tuple[UnitKind, int]]) -> None:
        self.blocks: list[tuple[UnitKind, slice]] = []
        for kind, width in _joined(blocks):
            start = self.n_units
            self.blocks.append((kind, slice(start, start + width)))
        self.are_binary = all(kind == "bernoulli" for kind, _ in self.blocks)

    @property
    def n_units(self) -> int:
        """The number of visible units, d."""
        return self.blocks[-1][1].stop if self.blocks else 0

    def mean(self, a_nd: Tensor) -> Tensor:
        """Return the mean of every unit, (n, d)."""
        return self._of_each(a_nd, _MEAN)

    def draw(self, a_nd: Tensor) -> Tensor:
        """Return a sample of every unit, (n, d)."""
        return self._of_each(a_nd, _DRAW)

    def tossed(self, v_nd: Tensor) -> Tensor:
        """Return data with the units that are on or off drawn, where they were given as chances, (n, d)."""
        return self._of_each(v_nd, _TOSS)

    def base(self, v_nd: Tensor) -> Tensor:
        """Return B(v) of every row, (n,)."""
        total = v_nd.new_zeros(v_nd.shape[0])
        for kind, part in self.blocks:
            if kind == "gaussian":
                total = total + 0.5 * v_nd[:, part].square().sum(1)
        return total

    def log_normaliser(self, a_nd: Tensor) -> Tensor:
        """Return A(a) of every row, (n,)."""
        total = a_nd.new_zeros(a_nd.shape[0])
        for kind, part in self.blocks:
            total = total + _LOG_NORMALISER[kind](a_nd[:, part])
        return total

    def natural(self, mean_d: Tensor) -> Tensor:
        """Return the natural parameters of units that have these means, (d,); none of which is quite 0 or 1."""
        parts = []
        for kind, part in self.blocks:
            mean = mean_d[part]
            if kind == "bernoulli":
                mean = mean.clamp(RAREST, 1 - RAREST).logit()
            elif kind == "softmax":
                mean = mean.clamp(min=RAREST).log()
            parts.append(mean)
        return torch.cat(parts)

    def _of_each(self, a_nd: Tensor, law) -> Tensor:
        if len(self.blocks) == 1:
            return law[self.blocks[0][0]](a_nd)
        return torch.cat([law[kind](a_nd[:, part]) for kind, part in self.blocks], 1)


def draw_bernoulli(a: Tensor) -> Tensor:
    """Return ones and zeros, one with chance σ(a), of any shape."""
    return _tossed(a.sigmoid())


def toss(chance: Tensor) -> Tensor:
    """Return ones and zeros, one with these chances, of any shape."""
    return _tossed(chance.clone())


def _tossed(chance: Tensor) -> Tensor:
    """Put ones and zeros in place of chances, which are rounded to multiples of 1 / 65,536.

    Sixteen random bits a unit cost half the time of a uniform number, and drawing is most of a Gibbs step that is not
    products. A unit with a chance below 1 / 131,072 stays off.
    """
    n = chance.numel()
    bits = torch.empty(-(-n // 4), dtype=torch.int64, device=chance.device).random_(-(2**63), None)
    limit = chance.mul_(65536).sub_(32768.5)
    return torch.lt(bits.view(torch.int16)[:n].view(chance.shape), limit, out=limit)


def _draw_gaussian(a: Tensor) -> Tensor:
    """Return a sample around each mean."""
    return a + normal(tuple(a.shape), a)


def _draw_softmax(a_nk: Tensor) -> Tensor:
    """Return rows with a single one, drawn by the smallest of exponentials with rates e^a (Gumbel's trick)."""
    waits = torch.empty(a_nk.shape, device=a_nk.device).exponential_().log_()
    choice = (a_nk - waits.to(a_nk.dtype)).argmax(1, keepdim=True)
    return torch.zeros_like(a_nk).scatter_(1, choice, 1.0)


def _joined(blocks: Sequence[tuple[UnitKind, int]]) -> list[tuple[UnitKind, int]]:
    """Return the blocks with neighbours of one kind put together, but for softmax units, each of which is one."""
    joined: list[tuple[UnitKind, int]] = []
    for kind, width in blocks:
        if joined and kind != "softmax" and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + width)
        else:
            joined.append((kind, width))
    return joined


_TOSS = {"bernoulli": toss, "gaussian": torch.clone, "softmax": torch.clone}
_MEAN = {"bernoulli": torch.sigmoid, "gaussian": torch.clone, "softmax": lambda a: a.softmax(1)}
_DRAW = {"bernoulli": draw_bernoulli, "gaussian": _draw_gaussian, "softmax": _draw_softmax}
_LOG_NORMALISER = {
    "bernoulli": lambda a: functional.softplus(a).sum(1),
    "gaussian": lambda a: (0.5 * a.square() + HALF_LOG_TAU).sum(1),
    "softmax": lambda a: a.logsumexp(1),
}
