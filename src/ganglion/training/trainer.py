"""The one training loop. It knows batches, objectives and an optimiser; never which algorithm it runs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidParameter, TrainingDiverged
from ganglion.training.checkpoint import CheckpointWriter
from ganglion.training.diagnosis import first_nonfinite, nonfinite_weights
from ganglion.training.distribution import Workers, workers
from ganglion.training.history import History
from ganglion.training.interrupt import Interrupt
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Adam, Optimizer
from ganglion.training.run import Run, Snapshot, Source
from ganglion.training.schedules import Constant, Progress, Schedule
from ganglion.training.sharding import load_parts, part

OnEpoch = Callable[[dict[str, Any], int], object]
Monitor = Callable[[], Mapping[str, float]]


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
    steps : int or None
        How many steps there are in all, where the source's last epoch is shorter than the others.
    """

    epochs: int
    optimizer: Optimizer = field(default_factory=Adam)
    learning_rate: float = 1e-3
    schedule: Schedule = field(default_factory=Constant)
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    on_epoch: Sequence[OnEpoch] = ()
    steps: int | None = None

    def fit(
        self,
        network: nn.Module,
        objectives: Sequence[Objective],
        source: Source,
        *,
        monitor: Monitor | None = None,
        watch: Monitor | None = None,
        checkpoints: CheckpointWriter | None = None,
        resume: Snapshot | None = None,
        phase: int | None = None,
        before: History | None = None,
    ) -> History:
        """Train the network in place.

        Parameters
        ----------
        network : Module
        objectives : sequence of Objective
            Each takes a step on every batch, or on each `every`-th, in order.
        source : Source
        monitor : callable, optional
            Measures the network on held-out data after each epoch; the first number is monitored: the weights of its
            lowest value are restored at the end.
        watch : callable, optional
            Measures after each epoch what stands in the history and decides nothing.
        checkpoints : CheckpointWriter, optional
            Writes the run to disk now and then, and when it is interrupted.
        resume : Snapshot, optional
            Where to go on from: the run then ends with the bits of one that was never stopped.
        phase : int, optional
            Which one of several phases this is, from 0 (see `training.phases`).
        before : History, optional
            What happened in the phases before, to which this one is added.

        Returns
        -------
        History

        Raises
        ------
        TrainingDiverged
            If a loss became NaN or infinite.
        """
        team = workers()
        run = Run(network, objectives, source, self.optimizer, team, phase=phase, before=before)
        if resume is not None:
            run.restore(resume)
        run.history.stopped = "" if resume is None else self._reason_to_stop(run, bool(monitor))
        n_steps = self.steps or self.epochs * len(source)
        network.train()
        with Interrupt() as interrupt, torch.no_grad(), contextlib.closing(run):
            while not run.history.stopped:
                stop = False
                for batch in source:
                    progress = Progress(run.step - run.first_step, n_steps, run.epoch - run.first_epoch, run.monitored)
                    run.rate = self.learning_rate * self.schedule.factor(progress)
                    size = len(next(iter(batch.values())))
                    for i, objective in enumerate(objectives):
                        if (run.step - run.first_step) % objective.every == 0:
                            run.count(i, self._step(run, i, batch), size)
                    run.step += 1
                    save = checkpoints is not None and checkpoints.due(run.step)
                    stop, save = _agreed(team, stop=interrupt.requested, save=save)
                    if checkpoints and (save or stop):
                        checkpoints.write(run.snapshot())
                    if stop:
                        break
                self._end_epoch(run, monitor, watch)
                if not stop:
                    stop, _ = _agreed(team, stop=interrupt.requested, save=False)
                    if checkpoints:
                        checkpoints.end_epoch(run, last=stop)
                run.history.stopped = "interrupted" if stop else self._reason_to_stop(run, bool(monitor))
        if run.best:
            load_parts(network, run.best)
        network.eval()
        _stop_if_broken(run)
        return run.history

    def _end_epoch(self, run: Run, monitor: Monitor | None, watch: Monitor | None) -> None:
        row = {"epoch": run.epoch + 1, "step": run.step, "seconds": run.seconds, "learning_rate": run.rate}
        row |= _named_losses(run) | ({} if run.phase is None else {"phase": run.phase + 1})
        _stop_if_diverged(row, run)
        row |= _measured(run, monitor) if monitor else {}
        _stop_if_diverged(row, run)
        row |= _measured(run, watch) if watch else {}
        run.end_epoch(row, row.get("validation_loss", row["loss"]), held_out=bool(monitor))
        for call in self.on_epoch if run.team.speaks else ():
            call(row, self.epochs)

    def _step(self, run: Run, i: int, batch: Batch) -> Tensor:
        """Take one step on objective i and return its loss before the step, detached."""
        evaluate, objective = partial(self._gradients, run, i, batch), run.objectives[i]
        loss = self.optimizer.step(evaluate, run.moved[i], run.states[i], run.rate * objective.rate).detach()
        if objective.after:
            objective.after()
        return loss

    def _gradients(self, run: Run, i: int, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """Return the loss of objective i and its gradients by what the optimiser moves, decayed and clipped."""
        parameters, closed = run.parameters[i], run.closed[i]
        with torch.set_grad_enabled(closed is None):
            own = run.losses[i](batch)
            loss = run.team.mean(own)  # what is decided by it is decided alike everywhere
            if loss.device.type == "cpu" and not self.optimizer.searches and not math.isfinite(loss.item()):
                raise _diverged(run, i, batch, loss.item())
            gradients = closed.gradients if closed else _gradients_of(own, run.objectives[i].parameters, run.team)
        matrices = run.matrices[i] if self.weight_decay else []
        if matrices and not self.optimizer.decoupled:
            for j in matrices:
                # autograd gives two parameters that are only ever added one gradient between them
                own_gradient = gradients[j] if closed else gradients[j].clone()
                gradients[j] = own_gradient.add_(parameters[j], alpha=self.weight_decay)
                loss = loss + 0.5 * self.weight_decay * run.over_parts(parameters[j].square().sum())
        gradients = [closed.gradient] if closed else gradients
        if self.clip_norm is not None:
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            norm = run.over_parts(norm.square()).sqrt() if run.sharded else norm
            gradients = list(torch._foreach_mul(gradients, (self.clip_norm / (norm + 1e-6)).clamp(max=1.0)))
        if matrices and self.optimizer.decoupled:  # after the gradient, before the step: algorithm 2
            rate = run.rate * run.objectives[i].rate
            torch._foreach_mul_([parameters[j] for j in matrices], 1 - rate * self.weight_decay)
        return loss, gradients

    def _reason_to_stop(self, run: Run, held_out: bool) -> str:
        if held_out and self.patience is not None and run.epochs_since_best >= self.patience:
            return f"no progress for {self.patience} epochs"
        return "all epochs done" if run.epoch - run.first_epoch >= self.epochs else ""


def check_callbacks(callbacks: object) -> None:
    """Raise InvalidParameter unless `callbacks` is a sequence of functions."""
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise InvalidParameter(
            f"callbacks={callbacks!r}: give a list of functions, each called after every epoch with the row of the "
            "history and the number of epochs planned."
        )


def _named_losses(run: Run) -> dict[str, float]:
    """Return the first objective's mean loss as "loss", further ones under their own names."""
    names = ["loss", *(f"{objective.name}_loss" for objective in run.objectives[1:])]
    before = run.history.rows[-1] if run.history.rows else {}  # of epochs too short for a step of one of them
    counted = zip(names, run.sums, run.n_samples, strict=True)
    return {name: float(total) / n if n else before[name] for name, total, n in counted}


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """Return a gradient with its parameter's strides: the fused kernels walk through both as if they had the same."""
    return gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)


