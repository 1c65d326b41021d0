"""What is sent back: bodies of JSON, and the little that surrounds them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ganglion.deployment.serving.backend import plain
from ganglion.deployment.serving.served import Answer, Asked, Served

JSON, TEXT, HTML = b"application/json", b"text/plain; version=0.0.4; charset=utf-8", b"text/html; charset=utf-8"
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


def predictions(served: Served, asked: Asked, answer: Answer) -> Reply:
    """Return what a model says of each row."""
    content: dict[str, Any] = {
        "model": served.name,
        "version": served.version,
        "predictions": plain(answer["prediction"]),
    }
    if "probabilities" in answer:
        content["classes"] = list(asked.backend.interface.classes)
        content["probabilities"] = plain(answer["probabilities"])
    return json_reply(content)
