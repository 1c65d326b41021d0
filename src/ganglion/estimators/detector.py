"""Detectors: images in, boxes around objects out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ganglion.data.boxes import Boxes
from ganglion.data.dataset import Dataset
from ganglion.data.matching import match, mean_average_precision
from ganglion.errors import InvalidInput
from ganglion.estimators.objects import CANDIDATES, BoxTarget, read_boxes
from ganglion.estimators.pictures import PictureOptions
from ganglion.estimators.trained import Trained
from ganglion.networks.boxes import kept_by_nms
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.objective import Batch, Objective
from ganglion.training.supervised import WeightedLoss

STEP_IMAGES = 8  # at most, in a step
STEPS = 2500  # of a training, where neither few nor many epochs come of it
TOGETHER = 64  # pictures whose boxes are compared at once


@hyperparameters
class Detector(PictureOptions, Trained):
    """Base of algorithms that find objects: an algorithm adds `build` and `_per_sample_loss`."""

    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the training data at most; 'auto' makes about 2,500 steps in 20 to 200 of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option("auto", "Images a step; 'auto' takes up to 8.", at_least=1)
    score_threshold: float = option(
        0.05,
        "Boxes of a lower score are not answered. Low values find more, and are best for average precision; 0.3 to 0.5 "
        "suits pictures that people look at. It may be changed after training.",
        at_least=0,
        below=1,
    )
    nms_iou: float = option(
        0.5,
        "Of two boxes of a class that cover each other by more (intersection over union), the surer one is answered. "
        "It may be changed after training.",
        above=0,
        at_most=1,
    )
    max_detections: int = option(
        100, "Boxes of a picture at most. It may be changed after training.", at_least=1, at_most=CANDIDATES
    )

    @property
    def classes_(self) -> np.ndarray:
        """The classes, sorted; their order is that of the second axis of `heat_maps`."""
        if not hasattr(self, "target_"):
            raise AttributeError(f"{type(self).__name__} knows its classes_ after fit.")
        return self.target_.classes

    def predict(self, X: Any) -> np.ndarray:
        """Return the objects of each picture.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset
            Height and width may differ from those of training.

        Returns
        -------
        ndarray of shape (n_samples,), of Boxes
            With scores, the surest first, inside the picture.
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        found = np.empty(len(data), dtype=object)
        for i, boxes in enumerate(self._thinned(self._answers(data), _sides(data))):
            found[i] = boxes
        return found

    def heat_maps(self, X: Any) -> np.ndarray:
        """Return how likely the middle of an object is in each cell.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset

        Returns
        -------
        ndarray of shape (n_samples, n_classes, height / stride, width / stride)
            The classes in the order of `classes_`.
        """
        self._check_fitted()
        n_classes = len(self.classes_)
        return self._answers(X, scores=True, then=lambda maps: maps[:, :n_classes].sigmoid()).numpy()

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return mAP@0.5: average precision at an IoU of 0.5, the mean over the classes that occur.

        Parameters
        ----------
        X : image stack of shape (n_samples, height, width), with channels last or second, or Dataset
        y : sequence of Boxes, or of mappings with "boxes" and "labels"
            The true objects, one entry a picture.
        sample_weight : array-like of shape (n_samples,), optional
            How much each picture counts.

        Returns
        -------
        float
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        weight = self._weights(sample_weight, len(data))
        truth = read_boxes(y, len(data), _sides(data))
        matches = match(truth, self.predict(data), thresholds=np.array([0.5]))
        figure = mean_average_precision(matches, weight=weight)
        if math.isnan(figure):
            raise InvalidInput("y has no object in any picture, so there is nothing to be found. Give other pictures.")
        return figure

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: the loss of centres and boxes."""
        return [Objective("detection", network.parameters(), WeightedLoss(self._per_sample_loss()))]

    def _thinned(self, rows: Tensor, sides: Sequence[int]) -> Iterator[Boxes]:
        """Return the boxes of each picture that are sure enough and no second answer, from (n, k, 6)."""
        height, width = sides
        edges = torch.tensor([width, height, width, height])
        for some in rows.split(TOGETHER):
            sure = some[..., 4] > self.score_threshold
            most = int(sure.sum(1).max())  # the surest are first
            boxes, scores, codes = some[:, :most, :4].float(), some[:, :most, 4].float(), some[:, :most, 5]
            boxes = torch.minimum(boxes.clamp(min=0), edges)
            kept = kept_by_nms(boxes, codes, self.nms_iou) & sure[:, :most]
            kept &= (boxes[..., 2:] > boxes[..., :2]).all(-1)
            for mask, *parts in zip(kept, boxes, scores, codes, strict=True):
                corners, score, code = (part[mask][: self.max_detections].numpy() for part in parts)
                yield Boxes(corners, self.target_.classes[code.astype(np.intp)], score)

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        pictures = read_boxes(y, len(data), _sides(data))
        if weight is not None:  # of what does not count, nothing is learned, not even that there is such a class
            for i in np.flatnonzero(weight == 0):
                pictures[i] = Boxes(pictures[i].boxes[:0], pictures[i].labels[:0])
        if reset:
            self.target_ = BoxTarget.fit(pictures if weight is None else pictures[weight > 0])
        return self.target_.dense(pictures)

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor | None:
        return None

    def _batch_size(self, n_samples: int) -> int:
        return min(n_samples, STEP_IMAGES if self.batch_size == "auto" else int(self.batch_size))

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(200, max(20, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.input_tags.sparse = tags.input_tags.allow_nan = False
        tags.target_tags.required, tags.target_tags.multi_output = True, True
        return tags


def _sides(data: Dataset) -> tuple[int, ...]:
    """Return height and width of the pictures."""
    images = [field for field in data.features if field.kind == "image"]
    if not images:
        raise InvalidInput("a detector needs images, (n, height, width), but was given a table.")
    return images[0].shape[1:]
