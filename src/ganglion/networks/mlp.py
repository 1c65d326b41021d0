"""The multi-layer perceptron as a block: linear layers with an activation between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ganglion.errors import InvalidInput
from ganglion.networks.activations import ACTIVATIONS, initialize
from ganglion.networks.dropout import Dropout


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that says what to do when a batch of one sample has no deviation."""

    def forward(self, input: Tensor) -> Tensor:
        """Return (n_samples, n_units) with zero mean and unit variance over the batch, then scaled and shifted."""
        if self.training and len(input) < 2:
            raise InvalidInput(
                "normalization='batch' was given a batch of 1 sample, which has no deviation. Give more samples, a "
                "batch_size of 2 or more, or normalization='layer'."
            )
        return super().forward(input)


NORMALIZATIONS: dict[str, type[nn.Module]] = {"batch": BatchNorm, "layer": nn.LayerNorm}


def linear(n_in: int, n_out: int, activation: str, *, bias: bool = True, most: float | None = None) -> nn.Linear:
    """Return a linear layer initialised for the activation around it, with a bias of zero or none."""
    layer = nn.Linear(n_in, n_out, bias=bias)
    if layer.weight.device.type != "meta":
        initialize(layer.weight, activation, most=most)
        if bias:
            nn.init.zeros_(layer.bias)
    return layer


class DenseLayer(nn.Module):
    """Linear, normalisation, activation, dropout; with a shortcut around them where widths agree.

    (n_samples, n_in) → (n_samples, n_out)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        activation: str,
        dropout: float,
        normalization: str | None,
        residual: bool,
        most_gain: float | None = None,
    ) -> None:
        super().__init__()
        # batch normalisation takes every constant away: the gradient of a bias would be rounding alone
        parts: list[nn.Module] = [linear(n_in, n_out, activation, bias=normalization != "batch", most=most_gain)]
        if normalization is not None:
            parts.append(NORMALIZATIONS[normalization](n_out))
        parts.append(ACTIVATIONS[activation].module())
        if dropout > 0:
            parts.append(Dropout(dropout))
        self.layers = nn.Sequential(*parts)
        self.shortcut = residual and n_in == n_out

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output; the shortcut adds its input (He et al. 2016, arXiv:1512.03385)."""
        return x + self.layers(x) if self.shortcut else self.layers(x)

    def chain(self) -> tuple[nn.Module, ...] | None:
        """Return what `forward` consists of (see `networks.straight`); None where there is a shortcut."""
        return None if self.shortcut else (self.layers,)


class MLP(nn.Sequential):
    """Dense layers and a linear read-out, (n_samples, n_in) → (n_samples, n_out).

    Parameters
    ----------
    n_in, n_out : int
        Width of the input and of the output.
    hidden : sequence of int
        Units of each hidden layer; empty for a linear model.
    activation : str
        A name in `ACTIVATIONS`.
    dropout : float in [0, 1)
        Share of hidden units silenced in training (Srivastava et al. 2014).
    normalization : {"batch", "layer"} or None
        Batch (Ioffe & Szegedy 2015) or layer normalisation (Ba et al. 2016) before each activation.
    residual : bool
        Add a layer's input to its output where widths agree.
    first_gain : float or None
        Bound of the first layer's gain (see `initialize`); None for none.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        hidden: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        normalization: str | None = None,
        residual: bool = False,
        first_gain: float | None = 1.0,
    ) -> None:
        widths = [n_in, *hidden]
        layers: list[nn.Module] = [
            DenseLayer(
                *pair,
                activation=activation,
                dropout=dropout,
                normalization=normalization,
                residual=residual,
                most_gain=first_gain if i == 0 else None,
            )
            for i, pair in enumerate(pairwise(widths))
        ]
        super().__init__(*layers, linear(widths[-1], n_out, "identity"))
