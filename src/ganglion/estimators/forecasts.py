"""What a forecaster predicts: numbers of each target for each step ahead, as a point, quantiles, or a normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from torch import nn

from ganglion.networks.series import Normals, Points, Quantiles

Told = Literal["points", "quantiles", "normals"]


@dataclass(frozen=True)
class ForecastTarget:
    """Numbers ahead.

    Attributes
    ----------
    names : tuple of str
        Of the targets.
    horizon : int
        Steps ahead.
    told : {"points", "quantiles", "normals"}
        What is said of each number.
    levels : tuple of float
        Of the quantiles, rising; those of quantiles have 0.5 among them.
    season : int
        Steps of the strongest season of training, 1 for none.
    scales : tuple of float
        Of each target the mean absolute error of the seasonal naive forecast on the training steps: what errors are
        divided by where targets of different sizes are judged together (MASE).
    deviations : tuple of float
        Of each target over the training steps.
    """

    names: tuple[str, ...]
    horizon: int
    told: Told
    levels: tuple[float, ...] = ()
    season: int = 1
    scales: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()

    @property
    def n_scores(self) -> int:
        """How many numbers the network says of each number ahead."""
        return {"points": 1, "quantiles": len(self.levels), "normals": 2}[self.told]

    def output(self) -> nn.Module:
        """Return the output layer that brings scores into the targets' units."""
        return {"points": Points, "quantiles": Quantiles, "normals": Normals}[self.told]()

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {
            "kind": "forecast",
            "names": list(self.names),
            "horizon": self.horizon,
            "told": self.told,
            "levels": list(self.levels),
            "season": self.season,
            "scales": list(self.scales),
            "deviations": list(self.deviations),
        }


def forecast_target(stored: Mapping[str, Any]) -> ForecastTarget:
    """Make a target again from `to_json`; a flaw raises KeyError, TypeError or ValueError."""
    names, told = stored["names"], stored["told"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("names")
    if told not in get_args(Told) or any(
        type(stored[name]) is not int or not 0 < stored[name] < 2**31 for name in ("horizon", "season")
    ):
        raise ValueError("told, horizon or season")
    levels, scales, deviations = (tuple(map(float, stored[name])) for name in ("levels", "scales", "deviations"))
    if (
        any(not 0 < level < 1 for level in levels)
        or list(levels) != sorted(levels)
        or (told == "points") == bool(levels)
    ):
        raise ValueError("levels")
    if any(len(each) != len(names) or min(each) < 0 for each in (scales, deviations)):
        raise ValueError("scales")
    return ForecastTarget(tuple(names), stored["horizon"], told, levels, stored["season"], scales, deviations)
