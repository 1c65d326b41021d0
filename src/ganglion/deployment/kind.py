"""What models of one task answer, in the graph and outside; the table of all tasks: `kinds`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ganglion.deployment.signature import Shape, Signature

Inputs = Mapping[str, Tensor]
Made = tuple[str, str, Shape]  # role, dtype, shape
Arrays = dict[str, np.ndarray]


class Single(list[np.ndarray]):
    """A stack of pictures as single ones, (height, width, channels): Python resizes those, but no stack."""


CLOSE = "close"  # beside roles in own answers: which labels rounding may change, where answers do not tell
DTYPES = {"str": "string", "int": "int64", "uint8": "uint8", "float": "float64", "bool": "bool"}
_NUMPY = {np.bool_: "bool", np.uint8: "uint8", np.int64: "int", np.float64: "float"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What models of one task answer.

    Attributes
    ----------
    modalities : frozenset of str
        Of the data whose models can leave.
    outputs : model → list of (role, dtype, shape)
    classes : model → (list, str)
        What labels are, in the order of their places, and their kind, as a signature has them.
    said : (network, prepared inputs, signature) → dict of str to Tensor
        The outputs by role, in the graph; labels as places among the classes.
    own : (model, X) → dict of str to ndarray
        The same, as the original says it; and `CLOSE`, if `tied` needs it. What differs in length from sample to sample
        is an array of arrays.
    tied : (own answers, tolerance) → ndarray
        Which labels are closer to another one than rounding may be.
    unit : (model, role) → float or ndarray
        What differences of a role are measured in, where its values are not larger than that.
    missing : model → str or None
        Why this one cannot leave though others of its task can.
    aligned : (own answers, said answers) → said answers
        These in the order of those, where it is not told by the answers themselves.
    """

    modalities: frozenset[str]
    outputs: Callable[[Any], list[Made]]
    said: Callable[[Any, Inputs, Signature], dict[str, Tensor]]
    own: Callable[[Any, Any], Arrays]
    classes: Callable[[Any], tuple[list[Any], str]] = lambda model: ([], "")
    tied: Callable[[Arrays, float], np.ndarray] = lambda own, tolerance: np.zeros(own["label"].shape, dtype=bool)
    unit: Callable[[Any, str], Any] = lambda model, role: 1.0
    missing: Callable[[Any], str | None] = lambda model: None
    aligned: Callable[[Arrays, Arrays], Arrays] = lambda own, said: said


def answer_of(network: Any, scores: Tensor) -> Tensor:
    """Return what a network answers, from its scores."""
    return network.output(scores, network.series) if hasattr(network, "series") else network.output(scores)


def plain_classes(model: Any) -> tuple[list[Any], str]:
    """Return the classes of a model in the order of their places, and their kind."""
    return model.classes_.tolist(), _NUMPY.get(model.classes_.dtype.type, "str")


def label_type(model: Any) -> str:
    """Return the type of labels in a graph."""
    return DTYPES[plain_classes(model)[1]]


def margin(scores: np.ndarray, axis: int) -> np.ndarray:
    """Return by how much the best class is ahead of the next one."""
    n = scores.shape[axis]
    best = np.partition(scores.astype(np.float64), n - 2, axis=axis)
    return best.take(n - 1, axis) - best.take(n - 2, axis)
