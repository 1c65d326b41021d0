"""What a model makes, to be looked at: beside what is real, and beside what it learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ganglion.drawing.clouds import cloud_chart, labels_chart, numbers_chart
from ganglion.drawing.lines import Series, line_chart
from ganglion.drawing.pictures import sheet
from ganglion.drawing.png import displayable
from ganglion.drawing.svg import Chart
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.memorisation import Nearness
from ganglion.evaluation.predictions import Array

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset
    from ganglion.evaluation.generation import Reality

Shown = dict[str, Chart]
IN_A_ROW, SIDE = 12, 64.0
FEW = 8  # rows with their nearest, or said again
STEPS = 10  # of a walk
MOST_COLUMNS = 6
MOST_FILTERS = 64
SMALLEST = 1e-12


def look_at(model: Any, truth: Reality, rows: Dataset | None, again: Dataset | None, near: Nearness | None) -> Shown:
    """Return what there is to be looked at of a model, by name: samples, copies, rows said again, a walk, filters."""
    draw = _of_pictures if truth.space.image else _of_tables
    return draw(model, truth, rows, again, near) | _filters(model, truth.space.image)


def _of_pictures(
    model: Any, truth: Reality, rows: Dataset | None, again: Dataset | None, near: Nearness | None
) -> Shown:
    charts: Shown = {}
    places = _spread(len(truth.some), IN_A_ROW)
    real = _pictures(truth.some, places)
    if rows is not None:
        drawn = _spread(len(rows), 4 * IN_A_ROW)
        made = _pictures(rows, drawn)
        grid = [real, *(made[i::4] for i in range(4))]
        names = ["real, held out", "made", "", "", ""]
        charts["samples"] = sheet([list(each) for each in grid], "Made by the model", names=names, side=SIDE)
        if near is not None and truth.seen is not None:
            closest = _pictures(truth.seen, near.place[drawn[::4]])
            pair = [list(made[::4]), list(closest)]
            title = "What was made, and the training picture nearest to it in the features"
            charts["nearest"] = sheet(pair, title, names=["made", "nearest of training"], side=SIDE)
    if again is not None:
        pair = [list(real), list(_pictures(again, places))]
        charts["reconstructions"] = sheet(pair, "Said again", names=["real, held out", "said again"], side=SIDE)
    walked = _walk(model, truth)
    if walked is not None:
        charts["walk"] = sheet(
            [list(_pictures(walked, np.arange(len(walked))))], "A walk from one code to another", side=SIDE
        )
    return charts


def _of_tables(model: Any, truth: Reality, rows: Dataset | None, again: Dataset | None, near: Nearness | None) -> Shown:
    charts: Shown = {}
    if rows is not None:
        charts |= _cloud(truth, rows, "Real and made rows", "made") | _columns(truth.some, rows)
    elif again is not None:
        charts |= _cloud(truth, again, "Real rows, and said again", "said again")
    walked = _walk(model, truth)
    if walked is not None:
        vectors, step = truth.space.plain(walked), list(range(1, len(walked) + 1))
        most = np.argsort(-np.ptp(vectors, axis=0), kind="stable")[:4]
        series = [Series(truth.space.names[j], step, vectors[:, j].tolist()) for j in most.tolist()]
        charts["walk"] = line_chart(
            series, title="A walk from one code to another", x_label="step", y_label="in deviations"
        )
    return charts


def _cloud(truth: Reality, others: Dataset, title: str, name: str) -> Shown:
    """Draw the rows in two numbers: those of the table, or the first two principal components of more."""
    real, made = truth.plain, truth.space.plain(others)
    if real.shape[1] < 2:
        return {}
    labels = list(truth.space.names[:2])
    if real.shape[1] > 2:
        pca = PCA(2, random_state=0).fit(real)
        real, made, labels = pca.transform(real), pca.transform(made), ["first component", "second component"]
    sets = [("real, held out", real), (name, made)]
    return {"cloud": cloud_chart(sets, title=title, x_label=labels[0], y_label=labels[1])}


def _columns(real: Dataset, made: Dataset) -> Shown:
    charts: Shown = {}
    for field in real.features:
        if field.kind not in ("numeric", "boolean", "categorical", "date"):
            continue
        pair = [each.values(field.name) for each in (real, made)]
        if field.kind == "categorical":
            charts[f"column_{field.name}"] = labels_chart(field.name, *([str(v) for v in each] for each in pair))
        elif field.kind == "boolean":
            charts[f"column_{field.name}"] = labels_chart(
                field.name, *(np.where(each > 0.5, "true", "false").tolist() for each in pair)
            )
        elif field.shape:
            parts = zip(*(each.reshape(len(each), -1).T for each in pair), strict=True)
            charts |= {
                f"column_{field.name}{j}": numbers_chart(f"{field.name}{j}", *two) for j, two in enumerate(parts)
            }
        else:
            charts[f"column_{field.name}"] = numbers_chart(field.name, *pair)
    return dict(list(charts.items())[:MOST_COLUMNS])


def _walk(model: Any, truth: Reality) -> Dataset | None:
    """Return rows on the way from one code to another: between two real rows, or between two that are made."""
    from ganglion.data.convert import as_dataset

    if not hasattr(model, "interpolate"):
        return None
    labels = {} if not getattr(model, "conditional", False) else {"y": truth.labels[truth.rows[0]]}  # type: ignore
    if hasattr(model, "inverse_transform"):
        ends = truth.some.take(np.array([0, len(truth.some) // 2]))
        return as_dataset(model.interpolate(ends, steps=STEPS, **labels))
    return as_dataset(model.interpolate(STEPS, random_state=0, **labels))


def _filters(model: Any, image: tuple[int, ...]) -> Shown:
    """Draw what each hidden unit looks for, of a model with `components_`, (n_units, n_pixels), of pictures."""
    weights = getattr(innermost(model), "components_", None)
    if weights is None or not image or weights.shape[1] != int(np.prod(image)):
        return {}
    kept = np.asarray(weights, dtype=np.float64)[:MOST_FILTERS].reshape(-1, *image)
    largest = np.abs(kept).max(axis=(1, 2, 3), keepdims=True)
    shades = np.round(127.5 * (1 + kept / np.maximum(largest, SMALLEST))).astype(np.uint8)
    rows = [list(shades[i : i + 16]) for i in range(0, len(shades), 16)]
    title = f"Filters of {len(shades)} of {len(weights)} hidden units: white is for, black against"
    return {"filters": sheet(rows, title, side=48)}


def _spread(n: int, wanted: int) -> NDArray[np.intp]:
    """Return places among n, evenly apart: rows may come sorted by class."""
    return np.unique(np.linspace(0, n - 1, wanted).round().astype(np.intp))


def _pictures(data: Dataset, places: NDArray[np.intp]) -> Array:
    """Return pictures of a data set, (k, channels, height, width) uint8."""
    some = data.take(places)
    name = next(field.name for field in some.features if field.kind == "image")
    return displayable(np.asarray(some.columns[name]))
