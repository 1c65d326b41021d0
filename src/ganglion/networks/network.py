"""What every estimator trains: an input layer, a body, and an output layer, from raw tensors to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from ganglion.networks.straight import StraightLine

Inputs = Mapping[str, Tensor]


class InputLayer(Protocol):
    """What a network asks of its first layer (see `networks.inputs`)."""

    dtype: torch.dtype

    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Fit the preprocessing to training data."""
        ...

    def prepare(self, inputs: Inputs) -> dict[str, Tensor]:
        """Apply the fixed half of the preprocessing."""
        ...


class Network(nn.Module):
    """Input layer → body → output layer.

    Parameters
    ----------
    input : Module
        The fitted preprocessing, with `adapt`, `prepare` and `forward` (see `networks.inputs`).
    body : Module
        One tensor → scores, (n_samples, n_scores).
    output : Module
        Scores → the answer (see `networks.outputs`).

    Attributes
    ----------
    changes : list of dict
        What was done to the network after it was built and trained, in order.
    """

    def __init__(self, input: nn.Module, body: nn.Module, output: nn.Module) -> None:
        super().__init__()
        self.input, self.body, self.output = input, body, output
        self.dtype = torch.float32
        self.changes: list[dict[str, Any]] = []
        self._line: StraightLine | None = None  # of the body; made when answers are asked for

    @property
    def entry(self) -> InputLayer:
        """The input layer, as what it offers beside `forward`."""
        return cast(InputLayer, self.input)

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return device_of(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy has: all but what follows from its own layers."""
        return {**self.__dict__, "_line": None}

    def cast(self, dtype: torch.dtype, *, inputs: torch.dtype | None = None) -> Network:
        """Compute in `dtype` from here on; the statistics of the preprocessing keep their own precision.

        Prepared inputs are in `inputs`, where that differs.
        """
        self.dtype = dtype
        self.entry.dtype = inputs or dtype
        for parameter in self.parameters():
            parameter.data = parameter.data.to(dtype)
        self.body.to(dtype)
        return self

    def ready(self, columns: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return columns of whole data as `prepare` takes them, with less to do for each batch.

        An input layer that has a method of this name can prepare samples of different lengths once for all.
        """
        make = getattr(self.input, "ready", None)
        return columns if make is None else make(columns)

    def prepare(self, inputs: Inputs) -> Inputs:
        """Apply the fixed half of the preprocessing; training does so once for the whole data set."""
        return self.entry.prepare(inputs)

    def scores(self, prepared: Inputs) -> Tensor:
        """Return what the loss is measured on, from prepared inputs."""
        x = self.input(prepared)
        if self.training or not torch.is_inference_mode_enabled():
            return self.body(x)
        if self._line is None or not self._line.holds():
            self._line = StraightLine(self.body)
        return self._line(x) if self._line.holds() else self.body(x)

    def raw_scores(self, inputs: Inputs) -> Tensor:
        """Return the scores for raw inputs."""
        return self.scores(self.prepare(inputs))

    def forward(self, inputs: Inputs) -> Tensor:
        """Return the answer (probabilities, predictions in the target's units) for raw inputs."""
        return self.output(self.raw_scores(inputs))


def device_of(network: nn.Module) -> torch.device:
    """Return where the parameters of a network are: as `parameters()` says, in a tenth of its time."""
    first = _first_parameter(network)
    return next(network.parameters()).device if first is None else first.device


def _first_parameter(module: nn.Module) -> nn.Parameter | None:
    for parameter in module._parameters.values():
        if parameter is not None:
            return parameter
    for child in module._modules.values():
        if child is not None and (found := _first_parameter(child)) is not None:
            return found
    return None
