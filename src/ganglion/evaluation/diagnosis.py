"""What else evaluation rows tell of a model: where it is worst, whom to ask about labels, how far to believe it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ganglion.data.rows import take_rows
from ganglion.errors import InvalidParameter
from ganglion.evaluation.bootstrap import Estimate
from ganglion.evaluation.conformal import Coverage, check_coverage_level, checked_coverage
from ganglion.evaluation.costs import Threshold, check_costs, checked_threshold
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.label_errors import Suspect, label_suspects
from ganglion.evaluation.leaks import Judged, Leak, find_leaks
from ganglion.evaluation.metrics import Metric, point_value
from ganglion.evaluation.predictions import Predictions, Truth, predict
from ganglion.evaluation.slices import Slices, badness_of, worst_slices
from ganglion.evaluation.temperature import Scaled, checked_temperature

TASKS = ("binary", "multiclass", "multilabel", "regression")
FEWEST = 100  # rows to look for anything among
MOST_TRAINING = 5000  # rows of training that are predicted again


@dataclass(frozen=True, slots=True)
class Fit:
    """The figure that decides, on rows of training, beside the one on evaluation rows."""

    metric: str
    training: float
    here: Estimate
    n_rows: int

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        return (
            f"On {self.n_rows:,} rows that it learned from, its {self.metric} is {self.training:.4g}; here {self.here}."
        )


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What else the evaluation rows tell; None where there was nothing to tell it from, or nobody asked.

    Attributes
    ----------
    leaks : tuple of Leak
        Why the figures may be too good: evaluation rows that were learned from, columns that hold the answer.
    fit : Fit or None
        Of training rows, where they were given.
    slices : Slices or None
        Groups of rows on which the model is worse than on the others.
    suspects : tuple of Suspect
        Rows whose label is worth a check.
    temperature : Scaled or None
        What one temperature would change.
    coverage : Coverage or None
        Whether prediction sets or intervals hold what they promise.
    threshold : Threshold or None
        Where to draw the line between two classes, by the costs that were given.
    """

    leaks: tuple[Leak, ...] = ()
    fit: Fit | None = None
    slices: Slices | None = None
    suspects: tuple[Suspect, ...] = ()
    temperature: Scaled | None = None
    coverage: Coverage | None = None
    threshold: Threshold | None = None

    @property
    def sentences(self) -> list[str]:
        """What was found, a sentence each."""
        parts = (self.fit, self.temperature, self.coverage, self.threshold)
        found = [each.sentence for each in parts if each is not None]
        if self.slices is not None and not self.slices.found and self.slices.n_looked_at:
            found.append(f"Of {self.slices.n_looked_at:,} groups of rows none is shown to be worse than the others.")
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What `evaluate` was asked for beside the usual: coverage, costs of mistakes, groups and times of the rows."""

    conformal: float | None = None
    costs: tuple[float, float] | None = None
    groups: Any = None
    time: Any = None


def check_asked(task: str, conformal: Any, costs: Any, groups: Any = None, time: Any = None) -> Asked:
    """Return what was asked for, or raise InvalidParameter."""
    told = [name for name, given in (("groups", groups), ("time", time)) if given is not None]
    if told and task not in TASKS:
        raise InvalidParameter(f"{told[0]}=…: for classes and numbers, but the task is {task}. Leave it out.")
    if conformal is not None:
        conformal = check_coverage_level(conformal)
        if task not in ("binary", "multiclass", "regression"):
            raise InvalidParameter(
                f"conformal={conformal}: for one class of several, or numbers, but the task is {task}. Leave it out."
            )
    if costs is not None:
        costs = check_costs(costs)
        if task != "binary":
            raise InvalidParameter(f"costs={costs}: for two classes, but the task is {task}. Leave them out.")
    return Asked(conformal, costs, groups, time)


def diagnose(
    model: Any,
    X: Any,
    truth: Truth,
    said: Predictions,
    metric: Metric,
    here: Estimate,
    *,
    train: tuple[Any, Truth] | None,
    asked: Asked,
    n_bootstrap: int,
    seed: int,
) -> Diagnosis:
    """Look for all of it among the evaluation rows.

    Parameters
    ----------
    model : estimator
    X, truth, said : the evaluation rows, their true answers, and what the model said
    metric, here : the metric that decides, and what it is
    train : (X_train, its truth), or None
    asked : what `check_asked` returned
    n_bootstrap, seed : int
    """
    covered = None if asked.conformal is None else checked_coverage(truth, said, asked.conformal, seed=seed)
    judged = Judged(X, truth, said, metric, n_bootstrap, seed)
    target = getattr(innermost(model), "target_name_", "") or "y"
    found = Diagnosis(
        leaks=find_leaks(judged, train=train, target=target, groups=asked.groups, time=asked.time),
        fit=None if train is None else _fit(model, *train, metric, here, seed),
        coverage=covered,
    )
    if len(truth) < FEWEST:
        return found
    found = replace(found, slices=worst_slices(X, badness_of(truth, said)))
    if truth.task not in ("binary", "multiclass") or said.probabilities is None:
        return found
    codes, probabilities = truth.values, said.probabilities
    line = None
    if asked.costs is not None:
        line = checked_threshold(codes == 1, probabilities[:, 1], asked.costs, n_bootstrap=n_bootstrap, seed=seed)
    return replace(
        found,
        suspects=label_suspects(codes, probabilities, truth.classes),
        temperature=checked_temperature(codes, probabilities, seed=seed),
        threshold=line,
    )


def _fit(model: Any, X: Any, truth: Truth, metric: Metric, here: Estimate, seed: int) -> Fit | None:
    rows = np.sort(np.random.default_rng(seed).permutation(len(truth))[:MOST_TRAINING])
    some, true = take_rows(X, rows), truth.take(rows)
    value = point_value(true, predict(model, some, true), metric.name)
    return Fit(metric.label, value, here, len(rows)) if isinstance(value, float) else None
