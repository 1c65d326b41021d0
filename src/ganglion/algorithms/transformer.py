"""Transformer: every token looks at all the others, takes from each what fits, and is then thought over by itself.

    z_0  = x_t E + P_t                          vectors of tokens, or of steps of numbers, and of their places (3.5)
    z'_l = z_{l-1} + Attention(LN(z_{l-1}))     softmax(Q Kᵀ / √d) V with several heads, l = 1 … L             (eq. 1)
    z_l  = z'_l + MLP(LN(z'_l))                                                                                (eq. 2)
    s    = W pool(LN(z_L)) + b                  scores: logits, or numbers

Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762: the encoder. Differs: normalised before each part,
not after it (Xiong et al. 2020, arXiv:2002.04745), GELU in place of a rectifier; what fills up the shorter samples of a
batch is hidden from every place, so that it changes nothing.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.data.dataset import Dataset
from ganglion.data.ragged import Columns, Ragged, by_length, lengths_of, side_by_side
from ganglion.errors import InvalidParameter
from ganglion.estimators.base import STEPS_TOGETHER, Samples, Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.regressor import Regressor
from ganglion.estimators.sequence_reader import SequenceReader
from ganglion.estimators.sound import SoundOptions
from ganglion.estimators.spec import Spec
from ganglion.networks.attention import Encoder, only
from ganglion.networks.mlp import linear
from ganglion.networks.network import Network
from ganglion.networks.positions import Kind, Positions, too_long
from ganglion.networks.sequences import Steps, mean_of
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

SCALE = 0.1  # of vectors at first: a rare word is learned from a few steps, which larger ones would outweigh
BATCH, WHOLE = 64, 256  # samples: sets of numbers up to WHOLE are not taken whole
STEPS = 600  # of a training on numbers, where neither few nor many epochs come of it


@hyperparameters
class TransformerOptions(SoundOptions, SequenceReader):
    """What shapes the network, for classes and numbers alike."""

    width: int | Literal["auto"] = option(
        "auto",
        "Numbers of the vector of each token, a multiple of `heads`; 'auto' is 128 for texts, 64 for recordings and 32 "
        "for numbers.",
        at_least=1,
    )
    layers: int = option(2, "Blocks of attention and MLP.", at_least=1)
    heads: int = option(4, "Heads of each attention.", at_least=1)
    positions: Kind = option(
        "sinusoidal",
        "How a token knows its place: sinusoidal and learned vectors are added, rotary turns queries and keys. Learned "
        "ones end with the longest text or sequence of training.",
    )
    pooling: Literal["mean", "token"] = option(
        "mean", "Whether the scores read the mean of all tokens or one that is put in front of them."
    )
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)

    def build(self, spec: Spec) -> Network:
        """Return input layer, places, encoder, read-out and output layer for data like `spec`."""
        usual = 128 if spec.inputs.vocabulary else 64 if spec.inputs.audio else 32
        width = usual if self.width == "auto" else int(self.width)
        self._check_heads(width)
        if spec.inputs.audio:
            entry = self._hearing(spec)
            longest = entry.most_steps(spec.inputs.longest)
        else:
            entry = spec.sequence_layer(width, scale=SCALE)
            longest = spec.inputs.longest or getattr(entry, "n_steps", 0)
        front = Front(entry.n_out, width, self.positions, longest, token=self.pooling == "token")
        encoder = Encoder(
            width,
            self.layers,
            self.heads,
            hidden=4 * width,
            dropout=self._silenced(spec),
            rotary=self.positions == "rotary",
        )
        return Network(entry, Body(front, encoder, spec.n_scores, self._silenced(spec)), spec.output)

    def _check_heads(self, width: int) -> None:
        of_head = 2 * self.heads if self.positions == "rotary" else self.heads
        if width % of_head:
            raise InvalidParameter(
                f"{type(self).__name__}(width={width}, heads={self.heads}, positions={self.positions!r}): each head "
                f"takes an equal part of the vector{', of an even number' if of_head > self.heads else ''}. Give a "
                f"multiple of {of_head}, such as width={of_head * max(1, round(width / of_head))}."
            )

    def attention(self: Any, X: Any) -> list[np.ndarray]:
        """Return how much each token looks at each.

        Parameters
        ----------
        X : list of texts, sequences or rows of a table

        Returns
        -------
        list of ndarray of shape (layers, heads, T, T)
            One of each sample, T its own number of tokens (and the token in front of them with `pooling="token"`); the
            last axis sums to 1. The tokens of a text: `model.encoder_.tokenizer.tokens(text)`.
        """
        self._check_fitted()
        inputs = self.network_.ready(self._encoded(X))
        lengths = lengths_of(inputs)
        n = len(next(iter(inputs.values())))
        groups = [torch.arange(n)] if lengths is None else by_length(lengths, STEPS_TOGETHER)
        body, looked = cast(Body, self.network_.body), {}
        with torch.inference_mode():
            for rows in groups:
                steps = body.front(self.network_.input(self.network_.prepare(side_by_side(inputs, rows))))
                weights = torch.stack(body.encoder.weights(steps.x, hidden(steps)), 1)
                sizes = steps.lengths.tolist()
                looked |= {
                    row: each[..., :t, :t].numpy().copy()
                    for row, t, each in zip(rows.tolist(), sizes, weights, strict=True)
                }
        return [looked[row] for row in range(n)]

    def _rate(self: Any, optimizer: Optimizer) -> float:
        if self.learning_rate == "auto" and not self.encoder_.spec.vocabulary:
            return optimizer.default_rate  # nothing is carried from step to step, and few epochs have to do
        return super()._rate(optimizer)  # type: ignore[misc]

    def _batch_size(self: Any, n_samples: int) -> int:
        if self.batch_size == "auto" and not self.encoder_.spec.vocabulary and BATCH < n_samples <= WHOLE:
            return BATCH  # all of them at once would be one step an epoch, and there are few
        return super()._batch_size(n_samples)  # type: ignore[misc]

    def _epochs(self: Any, n_samples: int, batch_size: int) -> int:
        if self.epochs == "auto" and not self.encoder_.spec.vocabulary:
            return min(30, max(10, math.ceil(STEPS / math.ceil(n_samples / batch_size))))
        return super()._epochs(n_samples, batch_size)  # type: ignore[misc]

    def _encoded(self: Any, X: Any) -> Columns:
        inputs = super()._encoded(X)  # type: ignore[misc]
        self._refuse_too_long(inputs)
        return inputs

    def _held_out(self: Any, validation: tuple[Any, Any] | None, training: Dataset) -> Samples | None:
        samples = super()._held_out(validation, training)  # type: ignore[misc]
        if samples is not None:
            self._refuse_too_long(samples.inputs)
        return samples

    def _refuse_too_long(self: Any, inputs: Columns) -> None:
        """Refuse sequences with more steps than places were learned; texts are cut to them already."""
        column = inputs.get("sequence", inputs.get("audio"))
        if self.positions == "learned" and isinstance(column, Ragged) and column.longest > self.encoder_.longest:
            raise too_long(column.longest, self.encoder_.longest)


class Front(nn.Module):
    """Steps as vectors that know their places, with a token in front of them if so wanted: `Steps` → `Steps`."""

    def __init__(self, n_in: int, width: int, positions: Kind, longest: int, *, token: bool) -> None:
        super().__init__()
        self.embed = nn.Identity() if n_in == width else linear(n_in, width, "identity")
        self.token = nn.Parameter(torch.zeros(1, 1, width)) if token else None
        self.positions = Positions(positions, width, longest + token, scale=SCALE if n_in == width else 1.0)

    def forward(self, steps: Steps) -> Steps:
        """Return the vectors, (n, T, D) or (n, 1 + T, D)."""
        x, lengths = self.embed(steps.x), steps.lengths
        if self.token is not None:
            x, lengths = torch.cat([self.token.to(x.dtype).expand(x.shape[0], -1, -1), x], 1), lengths + 1
        return Steps(self.positions(x), lengths)


class Body(nn.Module):
    """Places, encoder and read-out: `Steps` (n, T, D_in) → scores (n, n_out)."""

    def __init__(self, front: Front, encoder: Encoder, n_out: int, dropout: float) -> None:
        super().__init__()
        self.front, self.encoder = front, encoder
        self.dropout, self.layer = nn.Dropout(dropout), linear(encoder.norm.normalized_shape[0], n_out, "identity")

    def forward(self, steps: Steps) -> Tensor:
        """Return the scores."""
        steps = self.front(steps)
        seen = Steps(self.encoder(self.dropout(steps.x), hidden(steps)), steps.lengths)
        known = mean_of(seen) if self.front.token is None else seen.x[:, 0]
        return self.layer(self.dropout(known))


def hidden(steps: Steps) -> Tensor | None:
    """Return the bias of attention that hides what is filling, or None if nothing is."""
    return None if steps.full else only(steps.there)


@hyperparameters
class TransformerClassifier(TransformerOptions, Classifier):
    """Transformer for classes of texts and sequences: two, several, or several labels at once.

    Reads texts, recordings, sequences of numbers as long as each may be, and rows of a table as signals. It needs more
    texts than a convolutional or recurrent network to be as good.

    Examples
    --------
    >>> texts = ["good, very good", "very bad", "good film", "bad, so bad", "a good one", "a bad one"] * 20
    >>> model = TransformerClassifier(width=16, epochs=10, random_state=0).fit(texts, ["up", "down"] * 60)
    >>> model.predict(["so good", "bad film"]).tolist()
    ['up', 'down']
    >>> model.attention(["so good"])[0].shape  # layers, heads, tokens, tokens
    (2, 4, 2, 2)

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745; Su et al. 2021, arXiv:2104.09864.
    """

    tags: ClassVar[Tags] = Tags(
        task="classification", modalities=("table", "text", "sequence", "audio"), multilabel=True
    )


@hyperparameters
class TransformerRegressor(TransformerOptions, Regressor):
    """Transformer for numbers from texts and sequences: one target or several (y a matrix).

    Reads texts, recordings, sequences of numbers as long as each may be, and rows of a table as signals. The target is
    standardised inside; predictions are in its own units.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> walks = [rng.normal(size=(length, 1)) for length in rng.integers(5, 15, 300)]
    >>> means = np.array([walk.mean() for walk in walks])
    >>> model = TransformerRegressor(width=16, layers=1, epochs=30, random_state=0).fit(walks, means)
    >>> bool(model.score(walks, means) > 0.9)
    True

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745; Su et al. 2021, arXiv:2104.09864.
    """

    tags: ClassVar[Tags] = Tags(task="regression", modalities=("table", "text", "sequence", "audio"), multioutput=True)
