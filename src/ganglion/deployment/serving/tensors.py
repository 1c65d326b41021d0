"""Tensors of the Open Inference Protocol, version 2, as checked columns, and answers as tensors.

kind of input           datatypes that are read                                        shape
numeric                 FP64, FP32, FP16, INT8 to INT64, UINT8 to UINT64; null: missing  [n] or [n, 1]
a block of d numbers    the same                                                       [n, d]
boolean                 BOOL; null: missing                                            [n] or [n, 1]
categorical, date, text BYTES (text); null: missing                                    [n] or [n, 1]
image                   UINT8                                                          [n, height, width, channels]
audio                   FP32, FP64                                                     [n, samples]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.deployment.serving.answers import plain
from ganglion.deployment.serving.columns import Columns, checked, shown
from ganglion.deployment.serving.interface import Input, Interface
from ganglion.deployment.serving.refused import Refused, too_many_rows
from ganglion.deployment.serving.served import Answer
from ganglion.deployment.serving.settings import Limits

_FLOATS = ("FP64", "FP32", "FP16")
_WHOLE = {f"{sign}INT{bits}": (sign, bits) for sign in ("", "U") for bits in (8, 16, 32, 64)}
_READ = {
    "numeric": (*_FLOATS, *_WHOLE),
    "boolean": ("BOOL",),
    "date": ("BYTES",),
    "categorical": ("BYTES",),
    "text": ("BYTES",),
    "image": ("UINT8",),
    "audio": ("FP32", "FP64"),
}
_NONE = type(None)
_WRITTEN = {"b": "BOOL", "i": "INT64", "u": "INT64", "U": "BYTES", "O": "BYTES"}
Tensor = dict[str, Any]


def columns_of_tensors(content: Any, interface: Interface, limits: Limits) -> Columns:
    """Return the inputs of a request as checked columns.

    Parameters
    ----------
    content : object
        The body, parsed.
    interface : Interface
    limits : Limits

    Raises
    ------
    Refused
        422 if the body is no request of the protocol, an input is missing, unknown or twice there, or a tensor's shape,
        datatype or data will not do.
    """
    if not isinstance(content, dict) or not isinstance(content.get("inputs"), list):
        raise Refused(422, 'the body is an object with "inputs", a list of tensors.')
    tensors = dict(map(_named, content["inputs"]))
    if len(tensors) < len(content["inputs"]):
        raise Refused(422, "an input stands in the request twice.")
    known = [each.name for each in interface.inputs]
    odd = [name for name in tensors if name not in known] or [name for name in known if name not in tensors]
    if odd:
        raise Refused(422, f"the inputs are {', '.join(known[:20])}; {odd[0][:80]!r} is not in both.")
    columns = {each.name: _column(tensors[each.name], each) for each in interface.inputs}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Refused(
            422, f"all inputs have the same number of rows, but they have {dict(list(lengths.items())[:20])}."
        )
    n = next(iter(lengths.values()))
    if not n:
        raise Refused(422, "no row came: the first number of each shape is 1 or more.")
    if n > limits.rows:
        raise too_many_rows(n, limits.rows)
    return columns


def _named(tensor: Any) -> tuple[str, Tensor]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise Refused(422, 'each of "inputs" is an object with "name", "shape", "datatype" and "data".')
    return tensor["name"], tensor


def _column(tensor: Tensor, each: Input) -> np.ndarray:
    shape, kind = tensor.get("shape"), tensor.get("datatype")
    if not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise _wrong(each, f"the shape {shown(shape)}", "a list of whole numbers, [rows, …]")
    if not isinstance(kind, str) or kind not in _READ[each.kind]:
        raise _wrong(each, f"the datatype {shown(kind)}", ", ".join(_READ[each.kind]))
    values = _flat(tensor.get("data"), each)
    if len(values) != int(np.prod(shape, dtype=object)):
        raise _wrong(each, f"{len(values):,} values for the shape {shape[:10]}", "as many as the shape says")
    _check_values(values, kind, each)
    return _shaped(values, shape, each)


def _flat(data: Any, each: Input) -> list[Any]:
    """Return the values of a tensor, which may be nested or not, in their order."""
    if not isinstance(data, list):
        raise _wrong(each, shown(data), '"data", a list of values')
    while data and all(type(part) is list for part in data):
        data = [value for part in data for value in part]
    return data


def _check_values(values: list[Any], kind: str, each: Input) -> None:
    """Refuse values that are none of their datatype; null is a missing one."""
    types = set(map(type, values)) - {_NONE}
    allowed = {"BOOL": {bool}, "BYTES": {str}}.get(kind, {int} if kind in _WHOLE else {int, float})
    if not types <= allowed:
        row = next(i for i, value in enumerate(values) if type(value) not in (*allowed, _NONE))
        raise _wrong(each, f"{shown(values[row])} as value {row:,}", f"values of {kind}")
    if kind in _WHOLE:
        sign, bits = _WHOLE[kind]
        low, high = (0, 2**bits) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        odd = next((value for value in values if value is not None and not low <= value < high), None)
        if odd is not None:
            raise _wrong(each, shown(odd), f"values of {kind}, {low} to {high - 1}")


def _shaped(values: list[Any], shape: Sequence[int], each: Input) -> np.ndarray:
    if each.kind == "image":
        channels, height, width = each.shape
        if list(shape[1:]) != [height, width, channels] or None in values:
            raise _wrong(each, f"the shape {list(shape)[:10]}", f"pixels of shape [n, {height}, {width}, {channels}]")
        return np.array(values, dtype=np.uint8).reshape(shape).transpose(0, 3, 1, 2)
    if each.kind == "audio":
        if len(shape) != 2 or not shape[1] or None in values:
            raise _wrong(each, f"the shape {list(shape)[:10]}", f"samples of shape [n, samples], at {each.rate:,} Hz")
        found = np.empty(shape[0], dtype=object)
        found[:] = list(np.array(values, dtype=np.float32).reshape(shape))
        return found
    wanted = [each.shape[0]] if each.shape else []
    if list(shape[1:]) not in ([wanted] if wanted else ([], [1])) or not shape:
        raise _wrong(each, f"the shape {list(shape)[:10]}", f"[n, {wanted[0]}]" if wanted else "[n] or [n, 1]")
    column = checked(values, Input(each.name, each.kind, (), each.categories))
    return column.reshape(-1, *wanted)


def _wrong(each: Input, came: str, allowed: str) -> Refused:
    details = {"column": each.name, "came": came, "allowed": allowed}
    return Refused(422, f"input {each.name!r}: {came} came; allowed is {allowed}.", details=details)


def described(interface: Interface) -> tuple[list[Tensor], list[Tensor]]:
    """Return the inputs and outputs of a model as the protocol's metadata name them; -1 is any number."""
    inputs = [
        {"name": each.name, "datatype": _READ[each.kind][0], "shape": _shape_of(each)} for each in interface.inputs
    ]
    kind = "FP64"
    if interface.task == "classification":
        types = set(map(type, interface.classes))
        kind = (
            {"bool": "BOOL", "int": "INT64", "float": "FP64"}.get(types.pop().__name__, "BYTES") if types else "INT64"
        )
    elif interface.task != "regression":
        kind = "BYTES"
    shape = [-1, interface.targets] if interface.targets > 1 else [-1]
    outputs = [{"name": "prediction", "datatype": kind, "shape": shape}]
    if interface.task == "classification":
        outputs.append({"name": "probabilities", "datatype": "FP64", "shape": [-1, len(interface.classes)]})
    return inputs, outputs


