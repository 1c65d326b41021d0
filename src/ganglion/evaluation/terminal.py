"""A report in a terminal: verdict, table of figures, worst mistakes, notes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.drawing.axes import number
from ganglion.drawing.svg import shorten
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.kinds import KINDS
from ganglion.evaluation.marking import shortened
from ganglion.evaluation.metrics import METRICS, class_metrics
from ganglion.evaluation.mistakes import Mistake

if TYPE_CHECKING:
    from ganglion.evaluation.report import Report

MOST_MISTAKES = 5
MOST_CLASSES = 12  # with figures of their own; those of more are on the page and in the JSON
MOST_LETTERS = 300  # of a text
TOO_GOOD = "The figures may be too good"
_COLOUR = {"better": "green", "no difference": "yellow", "worse": "red", "not compared": "dim"}


def render(report: Report) -> RenderableType:
    """Return what rich prints for a report."""
    colour = _COLOUR[report.comparison.outcome]
    parts: list[RenderableType] = [
        Panel(Text(report.verdict), title="Verdict", title_align="left", border_style=colour),
        *_leaks(report),
        _Figures(report),
    ]
    absent = {e.reason for e in report.metrics.values() if e.value is None}
    parts += [Text(f"–: {reason}", style="dim") for reason in sorted(absent)]
    if report.mistakes:
        marked = any(each.pieces for each in report.mistakes)
        parts.append((_texts if KINDS[report.task].whole_texts else _marked_texts if marked else _mistakes)(report))
        if any(each.picture for each in report.mistakes):
            parts.append(Text("Their pictures are on the page: report.to_html(PATH), or --report PATH.\n", style="dim"))
    parts += [] if report.audit is None else [report.audit]
    parts += [Text(f"• {note}") for note in [*_trust(report), *report.notes]]
    parts += [Text(f"• {names}: {note}.", style="dim") for note, names in _baseline_notes(report).items()]
    return Group(*parts)


def _leaks(report: Report) -> list[RenderableType]:
    """Return why the figures may be too good, above them."""
    told = "\n".join(f"• {each.sentence}" for each in report.diagnosis.leaks)
    return [Panel(Text(told), title=TOO_GOOD, title_align="left", border_style="red")] if told else []


def _trust(report: Report) -> list[str]:
    """Return what else the rows tell, a sentence each."""
    found = report.diagnosis
    worse = [f"Worse in a group: {each.sentence}" for each in found.slices.found] if found.slices else []
    if not found.suspects:
        return [*found.sentences, *worse]
    rows = ", ".join(f"{each.row} ({each.given}, by the model {each.likely})" for each in found.suspects[:5])
    more = f"; {len(found.suspects) - 5:,} more in report.diagnosis.suspects" if len(found.suspects) > 5 else ""
    return [*found.sentences, *worse, f"Labels worth a check: rows {rows}{more}."]


def figure(estimate: Estimate) -> str:
    """Return an estimate as a table shows it: four digits, the interval behind."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return number(float(f"{estimate.value:.4g}"))
    size = max(abs(estimate.value), abs(estimate.low), abs(estimate.high))
    form = ".3g" if 0 < size < 0.001 or size >= 10_000 else ".4f" if 0 < size < 0.01 else ".3f"
    form = ".0f" if 1000 <= size < 10_000 else ".1f" if 10 <= size < 1000 else form
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def guess(mistake: Mistake) -> str:
    """Return a prediction as a table shows it: the number and its error, or the class and its probability."""
    if mistake.error is not None:
        error = number(abs(mistake.error))
        return f"{number(float(mistake.prediction))} ({'+' if mistake.error > 0 else '-'}{error})"
    sure = "" if mistake.probability is None else f" ({mistake.probability:.1%})"
    return f"{mistake.prediction}{sure}"


def _baseline_notes(report: Report) -> dict[str, str]:
    """Return the baselines' notes, and behind each the names of those that it is about."""
    names: dict[str, list[str]] = {}
    for each in report.baselines:
        if each.note:
            names.setdefault(each.note, []).append(each.name)
    return {note: ", ".join(those) for note, those in names.items()}