def _measured(run: Run, monitor: Monitor) -> dict[str, float]:
    run.network.eval()
    with torch.inference_mode(not run.sharded):  # the weights are gathered into buffers that training uses again
        measured = dict(monitor())
    run.network.train()
    return run.team.same_row(measured)


def _gradients_of(loss: Tensor, parameters: list[Tensor], team: Workers) -> list[Tensor]:
    if team.n == 1:
        gradients = list(torch.autograd.grad(loss, parameters, materialize_grads=True))
    else:
        for parameter in parameters:  # another objective may have gone back through them
            parameter.grad = None
        loss.backward()  # the engine averages over the workers while it goes back
        gradients = [part(torch.zeros_like(p) if p.grad is None else p.grad) for p in parameters]
        for parameter in parameters:
            parameter.grad = None
    return [_laid_out_as(part(p), gradient) for p, gradient in zip(parameters, gradients, strict=True)]


def _agreed(team: Workers, *, stop: bool, save: bool) -> tuple[bool, bool]:
    """Return what any of the workers wants, so that all of them do it at the same step."""
    wish = 2 if stop else int(save)
    wish = team.most(wish)
    return wish == 2, wish > 0


def _diverged(run: Run, i: int, batch: Batch, loss: float) -> TrainingDiverged:
    objective = run.objectives[i]
    where = "in one of the parts of the network"
    if not run.sharded:  # all workers must look at the same, and each has other weights then
        where = first_nonfinite(run.network, lambda: objective.loss(run.network, batch), batch)
    return TrainingDiverged(
        f"the loss ({objective.name}) became {loss} in step {run.step + 1} (epoch {run.epoch + 1}, learning rate "
        f"{run.rate:.3g}); it first appeared {where}. {_REMEDY}"
    )


def _stop_if_diverged(row: dict[str, Any], run: Run) -> None:
    """Raise TrainingDiverged if a mean is no number: on a GPU, where steps are not looked at, or on held-out data."""
    odd = [name for name, value in row.items() if not math.isfinite(value)]
    if odd:
        names = ", ".join(objective.name for objective in run.objectives)
        broken = "" if run.sharded else nonfinite_weights(run.network)
        where = f"; the weights {broken!r} hold NaN or infinity by now" if broken else ""
        raise TrainingDiverged(
            f"the {odd[0]} ({names}) became {row[odd[0]]} in epoch {row['epoch']} (step {row['step']} or before, "
            f"learning rate {row['learning_rate']:.3g}){where}. {_REMEDY}"
        )


def _stop_if_broken(run: Run) -> None:
    """Raise TrainingDiverged if the last step, whose outcome no loss has seen, left weights that are no numbers."""
    broken = "" if run.sharded else nonfinite_weights(run.network)
    if broken:
        raise TrainingDiverged(
            f"the weights {broken!r} hold NaN or infinity after the last step (step {run.step}, learning rate "
            f"{run.rate:.3g}). {_REMEDY}"
        )


_REMEDY = (
    "Try a learning rate ten times smaller, clip_norm=1.0, or scaling='robust' if some features have extreme values."
)
