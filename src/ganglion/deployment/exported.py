"""The `Exported`: what left, and how its answers compare with the original's."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from typing import Any

from ganglion.deployment.parity import Parity


@dataclass(frozen=True)
class Exported:
    """A model that was exported.

    Attributes
    ----------
    path : str
        Where it is.
    format : str
        "onnx", "c", …
    size : int
        Bytes.
    parity : Parity
        The comparison with the original that it passed.
    """

    path: str
    format: str
    size: int
    parity: Parity

    def __str__(self) -> str:
        return "\n".join(f"{name:12} {value}" for name, value in self._facts())

    def _repr_html_(self) -> str:
        """Return the facts as a small table, for notebooks."""
        rows = "".join(f"<tr><th>{html.escape(n)}</th><td>{html.escape(v)}</td></tr>" for n, v in self._facts())
        return f"<table>{rows}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)

    def _facts(self) -> list[tuple[str, str]]:
        parity = self.parity
        return [
            ("file", self.path),
            ("format", self.format),
            ("size", f"{self.size:,} bytes"),
            ("compared on", f"{parity.rows:,} rows: made ones (ordinary, missing, unknown, extreme) and those given"),
            ("difference", f"{parity.difference:.1e} at most, {parity.mean:.1e} on average"),
            *([("labels", f"{parity.agreement:.2%} equal")] if parity.labels else []),
        ]