@dataclass(frozen=True)
class _Figures:
    """The table of figures: with as many intervals as the width allows, so that nothing is cut."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        most = len(self.report.contenders)
        tables = [
            self._table(n_intervals, whole_labels) for n_intervals in (most, 1, 0) for whole_labels in (True, False)
        ]
        fitting = (table for table in tables if _width(table, console, options) <= options.max_width)
        yield next(fitting, tables[-1])

    def _table(self, n_intervals: int, whole_labels: bool) -> Table:
        report, most = self.report, len(self.report.contenders)
        what = {most: ", 95 % bootstrap intervals", 0: ""}
        intervals = what.get(n_intervals, ", 95 % bootstrap interval for the model")
        title = f"{report.task.replace('_', ' ')} on {report.n_rows:,} {KINDS[report.task].unit}{intervals}"
        table = Table(title=title, box=box.SIMPLE, title_justify="left")
        table.add_column("", no_wrap=True)
        for each in report.contenders:
            name = each.name if n_intervals == most else each.name.replace("-", "-\n").replace(" ", "\n")
            table.add_column(Text(name), justify="right", no_wrap=True, style="bold" if each is report.model else "")
        of_classes = class_metrics(report.task, report.classes)
        for metric in (*METRICS[report.task], *(of_classes if len(of_classes) <= MOST_CLASSES else ())):
            label = f"{metric.label}\N{NO-BREAK SPACE}{'↑' if metric.higher_is_better else '↓'}"
            style = "bold" if metric.name == report.comparison.metric else ""
            shown = [figure(each.metrics[metric.name]) for each in report.contenders]
            cells = [text if i < n_intervals else text.split(" ")[0] for i, text in enumerate(shown)]
            table.add_row(label if whole_labels else textwrap.fill(label, 13), *map(Text, cells), style=style)
        return table


def _width(table: Table, console: Console, options: ConsoleOptions) -> int:
    """Return how wide a table is when nothing in it is cut."""
    return Measurement.get(console, options.update(max_width=10_000), table).maximum


def _texts(report: Report) -> Table:
    """Return the worst answers to be read whole: each below the text that it answers, above the true one."""
    table = Table(title=KINDS[report.task].worst, box=box.SIMPLE, title_justify="left", show_header=False)
    table.add_column("row", no_wrap=True)
    table.add_column("what", no_wrap=True, style="dim")
    table.add_column("text")
    for each in report.mistakes[:MOST_MISTAKES]:
        lines = {**each.features, "said": each.prediction, "true": each.truth}
        for i, (what, words) in enumerate(lines.items()):
            shown = Text(shorten(words, MOST_LETTERS), style="bold" if what == "said" else "")
            table.add_row(str(each.row) if not i else "", what, shown, end_section=i == len(lines) - 1)
    return table


def _mistakes(report: Report) -> Table:
    table = Table(title=KINDS[report.task].worst, box=box.SIMPLE, title_justify="left")
    for name in ("row", "truth", "prediction"):
        table.add_column(name, no_wrap=True)
    shown = report.mistakes[:MOST_MISTAKES]
    with_values = any(each.features for each in shown)
    if with_values:
        table.add_column("values")  # the one that is cut where the terminal is narrow
    for each in shown:
        truth = number(each.truth) if isinstance(each.truth, float) else each.truth
        values = ", ".join(f"{name}={cell(value)}" for name, value in list(each.features.items())[:4])
        cells = map(Text, (str(each.row), shorten(truth, 24), shorten(guess(each), 32)))
        table.add_row(*cells, *([Text(values, no_wrap=True, overflow="ellipsis")] if with_values else []))
    return table


def _marked_texts(report: Report) -> Table:
    """Return texts with their marks, and below each what is true and what was said."""
    kind = KINDS[report.task]
    table = Table(title=kind.worst, box=box.SIMPLE, title_justify="left", show_header=False)
    table.add_column("row", no_wrap=True)
    table.add_column("text")
    for each in report.mistakes[:MOST_MISTAKES]:
        truth = number(each.truth) if isinstance(each.truth, float) else shorten(each.truth, 24)
        below = guess(each) if kind.unit == "passages" else f"true {truth}, said {guess(each)}"
        table.add_row(str(each.row), _marked(each))
        table.add_row("", Text(below, style="dim"), end_section=True)
    return table


def _marked(mistake: Mistake) -> Text:
    """Return a text with its marks: underlined, and red where they are strong."""
    shown = Text()
    for piece, strength in shortened(mistake.pieces, MOST_LETTERS):
        word = piece.rstrip()
        shown.append(word, style="bold underline red" if strength > 0.5 else "underline" if strength else "")
        shown.append(piece[len(word) :].replace("\n", " "))
    return shown


def cell(value: object) -> str:
    """Return a feature value as a table shows it."""
    if value is None:
        return "–"
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else shorten(value, 24)
