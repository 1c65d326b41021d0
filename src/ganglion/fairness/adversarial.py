"""Adversarial debiasing: while a network learns, an adversary learns to tell the group from its answers.

    s  = softmax((1 + |c|) z)            z the network's scores, c learned
    ẑ  = U h([s, s y, y])                the adversary, h nothing (linear) or layers of units; without y for parity
    U  lowers  L_A(ẑ, group)
    W  moves along  g_P - proj(g_P on g_A) - α g_A,   g_P, g_A the gradients of L_P and L_A by the network's weights W

Zhang, Lemoine & Mitchell 2018, "Mitigating unwanted biases with adversarial learning", arXiv:1801.07593, sections 3
and 4: the projection keeps a step from helping the adversary, the last term makes it worse. For equalised odds the
adversary is given the true class, for demographic parity it is not. Differs: several classes and groups (s and y
one-hot); α stays the same, in place of growing without bound; y stands beside s y (what the
class alone tells of the group is no fault of the network); AdamW.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from sklearn.base import clone
from torch import Tensor, nn
from torch.nn import functional

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.beside import Beside
from ganglion.fairness.debiased import Debiased
from ganglion.fairness.groups import Array, Groups, Sensitive
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.training.objective import Batch, Objective
from ganglion.training.supervised import WeightedLoss

GROUP = "group"
Goal = Literal["equalized_odds", "demographic_parity"]


class Adversarial(Debiased):
    """A network that learns against an adversary, which tells groups from its answers.

    Parameters
    ----------
    estimator : classifier of Ganglion
        Trained by objectives; of one label a row.
    sensitive : str, int, or list of str, optional
        Columns of X; without, their values are given to `fit`. They are not needed to answer.
    hide : bool
        Whether the estimator is not shown these columns.
    goal : {"equalized_odds", "demographic_parity"}
        Whether the adversary is given the true class.
    strength : float
        α, the weight of the adversary's loss, from the middle of training on.
    hidden : tuple of int
        Units of the adversary's hidden layers; none for the paper's linear one.
    rate : float
        Learning rate of the adversary, in those of the network.

    Attributes
    ----------
    estimator_ : classifier
        Its `history_` shows the adversary's loss.

    References
    ----------
    Zhang et al. 2018, arXiv:1801.07593.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        sensitive: Sensitive = None,
        hide: bool = False,
        goal: str = "equalized_odds",
        strength: float = 1.0,
        hidden: tuple[int, ...] = (),
        rate: float = 1.0,
    ) -> None:
        self.estimator, self.sensitive, self.hide = estimator, sensitive, hide
        self.goal, self.strength, self.hidden, self.rate = goal, strength, hidden, rate

    def _fit(self, X: Any, y: Array, groups: Groups, weight: Array | None) -> None:
        self._check()
        inner: Any = clone(self.estimator)
        if inner.get_params().get("validation_fraction") == "auto":
            # the held-out loss alone would choose weights from before the adversary had its say
            inner.set_params(validation_fraction=0.0)
        duel = _Duel(self, len(self.classes_), len(groups.labels))
        beside = Beside({GROUP: groups.codes}, duel.objectives)
        self.estimator_ = inner.fit(X, y, sample_weight=weight, beside=beside)

    def _check(self) -> None:
        if not hasattr(self.estimator, "objectives"):
            raise InvalidInput(
                f"{type(self.estimator).__name__} is not trained by objectives, which an adversary joins. Give a "
                "network of Ganglion, or use another method."
            )
        if self.goal not in ("equalized_odds", "demographic_parity"):
            raise InvalidParameter(f"goal={self.goal!r}: give 'equalized_odds' or 'demographic_parity'.")
        if not self.strength >= 0 or not self.rate > 0:
            raise InvalidParameter(
                f"strength={self.strength!r}, rate={self.rate!r}: strength is 0 or more, rate above 0."
            )


