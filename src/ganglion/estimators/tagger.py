"""Taggers: texts or sequences in, a label for every word or step out."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.encoders import AnyEncoder, modality_of
from ganglion.data.ragged import Ragged
from ganglion.data.sequences import SequenceEncoder, sequences_to_dataset
from ganglion.data.tokens import holds_tokens, listed, tokens_to_dataset, words_of
from ganglion.data.word_encoding import WordEncoder
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.tags import FILLING, TagTarget, named, read_tags, strange_labels
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.losses import PerSampleLoss, check_classification_loss, loss_by_name
from ganglion.training.objective import Batch
from ganglion.training.optimizers import Optimizer

LARGE_STEP = 5 / 3  # of the optimiser's own rate, for words: chosen on held-out documents of the Brown corpus
WORDS_DECAY = 0.01  # of their vectors most are seldom moved, and would be shrunk all the time
STEPS = 1500  # of a training, where neither few nor many epochs come of it


@hyperparameters
class Tagger(Trained):
    """Base of algorithms that label every word of a text, or every step of a sequence: an algorithm adds `build`."""

    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the training data at most; 'auto' makes about 1,500 steps in 5 to 60 of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option("auto", "Texts a step; 'auto' takes up to 32.", at_least=1)
    weight_decay: float | Literal["auto"] = option(
        "auto",
        "Shrinks weights: decoupled with adamw and muon, an L2 penalty with the other optimizers. 'auto' is 0 for "
        "those; where it is decoupled 0.01 for words, and for numbers 2 below 1,000 sequences, then 1.",
        at_least=0,
    )
    min_count: int = option(
        2,
        "In how many training texts a word, an ending or a shape must stand to have a vector. From 2 on, nothing of a "
        "single text is written into the model file.",
        at_least=1,
    )
    class_weight: dict | Literal["balanced"] | None = option(
        None, "Weight of each label, as a dict, or 'balanced' for weights against the labels' frequencies."
    )
    loss: Any = option(
        "cross_entropy",
        "Of each word: cross_entropy(label_smoothing=0.0), focal(gamma=2.0), or a function of (scores, target).",
        check=check_classification_loss,
    )

    @property
    def classes_(self) -> np.ndarray:
        """The labels, sorted; their order is that of the columns of `predict_proba`."""
        if not hasattr(self, "target_"):
            raise AttributeError(f"{type(self).__name__} knows its classes_ after fit.")
        return self.target_.classes

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of every word or step.

        Parameters
        ----------
        X : list of lists of words, list of texts, sequences, or Dataset
            Texts are cut at blanks. Sequences are arrays of shape (steps, numbers).

        Returns
        -------
        ndarray of shape (n_samples,), of lists
            A label for each word or step.
        """
        said = np.empty(len(codes := self._codes(X)), dtype=object)
        for i, each in enumerate(codes):
            said[i] = self.classes_[each].tolist()
        return said

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        """Return the probability of each label for every word or step.

        Parameters
        ----------
        X : list of lists of words, list of texts, sequences, or Dataset

        Returns
        -------
        list of ndarray of shape (n_steps, n_classes)
            One a sample, the labels in the order of `classes_`; they sum to 1 at each step.
        """
        return [each.numpy() for each in self._of_steps(X)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the words or steps whose label is right.

        Parameters
        ----------
        X : list of lists of words, list of texts, sequences, or Dataset
        y : sequence of sequences of labels
            The true labels, one for each word or step. Those that training did not have count as wrong.
        sample_weight : array-like of shape (n_samples,), optional
            How much each text counts.

        Returns
        -------
        float
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        weight = self._weights(sample_weight, len(data))
        weight = np.ones(len(data)) if weight is None else weight
        truth = self.target_.encode(read_tags(y, self._lengths(data)))
        pairs = zip(truth.split(), self._codes(data), strict=True)
        right = np.array([int((true.numpy() == said).sum()) for true, said in pairs])
        return float(weight @ right / (weight @ truth.lengths.numpy()))

    def _codes(self, X: Any) -> list[np.ndarray]:
        return [each.numpy() for each in self._of_steps(X, scores=True, then=lambda scores: scores.argmax(2))]

    def _of_steps(self, X: Any, **asked: Any) -> list[Tensor]:
        """Return what the network says of each sample: of its steps alone, without what fills up a batch."""
        lengths, answers = self._answers_in_groups(X, **asked)
        said: list[Tensor] = [torch.empty(0)] * len(lengths)
        sizes = lengths.tolist()
        for rows, answer in answers:
            for row, each in zip(rows.tolist(), answer, strict=True):
                said[row] = each[: sizes[row]]
        return said

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        if listed(X) == []:
            raise InvalidInput("no text was given (minimum of 1 is required). Give a list of lists of words.")
        if holds_tokens(X):
            X = tokens_to_dataset(X)
        elif isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "buif" and X.size:
            X = sequences_to_dataset(X)  # steps of one number, as many in each
        return super()._dataset(X, reset=reset)

    def _fit_encoder(self, data: Dataset) -> AnyEncoder:
        if modality_of(data, self.tags.modalities) == "sequence":
            return SequenceEncoder.fit(data)
        return WordEncoder.fit(data, min_count=self.min_count)

    def _lengths(self, data: Dataset) -> np.ndarray:
        """Return how many words or steps each sample has."""
        if modality_of(data, self.tags.modalities) != "sequence":
            column = getattr(self.encoder_, "column", None) if hasattr(self, "encoder_") else None
            return words_of(data, column if column in data.columns else None)[0].lengths.numpy()
        name = next(field.name for field in data.features if field.kind == "sequence")
        column = data.columns[name]
        return column.lengths.numpy() if isinstance(column, Ragged) else np.full(len(data), column.shape[1])

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        tags = read_tags(y, self._lengths(data))
        if reset:
            counted = tags if weight is None else tags[weight > 0]
            self._check_class_weight(counted)
            self.target_ = TagTarget.fit(counted, None if weight is None else weight[weight > 0], self.class_weight)
            return tags
        strange = strange_labels(tags, self.classes_)
        if sum(strange.values()) > 0.5 * sum(map(len, tags)):
            raise InvalidInput(
                f"y holds the labels {named(list(strange))}, which are not among those of training, "
                f"{named(self.classes_.tolist())}. Is this the target that the model was trained on?"
            )
        if strange:
            warnings.warn(
                f"labels that no training text has are left out of the held-out loss: {named(list(strange))}, "
                f"{sum(strange.values())} words.",
                DataWarning,
                stacklevel=4,
            )
        return tags

    def _check_class_weight(self, tags: np.ndarray) -> None:
        if not isinstance(self.class_weight, dict):
            return
        values = list(self.class_weight.values())
        sound = all(isinstance(each, numbers.Real) and 0 < float(each) < math.inf for each in values)
        if not sound:
            raise InvalidParameter(f"class_weight={self.class_weight!r}: each weight is a number above 0.")
        known = {label for row in tags for label in row}
        unknown = [label for label in self.class_weight if label not in known]
        if unknown:
            raise InvalidParameter(
                f"class_weight names {unknown[:5]}, a label that no word has: {named(sorted(known))}."
            )

    def _per_sample_loss(self) -> PerSampleLoss:
        loss, target = loss_by_name(self.loss, "classification"), self.target_
        weights = None if target.weights is None else torch.from_numpy(target.weights)

        def summed(scores: Tensor, codes: Tensor) -> Tensor:
            # divided by the words of a usual text, not by its own: neighbours don't matter, and long texts count more
            rows, steps = (codes >= 0).nonzero(as_tuple=True)
            known = codes[rows, steps]
            losses = loss(scores[rows, steps], known)
            if weights is not None:
                losses = losses * weights.to(losses)[known]
            return losses.new_zeros(len(codes)).index_add(0, rows, losses) / target.per_sample

        return summed

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor:
        """Return the share of the words that are right, summed over the texts."""
        right = (scores.argmax(2) == batch["target"]).sum(1)
        return (right / (batch["target"] != FILLING).sum(1)).sum()

    def _batch_size(self, n_samples: int) -> int:
        return min(n_samples, 32 if self.batch_size == "auto" else int(self.batch_size))

    def _rate(self, optimizer: Optimizer) -> float:
        large = self.learning_rate == "auto" and self.encoder_.spec.features > 0
        return super()._rate(optimizer) * (LARGE_STEP if large else 1)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay == "auto" and optimizer.decoupled and self.encoder_.spec.features:
            return WORDS_DECAY
        return super()._decay(optimizer, n_samples)

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(60, max(5, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        tags.input_tags.sparse, tags.input_tags.string = False, True
        tags.target_tags.required, tags.target_tags.multi_output = True, True
        return tags
