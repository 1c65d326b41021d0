"""Bytes of a file as text: UTF-8, UTF-16 with a mark, or Latin-1 where they are neither."""

from __future__ import annotations

from typing import NamedTuple

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROL = bytes([*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)])  # what no text has; tab, newline, escape do


class NoText(ValueError):
    """The bytes are no text; the message says why, in words that follow the name of the file."""


class Decoded(NamedTuple):
    """A text, and the line (from 1) whose bytes are not UTF-8, if it was therefore read as Latin-1."""

    text: str
    odd_line: int | None


def decode_text(raw: bytes) -> Decoded:
    """Return the text of a file; raises NoText if it holds bytes that no text has."""
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "utf-8")
    if encoding != "utf-16" and len(raw.translate(None, _CONTROL)) < len(raw):
        raise NoText(_why(raw))
    try:
        return Decoded(raw.decode(encoding), None)
    except UnicodeDecodeError as error:
        return Decoded(raw.decode("latin-1"), raw.count(b"\n", 0, error.start) + 1)


def _why(raw: bytes) -> str:
    place, byte = next((i, byte) for i, byte in enumerate(raw) if byte in _CONTROL)
    what = "NUL bytes" if byte == 0 else f"the control byte {bytes([byte])!r}"
    return f"is no text: it holds {what} (first in line {raw.count(bytes([10]), 0, place) + 1})"
