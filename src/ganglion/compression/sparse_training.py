"""Training with zeros: weights that went stay at zero through every step."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from torch import Tensor

from ganglion.compression.cubic import CubicRise
from ganglion.compression.masks import Scope, apply_masks, magnitude_masks, prunable
from ganglion.estimators.beside import Beside
from ganglion.networks.network import Network
from ganglion.training.objective import Objective


class ZerosStay:
    """Sets pruned weights back to zero after every step of an objective.

    Parameters
    ----------
    masks : mapping of str to Tensor
        True where a weight stays.
    """

    def __init__(self, masks: Mapping[str, Tensor]) -> None:
        self.masks = dict(masks)

    @property
    def beside(self) -> Beside:
        """What joins a training so that it keeps the zeros."""
        return Beside({}, self._objectives, self._begins)

    def _begins(self, steps: int) -> None:
        """Learn how many steps an epoch has."""

    def _objectives(self, network: Network, own: Sequence[Objective]) -> list[Objective]:
        self.weights = prunable(network)
        self._zero()
        return [_followed(objective, self) for objective in own]

    def after_step(self) -> None:
        """Set to zero what the step has moved away from it."""
        self._zero()

    def _zero(self) -> None:
        apply_masks(self.weights, self.masks)


class ZerosGrow(ZerosStay):
    """Prunes more and more weights while a network learns, by their size at that time (Zhu & Gupta 2017).

    Parameters
    ----------
    sparsity : float in (0, 1)
        s_f.
    epochs : int
        Of the training that it joins; the share rises until a quarter of them is left.
    initial : float
        s_i.
    updates : int
        n, or as many as there are steps.
    scope : {"layer", "network"}
    """

    def __init__(self, sparsity: float, epochs: int, *, initial: float = 0.0, updates: int = 50, scope: Scope) -> None:
        super().__init__({})
        self.sparsity, self.epochs, self.initial, self.updates = sparsity, epochs, initial, updates
        self.scope: Scope = scope
        self.step = 0

    def _begins(self, steps: int) -> None:
        ramp = max(1, round(0.75 * self.epochs * steps))
        every = -(-ramp // self.updates)
        self.rise = CubicRise(final=self.sparsity, initial=self.initial, updates=-(-ramp // every), every=every)

    def after_step(self) -> None:
        """Choose anew which weights stay, where it is time to, and set the others to zero."""
        self.step += 1
        if self.rise.is_due(self.step):
            # pruned weights are zero, the smallest there are: they go first again
            self.masks = magnitude_masks(self.weights, self.rise.at(self.step), scope=self.scope)
        self._zero()


def _followed(objective: Objective, zeros: ZerosStay) -> Objective:
    """Return an objective after whose steps the zeros are put back."""
    followed, own = copy.copy(objective), objective.after

    def after() -> None:
        if own is not None:
            own()
        zeros.after_step()

    followed.after = after
    return followed
