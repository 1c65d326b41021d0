"""The `Report`: everything that an evaluation found, printable, drawable, and readable by machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from rich.console import RenderableType

from ganglion.drawing.gallery import Charts
from ganglion.drawing.svg import Chart
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.calibration import CalibrationBin
from ganglion.evaluation.diagnosis import Diagnosis
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Task, Truth
from ganglion.evaluation.shown import Shown, plain
from ganglion.evaluation.verdict import Standing


@dataclass(frozen=True, slots=True)
class Contender:
    """A model in the race: its name, its metrics, how it was fitted (baselines), and how long that took (seconds)."""

    name: str
    metrics: Mapping[str, Estimate]
    note: str = ""
    seconds: float | None = None


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """What an evaluation found.

    Attributes
    ----------
    task : one of `Task`
        As of the model: "binary", "multiclass", "tagging", …
    n_rows : int
        Rows, images, passages, sequences or pieces, evaluated on.
    classes : tuple of str
        Names of classes, labels (multilabel) or targets (regression).
    model : Contender
    baselines : tuple of Contender
        Empty where none were run.
    comparison : Standing
        The model against the best baseline; its sentence is `verdict`.
    confusion : tuple of tuple of int, or None
        Counts of rows (segmentation: of pixels, tagging: of words), true class by predicted class.
    calibration : tuple of CalibrationBin
        Empty where there are no probabilities.
    curves : dict of str to list of tuple
        Recall and precision of each class (detection), the surest boxes first; empty for other tasks.
    learning_curves : dict of str to list
        Columns of the model's history, one value an epoch; empty for models without.
    best_epoch : int or None
        The epoch whose weights the model has, where its history knows that.
    mistakes : tuple of Mistake
        The most confident mistakes or largest errors, worst first.
    augmentation : Chart or None
        Some pictures and how training changed them at random, where it did; not part of `to_dict`.
    diagnosis : Diagnosis
        Where it is worst, labels worth a check, how it does on rows of training, and what was asked for:
        coverage of prediction sets, a threshold by cost.
    facts : dict of str to str
        Of model and data.
    notes : tuple of str
        What to know before believing the figures.
    truth : Truth
        The evaluated rows, for charts; not part of `to_dict`.
    predictions : Predictions, MaskPredictions, BoxPredictions, Surprise, Heard, TagPredictions or TextPredictions
        What the model said of them; not part of `to_dict`.
    audit : Audit, optional
        How groups of people were treated on the same rows, where that was asked for (see `with_audit`).
    """

    task: Task
    n_rows: int
    classes: tuple[str, ...]
    model: Contender
    baselines: tuple[Contender, ...]
    comparison: Standing
    confusion: tuple[tuple[int, ...], ...] | None
    calibration: tuple[CalibrationBin, ...]
    curves: Mapping[str, list[tuple[float, float]]]
    learning_curves: Mapping[str, list[float | None]]
    best_epoch: int | None
    mistakes: tuple[Mistake, ...]
    augmentation: Chart | None = field(compare=False)
    diagnosis: Diagnosis
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    truth: Truth = field(compare=False)
    predictions: Any = field(compare=False)
    audit: Any = field(default=None, compare=False)

    def with_audit(self, audit: Any) -> Report:
        """Return the report with an audit of groups, which it then shows and holds."""
        return replace(self, audit=audit)

    @property
    def metrics(self) -> Mapping[str, Estimate]:
        """The model's metrics, each with its interval."""
        return self.model.metrics

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """The model, then its baselines."""
        return (self.model, *self.baselines)

    @property
    def verdict(self) -> str:
        """One sentence: whether the model is worth it."""
        return self.comparison.sentence

    @property
    def title(self) -> str:
        """Of its page."""
        return f"{self.model.name}: evaluation"

    def __repr__(self) -> str:
        metric = self.comparison.metric
        return f"Report({self.model.name}, {self.task}, {self.n_rows} rows, {metric}={self.metrics[metric]})"

    def __rich__(self) -> RenderableType:
        from ganglion.evaluation.terminal import render

        return render(self)

    def _repr_html_(self) -> str:
        from ganglion.evaluation.page import fragment

        return fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in plain types that JSON can hold; pictures of mistakes are left out."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _DRAWN_ONLY}
        found = {name: plain(value) for name, value in kept.items()}
        for mistake in found["mistakes"]:
            del mistake["picture"]
        audited = {} if self.audit is None else {"audit": self.audit.to_dict()}
        return {"verdict": self.verdict, **found, **audited}

    def plot(self) -> Charts:
        """Return the charts that suit the task, and the pictures of the worst mistakes, by name."""
        from ganglion.evaluation.plots import charts_of

        pictures = {f"mistake_{k}": each.picture for k, each in enumerate(self.mistakes, start=1)}
        pictures["augmentation"] = self.augmentation
        return Charts(charts_of(self) | {name: each for name, each in pictures.items() if each})


_DRAWN_ONLY = ("truth", "predictions", "augmentation", "audit")
