"""How much a unit matters to the loss, or how large its weights are.

    I_k = Σ_b ( Σ_{w of unit k} w ∂L_b/∂w )²       b batches          Molchanov et al. 2019, arXiv:1906.10771, eq. 8
    I_k = Σ_{w of unit k} |w|                       size               Li et al. 2017, arXiv:1608.08710

The first is what the loss would change if the unit were gone, to first order. Sizes are divided by their mean over the
layer, since layers of few inputs have larger weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from ganglion.compression.widths import Axis, Place, Width
from ganglion.estimators.base import Estimator
from ganglion.training.objective import Batch

Criterion = Literal["taylor", "magnitude"]


def importance_of_units(
    model: Any, widths: Sequence[Width], criterion: Criterion, batches: Sequence[Batch] = ()
) -> dict[Place, Tensor]:
    """Return the importance of the units of each width, (n,) float64 each.

    Parameters
    ----------
    model : Estimator
        Fitted.
    widths : sequence of Width
    criterion : {"taylor", "magnitude"}
    batches : sequence of mapping
        Labelled samples (`labelled_batches`), for "taylor".
    """
    if criterion == "magnitude":
        tensors = model.network_.state_dict()
        sizes = {width.place: _by_unit(width, lambda axis: tensors[axis.tensor].abs()) for width in widths}
        return {place: size / size.mean().clamp(min=1e-300) for place, size in sizes.items()}
    total = {width.place: torch.zeros(width.n, dtype=torch.float64) for width in widths}
    for batch in batches:
        terms = _first_order(model, batch)
        for width in widths:
            total[width.place] += _by_unit(width, lambda axis, terms=terms: terms[axis.tensor]).square()
    return {place: each / max(1, len(batches)) for place, each in total.items()}


def _first_order(model: Estimator, batch: Batch) -> dict[str, Tensor]:
    """Return w ∂L/∂w for every parameter, by name; statistics have none."""
    network = model.network_
    named = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    with torch.enable_grad():
        loss = sum(objective.loss(network, batch) for objective in model.objectives(network))  # type: ignore[attr-defined]
        slopes = torch.autograd.grad(loss, list(named.values()), materialize_grads=True)  # type: ignore[arg-type]
    found = {name: tensor.new_zeros(()).expand(tensor.shape) for name, tensor in network.state_dict().items()}
    return found | {
        name: parameter.detach() * slope for (name, parameter), slope in zip(named.items(), slopes, strict=True)
    }


def _by_unit(width: Width, values: Callable[[Axis], Tensor]) -> Tensor:
    """Return the sum, over all that belongs to each unit, of numbers of the shape of the tensors, (n,)."""
    total = torch.zeros(width.n, dtype=torch.float64)
    for axis in width.axes:
        along = values(axis).double().movedim(axis.axis, 0)
        total += along.reshape(axis.apart, width.n, axis.together, -1).sum((0, 2, 3))
    return total
