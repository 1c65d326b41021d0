"""The one training loop. It knows batches, objectives and an optimiser; never which algorithm it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidParameter, TrainingDiverged
from ganglion.training.history import History
from ganglion.training.interrupt import Interrupt
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Adam, Optimizer, State
from ganglion.training.schedules import Constant, Progress, Schedule

OnEpoch = Callable[[dict[str, Any], int], object]


class Source(Protocol, Sized, Iterable[Batch]):  # type: ignore[misc]
    """Where batches come from: iterating once gives one epoch, `len` its number of batches."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Lower objectives over a source of batches.

    Parameters
    ----------
    epochs : int
        How often to walk over the source at most.
    optimizer, learning_rate, schedule : Optimizer, float, Schedule
        The rate of step t is `learning_rate * schedule.factor(t)`.
    weight_decay : float
        On weights of two axes or more: beside the step or as an L2 penalty, as the optimiser has it.
    clip_norm : float or None
        Largest norm of an objective's gradient (Pascanu et al. 2013, arXiv:1211.5063).
    patience : int or None
        Stop after so many epochs without a lower monitored loss.
    on_epoch : sequence of callables
        Each is called with the epoch's row of the history and the number of epochs planned.
    """

    epochs: int
    optimizer: Optimizer = field(default_factory=Adam)
    learning_rate: float = 1e-3
    schedule: Schedule = field(default_factory=Constant)
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    on_epoch: Sequence[OnEpoch] = ()

    def fit(
        self,
        network: nn.Module,
        objectives: Sequence[Objective],
        source: Source,
        *,
        monitor: Callable[[], dict[str, float]] | None = None,
    ) -> History:
        """Train the network in place.

        Parameters
        ----------
        network : Module
        objectives : sequence of Objective
            Each takes a step on every batch, in order.
        source : Source
        monitor : callable, optional
            Measures the network on held-out data after each epoch; the first number is monitored: the weights of its
            lowest value are restored at the end.

        Returns
        -------
        History

        Raises
        ------
        TrainingDiverged
            If a loss became NaN or infinite.
        """
        history, best, start = History(), _Best(), time.perf_counter()
        states = [self.optimizer.start(objective.parameters) for objective in objectives]
        n_steps, step, rate = self.epochs * len(source), 0, self.learning_rate
        monitored: list[float] = []
        network.train()
        with Interrupt() as interrupt:
            for epoch in range(self.epochs):
                losses = [torch.zeros((), dtype=torch.float64) for _ in objectives]
                n_samples = 0
                for batch in source:
                    rate = self.learning_rate * self.schedule.factor(Progress(step, n_steps, epoch, monitored))
                    size = _size(batch)
                    for i, (objective, state) in enumerate(zip(objectives, states, strict=True)):
                        losses[i] += self._step(network, objective, state, batch, rate).detach() * size
                    n_samples, step = n_samples + size, step + 1
                    if interrupt.requested:
                        break
                row = {"epoch": epoch + 1, "step": step, "seconds": 0.0, "learning_rate": rate}
                row |= _named_losses(objectives, [float(loss) / n_samples for loss in losses])
                _stop_if_diverged(row, objectives)
                row |= _measured(network, monitor) if monitor else {}
                _stop_if_diverged(row, objectives)
                monitored.append(row.get("validation_loss", row["loss"]))
                row["seconds"] = time.perf_counter() - start
                history.rows.append(row)
                for call in self.on_epoch:
                    call(row, self.epochs)
                if monitor:
                    best.look(monitored, network)
                history.stopped = self._reason_to_stop(interrupt, monitored, bool(monitor))
                if history.stopped:
                    break
        history.stopped = history.stopped or "all epochs done"
        history.best_epoch = best.restore(network)
        network.eval()
        return history

    def _step(self, network: nn.Module, objective: Objective, state: State, batch: Batch, rate: float) -> Tensor:
        parameters = objective.parameters
        evaluate = partial(self._gradients, network, objective, batch, rate)
        with torch.no_grad():
            return self.optimizer.step(evaluate, parameters, state, rate)

    def _gradients(
        self, network: nn.Module, objective: Objective, batch: Batch, rate: float
    ) -> tuple[Tensor, list[Tensor]]:
        parameters = objective.parameters
        with torch.enable_grad():
            loss = objective.loss(network, batch)
            found = torch.autograd.grad(loss, parameters, materialize_grads=True)
        gradients = [_laid_out_as(p, gradient) for p, gradient in zip(parameters, found, strict=True)]
        # not in place: two parameters that are only ever added share one gradient
        if self.weight_decay and not self.optimizer.decoupled:
            for i, parameter in enumerate(parameters):
                if parameter.dim() > 1:
                    gradients[i] = gradients[i].add(parameter, alpha=self.weight_decay)
                    loss = loss + 0.5 * self.weight_decay * parameter.square().sum()
        if self.clip_norm is not None:
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            gradients = list(torch._foreach_mul(gradients, (self.clip_norm / (norm + 1e-6)).clamp(max=1.0)))
        if self.weight_decay and self.optimizer.decoupled:  # after the gradient, before the step: algorithm 2
            torch._foreach_mul_([p for p in parameters if p.dim() > 1], 1 - rate * self.weight_decay)
        return loss, gradients

    def _reason_to_stop(self, interrupt: Interrupt, monitored: Sequence[float], held_out: bool) -> str:
        if interrupt.requested:
            return "interrupted"
        if held_out and self.patience is not None:
            since_best = len(monitored) - 1 - min(range(len(monitored)), key=monitored.__getitem__)
            if since_best >= self.patience:
                return f"no progress for {self.patience} epochs"
        return ""


class _Best:
    """The weights of the lowest monitored loss so far."""

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.weights: dict[str, Tensor] = {}

    def look(self, monitored: Sequence[float], network: nn.Module) -> None:
        if monitored[-1] <= min(monitored):
            self.epoch = len(monitored)
            self.weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def restore(self, network: nn.Module) -> int | None:
        if self.weights:
            network.load_state_dict(self.weights)
        return self.epoch


def check_callbacks(callbacks: object) -> None:
    """Raise InvalidParameter unless `callbacks` is a sequence of functions."""
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise InvalidParameter(
            f"callbacks={callbacks!r}: give a list of functions, each called after every epoch with the row of the "
            "history and the number of epochs planned."
        )


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """Return a gradient with its parameter's strides: the fused kernels walk through both as if they had the same."""
    return gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)


def _size(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def _named_losses(objectives: Sequence[Objective], losses: Sequence[float]) -> dict[str, float]:
    """Return the first objective's loss as "loss", further ones under their own names."""
    names = ["loss", *(f"{objective.name}_loss" for objective in objectives[1:])]
    return dict(zip(names, losses, strict=True))


def _measured(network: nn.Module, monitor: Callable[[], Mapping[str, float]]) -> dict[str, float]:
    network.eval()
    with torch.inference_mode():
        measured = dict(monitor())
    network.train()
    return measured


def _stop_if_diverged(row: dict[str, Any], objectives: Sequence[Objective]) -> None:
    if not all(math.isfinite(value) for value in row.values()):
        names = ", ".join(objective.name for objective in objectives)
        which = "validation_loss" if math.isfinite(row["loss"]) else "loss"
        raise TrainingDiverged(
            f"the {which} ({names}) became {row[which]} in epoch {row['epoch']} (step {row['step']} or before, "
            f"learning rate {row['learning_rate']:.3g}). Try a learning rate ten times smaller, clip_norm=1.0, or "
            "scaling='robust' if some features have extreme values."
        )
