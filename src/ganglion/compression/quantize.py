"""`quantize`: weights, and if so wished the numbers between layers, in eight bits; or weights in sixteen.

    weights        whole numbers times one scale for each unit: a file of a quarter, computed with as floats
    dynamic        and what layers read is rounded by its own range
    static         and what layers read is rounded by the range it had on calibration data
    aware          training goes on with all that rounding in the loss                    Jacob et al. 2018,
                                                                                          arXiv:1712.05877
    bfloat16       the first half of each float32: a file of a half

PyTorch's own int8 kernels (`torch.ao`) are deprecated and about to go; what is made here is floats that are exactly
what int8 kernels compute with, so that a runtime that has such kernels gives the same answers. A file is smaller, an
answer in PyTorch no faster: `compress` measures both.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

import torch

from ganglion.compression.activations import read_by_layers
from ganglion.compression.distil import taught_by
from ganglion.compression.folding import fold
from ganglion.compression.grid_training import RoundedWeights
from ganglion.compression.joining import joined
from ganglion.compression.masks import prunable
from ganglion.compression.settings import check_model, epochs_further, noted, some_rows
from ganglion.errors import InvalidParameter
from ganglion.estimators.further import train_further
from ganglion.estimators.packing import snapped

CALIBRATION = 1024  # samples whose ranges are those of static activations
Activations = Literal["dynamic", "static"] | None


def quantize(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    kind: Literal["int8", "bfloat16"] = "int8",
    activations: Activations = None,
    aware: bool = False,
    epochs: int | None = None,
    taught: Any = False,
    **training: Any,
) -> Any:
    """Return a copy of a fitted estimator with weights in fewer bits.

    Parameters
    ----------
    model : Estimator
        Fitted. It is left as it is.
    X, y
        Training data, as for `fit`: for `activations="static"` (X alone) and `aware`.
    kind : {"int8", "bfloat16"}
        Of the weights: whole numbers in [-127, 127] times a scale for each unit, or half a float32.
    activations : {"dynamic", "static"} or None
        Whether what linear layers and convolutions read is rounded to 256 levels, by its own range or by that on X.
        Recurrent layers read floats.
    aware : bool
        Whether training goes on with the rounding in the loss.
    epochs : int, optional
        Of that training; without, a third of those that the model was trained for, 2 at least.
    taught : bool
        Whether the model, as it is, is the teacher of that training (see `distil`).
    **training
        Options of that training, such as learning_rate.

    Returns
    -------
    Estimator
        Batch normalisation is folded into the layers before it. `compression_` says what was done.

    Raises
    ------
    InvalidParameter
        If a setting is outside its limits, or data are needed and none were given.
    """
    _check(model, X, y, kind, activations, aware)
    folded = fold(model)
    made = copy.copy(folded)
    made.network_ = copy.deepcopy(folded.network_)
    rounding = [] if activations is None else read_by_layers(made.network_.body, dynamic=activations == "dynamic")
    made.network_.body.to(made.network_.dtype)
    if activations == "static":
        _calibrate(made, rounding, X)
    if aware:
        epochs = epochs_further(model, epochs)
        beside = joined(taught_by(folded, taught, X), RoundedWeights(kind).beside)
        made = train_further(made, X, y, beside=beside, epochs=epochs, **training)
    with torch.no_grad():
        for weight in prunable(made.network_).values():
            weight.copy_(snapped(weight, kind))
    made = noted(made, folded, "quantize", kind=kind, aware=aware, packing=[kind])
    return made if activations is None else noted(made, made, "activations", dynamic=activations == "dynamic")


def _check(model: Any, X: Any, y: Any, kind: str, activations: Any, aware: bool) -> None:
    check_model(model, trained_further=aware)
    if kind not in ("int8", "bfloat16"):
        raise InvalidParameter(f"kind={kind!r}: give 'int8' or 'bfloat16'.")
    if activations not in (None, "dynamic", "static"):
        raise InvalidParameter(f"activations={activations!r}: give 'dynamic', 'static' or None.")
    if activations is not None and kind == "bfloat16":
        raise InvalidParameter("activations are rounded to eight bits beside kind='int8' only. Leave activations out.")
    if activations is not None and any(change["step"] == "activations" for change in model.compression_):
        raise InvalidParameter("the activations of this model are rounded already. Give the model before that.")
    if X is None and (aware or activations == "static"):
        raise InvalidParameter("static activations and aware=True need training data: give X, and y for the second.")


def _calibrate(model: Any, rounding: list[Any], X: Any) -> None:
    """Learn the range of what every layer reads."""
    for each in rounding:
        each.watching = True
    model.answers_to(model.encoded(some_rows(X, CALIBRATION)))
    for each in rounding:
        each.watching = False
