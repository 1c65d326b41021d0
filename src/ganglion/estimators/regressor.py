"""Regressors: numbers in, numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.errors import InvalidParameter
from ganglion.estimators.labels import read_numbers
from ganglion.estimators.targets import NumberTarget
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.losses import GaussianNLL, PerSampleLoss, Poisson, check_regression_loss, loss_by_name
from ganglion.training.objective import Batch


@hyperparameters
class Regressor(RegressorMixin, Trained):
    """Base of regressors: an algorithm adds `build`."""

    loss: Any = option(
        "mse",
        "mse, mae, huber(delta=1.0), quantile(q=0.5), poisson, gaussian_nll, or a function of (scores, target).",
        check=check_regression_loss,
    )

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted number of each sample, in the target's own units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets), as the training target was
        """
        answers = self._answers(X)[:, : self.target_.n_targets].numpy()
        return answers[:, 0] if self.target_.flat else answers

    def predict_deviation(self, X: Any) -> np.ndarray:
        """Return the predicted standard deviation of each sample, in the target's own units.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)

        Raises
        ------
        InvalidParameter
            If the estimator was not trained with `loss="gaussian_nll"`.
        """
        self._check_fitted()
        if not self.target_.normal:
            raise InvalidParameter(
                f"loss={self.loss!r} gives no deviation. Train with loss='gaussian_nll' for one of each sample."
            )
        answers = self._answers(X)[:, self.target_.n_targets :].numpy()
        return answers[:, 0] if self.target_.flat else answers

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        numbers = read_numbers(y, len(data), several=self.tags.multioutput)
        if reset:
            loss = self._per_sample_loss()
            normal, positive = isinstance(loss, GaussianNLL), isinstance(loss, Poisson)
            self.target_ = NumberTarget.fit(numbers, weight, normal=normal, positive=positive)
        else:
            self.target_.encode(numbers, torch.float64)  # refuses another number of targets
        return numbers

    def _per_sample_loss(self) -> PerSampleLoss:
        return loss_by_name(self.loss, "regression")

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor | None:
        return None

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = self.tags.multioutput
        return tags
