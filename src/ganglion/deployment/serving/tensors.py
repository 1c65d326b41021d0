"""Tensors of the Open Inference Protocol, version 2, as checked columns, and answers as tensors.

kind of input           datatypes that are read                                        shape
numeric                 FP64, FP32, FP16, INT8 to INT64, UINT8 to UINT64; null: missing  [n] or [n, 1]
a block of d numbers    the same                                                       [n, d]
boolean                 BOOL; null: missing                                            [n] or [n, 1]
categorical, date, text BYTES (text); null: missing                                    [n] or [n, 1]
image                   UINT8, or FP32 where training had fractions                    [n, height, width, channels]
audio                   FP32, FP64                                                     [n, samples]
sequence                FP64, FP32; null: missing                                      [n, steps, numbers]

Recordings and sequences of different lengths are filled up; a second tensor, NAME_length, INT64, [n], says how much of
each counts. What differs in length among answers is filled up too: objects to as many as a picture may have, with a
confidence of 0, labels of words to the longest text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.deployment.said import Answers, ragged
from ganglion.deployment.serving.answers import plain
from ganglion.deployment.serving.backend import answer_name
from ganglion.deployment.serving.columns import Columns, checked, shown
from ganglion.deployment.serving.reading import cut
from ganglion.deployment.serving.refused import Refused, too_many_rows
from ganglion.deployment.serving.settings import Limits
from ganglion.deployment.signature import Input, Shape, Signature

_FLOATS = ("FP64", "FP32", "FP16")
_WHOLE = {f"{sign}INT{bits}": (sign, bits) for sign in ("", "U") for bits in (8, 16, 32, 64)}
_READ = {
    "numeric": (*_FLOATS, *_WHOLE),
    "numbers": (*_FLOATS, *_WHOLE),
    "boolean": ("BOOL",),
    "date": ("BYTES",),
    "categorical": ("BYTES",),
    "text": ("BYTES",),
    "image": ("UINT8",),
    "audio": ("FP32", "FP64"),
    "sequence": ("FP64", "FP32"),
}
_NONE = type(None)
_WRITTEN = {"b": "BOOL", "i": "INT64", "u": "INT64", "U": "BYTES", "O": "BYTES"}
_PROMISED = {"string": "BYTES", "int64": "INT64", "uint8": "INT64", "bool": "BOOL"}
Tensor = dict[str, Any]


def columns_of_tensors(content: Any, signature: Signature, limits: Limits) -> Columns:
    """Return the inputs of a request as checked columns.

    Parameters
    ----------
    content : object
        The body, parsed.
    signature : Signature
    limits : Limits

    Raises
    ------
    Refused
        422 if the body is no request of the protocol, an input is missing, unknown or twice there, or a tensor's shape,
        datatype or data will not do.
    """
    if not isinstance(content, dict) or not isinstance(content.get("inputs"), list):
        raise Refused(422, 'the body is an object with "inputs", a list of tensors.')
    given = signature.given
    tensors = dict(map(_named, content["inputs"]))
    if len(tensors) < len(content["inputs"]):
        raise Refused(422, "an input stands in the request twice.")
    if len(given) == 1 and given[0].stem in tensors:  # a block without names: X in the file, x as its columns are
        tensors[given[0].name] = tensors.pop(given[0].stem)
    known = [each.name for each in given]
    extra = [f"{each.name}_length" for each in given if each.kind in ("audio", "sequence")]
    odd = [name for name in tensors if name not in (*known, *extra)] or [name for name in known if name not in tensors]
    if odd:
        raise Refused(422, f"the inputs are {', '.join(known[:20])}; {odd[0][:80]!r} is not in both.")
    columns = {each.name: _column(tensors[each.name], each) for each in given}
    for name in (name for name in extra if name in tensors):
        columns |= _shortened(name, tensors[name], columns)
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
    return cut(columns, signature, limits) if signature.modality == "text" else columns


def _shortened(name: str, tensor: Tensor, columns: Columns) -> Columns:
    """Return a column of recordings or sequences without what only fills them up."""
    whole = name.removesuffix("_length")
    lengths = _column(tensor, Input(name, "numeric", "int64", ("N",))).tolist()
    longest = max(map(len, columns[whole]), default=0)
    if len(lengths) != len(columns[whole]) or not all(n == int(n) and 1 <= n <= longest for n in lengths):
        raise Refused(422, f"input {name!r}: allowed are {len(columns[whole])} whole numbers, 1 to {longest}.")
    return {whole: ragged([row[: int(n)] for row, n in zip(columns[whole], lengths, strict=True)])}


def _named(tensor: Any) -> tuple[str, Tensor]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise Refused(422, 'each of "inputs" is an object with "name", "shape", "datatype" and "data".')
    return tensor["name"], tensor


def _column(tensor: Tensor, each: Input) -> np.ndarray:
    shape, kind = tensor.get("shape"), tensor.get("datatype")
    if not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise _wrong(each, f"the shape {shown(shape)}", "a list of whole numbers, [rows, …]")
    if not isinstance(kind, str) or kind not in _types(each):
        raise _wrong(each, f"the datatype {shown(kind)}", ", ".join(_types(each)))
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


def _types(each: Input) -> tuple[str, ...]:
    return ("FP32", "UINT8") if each.kind == "image" and each.dtype == "float32" else _READ[each.kind]


def _shaped(values: list[Any], shape: Sequence[int], each: Input) -> np.ndarray:
    if each.kind == "image":
        return _pixels(values, shape, each)
    if each.kind == "audio":
        if len(shape) != 2 or not shape[1] or None in values:
            raise _wrong(each, f"the shape {list(shape)[:10]}", f"samples of shape [n, samples], at {each.rate:,} Hz")
        return ragged(list(np.array(values, dtype=np.float32).reshape(shape)))
    if each.kind == "sequence":
        width = int(each.shape[2])
        if len(shape) != 3 or not shape[1] or shape[2] != width:
            raise _wrong(each, f"the shape {list(shape)[:10]}", f"[n, steps, {width}]")
        numbers = checked(values, Input(each.name, "numeric", each.dtype, ("N",)))
        return ragged(list(numbers.reshape(shape)))
    wanted = [int(each.shape[1])] if each.kind == "numbers" else []
    if list(shape[1:]) not in ([wanted] if wanted else ([], [1])) or not shape:
        raise _wrong(each, f"the shape {list(shape)[:10]}", f"[n, {wanted[0]}]" if wanted else "[n] or [n, 1]")
    return checked(values, each).reshape(-1, *wanted)


def _pixels(values: list[Any], shape: Sequence[int], each: Input) -> np.ndarray:
    sides = each.shape[1:]
    fits = len(shape) == 4 and all(n == size or isinstance(size, str) for n, size in zip(shape[1:], sides, strict=True))
    if not fits or None in values or 0 in shape[1:]:
        raise _wrong(each, f"the shape {list(shape)[:10]}", f"pixels of shape [n, {', '.join(map(str, sides))}]")
    pixels = np.array(values, dtype=each.dtype).reshape(shape).transpose(0, 3, 1, 2)
    return ragged(list(pixels)) if isinstance(sides[0], str) else pixels


def _wrong(each: Input, came: str, allowed: str) -> Refused:
    details = {"column": each.name, "came": came, "allowed": allowed}
    return Refused(422, f"input {each.name!r}: {came} came; allowed is {allowed}.", details=details)


def described(signature: Signature) -> tuple[list[Tensor], list[Tensor]]:
    """Return the inputs and outputs of a model as the protocol's metadata name them; -1 is any number."""
    inputs = [{"name": each.name, "datatype": _types(each)[0], "shape": _sizes(each)} for each in signature.given]
    outputs = [
        {
            "name": answer_name(each.role),
            "datatype": _PROMISED.get(each.dtype, "FP64"),
            "shape": _numbered(each.shape),
        }
        for each in signature.outputs
    ]
    return inputs, outputs


