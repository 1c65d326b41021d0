"""What estimators share that give one answer for a whole text or sequence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from ganglion.data.text_encoding import TextEncoder
from ganglion.data.vocabulary import UNKNOWN
from ganglion.errors import InvalidInput
from ganglion.estimators.base import STEPS_TOGETHER
from ganglion.estimators.sequences import SequenceOptions
from ganglion.options import hyperparameters
from ganglion.training.optimizers import Optimizer

SMALL_STEP = 1 / 3  # of the optimiser's own rate: what is carried from step to step grows with every error
STEPS = 1500  # of a training, where neither few nor many epochs come of it
TEXT_STEPS, ROW_STEPS = 600, 500
MOST_WITHOUT = 128  # words, or groups of them, that are left out of a text to see how much they count


@hyperparameters
class SequenceReader(SequenceOptions):
    """How long such networks learn, in which steps, and what each word of a text counts."""

    def word_scores(self: Any, X: Any) -> list[tuple[list[str], np.ndarray]]:
        """Return how much each word of a text speaks for each answer: the score with it less the score without it.

        Without it, an unknown word stands in its place. In long texts some words next to each other are left out
        together.

        Parameters
        ----------
        X : list of texts, or a column of them

        Returns
        -------
        list of (pieces, scores)
            Of each text its pieces, one a token (together they are the text), and an ndarray of shape (pieces,
            answers): logits of the classes (two of two classes), or numbers in units of the target's deviation. What
            stands beyond the tokens that are read has 0.

        Raises
        ------
        InvalidInput
            If the model was not trained on texts.
        """
        self._check_fitted()
        if not isinstance(self.encoder_, TextEncoder):
            raise InvalidInput(
                f"word_scores tells how much each word counts, but this {type(self).__name__} was trained on "
                f"{self.modality_} data. Give a model of texts."
            )
        texts = self.encoder_.texts(self._dataset(X, reset=False))
        return [self._scores_of_words(text) for text in texts]

    def _scores_of_words(self: Any, text: str) -> tuple[list[str], np.ndarray]:
        tokenizer = self.encoder_.tokenizer
        pieces, ids = tokenizer.pieces(text), tokenizer.encode([text]).cut(self.encoder_.longest).values
        step = max(1, -(-len(ids) // MOST_WITHOUT))
        groups = torch.arange(len(ids)) // step
        without = torch.where(groups == torch.arange(-1, int(groups[-1]) + 1)[:, None], UNKNOWN, ids)  # row 0: as it is
        with torch.inference_mode():
            parts = [
                self.network_.raw_scores({"tokens": some, "tokens_length": torch.full((len(some),), len(ids))})
                for some in without.split(max(1, STEPS_TOGETHER // len(ids)))
            ]
        scores = torch.cat(parts).double()
        changes = (scores[:1] - scores[1:])[groups] / step
        if changes.shape[1] == 1 and self.tags.task == "classification":
            changes = torch.cat([-changes, changes], 1)
        beyond = changes.new_zeros((len(pieces) - len(ids), changes.shape[1]))
        return pieces, torch.cat([changes, beyond]).numpy()

    def _rate(self: Any, optimizer: Optimizer) -> float:
        rate = super()._rate(optimizer)  # type: ignore[misc]
        spec = self.encoder_.spec
        small = self.learning_rate == "auto" and (spec.vocabulary or spec.sequence or spec.audio)
        return rate * (SMALL_STEP if small else 1)  # rows of a table are short

    def _epochs(self: Any, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        n_steps = math.ceil(n_samples / batch_size)
        if self.encoder_.spec.vocabulary:  # a text teaches most when it is first read
            return min(100, max(8, math.ceil(TEXT_STEPS / n_steps)))
        if self.encoder_.spec.sequence or self.encoder_.spec.audio:
            return min(400, max(20, math.ceil(STEPS / n_steps)))
        return min(120, max(20, math.ceil(ROW_STEPS / n_steps)))
