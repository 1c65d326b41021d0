"""Which charts a report has, by task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganglion.drawing.learning import learning_charts
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.svg import Chart
from ganglion.evaluation.charts import (
    confusion_chart,
    interval_chart,
    reliability_chart,
    residual_chart,
    scatter_chart,
)
from ganglion.evaluation.kinds import KINDS
from ganglion.evaluation.metrics import metric_of
from ganglion.evaluation.music import sample_chart

if TYPE_CHECKING:
    from ganglion.evaluation.report import Report

MOST_CLASSES = 30  # of a confusion matrix that can be read
MOST_CONFUSED = 14
MOST_TARGETS = 4
MOST_LINES = 12  # that are told apart


def charts_of(report: Report) -> dict[str, Chart]:
    """Return the charts of a report by name, in reading order."""
    compared = report.metrics[report.comparison.metric].value is not None
    charts = ({"comparison": comparison(report)} if compared else {}) | learning_charts(
        report.learning_curves, report.best_epoch
    )
    if report.confusion is not None and len(report.classes) <= MOST_CLASSES:
        charts["confusion"] = confusion_chart(np.array(report.confusion), report.classes, unit=unit_of(report))
    elif report.confusion is not None and report.task == "tagging":
        charts["most_confused"] = most_confused(report)
    if report.calibration:
        error = report.metrics["calibration_error"].value
        charts["calibration"] = reliability_chart(report.calibration, error)
    if report.curves:
        charts["precision_recall"] = precision_recall(report)
    written = sample_chart(report.predictions) if report.task == "music_modelling" else None
    if written is not None:
        charts["sample"] = written
    return charts | regression(report) | KINDS[report.task].charts(report.truth, report.predictions)


def comparison(report: Report) -> Chart:
    """Draw the headline metric of the model and the baselines."""
    metric = metric_of(report.task, report.comparison.metric)
    better = "higher is better" if metric.higher_is_better else "lower is better"
    names = [each.name for each in report.contenders]
    estimates = [each.metrics[metric.name] for each in report.contenders]
    title = "The model and its baselines" if report.baselines else metric.label
    return interval_chart(names, estimates, title=title, label=f"{metric.label}, 95 % interval ({better})")


def precision_recall(report: Report) -> Chart:
    """Draw precision against recall, a line for each of the first classes."""
    lines = [Series(name, *map(list, zip(*points, strict=True))) for name, points in report.curves.items()][:MOST_LINES]
    return line_chart(
        lines, title="Precision and recall at IoU 0.5", x_label="recall", y_label="precision", ends=(0, 1)
    )


def regression(report: Report) -> dict[str, Chart]:
    """Draw predictions against the truth and the spread of errors, of the first targets."""
    charts: dict[str, Chart] = {}
    if report.task != "regression":
        return charts
    for k, name in enumerate(report.classes[:MOST_TARGETS]):
        true, predicted = report.truth.values[:, k], report.predictions.values[:, k]
        suffix = f"_{k}" if len(report.classes) > 1 else ""
        charts[f"predictions{suffix}"] = scatter_chart(true, predicted, name=name)
        charts[f"errors{suffix}"] = residual_chart(predicted - true, name=name)
    return charts


def unit_of(report: Report) -> str:
    """Return what a confusion matrix counts."""
    return {"segmentation": "pixels", "tagging": "words"}.get(report.task, "rows")


def most_confused(report: Report) -> Chart:
    """Draw the confusion of the labels that are oftenest taken for one another, where there are too many for all."""
    counts, names = (
        np.array(report.confusion),
        list(dict.fromkeys(n for pair in top_confusions(report) for n in pair[:2])),
    )
    places = sorted(report.classes.index(name) for name in names[:MOST_CONFUSED])
    return confusion_chart(
        counts[np.ix_(places, places)],
        [report.classes[i] for i in places],
        unit="words, among the labels confused most",
    )


def top_confusions(report: Report, most: int = 15) -> list[tuple[str, str, int, float]]:
    """Return the commonest mistakes: true class, predicted class, rows, share of the true class."""
    if report.confusion is None:
        return []
    counts = np.array(report.confusion)
    totals = np.maximum(counts.sum(axis=1), 1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    pairs = [(int(cell) // len(counts), int(cell) % len(counts)) for cell in order]
    return [
        (report.classes[i], report.classes[j], int(counts[i, j]), float(counts[i, j] / totals[i]))
        for i, j in pairs
        if counts[i, j]
    ]
