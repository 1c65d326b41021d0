"""Estimators that write down what was said: recordings in, texts out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.edit_distance import n_edits
from ganglion.data.ragged import Ragged
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.answers import read_answers
from ganglion.estimators.sound import SoundOptions
from ganglion.estimators.trained import Trained
from ganglion.estimators.transcripts import TranscriptTarget
from ganglion.networks.ctc import best_path, ctc_losses, prefix_beam_search
from ganglion.networks.listening import steps_left
from ganglion.networks.log_mel import LogMelInput, log_mel_by_name
from ganglion.networks.network import Network
from ganglion.networks.sequences import Steps
from ganglion.options import check_options, hyperparameters, option
from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch
from ganglion.training.optimizers import Optimizer
from ganglion.training.schedules import schedule_by_name

DECAY = 0.01
STEPS = 2500  # of a training, where neither few nor many epochs come of it


@hyperparameters
class Recognizer(SoundOptions, Trained):
    """Base of speech recognizers that learn by CTC: an algorithm adds `build`; its network gives `Steps` of scores."""

    epochs: int | Literal["auto"] = option(
        "auto",
        "Walks over the training data at most; 'auto' makes about 2,500 steps in 10 to 100 of them.",
        at_least=1,
    )
    batch_size: int | Literal["auto"] = option("auto", "Recordings a step; 'auto' takes up to 16.", at_least=1)
    tokenizer: Any = option(
        "characters",
        "What is said at a step: characters, words(min_count=1), or bpe(vocabulary=500); see "
        "`ganglion.data.tokenizers`.",
        check=tokenizer_by_name,
    )
    subsampling: Literal[1, 2, 4] = option(
        2, "Steps of the spectrogram that become one: more are faster, and leave less room for long transcripts."
    )
    beams: int = option(
        8,
        "Beginnings of a transcript that are gone on with at the same time; 1 takes the likeliest token of each step. "
        "It may be changed after training.",
        at_least=1,
        at_most=256,
    )
    schedule: Any = option(
        "one_cycle(peak_at=0.2)",
        "How the learning rate goes on: constant, cosine, one_cycle, step(every=30), plateau(patience=5), "
        "warm_up(steps=100, then='cosine').",
        check=schedule_by_name,
    )
    weight_decay: float | Literal["auto"] = option("auto", "Shrinks weights; 'auto' is 0.01.", at_least=0)
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)

    def predict(self, X: Any) -> np.ndarray:
        """Return what is said in each recording.

        Parameters
        ----------
        X : list of paths, list of pairs (rate, samples), or Dataset of recordings

        Returns
        -------
        ndarray of shape (n_samples,), of str
        """
        texts = [self.target_.tokenizer.decode(ids).strip() for ids in self._said(X)]
        found = np.empty(len(texts), dtype=object)
        found[:] = texts
        return found

    def score_samples(self, X: Any) -> np.ndarray:
        """Return how sure the model is of each transcript that it gives: ln p(transcript | recording).

        Parameters
        ----------
        X : list of paths, list of pairs (rate, samples), or Dataset of recordings

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        said = self._asked_of(X, self._decoded_and_rated)
        return np.concatenate(said).astype(np.float64)

    def token_probabilities(self, X: Any) -> list[np.ndarray]:
        """Return the probability of each token at every step, before a search makes a transcript of them.

        Parameters
        ----------
        X : list of paths, list of pairs (rate, samples), or Dataset of recordings

        Returns
        -------
        list of ndarray of shape (n_steps, n_tokens)
            One a recording, in the order of the tokenizer's ids; 0 is CTC's blank.
        """
        said = self._asked_of(X, _likely)
        return [each[np.isfinite(each[:, 0])] for each in said]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return 1 less the word error rate: wrong, missing and added words by true ones. It may be below 0.

        Parameters
        ----------
        X : list of paths, list of pairs (rate, samples), or Dataset of recordings
        y : list of str
            The true transcripts.
        sample_weight : array-like of shape (n_samples,), optional
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        true, weight = read_answers(y, len(data)), self._weights(sample_weight, len(data))
        pairs = [(t.split(), s.split()) for t, s in zip(true, self.predict(data), strict=True)]
        counts = np.array([(n_edits(*pair), len(pair[0])) for pair in pairs], dtype=np.float64)
        wrong, words = counts.sum(0) if weight is None else weight @ counts
        return float(1.0 - wrong / words)

    def _per_sample_loss(self) -> PerSampleLoss:
        def loss(scores: Any, target: Tensor) -> Tensor:
            return ctc_losses(scores.x, scores.lengths, target) / self.target_.per_text

        return loss

    def _score(self, network: Network, scores: Any, batch: Batch) -> Tensor | None:
        """Return how many transcripts are right to the letter, by their best path."""
        said, true = best_path(scores.x, scores.lengths), batch["target"]
        longest = max(said.shape[1], true.shape[1])
        said, true = (torch.nn.functional.pad(each, (0, longest - each.shape[1])) for each in (said, true))
        return (said == true).all(1).sum()

    def _said(self, X: Any) -> list[np.ndarray]:
        """Return the tokens of each transcript, filled up with 0."""
        return self._asked_of(X, self._decoded)

    def _asked_of(self, X: Any, then: Callable[[Any], Tensor]) -> list[np.ndarray]:
        """Return what `then` makes of the scores of each recording, in the order of X."""
        self._check_fitted()
        check_options(self)
        lengths, groups = self._answers_in_groups(X, scores=True, then=then)
        found: list[Any] = [None] * len(lengths)
        for rows, answers in groups:
            for row, answer in zip(rows.tolist(), answers.numpy(), strict=True):
                found[row] = answer if answer.ndim else answer[None]
        return found

    def _decoded(self, scores: Steps) -> Tensor:
        if self.beams == 1:
            return best_path(*scores)
        return prefix_beam_search(scores.x, scores.lengths, self.beams)[0]

    def _decoded_and_rated(self, scores: Steps) -> Tensor:
        return -ctc_losses(scores.x, scores.lengths, self._decoded(scores))

    def _batch_size(self, n_samples: int) -> int:
        return min(n_samples, 16 if self.batch_size == "auto" else int(self.batch_size))

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(100, max(10, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        return DECAY * optimizer.decoupled if self.weight_decay == "auto" else float(self.weight_decay)

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        transcripts = _read_transcripts(y, len(data))
        counted = np.arange(len(data)) if weight is None else np.flatnonzero(weight)
        if reset:
            texts = transcripts[counted].tolist()
            tokenizer = tokenizer_by_name(self.tokenizer).fit(texts)
            self.target_ = TranscriptTarget.fit(texts, tokenizer, None if weight is None else weight[counted])
        rate = None if reset else self.encoder_.spec.audio
        self.target_.refuse_too_long(transcripts[counted], self._n_steps(data, rate)[counted], counted)
        return transcripts

    def _n_steps(self, data: Dataset, rate: int | None) -> np.ndarray:
        """Return in how many steps something can be said in each recording, (n_samples,), heard at some rate."""
        field = next((field for field in data.features if field.kind == "audio"), None)
        if field is None:
            raise InvalidInput(f"there is no recording among the columns {', '.join(data.names[:10])}.")
        rate = rate or field.rate
        settings = log_mel_by_name(self.spectrogram)
        if settings.trim is not None or settings.steps is not None:
            raise InvalidParameter(
                f"spectrogram={str(settings)!r}: trim and steps are for single words. What is recognised letter by "
                "letter is heard whole, in steps of its own; leave both out."
            )
        heard = LogMelInput(rate, settings)
        lengths = -(-cast(Ragged, data.columns[field.name]).lengths * rate // field.rate)
        return steps_left(heard.steps_of(lengths), self.subsampling).numpy()


def _likely(scores: Steps) -> Tensor:
    """Return the probabilities of tokens, (n, T, V), NaN where there is only filling."""
    return scores.x.float().softmax(2).masked_fill(~scores.there[:, :, None], math.nan)


def _read_transcripts(y: Any, n_samples: int) -> np.ndarray:
    """Return transcripts as an array that can be trusted, (n_samples,) of str."""
    try:
        return read_answers(y, n_samples)
    except InvalidInput as error:
        words = str(error).replace("Texts and answers", "Recordings and transcripts").replace("text of X", "recording")
        raise InvalidInput(words.replace("answer", "transcript").replace("each text", "each recording")) from error
