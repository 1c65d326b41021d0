"""Language models: texts in; how likely each is, and new ones, out.

Texts become one stream of tokens (`data.stream`); what is held out is its end. A single text is a stream by itself;
several have a token for the end before, between and behind them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ganglion.data.dataset import Dataset
from ganglion.data.memory import memory_bytes
from ganglion.data.ragged import Columns, Ragged
from ganglion.data.stream import Windows, as_stream, cut, weights_of_stream, windows_of
from ganglion.data.text_encoding import WHOLE, TextEncoder
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.data.vocabulary import END, SPECIAL, UNKNOWN
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.base import Samples
from ganglion.estimators.next_token import NextTokenTarget
from ganglion.estimators.session import Session
from ganglion.estimators.surprise import framed, surprise
from ganglion.estimators.trained import Trained
from ganglion.estimators.writer import Writer
from ganglion.networks.network import Network
from ganglion.networks.next_token import NextToken
from ganglion.options import hyperparameters, option
from ganglion.training.execution import COPIES, Execution, fast_products
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer
from ganglion.training.run import Source
from ganglion.training.schedules import schedule_by_name
from ganglion.training.trainer import Monitor, Trainer

HELD_OUT = 0.1  # of the stream, its end
FEWEST = 1000  # tokens from which on a part is held out
STEPS, PASSES = 3000, 60  # of a training at most, where nothing is said
MEASURED_EVERY = 500  # steps, where their number is given
TOGETHER = 2**14  # tokens that go through a network together when nothing is learned,
SCORES = 2**24  # and scores
LEAST_READ = 1024  # tokens that a recurrent network reads in one go when it judges
FLOAT = 4  # bytes
GB = 2**30


@hyperparameters
class Language(Writer, Trained):
    """Base of language models: an algorithm adds `build`, which makes a `NextToken`, and what that takes."""

    tokenizer: Any = option(
        "characters",
        "How texts are cut: characters, bpe(vocabulary=8000), words(vocabulary=20000) or wordpiece; see "
        "`ganglion.data.tokenizers`. Only the first two write texts letter by letter.",
        check=tokenizer_by_name,
    )
    context: int = option(128, "Tokens of a window that is learned from.", at_least=1)
    steps: int | None = option(
        None,
        "Steps to take, in place of `epochs`; where neither is given, up to 3,000. Held-out text is then looked at "
        "about every 500 steps.",
        at_least=1,
    )
    batch_size: int | Literal["auto"] = option("auto", "Windows a step; 'auto' takes up to 16.", at_least=1)
    schedule: Any = option(
        "warm_up(steps=100, then='cosine(floor=0.1)')",
        "How the learning rate goes on: constant, cosine, one_cycle, step(every=30), plateau(patience=5), "
        "warm_up(steps=100, then='cosine').",
        check=schedule_by_name,
    )
    weight_decay: float | Literal["auto"] = option(
        "auto", "Shrinks weights, decoupled with adamw and muon; 'auto' is 0.1 for those and 0 for others.", at_least=0
    )
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)
    validation_fraction: float | Literal["auto"] = option(
        "auto",
        "Part of the training text, its end, held out to keep the best weights; 'auto' is a tenth from 1,000 tokens "
        "on, and none below.",
        at_least=0,
        below=1,
    )

    def n_parameters(self, vocabulary: int) -> int:
        """Return how many weights the network for so many tokens has."""
        raise NotImplementedError

    def n_kept(self, vocabulary: int) -> int:
        """Return about how many numbers a step keeps of each token of a batch, to go back through them."""
        raise NotImplementedError

    # learning

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: minus the logarithm of the chance of the next token."""
        return [Objective("loss", network.parameters(), next_token_loss)]

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        return np.empty((len(data), 0))  # texts are their own answers: y, as scikit-learn has it, is not looked at

    def _fit_encoder(self, data: Dataset) -> TextEncoder:
        encoder = TextEncoder.fit(data, tokenizer_by_name(self.tokenizer), WHOLE)
        self.target_ = NextTokenTarget(encoder.tokenizer.n_tokens, documents=len(data) > 1)
        return encoder

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        if self.steps is not None and self.epochs != "auto":
            raise InvalidParameter(
                f"{type(self).__name__}(steps={self.steps}, epochs={self.epochs}): both say how long to train. Give "
                "one of them."
            )
        stream = self._stream(samples)
        if held_out is not None:
            held = self._stream(held_out)
        else:
            stream, held = self._divided(stream)
        windows, others = self._windows(stream), None if held is None else self._windows(held)
        self._refuse_too_large(self._batch_size(len(windows)))
        super()._learn(windows, others, session)

    def _stream(self, samples: Samples) -> dict[str, Tensor]:
        """Return documents as one stream, with the weights of its tokens where they differ."""
        documents = cast(Ragged, samples.inputs["tokens"])
        weight = self._weight(samples)
        uneven = weight is not None and weight.min() < weight.max()
        weights = torch.from_numpy(weight).float() if weight is not None and uneven else torch.ones(len(documents))
        if self.target_.documents:
            tokens, weights = as_stream(documents, END), weights_of_stream(documents, weights)
        else:
            tokens, weights = documents.values, torch.repeat_interleave(weights, documents.lengths)
        if len(tokens) < 2:
            raise InvalidInput("the text has one single token, after which nothing comes. Give a longer text.")
        return {"tokens": tokens} | ({"weight": weights / weights.mean()} if uneven else {})

    def _divided(self, stream: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor] | None]:
        """Return the stream but for its end, and its end; that is None if nothing is held out."""
        n = len(stream["tokens"])
        share = self.validation_fraction
        share = (HELD_OUT if n >= FEWEST else 0.0) if share == "auto" else float(share)
        kept = int((1 - share) * n)
        if share == 0:
            return stream, None
        if min(kept, n - kept) < 2:
            raise InvalidParameter(
                f"{type(self).__name__}(validation_fraction={share}): that is {n - kept} of {n} tokens. Leave at least "
                "2 on each side, or give 0 for no held-out part."
            )
        return tuple({k: t[part] for k, t in stream.items()} for part in (slice(kept), slice(kept, n)))  # type: ignore[return-value]

    def _windows(self, stream: dict[str, Tensor]) -> Samples:
        """Return a stream as what is learned from: as many samples as there are windows in a pass."""
        n_tokens = len(stream["tokens"])
        n = windows_of(n_tokens, min(self.context, n_tokens - 1))
        return Samples(dict(stream), np.empty((n, 0)), None, np.arange(n))

    def _refuse_too_large(self, batch_size: int) -> None:
        """Raise InvalidParameter, before anything is built, if the network and a step of it do not fit memory."""
        vocabulary, room = self.target_.n_tokens, memory_bytes()
        weights = COPIES * FLOAT * self.n_parameters(vocabulary)
        step = FLOAT * batch_size * self.context * self.n_kept(vocabulary)
        if weights + step <= room:
            return
        smaller = "width, layers, or the vocabulary of the tokenizer" if weights > step else "batch_size or context"
        raise InvalidParameter(
            f"this language model needs about {(weights + step) / GB:,.1f} GB, and there are {room / GB:,.1f} GB of "
            f"memory: {weights / GB:,.1f} GB for {self.n_parameters(vocabulary):,} weights, their gradients and two "
            f"moments of each, {step / GB:,.1f} GB for what a step of {batch_size} windows of {self.context} tokens "
            f"leaves. Give a smaller {smaller}."
        )

    def _split(self, samples: Samples, seed: int) -> tuple[None, None]:
        return None, None  # the end of the stream was cut off before

    def _example(self, samples: Samples) -> Batch:
        tokens = cast(Tensor, samples.inputs["tokens"])
        return cut(tokens, torch.zeros(1, dtype=torch.int64), min(self.context, len(tokens) - 1))

    def _feed(
        self,
        network: Network,
        samples: Samples,
        rows: Tensor | None,
        held_out: Samples | None,
        held_rows: Tensor | None,
        execution: Execution,
        batch_size: int,
        seed: int,
    ) -> tuple[Source, Monitor | None]:
        columns = cast("dict[str, Tensor]", samples.inputs)
        n_tokens = len(columns["tokens"])
        if n_tokens <= self.context:
            warnings.warn(
                f"the text has {n_tokens:,} tokens, and a window {self.context}: one window of {n_tokens - 1} is all "
                "that there is to learn from. Give more text, or a smaller context.",
                DataWarning,
                stacklevel=4,
            )
        _, epoch, steps = self._plan(len(samples), batch_size)
        source = Windows(
            columns,
            min(self.context, n_tokens - 1),
            batch_size,
            torch.Generator().manual_seed(seed),
            epoch=epoch,
            steps=steps,
            device=execution.device,
        )
        if held_out is None:
            return source, None
        return source, self._measure(network, held_out, execution.device)

    def _measure(self, network: Network, held_out: Samples, device: str) -> Monitor:
        """Return what measures the loss on held-out text, cut into windows that stand side by side."""
        tokens = cast(Tensor, held_out.inputs["tokens"])
        length = min(self.context, len(tokens) - 1)
        starts = torch.arange(0, len(tokens) - length, length)
        together = max(1, self._together() // length)

        def measure() -> dict[str, float]:
            total = 0.0
            for some in starts.split(together):
                batch = {name: tensor.to(device) for name, tensor in cut(tokens, some, length).items()}
                total += float(next_token_loss(network, batch)) * len(some)
            return {"validation_loss": total / len(starts)}

        return measure

    def _plan(self, n_windows: int, batch_size: int) -> tuple[int, int, int | None]:
        """Return epochs, steps of each, and steps in all where the last epoch may be shorter."""
        a_pass = math.ceil(n_windows / batch_size)
        if self.epochs != "auto":
            return int(self.epochs), a_pass, None
        steps = min(STEPS, PASSES * a_pass) if self.steps is None else self.steps
        epoch = math.ceil(steps / max(1, round(steps / MEASURED_EVERY)))
        return math.ceil(steps / epoch), epoch, steps

    def _trainer(self, optimizer: Optimizer, n_samples: int, batch_size: int, callbacks: Any) -> Trainer:
        trainer = super()._trainer(optimizer, n_samples, batch_size, callbacks)
        return replace(trainer, steps=self._plan(n_samples, batch_size)[2])

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        return self._plan(n_samples, batch_size)[0]

    def _batch_size(self, n_samples: int) -> int:
        return min(16 if self.batch_size == "auto" else int(self.batch_size), n_samples)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        return 0.1 if optimizer.decoupled else 0.0

    # judging

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the log-likelihood of each text, in nats.

        Parameters
        ----------
        X : list of texts, or Dataset

        Returns
        -------
        ndarray of shape (n_texts,), float64
            The sum over its tokens; trained on several texts, over its end as well.
        """
        nats = self._surprise(self._documents(X))
        total = torch.zeros(len(nats), dtype=torch.float64)
        return -total.index_add_(0, torch.repeat_interleave(nats.lengths), nats.values).numpy()

    def perplexity(self, X: Any) -> float:
        """Return among how many tokens the model hesitates on average: e to the mean of the tokens' surprise.

        Parameters
        ----------
        X : list of texts, or Dataset
        """
        return math.exp(-self.score(X))

    def bits_per_character(self, X: Any) -> float:
        """Return how many bits the model needs to write a character of these texts, whatever its tokens are.

        Parameters
        ----------
        X : list of texts, or Dataset
        """
        data = self._dataset(X, reset=False)
        n_characters = sum(map(len, self._texts(data)))
        return float(-self.score_samples(data).sum() / math.log(2) / n_characters)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of a token, in nats: minus the loss.

        Parameters
        ----------
        X : list of texts, or Dataset
        y : ignored
        """
        return -float(self._surprise(self._documents(X)).values.mean())

    def tokens(self, X: Any) -> list[list[str]]:
        """Return the pieces that texts are cut into.

        Parameters
        ----------
        X : list of texts, or Dataset
        """
        self._check_fitted()
        return [self._tokenizer.tokens(text) for text in self._texts(self._dataset(X, reset=False))]

    def surprisals(self, X: Any, follows: Sequence[bool] | None = None) -> list[np.ndarray]:
        """Return how surprising each token is, minus the logarithm of its chance given all before it.

        Parameters
        ----------
        X : list of texts, or Dataset
        follows : sequence of bool, optional
            Whether each text goes on where the one before it ended: parts of one text. Without it none does.

        Returns
        -------
        list of ndarray of shape (n_tokens,), float64
            In nats, one for each of the text's `tokens`; the end of a text is not among them.
        """
        parts = self._documents(X)
        first = torch.ones(len(parts), dtype=torch.bool)
        if follows is not None:
            if len(follows) != len(parts):
                raise InvalidInput(f"follows has {len(follows)} values for {len(parts)} texts. Give one a text.")
            first = ~torch.as_tensor(np.asarray(follows, dtype=bool))
            first[0] = True
        offsets = torch.cat([parts.offsets[:-1][first], parts.offsets[-1:]])
        nats = self._surprise(Ragged(parts.values, offsets))
        kept = nats.values
        if self.target_.documents:
            ends = torch.zeros(len(kept), dtype=torch.bool)
            ends[nats.offsets[1:] - 1] = True
            kept = kept[~ends]
        return [part.numpy() for part in Ragged(kept, parts.offsets).split()]

    def _surprise(self, documents: Ragged) -> Ragged:
        """Return minus the logarithm of the chance of each token, and of the ends of texts if the model knows them.

        The windows of a long text overlap, so that each token but the first ones has at least half a context before it.
        A recurrent network, which has no context, reads windows of at least 1,024 tokens.
        """
        texts = framed(documents, self._start(), END if self.target_.documents else None)
        context = self._network.reader.context
        size = max(LEAST_READ, 8 * self.context) if context is None else context
        overlap = size // (4 if context is None else 2)
        with torch.inference_mode(), fast_products(self.network_, math.inf, precision=self._precision()):
            return surprise(self._network, texts, size=size, overlap=overlap, together=self._together())

    # shared

    def _start(self) -> int:
        """Return the token that a text comes after: the end of another, or a new line, or the commonest one."""
        if self.target_.documents:
            return END
        line = self._tokenizer.encode(["\n"]).values.tolist()
        return line[0] if len(line) == 1 and line[0] != UNKNOWN else min(len(SPECIAL), self.target_.n_tokens - 1)

    @property
    def _network(self) -> NextToken:
        return cast(NextToken, self.network_)

    @property
    def _tokenizer(self) -> Any:
        return cast(TextEncoder, self.encoder_).tokenizer

    def _texts(self, data: Dataset) -> list[str]:
        return cast(TextEncoder, self.encoder_).texts(data)

    def _documents(self, X: Any) -> Ragged:
        self._check_fitted()
        tokens = cast(Ragged, cast(Columns, self._encoded(X))["tokens"])
        self._tell_unknown(tokens.values)
        return tokens

    def _together(self) -> int:
        return min(TOGETHER, max(1, SCORES // self.target_.n_tokens))

    def _tell_unknown(self, ids: Tensor) -> None:
        unknown = int((ids == UNKNOWN).sum())
        if unknown:
            warnings.warn(
                f"{unknown:,} of {len(ids):,} tokens were never seen in training; each counts as the unknown one. A "
                "tokenizer of byte pairs (tokenizer='bpe') knows every text.",
                DataWarning,
                stacklevel=4,
            )


def next_token_loss(network: Any, batch: Batch) -> Tensor:
    """Return the mean of minus the logarithm of the chance of the token after each, a scalar, in nats."""
    scores = network.scores(batch).flatten(0, 1)
    scores = scores.float() if scores.dtype == torch.bfloat16 else scores
    target = batch["target"].flatten()
    if "weight" not in batch:
        return F.cross_entropy(scores, target)
    return (F.cross_entropy(scores, target, reduction="none") * batch["weight"].flatten()).mean()
