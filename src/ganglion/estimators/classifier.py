"""Classifiers: labels in, labels and probabilities out."""

from __future__ import annotations

import math
import numbers
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Estimator, Samples
from ganglion.estimators.labels import read_labels
from ganglion.estimators.targets import ClassTarget
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.losses import PerSampleLoss, check_classification_loss, loss_by_name
from ganglion.training.objective import Batch


@hyperparameters
class BaseClassifier(ClassifierMixin, Estimator):
    """What every classifier is, however it learns: labels are read, weighed and answered."""

    class_weight: dict | Literal["balanced"] | None = option(
        None, "Weight of each class, as a dict, or 'balanced' for weights against the classes' frequencies."
    )

    @property
    def classes_(self) -> np.ndarray:
        """The classes, sorted; their order is that of the columns of `predict_proba`."""
        if not hasattr(self, "target_"):
            raise AttributeError(f"{type(self).__name__} knows its classes_ after fit.")
        return self.target_.classes

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_labels) of zeros and ones if trained on several labels
        """
        scores = self._answers(X, scores=True).numpy()
        if self.target_.multilabel:
            return (scores > 0).astype(np.int64)
        return self.target_.classes[(scores[:, 0] > 0).astype(np.intp) if self.target_.binary else scores.argmax(1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the network's scores: logits, before they become probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, where above 0 means the second one; else (n_samples, n_classes)
        """
        scores = self._answers(X, scores=True).numpy()
        return scores[:, 0] if self.target_.binary else scores

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        labels = read_labels(y, len(data), several=self.tags.multilabel)
        if reset:
            if labels.ndim == 1:
                _refuse_continuous(labels)
            self.target_ = ClassTarget.fit(labels if weight is None else labels[weight > 0])
            self._check_class_weight()
        elif (labels.shape[1:] or (0,)) != ((len(self.classes_),) if self.target_.multilabel else (0,)):
            wanted = f"(n_samples, {len(self.classes_)})" if self.target_.multilabel else "(n_samples,)"
            raise InvalidInput(f"y has shape {labels.shape}, but the target of training had {wanted}. Give the same.")
        else:
            self.target_.encode(labels, torch.float64)  # refuses labels that training did not have
        return labels

    def _check_class_weight(self) -> None:
        if not isinstance(self.class_weight, dict):
            return
        if self.target_.multilabel:
            raise InvalidParameter(
                f"class_weight={self.class_weight!r}: with several labels a sample there are no classes to weigh. Give "
                "None or 'balanced', or sample_weight to fit."
            )
        values = list(self.class_weight.values())
        sound = all(isinstance(each, numbers.Real) and 0 <= float(each) < math.inf for each in values)
        if not sound or not any(values):
            raise InvalidParameter(
                f"class_weight={self.class_weight!r}: each weight is a number of 0 or more, and one is above 0."
            )
        unknown = [label for label in self.class_weight if label not in self.target_.classes.tolist()]
        if unknown:
            raise InvalidParameter(
                f"class_weight names {unknown[:5]}, which no sample has. The classes: "
                f"{self.target_.classes.tolist()[:20]}."
            )

    def _weight(self, samples: Samples) -> np.ndarray | None:
        """Return how much each sample counts, sample and class weights together."""
        if self.class_weight is None:
            return samples.weight
        by_class = compute_sample_weight(self.class_weight, samples.y)
        return by_class if samples.weight is None else samples.weight * by_class

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.tags.multilabel
        return tags


def _refuse_continuous(labels: np.ndarray) -> None:
    """Refuse numbers with fractions, which are no classes."""
    try:
        check_classification_targets(labels)
    except ValueError as error:
        examples = ", ".join(f"{value:g}" if isinstance(value, float) else repr(value) for value in labels[:3].tolist())
        raise InvalidInput(
            f"y holds {examples}, …: numbers with fractions, and no labels (Unknown label type: continuous). For "
            "numbers take a regressor, such as MLPRegressor; for classes give labels, e.g. np.digitize(y, bounds)."
        ) from error


@hyperparameters
class Classifier(Trained, BaseClassifier):
    """Base of classifiers that lower a loss by gradients: an algorithm adds `build`."""

    loss: Any = option(
        "cross_entropy",
        "cross_entropy(label_smoothing=0.0), focal(gamma=2.0), or a function of (scores, target).",
        check=check_classification_loss,
    )

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples, n_classes), columns in the order of `classes_`, rows that sum to 1 (trained on
        several labels: the probability of each label)
        """
        return self._answers(X).numpy()

    def _per_sample_loss(self) -> PerSampleLoss:
        return loss_by_name(self.loss, "classification")

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor:
        """Return the number of samples whose labels are all right."""
        target = batch["target"]
        right = scores.argmax(1) == target if target.dtype == torch.int64 else ((scores > 0) == (target > 0.5)).all(1)
        return right.sum()

    def _stratify(self, y: np.ndarray) -> np.ndarray | None:
        return None if y.ndim == 2 else y
