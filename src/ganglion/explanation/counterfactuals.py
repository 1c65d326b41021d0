"""`Counterfactuals`: the changes that turn a decision, each as near as it was found, or that there is none."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ganglion.drawing.gallery import GALLERY_STYLE, document, grid
from ganglion.drawing.svg import STYLE, Chart
from ganglion.explanation.crossing import crossing_chart
from ganglion.explanation.page import EXPLANATION_STYLE
from ganglion.explanation.terminal import cell
from ganglion.storage import write_text


@dataclass(frozen=True, slots=True)
class Change:
    """A column that changes.

    Attributes
    ----------
    feature : str
    was, now : Any
        Its value before and after, as the user knows it.
    cost : float
        How far that is, in typical deviations (MAD) of the column; 1 of what is no number.
    """

    feature: str
    was: Any
    now: Any
    cost: float

    def __str__(self) -> str:
        return f"{self.feature} {cell(self.was)} → {cell(self.now)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """One answer: a row near the one asked of, decided otherwise.

    Attributes
    ----------
    row : array, frame or Dataset of one row
        As the model reads it.
    changes : tuple of Change
        The farthest first.
    distance : float
        The sum of their costs.
    says : str
        What the model says of the row.
    shown : float
        The number behind that: a probability, a score, or the number itself.
    holds : bool
        Whether that is what was wanted, by the model's own `predict`.
    """

    row: Any = field(repr=False, compare=False)
    changes: tuple[Change, ...]
    distance: float
    says: str
    shown: float
    holds: bool

    def __str__(self) -> str:
        return ", ".join(map(str, self.changes)) or "nothing changed"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer in plain types that JSON can hold."""
        changes = [
            {"feature": each.feature, "was": _plain(each.was), "now": _plain(each.now), "cost": each.cost}
            for each in self.changes
        ]
        return {"changes": changes, "distance": self.distance, "says": self.says, "shown": self.shown}


