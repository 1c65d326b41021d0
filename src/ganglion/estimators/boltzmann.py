"""What estimators of restricted Boltzmann machines share, of one machine and of several on top of one another.

How the data become visible units, how machines learn (contrastive divergence), and what is watched meanwhile: there
is no likelihood to follow, since each step changes the partition function. What can be followed is the free energy of
held-out rows less that of training rows, in which the partition function cancels: it grows when the machine begins
to know the training rows by heart (Hinton 2012, "A practical guide to training RBMs", section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor

from ganglion.data.batches import Batches, batch_of
from ganglion.data.encoding import InputSpec
from ganglion.data.ragged import Columns
from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Samples, random_state
from ganglion.estimators.generative import TOGETHER, Generative
from ganglion.estimators.trained import for_statistics
from ganglion.networks.contrastive import Contrast, ContrastiveDivergence
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.network import Network
from ganglion.networks.visible import Scaling, VisibleInput
from ganglion.networks.visible_units import UnitKind, VisibleUnits
from ganglion.options import hyperparameters, option
from ganglion.training.execution import Execution
from ganglion.training.history import History
from ganglion.training.made import FEWEST_STEPS, collapse_alarm
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer, optimizer_by_name
from ganglion.training.phases import Phase
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor

WATCHED = 1000  # training rows that are looked at after each epoch
CONSTANT = 0.01  # a hidden unit whose chance to be on deviates less over the rows is dead
DREAMT = 100  # samples that are looked at when training has ended
ALIKE = (
    "Try more epochs, a learning rate ten times larger or smaller, persistent=True, more Gibbs steps (k), or more "
    "hidden units."
)
MOST_DEAD = 0.3  # of the hidden units
FARTHEST_GAP = 0.5  # between held-out and training rows, in deviations of the free energy, or nats if that is more
FARTHEST_DREAM = 3.0  # between data and dreams, likewise
RATE, GAUSSIAN_RATE = 0.05, 0.005

Reader = Callable[[Batch], Tensor]
Visible = Literal["auto", "bernoulli", "gaussian"]
VISIBLE = (
    "What numbers and pixels are: 'bernoulli' units are on or off, and a number between is the chance of it; "
    "'gaussian' ones are any number. 'auto' takes bernoulli for pixels and gaussian for numbers."
)


@hyperparameters
class Boltzmann(Generative):
    """Base of estimators whose machines learn by contrastive divergence."""

    visible: Visible = option("auto", VISIBLE)
    binarize: bool = option(
        False, "Whether units that are on or off are drawn anew in each step, by the chances that the data are."
    )
    k: int = option(1, "Gibbs steps from the data, or of the chains, in each step of learning.", at_least=1)
    persistent: bool = option(
        False, "Whether chains go on from one step of learning to the next (PCD), in place of beginning at the data."
    )
    chains: int = option(100, "How many such chains.", at_least=1)
    optimizer: Any = option(
        "sgd(momentum=0.5, nesterov=False)",
        "A name, with settings in brackets if wanted: adam, adamw, sgd(momentum=0.9), gradient_descent, rmsprop, "
        "adagrad, muon.",
        check=optimizer_by_name,
    )
    validation_fraction: float | Literal["auto"] = option(
        "auto",
        "Part of the training data held out to watch the free-energy gap on; 'auto' is a tenth from 1,000 samples on, "
        "and none below. Nothing is stopped by it.",
        at_least=0,
        below=1,
    )

    losses_compare: ClassVar[bool] = False  # data and dreams draw near to one another, from below

    def _n_chains(self) -> int:
        return self.chains if self.persistent else 0

    def _reader(self, network: Network, units: VisibleUnits) -> Reader:
        """Return what gives the visible units of a prepared batch, (n, d), to learn from."""
        dtype = next(network.parameters()).dtype

        def read(batch: Batch) -> Tensor:
            v_nd = network.input(batch).to(dtype)
            return units.tossed(v_nd) if self.binarize else v_nd

        return read

    # learning

    def _contrast(self) -> Contrast:
        """Return what learning lowers of each machine."""
        return Contrast(steps=self.k, persistent=self.persistent)

    def _objective(self, name: str, machine: BoltzmannMachine, read: Reader) -> Objective:
        """Return the free-energy gap of a machine that reads batches so."""
        return gap_objective(name, machine, read, self._contrast())

    def _lowest(self, network: Network) -> BoltzmannMachine:
        """Return the machine that reads the data."""
        raise NotImplementedError

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
        self._lowest(network).start_from(mean_of(network, samples, rows))
        return super()._feed(network, samples, rows, held_out, held_rows, execution, batch_size, seed)

    def _monitor(
        self, network: Network, columns: Columns, prepare: Callable | None, rows: Tensor | None
    ) -> SomeRows | None:
        """Return the held-out rows, to be watched: nothing is decided by them."""
        rows = torch.arange(len(columns["target"])) if rows is None else rows
        return SomeRows(columns, prepare, rows, max(16, TOGETHER // cast(VisibleInput, network.input).n_out // 8))

    def _watching(self, network: Network, last: Phase, machine: BoltzmannMachine, read: Reader) -> Phase:
        """Return a phase that is not stopped by held-out rows, but watches its machine on them."""
        source, held_out = cast(Batches, last.source), cast("SomeRows | None", last.monitor)
        rows = torch.arange(source.n_samples) if source.rows is None else source.rows
        seen = cast(SomeRows, self._monitor(network, source.columns, source.prepare, rows[:WATCHED]))
        return replace(last, monitor=None, watch=partial(look, machine, read, seen, held_out))

    def _rate(self, optimizer: Optimizer) -> float:
        if self.learning_rate != "auto":
            return float(self.learning_rate)
        if optimizer.default_rate < RATE:  # one that scales its steps itself
            return optimizer.default_rate
        return RATE if are_binary(self.visible, self.encoder_.spec) else GAUSSIAN_RATE

    def _alarms(self, history: History, network: Network, source: Source) -> Sequence[tuple[str, str, str]]:
        last = {row.get("phase"): row for row in history.rows}  # of each phase
        found = {name: alarm for row in last.values() for name, *alarm in alarms_of(row, self._n_hidden(row))}
        alarms = [(name, evidence, remedy) for name, (evidence, remedy) in found.items()]
        made = self._made_beside(network, source, history, DREAMT) if self.tags.task == "generation" else None
        return [*alarms, *(collapse_alarm(made, ALIKE) if made else [])]

    def _n_hidden(self, row: Mapping[str, Any]) -> int:
        """Return how many hidden units the machine has that a row of the history is of."""
        raise NotImplementedError


def gap_objective(name: str, machine: BoltzmannMachine, read: Reader, contrast: Contrast) -> Objective:
    """Return the free-energy gap of a machine that reads batches so, with its gradient written out."""

    def loss(network: Network, batch: Batch) -> Tensor:
        return contrast.loss(machine, read(batch), batch.get("weight"))

    closed = partial(ContrastiveDivergence, machine, read, contrast)
    return Objective(name, machine.parameters(), loss, closed_form=closed)


def check_hidden(hidden: Sequence[int]) -> None:
    """Raise InvalidParameter unless there is a machine, so a hidden layer."""
    if not len(hidden):
        raise InvalidParameter("hidden=(): a deep belief net has one machine or more. Give a width each: (256, 256).")


def are_binary(visible: Visible, inputs: InputSpec) -> bool:
    """Return whether numbers, or pixels, are units that are on or off."""
    return visible == "bernoulli" or (visible == "auto" and bool(inputs.image))


def scaling_of(visible: Visible, inputs: InputSpec) -> Scaling:
    """Return how numbers and pixels are scaled to become such units."""
    return "unit" if are_binary(visible, inputs) else "standard"


def blocks_of(entry: VisibleInput, visible: Visible, inputs: InputSpec) -> list[tuple[UnitKind, int]]:
    """Return the kinds of the visible units that an input layer gives."""
    kind: UnitKind = "bernoulli" if are_binary(visible, inputs) else "gaussian"
    return [("softmax" if block.kind == "category" else kind, block.width) for block in entry.blocks]


@torch.no_grad()
def mean_of(network: Network, samples: Samples, rows: Tensor | None) -> Tensor:
    """Return the mean of the visible units over training rows, (d,) float64, or over some of very many."""
    inputs, weight = for_statistics(samples, rows)
    v_nd = network.input(network.prepare(cast("dict[str, Tensor]", inputs))).double()
    return v_nd.mean(0) if weight is None else weight.double() @ v_nd / weight.double().sum()


class SomeRows:
    """Some rows of prepared columns, a batch at a time."""

    def __init__(self, columns: Columns, prepare: Callable | None, rows: Tensor, together: int) -> None:
        device = cast(Tensor, columns["target"]).device
        self.columns, self.prepare = columns, prepare
        self.groups = [some.to(device) for some in rows.split(together)]

    def __call__(self) -> dict[str, float]:
        """Return nothing that training is to be stopped by."""
        return {}

    def __iter__(self) -> Iterator[Batch]:
        for some in self.groups:
            batch = batch_of(self.columns, some)
            yield {**batch, **self.prepare(batch)} if self.prepare else batch


def look(machine: BoltzmannMachine, read: Reader, seen: SomeRows, held_out: SomeRows | None) -> dict[str, float]:
    """Return what is watched of a machine after each epoch.

    Returns
    -------
    dict
        "free_energy_gap": the mean free energy of held-out rows less that of training rows, in nats, if there are any;
        "free_energy_gap_error": its standard error, were there no gap; "free_energy_deviation": that of training rows;
        "dead_units": hidden units whose chance to be on is the same for all of them.
    """
    with random_state(0), torch.autocast(machine.weight.device.type, enabled=False):
        parts = [read(batch) for batch in seen]
        energies = torch.cat([machine.free_energy(v_nd) for v_nd in parts])
        chances = torch.cat([machine(v_nd) for v_nd in parts])
        found = {
            "free_energy_deviation": float(energies.std(correction=0)),
            "dead_units": int((chances.std(0, correction=0) < CONSTANT).sum()),
        }
        if held_out is not None:
            strange = torch.cat([machine.free_energy(read(batch)) for batch in held_out])
            found["free_energy_gap"] = float(strange.mean() - energies.mean())
            error = (1 / len(strange) + 1 / len(energies)) ** 0.5
            found["free_energy_gap_error"] = error * found["free_energy_deviation"]
    return found


def alarms_of(row: Mapping[str, Any], n_hidden: int) -> list[tuple[str, str, str]]:
    """Return what looks wrong of a machine by the last row of its history: name, evidence and remedy of each."""
    alarms = []
    gap, deviation, loss = row.get("free_energy_gap", 0.0), row["free_energy_deviation"], row["loss"]
    if abs(loss) > FARTHEST_DREAM * max(deviation, 1.0):
        alarms.append(
            (
                "diverging free-energy gap",
                f"the free energy of the data differs from that of what the machine dreams by {loss:.4g} nats, where "
                f"rows of data differ by {deviation:.4g} from one another: what it dreams has left the data.",
                "Try a learning rate ten times smaller, or more Gibbs steps (k).",
            )
        )
    if gap > FARTHEST_GAP * max(deviation, 1.0) + row.get("free_energy_gap_error", 0.0):
        alarms.append(
            (
                "overfitting by free energy",
                f"held-out rows have a free energy {gap:.4g} nats above that of training rows, which have a deviation "
                f"of {deviation:.4g}: the machine knows the training rows by heart.",
                "Try fewer hidden units, fewer epochs, weight_decay=1e-4, or more data.",
            )
        )
    if row["dead_units"] > MOST_DEAD * n_hidden and row["step"] >= FEWEST_STEPS:
        alarms.append(
            (
                "dead hidden units",
                f"{row['dead_units']} of {n_hidden} hidden units have the same chance to be on whatever row they see "
                f"(up to {WATCHED} rows were looked at), and tell nothing of it.",
                "If they are always off or always on, try a smaller learning rate, a milder sparsity target, or fewer "
                "hidden units; if they have not learned yet, more epochs or a larger learning rate.",
            )
        )
    return alarms
