"""What comes as a file: a table as CSV, pictures, recordings; alone as the body, or in a form as browsers send it.

A file's name is never looked at but in messages, and nothing is written to disk.
"""

from __future__ import annotations

import csv
import io
import logging
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ganglion.data.delimiters import sniff_delimiter
from ganglion.data.image_files import Form, Unreadable
from ganglion.data.image_files import decode as decode_picture
from ganglion.data.image_files import look as look_at_picture
from ganglion.data.recording_files import decode as decode_recording
from ganglion.data.recording_files import look as look_at_recording
from ganglion.data.resizing import Resize
from ganglion.deployment.rows import labels_of, numbers_of
from ganglion.deployment.serving.columns import Columns, checked
from ganglion.deployment.serving.refused import Refused, too_many_rows
from ganglion.deployment.serving.settings import Limits
from ganglion.deployment.serving.wanted import allowed
from ganglion.deployment.signature import Input, Signature
from ganglion.errors import InvalidInput, missing_extra, suggestion

_PARTS = 1_000  # files in a form
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # what is wrong with a form is told to who sent it


def files_in_form(body: bytes, content_type: bytes) -> list[bytes]:
    """Return the files of a form (multipart/form-data), whatever their fields are called.

    Raises
    ------
    Refused
        422 if the form is damaged, or holds no file or too many.
    """
    parser, parts = _form_parser(content_type)
    from python_multipart.exceptions import FormParserError

    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Refused(422, f"the form is damaged ({error}).") from error
    if not parts:
        raise Refused(422, "the form holds no file. Send one: curl -F file=@FILE.")
    return [bytes(part.content) for part in parts]


@dataclass
class _Part:
    content: bytearray = field(default_factory=bytearray)


def _form_parser(content_type: bytes) -> tuple[Any, list[_Part]]:
    try:
        from python_multipart.multipart import MultipartParser, parse_options_header
    except ImportError as error:
        raise missing_extra("python-multipart", "serve", "Reading forms") from error
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise Refused(422, "the form names no boundary in its Content-Type.")
    parts: list[_Part] = []

    def begin() -> None:
        if len(parts) >= _PARTS:
            raise Refused(413, f"the form has more than {_PARTS:,} parts.")
        parts.append(_Part())

    def add(data: bytes, start: int, end: int) -> None:
        parts[-1].content += data[start:end]

    return MultipartParser(boundary, {"on_part_begin": begin, "on_part_data": add}), parts


def table_in_csv(raw: bytes, signature: Signature, limits: Limits) -> Columns:
    """Return the columns of a CSV file with a head line; further columns are left out.

    Raises
    ------
    Refused
        422 with the column, or 413 if there are too many rows.
    """
    names, columns = _cut(raw, signature, limits)
    missing = next((name for name in signature.names if name not in names), None)
    if missing is not None:
        near = suggestion(missing, names).replace("Did you mean", "Is it")
        raise Refused(
            422,
            f"the file has no column {missing!r}.{near} Its first line has {', '.join(names[:20])}.",
            details={"column": missing, "came": None, "allowed": "a column of this name"},
        )
    return {each.name: _read(each, names, columns) for each in signature.given}


def _cut(raw: bytes, signature: Signature, limits: Limits) -> tuple[list[str], list[tuple[str, ...]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(422, f"the file is no UTF-8 (byte {error.start}).") from error
    head = text.partition("\n")[0]
    delimiter = sniff_delimiter(text[: 2**16]) or ","
    n_taken = len(signature.names)
    most = 10 * n_taken + 1000
    if head.count(delimiter) >= most:
        raise Refused(422, f"the file has {head.count(delimiter) + 1:,} columns; the model takes {n_taken:,}.")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise Refused(422, f"the file is no CSV: {error}.") from error
    if len(rows) < 2:
        raise Refused(422, "the file holds no row below its first line, which names the columns.")
    if len(rows) - 1 > limits.rows:
        raise too_many_rows(len(rows) - 1, limits.rows)
    odd = next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if odd is not None:
        raise Refused(422, f"row {odd - 1} has {len(rows[odd])} fields; the first line has {len(rows[0])}.")
    return [name.strip() for name in rows[0]], list(zip(*rows[1:], strict=True))


def _read(each: Input, names: list[str], columns: list[tuple[str, ...]]) -> np.ndarray:
    parts = [_column(each, name, columns[names.index(name)]) for name in each.names]
    return np.stack(parts, axis=1) if each.kind == "numbers" else parts[0]


def _column(each: Input, name: str, values: tuple[str, ...]) -> np.ndarray:
    if each.kind == "text":
        return checked(list(values), each)
    if each.kind == "categorical":
        return np.array([label or None for label in labels_of(values)], dtype=object)
    try:
        return numbers_of(name, each.kind, values)
    except InvalidInput as error:
        raise Refused(422, str(error), details={"column": name, "allowed": allowed(each)}) from error


def picture(raw: bytes, signature: Signature, limits: Limits, left: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the pixels of a picture file as training had them, (channels, height, width), and its own size.

    Parameters
    ----------
    raw : bytes
    signature : Signature
        Whose pictures have the size of training, or any.
    limits : Limits
    left : int
        Pixels that it may have where it is answered in its own size.

    Raises
    ------
    Refused
        413 if it claims more pixels than allowed, before it is decoded; 422 if it is no whole picture.
    """
    each = signature.inputs[0]
    _, height, width, channels = each.shape
    most = min(left, limits.pixels) if signature.any_size else limits.pixels
    try:
        size = look_at_picture(io.BytesIO(raw)).size
        if size[0] * size[1] > most:
            raise Refused(
                413,
                f"the picture has {size[0]:,} × {size[1]:,} pixels; {max(0, most):,} in all are allowed. Send it "
                "smaller, or by itself.",
                details={"allowed": max(0, most)},
            )
        resize = cast(Resize, signature.resize or "stretch")
        form = Form(int(channels), size if signature.any_size else (int(height), int(width)), resize, is_deep=False)
        return decode_picture(io.BytesIO(raw), form)[0], size
    except Unreadable as error:
        raise Refused(413 if "bomb" in str(error) else 422, f"the picture {error}.") from error


def recording(raw: bytes, each: Input, limits: Limits, left: int) -> np.ndarray:
    """Return the samples of a recording at the rate of training, (n,) float32.

    Parameters
    ----------
    raw : bytes
    each : Input
    limits : Limits
    left : int
        Samples that it may have at that rate.

    Raises
    ------
    Refused
        413 if it claims more samples than allowed, before it is decoded; 422 if it is no whole recording.
    """
    try:
        head = look_at_recording(io.BytesIO(raw))
        if head.n_samples * head.n_channels > limits.samples or head.n_at(each.rate) > left:
            raise Refused(
                413,
                f"the recording has {head.n_samples:,} samples in {head.n_channels} channels; {limits.samples:,} in "
                "all are allowed.",
                details={"allowed": limits.samples},
            )
        return decode_recording(io.BytesIO(raw), each.rate)
    except Unreadable as error:
        raise Refused(422, f"the recording {error}.") from error
