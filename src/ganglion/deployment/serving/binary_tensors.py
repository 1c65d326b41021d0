"""Tensors as bytes: the extension "binary_tensor_data" of the protocol, which Triton's clients use unless told not to.

A header, Inference-Header-Content-Length, says how many bytes of the body are JSON; behind them stand the data of the
tensors that have a parameter "binary_data_size", in their order, in little endian. Of texts each has its length before
it, four bytes. NaN is a missing number, as null is in JSON.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganglion.deployment.serving.answers import Reply
from ganglion.deployment.serving.json_text import parse_json
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits

NAME = "binary_tensor_data"
HEADER = b"inference-header-content-length"
KIND = b"application/octet-stream"
_TYPES = {
    f"{kind}{bits}": f"<{letter}{bits // 8}"
    for kind, letter in (("INT", "i"), ("UINT", "u"))
    for bits in (8, 16, 32, 64)
}
_TYPES |= {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}
_LENGTH = struct.Struct("<I")


def read_binary(body: bytes, header: bytes, limits: Limits) -> Any:
    """Return the content of a request whose tensors stand behind its JSON, as if they stood in it.

    Parameters
    ----------
    body : bytes
    header : bytes
        What Inference-Header-Content-Length says.
    limits : Limits

    Raises
    ------
    Refused
        422 if header, sizes and bytes do not belong together; 413 if there are too many values.
    """
    if not header.isdigit() or len(header) > 18 or int(header) > len(body):
        raise Refused(
            422,
            f"Inference-Header-Content-Length is {header[:20].decode('latin-1')!r}; the body has {len(body):,} bytes.",
        )
    content, start = parse_json(body[: int(header)], limits), int(header)
    tensors = content.get("inputs") if isinstance(content, dict) else None
    for tensor in tensors if isinstance(tensors, list) else ():
        size = _size(tensor)
        if size is None:
            continue
        raw = body[start : start + size]
        if len(raw) < size:
            raise Refused(422, f"the tensors take more bytes than the body has, {len(body):,}.")
        tensor["data"] = _values(tensor, raw, limits)
        start += size
    if start < len(body):
        raise Refused(
            422, f"{len(body) - start:,} bytes stand behind the tensors; each has a parameter binary_data_size."
        )
    return content


def _size(tensor: Any) -> int | None:
    """Return how many bytes a tensor has behind the JSON; None if its data stand in it."""
    parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0 or "data" in tensor:
        raise Refused(422, "binary_data_size is a whole number of bytes, of a tensor that has no data in the JSON.")
    return size


def _values(tensor: dict[str, Any], raw: bytes, limits: Limits) -> list[Any]:
    kind = tensor.get("datatype")
    if kind == "BYTES":
        return list(_texts(raw, limits))
    dtype = np.dtype(_TYPES[kind]) if isinstance(kind, str) and kind in _TYPES else None
    if dtype is None or len(raw) % dtype.itemsize:
        raise Refused(
            422, f"{len(raw):,} bytes came of the datatype {str(kind)[:20]!r}; known are BYTES, {', '.join(_TYPES)}."
        )
    if len(raw) // dtype.itemsize > limits.values:
        raise _too_many(limits)
    if dtype.kind == "b" and raw.strip(b"\0\1"):
        raise Refused(422, "a byte of BOOL is 0 or 1.")
    values = np.frombuffer(raw, dtype)
    if dtype.kind == "f" and np.isnan(values).any():
        return [None if value != value else value for value in values.tolist()]
    return values.tolist()


def _texts(raw: bytes, limits: Limits) -> Iterator[str]:
    start, n = 0, 0
    while start < len(raw):
        stop = start + _LENGTH.size
        stop += _LENGTH.unpack(raw[start:stop])[0] if stop <= len(raw) else len(raw)
        n += 1
        if stop > len(raw):
            raise Refused(422, "texts of BYTES have their length before them, four bytes; one is longer than the rest.")
        if n > limits.values:
            raise _too_many(limits)
        try:
            yield raw[start + _LENGTH.size : stop].decode()
        except UnicodeDecodeError as error:
            raise Refused(422, f"text {n - 1:,} of BYTES is no UTF-8.") from error
        start = stop


def _too_many(limits: Limits) -> Refused:
    return Refused(413, f"a tensor holds more than {limits.values:,} values.", details={"allowed": limits.values})


def binary_reply(said: dict[str, Any], tensors: list[dict[str, Any]], content: dict[str, Any]) -> Reply | None:
    """Return an answer whose tensors stand behind the JSON, those that are asked for so; None if none is.

    Parameters
    ----------
    said : dict
        What the answer says beside its tensors.
    tensors : list of dict
        With "data" each.
    content : dict
        The request: outputs may have a parameter "binary_data", or the whole request one "binary_data_output".
    """
    wanted = _wanted(content)
    parts, shown = [], []
    for tensor in tensors:
        if wanted.get(tensor["name"], wanted[""]):
            data = _raw(tensor)
            parts.append(data)
            tensor = {**{k: v for k, v in tensor.items() if k != "data"}, "parameters": {"binary_data_size": len(data)}}
        shown.append(tensor)
    if not parts:
        return None
    head = json.dumps({**said, "outputs": shown}).encode()
    return Reply(head + b"".join(parts), kind=KIND, headers=[(HEADER, b"%d" % len(head))])


def _wanted(content: dict[str, Any]) -> dict[str, bool]:
    """Return of which outputs bytes are asked for; "" stands for those of which nothing is said."""
    outputs = content.get("outputs") or ()
    asked = {each["name"]: _flag(each, "binary_data") for each in outputs}
    return {name: flag for name, flag in asked.items() if flag is not None} | {
        "": bool(_flag(content, "binary_data_output"))
    }


def _flag(holder: dict[str, Any], name: str) -> bool | None:
    parameters = holder.get("parameters")
    flag = parameters.get(name) if isinstance(parameters, dict) else None
    return flag if isinstance(flag, bool) else None


def _raw(tensor: dict[str, Any]) -> bytes:
    data = tensor["data"]
    if tensor["datatype"] == "BYTES":
        texts = [("" if each is None else str(each)).encode() for each in data]
        return b"".join(_LENGTH.pack(len(each)) + each for each in texts)
    return np.array(data, dtype=_TYPES[tensor["datatype"]]).tobytes()
