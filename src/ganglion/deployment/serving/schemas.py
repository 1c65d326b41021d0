"""Schemas (JSON Schema, as OpenAPI 3.1 has it) of what one model takes and answers, from its signature."""

from __future__ import annotations

from typing import Any

from ganglion.deployment.serving.backend import answer_name
from ganglion.deployment.serving.told import PLURAL
from ganglion.deployment.signature import Input, Output, Shape, Signature

Schema = dict[str, Any]
_WORDS: Schema = {"type": "string", "pattern": r"\S"}
_NUMBER: Schema = {"type": ["number", "null"]}
_TYPES: dict[str, Schema] = {
    "numeric": _NUMBER,
    "numbers": _NUMBER,
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "pattern": r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"},
    "categorical": {"type": ["string", "number", "boolean", "null"]},
    "text": _WORDS,
}
_CLASSES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_SAID = {"string": "string", "int64": "integer", "uint8": "integer", "bool": "boolean"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_WHOLE: Schema = {"type": "integer", "minimum": 0}


def rows_of(signature: Signature, most: int | None = None) -> Schema:
    """Return the schema of a body of JSON: rows, or one row, or an object with "rows".

    Parameters
    ----------
    signature : Signature
        Of a model whose rows are no files.
    most : int, optional
        Rows at most.
    """
    kinds = _kinds_of_row(signature)
    limit = {} if most is None else {"maxItems": most}
    lists = [{"type": "array", "items": kind, "minItems": 1, **limit} for kind in kinds]
    rows = {"type": "object", "required": ["rows"], "properties": {"rows": {"anyOf": lists}}}
    alone = [kind for kind in kinds if kind.get("type") == "object"]
    return {"anyOf": [*lists, *alone, *([] if "rows" in signature.names else [rows])]}


def _kinds_of_row(signature: Signature) -> list[Schema]:
    """Return what a row may be; all rows of a request are alike."""
    if signature.modality == "sequence":
        width = int(signature.inputs[0].shape[2])
        step = {"type": "array", "items": _NUMBER, "minItems": width, "maxItems": width}
        steps = [{"type": "array", "items": each, "minItems": 1} for each in (step, _NUMBER)]
        return steps if width == 1 else steps[:1]
    if signature.modality == "image":
        height, width, channels = (int(size) for size in signature.inputs[0].shape[1:])
        shapes = [(height, width, channels), *([(height, width)] if channels == 1 else [])]
        return [_exactly({"type": "number"}, shape) for shape in shapes]
    types = [_type_of(each) for each in signature.given for _ in each.names]
    names = list(signature.names)
    named = {"type": "object", "required": names, "properties": dict(zip(names, types, strict=True))}
    n = len(types)
    if signature.task == "tagging":
        words = {"type": "array", "items": _WORDS, "minItems": 1}
        return [named, {**named, "properties": {names[0]: words}}, words, _WORDS]
    listed = {"type": "array", "prefixItems": types, "items": False, "minItems": n, "maxItems": n}
    alone = {"text": _WORDS, "series": types[0]}.get(signature.modality) if n == 1 else None
    return [named, listed, *([alone] if alone else [])]


def _exactly(value: Schema, shape: tuple[int, ...]) -> Schema:
    """Return the schema of lists within lists, of so many each."""
    for n in reversed(shape):
        value = {"type": "array", "items": value, "minItems": n, "maxItems": n}
    return value


def _type_of(each: Input) -> Schema:
    found = dict(_TYPES[each.kind])
    return {**found, "examples": list(each.categories[:20])} if each.categories else found


def answer_of(signature: Signature) -> Schema:
    """Return the schema of an answer of `/predict`."""
    text = {"type": "string"}
    said = _ANSWERS.get(signature.task, _rows)(signature)
    if signature.classes and signature.task != "tagging":
        said["classes"] = {"type": "array", "items": _class_of(signature)}
    found = {"model": text, "version": text, **said}
    return {"type": "object", "required": list(found), "properties": found}


def _class_of(signature: Signature) -> Schema:
    return {"type": _CLASSES.get(type(signature.classes[0]), "string")}


def _rows(signature: Signature) -> dict[str, Schema]:
    """Return what is said of rows, of each output in an array."""
    named = [(answer_name(each.role), each) for each in signature.outputs]
    return {PLURAL.get(name, name): _array(_value(each), each.shape) for name, each in named}


def _value(each: Output) -> Schema:
    return _SHARE if each.role == "probabilities" else {"type": _SAID.get(each.dtype, "number")}


def _array(value: Schema, shape: Shape) -> Schema:
    for _ in shape:
        value = {"type": "array", "items": value}
    return value


def _masks(signature: Signature) -> dict[str, Schema]:
    mask = {
        "shape": {"type": "array", "items": _WHOLE, "minItems": 2, "maxItems": 2},
        "labels": {"type": "array", "items": _class_of(signature)},
        "lengths": {"type": "array", "items": _WHOLE},
        "shares": {"type": "array", "items": _SHARE},
    }
    return {"predictions": _array({"type": "object", "required": list(mask), "properties": mask}, ("N",))}


def _objects(signature: Signature) -> dict[str, Schema]:
    box = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    found = {"label": _class_of(signature), "score": _SHARE, "box": box}
    return {"predictions": _array({"type": "object", "required": list(found), "properties": found}, ("N", "n"))}


def _tags(signature: Signature) -> dict[str, Schema]:
    said = {"predictions": _array(_class_of(signature), ("N", "T")), "probabilities": _array(_SHARE, ("N", "T"))}
    return {**said, **({"words": _array({"type": "string"}, ("N", "T"))} if signature.modality == "text" else {})}


def _ahead(signature: Signature) -> dict[str, Schema]:
    told, number = signature.series, {"type": "number"}
    names = signature.columns[: told["targets"]]
    levels = signature.levels if signature.output("quantiles") else ()
    row: dict[str, Schema] = {"step": {"type": "integer", "minimum": 1}}
    row |= {"series": {"type": "string"}} if told["series"] else {}
    row |= {"time": {"type": "string" if told["grid"]["dated"] else "number"}} if told["time"] else {}
    row |= {column: number for name in names for column in (name, *(f"{name}_{level:g}" for level in levels))}
    return {"predictions": _array({"type": "object", "required": list(row), "properties": row}, ("N",))}


_ANSWERS = {"segmentation": _masks, "detection": _objects, "tagging": _tags, "forecasting": _ahead}
