"""Phases: a training whose objectives change on the way, such as one layer after the other and then all of them.

Each phase has objectives, a source, a length and schedule of its own; steps, epochs and history count on through all
of them. A checkpoint knows its phase: a resumed run skips those before it, whose result is in the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from ganglion.errors import InvalidModel
from ganglion.training.checkpoint import CheckpointWriter
from ganglion.training.history import History
from ganglion.training.objective import Objective
from ganglion.training.run import Snapshot, Source
from ganglion.training.trainer import Monitor, OnEpoch, Trainer


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a training.

    Attributes
    ----------
    objectives : sequence of Objective
    source : Source
        Phases may share one: its order goes on.
    trainer : Trainer
        With the epochs of this phase.
    monitor : callable, optional
        Measures the network on held-out data after each epoch of this phase.
    watch : callable, optional
        Measures what decides nothing, see `Trainer.fit`.
    """

    objectives: Sequence[Objective]
    source: Source
    trainer: Trainer
    monitor: Monitor | None = None
    watch: Monitor | None = None


def fit_in_phases(
    network: nn.Module,
    phases: Sequence[Phase],
    *,
    checkpoints: CheckpointWriter | None = None,
    resume: Snapshot | None = None,
) -> History:
    """Train the network in place, one phase after the other.

    Parameters
    ----------
    network : Module
    phases : sequence of Phase
    checkpoints : CheckpointWriter, optional
        Writes the run to disk now and then, and when it is interrupted.
    resume : Snapshot, optional
        Where to go on from, in whichever phase that was.

    Returns
    -------
    History
        Of all phases; with several, each row says which one it is of, from 1.

    Raises
    ------
    InvalidModel
        If the snapshot is of a phase that there is not.
    TrainingDiverged
        If a loss became NaN or infinite.
    """
    first = (resume.numbers.get("phase") or 0) if resume else 0
    if first not in range(len(phases)):
        raise InvalidModel(
            f"the checkpoint is of phase {first!r} of a training, counted from 0, but this one has {len(phases)}. "
            "Resume with the options that it was written with."
        )
    planned, history = sum(phase.trainer.epochs for phase in phases), History()
    for number in range(first, len(phases)):
        phase = phases[number]
        trainer = phase.trainer
        if len(phases) > 1:
            trainer = replace(trainer, on_epoch=[_counted(call, planned) for call in trainer.on_epoch])
        history = trainer.fit(
            network,
            phase.objectives,
            phase.source,
            monitor=phase.monitor,
            watch=phase.watch,
            checkpoints=checkpoints,
            resume=resume if number == first else None,
            phase=number if len(phases) > 1 else None,
            before=history,
        )
        if history.stopped == "interrupted":
            break
    return history


def _counted(call: OnEpoch, planned: int) -> Callable[[dict[str, Any], int], object]:
    """Return a callback that is told of the epochs of all phases, not of its own alone."""
    return lambda row, _: call(row, planned)
