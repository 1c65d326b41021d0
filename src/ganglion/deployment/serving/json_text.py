"""JSON from strangers: how deep and how much is known before it is parsed, and NaN is no number."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import numpy as np

from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits

# a text that is never closed is one too: else each quote within it would be looked at to the end of the body
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[[*b"[{"]], _STEPS[[*b"]}"]] = 1, -1


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(422, f"{name} came, which is no JSON; a missing value is null, and numbers are finite.")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def parse_json(body: bytes, limits: Limits) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    Refused
        422 if it is no JSON, in UTF-8, is nested too deeply, or holds NaN or infinity; 413 if it holds too many values.
    """
    _check_size(body, limits)
    try:
        text = body.decode()
        value, end = _DECODER.raw_decode(text) if text.startswith(("{", "[")) else (None, -1)
        if end != len(text):  # blanks around it, or no JSON
            value = _DECODER.decode(text)
        if b"\\u" in body and b"\\ud" in body.lower():  # half of a letter, which no text may hold: "\\ud83d" alone
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:
        raise Refused(422, "the body holds half of a letter (a surrogate \\ud800 to \\udfff alone).") from error
    except UnicodeDecodeError as error:
        raise Refused(422, f"the body is no UTF-8 (byte {error.start}).") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(422, f"the body is no JSON: {error.msg} in {where}.") from error
    except ValueError as error:  # Python reads no whole numbers of thousands of digits: they would take minutes
        raise Refused(422, "the body holds a number of thousands of digits.") from error
    except RecursionError as error:
        raise Refused(422, "the body is nested too deeply.") from error


def _check_size(body: bytes, limits: Limits) -> None:
    if len(body) >= limits.values and body.count(b",") >= limits.values:
        raise Refused(
            413,
            f"the body holds more than {limits.values:,} values. Send fewer rows in each request.",
            details={"allowed": limits.values},
        )
    if body.count(b"[") + body.count(b"{") <= limits.depth:
        return
    depth = depth_of(body)
    if depth > limits.depth:
        raise Refused(
            422, f"the body is nested {depth:,} deep; allowed are {limits.depth}.", details={"allowed": limits.depth}
        )


def depth_of(body: bytes) -> int:
    """Return how deep the brackets of a JSON text are nested, without parsing it; brackets in texts are letters."""
    steps = _STEPS[np.frombuffer(_TEXT.sub(b"", body), np.uint8)]
    return int(steps[steps != 0].cumsum(dtype=np.int32).max(initial=0))
