"""The habit of every result: it prints itself in a terminal, shows itself in a notebook, and is a page and JSON."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from ganglion.drawing.gallery import document
from ganglion.storage import write_text

TERMINAL_WIDTH = 118


class Shown:
    """What prints itself in a terminal, in a notebook and as a page."""

    def __rich__(self) -> RenderableType:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Of its page."""
        return repr(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in plain types that JSON can hold."""
        raise NotImplementedError

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=TERMINAL_WIDTH, color_system=None, legacy_windows=False)
        console.print(self)
        written = console.file.getvalue()  # type: ignore[attr-defined]
        return "\n".join(row.rstrip() for row in written.splitlines())

    def to_json(self, path: str | Path | None = None) -> str:
        """Return everything as JSON, and write it to `path` if one is given."""
        content = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        if path is not None:
            write_text(path, content)
        return content

    def to_html(self, path: str | Path | None = None) -> str:
        """Return one page complete in itself, and write it to `path` if one is given."""
        content = document(self.title, self._repr_html_())
        if path is not None:
            write_text(path, content)
        return content


def plain(value: Any) -> Any:
    """Return a value in types that JSON knows; NaN and infinity become None."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(each) for name, each in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
