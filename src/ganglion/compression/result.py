"""The `Compression`: what each way to make a model smaller costs and saves, and which one fits the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import RenderableType

from ganglion.compression.budget import Budget
from ganglion.compression.timing import Latency
from ganglion.drawing.gallery import Charts
from ganglion.errors import unknown_name
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.shown import Shown, plain

SMALLER = 1.02  # times: below, a file is called as large as before


@dataclass(frozen=True, slots=True)
class Variant:
    """One way, measured.

    Attributes
    ----------
    name : str
    size : int
        Bytes of its file.
    n_parameters : int
        Numbers that training moves; the zeros of pruned weights are among them.
    latency : Latency
        Of one answer, beside the original's.
    score : Estimate
        Accuracy or R², in percent.
    loss : Estimate
        Points less than the original, on the same rows.
    times_smaller : float
        Size of the original's file over that of its own.
    on_front : bool
        Whether nothing else is as small, fast and good, and better in one of these.
    """

    name: str
    size: int
    n_parameters: int
    latency: Latency
    score: Estimate
    loss: Estimate
    times_smaller: float
    on_front: bool

    def placed(self, *, on_front: bool) -> Variant:
        """Return the variant with its place, on the front or behind it."""
        return replace(self, on_front=on_front)

    @property
    def times_faster(self) -> float:
        """Median of the original over its own; 1 where the two are not told apart."""
        ratio = self.latency.ratio
        if ratio.low is None or ratio.high is None or ratio.low <= 1 <= ratio.high:
            return 1.0
        return 1 / (ratio.value or 1.0)

    def is_within(self, bounds: Budget, lost: float) -> bool:
        """Return whether it is within a budget, having lost so many points."""
        return (
            (bounds.loss is None or lost <= bounds.loss)
            and (bounds.size is None or self.size <= bounds.size)
            and (bounds.latency is None or self.latency.median <= bounds.latency)
        )

    @property
    def verdict(self) -> str:
        """In words: smaller or not, faster or not, worse or not, and nothing that was not shown."""
        return f"{self.size_and_speed}, {self._quality}"

    @property
    def size_and_speed(self) -> str:
        """The part of the verdict that is not about quality."""
        return f"{self._size}, {self._speed}"

    @property
    def _size(self) -> str:
        if self.times_smaller >= SMALLER:
            return f"{self.times_smaller:.3g} × smaller"
        return "no smaller" if self.times_smaller > 1 / SMALLER else f"{1 / self.times_smaller:.3g} × larger"

    @property
    def _speed(self) -> str:
        if self.times_faster == 1.0:
            return "no faster"
        return f"{self.times_faster:.3g} × faster" if self.times_faster > 1 else f"{1 / self.times_faster:.3g} × slower"

    @property
    def _quality(self) -> str:
        low, high = self.loss.low, self.loss.high
        if low is None or high is None or low <= 0 <= high:
            return "no loss shown"
        lost = self.loss.value or 0.0
        return f"{lost:.2g} points lost" if lost > 0 else f"{-lost:.2g} points gained"


@dataclass(frozen=True, repr=False)
class Compression(Shown):
    """What was tried to make a model smaller, and what came of it.

    Attributes
    ----------
    model : str
        What was compressed.
    measure : str
        What scores are.
    n_rows : int
        Held-out rows, by which all were judged.
    variants : tuple of Variant
        The original first.
    budget : Budget
    best : str
        Name of the variant within the budget that is smallest and fastest.
    checked : Estimate
        Points that it loses on half of the rows, while it was chosen by the other half.
    notes : tuple of str
    models : dict of str to Estimator
        All variants.
    """

    model: str
    measure: str
    n_rows: int
    variants: tuple[Variant, ...]
    budget: Budget
    best: str
    checked: Estimate
    notes: tuple[str, ...]
    models: Mapping[str, Any] = field(compare=False)

    @property
    def best_(self) -> Any:
        """The estimator within the budget that is smallest and fastest; the original where none is."""
        return self.models[self.best]

    def variant(self, name: str) -> Variant:
        """Return a variant by its name; an unknown one raises InvalidParameter."""
        found = {each.name: each for each in self.variants}
        if name not in found:
            raise unknown_name("variant", name, found)
        return found[name]

    @property
    def front(self) -> tuple[Variant, ...]:
        """The variants that nothing else beats in every respect."""
        return tuple(each for each in self.variants if each.on_front)

    @property
    def verdict(self) -> str:
        """Which variant to take, and what it saves and costs."""
        best = self.variant(self.best)
        if best is self.variants[0]:
            tried = len(self.variants) - 1
            return f"Keep the original: none of {tried} variants is smaller or faster within the budget, {self.budget}."
        value, low, high = (f"{each:.2f}" if each is not None else "?" for each in _ends(self.checked))
        return (
            f"Take {best.name!r}: {best._size} ({_kilobytes(best.size)}), {best._speed} "
            f"({best.latency.median:.3g} ms), {self.measure.split(',')[0]} {best.score.value:.2f} in place of "
            f"{self.variants[0].score.value:.2f}. On {self.n_rows - self.n_rows // 2:,} rows that it was not chosen by "
            f"it loses {value} points [{low}, {high}]."
        )

    @property
    def title(self) -> str:
        """Of its page."""
        return f"Compression of {self.model}"

    def __repr__(self) -> str:
        return f"Compression({self.model}, {len(self.variants)} variants, best: {self.best})"

    def __rich__(self) -> RenderableType:
        from ganglion.compression.terminal import render

        return render(self)

    def _repr_html_(self) -> str:
        from ganglion.compression.page import fragment

        return fragment(self)

    def plot(self) -> Charts:
        """Return the charts by name: what is lost against size, and against latency."""
        from ganglion.compression.charts import charts_of

        return charts_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the models in plain types that JSON can hold."""
        return {
            "verdict": self.verdict,
            "model": self.model,
            "measure": self.measure,
            "n_rows": self.n_rows,
            "best": self.best,
            "checked": plain(self.checked),
            "budget": plain(self.budget),
            "variants": [plain(each) | {"verdict": each.verdict} for each in self.variants],
            "notes": list(self.notes),
        }


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _kilobytes(size: int) -> str:
    return f"{size / 1000:,.1f} kB"
