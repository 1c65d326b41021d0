"""The signature of a fitted model: which inputs its graph has, and which outputs."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ganglion.data.audio_encoding import AudioEncoder
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.sequences import SequenceEncoder
from ganglion.data.text_encoding import WHOLE, TextEncoder
from ganglion.deployment.signature import Input, Output, Shape, Signature
from ganglion.estimators.base import Estimator
from ganglion.estimators.reading import has_named_columns
from ganglion.estimators.targets import ClassTarget, NumberTarget
from ganglion.registry import name_of
from ganglion.version import __version__

BLOCK = "X"  # what the one input is called where columns have no names


def signature_of(model: Estimator) -> Signature:
    """Return what a graph of a fitted model takes and gives.

    Parameters
    ----------
    model : Estimator
        Fitted, and such as `capability.why_not` has nothing against.
    """
    encoder, target = model.encoder_, model.target_
    inputs = _inputs(model)
    texts = isinstance(encoder, TextEncoder)
    longest = getattr(encoder, "longest", 0)
    if isinstance(encoder, AudioEncoder):
        longest = 0
    if isinstance(encoder, SequenceEncoder):
        # places that were learned end with the longest sequence of training
        longest = longest if getattr(model, "positions", "") == "learned" else 0
    labels = target.to_json() if isinstance(target, ClassTarget) else {"classes": [], "dtype": "", "multilabel": False}
    return Signature(
        estimator=name_of(type(model)) or type(model).__name__,
        task=model.tags.task,
        modality=model.modality_,
        target=getattr(model, "target_name_", ""),
        inputs=inputs,
        outputs=_outputs(model, {each.name for each in inputs}),
        classes=tuple(labels["classes"]),
        class_kind=labels["dtype"],
        multilabel=labels["multilabel"],
        tokenizer=encoder.tokenizer.to_json() if texts else {},
        columns=encoder.columns if texts else (),
        longest=0 if longest >= WHOLE else longest,
        resize=getattr(encoder, "resize", ""),
        ganglion=__version__,
    )


def _inputs(model: Estimator) -> tuple[Input, ...]:
    encoder = model.encoder_
    if isinstance(encoder, TableEncoder):
        return _columns(model, encoder)
    if isinstance(encoder, ImageEncoder):
        channels, height, width = encoder.shape
        return (Input("image", "image", encoder.pixels or "float32", ("N", height, width, channels)),)
    if isinstance(encoder, TextEncoder):
        return (Input("tokens", "tokens", "int64", ("N", "T")), _length("tokens"))
    if isinstance(encoder, SequenceEncoder):
        return (Input("sequence", "sequence", "float64", ("N", "T", encoder.width)), _length("sequence"))
    if isinstance(encoder, AudioEncoder):
        return (Input("audio", "audio", "float32", ("N", "T"), rate=encoder.rate), _length("audio"))
    raise TypeError(f"no inputs are known of {type(encoder).__name__}")


def _length(name: str) -> Input:
    return Input(f"{name}_length", "length", "int64", ("N",))


def _columns(model: Estimator, encoder: TableEncoder) -> tuple[Input, ...]:
    """Return one input a column; columns without names are one input together."""
    typical = _typical(model)
    inputs = []
    for field in encoder.fields:
        if field.kind == "categorical":
            inputs.append(Input(field.name, "categorical", "string", ("N", 1), field.categories))
            continue
        width = math.prod(field.shape)
        name = BLOCK if field.shape and not has_named_columns(model) and len(encoder.fields) == 1 else field.name
        kind = "numbers" if field.shape else field.kind
        inputs.append(Input(name, kind, "float64", ("N", width), typical=typical.get(field.name, ())))
    return tuple(inputs)


def spread_of(model: Estimator) -> tuple[Tensor, Tensor] | None:
    """Return mean and deviation that the first layer learned of every number of a table, (numeric,) each.

    None where it learned none, because it takes numbers as they are.
    """
    center, factor = (getattr(model.network_.input, name, None) for name in ("center", "factor"))
    n_numbers = model.encoder_.spec.numeric
    if not isinstance(center, Tensor) or not isinstance(factor, Tensor) or center.shape != (n_numbers,):
        return None
    if not center.any() and (factor == 1).all():
        return None
    return center.double(), factor.double().reciprocal().nan_to_num(posinf=0.0)


def _typical(model: Estimator) -> dict[str, tuple[float, float]]:
    """Return for each column of numbers where most of training lay: between the outermost edges of its summary."""
    summary = getattr(model, "summary_", None)
    columns = () if summary is None else summary.columns
    return {each.name: (each.edges[0], each.edges[-1]) for each in columns if len(each.edges) > 1}


def _outputs(model: Estimator, taken: set[str]) -> tuple[Output, ...]:
    """Return the outputs; one whose name a column has already gets a low line behind it."""
    made = _class_outputs(model) if isinstance(model.target_, ClassTarget) else _number_outputs(model.target_)
    return tuple(Output(_free(role, taken), role, dtype, shape) for role, dtype, shape in made)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _class_outputs(model: Estimator) -> list[tuple[str, str, Shape]]:
    target: ClassTarget = model.target_
    n_classes = len(target.classes)
    dtypes = {"str": "string", "int": "int64", "float": "float64", "bool": "bool"}
    kind, shape = dtypes[target.to_json()["dtype"]], ("N",)
    label: tuple[str, str, Shape] = ("label", kind, shape)
    if target.multilabel:
        label = ("label", "int64", ("N", n_classes))
    if hasattr(model, "predict_proba"):
        return [label, ("probabilities", "float32", ("N", n_classes))]
    return [label, ("scores", "float32", ("N", target.n_scores))]


def _number_outputs(target: Any) -> list[tuple[str, str, Shape]]:
    if not isinstance(target, NumberTarget):
        raise TypeError(f"no outputs are known of {type(target).__name__}")
    shape: Shape = ("N",) if target.flat else ("N", target.n_targets)
    dtype = "float32" if target.positive else "float64"
    return [(role, dtype, shape) for role in (("prediction", "deviation") if target.normal else ("prediction",))]
