"""What a small network multiplies and adds, step by step, as plain arrays: what C code is made of.

Normalisation by batches is folded into the layer before it; what acts only in training is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from ganglion.errors import ExportRefused
from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.convolution import ConvolutionStack, ResidualBlock
from ganglion.networks.mlp import DenseLayer

Shape = tuple[int, ...]
_NAMES = {each.module: name for name, each in ACTIVATIONS.items()}
MOST_WEIGHTS = 4_000_000  # as text, each is some twelve letters


@dataclass(frozen=True)
class Dense:
    """y = W x + b; `weight` (n_out, n_in)."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Convolution:
    """A convolution that keeps the size; `weight` (C_out, C_in, k_h, k_w)."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Pool:
    """The largest ("max") or mean ("average") value of each window of `size`, the last ones as far as they go."""

    kind: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Mean:
    """The mean of each channel over the picture."""


@dataclass(frozen=True)
class Normalized:
    """Layer normalisation of a row."""

    weight: np.ndarray
    bias: np.ndarray
    epsilon: float


@dataclass(frozen=True)
class Activation:
    """A nonlinearity by name, each number by itself."""

    name: str


@dataclass(frozen=True)
class Residual:
    """The sum of what two rows of steps make of the same input; no steps give the input itself."""

    inner: tuple[Step, ...]
    shortcut: tuple[Step, ...] = ()


Step = Dense | Convolution | Pool | Mean | Normalized | Activation | Residual


def plan_of(body: nn.Module) -> tuple[Step, ...]:
    """Return the steps of a network's body.

    Parameters
    ----------
    body : Module
        In evaluation mode.

    Raises
    ------
    ExportRefused
        If a layer has no C code, by its name; or if there are too many weights for a file of text.
    """
    n_weights = sum(parameter.numel() for parameter in body.parameters())
    if n_weights > MOST_WEIGHTS:
        raise ExportRefused(
            f"the network has {n_weights:,} weights, more than the {MOST_WEIGHTS:,} that are written as C. Export to "
            ".onnx, or train a smaller one."
        )
    return tuple(_folded(_steps(body)))


def _steps(module: nn.Module) -> list[Step | nn.BatchNorm1d | nn.BatchNorm2d]:
    """Return the steps of a module, normalisations by batches still among them."""
    if isinstance(module, ResidualBlock):
        inner = (*_folded(_steps(module.first)), *_folded(_steps(module.second)))
        return [Residual(inner, tuple(_folded(_steps(module.shortcut)))), *_steps(module.activation)]
    if isinstance(module, DenseLayer) and module.shortcut:
        return [Residual(tuple(_folded(_steps(module.layers))))]
    if isinstance(module, DenseLayer):
        return _steps(module.layers)
    if isinstance(module, ConvolutionStack):
        return [*_steps(module.stages), *_steps(module.head)]
    if isinstance(module, nn.Sequential):
        return [step for child in module for step in _steps(child)]
    return _layer(module)


def _layer(module: Any) -> list[Step | nn.BatchNorm1d | nn.BatchNorm2d]:
    if isinstance(module, nn.Dropout | nn.Dropout2d | nn.Flatten | nn.Identity):
        return []
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return [module]
    if isinstance(module, nn.Linear):
        return [Dense(_array(module.weight), _bias(module, module.out_features))]
    if isinstance(module, nn.Conv2d) and module.padding == "same":
        return [Convolution(_array(module.weight), _bias(module, module.out_channels))]
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return [
            Pool("max" if isinstance(module, nn.MaxPool2d) else "average", cast("tuple[int, int]", module.kernel_size))
        ]
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return [Mean()]
    if isinstance(module, nn.LayerNorm):
        return [Normalized(_array(module.weight), _array(module.bias), module.eps)]
    if type(module) in _NAMES:
        return [Activation(_NAMES[type(module)])]
    raise ExportRefused(
        f"the layer {type(module).__name__} has no C code: dense and convolutional networks have. Export to .onnx."
    )


def _folded(steps: Iterable[Any]) -> list[Step]:
    """Return steps with each normalisation by batches inside the layer before it."""
    folded: list[Step] = []
    for step in steps:
        if not isinstance(step, nn.BatchNorm1d | nn.BatchNorm2d):
            folded.append(step)
            continue
        before = cast("Dense | Convolution", folded.pop())
        scale = _array(step.weight) / np.sqrt(_array(cast(Tensor, step.running_var)) + step.eps)
        weight = before.weight * scale.reshape(-1, *[1] * (before.weight.ndim - 1))
        bias = (before.bias - _array(cast(Tensor, step.running_mean))) * scale + _array(step.bias)
        folded.append(type(before)(weight, bias))
    return folded


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def _bias(module: Any, n: int) -> np.ndarray:
    return np.zeros(n) if module.bias is None else _array(module.bias)
