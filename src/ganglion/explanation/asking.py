"""What is asked of a model: which numbers of its answer are explained, and what each is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_regressor

from ganglion.errors import InvalidInput, suggestion
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.inputs import check_model

Array = NDArray[np.float64]
Kind = Literal["probability", "score", "number"]
MOST_OUTPUTS = 16  # explained together; of more, the predicted one of each sample
EXPLAINED = ("classification", "regression", "forecasting")  # tasks of ours that answer a row of numbers a sample


def kind_of(model: Any) -> Kind:
    """Return which numbers of a model are explained: probabilities, scores of who has none, or predicted numbers.

    Raises
    ------
    InvalidInput
        If the model is not fitted, or does not answer a row of numbers to a sample.
    """
    check_model(model)
    task = getattr(getattr(model, "tags", None), "task", None)
    if task is not None and task not in EXPLAINED:
        raise InvalidInput(
            f"{type(model).__name__} is a model of {task.replace('_', ' ')}. explain works on classifiers, "
            "regressors and forecasters, which answer a row of numbers to each sample."
        )
    if hasattr(model, "predict_proba"):
        return "probability"
    tagged = hasattr(model, "__sklearn_tags__")
    if tagged and is_regressor(model):
        return "number"
    if hasattr(model, "decision_function"):
        return "score"
    if tagged and is_classifier(model):
        raise InvalidInput(
            f"{type(model).__name__} has neither predict_proba nor decision_function: labels alone cannot be explained "
            "by what moves them a little. Give a classifier that says how sure it is (SVC(probability=True), …)."
        )
    return "number"


def ask(model: Any, kind: Kind, X: Any) -> Array:
    """Return what a model answers to the rows of X, (n, k), through scikit-learn's contract.

    Raises
    ------
    InvalidInput
        If it is no table of finite numbers with a row for each row of X.
    """
    method = {"probability": "predict_proba", "score": "decision_function", "number": "predict"}[kind]
    said = getattr(model, method)(X)
    if isinstance(said, list):
        raise InvalidInput(
            f"{type(model).__name__}.{method} answers a list of {len(said)} arrays, one a target. Explain one target: "
            "give the estimator of that target (model.estimators_[i])."
        )
    return checked(model, said)


def checked(model: Any, said: Any) -> Array:
    """Return answers as float64, (n, k), or raise InvalidInput where they are no finite numbers."""
    try:
        answers = np.asarray(said, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{type(model).__name__} does not answer numbers ({error}), so there is nothing to add up."
        ) from error
    answers = answers.reshape(len(answers), -1)
    if not np.isfinite(answers).all():
        raise InvalidInput(
            f"{type(model).__name__} answers NaN or infinity to {int((~np.isfinite(answers)).any(axis=1).sum()):,} of "
            f"{len(answers):,} rows. Look for extreme or missing values among the rows and the background."
        )
    return answers


def output_names(model: Any, kind: Kind, n: int) -> tuple[str, ...]:
    """Return the names of a model's n outputs: its classes, labels or targets."""
    classes = getattr(model, "classes_", None)
    if kind != "number" and classes is not None and not isinstance(classes, list):
        names = [str(name) for name in np.asarray(classes).tolist()]
        if len(names) == n or (n == 1 and len(names) == 2):
            return tuple(names[-n:])
    trained = str(getattr(innermost(model), "target_name_", "") or "")
    names = [trained] if n == 1 else trained.split(", ")
    if len(names) == n and all(names):
        return tuple(names)
    return ("prediction",) if n == 1 else tuple(f"output {i}" for i in range(n))


def chosen_outputs(names: Sequence[str], output: Any) -> list[int]:
    """Return the places of the outputs asked for, one name or several.

    Raises
    ------
    InvalidInput
        If there is no output of such a name.
    """
    wanted = list(output) if isinstance(output, list | tuple) else [output]
    places = []
    for each in wanted:
        if str(each) not in names:
            raise InvalidInput(
                f"the model has no output {each!r}.{suggestion(str(each), names)} Its outputs: "
                f"{', '.join(names[:20])}. Without output= the most probable class of each sample is shown."
            )
        places.append(list(names).index(str(each)))
    return places


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model says of samples and of what replaces them, and which of its outputs are explained.

    Attributes
    ----------
    names : tuple of str
        Of all outputs.
    places : tuple of int, or None
        Those that are explained of every sample; None where of each sample the predicted one alone is.
    predicted : ndarray of shape (n,)
        The largest output of each sample.
    whole, empty : ndarray of shape (n, outputs) and (n_background, outputs)
        What the model says of the samples, and of the background.
    span : ndarray of shape (outputs,)
        How far apart each output is, over all that are explained together.
    """

    names: tuple[str, ...]
    places: tuple[int, ...] | None
    predicted: NDArray[np.intp]
    whole: Array
    empty: Array
    span: Array

    @classmethod
    def of(
        cls,
        model: Any,
        kind: Kind,
        whole: Array,
        empty: Array,
        output: Any,
        span: Array | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Asked:
        """Choose the outputs: those named, or all, or where there are many the predicted one of each sample."""
        n = whole.shape[1]
        names = output_names(model, kind, n) if names is None else names
        if output is not None:
            places = tuple(chosen_outputs(names, output))
        else:
            places = tuple(range(n)) if n <= MOST_OUTPUTS else None
        return cls(names, places, whole.argmax(axis=1), whole, empty, span_of(whole, empty) if span is None else span)

    @property
    def n_outputs(self) -> int:
        """How many outputs of a sample are explained."""
        return 1 if self.places is None else len(self.places)

    def taken(self, answers: Array, rows: NDArray[np.intp]) -> Array:
        """Return the explained outputs of answers, (n, outputs) → (n, k), to mixtures of the samples `rows`, (n,)."""
        if self.places is None:
            return answers[np.arange(len(rows)), self.predicted[rows]][:, None]
        return answers if self.places == tuple(range(answers.shape[1])) else answers[:, self.places]

    def shown(self, row: int) -> tuple[tuple[str, ...], int]:
        """Return the names of the outputs explained of a sample, and the place of the one that is shown first."""
        predicted = int(self.predicted[row])
        if self.places is None:
            return (self.names[predicted],), 0
        named = tuple(self.names[place] for place in self.places)
        return named, self.places.index(predicted) if predicted in self.places else 0

    def spans(self, row: int) -> Array:
        """Return how far apart the explained outputs of a sample are over all samples and the background, (k,)."""
        return self.taken(self.span[None], np.array([row]))[0]


def span_of(*answers: Array) -> Array:
    """Return how far apart each output is over all answers, (outputs,)."""
    seen = np.concatenate(answers)
    return seen.max(axis=0) - seen.min(axis=0)
