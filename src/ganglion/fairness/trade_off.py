"""The trade-off curve: what each mitigation, at each of its settings, costs in accuracy and saves in unfairness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from sklearn.base import clone

from ganglion.drawing.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, padded
from ganglion.drawing.gallery import Charts, grid
from ganglion.drawing.svg import SERIES, Chart, dot, legend, line, text
from ganglion.errors import InvalidInput, unknown_name
from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights
from ganglion.evaluation.inputs import read_answers
from ganglion.evaluation.page_parts import framed, table
from ganglion.evaluation.shown import Shown, plain
from ganglion.evaluation.terminal import figure
from ganglion.fairness.gaps import CLASS_GAPS, gap_named, gaps_of
from ganglion.fairness.groups import Array, Groups, Sensitive, crossed, read_groups
from ganglion.fairness.rates import measure_classes


@dataclass(frozen=True, slots=True)
class Point:
    """One model on the curve.

    Attributes
    ----------
    name : str
    accuracy, unfairness : Estimate
        On rows not learned from, with their intervals.
    best : bool
        Whether no other one is both more accurate and less unfair.
    """

    name: str
    accuracy: Estimate
    unfairness: Estimate
    best: bool


@dataclass(frozen=True, repr=False)
class TradeOff(Shown):
    """Accuracy against unfairness of several models.

    Attributes
    ----------
    measure : str
        Of unfairness: 0 is none.
    by : str
        The sensitive column.
    points : tuple of Point
        In the order in which models were given.
    """

    measure: str
    by: str
    points: tuple[Point, ...]

    def __repr__(self) -> str:
        return f"TradeOff({len(self.points)} models, {self.measure} by {self.by})"

    def __rich__(self) -> RenderableType:
        shown = Table(box=box.SIMPLE, title=f"Accuracy against {self._label} by {self.by}", title_justify="left")
        for head in ("model", "accuracy", self._label, "none is better in both"):
            shown.add_column(head)
        for each in self.points:
            cells = (each.name, figure(each.accuracy), figure(each.unfairness), "yes" if each.best else "")
            shown.add_row(*map(Text, cells))
        return Stack(shown)

    def _repr_html_(self) -> str:
        import html

        rows = [
            f'<tr><th scope="row">{html.escape(each.name)}</th><td>{figure(each.accuracy)}</td>'
            f"<td>{figure(each.unfairness)}</td><td>{'yes' if each.best else ''}</td></tr>"
            for each in self.points
        ]
        heads = ["model", "accuracy", self._label, "none is better in both"]
        head = f"<header><h1>Accuracy against {html.escape(self._label)}</h1></header>"
        return framed(f"{head}<section>{grid(self.plot().values())}{table(heads, rows, 'Models')}</section>")

    @property
    def _label(self) -> str:
        return self.measure.replace("_", " ")

    def to_dict(self) -> dict[str, Any]:
        """Return the curve in plain types that JSON can hold."""
        return plain(self)

    def plot(self) -> Charts:
        """Return the curve as a chart."""
        return Charts({"trade_off": _chart(self)})


def trade_off(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    test: tuple[Any, Any],
    sensitive: Sensitive,
    test_sensitive: Sensitive = None,
    measure: str = "equalized_odds_difference",
    positive: Any = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
) -> TradeOff:
    """Fit models and show what each costs in accuracy and saves in unfairness, on rows not learned from.

    Parameters
    ----------
    models : mapping of str to classifier
        Unfitted, by name: the model as it is, and what `debias` makes of it at several settings. Those that know
        `sensitive` from their constructor are fitted to X and y; other mitigations are given the groups.
    X, y : array-like
        To learn from.
    test : tuple of X and y
        Rows not learned from. Settings that are chosen by the curve are not tested by it: keep other rows for that.
    sensitive : str, list of str, array-like, frame or mapping
        Columns of X, or the groups of the rows of X; several columns make groups together.
    test_sensitive : array-like, frame or mapping, optional
        The groups of the test rows, where they are no columns of X.
    measure : str
        Of unfairness, a difference of an `Audit`: equalized_odds_difference, demographic_parity_difference, …
    positive : object, optional
        The positive class; without, the second one as sorted.
    n_bootstrap : int
        Resamples behind the intervals.
    random_state : int
        Of the resamples.

    Returns
    -------
    TradeOff

    Raises
    ------
    InvalidInput, InvalidParameter
        If there are not two classes, groups cannot be read, or the measure is not known.
    """
    known = [kind.name for kind in CLASS_GAPS if not kind.is_ratio and kind.name != "calibration_difference"]
    if measure not in known:
        raise unknown_name("measure of unfairness", measure, known)
    X_test, y_test = test[0], read_answers(test[1], "the y of test")
    columns = read_groups(sensitive if test_sensitive is None else test_sensitive, X_test, len(y_test))
    groups = columns[0] if len(columns) == 1 else crossed(columns)
    classes = np.unique(y_test)
    if len(classes) != 2 and positive is None:
        raise InvalidInput(f"y has {len(classes)} classes. Give positive=…, one of {classes.tolist()[:10]}.")
    hit = classes[1] if positive is None else positive
    measured = []
    for name, model in models.items():
        fitted = _fitted(clone(model), X, y, sensitive)
        said = np.asarray(_predicted(fitted, X_test, sensitive if test_sensitive is None else test_sensitive))
        right = said == y_test
        measured.append(
            (
                name,
                _accuracy(right, n_bootstrap, random_state),
                _gap(groups, y_test == hit, said == hit, measure, n_bootstrap, random_state),
            )
        )
    return TradeOff(measure, groups.name, tuple(_points(measured)))


def _fitted(model: Any, X: Any, y: Any, sensitive: Sensitive) -> Any:
    wants = hasattr(model, "hide") and getattr(model, "sensitive", None) is None
    return model.fit(X, y, sensitive=sensitive) if wants else model.fit(X, y)


def _predicted(model: Any, X: Any, sensitive: Sensitive) -> Array:
    wants = hasattr(model, "hide") and getattr(model, "sensitive", None) is None
    return model.predict(X, sensitive=sensitive) if wants else model.predict(X)


def _accuracy(right: Array, n_bootstrap: int, seed: int) -> Estimate:
    share = right.astype(np.float64)
    n = len(right)
    samples = [share @ weights / n for weights in resampled_weights(n, n_bootstrap, seed)]
    return Estimate(float(share.mean()), *percentile_interval(np.concatenate(samples)))


def _gap(groups: Groups, true: Array, said: Array, measure: str, n_bootstrap: int, seed: int) -> Estimate:
    measured = measure_classes(groups, true, said, None, n_bootstrap=n_bootstrap, seed=seed)
    gap = gap_named(gaps_of(groups, measured, min_group=30), measure)
    return Estimate(None, reason="not measured") if gap is None else gap.estimate


def _points(measured: list[tuple[str, Estimate, Estimate]]) -> list[Point]:
    pairs = [(accuracy.value or 0.0, np.inf if gap.value is None else gap.value) for _, accuracy, gap in measured]
    best = [
        not any((a >= own_a and g < own_g) or (a > own_a and g <= own_g) for a, g in pairs) for own_a, own_g in pairs
    ]
    return [Point(name, accuracy, gap, good) for (name, accuracy, gap), good in zip(measured, best, strict=True)]


def _chart(curve: TradeOff) -> Chart:
    points = [each for each in curve.points if each.unfairness.value is not None]
    across = [v for each in points for v in (each.unfairness.value, each.unfairness.low, each.unfairness.high)]
    up = [v for each in points for v in (each.accuracy.value, each.accuracy.low, each.accuracy.high)]
    kinds = list(dict.fromkeys(each.name.split(" ")[0] for each in points))
    colour = {kind: SERIES[i % len(SERIES)] for i, kind in enumerate(kinds)}
    keys, last = legend(LEFT, TOP + 8, [(kind, colour[kind], "") for kind in kinds], RIGHT)
    known_across, known_up = ([v for v in values if v is not None] for values in (across, up))
    ends = (*padded(min(known_across, default=0.0), max(known_across, default=1.0)), *_near(known_up))
    lower = max(0.0, last - TOP - 8)
    frame = Frame(LEFT, last + 14, RIGHT, BOTTOM + lower, *ends)
    title = f"Accuracy against {curve.measure.replace('_', ' ')}"
    marks = [text(16, 20, title, kind="t"), keys, frame.axes(curve.measure.replace("_", " "), "accuracy")]
    marks += [_cross(frame, each, colour[each.name.split(" ")[0]]) for each in points]
    return Chart(title, WIDTH, HEIGHT + lower, "".join(marks))


def _near(values: list[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    space = 0.06 * (high - low) or 0.01
    return low - space, high + space


def _cross(frame: Frame, point: Point, colour: str) -> str:
    x, y = frame.x(point.unfairness.value or 0.0), frame.y(point.accuracy.value or 0.0)
    marks = dot(x, y, colour=colour, radius=5 if point.best else 3.5, tip=f"{point.name}: {point.accuracy}")
    if point.unfairness.low is not None and point.unfairness.high is not None:
        marks += line(frame.x(point.unfairness.low), y, frame.x(point.unfairness.high), y, colour=colour)
    if point.accuracy.low is not None and point.accuracy.high is not None:
        marks += line(x, frame.y(point.accuracy.low), x, frame.y(point.accuracy.high), colour=colour)
    return marks