def _shape_of(each: Input) -> list[int]:
    if each.kind == "image":
        channels, height, width = each.shape
        return [-1, height, width, channels]
    return [-1, -1] if each.kind == "audio" else [-1, *each.shape]


def tensors_of(answer: Answer, wanted: Any) -> list[Tensor]:
    """Return an answer as tensors: all of it, or what was asked for.

    Parameters
    ----------
    answer : mapping of str to ndarray
    wanted : object
        What stands under "outputs" in the request; None for all.
    """
    names = list(answer)
    if wanted is not None:
        if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
            raise Refused(422, '"outputs" is a list of objects with "name".')
        names = [each.get("name") for each in wanted]
        odd = [name for name in names if not isinstance(name, str) or name not in answer]
        if odd or len(set(names)) < len(names):
            came = shown(odd[0]) if odd else "one of them twice"
            raise Refused(422, f"the outputs are {', '.join(answer)}, each at most once; {came} came.")
    return [_tensor(name, answer[name]) for name in names]


def _tensor(name: str, values: np.ndarray) -> Tensor:
    kind = _WRITTEN.get(values.dtype.kind, "FP64")
    data = plain(values if values.dtype == object else values.reshape(-1))
    if values.dtype == object:
        data = [value if isinstance(value, str) else json.dumps(value) for value in data]
    shape = [len(values)] if values.dtype == object else list(values.shape)
    return {"name": name, "datatype": kind, "shape": shape, "data": data}
