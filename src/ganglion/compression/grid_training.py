"""Training for rounding: the loss is measured on rounded weights, and its slope moves those behind them.

    w' = round(w)                what the network computes with
    w  ← w - step(∂L/∂w')        straight through: the rounding is left out of the slope

Bengio, Léonard & Courville 2013, arXiv:1308.3432; Jacob et al. 2018, arXiv:1712.05877, section 3.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from ganglion.compression.masks import prunable
from ganglion.estimators.beside import Beside
from ganglion.estimators.packing import snapped
from ganglion.networks.network import Network
from ganglion.training.objective import Objective


class RoundedWeights:
    """Keeps the weights of a network at what can be written as int8 or bfloat16, while those behind them learn.

    Parameters
    ----------
    kind : {"int8", "bfloat16"}

    Notes
    -----
    Weights that are zero at first stay so: a pruned network is rounded without filling up again.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def beside(self) -> Beside:
        """What joins a training."""
        return Beside({}, self._objectives)

    @torch.no_grad()
    def _objectives(self, network: Network, own: Sequence[Objective]) -> list[Objective]:
        self.weights = prunable(network)
        self.behind = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.there = {name: weight != 0 for name, weight in self.behind.items()}
        self.said: dict[str, Tensor] = {}
        self._round()
        return [self._followed(objective) for objective in own]

    def _round(self) -> None:
        for name, weight in self.weights.items():
            self.said[name] = snapped(self.behind[name], self.kind)
            weight.copy_(self.said[name])

    def _after_step(self) -> None:
        """Let the weights behind take the step that those in front took."""
        for name, weight in self.weights.items():
            self.behind[name].add_((weight - self.said[name]) * self.there[name])
        self._round()

    def _followed(self, objective: Objective) -> Objective:
        followed, own = copy.copy(objective), objective.after

        def after() -> None:
            if own is not None:
                own()
            self._after_step()

        followed.after = after
        return followed
