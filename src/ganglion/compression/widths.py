"""Which parts of which tensors belong to a unit: found by asking the estimator for a network with one unit more.

An estimator says in which options its layers' widths stand (`Estimator.widths`). Built once more with one of them
larger by one, on no memory, its network shows which axes of which tensors that width is the length of: rows of the
layer that makes the units, columns of the layer that reads them, statistics in between. No layer has to be known.

An axis longer by d has d places for every unit. They may stand together or apart: index = (a n + k) B + b for unit k of
n, with A B = d. Which it is, is found by trying: a network without some units must answer as one in which all that
belongs to them is zero. Where no arrangement does (layers tied to others, units normalised together), the width is
left as it is.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganglion.data.ragged import Columns
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Estimator
from ganglion.estimators.empty import empty_network
from ganglion.networks.network import Network

Place = tuple[Any, ...]  # the option, and where in its value: ("channels", 1, 0)
MOST_TRIED = 64  # arrangements
AGREE = 1e-4  # of the largest score


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a tensor, n units long, each with `apart` · `together` places on it."""

    tensor: str
    axis: int
    apart: int = 1
    together: int = 1

    def places(self, units: Tensor, n: int) -> Tensor:
        """Return where on the axis units k stand, of n: (a n + k) B + b for all a and b, in rising order."""
        a = torch.arange(self.apart)[:, None, None]
        b = torch.arange(self.together)[None, None, :]
        return ((a * n + units[None, :, None]) * self.together + b).flatten()


@dataclass(frozen=True, slots=True)
class Width:
    """The units of one layer.

    Attributes
    ----------
    place : tuple
        The option that counts them, and where in its value.
    n : int
    axes : tuple of Axis
        What belongs to them.
    """

    place: Place
    n: int
    axes: tuple[Axis, ...]

    @property
    def name(self) -> str:
        """The option and its place in words: "channels[1][0]"."""
        return str(self.place[0]) + "".join(f"[{i}]" for i in self.place[1:])


Kept = Mapping[Place, Tensor]  # which units of a width stay, sorted


def found_widths(model: Estimator, columns: Columns) -> list[Width]:
    """Return the widths of a fitted estimator whose units can be removed.

    Parameters
    ----------
    model : Estimator
    columns : mapping
        Some encoded samples (`Estimator.encoded`), on which arrangements are tried.

    Raises
    ------
    InvalidParameter
        If there are none, or all have one unit only.
    """
    counts = counted(model.widths())
    if not counts:
        raise InvalidParameter(
            f"{type(model).__name__} has no layers whose units can be removed one by one. Quantise it, prune its "
            "weights, or distil it into a smaller one."
        )
    said = model.answers_to(columns, scores=True)
    found = (_arranged(model, place, n, columns, said) for place, n in counts.items() if n > 1)
    widths = [width for width in found if width is not None]
    if not widths:
        raise InvalidParameter(
            f"none of the layers of this {type(model).__name__} can be made smaller by itself: their units are tied to "
            "those of others, or normalised together (normalization='layer'). Quantise it, or distil it."
        )
    return widths


def counted(widths: Mapping[str, Any]) -> dict[Place, int]:
    """Return the number of units of each layer by its place in options such as {"hidden": (64, 32)}."""
    return dict(leaf for option, value in widths.items() for leaf in _leaves((option,), value))


def with_counts(widths: Mapping[str, Any], counts: Mapping[Place, int]) -> dict[str, Any]:
    """Return options of the same form with other numbers of units at some places."""
    return {option: _changed((option,), value, counts) for option, value in widths.items()}


def _leaves(place: Place, value: Any) -> Iterator[tuple[Place, int]]:
    if isinstance(value, Sequence):
        for i, each in enumerate(value):
            yield from _leaves((*place, i), each)
    else:
        yield place, int(value)


def _changed(place: Place, value: Any, counts: Mapping[Place, int]) -> Any:
    if isinstance(value, Sequence):
        return tuple(_changed((*place, i), each, counts) for i, each in enumerate(value))
    return int(counts.get(place, value))


def resized(model: Estimator, counts: Mapping[Place, int]) -> Any:
    """Return a copy of an estimator with other widths in its options, and the network that it had."""
    return copy.copy(model).set_params(**with_counts(model.widths(), counts))


