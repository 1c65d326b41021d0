"""Look at data before learning from them: what each column holds, what the task is, and what deserves a look."""

from __future__ import annotations

import html
import io
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ganglion.data.chords import is_music
from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.findings import Finding, find, gravest_first
from ganglion.data.memory import memory_bytes
from ganglion.data.profile import Profile, profile
from ganglion.data.read import read, with_target
from ganglion.data.task import MUSIC, Task, infer_task
from ganglion.data.text_encoding import are_texts_alone
from ganglion.errors import InvalidInput

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
LOOKED_AT = 16  # of data too large for memory, a sample of this part of memory is looked at
_SHOWN = 60  # columns in a printed table


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column in a few words: `missing` is a share of the rows, `distinct` None for text and images."""

    name: str
    kind: str
    missing: float
    distinct: int | None
    summary: str


@dataclass(frozen=True)
class Inspection:
    """What was seen in a data set. Print it, show it in a notebook, or take it as a dictionary.

    Attributes
    ----------
    source : str
        Where the data come from.
    n_samples : int
        How many rows there are.
    columns : tuple of ColumnSummary
        In order, the target too.
    target : tuple of str
        What is to be predicted.
    task : Task or None
        What is to be learned and why, if a target is known.
    balance : dict of str to int
        Rows of each class, the most frequent first.
    findings : tuple of Finding
        What deserves a look, the gravest first.
    """

    source: str
    n_samples: int
    columns: tuple[ColumnSummary, ...]
    target: tuple[str, ...]
    task: Task | None
    balance: dict[str, int]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        screen = io.StringIO()
        console = Console(file=screen, width=110, color_system=None, legacy_windows=False)
        console.print(self)
        return "\n".join(line.rstrip() for line in screen.getvalue().rstrip().splitlines())

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self._headline(), style="bold"), self._table()]
        parts += [Text(line) for line in self._task_lines()]
        return Group(*parts, self._findings())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in _cells(each))}</tr>" for each in self.columns
        )
        heads = "".join(f"<th>{name}</th>" for name in _HEADS)
        found = "".join(
            f"<li>{each.severity}: <b>{html.escape(each.column)}</b> {html.escape(each.text)}</li>"
            for each in self.findings
        )
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self._task_lines())
        title = html.escape(self._headline())
        return f"<h4>{title}</h4><table><tr>{heads}</tr>{rows}</table>{lines}<ul>{found}</ul>"

    def _headline(self) -> str:
        return f"{self.source or 'data'}: {self.n_samples:,} rows, {len(self.columns)} columns"

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in _HEADS:
            table.add_column(name, justify="right" if name in ("missing", "distinct") else "left", overflow="fold")
        for each in self.columns[:_SHOWN]:
            style = "bold" if each.name in self.target else None
            table.add_row(*map(escape, _cells(each)), style=style)
        if len(self.columns) > _SHOWN:
            table.add_row(f"… {len(self.columns) - _SHOWN} more")
        return table

    def _findings(self) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for each in self.findings:
            where = f"[bold]{escape(each.column)}[/] " if each.column else ""
            grid.add_row(f"[{_COLOURS[each.severity]}]{each.severity}[/]", f"{where}{escape(each.text)}")
        return grid

    def _task_lines(self) -> list[str]:
        if self.task is None:
            return [
                "No target was given: name one (target=…) to learn what the task is and whether a column gives it away."
            ]
        of = f" of {', '.join(self.target)}" if self.target else ""
        lines = [f"Task: {self.task.name.replace('_', ' ')}{of}; {self.task.reason}."]
        if self.balance:
            total = sum(self.balance.values())
            shown = [f"{label} {count:,} ({count / total:.1%})" for label, count in list(self.balance.items())[:10]]
            more = f", … {len(self.balance) - 10} more" if len(self.balance) > 10 else ""
            lines.append(f"Classes: {', '.join(shown)}{more}.")
        return lines if self.findings else [*lines, "Nothing else deserves a look."]


_HEADS = ("column", "kind", "missing", "distinct", "values")


def inspect(
    data: Any,
    target: str | int | Sequence[str | int] | np.ndarray | None = None,
    *,
    task: Task | None = None,
) -> Inspection:
    """Look at a data set: its columns, its task, and what deserves a look before learning.

    Parameters
    ----------
    data : path, array-like, frame, mapping or Dataset
        A file that `read` can read, or data that `as_dataset` can.
    target : str, int, a sequence of them, or an array of shape (n_samples,), optional
        What is to be predicted: names or positions of columns (-1 is the last), or the values themselves.
    task : Task, optional
        What is to be learned, where that is not what the target looks like.

    Returns
    -------
    Inspection

    Raises
    ------
    InvalidFile, InvalidInput
        If the data cannot be read, or the target is unknown.
    """
    dataset = read(data) if isinstance(data, str | os.PathLike) else as_dataset(data)
    if target is not None:
        dataset = _joined(dataset, target) if hasattr(target, "dtype") else with_target(dataset, target)  # type: ignore[arg-type]
    whole, dataset = dataset, _affordable(dataset)
    profiles = profile(dataset)
    features = [each for each in profiles if each.name not in (*dataset.target, *dataset.index)]
    if task is None and dataset.target and _is_plain(dataset):
        heard = any(field.kind == "audio" for field in dataset.features)
        task = infer_task(whole.X_y()[1], heard=heard)
    elif task is None and dataset.target:
        task = _of_pixels(dataset)
    elif task is None and are_texts_alone(dataset):
        task = infer_task(None)
    elif task is None and is_music(dataset):
        task = MUSIC
    single = next((each for each in profiles if dataset.target == (each.name,) and each.has_values), None)
    return Inspection(
        source=dataset.source,
        n_samples=len(whole),
        columns=tuple(_summary(each) for each in profiles),
        target=dataset.target,
        task=task,
        balance=_balance(single) if single is not None and task is not None and task.is_classification else {},
        findings=gravest_first([*_of_sample(whole, dataset), *find(dataset, features, single, task, len(whole))]),
    )


def _affordable(data: Dataset) -> Dataset:
    """Return the data set, or some rows at random of one that is too large for memory."""
    if not data.is_on_disk:
        return data
    n_rows = min(len(data), max(1, memory_bytes() // LOOKED_AT // (data.n_bytes // len(data))))
    rows = np.random.default_rng(0).choice(len(data), size=n_rows, replace=False)
    return data.take(np.sort(rows))


def _of_sample(whole: Dataset, seen: Dataset) -> list[Finding]:
    if len(seen) == len(whole):
        return []
    text = f"the data are larger than memory: what is said here is of {len(seen):,} rows drawn at random."
    return [Finding("note", "sample", "", text)]


def _joined(data: Dataset, y: Any) -> Dataset:
    """Return a data set with a target that was given as values."""
    column = as_dataset({"target": np.asarray(y)})
    if len(column) != len(data):
        raise InvalidInput(f"the target has {len(column)} values, but there are {len(data)} rows. Give one a row.")
    fields = [*data.fields, *column.fields]
    return Dataset(fields, {**data.columns, **column.columns}, target=["target"], index=data.index, source=data.source)


def _is_plain(data: Dataset) -> bool:
    """Say whether the target holds labels or numbers, and not images (a mask to predict) or text."""
    return all(data.field(name).kind not in ("image", "mask", "boxes", "text") for name in data.target)


def _of_pixels(data: Dataset) -> Task | None:
    """Return the task that the kind of the target alone tells: its values may be many."""
    kinds = {data.field(name).kind for name in data.target}
    if kinds == {"mask"}:
        return Task("segmentation", "the target holds a class of every pixel")
    return Task("detection", "the target holds boxes around objects") if kinds == {"boxes"} else None


def _summary(column: Profile) -> ColumnSummary:
    distinct = column.n_distinct if column.has_values else None
    return ColumnSummary(column.name, column.kind, column.missing, distinct, column.summary)


def _balance(target: Profile) -> dict[str, int]:
    order = np.argsort(-target.counts, kind="stable")
    names = [f"{value:g}" if isinstance(value, float) else str(value) for value in target.values.tolist()]
    return {names[i]: int(target.counts[i]) for i in order}


def _cells(column: ColumnSummary) -> tuple[str, ...]:
    missing = f"{column.missing:.1%}" if column.missing else ""
    return column.name, column.kind, missing, "" if column.distinct is None else f"{column.distinct:,}", column.summary
