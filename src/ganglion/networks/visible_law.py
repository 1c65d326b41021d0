"""What a network's raw numbers say of a vector of data: p(v | raw), its mean and samples, block by block.

    bernoulli     log p = v raw - log(1 + eʳᵃʷ)                        pixels and shares in [0, 1], mean σ(raw)
    gaussian      log p = -½ ((v - raw) / σ)² - log σ - ½ log 2π        σ learned, one a column, or for all pixels
    categorical   log p = raw_k - log Σ_j e^{raw_j}, k the place       one of K

A vector's blocks are told by `networks.visible`; given the raw numbers they are independent.
Kingma & Welling 2014, arXiv:1312.6114, appendix C; σ apart from the network: Rybkin et al. 2021, arXiv:2006.13202.
Letters: n samples, d numbers of a vector; both methods take (…, d).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.draws import normal, uniform
from ganglion.networks.visible import Block

LawName = Literal["bernoulli", "gaussian", "categorical"]
SMALLEST = math.log(0.01)  # a column of equal numbers would have a deviation of 0, and a density without bound
RAREST = 1e-3
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class VisibleLaw(nn.Module):
    """The law of vectors given raw numbers, as many as a vector has.

    Parameters
    ----------
    blocks : sequence of Block
    numbers : {"gaussian", "bernoulli"}
        The law of numbers.
    pixels : {"bernoulli", "gaussian"}
        The law of pixels.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        *,
        numbers: Literal["gaussian", "bernoulli"] = "gaussian",
        pixels: Literal["gaussian", "bernoulli"] = "bernoulli",
    ) -> None:
        super().__init__()
        kinds: dict[str, LawName] = {"number": numbers, "pixel": pixels, "category": "categorical"}
        self.laws: list[tuple[LawName, slice]] = [(kinds[block.kind], block.part) for block in blocks]
        gaussian = [block for block, (law, _) in zip(blocks, self.laws, strict=True) if law == "gaussian"]
        self.log_deviation: nn.Parameter | None = None
        if gaussian:  # numbers or pixels: there are never both
            n_deviations = 1 if gaussian[0].kind == "pixel" else gaussian[0].width
            self.log_deviation = nn.Parameter(torch.zeros(n_deviations))

    def log_prob(self, v: Tensor, raw: Tensor) -> Tensor:
        """Return log p(v | raw), (…), the sum over a vector's blocks."""
        parts = [self._log_prob(law, v[..., part], raw[..., part]) for law, part in self.laws]
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)

    def mean(self, raw: Tensor) -> Tensor:
        """Return the mean of v, (…, d): of a category the chance of each place."""
        means = {"bernoulli": torch.sigmoid, "gaussian": torch.clone, "categorical": lambda a: a.softmax(-1)}
        return self._joined([means[law](raw[..., part]) for law, part in self.laws])

    def natural(self, mean: Tensor) -> Tensor:
        """Return raw numbers whose means are these, (d,); no chance is taken to be quite 0 or 1."""
        inverse = {
            "bernoulli": lambda p: p.clamp(RAREST, 1 - RAREST).logit(),
            "gaussian": torch.clone,
            "categorical": lambda p: p.clamp(min=RAREST).log(),
        }
        return self._joined([inverse[law](mean[part]) for law, part in self.laws])

    def draw(self, raw: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return a sample of v, (…, d)."""
        return self._joined([self._draw(law, raw[..., part], generator) for law, part in self.laws])

    @property
    def deviation(self) -> Tensor:
        """The deviations σ of Gaussian numbers, or the one of pixels."""
        if self.log_deviation is None:
            raise AttributeError("only Gaussian blocks have deviations")
        return self.log_deviation.clamp(min=SMALLEST).exp()

    def _log_prob(self, law: LawName, v: Tensor, raw: Tensor) -> Tensor:
        if law == "bernoulli":
            return (v * raw - F.softplus(raw)).sum(-1)
        if law == "categorical":
            return (v * raw.log_softmax(-1)).sum(-1)
        deviation = self.deviation
        width = raw.shape[-1] // len(deviation)
        squares = ((v - raw) / deviation).square().sum(-1)
        return -0.5 * squares - width * deviation.log().sum() - raw.shape[-1] * HALF_LOG_TAU

    def _draw(self, law: LawName, raw: Tensor, generator: torch.Generator | None) -> Tensor:
        if law == "bernoulli":
            return (uniform(tuple(raw.shape), raw, generator) < raw.sigmoid()).to(raw.dtype)
        if law == "gaussian":
            return raw + self.deviation * normal(tuple(raw.shape), raw, generator)
        # the smallest of exponentials with rates e^raw (Gumbel's trick)
        waits = -(-uniform(tuple(raw.shape), raw, generator)).log1p()
        place = (raw - waits.clamp(min=torch.finfo(torch.float32).tiny).log()).argmax(-1)
        return F.one_hot(place, raw.shape[-1]).to(raw.dtype)

    @staticmethod
    def _joined(parts: list[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)
