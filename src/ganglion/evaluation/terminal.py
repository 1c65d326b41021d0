"""A report in a terminal: verdict, table of figures, worst mistakes, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.metrics import METRICS
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.svg import number, shorten

if TYPE_CHECKING:
    from ganglion.evaluation.report import Report

MOST_MISTAKES = 5
_COLOUR = {"better": "green", "no difference": "yellow", "worse": "red", "not compared": "dim"}


def render(report: Report) -> RenderableType:
    """Return what rich prints for a report."""
    colour = _COLOUR[report.comparison.outcome]
    parts: list[RenderableType] = [
        Panel(Text(report.verdict), title="Verdict", title_align="left", border_style=colour),
        _figures(report),
    ]
    absent = {e.reason for e in report.metrics.values() if e.value is None}
    parts += [Text(f"–: {reason}", style="dim") for reason in sorted(absent)]
    if report.mistakes:
        parts.append(_mistakes(report))
    parts += [Text(f"• {note}") for note in report.notes]
    parts += [Text(f"• {each.name}: {each.note}.", style="dim") for each in report.baselines if each.note]
    return Group(*parts)


def figure(estimate: Estimate) -> str:
    """Return an estimate as a table shows it: four digits, the interval behind."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return number(float(f"{estimate.value:.4g}"))
    size = max(abs(estimate.value), abs(estimate.low), abs(estimate.high))
    form = ".3g" if 0 < size < 0.001 or size >= 10_000 else ".4f" if size < 0.01 else ".3f" if size < 10 else ".1f"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def guess(mistake: Mistake) -> str:
    """Return a prediction as a table shows it: the number and its error, or the class and its probability."""
    if mistake.error is not None:
        return f"{number(float(mistake.prediction))} ({mistake.error:+.4g})"
    sure = "" if mistake.probability is None else f" ({mistake.probability:.1%})"
    return f"{mistake.prediction}{sure}"


def _figures(report: Report) -> Table:
    table = Table(
        title=f"{report.task} on {report.n_rows:,} rows, 95 % bootstrap intervals", box=box.SIMPLE, title_justify="left"
    )
    table.add_column("")
    for each in report.contenders:
        table.add_column(Text(each.name), justify="right", style="bold" if each is report.model else "")
    for metric in METRICS[report.task]:
        direction = "↑" if metric.higher_is_better else "↓"
        style = "bold" if metric.name == report.comparison.metric else ""
        cells = [figure(each.metrics[metric.name]).replace(", ", ",") for each in report.contenders]
        table.add_row(f"{metric.label} {direction}", *cells, style=style)
    return table


def _mistakes(report: Report) -> Table:
    title = "Largest errors" if report.task == "regression" else "Most confident mistakes"
    table = Table("row", "truth", "prediction", "values", title=title, box=box.SIMPLE, title_justify="left")
    for each in report.mistakes[:MOST_MISTAKES]:
        truth = number(each.truth) if isinstance(each.truth, float) else each.truth
        values = ", ".join(f"{name}={cell(value)}" for name, value in list(each.features.items())[:4])
        shown = (str(each.row), shorten(truth, 24), shorten(guess(each), 32), shorten(values, 60))
        table.add_row(*(Text(words) for words in shown))
    return table


def cell(value: object) -> str:
    """Return a feature value as a table shows it."""
    if value is None:
        return "–"
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else shorten(value, 24)
