"""The perceptron: a linear threshold unit that learns only from its mistakes, without gradients.

    ŷ = sign(w·x + b)                                              (y in {-1, +1})
    if y (w·x + b) <= 0:   w ← w + η y x,   b ← b + η y            Rosenblatt's rule

If some unit vector u separates the classes with margin γ, y u·(x, 1) >= γ, and no ‖(x, 1)‖ exceeds R, at most (R/γ)²
corrections are ever made (Block 1962; Novikoff 1962), whatever the order of the samples.

Rosenblatt 1958, "The perceptron", Psychological Review 65. Several classes: one unit each, against the rest.

A weight of k equals k presentations in a row. Equal samples are joined and visited in an order that depends on the
seed and their values only; `shuffle=False` visits them as they come, as often as they come.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.errors import TrainingWarning
from ganglion.estimators.base import Samples, Tags
from ganglion.estimators.classifier import BaseClassifier
from ganglion.estimators.session import Session
from ganglion.estimators.spec import Spec
from ganglion.networks.mlp import linear
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.history import History
from ganglion.training.run import Snapshot

CHUNK = 256  # samples whose scores are computed together; those after a correction are computed again


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction: the epoch (from 1), the unit, the sample as given to `fit`, and the amount η y added."""

    epoch: int
    unit: int
    sample: int
    amount: float


def corrections(
    w: np.ndarray, x: np.ndarray, signs: np.ndarray, weight: np.ndarray, order: np.ndarray, rate: float
) -> Iterator[tuple[int, float]]:
    """Visit samples in order and correct `w` in place, by Rosenblatt's rule, where it is wrong.

    Parameters
    ----------
    w : ndarray of shape (n_features,)
    x : ndarray of shape (n_samples, n_features)
    signs : ndarray of shape (n_samples,), -1 or +1
    weight : ndarray of shape (n_samples,)
        A sample is presented so many times in a row; a last part of a presentation corrects by that part.
    order : ndarray of int
    rate : float
        η.

    Yields
    ------
    (row, amount)
        Each sample that was wrong, and what multiplied it.
    """
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        while len(rows):
            scores = signs[rows] * (x[rows] @ w)
            wrong = np.flatnonzero(scores <= 0)
            if not len(wrong):
                break
            row = rows[wrong[0]]
            # each presentation lifts the score by η ‖x‖², so the number needed to be right is known beforehand
            needed = np.floor(-scores[wrong[0]] / (rate * (x[row] @ x[row]))) + 1.0
            amount = rate * signs[row] * min(weight[row], needed)
            w += amount * x[row]
            yield int(row), float(amount)
            rows = rows[wrong[0] + 1 :]


