"""Training in phases: one after the other, counted on, and resumable in any of them to the same bits."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganglion.data.batches import Batches
from ganglion.errors import InvalidModel
from ganglion.training.checkpoint import Checkpoints, CheckpointWriter, read_checkpoint
from ganglion.training.objective import Objective
from ganglion.training.optimizers import SGD, Adam
from ganglion.training.phases import Phase, fit_in_phases
from ganglion.training.run import Snapshot
from ganglion.training.schedules import Cosine
from ganglion.training.trainer import Trainer


class Two(nn.Module):
    """A network of two layers, each of which can be moved alone."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.low, self.high = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.high(self.low(x).tanh())


def low_loss(network, batch):
    return (network.low(batch["x"]) + 0.1 * torch.randn(4)).square().mean()


def whole_loss(network, batch):
    return (network(batch["x"]) - 1).square().mean()


def phases_of(network, *, seen=None):
    x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))
    source = Batches({"x": x}, 4, torch.Generator().manual_seed(2))
    trainer = Trainer(epochs=2, optimizer=SGD(), learning_rate=0.1, schedule=Cosine(), on_epoch=[seen] if seen else [])
    whole = replace(trainer, epochs=3, optimizer=Adam(), learning_rate=0.01)
    return [
        Phase([Objective("low", network.low.parameters(), low_loss)], source, trainer),
        Phase([Objective("high", network.high.parameters(), whole_loss)], source, replace(trainer, epochs=1)),
        Phase(
            [Objective("whole", network.parameters(), whole_loss)],
            source,
            whole,
            lambda: {"validation_loss": float(whole_loss(network, {"x": x}))},
        ),
    ]


def fitted(*, checkpoints=None, resume=None, seen=None):
    network = Two()
    torch.manual_seed(3)
    history = fit_in_phases(network, phases_of(network, seen=seen), checkpoints=checkpoints, resume=resume)
    return network, history


def rows_of(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


def test_history_counts_on():
    told = []
    _, history = fitted(seen=lambda row, planned: told.append((row["epoch"], planned)))
    assert history["phase"] == [1, 1, 2, 3, 3, 3]
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert history["step"] == [3, 6, 9, 12, 15, 18]
    assert history["seconds"] == sorted(history["seconds"])
    assert told == [(epoch, 6) for epoch in range(1, 7)]
    assert len(history["validation_loss"]) == 3  # of the phase that has one
    assert history.best_epoch in (4, 5, 6)
    assert history.stopped == "all epochs done"


def test_schedule_begins_anew_in_each_phase():
    _, history = fitted()
    rates = history["learning_rate"]
    assert rates[0] > rates[1] > 0
    assert rates[2] == pytest.approx(0.1 * 0.25)  # the last of three steps of a phase of its own
    assert rates[3] > rates[4] > rates[5]


def test_each_phase_moves_its_own_parameters_only():
    network = Two()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(3)
    fit_in_phases(network, phases_of(network)[:1])
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"low.weight", "low.bias"}


@pytest.mark.parametrize("step", [1, 3, 6, 7, 9, 10, 14, 18])
def test_killed_in_any_phase_and_resumed_to_the_same_bits(tmp_path, step):
    whole, expected = fitted()
    writer = CheckpointWriter(Checkpoints(folder=tmp_path, seconds=None, steps=1, keep=100), {})
    fitted(checkpoints=writer)
    _, snapshot = read_checkpoint(tmp_path / f"step-{step:012d}.checkpoint")
    assert snapshot.numbers["phase"] == (step > 6) + (step > 9)
    resumed, history = fitted(resume=snapshot)
    assert rows_of(history) == rows_of(expected)
    assert history.best_epoch == expected.best_epoch
    for name, tensor in resumed.state_dict().items():
        assert torch.equal(tensor, whole.state_dict()[name]), name


def test_newest_checkpoint_is_of_the_last_phase(tmp_path):
    fitted(checkpoints=CheckpointWriter(Checkpoints(folder=tmp_path, seconds=None, steps=4), {}))
    _, snapshot = read_checkpoint(tmp_path)
    assert snapshot.numbers["phase"] == 2
    assert snapshot.numbers["step"] == 16


@pytest.mark.parametrize("phase", [3, -1, "x"])
def test_checkpoint_of_a_phase_that_there_is_not(phase):
    with pytest.raises(InvalidModel, match=r"phase .* but this one has 3. Resume with the options"):
        fitted(resume=Snapshot({"phase": phase}, {}))
