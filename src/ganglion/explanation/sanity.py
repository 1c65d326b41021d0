"""Whether explanations tell of what a network has learned: they must change when its weights are shuffled.

The weights of layers are made meaningless, and the samples explained again in the same way. Where the values keep their
order, they tell of the samples and the architecture, and not of what was learned, however plausible they look.

Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim 2018, arXiv:1810.03292, sec. 3: all layers at once, or "cascading" from
the output down, each with those above it. Differs: the numbers of each layer's weights are shuffled, which keeps their
sizes and with them those of the units, in place of drawn anew.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ganglion.data.rows import n_rows, take_rows
from ganglion.errors import InvalidInput
from ganglion.explanation.explain import explain
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.ranking import agreement
from ganglion.networks.network import Network

Array = NDArray[np.float64]
MOST = 0.5  # rank correlation with meaningless weights up to which an explanation passes


@dataclass(frozen=True, repr=False)
class Sanity:
    """How much explanations are like those of the same network with shuffled weights.

    Attributes
    ----------
    method : str
    layers : tuple of str
        What was shuffled, one step after the other: "all layers", or each layer, with those before it in this list.
    agreements : ndarray of shape (steps, repeats, n_samples)
        Rank correlation of the values.
    sizes : ndarray of shape (steps, repeats, n_samples)
        Rank correlation of their sizes, whatever the sign.
    """

    method: str
    layers: tuple[str, ...]
    agreements: Array
    sizes: Array

    @property
    def agreement(self) -> float:
        """The mean rank correlation of the values once all weights are shuffled."""
        return float(self.agreements[-1].mean())

    @property
    def passed(self) -> bool:
        """Whether neither the values nor their sizes keep their order: both correlate by less than 0.5."""
        return max(abs(self.agreement), float(self.sizes[-1].mean())) < MOST

    @property
    def verdict(self) -> str:
        """What that means, in a sentence."""
        found = f"rank correlation {self.agreement:.2f}, of sizes {self.sizes[-1].mean():.2f}"
        if self.passed:
            return f"passed: with shuffled weights {self.method} says something else ({found})."
        if abs(self.agreement) < MOST:
            return (
                f"in doubt: with shuffled weights the values of {self.method} change, but those that are large stay "
                f"large ({found}): which features matter is told by the sample more than by what was learned."
            )
        return (
            f"FAILED: with shuffled weights {self.method} says much the same ({found}): it tells of the sample, not of "
            "what was learned. Take another method."
        )

    def _means(self) -> tuple[list[float], list[float]]:
        return self.agreements.mean(axis=(1, 2)).tolist(), self.sizes.mean(axis=(1, 2)).tolist()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        steps = zip(self.layers, *self._means(), strict=True)
        return {
            "method": self.method,
            "passed": self.passed,
            "verdict": self.verdict,
            "steps": [{"shuffled": name, "agreement": one, "of_sizes": other} for name, one, other in steps],
        }

    def __repr__(self) -> str:
        return f"Sanity({self.method}, agreement={self.agreement:.2f}, passed={self.passed})"

    def __str__(self) -> str:
        means = zip(self.layers, *self._means(), strict=True)
        steps = [f"  {name}: {one:.2f}, of sizes {other:.2f}" for name, one, other in means]
        return "\n".join([f"Sanity check of {self.method}: {self.verdict}", *steps])


def sanity(
    model: Any,
    X: Any,
    method: str = "auto",
    *,
    cascading: bool = False,
    repeats: int = 5,
    background: Any = None,
    output: Any = None,
    parts: Any = None,
    n_evaluations: int | None = None,
    random_state: int = 0,
) -> Sanity:
    """Compare explanations with those of the same network whose weights are shuffled.

    Parameters
    ----------
    model : fitted estimator of ours
    X, method, background, output, parts, n_evaluations
        As of `explain`. Each sample is explained by the same output both times. Without a background X is it.
    cascading : bool
        Whether layers are shuffled one after the other, from the output down; otherwise all at once.
    repeats : int
        How often weights are shuffled anew. Of few features a single rank correlation says little.
    random_state : int
        Seed of the shuffling, and of what the method draws.

    Returns
    -------
    Sanity
        Its `verdict` is a sentence; `passed`, `agreements` and `sizes` are for machines.

    Raises
    ------
    InvalidInput
        If the model is no network of ours.

    References
    ----------
    Adebayo et al. 2018, arXiv:1810.03292.
    """
    if not isinstance(getattr(model, "network_", None), Network):
        raise InvalidInput(
            f"sanity shuffles the weights of a network of ours, and {type(model).__name__} is none. Give the network "
            "itself; where it stands in a pipeline, pipeline[-1]."
        )
    if background is None and model.modality_ == "table":
        background = X
    how = {"background": background, "parts": parts, "n_evaluations": n_evaluations, "random_state": random_state}
    first = list(explain(model, X, method, output=output, **how))
    layers = _layers(model.network_)
    steps = [layers[: i + 1] for i in range(len(layers))] if cascading else [layers]
    outputs = [each.output for each in first]
    pairs = [
        [
            [_alike(*both) for both in zip(first, _explained(other, X, method, outputs, how), strict=True)]
            for other in (shuffled(model, names, random_state + i) for i in range(repeats))
        ]
        for names in steps
    ]
    found = np.array(pairs)
    shown = tuple(layers) if cascading else ("all layers",)
    return Sanity(first[0].method, shown, found[..., 0], found[..., 1])


def shuffled(model: Any, layers: Sequence[str], seed: int) -> Any:
    """Return a copy of a model, in whose network the numbers of each weight of some layers change places."""
    generator = torch.Generator().manual_seed(seed)
    made = copy.copy(model)
    made.network_ = copy.deepcopy(model.network_)
    with torch.no_grad():
        for name in layers:
            for weight in made.network_.get_submodule(name).parameters(recurse=False):
                order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
    return made


def _layers(network: nn.Module) -> list[str]:
    """Return the names of layers that have weights of their own, that of the output first."""
    own = [name for name, layer in network.named_modules() if next(layer.parameters(recurse=False), None) is not None]
    return own[::-1]


def _explained(model: Any, X: Any, method: str, outputs: Sequence[str], how: dict[str, Any]) -> list[Explanation]:
    """Return explanations of the same outputs as before, which a network with other weights might not predict."""
    made: dict[int, Explanation] = {}
    for output in sorted(set(outputs)):
        rows = np.array([i for i, each in enumerate(outputs) if each == output])
        some = X if len(rows) == n_rows(X) else take_rows(X, rows)
        made.update(zip(rows.tolist(), explain(model, some, method, output=output, **how), strict=True))
    return [made[i] for i in range(len(outputs))]


def _alike(one: Explanation, other: Explanation) -> tuple[float, float]:
    signed = float(agreement(one.values, other.values))
    return signed, float(agreement(np.abs(one.values), np.abs(other.values)))
