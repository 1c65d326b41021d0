"""The gradient of a forecast that is linear in its window, written out: what autograd does, without its bookkeeping.

    y = x W + b,  W = W_S + Mᵀ (W_T - W_S),  s = ∂loss/∂y
    ∂loss/∂W_T = M xᵀ s,  ∂loss/∂W_S = xᵀ s - M xᵀ s,  ∂loss/∂b = s summed over windows and targets

M is the moving average of `networks.decomposition`; the parameters become views of one vector, as in
`networks.backpropagation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganglion.networks.backpropagation import packed
from ganglion.networks.decomposition import Decomposition
from ganglion.networks.network import Inputs, Network
from ganglion.networks.series import WindowReader

LossAndSlope = Callable[[Tensor, Any], tuple[Tensor, Tensor]]  # scores, batch → loss, ∂loss/∂scores


class LinearGradient:
    """The loss of a linear forecaster and its gradient, in closed form.

    Parameters
    ----------
    network : Network
        One that `is_linear`. Its parameters are views of `vector` until `release`.
    loss_and_slope : callable
        (scores, batch) → the loss, a scalar, and its gradient by the scores, (b, t, H, n) both.

    Attributes
    ----------
    vector, gradient : Tensor of shape (n,)
        All parameters, and the loss's gradient by them.
    gradients : list of Tensor
        Views of `gradient`: by season, trend and bias.
    """

    def __init__(self, network: Network, loss_and_slope: LossAndSlope) -> None:
        self.network, self.loss_and_slope = network, loss_and_slope
        reader = cast(WindowReader, network.body)
        self._body = cast(Decomposition, reader.network)
        self._shape, self._last = reader.shape, reader.level.kind == "last"
        self._offsets = reader.offsets if len(reader.offsets) else None
        parameters = list(network.parameters())
        self.vector, views = packed(parameters)
        for parameter, view in zip(parameters, views, strict=True):
            parameter.data = view.copy_(parameter.data)
        self.gradient, self.gradients = packed(parameters)
        self._views, self._average = views, self._body.average()
        self._difference = torch.empty_like(views[0])

    def __call__(self, batch: Inputs) -> Tensor:
        """Return the loss of a batch, a scalar, and leave its gradient in `gradient`."""
        shape, (season, trend, bias) = self._shape, self._views
        seen = batch["window"][:, : shape.targets, : shape.length]
        last = seen[:, :, -1:] if self._last else None
        x = (seen if last is None else seen - last).reshape(-1, shape.length)
        torch.sub(trend, season, out=self._difference)
        weight = torch.addmm(season, self._average.t(), self._difference)
        y = torch.addmm(bias, x, weight).view(-1, shape.targets, shape.horizon, shape.n_out)
        y = y if self._offsets is None else y + self._offsets
        loss, slope = self.loss_and_slope(y if last is None else y + last[..., None], batch)
        slope = slope.reshape(len(x), -1)
        of_season, of_trend, of_bias = self.gradients
        torch.mm(x.t(), slope, out=of_season)
        torch.mm(self._average, of_season, out=of_trend)
        of_season.sub_(of_trend)
        torch.sum(slope, 0, out=of_bias)
        return loss

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self.network.parameters():
            parameter.data = parameter.data.clone()


def is_linear(network: nn.Module) -> bool:
    """Return whether `LinearGradient` knows the network: trend and season of all targets alike, without covariates."""
    reader = getattr(network, "body", None)
    if not isinstance(reader, WindowReader) or not isinstance(reader.network, Decomposition):
        return False
    plain = reader.level.kind in ("none", "last") and not reader.spread
    return plain and reader.shape.read == reader.shape.targets and reader.network.season.dim() == 2
