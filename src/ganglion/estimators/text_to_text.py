"""Estimators that answer a text with a text: translations, replies, summaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.encoders import AnyEncoder
from ganglion.data.ragged import Columns, Ragged, by_length, lengths_of, side_by_side
from ganglion.data.text_encoding import LONGEST, TextEncoder, joined_texts, text_columns
from ganglion.data.text_scores import bleu, bleu_counts, load_sacrebleu
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.data.vocabulary import PADDING
from ganglion.errors import InvalidInput
from ganglion.estimators.alignment import Alignment, of_words
from ganglion.estimators.answers import TextTarget, read_answers
from ganglion.estimators.base import STEPS_TOGETHER
from ganglion.estimators.sequences import SequenceOptions
from ganglion.estimators.trained import Trained
from ganglion.networks.encoder_decoder import EncoderDecoder
from ganglion.networks.network import Network
from ganglion.networks.search import beam_search, greedy
from ganglion.options import check_options, hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer
from ganglion.training.schedules import schedule_by_name
from ganglion.training.token_loss import token_cross_entropy, token_loss

DECAY = 0.01
STEPS = 3000  # of a training, where neither few nor many epochs come of it
FEW_PAIRS = 5000


def token_losses(scores: Tensor, target: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return -log p of each answer, (n,), from the scores of all their tokens.

    Parameters
    ----------
    scores : Tensor of shape (N, V)
        Of the N tokens of all answers, answer by answer.
    target : Tensor of shape (n, T), int
        The tokens, filled up with 0.
    label_smoothing : float
        Share of the chance that all tokens share alike: Szegedy et al. 2016, arXiv:1512.00567, section 7.
    """
    there = target != PADDING
    losses = token_cross_entropy(scores, target[there].long(), label_smoothing=label_smoothing)
    return losses.new_zeros(len(target)).index_add_(0, there.nonzero()[:, 0], losses)