@dataclass(frozen=True, repr=False, kw_only=True)
class Counterfactuals(Sequence[Counterfactual]):
    """The nearest changes that turn a decision.

    Attributes
    ----------
    wanted, now : str
        The decision that was asked for, and what the model says of the row as it is.
    measured : str
        Which number is shown: "probability of yes", …
    line : float or None
        Where the decision turns, of that number; None where that depends on several classes.
    start : float
        That number of the row as it is.
    answers : tuple of Counterfactual
        The nearest first; empty if there is none.
    nearest : Counterfactual
        Of all that was tried, what went farthest towards the decision.
    may_change : tuple of str
        The columns that were allowed to change and have another value to change to.
    n_features, n_asked : int
        All columns, and how many rows were asked of the model.
    """

    wanted: str
    now: str
    measured: str
    line: float | None
    start: float
    answers: tuple[Counterfactual, ...]
    nearest: Counterfactual
    may_change: tuple[str, ...]
    n_features: int
    n_asked: int

    @overload
    def __getitem__(self, i: int) -> Counterfactual: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[Counterfactual, ...]: ...
    def __getitem__(self, i: int | slice) -> Counterfactual | tuple[Counterfactual, ...]:
        return self.answers[i]

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[Counterfactual]:
        return iter(self.answers)

    @property
    def headline(self) -> str:
        """What was asked, and how near the row is to the line."""
        line = "" if self.line is None else f"; the line is at {self.line:.4g}"
        return f"From {self.now} to {self.wanted}: {self.measured} is {self.start:.4g}{line}"

    @property
    def certainty(self) -> list[str]:
        """How this was found and how far it can be believed, in lines."""
        searched = f"{self.n_asked:,} rows asked; {len(self.may_change)} of {self.n_features} columns may change"
        if self.answers:
            return [
                "Each answer was asked of the model by itself and is decided as wanted. Cost: typical deviations "
                "(MAD), 1 for what is no number.",
                f"{searched}. A search: a nearer change may exist, and a change of the model's answer is no cause in "
                "the world.",
            ]
        return [
            f"NONE FOUND: no change of the allowed columns within their ranges that was tried makes it {self.wanted}.",
            f"The best attempt reaches {self.nearest.shown:.4g} ({self.nearest}).",
            f"{searched}: {', '.join(self.may_change[:20])}. Let more columns change, or widen ranges.",
        ]

    def __repr__(self) -> str:
        return f"Counterfactuals({self.now} → {self.wanted}: {len(self)} found)"

    def __rich__(self) -> RenderableType:
        table = Table(box=box.SIMPLE, pad_edge=False)
        for name in ("", "change", "from", "to", "cost"):
            table.add_column(name, justify="right" if name == "cost" else "left")
        table.add_column(self.measured, justify="right")
        for i, each in enumerate(self.answers):
            for n, change in enumerate(each.changes):
                first = (str(i + 1), f"{each.shown:.4g}") if n == 0 else ("", "")
                cells = (Text(change.feature), Text(cell(change.was)), Text(cell(change.now)), f"{change.cost:.2f}")
                table.add_row(first[0], *cells, first[1])
        lines = [Text(line, style="dim" if self.answers else "") for line in self.certainty]
        return Group(Text(self.headline, style="bold"), *([table] if self.answers else []), *lines)

    def __str__(self) -> str:
        console = Console(file=io.StringIO(), width=100, color_system=None, legacy_windows=False)
        console.print(self)
        return "\n".join(row.rstrip() for row in console.file.getvalue().splitlines())  # type: ignore[attr-defined]

    def plot(self) -> Chart:
        """Return a picture: the number behind the decision now and after each change, and the line."""
        rows = [("as it is", self.start)]
        rows += [(f"{i + 1}: {each}", each.shown) for i, each in enumerate(self.answers)]
        rows += [] if self.answers else [(f"best attempt: {self.nearest}", self.nearest.shown)]
        return crossing_chart(rows, self.line, self.measured)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain types that JSON can hold."""
        return {
            "wanted": self.wanted,
            "now": self.now,
            "measured": self.measured,
            "line": self.line,
            "start": self.start,
            "found": len(self),
            "answers": [each.to_dict() for each in self.answers],
            "best_attempt": self.nearest.to_dict(),
            "may_change": list(self.may_change),
            "n_asked": self.n_asked,
        }

    def _repr_html_(self) -> str:
        rows = []
        for i, each in enumerate(self.answers):
            for n, change in enumerate(each.changes):
                shown = (i + 1, f"{each.shown:.4g}") if n == 0 else ("", "")
                cells = (shown[0], change.feature, cell(change.was), cell(change.now), f"{change.cost:.2f}", shown[1])
                rows.append("".join(f"<td>{html.escape(str(each))}</td>" for each in cells))
        names = ("", "change", "from", "to", "cost", self.measured)
        head = "".join(f'<th style="text-align:left">{html.escape(name)}</th>' for name in names)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        table = f'<table cellpadding="5"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>' if rows else ""
        kind = "" if self.answers else ' class="warned"'
        lines = "".join(f"<p{kind}>{html.escape(line)}</p>" for line in self.certainty)
        style = f"<style>{STYLE}{GALLERY_STYLE}{EXPLANATION_STYLE}</style>"
        content = f"<h2>{html.escape(self.headline)}</h2>{table}{grid([self.plot()])}{lines}"
        return f'{style}<div class="gg-explained">{content}</div>'

    def to_html(self, path: Any = None) -> str:
        """Return it as one page complete in itself, and write it to `path` if one is given."""
        content = document("What would turn the decision", self._repr_html_())
        if path is not None:
            write_text(path, content)
        return content


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if value is None or isinstance(value, bool | str | int):
        return value
    return float(value) if isinstance(value, float) and value == value else None if value != value else str(value)
