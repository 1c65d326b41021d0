"""Back-propagation through a plain multi-layer perceptron, written out: what autograd does, without its bookkeeping.

    h_0 = x,  h_l = m_l ⊙ a(W_l h_{l-1} + b_l),  s = W_L h_{L-1} + b_L               forward, l = 1 … L - 1
    d_L = ∂loss/∂s,  d_l = (W_{l+1}ᵀ d_{l+1}) ⊙ m_l ⊙ a'(h_l)                         backward
    ∂loss/∂W_l = d_l h_{l-1}ᵀ,  ∂loss/∂b_l = d_l summed over the batch;   m_l is what dropout lets through

Rumelhart, Hinton & Williams 1986, Nature 323, eqs. 1-7. The parameters become views of one vector and the gradients
of another, so that an optimiser's step, or a cast to bfloat16, is one kernel. A tanh or a rectifier knows its slope
from its own output; networks with other activations, normalisation or shortcuts are left to autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.networks.dropout import Dropout
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Inputs, Network

LossAndSlope = Callable[[Tensor, Any], tuple[Tensor, Tensor]]  # scores, batch → loss, ∂loss/∂scores
ALIGNMENT = 16  # numbers: products are slower on matrices that begin between two lines of the cache

# an activation in place, and the slope before it from the slope behind it and its output
_RULES: dict[type[nn.Module], tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    nn.ReLU: (torch.relu_, lambda slope, out: torch.ops.aten.threshold_backward(slope, out, 0)),
    nn.Sigmoid: (torch.sigmoid_, torch.ops.aten.sigmoid_backward),
    nn.Tanh: (torch.tanh_, torch.ops.aten.tanh_backward),
}


class Backpropagation:
    """The loss of a plain MLP and its gradient, in closed form.

    Parameters
    ----------
    network : Network
        One that `is_plain`. Its parameters are views of `vector` until `release`.
    loss_and_slope : callable
        (scores, batch) → the loss, a scalar, and its gradient by the scores.

    Attributes
    ----------
    vector, gradient : Tensor of shape (n,)
        All parameters, and the loss's gradient by them.
    gradients : list of Tensor
        Views of `gradient`, in the order of `moved_by(network)`.

    Notes
    -----
    The hidden layers multiply in the precision of the prepared inputs. In bfloat16 the weights that are moved stay
    float32, and so does the last layer: its scores are what the loss is measured on.
    """

    def __init__(self, network: Network, loss_and_slope: LossAndSlope) -> None:
        self.network, self.loss_and_slope, self.products = network, loss_and_slope, network.entry.dtype
        self._parameters = parameters = moved_by(network)
        self.vector, views = packed(parameters)
        for parameter, view in zip(parameters, views, strict=True):
            parameter.data = view.copy_(parameter.data)
        self.gradient, self.gradients = packed(parameters)
        self._entry: Any = network.input
        n_input = len(list(network.input.parameters()))
        self._input = n_input > 0
        hidden_layers = [layer.layers for layer in _mlp(network)[:-1]]
        self._rules = [_RULES[type(layer[1])] for layer in hidden_layers]
        self._dropouts: list[Dropout | None] = [layer[2] if len(layer) > 2 else None for layer in hidden_layers]
        # the hidden layers in the precision of products, side by side in one vector each
        hidden = slice(n_input, -2)
        first, last = (view.storage_offset() for view in (views[n_input], views[-2]))
        self._moved, self._found = self.vector[first:last], self.gradient[first:last]
        self._weights, self._slopes = self._moved, self._found
        layers, slopes = views[hidden], self.gradients[hidden]
        if self.products != self.vector.dtype and len(layers):
            self._weights, layers = packed(parameters[hidden], self.products)
            self._slopes, slopes = packed(parameters[hidden], self.products)
        self._layers, self._layer_slopes = _pairs(layers), _pairs(slopes)
        self._read_out, self._read_out_slopes = (views[-2], views[-1]), (self.gradients[-2], self.gradients[-1])

    def __call__(self, batch: Inputs) -> Tensor:
        """Return the loss of a batch, a scalar, and leave its gradient in `gradient`."""
        device = self.vector.device.type
        autocast = torch.is_autocast_enabled(device)
        torch.set_autocast_enabled(device, False)  # the precision of each product is chosen here
        try:
            return self._loss(batch)
        finally:
            torch.set_autocast_enabled(device, autocast)

    def _loss(self, batch: Inputs) -> Tensor:
        hidden, outputs, masks = self._forward(batch)
        weight, bias = self._read_out
        top = hidden[-1].to(weight.dtype)
        loss, slope = self.loss_and_slope(torch.addmm(bias, top, weight.t()), batch)
        torch.mm(slope.t(), top, out=self._read_out_slopes[0])
        torch.sum(slope, 0, out=self._read_out_slopes[1])
        if self._layers or self._input:
            slope = torch.mm(slope, weight).to(self.products)
        slope = self._backward(slope, hidden, outputs, masks)
        if self._input:  # embeddings
            for own, gradient in zip(self.gradients, self._entry.backward(batch, slope), strict=False):
                own.copy_(gradient)
        return loss

    def _forward(self, batch: Inputs) -> tuple[list[Tensor], list[Tensor], list[Tensor | None]]:
        """Return what each layer but the first reads, that of the input layer first, their outputs, and the masks."""
        if self._weights is not self._moved:
            self._weights.copy_(self._moved)
        hidden, outputs, masks = [self._entry(batch).flatten(1).to(self.products)], [], []
        for (weight, bias), (activate, _), dropout in zip(self._layers, self._rules, self._dropouts, strict=True):
            outputs.append(activate(torch.addmm(bias, hidden[-1], weight.t())))
            masks.append(dropout.mask(outputs[-1]) if dropout and dropout.training else None)
            hidden.append(outputs[-1] if masks[-1] is None else outputs[-1] * masks[-1])
        return hidden, outputs, masks

    def _backward(
        self, slope: Tensor, hidden: Sequence[Tensor], outputs: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor:
        """Leave the gradients of the hidden layers, and return the slope by the input, if anything there moves."""
        for i in range(len(self._layers) - 1, -1, -1):
            mask = masks[i]
            slope = self._rules[i][1](slope if mask is None else slope.mul_(mask), outputs[i])
            torch.mm(slope.t(), hidden[i], out=self._layer_slopes[i][0])
            torch.sum(slope, 0, out=self._layer_slopes[i][1])
            if i or self._input:
                slope = torch.mm(slope, self._layers[i][0])
        if self._slopes is not self._found:
            self._found.copy_(self._slopes)
        return slope

    def release(self) -> None:
        """Give each parameter its own memory back."""
        for parameter in self._parameters:
            parameter.data = parameter.data.clone()


def moved_by(network: Network) -> list[nn.Parameter]:
    """Return the parameters that the scores depend on, those of the input layer first."""
    return [*network.input.parameters(), *network.body.parameters()]


def is_plain(network: nn.Module) -> bool:
    """Return whether `Backpropagation` knows the network: an MLP of linear layers and simple activations only."""
    if not isinstance(network, Network):
        return False
    mlp, entry = _mlp(network), network.input
    return (
        mlp is not None
        and (hasattr(entry, "backward") or not list(entry.parameters()))
        and type(mlp[-1]) is nn.Linear
        and all(_is_simple(layer.layers) and not layer.shortcut for layer in mlp[:-1])
        and all(parameter.requires_grad for parameter in network.parameters())
    )


def _is_simple(layers: nn.Sequential) -> bool:
    """Return whether a layer is linear, then a known activation, then dropout at most."""
    return (
        type(layers[0]) is nn.Linear
        and type(layers[1]) in _RULES
        and all(type(each) is Dropout for each in list(layers)[2:])
    )


def _mlp(network: Network) -> Any:
    body = network.body
    if type(body) is nn.Sequential and len(body) == 2 and type(body[0]) is nn.Flatten:
        body = body[1]
    return list(body) if type(body) is MLP else None


def packed(like: Sequence[Tensor], dtype: torch.dtype | None = None) -> tuple[Tensor, list[Tensor]]:
    """Return a vector of zeros and views of it, one of the shape of each tensor."""
    sizes = [-(-tensor.numel() // ALIGNMENT) * ALIGNMENT for tensor in like]
    vector = torch.zeros(sum(sizes), dtype=dtype or like[0].dtype, device=like[0].device)
    parts = vector.split(sizes)
    return vector, [part[: one.numel()].view(one.shape) for part, one in zip(parts, like, strict=True)]


def _pairs(tensors: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(tensors[::2], tensors[1::2], strict=True))