def joined(x: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join equal samples: the row of the first of each, sorted by value, and the sum of their weights."""
    _, first, group = np.unique(np.column_stack([codes, x]), axis=0, return_index=True, return_inverse=True)
    return first, np.bincount(group.ravel(), weights=weight)


@hyperparameters
class Perceptron(BaseClassifier):
    """Rosenblatt's perceptron: a linear classifier that is corrected by its mistakes only.

    Attributes
    ----------
    trace_ : list of Correction
        Every correction that `fit` made, in order. A saved model is without: there may be more of them than data.
    converged_ : bool
        Whether the last epoch made no mistake: the training data are separated.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> model = Perceptron(random_state=0).fit(X, [0, 0, 0, 1])  # logical and
    >>> model.predict(X).tolist()
    [0, 0, 0, 1]

    References
    ----------
    Rosenblatt 1958, Psychological Review 65, 386-408. Novikoff 1962, "On convergence proofs for perceptrons".
    """

    epochs: int = option(100, "Walks over the training data at most; it stops when one makes no mistake.", at_least=1)
    learning_rate: float = option(1.0, "Amount of each correction; it scales the weights, no decision.", above=0)
    shuffle: bool = option(True, "Whether every epoch visits the samples in a new order.")

    tags: ClassVar[Tags] = Tags(task="classification", gradients=False)

    @property
    def converged_(self) -> bool:
        """Whether the last epoch made no mistake."""
        return self.history_["loss"][-1:] == [0]

    def build(self, spec: Spec) -> Network:
        """Return one linear unit a class (one alone for two classes) on the raw numbers."""
        entry = spec.input_layer(scaling="none")
        return Network(entry, nn.Sequential(nn.Flatten(), linear(entry.n_out, spec.n_scores, "identity")), spec.output)

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        if held_out is not None:
            warnings.warn(
                "the perceptron stops when an epoch makes no mistake, so validation is not looked at. Leave it out.",
                TrainingWarning,
                stacklevel=3,
            )
        network = self.build(Spec(self.encoder_.spec, self.target_.n_scores, nn.Identity())).cast(torch.float64)
        inputs = cast("dict[str, Tensor]", samples.inputs)
        network.entry.adapt(inputs)
        with torch.no_grad():
            x = network.input(network.prepare(inputs)).flatten(1).numpy()
        codes = self.target_.encode(samples.y, torch.float64).numpy().astype(int).ravel()
        weight = self._weight(samples)
        weight = np.ones(len(x)) if weight is None else weight
        rows, weight = joined(x, codes, weight) if self.shuffle else (np.arange(len(x)), weight)
        w = self._correct(x[rows], codes[rows], weight, samples.rows[rows], session)
        units = cast(nn.Linear, network.get_submodule("body.1"))
        with torch.no_grad():
            units.weight.copy_(torch.from_numpy(w[:, :-1]))
            units.bias.copy_(torch.from_numpy(w[:, -1]))
        self.network_ = network.eval()

    def _correct(
        self, x: np.ndarray, codes: np.ndarray, weight: np.ndarray, names: np.ndarray, session: Session
    ) -> np.ndarray:
        """Apply the rule until an epoch makes no mistake. Returns weights and biases, (n_units, n_features + 1)."""
        x = np.column_stack([x, np.ones(len(x))])  # the bias is the weight of a feature that is always 1
        positive = [1] if self.target_.binary else range(len(self.target_.classes))
        rng, w = np.random.default_rng(session.seed), np.zeros((len(positive), x.shape[1]))
        self.trace_, self.history_ = [], History()
        if session.resume is not None:
            w = self._restore(session.resume, rng)
        for epoch in range(len(self.history_) + 1, self.epochs + 1):
            order = rng.permutation(len(x)) if self.shuffle else np.arange(len(x))
            before = len(self.trace_)
            for unit, code in enumerate(positive):
                signs = np.where(codes == code, 1.0, -1.0)
                for row, amount in corrections(w[unit], x, signs, weight, order, self.learning_rate):
                    self.trace_.append(Correction(epoch, unit, int(names[row]), amount))
            n_mistakes = len(self.trace_) - before
            self.history_.rows.append({"epoch": epoch, "step": epoch * len(x), "loss": n_mistakes / len(x)})
            for call in session.callbacks:
                call(self.history_.rows[-1], self.epochs)
            if n_mistakes == 0:
                break
            if session.checkpoints and session.checkpoints.due(epoch):
                session.checkpoints.write(self._snapshot(epoch, w, rng))
        self.history_.stopped = "an epoch without a mistake" if self.converged_ else "all epochs done"
        return w

    def _snapshot(self, epoch: int, w: np.ndarray, rng: np.random.Generator) -> Snapshot:
        trace = [(each.epoch, each.unit, each.sample, each.amount) for each in self.trace_]
        numbers = {"step": epoch, "random": rng.bit_generator.state, "history": self.history_.to_dict()}
        tensors = {"w": torch.from_numpy(w.copy()), "trace": torch.tensor(trace, dtype=torch.float64).reshape(-1, 4)}
        return Snapshot(numbers, tensors)

    def _restore(self, snapshot: Snapshot, rng: np.random.Generator) -> np.ndarray:
        rng.bit_generator.state = snapshot.numbers["random"]
        self.history_ = History.from_dict(snapshot.numbers["history"])
        self.trace_ = [Correction(int(e), int(u), int(n), a) for e, u, n, a in snapshot.tensors["trace"].tolist()]
        return snapshot.tensors["w"].numpy()
