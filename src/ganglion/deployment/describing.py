"""The signature of a fitted model: which inputs its graph has, and which outputs."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ganglion.data.audio_encoding import AudioEncoder
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.resizing import CHANNELS
from ganglion.data.sequences import SequenceEncoder
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.data.text_encoding import WHOLE, TextEncoder
from ganglion.data.word_encoding import WordEncoder
from ganglion.data.word_looks import FEATURES
from ganglion.deployment.kind import Made
from ganglion.deployment.kind_places import multiple_of
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.signature import BLOCK, Input, Output, Signature
from ganglion.estimators.base import Estimator
from ganglion.estimators.reading import has_named_columns
from ganglion.registry import name_of
from ganglion.version import __version__

_WRITTEN: dict[str, list[Made]] = {"anomaly_detection": [("prediction", "int64", ("N",)), ("score", "float64", ("N",))]}
# options at answering
SETTINGS = {"detection": ("score_threshold", "nms_iou", "max_detections"), "speech_recognition": ("beams",)}


def signature_of(model: Estimator) -> Signature:
    """Return what a graph of a fitted model takes and gives.

    Parameters
    ----------
    model : Estimator
        Fitted. Of one that cannot leave, all of it is true but that there is a graph.
    """
    encoder = model.encoder_
    inputs, target = _inputs(model), getattr(model, "target_", None)
    longest = encoder.longest if isinstance(encoder, TextEncoder) else 0
    if isinstance(encoder, SequenceEncoder):
        # places that were learned end with the longest sequence of training
        longest = encoder.longest if getattr(model, "positions", "") == "learned" else 0
    kind = KINDS.get(model.tags.task)
    classes, class_kind = kind.classes(model) if kind else ([], "")
    return Signature(
        estimator=name_of(type(model)) or type(model).__name__,
        task=model.tags.task,
        modality=model.modality_,
        target=getattr(model, "target_name_", ""),
        inputs=inputs,
        outputs=_outputs(model, {*(each.name for each in inputs), *_told(model).get("columns", ())}),
        classes=tuple(classes),
        class_kind=class_kind,
        multilabel=getattr(target, "multilabel", False),
        **_told(model),
        settings={
            **{name: getattr(model, name) for name in SETTINGS.get(model.tags.task, ())},
            **_sides(encoder, inputs),
        },
        levels=tuple(getattr(target, "levels", ())),
        longest=0 if longest >= WHOLE else longest,
        resize=getattr(encoder, "resize", ""),
        ganglion=__version__,
    )


def _sides(encoder: Any, inputs: tuple[Input, ...]) -> dict[str, int]:
    """Return the size of training where a graph takes any: files of pictures are brought to it, as in Python."""
    if not isinstance(encoder, ImageEncoder) or inputs[0].sides is not None:
        return {}
    return dict(zip(("height", "width"), map(int, encoder.shape[1:]), strict=True))


def _told(model: Any) -> dict[str, Any]:
    """Return what a signature says of how texts are cut, or put together, and series read."""
    encoder = model.encoder_
    if model.tags.task == "speech_recognition":
        return {"tokenizer": model.target_.tokenizer.to_json()}
    if isinstance(encoder, TextEncoder):
        return {"tokenizer": encoder.tokenizer.to_json(), "columns": encoder.columns}
    if isinstance(encoder, WordEncoder):
        return {"tokenizer": {"tokenizer": "looks", **encoder.to_json()}, "columns": (encoder.column,)}
    if isinstance(encoder, SeriesEncoder):
        grid = {"time": encoder.time, "series": encoder.series, "grid": encoder.grid.to_json()}
        counts = {"targets": encoder.n_targets, "fixed": encoder.count("static")}
        labels = [each.name for each in encoder.columns if each.categories is not None]
        told = {**grid, **counts, **({"labels": labels} if labels else {})}
        return {"series": told, "columns": tuple(each.name for each in encoder.columns)}
    return {}


def _inputs(model: Estimator) -> tuple[Input, ...]:
    encoder = model.encoder_
    if isinstance(encoder, TableEncoder):
        return _columns(model, encoder)
    if isinstance(encoder, ImageEncoder):
        channels, *sides = encoder.shape
        dtype, any_size = encoder.pixels or "float32", encoder.any_size and multiple_of(model.network_) > 0
        resized = dtype == "uint8" and channels in CHANNELS and not any_size  # what Python resizes, and no windows
        shape = ("N", "H", "W", channels) if any_size or resized else ("N", *sides, channels)
        return (Input("image", "image", dtype, shape, size=tuple(sides) if resized else ()),)
    if isinstance(encoder, TextEncoder):
        return (Input("tokens", "tokens", "int64", ("N", "T")), _length("tokens"))
    if isinstance(encoder, WordEncoder):
        return (Input("words", "words", "int64", ("N", "T", FEATURES)), _length("words"))
    if isinstance(encoder, SeriesEncoder):
        history = Input("history", "history", "float64", ("N", encoder.window, len(encoder.names)))
        ahead = encoder.spec.series[2]
        return (history, *([Input("ahead", "ahead", "float64", ("N", model.target_.horizon, ahead))] if ahead else []))
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
    kind = KINDS.get(model.tags.task)
    made = kind.outputs(model) if kind else _WRITTEN.get(model.tags.task, [("prediction", "string", ("N",))])
    return tuple(Output(_free(role, taken), role, dtype, shape) for role, dtype, shape in made)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
