"""The `Explanation` of one sample, and `Explanations` of several: values, and how far they can be believed."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, RenderableType

from ganglion.drawing.gallery import Charts, document
from ganglion.drawing.svg import Chart
from ganglion.evaluation.proportions import Z95
from ganglion.explanation.asking import chosen_outputs
from ganglion.explanation.ranking import agreement
from ganglion.explanation.words import SIZES
from ganglion.storage import write_text

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False, kw_only=True)
class Explanation:
    """What each feature of one sample adds to what the model says of it, and how far that can be believed.

    All outputs of the model that were explained are here; `values`, `base` and the like are those of the output that
    is shown, which `of(name)` changes.

    Attributes
    ----------
    method : str
        "exact", "permutation", "kernel", "lime", …
    how : str
        In words, what was drawn, and what stands in place of what is left out.
    features : tuple of str
        Names of the d features: columns, words, parts of a picture, stretches of a recording.
    given : tuple
        What each of them is in this sample, as its user knows it; None where it has no short form.
    outputs : tuple of str
        Names of the k outputs: classes, labels or targets.
    shown : int
        Which of them is shown.
    effects : ndarray of shape (d, k)
        What each feature adds to each output.
    bases, predictions : ndarray of shape (k,)
        The outputs when everything is left out, and of the sample itself.
    spans : ndarray of shape (k,)
        How far apart the model's outputs are over samples and background: the unit of the gap.
    errors : ndarray of shape (d, k), or None
        Standard error of each effect, from all that was drawn: 0 where nothing was, None where it is not known.
    adds_up : bool
        Whether the method promises that base and effects add up to the prediction.
    stability : float or None
        Rank correlation of the values of the shown output by two halves of what was drawn. A repeated run, which draws
        twice as much, agrees better.
    modality : str
        "table", "image", "text", …
    drawn : Any
        What is needed to draw the sample: `Pieces` of a text, `Regions` of a picture; None for tables.
    """

    method: str
    how: str = ""
    features: tuple[str, ...]
    given: tuple[Any, ...]
    outputs: tuple[str, ...]
    shown: int = 0
    effects: Array
    bases: Array
    predictions: Array
    spans: Array
    errors: Array | None = None
    adds_up: bool = True
    stability: float | None = None
    modality: str = "table"
    drawn: Any = field(default=None, compare=False)

    @property
    def output(self) -> str:
        """The name of the output that is shown."""
        return self.outputs[self.shown]

    @property
    def values(self) -> Array:
        """What each feature adds to the output that is shown, (d,)."""
        return self.effects[:, self.shown]

    @property
    def base(self) -> float:
        """The output that is shown when everything is left out: the mean over the background."""
        return float(self.bases[self.shown])

    @property
    def prediction(self) -> float:
        """What the model says of the sample, of the output that is shown."""
        return float(self.predictions[self.shown])

    @property
    def error(self) -> Array | None:
        """Standard error of each value, (d,), or None."""
        return None if self.errors is None else self.errors[:, self.shown]

    @property
    def interval(self) -> Array | None:
        """The 95 % interval of each value, (d, 2), or None."""
        if self.error is None:
            return None
        half = Z95 * self.error
        return np.stack([self.values - half, self.values + half], 1)

    @property
    def gap(self) -> float:
        """How far base and values are from adding up to the prediction, as a share of the model's output range."""
        apart = abs(self.base + float(self.values.sum()) - self.prediction)
        return apart / float(self.spans[self.shown]) if self.spans[self.shown] > 0 else apart

    @property
    def order(self) -> NDArray[np.intp]:
        """The features, the largest value first, whatever its sign."""
        return np.argsort(-np.abs(self.values), kind="stable")

    def of(self, output: Any) -> Explanation:
        """Return the explanation of another output: a class, a label or a target.

        Raises
        ------
        InvalidInput
            If it is none that was explained.
        """
        return replace(self, shown=chosen_outputs(self.outputs, output)[0], stability=None)

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        gap = "" if self.method in SIZES else f", gap={self.gap:.2%}"
        return f"Explanation({self.output}: {self.base:.4g} → {self.prediction:.4g}, {self.method}{gap})"

    def __rich__(self) -> RenderableType:
        from ganglion.explanation.terminal import one

        return one(self)

    def __str__(self) -> str:
        return _printed(self)

    def _repr_html_(self) -> str:
        from ganglion.explanation.page import fragment

        return fragment([self])

    def plot(self) -> Chart:
        """Return a picture: bars from the base to the prediction; of a text its words, of a picture its regions."""
        from ganglion.explanation.charts import chart_of

        return chart_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation of the shown output in plain types that JSON can hold."""
        interval = self.interval
        features = [
            {"feature": name, "given": _plain(given), "value": float(value)}
            for name, given, value in zip(self.features, self.given, self.values, strict=True)
        ]
        if interval is not None:
            for each, (low, high) in zip(features, interval.tolist(), strict=True):
                each["interval"] = [_plain(low), _plain(high)]
        return {
            "method": self.method,
            "how": self.how,
            "output": self.output,
            "base": self.base,
            "prediction": self.prediction,
            "gap": self.gap,
            "adds_up": self.adds_up,
            "stability": _plain(self.stability),
            "features": features,
        }

    def to_html(self, path: Any = None) -> str:
        """Return the explanation as one page complete in itself, and write it to `path` if one is given."""
        return _page([self], path)


class Explanations(Sequence[Explanation]):
    """Explanations of several samples, one each."""

    def __init__(self, each: Sequence[Explanation]) -> None:
        self._each = tuple(each)

    @overload
    def __getitem__(self, i: int) -> Explanation: ...
    @overload
    def __getitem__(self, i: slice) -> Explanations: ...
    def __getitem__(self, i: int | slice) -> Explanation | Explanations:
        return Explanations(self._each[i]) if isinstance(i, slice) else self._each[i]

    def __len__(self) -> int:
        return len(self._each)

    def __iter__(self) -> Iterator[Explanation]:
        return iter(self._each)

    @property
    def alike(self) -> bool:
        """Whether all samples have the same features, as the rows of a table have."""
        return len({each.features for each in self._each}) == 1

    @property
    def values(self) -> Array:
        """The values of all samples, (n, d), each of the output that it shows.

        Raises
        ------
        ValueError
            If they have not the same features, as texts have not: take each by itself.
        """
        if not self.alike:
            raise ValueError(
                "these samples have features of their own: take the values of each, explanations[i].values."
            )
        return np.stack([each.values for each in self._each])

    @property
    def gaps(self) -> Array:
        """The completeness gap of each, (n,)."""
        return np.array([each.gap for each in self._each])

    @property
    def stability(self) -> float | None:
        """The mean over the samples of those whose stability is known, or None."""
        known = [each.stability for each in self._each if each.stability is not None]
        return float(np.mean(known)) if known else None

    def of(self, output: Any) -> Explanations:
        """Return the explanations of one output, a class, a label or a target, for all samples."""
        return Explanations([each.of(output) for each in self._each])

    def agreement(self, other: Explanations) -> float:
        """Return the mean rank correlation (Spearman) of the values of the same samples in two runs, -1 to 1."""
        pairs = zip(self._each, other, strict=True)
        return float(np.mean([float(agreement(one.values, two.values)) for one, two in pairs]))

    def __repr__(self) -> str:
        gap = f", gap up to {self.gaps.max():.2%}" if len(self) and self[0].method not in SIZES else ""
        return f"Explanations({len(self)} samples{gap})"

    def __rich__(self) -> RenderableType:
        from ganglion.explanation.terminal import many

        return many(self)

    def __str__(self) -> str:
        return _printed(self)

    def _repr_html_(self) -> str:
        from ganglion.explanation.page import fragment

        return fragment(self._each)

    def plot(self) -> Charts:
        """Return pictures: of tables "summary", and each sample's own under its number."""
        from ganglion.explanation.charts import charts_of

        return charts_of(self)

    def plot_dependence(self, feature: str | int) -> Chart:
        """Return a dot a sample: what a feature adds, over what it is.

        Parameters
        ----------
        feature : str or int
            By name or place; of samples that have the same features.

        Raises
        ------
        InvalidParameter
            If there is no such feature.
        ValueError
            If samples have features of their own.
        """
        from ganglion.explanation.charts import dependence

        return dependence(self, feature)

    def to_dict(self) -> dict[str, Any]:
        """Return all of them in plain types that JSON can hold."""
        return {"explanations": [each.to_dict() for each in self._each]}

    def to_html(self, path: Any = None) -> str:
        """Return all of them as one page complete in itself, and write it to `path` if one is given."""
        return _page(self._each, path)


def _printed(what: Any) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None, legacy_windows=False)
    console.print(what)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(row.rstrip() for row in written.splitlines())


def _page(each: Sequence[Explanation], path: Any) -> str:
    from ganglion.explanation.page import fragment

    content = document("Explanation", fragment(each))
    if path is not None:
        write_text(path, content)
    return content


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return str(value)
