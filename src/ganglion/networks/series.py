"""Networks of series: from a window of steps to numbers for each step of what is asked.

A window has the columns of `data.series_encoder`: targets, then what is known up to now only, then what is known
ahead. Letters: b windows, c columns, t targets, k columns known ahead, L steps that are read, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ganglion.networks.inputs import FARTHEST
from ganglion.networks.network import Inputs, Network

FLAT = 1e-12  # a deviation of so little of its column's size is rounding
EPSILON = 1e-5  # added to the variance of a window


class SeriesInput(nn.Module):
    """Numbers of steps, standardised column by column; what is missing becomes the mean.

    The mean and the deviation are those of the training steps, all series together.

    Parameters
    ----------
    n_columns : int
    """

    center: Tensor
    factor: Tensor

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.register_buffer("center", torch.zeros(n_columns, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(n_columns, dtype=torch.float64))

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Fit mean and deviation to "values", (n_steps, c), NaN for missing."""
        values = inputs["values"].double()
        there = ~values.isnan()
        count = there.sum(0).clamp(min=1)
        mean = values.nan_to_num().sum(0) / count
        square = torch.where(there, values - mean, 0.0).square().sum(0) / count
        size = values.nan_to_num().abs().amax(0)
        deviation = square.sqrt()
        self.center.copy_(mean)
        self.factor.copy_(torch.where(deviation <= FLAT * size, 0.0, 1 / deviation))

    def prepare(self, inputs: Inputs) -> dict[str, Tensor]:
        """Standardise "values", (n_steps, c), and "window", (b, c, L), whichever there is; others pass."""
        prepared = dict(inputs)
        if "values" in inputs:
            prepared["values"] = self._scaled(inputs["values"], self.center, self.factor)
        if "window" in inputs:
            prepared["window"] = self._scaled(inputs["window"], self.center[:, None], self.factor[:, None])
        return prepared

    def _scaled(self, values: Tensor, center: Tensor, factor: Tensor) -> Tensor:
        scaled = (values.double() - center) * factor
        return scaled.nan_to_num_(nan=0.0).clamp_(-FARTHEST, FARTHEST).to(self.dtype)

    def forward(self, prepared: Inputs) -> Tensor:
        """Return the windows."""
        return prepared["window"]

    def in_units(self, scores: Tensor, n_targets: int) -> Tensor:
        """Return standardised numbers, (b, t, …), in the units of the targets."""
        shape = (n_targets, *[1] * (scores.dim() - 2))
        return scores.double() / _divisor(self.factor[:n_targets]).view(shape) + self.center[:n_targets].view(shape)


def _divisor(factor: Tensor) -> Tensor:
    """Return factors to divide by: that of a constant column, 0, leaves its mean alone."""
    return torch.where(factor > 0, factor, torch.inf)


class Shape(NamedTuple):
    """How many columns of each kind a window has, its steps, and the numbers that are told of each target and step."""

    targets: int
    past: int
    ahead: int
    length: int
    horizon: int
    n_out: int = 1

    @property
    def read(self) -> int:
        """How many columns are read up to now."""
        return self.targets + self.past + self.ahead


