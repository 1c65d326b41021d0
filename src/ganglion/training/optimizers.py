"""Optimisers by name: frozen settings, a state of tensors, and one step.

`step(evaluate, parameters, state, learning_rate)` moves the parameters in place and returns the loss, where
`evaluate()` gives the loss and its gradients at the present parameters (L-BFGS asks several times, the others once).
The state is a dict of lists of tensors, so that a checkpoint can hold it and a resumed run goes on to the bit.

They call PyTorch's fused kernels directly: the first `torch.optim` object of a process imports its compiler, which
costs the first fit about a second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganglion.options import call_by_name, call_text, in_range

State = dict[str, list[Tensor]]
Evaluate = Callable[[], tuple[Tensor, list[Tensor]]]


class Optimizer(ABC):
    """What the trainer asks of an optimiser.

    Attributes
    ----------
    default_rate : float
        Learning rate when the user gives none.
    decoupled : bool
        Whether weight decay shrinks the weights beside the step (Loshchilov & Hutter 2019, arXiv:1711.05101), or is
        the gradient of an L2 penalty inside it.
    full_batch : bool
        Whether every step wants the whole data set.
    searches : bool
        Whether a step tries several places, at some of which the loss may be no number.
    by_matrix : bool
        Whether a step depends on the shapes of parameters; others may be given all of them as one vector.
    """

    __slots__ = ()
    default_rate: ClassVar[float]
    decoupled: ClassVar[bool] = False
    full_batch: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    by_matrix: ClassVar[bool] = False

    @abstractmethod
    def start(self, parameters: list[Tensor]) -> State:
        """Return the state before the first step."""

    @abstractmethod
    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Move the parameters in place, change the state in place, and return the loss before the step."""


def _zeros(parameters: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(parameter) for parameter in parameters]


def _steps(parameters: list[Tensor]) -> list[Tensor]:
    return [torch.zeros((), dtype=torch.float32, device=parameter.device) for parameter in parameters]


@dataclass(frozen=True, slots=True)
class SGD(Optimizer):
    """`sgd(momentum=0.9, nesterov=True)`: v ← μ v + g; θ ← θ - η v, or θ - η (g + μ v) after Nesterov.

    Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
    """

    momentum: float = 0.9
    nesterov: bool = True
    default_rate: ClassVar[float] = 0.05

    def __post_init__(self) -> None:
        in_range("sgd", "momentum", self.momentum, at_least=0, below=1)

    def start(self, parameters: list[Tensor]) -> State:
        """Return velocities of zero."""
        return {"velocity": _zeros(parameters) if self.momentum else []}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step."""
        loss, gradients = evaluate()
        velocity = state["velocity"]
        if not self.momentum:
            torch._foreach_add_(parameters, gradients, alpha=-learning_rate)
            return loss
        torch._foreach_mul_(velocity, self.momentum)
        torch._foreach_add_(velocity, gradients)
        if self.nesterov:
            torch._foreach_add_(parameters, gradients, alpha=-learning_rate)
        torch._foreach_add_(parameters, velocity, alpha=-learning_rate * (self.momentum if self.nesterov else 1.0))
        return loss

    def __str__(self) -> str:
        return call_text("sgd", self)


@dataclass(frozen=True, slots=True)
class GradientDescent(Optimizer):
    """`gradient_descent`: θ ← θ - η g on the whole training set (Cauchy 1847)."""

    default_rate: ClassVar[float] = 0.1
    full_batch: ClassVar[bool] = True

    def start(self, parameters: list[Tensor]) -> State:
        """Return nothing: gradient descent remembers nothing."""
        return {}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step."""
        loss, gradients = evaluate()
        torch._foreach_add_(parameters, gradients, alpha=-learning_rate)
        return loss

    def __str__(self) -> str:
        return "gradient_descent"


