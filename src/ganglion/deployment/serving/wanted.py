"""What a served model is to be given, in words and by example: read by messages, the page and OpenAPI alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganglion.data.grid import Grid
from ganglion.deployment.signature import Input, Signature

PICTURES, RECORDINGS = ("image/png", "image/jpeg"), ("audio/wav", "audio/flac")
FILES = {"image": PICTURES, "audio": RECORDINGS}  # of these modalities a row is a file
SHOWN_STEPS = 4  # of a sequence in an example
_START = float(np.datetime64("2024-01-01", "s").astype(np.int64))
_EXAMPLES: dict[str, Any] = {
    "numeric": 1.5,
    "numbers": 1.5,
    "boolean": True,
    "date": "2024-03-31",
    "text": "some words",
    "categorical": "",
}
_NUMBER = "a number, or null where it is missing"
_ALLOWED = {
    "numeric": _NUMBER,
    "numbers": _NUMBER,
    "boolean": "true or false, or null where it is missing",
    "date": "a date as text, such as '2024-03-31' or '2024-03-31T14:05', or null where it is missing",
    "categorical": "a text, or null where it is missing",
    "text": "a text",
}


def allowed(each: Input) -> str:
    """Return what a value may be, in words."""
    if each.kind == "image":
        _, height, width, channels = each.shape
        size = "answered in its own" if isinstance(height, str) else f"brought to {height} × {width} pixels"
        number = f", or its numbers, {height} lists of {width}" if each.dtype == "float32" else ""
        return f"a picture of any size, {size}, {'grey' if channels == 1 else 'colour'}{number}"
    if each.kind == "audio":
        return f"a recording; it is brought to {each.rate:,} samples a second"
    if each.kind == "sequence":
        width = each.shape[2]
        step = "a number" if width == 1 else f"a list of {width} numbers"
        return f"a list of steps, one or more; each is {step}, null where one is missing"
    known = ", ".join(map(repr, each.categories[:8])) + (", …" if len(each.categories) > 8 else "")
    return _ALLOWED[each.kind] + (f" (training had {known})" if known else "")


def takes_numbers(signature: Signature) -> bool:
    """Return whether pictures may come as numbers in JSON: where training had numbers, which files do not hold."""
    return signature.modality == "image" and signature.inputs[0].dtype == "float32" and not signature.any_size


def takes(signature: Signature) -> str:
    """Return which bodies a model takes, in words."""
    files = {"image": "a picture as image/png, image/jpeg, …", "audio": "a recording as audio/wav, audio/flac, …"}
    if signature.modality in files:
        numbers = ", or numbers as application/json" if takes_numbers(signature) else ""
        body = "in the body, or files in a form, multipart/form-data"
        return f"the model takes {files[signature.modality]} {body}{numbers}"
    if signature.modality == "sequence":
        return "the model takes application/json, a list of sequences"
    return "the model takes application/json, text/csv, or a CSV file in a form, multipart/form-data"


def example_row(signature: Signature, middles: Mapping[str, float]) -> dict[str, Any]:
    """Return a row of columns that is allowed.

    Parameters
    ----------
    signature : Signature
        Of a model of tables, texts or series.
    middles : mapping of str to float
        The middle of the training values of numbers, where it is known.
    """
    return {name: _example(each, middles.get(name)) for each in signature.given for name in each.names}


def example_rows(signature: Signature, middles: Mapping[str, float]) -> list[Any]:
    """Return rows of JSON that a model answers: one, or of series as many as it reads."""
    if signature.modality == "sequence":
        width = int(signature.inputs[0].shape[2])
        return [[_step(i, width) for i in range(SHOWN_STEPS)]]
    if signature.modality == "image":
        height, width, channels = (int(size) for size in signature.inputs[0].shape[1:])
        return [np.full((height, width) if channels == 1 else (height, width, channels), 0.5).tolist()]
    row = example_row(signature, middles)
    return _history(signature, row) if signature.modality == "series" else [row]


def _example(each: Input, middle: float | None) -> Any:
    if middle is not None and each.kind in ("numeric", "numbers"):
        return middle
    return each.categories[0] if each.categories else _EXAMPLES[each.kind]


def _step(i: int, width: int) -> Any:
    numbers = [round(0.5 + i / 10 + j, 1) for j in range(width)]
    return numbers[0] if width == 1 else numbers


def _history(signature: Signature, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a made history, and behind it the steps for which something is to be known ahead."""
    n_steps = int(signature.inputs[0].shape[1])
    ahead = [int(each.shape[1]) for each in signature.inputs if each.kind == "ahead"]
    n_ahead, targets = (ahead[0] if ahead else 0), signature.columns[: signature.series["targets"]]
    rows = [_at(signature, row, i) for i in range(n_steps + n_ahead)]
    for each in rows[n_steps:]:
        each |= dict.fromkeys(targets)
    return rows


def _at(signature: Signature, row: dict[str, Any], i: int) -> dict[str, Any]:
    found = {name: round(value + (i % 7) / 10, 3) if type(value) is float else value for name, value in row.items()}
    grid, time = Grid.from_json(signature.series["grid"]), signature.series["time"]
    if time:
        moment = grid.after(_START, i)[-1] if i else _START
        found[time] = grid.text(moment).replace(" ", "T") if grid.dated else float(i)
    return found | ({signature.series["series"]: "a"} if signature.series["series"] else {})