@hyperparameters
class TextToText(SequenceOptions, Trained):
    """Base of algorithms that answer a text with a text: an algorithm adds `build`, which gives an `EncoderDecoder`."""

    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the training data at most; 'auto' makes about 3,000 steps in 10 to 100 of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option(
        "auto", "Pairs a step; 'auto' takes 64, of 5,000 and more 128.", at_least=1
    )
    tokenizer: Any = option(
        "bpe(vocabulary=8000)",
        "How texts and answers are cut, by one vocabulary: bpe(vocabulary=8000), wordpiece, words(vocabulary=20000) or "
        "characters; see `ganglion.data.tokenizers`.",
        check=tokenizer_by_name,
    )
    max_length: int | Literal["auto"] = option(
        "auto",
        "Tokens that are read of a text, and said in an answer, at most; 'auto' is as many as the longest of training "
        "have, up to 512.",
        at_least=1,
    )
    schedule: Any = option(
        "one_cycle(peak_at=0.1)",
        "How the learning rate goes on: constant, cosine, one_cycle, step(every=30), plateau(patience=5), "
        "warm_up(steps=100, then='cosine').",
        check=schedule_by_name,
    )
    weight_decay: float | Literal["auto"] = option(
        "auto", "Shrinks weights; 'auto' is 0.01: more would make rare words forgotten.", at_least=0
    )
    label_smoothing: float = option(
        0.1, "Share of the chance that all tokens are given alike in training.", at_least=0, below=1
    )
    beams: int = option(
        5,
        "Beginnings of an answer that are gone on with at the same time; 1 says the likeliest token each time. It may "
        "be changed after training.",
        at_least=1,
        at_most=100,
    )
    length_penalty: float = option(
        1.0,
        "How much longer answers are favoured among those that the beams have found; 0 takes the likeliest. It may be "
        "changed after training.",
        at_least=0,
        at_most=10,
    )

    def predict(self, X: Any) -> np.ndarray:
        """Return an answer to each text.

        Parameters
        ----------
        X : list of str, or Dataset with columns of text

        Returns
        -------
        ndarray of shape (n_samples,), of str

        Warns
        -----
        DataWarning
            If texts have more tokens than are read.
        """
        self._check_fitted()
        check_options(self)
        said = self._said(self._encoded(X))
        texts = np.empty(len(said), dtype=object)
        texts[:] = [self.target_.tokenizer.decode(row).strip() for row in said.numpy()]
        return texts

    def reply(self, text: str) -> str:
        """Return the answer to one text."""
        if not isinstance(text, str):
            raise InvalidInput(f"{text!r:.60} is a {type(text).__name__}. Give one text; for many call predict(texts).")
        return self.predict([text])[0]

    def log_likelihood(self, X: Any, y: Any) -> np.ndarray:
        """Return log p(answer | text) of each pair, all that the answer has added up, its end included.

        Parameters
        ----------
        X : list of str, or Dataset with columns of text
        y : list of str
            An answer to each.

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        answers = self.target_.encode(read_answers(y, len(data)), torch.float32)
        return -torch.stack(self._with_answers(data, answers, self._losses)).double().numpy()

    def rank(self, text: str, candidates: Sequence[str]) -> np.ndarray:
        """Return how well each of some answers fits a text.

        Parameters
        ----------
        text : str
        candidates : list of str

        Returns
        -------
        ndarray of shape (n_candidates,), float64
            log p(answer | text) a token; the greatest fits best.
        """
        answers = read_answers(candidates, len(candidates))
        lengths = self.target_.encode(answers, torch.float32).lengths.numpy()
        return self.log_likelihood([text] * len(answers), answers) / lengths

    def attention(self, X: Any, y: Any = None) -> list[Alignment]:
        """Return what was looked at for each word of the answers.

        Parameters
        ----------
        X : list of str, or Dataset with columns of text
        y : list of str, optional
            Answers to look at; without them those of `predict`.

        Returns
        -------
        list of Alignment
            One a text; `plot` draws it.
        """
        self._check_fitted()
        data = self._dataset(X, reset=False)
        answers = self.predict(data) if y is None else read_answers(y, len(data))
        tokenizer, found = self.target_.tokenizer, []
        encoder = cast(TextEncoder, self.encoder_)
        weights = self._with_answers(data, self.target_.tokens(answers), self._network.alignment)
        for text, answer, looked in zip(encoder.texts(data), answers, weights, strict=True):
            source = tokenizer.tokens(text)[: encoder.longest]
            target = tokenizer.tokens(answer)[: self.target_.longest]
            found.append(of_words(source, target, looked[: len(target), : len(source)].double().numpy()))
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return BLEU from 0 to 1, as sacrebleu has it: cased, with its words "13a".

        Parameters
        ----------
        X : list of str, or Dataset with columns of text
        y : list of str
            The true answers.
        sample_weight : array-like of shape (n_samples,), optional
            How much each text counts.

        Returns
        -------
        float

        Raises
        ------
        MissingExtra
            If sacrebleu is not installed.
        """
        self._check_fitted()
        load_sacrebleu()  # before any work
        data = self._dataset(X, reset=False)
        answers, weight = read_answers(y, len(data)), self._weights(sample_weight, len(data))
        counts = bleu_counts(self.predict(data).tolist(), answers.tolist())
        return float(bleu(counts.sum(0) if weight is None else weight @ counts)) / 100

    def _said(self, inputs: Columns) -> Tensor:
        """Return the tokens of the answers, (n, L), some with an end, filled up with 0."""
        network, longest = self._network, self.target_.longest + 1
        device = next(network.parameters()).device
        said = torch.zeros(len(inputs["tokens"]), longest, dtype=torch.int64)
        with torch.inference_mode(), fast_products(network, math.inf, precision=self._precision()):
            for some, batch in self._groups(inputs, STEPS_TOGETHER // self.beams):
                reading, n = network.read(batch), len(some)
                if self.beams == 1:
                    found = greedy(network.step, reading, n, longest, device=device)
                else:
                    settings = {"beams": self.beams, "length_penalty": self.length_penalty, "device": device}
                    found, _ = beam_search(network.step, reading, n, longest, **settings)
                said[some, : found.shape[1]] = found.cpu()
        return said[:, :-1]  # behind the last token that may be said there is room for an end

    def _with_answers(self, data: Dataset, answers: Ragged, ask: Callable[[Batch], Tensor]) -> list[Tensor]:
        """Return what `ask` makes of each text with its answer."""
        inputs = {**self.encoder_.encode(data), "target": answers}
        found: list[Tensor] = [torch.empty(0)] * len(data)
        with torch.inference_mode(), fast_products(self.network_, math.inf, precision=self._precision()):
            for some, batch in self._groups(inputs, STEPS_TOGETHER):
                for row, answer in zip(some.tolist(), ask(batch).cpu(), strict=True):
                    found[row] = answer
        return found

    def _groups(self, inputs: Columns, most: int) -> Iterator[tuple[Tensor, Batch]]:
        """Give rows of about equal length, and the batch of each such group on the network's device."""
        device = next(self.network_.parameters()).device
        for some in by_length(cast(Tensor, lengths_of(inputs)), max(1, most)):
            batch = {name: tensor.to(device) for name, tensor in side_by_side(inputs, some).items()}
            yield some, {**batch, **self.network_.prepare(batch)}

    def _losses(self, batch: Batch) -> Tensor:
        return token_losses(self.network_.scores(batch), batch["target"])

    @property
    def _network(self) -> EncoderDecoder:
        return cast(EncoderDecoder, self.network_)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: minus the log-likelihood of the answers."""
        return [Objective("likelihood", network.parameters(), self._loss)]

    def _loss(self, network: EncoderDecoder, batch: Batch) -> Tensor:
        """Return what `WeightedLoss` of the scores would be, without these."""
        target = batch["target"]
        there = target != PADDING
        weight = batch.get("weight", torch.ones(len(target), dtype=torch.float64, device=target.device))
        known = network.known(batch)
        return token_loss(
            known,
            network.vectors,
            target[there].long(),
            weight[there.nonzero()[:, 0]] / (len(target) * self.target_.per_text),
            label_smoothing=self.label_smoothing,
        )

    def _per_sample_loss(self) -> PerSampleLoss:
        def loss(scores: Tensor, target: Tensor) -> Tensor:
            return token_losses(scores, target, label_smoothing=self.label_smoothing) / self.target_.per_text

        return loss

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor | None:
        """Return the sum over answers of the share of their tokens that is said right after those before it."""
        target = batch["target"]
        there = target != PADDING
        right = torch.zeros_like(target, dtype=torch.float32)
        right[there] = (scores.argmax(1) == target[there]).float()
        return (right.sum(1) / there.sum(1)).sum()

    def _rate(self, optimizer: Optimizer) -> float:
        return optimizer.default_rate if self.learning_rate == "auto" else float(self.learning_rate)

    def _batch_size(self, n_samples: int) -> int:
        return min(n_samples, (64 if n_samples < FEW_PAIRS else 128) if self.batch_size == "auto" else self.batch_size)

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(100, max(10, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        return DECAY * optimizer.decoupled if self.weight_decay == "auto" else float(self.weight_decay)

    def _fit_encoder(self, data: Dataset) -> AnyEncoder:
        columns = text_columns(data)
        tokenizer = self.target_.tokenizer
        longest = self.max_length
        if longest == "auto":
            longest = min(LONGEST, max(1, tokenizer.encode(joined_texts(data, columns)).longest))
        return TextEncoder(tokenizer, tuple(columns), int(longest))

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        answers = read_answers(y, len(data))
        if reset:
            texts = joined_texts(data, text_columns(data))
            counted = np.arange(len(data)) if weight is None else np.flatnonzero(weight)
            both = [texts[i] for i in counted] + answers[counted].tolist()
            tokenizer = tokenizer_by_name(self.tokenizer).fit(both)
            longest = None if self.max_length == "auto" else int(self.max_length)
            weight = None if weight is None else weight[counted]
            self.target_ = TextTarget.fit(answers[counted].tolist(), tokenizer, longest, weight)
        return answers
