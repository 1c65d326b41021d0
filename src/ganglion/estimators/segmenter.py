"""Segmenters: images in, a class for every pixel out."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.warps import Crop
from ganglion.errors import InvalidInput
from ganglion.estimators.masks import MaskTarget, confusion, mean_iou, read_masks
from ganglion.estimators.pictures import PictureOptions
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.losses import PerSampleLoss, check_segmentation_loss, loss_by_name
from ganglion.training.objective import Batch

STEP_PIXELS, STEP_IMAGES = 2**18, 16  # at most, in a step
STEPS = 2000  # of a training, where neither few nor many epochs come of it


@hyperparameters
class Segmenter(PictureOptions, Trained):
    """Base of algorithms that tell the class of every pixel: an algorithm adds `build`."""

    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the training data at most; 'auto' makes about 2,000 steps in 10 to 200 of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option(
        "auto", "Images a step; 'auto' takes up to 16, and no more than 512 × 512 pixels of larger ones.", at_least=1
    )
    loss: Any = option(
        "dice_cross_entropy",
        "dice_cross_entropy(dice=1.0), cross_entropy(label_smoothing=0.0), dice, focal(gamma=2.0), or a function of "
        "(scores, target).",
        check=check_segmentation_loss,
    )

    @property
    def classes_(self) -> np.ndarray:
        """The classes, sorted; their order is that of the second axis of `predict_proba`."""
        if not hasattr(self, "target_"):
            raise AttributeError(f"{type(self).__name__} knows its classes_ after fit.")
        return self.target_.classes

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of every pixel.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset
            Height and width may differ from those of training.

        Returns
        -------
        ndarray of shape (n_samples, height, width)
        """
        codes = self._codes(X)
        return self.target_.decode(codes)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for every pixel.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset

        Returns
        -------
        ndarray of shape (n_samples, n_classes, height, width)
            The classes in the order of `classes_`; they sum to 1.
        """
        return self._answers(X).numpy()

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean intersection over union of the classes that occur, over all pixels of the images.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset
        y : array-like of shape (n_samples, height, width)
            The true classes.
        sample_weight : array-like of shape (n_samples,), optional
            How much each image counts.

        Returns
        -------
        float
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        weight = self._weights(sample_weight, len(data))
        truth = self.target_.encode(self._read_target(y, data, reset=False))
        tables = confusion(truth, self._codes(data), len(self.classes_))
        return mean_iou(tables.sum(0) if weight is None else np.tensordot(weight, tables, 1))

    def _codes(self, X: Any) -> Tensor:
        return self._answers(X, scores=True, then=lambda scores: scores.argmax(1).to(torch.uint8))

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        images = [field for field in data.features if field.kind == "image"]
        if not images:
            raise InvalidInput(f"{type(self).__name__} needs images, (n, height, width), but was given a table.")
        masks = read_masks(y, len(data), images[0].shape[1:])
        if reset:
            self.target_ = MaskTarget.fit(masks if weight is None else masks[weight > 0])
        else:
            self.target_.encode(masks)  # refuses classes that training did not have
        return masks

    def _per_sample_loss(self) -> PerSampleLoss:
        loss = loss_by_name(self.loss, "segmentation")
        return lambda scores, codes: loss(scores, codes.long())

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor:
        """Return the share of the pixels that are right, summed over the images."""
        return (scores.argmax(1) == batch["target"]).double().mean((1, 2)).sum()

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size != "auto":
            return super()._batch_size(n_samples)
        change = self._augmentation()
        sizes = [part.size for part in change.parts if isinstance(part, Crop)] if change else []
        n_pixels = math.prod(min([side, *sizes]) for side in self.encoder_.spec.image[1:])
        return min(n_samples, max(1, min(STEP_IMAGES, STEP_PIXELS // n_pixels)))

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(200, max(10, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.input_tags.sparse = tags.input_tags.allow_nan = False
        tags.target_tags.required, tags.target_tags.multi_output = True, True
        return tags