@dataclass(frozen=True, slots=True)
class RMSprop(Optimizer):
    """`rmsprop(decay=0.9, epsilon=1e-8)`: v ← ρ v + (1 - ρ) g²; θ ← θ - η g / (√v + ε). Hinton 2012, lecture 6e."""

    decay: float = 0.9
    epsilon: float = 1e-8
    default_rate: ClassVar[float] = 1e-3

    def __post_init__(self) -> None:
        in_range("rmsprop", "decay", self.decay, at_least=0, below=1)
        in_range("rmsprop", "epsilon", self.epsilon, above=0)

    def start(self, parameters: list[Tensor]) -> State:
        """Return mean squares of zero."""
        return {"mean_square": _zeros(parameters)}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step."""
        loss, gradients = evaluate()
        torch._foreach_mul_(state["mean_square"], self.decay)
        torch._foreach_addcmul_(state["mean_square"], gradients, gradients, value=1 - self.decay)
        root = torch._foreach_sqrt(state["mean_square"])
        torch._foreach_add_(root, self.epsilon)
        torch._foreach_addcdiv_(parameters, gradients, root, value=-learning_rate)
        return loss

    def __str__(self) -> str:
        return call_text("rmsprop", self)


@dataclass(frozen=True, slots=True)
class Adagrad(Optimizer):
    """`adagrad(epsilon=1e-10)`: s ← s + g²; θ ← θ - η g / (√s + ε). Duchi, Hazan & Singer 2011."""

    epsilon: float = 1e-10
    default_rate: ClassVar[float] = 1e-2

    def __post_init__(self) -> None:
        in_range("adagrad", "epsilon", self.epsilon, above=0)

    def start(self, parameters: list[Tensor]) -> State:
        """Return sums of squares of zero."""
        return {"sum": _zeros(parameters), "step": _steps(parameters)}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step."""
        loss, gradients = evaluate()
        torch._foreach_addcmul_(state["sum"], gradients, gradients, value=1.0)
        root = torch._foreach_sqrt(state["sum"])
        torch._foreach_add_(root, self.epsilon)
        torch._foreach_addcdiv_(parameters, gradients, root, value=-learning_rate)
        return loss

    def __str__(self) -> str:
        return call_text("adagrad", self)


@dataclass(frozen=True, slots=True)
class Adam(Optimizer):
    """`adam(beta1=0.9, beta2=0.999, epsilon=1e-8)`. Kingma & Ba 2015, arXiv:1412.6980, algorithm 1."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"
    default_rate: ClassVar[float] = 1e-3

    def __post_init__(self) -> None:
        for beta in ("beta1", "beta2"):
            in_range(self.name, beta, getattr(self, beta), at_least=0, below=1)
        in_range(self.name, "epsilon", self.epsilon, above=0)

    def start(self, parameters: list[Tensor]) -> State:
        """Return moments of zero."""
        return {"mean": _zeros(parameters), "mean_square": _zeros(parameters), "step": _steps(parameters)}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step, with PyTorch's fused kernel."""
        loss, gradients = evaluate()
        torch._foreach_add_(state["step"], 1.0)
        torch._fused_adam_(
            parameters,
            gradients,
            state["mean"],
            state["mean_square"],
            [],
            state["step"],
            lr=learning_rate,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )
        return loss

    def __str__(self) -> str:
        return call_text(self.name, self)


@dataclass(frozen=True, slots=True)
class AdamW(Adam):
    """`adamw(beta1=0.9, beta2=0.999, epsilon=1e-8)`: Adam, with decoupled weight decay. arXiv:1711.05101."""

    name: ClassVar[str] = "adamw"
    default_rate: ClassVar[float] = 3e-3
    decoupled: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Muon(Optimizer):
    """`muon(momentum=0.95, n_iterations=5)`: the momentum of a matrix made orthogonal, Adam for the rest.

    Jordan et al. 2024; scaled by 0.2 √max(rows, columns) so that Adam's learning rates fit (Liu et al. 2025,
    arXiv:2502.16982, eq. 4).
    """

    momentum: float = 0.95
    n_iterations: int = 5
    default_rate: ClassVar[float] = 1e-2
    decoupled: ClassVar[bool] = True
    by_matrix: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("muon", "momentum", self.momentum, at_least=0, below=1)
        in_range("muon", "n_iterations", self.n_iterations, at_least=1)

    def start(self, parameters: list[Tensor]) -> State:
        """Return momenta and moments of zero; each parameter uses one of the two."""
        vectors = [parameter for parameter in parameters if parameter.dim() < 2]
        matrices = [parameter for parameter in parameters if parameter.dim() >= 2]
        return {"momentum": _zeros(matrices), **Adam().start(vectors)}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step."""
        loss, gradients = evaluate()
        vectors = [(p, g) for p, g in zip(parameters, gradients, strict=True) if p.dim() < 2]
        matrices = [(p, g) for p, g in zip(parameters, gradients, strict=True) if p.dim() >= 2]
        if vectors:
            Adam().step(lambda: (loss, [g for _, g in vectors]), [p for p, _ in vectors], state, learning_rate)
        for (parameter, gradient), momentum in zip(matrices, state["momentum"], strict=True):
            momentum.lerp_(gradient, 1 - self.momentum)
            update = orthogonalize(gradient.lerp(momentum, self.momentum).flatten(1), self.n_iterations)
            scale = 0.2 * max(update.shape) ** 0.5
            parameter.add_(update.view_as(parameter), alpha=-learning_rate * scale)
        return loss

    def __str__(self) -> str:
        return call_text("muon", self)


def orthogonalize(matrix: Tensor, n_iterations: int) -> Tensor:
    """Return nearly U Vᵀ of matrix = U S Vᵀ, by Newton-Schulz steps with Jordan's coefficients."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(n_iterations):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T