class Adversary(nn.Module):
    """Tells the group from scores: (n, n_scores) and codes of classes (n,) → (n, n_groups).

    Parameters
    ----------
    n_classes, n_groups : int
    knows_class : bool
        Whether it is given the true class (equalised odds).
    hidden : sequence of int
        Units of hidden layers.
    """

    def __init__(self, n_classes: int, n_groups: int, *, knows_class: bool, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        self.n_classes, self.knows_class = n_classes, knows_class
        self.sharpness = nn.Parameter(torch.ones(()))  # c
        n_in = n_classes * (1 + n_classes) + n_classes if knows_class else n_classes
        self.body = MLP(n_in, n_groups, hidden)

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the scores of groups; of two classes the network's scores are one number a row."""
        if scores.shape[1] == 1:
            scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
        shares = torch.softmax((1 + self.sharpness.abs()) * scores, dim=1)
        if not self.knows_class:
            return self.body(shares)
        true = functional.one_hot(target, self.n_classes).to(shares.dtype)
        crossed = (shares[:, :, None] * true[:, None, :]).flatten(1)
        return self.body(torch.cat([shares, crossed, true], dim=1))


class _Duel:
    """The two objectives: that of the network, whose gradient is turned, and the adversary's."""

    def __init__(self, settings: Adversarial, n_classes: int, n_groups: int) -> None:
        self.settings, self.n_classes, self.n_groups = settings, n_classes, n_groups
        self.said: Tensor | None = None

    def objectives(self, network: Network, own: Sequence[Objective]) -> list[Objective]:
        if len(own) != 1 or not isinstance(own[0].loss, WeightedLoss):
            raise InvalidInput("an adversary joins one objective, the mean loss of a batch; this algorithm has others.")
        self.own, self.loss = own[0], own[0].loss
        parameter = next(network.parameters())
        knows = self.settings.goal == "equalized_odds"
        adversary = Adversary(self.n_classes, self.n_groups, knows_class=knows, hidden=self.settings.hidden)
        self.adversary = adversary.to(parameter.device, network.dtype)
        self.steps = 0
        return [
            Objective("loss", network.parameters(), self.against),
            Objective("adversary", self.adversary.parameters(), self.telling, rate=self.settings.rate),
        ]

    def against(self, network: Network, batch: Batch) -> Tensor:
        """Return the network's loss, with the gradient of the paper's eq. 1."""
        scores = network.scores(batch)
        loss = self.loss.of(scores, batch)
        self.said = scores.detach()
        if not torch.is_grad_enabled():
            return loss
        weights = self.own.parameters
        own = torch.autograd.grad(loss, weights, retain_graph=True, materialize_grads=True)
        other = torch.autograd.grad(self.told(scores, batch), weights, materialize_grads=True)
        turned = turn(own, other, self.settings.strength)
        # a scalar of this value whose gradient is the turned one
        line = torch.stack([(g * w).sum() for g, w in zip(turned, weights, strict=True)]).sum()
        return loss.detach() + line - line.detach()

    def telling(self, network: Network, batch: Batch) -> Tensor:
        """Return the adversary's loss on what the network has just said."""
        with torch.no_grad():
            scores = network.scores(batch) if self.said is None else self.said
        return self.told(scores, batch)

    def told(self, scores: Tensor, batch: Batch) -> Tensor:
        losses = functional.cross_entropy(
            self.adversary(scores, _classes(batch["target"])), batch[GROUP], reduction="none"
        )
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()


def turn(own: Sequence[Tensor], other: Sequence[Tensor], strength: float) -> list[Tensor]:
    """Return g_P - proj(g_P on g_A) - α g_A, over all weights as one vector (eq. 1).

    Parameters
    ----------
    own, other : sequence of Tensor
        g_P and g_A, one tensor a parameter.
    strength : float
        α.
    """
    dot = torch.stack([(p * a).sum() for p, a in zip(own, other, strict=True)]).sum()
    square = torch.stack([a.square().sum() for a in other]).sum()
    along = dot / square.clamp(min=torch.finfo(square.dtype).tiny)
    return [p - (along + strength) * a for p, a in zip(own, other, strict=True)]


def _classes(target: Tensor) -> Tensor:
    """Return codes of classes; of two classes a target may be numbers, 0 and 1."""
    target = target.reshape(len(target), -1)[:, 0]
    return target if target.dtype == torch.int64 else (target > 0.5).long()
