"""Fitting contenders to the same rows, and what each says of the rows held out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor

from ganglion.data.convert import as_dataset
from ganglion.data.rows import take_rows
from ganglion.data.suspicions import SuspiciousData, warn_of_suspicions
from ganglion.errors import GanglionWarning, InvalidInput, InvalidParameter
from ganglion.evaluation.baselines import run_baselines
from ganglion.evaluation.facts import innermost, is_deep
from ganglion.evaluation.inputs import check_lengths, class_codes, read_answers, truth_of
from ganglion.evaluation.predictions import Array, Predictions, Truth, predict


@dataclass(frozen=True, slots=True)
class Answer:
    """What one contender says of held-out rows.

    Attributes
    ----------
    name : str
    said : Predictions
        In the classes of all rows.
    seconds : float
        Of fitting and predicting.
    note : str
        Of a baseline: how it was fitted.
    is_baseline, is_deep : bool
    """

    name: str
    said: Predictions
    seconds: float
    note: str = ""
    is_baseline: bool = False
    is_deep: bool = False


@dataclass(frozen=True)
class Contest:
    """Everything that is needed to fit all contenders to some rows.

    Attributes
    ----------
    models : mapping of str to estimator
        Unfitted or not; clones of them are fitted.
    X : what they read
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        The answers as the models learn them.
    truth : Truth
        The same, coded.
    labels : ndarray of shape (n_classes,), or None
        What the codes of classes stand for.
    baselines : bool
        Whether the baselines run along.
    seed : int
        Of the baselines.
    """

    models: Mapping[str, Any]
    X: Any
    y: Array
    truth: Truth
    labels: Array | None
    baselines: bool
    seed: int

    def run(self, learned: Array, held: Array, *, quiet: bool = False) -> list[Answer]:
        """Fit every contender to the rows `learned` and ask it of the rows `held`, (k,) indices each.

        `quiet` keeps all our warnings back: of fits to few rows on purpose.
        """
        X, asked = take_rows(self.X, learned), take_rows(self.X, held)
        truth = self.truth.take(held)
        found = self._baselines(X, asked, truth, learned) if self.baselines else []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GanglionWarning if quiet else SuspiciousData)  # told once, of all rows
            return [*found, *(self._fitted(name, X, asked, truth, learned) for name in self.models)]

    def warn_of_suspicions(self) -> None:
        """Give the warnings that every fit would give, of all rows, where these can be read."""
        try:
            data = as_dataset(self.X)
        except InvalidInput:  # what the models read and we do not
            return
        warn_of_suspicions(data, self.y)

    def _baselines(self, X: Any, asked: Any, truth: Truth, learned: Array) -> list[Answer]:
        raced = run_baselines(truth, asked, train=(X, self.truth.take(learned)), random_state=self.seed)
        return [Answer(each.name, each.predictions, each.seconds, each.note, is_baseline=True) for each in raced]

    def _fitted(self, name: str, X: Any, asked: Any, truth: Truth, learned: Array) -> Answer:
        started = time.perf_counter()
        model: Any = clone(self.models[name])
        try:
            model.fit(X, self.y[learned])
            said = predict(model, asked, truth) if self.labels is None else self._classified(model, asked, truth)
        except InvalidParameter:
            raise
        except ValueError as error:
            raise InvalidInput(f"{name} cannot learn from {len(learned):,} of these rows: {error}") from error
        return Answer(name, said, time.perf_counter() - started, is_deep=is_deep(model))

    def _classified(self, model: Any, asked: Any, truth: Truth) -> Predictions:
        """Return predictions in the classes of all rows; of those that the model never met it says 0."""
        said = predict(model, asked, truth)
        codes, _ = class_codes(np.asarray(model.classes_), np.asarray(self.labels))
        wide = [_widened(each, codes, len(truth.classes)) for each in (said.probabilities, said.scores)]
        return Predictions(codes[said.values], *wide)


def _widened(given: Array | None, codes: Array, n_classes: int) -> Array | None:
    if given is None or len(codes) == n_classes:
        return given if given is None else given[:, np.argsort(codes)]
    wide = np.full((len(given), n_classes), min(0.0, float(given.min())))
    wide[:, codes] = given
    return wide


def contest_of(models: Mapping[str, Any], X: Any, y: Any, *, baselines: bool, seed: int) -> Contest:
    """Read the answers as the models' task has them.

    Parameters
    ----------
    models : mapping of str to estimator
    X, y : what they learn from
    baselines : bool
    seed : int

    Raises
    ------
    InvalidInput
        If the models are not all classifiers or all regressors, or y cannot be read.
    """
    kinds = {name: _kind(name, model) for name, model in models.items()}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name} is a {kind}" for name, kind in kinds.items())
        raise InvalidInput(f"the models do not do the same: {told}. Compare classifiers, or regressors.")
    values = read_answers(y, "y")
    check_lengths(X, values, "y")
    if set(kinds.values()) == {"classifier"} and values.ndim == 1:
        labels, codes = np.unique(values, return_inverse=True)
        if len(labels) < 2:
            raise InvalidInput(f"y is {labels.tolist()[0]!r} in every row, so there is nothing to tell apart.")
        truth = Truth("binary" if len(labels) == 2 else "multiclass", codes, tuple(map(str, labels.tolist())))
        return Contest(models, X, values, truth, labels, baselines, seed)
    truth = truth_of(next(iter(models.values())), X, y)
    return Contest(models, X, values, truth, None, baselines, seed)


def _kind(name: str, model: Any) -> str:
    if isinstance(model, type):
        raise InvalidInput(f"{name} is the class {model.__name__}. Give an estimator: {model.__name__}().")
    if not hasattr(model, "fit") or not hasattr(model, "predict"):
        raise InvalidInput(f"{name} is {repr(model)[:60]}, which cannot fit and predict. Give estimators.")
    if is_classifier(model):
        return "classifier"
    if is_regressor(model):
        return "regressor"
    raise InvalidInput(
        f"{name} is neither a classifier nor a regressor, and only those are compared. Judge it by evaluate(…)."
    )


def named(models: Any) -> dict[str, Any]:
    """Return models by name: a mapping as it is, of a sequence, or one model, by the names of their classes."""
    if isinstance(models, Mapping):
        found = {str(name): model for name, model in models.items()}
    else:
        given: Sequence[Any] = models if isinstance(models, list | tuple) else [models]
        found = {}
        for model in given:
            name = type(innermost(model)).__name__
            same = sum(each == name or each.startswith(f"{name} ") for each in found)
            found[f"{name} {same + 1}" if same else name] = model
    if not found:
        raise InvalidInput("there are no models to compare. Give a list or a dict of estimators.")
    return found
