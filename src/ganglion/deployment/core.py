"""The network between a graph's inputs and its outputs, as one module of plain tensors that can be exported.

    inputs → encoded columns → prepare → input layer → body → output layer → label, probabilities, …

What stands before it are texts of categories (which become codes), behind it labels: see `graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.data.encoding import TableEncoder, date_numbers
from ganglion.deployment.signature import Signature
from ganglion.networks.network import Network
from ganglion.networks.sequences import Steps

Tensors = tuple[Tensor, ...]


class Core(nn.Module):
    """A network by positions: one tensor for each input of a signature → one for each output.

    Categories come as codes, (N, 1) int64; labels leave as places among the classes, (N,) int64.
    """

    def __init__(self, network: Network, encoder: Any, signature: Signature) -> None:
        super().__init__()
        self.network, self.encoder, self.signature = network, encoder, signature

    def forward(self, *inputs: Tensor) -> Tensors:
        """Return the outputs."""
        scores = self.network.raw_scores(encoded(self.encoder, inputs))
        return outputs(self.signature, scores, self.network.output(scores))


class Beginning(Core):
    """The first stages of a network alone, to see where an exported one begins to differ: inputs → what they give."""

    def __init__(self, network: Network, encoder: Any, signature: Signature, n_stages: int) -> None:
        super().__init__(network, encoder, signature)
        self.n_stages = n_stages

    def forward(self, *inputs: Tensor) -> Tensors:
        """Return the tensors that the last of these stages gives."""
        given: Any = encoded(self.encoder, inputs)
        for _, stage in stages(self.network)[: self.n_stages]:
            given = stage(given)
        if isinstance(given, Steps):  # what stands behind the end of a sequence is nobody's
            return (given.x * given.there[:, :, None].to(given.x.dtype),)
        return tuple(given.values()) if isinstance(given, Mapping) else (given,)


def stages(network: Network) -> list[tuple[str, Callable[[Any], Any]]]:
    """Return the stages that raw columns go through, in order, each with a name."""
    whole = type(network).scores is Network.scores
    if not whole:
        inner: list[tuple[str, Callable[[Any], Any]]] = [("the network", network.scores)]
    else:
        parts = network.body.named_children() if isinstance(network.body, nn.Sequential) else [("", network.body)]
        inner = [("the input layer", network.input)]
        inner += [(f"{'body' + ('.' + name if name else '')} ({type(part).__name__})", part) for name, part in parts]
    return [
        ("the preprocessing", network.prepare),
        *inner,
        (f"the output ({type(network.output).__name__})", network.output),
    ]


def encoded(encoder: Any, inputs: Tensors) -> dict[str, Tensor]:
    """Return inputs of a graph as the columns that an encoder makes."""
    if isinstance(encoder, TableEncoder):
        return _table(encoder, inputs)
    if encoder.spec.image:
        return {"image": inputs[0].permute(0, 3, 1, 2)}
    if encoder.spec.audio:
        audio, lengths = inputs
        there = torch.arange(audio.shape[1]) < lengths[:, None]
        return {"audio": audio * there, "audio_length": lengths}
    name = "tokens" if encoder.spec.vocabulary else "sequence"
    return {name: inputs[0], f"{name}_length": inputs[1]}


def _table(encoder: TableEncoder, inputs: Tensors) -> dict[str, Tensor]:
    numbers, codes = [], []
    for field, given in zip(encoder.fields, inputs, strict=True):
        if field.kind == "categorical":
            codes.append(given)
        else:
            numbers.append(date_numbers(given[:, 0]) if field.kind == "date" else given)
    parts = {"numeric": numbers, "categorical": codes}
    return {name: torch.cat(tensors, 1) for name, tensors in parts.items() if tensors}


def outputs(signature: Signature, scores: Tensor, answers: Tensor) -> Tensors:
    """Return what a signature's outputs are, from a network's scores and its answers."""
    made = {
        "label": lambda: _places(signature, scores),
        "probabilities": lambda: answers,
        "scores": lambda: scores,
        "prediction": lambda: _numbers(signature, answers, "prediction"),
        "deviation": lambda: _numbers(signature, answers, "deviation"),
    }
    return tuple(made[each.role]() for each in signature.outputs)


def _places(signature: Signature, scores: Tensor) -> Tensor:
    if signature.multilabel:
        return (scores > 0).to(torch.int64)
    return (scores[:, 0] > 0).to(torch.int64) if len(signature.classes) == 2 else scores.argmax(1)


def _numbers(signature: Signature, answers: Tensor, role: str) -> Tensor:
    """Return predictions, or their deviations, which stand behind them."""
    shape = next(each.shape for each in signature.outputs if each.role == role)
    n = 1 if len(shape) == 1 else int(shape[1])
    part = answers[:, :n] if role == "prediction" else answers[:, n : 2 * n]
    return part[:, 0] if len(shape) == 1 else part