def without(model: Estimator, widths: Sequence[Width], kept: Kept) -> Any:
    """Return a copy of a fitted estimator that has only the units in `kept`: options and network.

    Raises
    ------
    InvalidInput
        If a network of these widths has other layers, which shortcuts between equal widths can bring about.
    """
    smaller = resized(model, {width.place: len(kept[width.place]) for width in widths if width.place in kept})
    network = empty_network(smaller, model.network_.dtype, model.compression_)
    tensors = dict(model.network_.state_dict())
    for width in widths:
        for axis in width.axes if width.place in kept else ():
            places = axis.places(kept[width.place], width.n)
            tensors[axis.tensor] = tensors[axis.tensor].index_select(axis.axis, places)
    expected = {name: tensor.shape for name, tensor in network.state_dict().items()}
    if expected != {name: tensor.shape for name, tensor in tensors.items()}:
        raise InvalidInput("a network of these widths has other layers than the one that it is to be cut from.")
    network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()}, assign=True)
    smaller.network_ = network.requires_grad_(True).eval()
    return smaller


def silenced(model: Estimator, widths: Sequence[Width], kept: Kept) -> Any:
    """Return a copy of a fitted estimator in which all that belongs to other units than those `kept` is zero."""
    changed = copy.copy(model)
    changed.network_ = copy.deepcopy(model.network_)
    tensors = changed.network_.state_dict()
    for width in widths:
        for axis in width.axes if width.place in kept else ():
            gone = torch.ones(width.n, dtype=torch.bool)
            gone[kept[width.place]] = False
            tensors[axis.tensor].index_fill_(axis.axis, axis.places(gone.nonzero()[:, 0], width.n), 0)
    return changed


def _arranged(model: Estimator, place: Place, n: int, columns: Columns, said: Tensor) -> Width | None:
    """Return a width with its axes as they prove right, or None if no arrangement does."""
    longer = _longer(model, place, n)
    if not longer:
        return None
    half = torch.arange(n)[torch.randperm(n, generator=torch.Generator().manual_seed(0)) < (n + 1) // 2]
    for axes in itertools.islice(_arrangements(longer), MOST_TRIED):
        width = Width(place, n, axes)
        if _agrees(model, width, half, columns, said):
            return width
    return None


def _longer(model: Estimator, place: Place, n: int) -> list[tuple[Axis, int]] | None:
    """Return the axes that become longer with one unit more, and by how much; None if layers come or go."""
    shapes = {name: tensor.shape for name, tensor in model.network_.state_dict().items()}
    larger = empty_network(resized(model, {place: n + 1}), model.network_.dtype, model.compression_).state_dict()
    if larger.keys() != shapes.keys():
        return None
    return [
        (Axis(name, axis), after - before)
        for name, tensor in larger.items()
        for axis, (before, after) in enumerate(zip(shapes[name], tensor.shape, strict=True))
        if after != before
    ]


def _arrangements(longer: Sequence[tuple[Axis, int]]) -> Iterator[tuple[Axis, ...]]:
    """Yield how the places of units may lie: together everywhere, apart everywhere, and then all else."""
    yield tuple(replace(axis, together=d) for axis, d in longer)
    yield tuple(replace(axis, apart=d) for axis, d in longer)
    each = [[replace(axis, apart=a, together=d // a) for a in range(1, d + 1) if d % a == 0] for axis, d in longer]
    yield from itertools.product(*each)


def _agrees(model: Estimator, width: Width, kept: Tensor, columns: Columns, said: Tensor) -> bool:
    """Return whether a network without some units answers as one in which they are silent."""
    some = {width.place: kept}
    try:
        removed = without(model, [width], some)
    except (InvalidInput, IndexError):
        return False
    silent = silenced(model, [width], some).answers_to(columns, scores=True)
    return bool(
        (removed.answers_to(columns, scores=True) - silent).abs().max() <= AGREE * said.abs().max().clamp(min=1)
    )


def n_parameters(network: Network) -> int:
    """Return how many numbers training moves."""
    return sum(parameter.numel() for parameter in network.parameters())