def _sizes(each: Input) -> list[int]:
    """Return the shape of an input; that of one value a row is [n]."""
    return [-1] if each.shape[1:] == (1,) and each.kind != "numbers" else _numbered(each.shape)


def _numbered(shape: Shape) -> list[int]:
    return [size if isinstance(size, int) else -1 for size in shape]


def tensors_of(answer: Answers, wanted: Any, signature: Signature) -> list[Tensor]:
    """Return an answer as tensors: all of it, or what was asked for.

    Parameters
    ----------
    answer : mapping of str to ndarray
    wanted : object
        What stands under "outputs" in the request; None for all.
    signature : Signature
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
    most = int(signature.settings.get("max_detections", 0)) if signature.task == "detection" else 0
    return [_tensor(name, answer[name], most) for name in names]


def _tensor(name: str, values: np.ndarray, most: int) -> Tensor:
    if values.dtype == object and isinstance(values[0], np.ndarray):
        values = _filled(values, most or max(map(len, values)))
    data = plain(values.reshape(-1))
    return {
        "name": name,
        "datatype": _WRITTEN.get(values.dtype.kind, "FP64"),
        "shape": list(values.shape),
        "data": data,
    }


def _filled(rows: np.ndarray, n: int) -> np.ndarray:
    """Return arrays of different lengths side by side, with zeros (or no text) behind them."""
    dtype = max((row.dtype for row in rows), key=lambda dtype: dtype.itemsize)
    found = np.zeros((len(rows), n, *rows[0].shape[1:]), dtype=dtype)
    for place, row in zip(found, rows, strict=True):
        place[: len(row)] = row
    return found
