"""The network between a graph's inputs and its outputs, as one module of plain tensors that can be exported.

    inputs → encoded columns → prepare → input layer → body → output layer → label, probabilities, …

What stands before it are texts of categories (which become codes), behind it labels: see `graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.data.encoding import TableEncoder, date_numbers
from ganglion.deployment.kind import answer_of
from ganglion.deployment.kind_ahead import whole_windows
from ganglion.deployment.kind_places import multiple_of
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.signature import Signature
from ganglion.networks.network import Network
from ganglion.networks.sequences import Steps

Tensors = tuple[Tensor, ...]


class Core(nn.Module):
    """A network by positions: one tensor for each input of a signature → one for each output.

    Categories come as codes, (N, 1) int64; labels leave as places among the classes, int64. Pictures of any size come
    with sides that are a multiple of `sides`, twice or more (0: of one size).
    """

    def __init__(self, network: Network, encoder: Any, signature: Signature) -> None:
        super().__init__()
        self.network, self.encoder, self.signature = network, encoder, signature
        self.sides = multiple_of(network)

    def forward(self, *inputs: Tensor) -> Tensors:
        """Return the outputs."""
        prepared = self.network.prepare(encoded(self.encoder, inputs))
        said = KINDS[self.signature.task].said(self.network, prepared, self.signature)
        return tuple(said[each.role] for each in self.signature.outputs)


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
        (f"the output ({type(network.output).__name__})", partial(answer_of, network)),
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
    if encoder.spec.series:
        return {"window": whole_windows(dict(zip(("history", "ahead"), inputs, strict=False)))}
    name = "sequence" if not encoder.spec.vocabulary else "words" if encoder.spec.features else "tokens"
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
