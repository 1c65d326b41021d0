"""The `Comparison`: which model is best, whether that is shown, what to take, and what more rows would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from ganglion.drawing.gallery import Charts
from ganglion.errors import unknown_name
from ganglion.evaluation.metrics import Metric
from ganglion.evaluation.more_rows import Curve, MoreRows
from ganglion.evaluation.paired import Pair
from ganglion.evaluation.predictions import Task
from ganglion.evaluation.recommendation import Entry, Recommendation
from ganglion.evaluation.shown import Shown, plain


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """What a comparison of models found.

    Attributes
    ----------
    task : {"binary", "multiclass", "multilabel", "regression"}
    metric : Metric
        By which they are judged.
    n_rows : int
    entries : tuple of Entry
        The contenders, best first.
    pairs : tuple of Pair
        Every two of them, the surest difference first.
    recommendation : Recommendation
    curves : tuple of Curve
        How scores grow with the rows learned from; empty where that was not looked at.
    more_rows : MoreRows or None
    facts : dict of str to str
        What is needed to repeat it.
    notes : tuple of str
        What to know before believing the figures.
    """

    task: Task
    metric: Metric
    n_rows: int
    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    recommendation: Recommendation
    curves: tuple[Curve, ...]
    more_rows: MoreRows | None
    facts: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In one sentence or two: what to take, and what more rows would change."""
        more = f" {self.more_rows.sentence}" if self.more_rows is not None else ""
        return f"{self.recommendation.sentence}{more}"

    @property
    def take(self) -> str:
        """The name of the contender to take."""
        return self.recommendation.take

    def entry(self, name: str) -> Entry:
        """Return a contender by its name; an unknown one raises InvalidParameter."""
        found = {each.name: each for each in self.entries}
        if name not in found:
            raise unknown_name("contender", name, found)
        return found[name]

    @property
    def title(self) -> str:
        """Of its page."""
        return f"Comparison of {len(self.entries)} models"

    def __repr__(self) -> str:
        scores = ", ".join(f"{each.name} {each.score.value:.4g}" for each in self.entries[:4])
        return f"Comparison({self.metric.name}: {scores}; take {self.take})"

    def __rich__(self) -> RenderableType:
        from ganglion.evaluation.comparison_terminal import render

        return render(self)

    def _repr_html_(self) -> str:
        from ganglion.evaluation.comparison_page import fragment

        return fragment(self)

    def plot(self) -> Charts:
        """Return the charts by name: the scores with their intervals, and the learning curves."""
        from ganglion.evaluation.comparison_charts import charts_of

        return charts_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison in plain types that JSON can hold; an infinite number of rows is None."""
        return {
            "verdict": self.verdict,
            "take": self.take,
            "task": self.task,
            "metric": plain(self.metric),
            "n_rows": self.n_rows,
            "entries": plain(self.entries),
            "pairs": [plain(each) | {"told_apart": each.told_apart} for each in self.pairs],
            "recommendation": plain(self.recommendation),
            "curves": plain(self.curves),
            "more_rows": plain(self.more_rows) if self.more_rows is not None else None,
            "facts": dict(self.facts),
            "notes": list(self.notes),
        }