@dataclass(frozen=True, slots=True)
class LBFGS(Optimizer):
    """`lbfgs(memory=10, max_evaluations=20)`: quasi-Newton steps on the whole training set.

    The two-loop recursion of Nocedal & Wright 2006, algorithm 7.4, with a line search that halves the step until
    the loss falls enough (Armijo, their eq. 3.4); a pair with no positive curvature is not remembered. The state
    holds the pairs, newest last.
    """

    memory: int = 10
    max_evaluations: int = 20
    default_rate: ClassVar[float] = 1.0
    full_batch: ClassVar[bool] = True
    searches: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("lbfgs", "memory", self.memory, at_least=1)
        in_range("lbfgs", "max_evaluations", self.max_evaluations, at_least=1)

    def start(self, parameters: list[Tensor]) -> State:
        """Return an empty memory."""
        return {"moves": [], "changes": []}

    def step(self, evaluate: Evaluate, parameters: list[Tensor], state: State, learning_rate: float) -> Tensor:
        """Take one step along the quasi-Newton direction, as long as the line search allows."""
        loss, gradients = evaluate()
        gradient = _flat(gradients)
        direction = -self._inverse_hessian_times(gradient, state)
        slope = direction @ gradient
        if slope >= 0:  # the memory misleads: fall back to the gradient
            self._forget(state)
            direction, slope = -gradient, -(gradient @ gradient)
        start = _flat(parameters)
        size = learning_rate if state["moves"] else learning_rate * min(1.0, 1.0 / float(gradient.abs().sum() + 1e-12))
        for _ in range(self.max_evaluations):
            _write(parameters, start + size * direction)
            new_loss, new_gradients = evaluate()
            if new_loss <= loss + 1e-4 * size * slope:
                self._remember(state, size * direction, _flat(new_gradients) - gradient)
                return loss
            size *= 0.5
        _write(parameters, start)  # no step along this direction helps: stay, and forget what led here
        self._forget(state)
        return loss

    def _forget(self, state: State) -> None:
        for vectors in state.values():
            vectors.clear()

    def _remember(self, state: State, move: Tensor, change: Tensor) -> None:
        if move @ change <= 1e-10 * change @ change:
            return
        for name, vector in (("moves", move), ("changes", change)):
            state[name].append(vector)
            del state[name][: -self.memory]

    def _inverse_hessian_times(self, gradient: Tensor, state: State) -> Tensor:
        pairs = list(zip(state["moves"], state["changes"], strict=True))
        q, alphas = gradient.clone(), []
        for move, change in reversed(pairs):
            alpha = (move @ q) / (move @ change)
            q -= alpha * change
            alphas.append(alpha)
        if pairs:
            move, change = pairs[-1]
            q *= (move @ change) / (change @ change)
        for (move, change), alpha in zip(pairs, reversed(alphas), strict=True):
            q += (alpha - (change @ q) / (move @ change)) * move
        return q

    def __str__(self) -> str:
        return call_text("lbfgs", self)


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def _write(parameters: list[Tensor], flat: Tensor) -> None:
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.copy_(part.view_as(parameter))


OPTIMIZERS: dict[str, type] = {
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "gradient_descent": GradientDescent,
    "lbfgs": LBFGS,
    "muon": Muon,
    "rmsprop": RMSprop,
    "sgd": SGD,
}


def optimizer_by_name(given: Any) -> Optimizer:
    """Return the optimiser that a text such as "sgd(momentum=0.9)" names, or raise InvalidParameter."""
    return call_by_name("optimizer", given, OPTIMIZERS)
