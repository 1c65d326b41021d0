"""What all mitigations are: classifiers around a classifier, which `clone`, pipelines and grid searches can handle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.errors import GanglionError, InvalidInput, InvalidParameter
from ganglion.evaluation.inputs import check_weight, read_answers
from ganglion.fairness.groups import Array, Groups, Sensitive, codes_again, crossed, names_in, read_groups


class NotFitted(GanglionError, NotFittedError):
    """A mitigation was asked for answers before `fit`."""


class Debiased(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Base of the mitigations: it reads the groups, and hands the rest on to the estimator inside.

    `sensitive` names columns of X, in its constructor; values that stand in no column are given to `fit`. With `hide`
    the estimator inside is not shown the columns that are named.
    """

    estimator: Any
    sensitive: Sensitive
    hide: bool
    estimator_: Any  # learned, once `fit` was called

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, sensitive: Sensitive = None) -> Any:
        """Learn from data whose groups are known.

        Parameters
        ----------
        X : array-like, frame or Dataset
            As the estimator inside takes it.
        y : array-like of shape (n_samples,), optional
            The labels. A Dataset may bring its own.
        sample_weight : array-like of shape (n_samples,), optional
        sensitive : array-like of shape (n_samples,), frame, or mapping of str to array-like, optional
            The groups, where no column of X has them.

        Returns
        -------
        self

        Raises
        ------
        InvalidInput
            If groups or labels cannot be read, or differ in length from X.
        """
        if not is_classifier(self.estimator):
            raise InvalidInput(
                f"{type(self.estimator).__name__} is no classifier, and only those can be debiased. Give one whose "
                "labels are classes."
            )
        X, y = _features_and_target(X, y)
        labels = read_answers(y, "y")
        if labels.ndim != 1:
            raise InvalidInput(f"y has shape {labels.shape}. Give one label a sample.")
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise InvalidInput(f"y is {labels[0]!r} for every sample. Give samples of two classes or more.")
        weight = check_weight(sample_weight, len(labels))
        given = self.sensitive if sensitive is None else sensitive
        self.columns_ = read_groups(given, X, len(labels))
        self.groups_ = self.columns_[0] if len(self.columns_) == 1 else crossed(self.columns_)
        self.hidden_ = names_in(given, X) if self.hide else []
        self._fit(self._shown(X), labels, self.groups_, weight)
        return self

    def _fit(self, X: Any, y: Array, groups: Groups, weight: Array | None) -> None:
        """Fit the estimator inside, `estimator_`, to features that it may see."""
        raise NotImplementedError

    def predict(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the class of each sample.

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : array-like, frame or mapping, optional
            The groups, for mitigations that need them and where no column of X has them.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self._inner().predict(self._shown(X))

    def predict_proba(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the probability of each class, (n_samples, n_classes); parameters as of `predict`."""
        return self._inner().predict_proba(self._shown(X))

    def decision_function(self, X: Any) -> Array:
        """Return the scores of the estimator inside.

        Parameters
        ----------
        X : array-like, frame or Dataset
        """
        return self._inner().decision_function(self._shown(X))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted mitigation to one file, which `ganglion.load` reads: networks, and the rule beside them.

        Parameters
        ----------
        path : path-like
            Written atomically: a file that stood there before stays whole until the new one is complete.

        Raises
        ------
        InvalidParameter
            If the classifier inside is not one of Ganglion's algorithms: of others no safe file can be written.
        SaveFailed
            If it cannot be written.
        """
        from ganglion.fairness.saving import save_debiased  # it knows every mitigation, through this class

        self._inner()
        save_debiased(self, path)

    @classmethod
    def load(cls, manifest: dict[str, Any], tensors: dict[str, Any]) -> Debiased:
        """Return the mitigation that the parts of a model file describe; `ganglion.load` reads the file."""
        from ganglion.fairness.saving import load_debiased

        return load_debiased(cls, manifest, tensors)

    def saved(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the classifiers that answer, and all else that the answers follow from, as JSON can hold it."""
        return [self._inner()], {}

    def restore(self, networks: list[Any], rule: dict[str, Any]) -> None:
        """Take what `saved` returned."""
        self.estimator_ = networks[0]

    @property
    def tags(self) -> Any:
        """What the classifier that answers says of itself."""
        return self.saved()[0][0].tags

    @property
    def modality_(self) -> str:
        """What it was trained on: "table", "image" or another."""
        return self.saved()[0][0].modality_

    @property
    def encoder_(self) -> Any:
        """How the classifier that answers reads its features."""
        return self.saved()[0][0].encoder_

    @property
    def n_features_in_(self) -> int:
        """Features that the estimator inside was fitted on, and those that are hidden from it."""
        return self._inner().n_features_in_ + len(self.hidden_)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn whether `fit` was called."""
        return hasattr(self, "estimator_")

    def _inner(self) -> Any:
        if not hasattr(self, "estimator_"):
            name = type(self).__name__
            raise NotFitted(f"This {name} instance is not fitted yet. Call fit(X, y) first.")
        return self.estimator_

    def _shown(self, X: Any) -> Any:
        """Return X without the columns that are hidden from the estimator inside."""
        if not self.hidden_:
            return X
        X = as_dataset(X) if isinstance(X, Mapping) else X
        if isinstance(X, Dataset):
            return X.drop([name for name in self.hidden_ if name in X.names])
        names = [name for name in X.columns if name not in self.hidden_]
        return X[names]

    def _groups_again(self, X: Any, sensitive: Sensitive, n_rows: int) -> Array:
        """Return the groups of rows that answers are wanted for, as codes of those in `fit`."""
        given = self.sensitive if sensitive is None else sensitive
        if given is None:
            raise InvalidInput(
                f"{type(self).__name__} needs the group of each row to answer. Give predict(X, sensitive=…), or name "
                "columns of X as sensitive=… when it is made."
            )
        return codes_again(self.columns_, self.groups_.labels, given, X, n_rows)


def fit_weighted(estimator: Any, X: Any, y: Array, weight: Array | None) -> Any:
    """Return a clone of an estimator (or pipeline), fitted with weights."""
    fitted: Any = clone(estimator)
    if weight is None:
        return fitted.fit(X, y)
    if isinstance(fitted, Pipeline):
        return fitted.fit(X, y, **{f"{fitted.steps[-1][0]}__sample_weight": weight})
    if not has_fit_parameter(fitted, "sample_weight"):
        raise InvalidParameter(
            f"{type(estimator).__name__} takes no sample_weight in fit, which this mitigation works by. Take another "
            "estimator, or another method."
        )
    return fitted.fit(X, y, sample_weight=weight)


def _features_and_target(X: Any, y: Any) -> tuple[Any, Any]:
    if isinstance(X, Dataset) and y is None and X.target:
        return X.X_y()
    return (X.drop(X.target) if isinstance(X, Dataset) and X.target else X), y
