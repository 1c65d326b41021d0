"""Everything that changes while training, in one place: what a checkpoint holds and a resumed run goes on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidModel
from ganglion.training.distribution import Workers
from ganglion.training.history import History
from ganglion.training.layout import Layout
from ganglion.training.objective import Batch, ClosedForm, Objective
from ganglion.training.optimizers import Optimizer, State
from ganglion.training.parallel import Parallel
from ganglion.training.sharding import cut, is_sharded, load_parts, part, state_of, whole


class Source(Protocol):
    """Where batches come from: iterating once gives one epoch.

    A source that is loaded with the state it had in the middle of an epoch gives the rest of that epoch first.
    """

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """Walk over an epoch, or over what is left of it."""
        ...

    def example(self) -> Batch:
        """Return a batch to look at; nothing that comes later depends on it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Return what the rest of this epoch and all later ones depend on."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from where another source was."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run at one moment: numbers that JSON can hold, and tensors by name."""

    numbers: dict[str, Any]
    tensors: dict[str, Tensor] = field(repr=False)


class Run:
    """A training run: the network, the optimisers' states, where it is, and what happened so far."""

    def __init__(
        self,
        network: nn.Module,
        objectives: Sequence[Objective],
        source: Source,
        optimizer: Optimizer,
        team: Workers | None = None,
        *,
        phase: int | None = None,
        before: History | None = None,
    ) -> None:
        self.network, self.objectives, self.source = network, objectives, source
        self.team = team or Workers()
        flat = self.team.n == 1 and not optimizer.by_matrix
        self.closed: list[ClosedForm | None] = [
            objective.closed_form() if flat and objective.closed_form else None for objective in objectives
        ]
        self.parallel = Parallel(network, objectives, self.team) if self.team.n > 1 else None
        self.losses: list[Callable[[Batch], Tensor]] = [
            closed or (partial(self.parallel.loss, i) if self.parallel else partial(objective.loss, network))
            for i, (objective, closed) in enumerate(zip(objectives, self.closed, strict=True))
        ]
        self.sharded = any(is_sharded(parameter) for objective in objectives for parameter in objective.parameters)
        self.parameters = [[part(parameter) for parameter in objective.parameters] for objective in objectives]
        self.moved: list[list[Tensor]] = [
            [closed.vector] if closed else parameters
            for parameters, closed in zip(self.parameters, self.closed, strict=True)
        ]
        self.matrices = [
            [j for j, parameter in enumerate(objective.parameters) if parameter.dim() > 1] for objective in objectives
        ]
        self.states: list[State] = [optimizer.start(parameters) for parameters in self.moved]
        self._layouts = [
            Layout(objective.parameters, closed, state)
            for objective, closed, state in zip(objectives, self.closed, self.states, strict=True)
        ]
        self.history = before or History()
        self.history.best_epoch = None  # of this phase
        self.monitored: list[float] = []
        last = self.history.rows[-1] if self.history.rows else {}
        self.phase, self.rate = phase, 0.0
        self.epoch, self.step = len(self.history), last.get("step", 0)
        self.first_epoch, self.first_step = self.epoch, self.step
        self.device = next(network.parameters()).device
        self.best: dict[str, Tensor] = {}
        self._began = time.perf_counter() - last.get("seconds", 0.0)
        self.begin_epoch()

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those of the run before it was resumed included."""
        return time.perf_counter() - self._began

    def over_parts(self, value: Tensor) -> Tensor:
        """Return a sum over all weights from the sum over this worker's part of them."""
        return self.team.total(value) if self.sharded else value

    def close(self) -> None:
        """Let go of the other workers, and give parameters that a closed form packed their own memory back."""
        if self.parallel:
            self.parallel.close()
        for closed in filter(None, self.closed):
            closed.release()

    def begin_epoch(self) -> None:
        """Count the losses from 0 again."""
        self.sums = [torch.zeros((), dtype=torch.float64, device=self.device) for _ in self.objectives]
        self.n_samples = [0 for _ in self.objectives]

    def count(self, i: int, loss: Tensor, size: int) -> None:
        """Note the loss of objective i on a batch of so many samples."""
        self.sums[i].add_(loss, alpha=size)
        self.n_samples[i] += size

    def end_epoch(self, row: dict[str, Any], monitored: float, *, held_out: bool) -> None:
        """Note an epoch, and keep the weights if they are the best so far on held-out data."""
        self.history.rows.append(row)
        self.monitored.append(monitored)
        self.epoch += 1
        if held_out and monitored <= min(self.monitored):
            self.history.best_epoch = self.epoch
            self.best = {name: part(tensor).detach().clone() for name, tensor in state_of(self.network).items()}
        self.begin_epoch()

    @property
    def epochs_since_best(self) -> int:
        """Epochs since the lowest monitored loss."""
        lowest = min(range(len(self.monitored)), key=self.monitored.__getitem__, default=0)
        return max(0, len(self.monitored) - 1 - lowest)

    def snapshot(self) -> Snapshot:
        """Return a copy of everything, as it is after a step; every worker must ask for it, the first one has it."""
        now = state_of(self.network)
        tensors = {f"network.{name}": whole(part(tensor), tensor) for name, tensor in now.items()}
        tensors |= {f"best.{name}": whole(tensor, now[name]) for name, tensor in self.best.items()}
        tensors |= {f"source.{name}": tensor for name, tensor in self.source.state_dict().items()}
        states = [layout.whole(state) for layout, state in zip(self._layouts, self.states, strict=True)]
        tensors |= {
            f"optimizer.{i}.{name}.{j}": tensor
            for i, state in enumerate(states)
            for name, several in state.items()
            for j, tensor in enumerate(several)
        }
        tensors |= _random_states(self.team)
        numbers = {
            "phase": self.phase,
            "first_epoch": self.first_epoch,
            "first_step": self.first_step,
            "epoch": self.epoch,
            "step": self.step,
            "rate": self.rate,
            "sums": [float(total) for total in self.sums],
            "n_samples": self.n_samples,
            "monitored": self.monitored,
            "history": self.history.to_dict(),
            "seconds": self.seconds,
            "optimizer": [{name: len(several) for name, several in state.items()} for state in states],
        }
        written = tensors if self.team.speaks else {}
        return Snapshot(numbers, {name: tensor.detach().clone() for name, tensor in written.items()})

    def restore(self, snapshot: Snapshot) -> None:
        """Put everything back to where a snapshot was taken.

        Raises
        ------
        InvalidModel
            If the snapshot is of another network or optimiser.
        """
        numbers, tensors = snapshot.numbers, snapshot.tensors
        try:
            now = state_of(self.network)
            load_parts(self.network, {name: cut(t, now[name]) for name, t in _part(tensors, "network.").items()})
            self.best = {name: cut(t, now[name]) for name, t in _part(tensors, "best.").items()}
            self.source.load_state_dict(_part(tensors, "source."))
            for i, counts in enumerate(numbers["optimizer"]):
                whole_state = {
                    name: [tensors[f"optimizer.{i}.{name}.{j}"] for j in range(count)] for name, count in counts.items()
                }
                self.states[i] = self._layouts[i].own(whole_state)
            self.history = History.from_dict(numbers["history"])
            self.epoch, self.step = numbers["epoch"], numbers["step"]
            self.first_epoch, self.first_step = numbers.get("first_epoch", 0), numbers.get("first_step", 0)
            counts = zip(self.n_samples, numbers["n_samples"], strict=True)
            self.n_samples = [int(count) for _, count in counts]
            self.rate = float(numbers["rate"])
            self.monitored = [float(loss) for loss in numbers["monitored"]]
            self.sums = [total.fill_(value) for total, value in zip(self.sums, numbers["sums"], strict=True)]
            self._began = time.perf_counter() - numbers["seconds"]
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise InvalidModel(
                f"the checkpoint is of another network, optimizer or data ({str(error).splitlines()[0][:200]}). Resume "
                "with the options and data that it was written with."
            ) from error
        _set_random_states(tensors, self.team)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _random_states(team: Workers) -> dict[str, Tensor]:
    states = {f"random.cpu.{rank}": state for rank, state in enumerate(team.random_states())}
    if torch.cuda.is_initialized():
        states["random.cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_states(tensors: dict[str, Tensor], team: Workers) -> None:
    # a run may go on with another number of workers; then those beyond begin with the state of the first
    torch.set_rng_state(tensors.get(f"random.cpu.{team.rank}", tensors["random.cpu.0"]))
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