class Level(nn.Module):
    """What a window's targets have in common is taken away before the network, and put back after it.

    revin   z = γ (x - mean) / √(variance + ε) + β of each window and target     Kim et al. 2022, ICLR, eq. 2 and 3
    last    z = x - its last value                                               NLinear, Zeng et al. 2023
    none    z = x

    The mean and the variance are those of the L steps that are read.
    """

    def __init__(self, kind: str, n_targets: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "revin":
            self.scale, self.shift = nn.Parameter(torch.ones(n_targets, 1)), nn.Parameter(torch.zeros(n_targets, 1))

    def away(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return targets, (b, t, L), without their level, and what puts it back."""
        if self.kind == "none":
            return x, ()
        if self.kind == "last":
            last = x[:, :, -1:]
            return x - last, (last,)
        mean = x.mean(2, keepdim=True)
        deviation = (x.var(2, keepdim=True, unbiased=False) + EPSILON).sqrt()
        return (x - mean) / deviation * self.scale + self.shift, (mean, deviation)

    def back(self, y: Tensor, level: tuple[Tensor, ...]) -> Tensor:
        """Return numbers of targets, (b, t, H, n), at the level of their windows."""
        if self.kind == "none":
            return y
        if self.kind == "last":
            return y + level[0][..., None]
        mean, deviation = (each[..., None] for each in level)
        return (y - self.shift[..., None]) / _away_from_zero(self.scale)[..., None] * deviation + mean

    def factor(self, level: tuple[Tensor, ...]) -> Tensor | None:
        """Return by how much `back` stretches, (b, t, 1, 1), or None where it does not."""
        return (level[1] / _away_from_zero(self.scale).abs())[..., None] if self.kind == "revin" else None


def _away_from_zero(scale: Tensor) -> Tensor:
    return torch.where(scale.abs() < EPSILON, EPSILON, scale)


class WindowReader(nn.Module):
    """Windows (b, c, L + H) → numbers of each target and step, (b, t, H, n): level, network, level.

    Of the last H steps only what is known ahead is looked at.

    Parameters
    ----------
    shape : Shape
    network : Module
        Columns that are read, (b, targets + past + ahead, L), and those known ahead, (b, k, H) → (b, t, H, n).
    level : str
        See `Level`.
    spread : bool
        Whether the second number is a logarithm of a variance, which a level only stretches.
    offsets : sequence of float
        What is added to each of the n numbers: where quantiles begin.
    """

    offsets: Tensor

    def __init__(
        self, shape: Shape, network: nn.Module, *, level: str, spread: bool, offsets: Sequence[float] = ()
    ) -> None:
        super().__init__()
        self.register_buffer("offsets", torch.tensor(list(offsets), device="cpu"), persistent=False)
        self.shape, self.network, self.spread = shape, network, spread
        self.level = Level(level, shape.targets)

    def forward(self, window: Tensor) -> Tensor:
        """Return what is told of the H steps."""
        n, length = self.shape.targets, self.shape.length
        x, level = self.level.away(window[:, :n, :length])
        if n < window.shape[1]:
            x = torch.cat([x, window[:, n:, :length]], 1)
        y = self.network(x, window[:, window.shape[1] - self.shape.ahead :, length:])
        if not self.spread:
            return self.level.back(y + self.offsets if len(self.offsets) else y, level)
        mean, log_variance = y.split(1, 3)
        factor = self.level.factor(level)
        log_variance = log_variance if factor is None else log_variance + 2 * factor.log()
        return torch.cat([self.level.back(mean, level), log_variance], 3)


class SeriesNetwork(Network):
    """Raw windows → forecasts in the units of the targets, (b, t, H, n)."""

    @property
    def series(self) -> SeriesInput:
        """The input layer."""
        return cast(SeriesInput, self.input)

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the answer for raw windows."""
        return self.output(self.raw_scores(inputs), self.series)


class Points(nn.Module):
    """One number of each target and step, (b, t, H, 1) → the same in the targets' units."""

    def forward(self, scores: Tensor, series: SeriesInput) -> Tensor:
        """Return forecasts."""
        return series.in_units(scores, scores.shape[1])


class Quantiles(nn.Module):
    """Quantiles of each target and step, (b, t, H, n) → the same in the targets' units, none below a lower one.

    Where they cross they are put in order, which brings none farther from the truth: Chernozhukov, Fernández-Val &
    Galichon 2010, Econometrica 78.
    """

    def forward(self, scores: Tensor, series: SeriesInput) -> Tensor:
        """Return quantiles that rise."""
        return series.in_units(scores, scores.shape[1]).sort(3).values


class Normals(nn.Module):
    """Mean and logarithm of the variance, (b, t, H, 2) → mean and deviation in the targets' units."""

    def forward(self, scores: Tensor, series: SeriesInput) -> Tensor:
        """Return means beside deviations."""
        mean, log_variance = scores.split(1, 3)
        factor = _divisor(series.factor[: scores.shape[1]]).view(-1, 1, 1)
        return torch.cat([series.in_units(mean, scores.shape[1]), (log_variance.double() / 2).exp() / factor], 3)
