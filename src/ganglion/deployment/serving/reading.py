"""What the body of a request asks of a model: rows, texts, sequences or files, checked or still to be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.deployment.said import ragged
from ganglion.deployment.serving.backend import Backend
from ganglion.deployment.serving.columns import Columns, columns_of, shown
from ganglion.deployment.serving.json_text import parse_json
from ganglion.deployment.serving.refused import Refused, too_long, too_many_rows, wrong_value
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.serving.settings import Limits
from ganglion.deployment.serving.uploads import files_in_form, picture, recording, table_in_csv
from ganglion.deployment.serving.wanted import FILES, allowed, takes, takes_numbers
from ganglion.deployment.signature import Signature

_JSON = (b"", b"application/json", b"text/json", b"application/x-www-form-urlencoded")  # the last is what curl -d says
_CSV = (b"text/csv", b"application/csv", b"text/plain")
_FORM = (b"multipart/form-data", b"application/octet-stream")
_COLUMNS = ("table", "text", "series")  # modalities whose rows have columns
_NUMBERS = {int, float, bool, type(None)}


def read(body: bytes, kind: bytes, content_type: bytes, backend: Backend, limits: Limits) -> Asked:
    """Return what a body asks of a backend.

    Parameters
    ----------
    body : bytes
    kind, content_type : bytes
        The type of the body, alone and with its parameters.
    backend : Backend
    limits : Limits

    Raises
    ------
    Refused
        415 if the type is none that the model reads; 413 or 422 if the body will not do.
    """
    signature = backend.signature
    if kind in _JSON:
        rows = rows_in(parse_json(body, limits), signature, limits)
        if signature.modality == "table":
            return Asked(backend, rows=rows)  # checked with those of others
        return _of_json(rows, backend, limits)
    modality = signature.modality
    is_file = kind in _FORM or (modality in ("image", "audio") and kind.startswith(modality.encode() + b"/"))
    if modality == "sequence" or not (is_file or (modality in _COLUMNS and kind in _CSV)):
        raise Refused(415, f"Content-Type {kind[:60].decode('latin-1')!r} came; {takes(signature)}.")
    files = files_in_form(body, content_type) if kind == b"multipart/form-data" else [body]
    if len(files) > limits.rows:
        raise too_many_rows(len(files), limits.rows)
    if modality == "image":
        return _pictures(files, backend, limits)
    if modality == "audio":
        return Asked(backend, columns={signature.given[0].name: recordings(files, signature, limits)})
    if len(files) > 1:
        raise Refused(422, f"{len(files)} files came; send one CSV file in a request.")
    columns = table_in_csv(files[0], signature, limits)
    return Asked(backend, columns=cut(columns, signature, limits) if modality == "text" else columns)


def _of_json(rows: list[Any], backend: Backend, limits: Limits) -> Asked:
    """Return rows of other data than tables, checked."""
    signature = backend.signature
    if signature.modality == "sequence":
        return Asked(backend, columns={signature.given[0].name: _sequences(rows, signature, limits)})
    if signature.modality == "image":
        return Asked(backend, columns={signature.given[0].name: _stack(rows, signature)})
    if signature.modality == "series":
        return Asked(backend, columns=columns_of(rows, signature))
    if signature.task == "tagging":
        (name,) = signature.names
        rows = [row[name] if type(row) is dict and name in row else row for row in rows]
        if list in set(map(type, rows)):
            return Asked(backend, columns={name: _listed_words(rows, name, limits)})
    return Asked(backend, columns=cut(columns_of(rows, signature), signature, limits))


def rows_in(content: Any, signature: Signature, limits: Limits) -> list[Any]:
    """Return the rows of a JSON body: a list of them, an object with "rows", or one row alone."""
    if signature.modality in FILES and not takes_numbers(signature):
        raise Refused(415, f"JSON came; {takes(signature)}.")
    if isinstance(content, dict):
        content = content["rows"] if "rows" in content and "rows" not in signature.names else [content]
    if not isinstance(content, list) or not content:
        shapes = {"text": '"some words"', "sequence": "[0.5, 0.6]", "image": "[[0.5, 0.6], [0.7, 0.8]]"}
        row = shapes.get(signature.modality, '{"column": value, …}')
        raise Refused(422, f"no rows came. Send a list of rows, [{row}, …], or an object of one row.")
    if len(content) > limits.rows:
        raise too_many_rows(len(content), limits.rows)
    return content


def cut(columns: Columns, signature: Signature, limits: Limits) -> Columns:
    """Return texts that are not too long, those of taggers cut into words at blanks."""
    for name, texts in columns.items():
        row = next((i for i, text in enumerate(texts) if len(text) > limits.letters), None)
        if row is not None:
            raise too_long(name, row, f"{len(texts[row]):,} letters", limits.letters)
    if signature.task != "tagging":
        return columns
    return {name: _listed_words([text.split() for text in texts], name, limits) for name, texts in columns.items()}


def _listed_words(rows: Sequence[Any], name: str, limits: Limits) -> np.ndarray:
    """Return texts that came as lists of words, (n,) lists."""
    for row, words in enumerate(rows):
        if type(words) is not list or not words:
            raise wrong_value(name, row, shown(words), "a list of words, one or more, or a text, in all rows alike")
        odd = next((word for word in words if type(word) is not str or not word.strip()), None)
        if odd is not None or None in words:
            raise wrong_value(name, row, shown(odd), "words that are not empty")
        if len(words) > limits.steps:
            raise too_long(name, row, f"{len(words):,} words", limits.steps)
    return ragged(rows)


def _sequences(rows: Sequence[Any], signature: Signature, limits: Limits) -> np.ndarray:
    """Return sequences as arrays (steps, width), (n,)."""
    (each,) = signature.given
    width, found = int(each.shape[2]), []
    for row, steps in enumerate(rows):
        if type(steps) is not list or not steps:
            raise wrong_value(each.name, row, shown(steps), allowed(each))
        if len(steps) > (most := min(limits.steps, signature.longest or limits.steps)):
            raise too_long(each.name, row, f"{len(steps):,} steps", most)
        if width == 1 and set(map(type, steps)) <= _NUMBERS:
            steps = [[step] for step in steps]
        odd = next((step for step in steps if not _is_step(step, width)), steps)
        if odd is not steps:
            raise wrong_value(each.name, row, f"the step {shown(odd)}", allowed(each))
        found.append(_floats(steps, row, each.name))
    return ragged(found)


def _is_step(step: Any, width: int) -> bool:
    return type(step) is list and len(step) == width and {*map(type, step)} <= _NUMBERS - {bool}


def _floats(steps: list[list[Any]], row: int, name: str) -> np.ndarray:
    try:
        numbers = np.array(steps, dtype=np.float64)
    except OverflowError:
        numbers = np.array([np.inf])
    if np.isinf(numbers).any():
        raise wrong_value(name, row, "a number that is too large", "finite numbers")
    return numbers


def _stack(rows: Sequence[Any], signature: Signature) -> np.ndarray:
    """Return pictures or windows of numbers, (n, channels, height, width)."""
    (each,) = signature.given
    height, width, channels = (int(size) for size in each.shape[1:])
    for row, value in enumerate(rows):
        flat: Any = value
        while type(flat) is list and flat and set(map(type, flat)) == {list}:
            flat = [part for parts in flat for part in parts]
        if type(flat) is not list or not {*map(type, flat)} <= {int, float}:
            raise wrong_value(each.name, row, f"{shown(value)}, not of numbers alone,", allowed(each))
    shapes = [(height, width, channels), *([(height, width)] if channels == 1 else [])]
    try:
        with np.errstate(over="ignore"):  # what is too large for float32 is infinite, and refused
            found = np.array(rows, dtype=np.float32)
    except (OverflowError, ValueError):
        found = np.empty(0, dtype=np.float32)
    if found.shape[1:] not in shapes or not np.isfinite(found).all():
        raise Refused(422, f"rows have the shape {' or '.join(map(str, shapes))} and finite numbers; some have not.")
    return np.ascontiguousarray(found.reshape(-1, height, width, channels).transpose(0, 3, 1, 2))


def _pictures(files: Sequence[bytes], backend: Backend, limits: Limits) -> Asked:
    signature, found, left = backend.signature, [], limits.own_pixels
    for raw in files:
        found.append(picture(raw, signature, limits, left))
        left -= found[-1][0][0].size
    pixels = [each for each, _ in found]
    column = ragged(pixels) if signature.any_size else np.stack(pixels)
    return Asked(backend, columns={signature.given[0].name: column}, sizes=[size for _, size in found])


def recordings(files: Sequence[bytes], signature: Signature, limits: Limits) -> np.ndarray:
    """Return the samples of recordings, (n,) arrays; those of all files together are limited."""
    found: list[np.ndarray] = []
    for raw in files:
        found.append(recording(raw, signature.given[0], limits, limits.samples - sum(map(len, found))))
    return ragged(found)
