"""What a model tells of itself without being asked to predict: its name, its training, its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.evaluation.predictions import Truth

if TYPE_CHECKING:
    from ganglion.evaluation.kinds import Kind


def innermost(model: Any) -> Any:
    """Return the estimator inside pipelines and searches, which has the name and the history."""
    while True:
        inner = getattr(model, "best_estimator_", None)
        if inner is None and isinstance(getattr(model, "steps", None), list) and model.steps:
            inner = model.steps[-1][1]
        if inner is None:
            return model
        model = inner


def is_deep(model: Any) -> bool:
    """Whether a model is a network: ours have a history, scikit-learn's have layers."""
    inner = innermost(model)
    return hasattr(inner, "history_") or hasattr(inner, "n_layers_")


def learning_curves(model: Any) -> dict[str, list[float | None]]:
    """Return the numeric columns of a model's `history_.rows`; an epoch without a value has None."""
    rows: list[Any] = list(getattr(getattr(innermost(model), "history_", None), "rows", None) or ())
    names = list(dict.fromkeys(name for row in rows for name, value in row.items() if _is_number(value)))
    return {name: [float(row[name]) if _is_number(row.get(name)) else None for row in rows] for name in names}


def alarms_of(model: Any) -> list[str]:
    """Return what looked wrong when a model's training ended, in words."""
    alarms = getattr(getattr(innermost(model), "history_", None), "alarms", None) or ()
    return [f"Alarm of its training: {each['name']}: {each['evidence']} {each['remedy']}" for each in alarms]


def best_epoch(model: Any) -> int | None:
    """Return the epoch, from 1, whose weights a model has, where its `history_` knows that."""
    epoch = getattr(getattr(innermost(model), "history_", None), "best_epoch", None)
    return epoch if isinstance(epoch, int) else None


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and bool(np.isfinite(value))


def facts_of(
    model: Any, kind: Kind, truth: Truth, said: Any, n_resamples: int, seed: int, weighted: bool
) -> dict[str, str]:
    """Return what a reader must know of model and data to repeat the evaluation, as pairs of words."""
    inner = innermost(model)
    facts = {"Model": type(inner).__name__ if inner is model else f"{type(inner).__name__} in {type(model).__name__}"}
    features = getattr(model, "n_features_in_", None)
    facts |= {"Features": f"{features:,}"} if isinstance(features, (int, np.integer)) else {}
    facts[f"Evaluation {kind.unit}"] = f"{len(truth):,}" + (", weighted" if weighted else "")
    facts |= kind.facts(truth, said)
    facts["Intervals"] = f"95 % bootstrap, {n_resamples:,} resamples, seed {seed}"
    return facts
