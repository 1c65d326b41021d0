"""What is sent back: bodies of JSON, and the little that surrounds them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ganglion.deployment.said import Answers
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.served import Asked, Served
from ganglion.deployment.serving.told import PLURAL, TOLD, mask_png

JSON, TEXT, HTML = b"application/json", b"text/plain; version=0.0.4; charset=utf-8", b"text/html; charset=utf-8"
PNG = b"image/png"
_WRITE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(slots=True)
class Reply:
    """An answer of HTTP.

    Attributes
    ----------
    body : bytes
    status : int
    kind : bytes
        Its Content-Type.
    headers : list of (bytes, bytes)
        Further headers, names in small letters.
    """

    body: bytes
    status: int = 200
    kind: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def json_reply(content: Any, status: int = 200) -> Reply:
    """Return plain values as a body of JSON."""
    return Reply(_WRITE(content).encode(), status)


def predictions(served: Served, asked: Asked, answer: Answers) -> Reply:
    """Return what a model says of each row, or of each picture, text or series."""
    signature = asked.backend.signature
    tell = TOLD.get(signature.task)
    if tell is not None:
        text = f",{_WRITE(tell(asked, answer))[1:-1]}"
    else:  # written piece by piece: most requests are a row, and the encoder takes longer than a small model
        text, known = "", signature.classes
        for name, values in answer.items():
            text += f',"{PLURAL.get(name, name)}":{array_text(values)}'
        if known:
            text += f',"classes":[{",".join(map(_text, known))}]' if len(known) < 50 else f',"classes":{_WRITE(known)}'
    return Reply(f'{{"model":"{served.name}","version":"{served.version}"{text}}}'.encode())


def mask_picture(served: Served, asked: Asked, answer: Answers) -> Reply:
    """Return the mask of the one picture that was asked of, as a picture."""
    if len(asked.sizes) != 1:
        raise Refused(422, f"{len(asked.sizes)} pictures came; masks as pictures are sent for one in a request.")
    return Reply(mask_png(asked, answer), kind=PNG)


def array_text(values: np.ndarray) -> str:
    """Return an array as JSON, rows as lists: what the encoder would write, in a quarter of its time."""
    if values.dtype.kind in "fiu":
        text = repr(values.tolist())
        return text if "n" not in text else _WRITE(values.tolist())  # NaN and infinity, which it refuses
    listed = plain(values)
    return f"[{','.join(map(_text, listed))}]" if set(map(type, listed)) == {str} else _WRITE(listed)


@lru_cache(4096, typed=True)  # True and 1 are equal, and not the same text
def _text(value: Any) -> str:
    """Return a label as JSON: there are few of them."""
    return _WRITE(value)


def plain(values: np.ndarray) -> list[Any]:
    """Return answers as JSON can hold them, one each row."""
    listed = values.tolist()
    return listed if values.dtype != object or set(map(type, listed)) <= {str} else [_plain(value) for value in listed]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, Mapping) else value
