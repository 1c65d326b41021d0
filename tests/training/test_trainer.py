"""The loop: steps, the best weights, stopping, clipping, trouble, Ctrl-C."""

import math
import os
import signal
import threading
from copy import deepcopy
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from ganglion.data.batches import Batches
from ganglion.errors import TrainingDiverged
from ganglion.networks.backpropagation import Backpropagation
from ganglion.networks.inputs import TableInput
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.training.interrupt import Interrupt
from ganglion.training.losses import SquaredError
from ganglion.training.objective import Objective
from ganglion.training.optimizers import LBFGS, SGD, Adam, AdamW, optimizer_by_name
from ganglion.training.schedules import Plateau, Step
from ganglion.training.supervised import WeightedLoss
from ganglion.training.trainer import Trainer

PLAIN = SGD(momentum=0.0, nesterov=False)


class Point(nn.Module):
    """A network of two numbers."""

    def __init__(self, *start: float) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.tensor(start or (1.0,), dtype=torch.float64))

    def forward(self, x):
        return self.at * x


def square(network, batch):
    return (network.at**2).sum() * batch["x"].mean()


def batches(n: int, size: int = 2) -> list[dict[str, torch.Tensor]]:
    return [{"x": torch.ones(size, dtype=torch.float64)} for _ in range(n)]


def fit(network, loss=square, *, source=None, monitor=None, name="loss", **options):
    options = {"epochs": 3, "optimizer": PLAIN, "learning_rate": 0.1} | options
    objective = Objective(name, network.parameters(), loss)
    return Trainer(**options).fit(network, [objective], source or batches(2), monitor=monitor)


def seconds_left_out(rows):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def test_every_batch_is_a_step():
    point = Point(1.0)
    history = fit(point, epochs=3)
    assert point.at.item() == pytest.approx(0.8**6)  # w ← w - 0.1 · 2 w, six times
    assert history["step"] == [2, 4, 6]
    assert history["epoch"] == [1, 2, 3]
    assert history["loss"] == pytest.approx([(1 + 0.64) / 2, 0.64**2 * 0.82, 0.64**4 * 0.82])
    assert history.stopped == "all epochs done"
    assert history.best_epoch is None
    assert all(0 < earlier < later for earlier, later in zip(history["seconds"], history["seconds"][1:], strict=False))


def test_a_large_batch_counts_more_in_the_mean_loss():
    source = [{"x": torch.full((3,), 2.0)}, {"x": torch.full((1,), 6.0)}]
    history = fit(Point(1.0), lambda network, batch: batch["x"].mean() + 0 * network.at.sum(), source=source, epochs=1)
    assert history["loss"] == [3.0]


def test_callbacks_get_the_rows():
    seen = []
    history = fit(Point(), on_epoch=[lambda row, epochs: seen.append((dict(row), epochs)), lambda row, epochs: None])
    assert [row for row, _ in seen] == history.rows
    assert {epochs for _, epochs in seen} == {3}


def test_the_schedule_sets_the_rate_of_every_step():
    history = fit(Point(), schedule=Step(every=1, gamma=0.5), epochs=3)
    assert history["learning_rate"] == pytest.approx([0.1, 0.05, 0.025])


def test_a_plateau_listens_to_the_held_out_loss():
    held_out = iter([3.0, 3.0, 3.0, 2.0, 2.0, 2.0])
    history = fit(
        Point(), schedule=Plateau(gamma=0.5, patience=2), epochs=6, monitor=lambda: {"validation_loss": next(held_out)}
    )
    assert history["learning_rate"] == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.05])


def test_the_weights_of_the_best_epoch_are_restored():
    point, losses, weights = Point(), [3.0, 1.0, 2.0, 5.0], []

    def monitor():
        weights.append(point.at.item())
        return {"validation_loss": losses[len(weights) - 1], "validation_score": 0.5}

    history = fit(point, epochs=4, monitor=monitor)
    assert history.best_epoch == 2
    assert point.at.item() == weights[1] != weights[3]
    assert history["validation_loss"] == losses
    assert history["validation_score"] == [0.5] * 4
    assert history["loss"][3] < history["loss"][1]


def test_buffers_are_restored_with_the_weights():
    network = nn.Sequential(nn.BatchNorm1d(1))
    sizes, losses = [], iter([1.0, 2.0, 3.0])

    def monitor():
        sizes.append(network[0].running_mean.clone())
        return {"validation_loss": next(losses)}

    fit(network, lambda net, batch: net(batch["x"]).sum(), source=[{"x": torch.randn(8, 1) + 5}], monitor=monitor)
    assert torch.equal(network[0].running_mean, sizes[0])
    assert not torch.equal(sizes[0], sizes[2])


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (None, 10)])
def test_patience(patience, epochs):
    held_out = iter([2.0, 1.0, *[1.5] * 20])
    history = fit(Point(), epochs=10, patience=patience, monitor=lambda: {"validation_loss": next(held_out)})
    assert len(history) == epochs
    assert history.stopped == ("all epochs done" if patience is None else f"no progress for {patience} epochs")
    assert history.best_epoch == 2


def test_patience_waits_for_a_held_out_loss_only():
    history = fit(Point(), lambda net, batch: net.at.sum() * 0 + 1, epochs=30, patience=2)
    assert len(history) == 30


def test_the_monitor_sees_a_network_at_rest():
    network, states = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)), []

    def monitor():
        states.append((network.training, torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        return {"validation_loss": 1.0}

    modes = []
    history = fit(
        network,
        lambda net, batch: (modes.append(net.training), net(batch["x"]).sum())[1],
        source=[{"x": torch.ones(4, 1)}],
        monitor=monitor,
    )
    assert states == [(False, False, True)] * 3
    assert modes == [True] * 3
    assert not network.training
    assert history.best_epoch == 3


def test_clipping_bounds_each_step():
    far = Point(300.0, 400.0)
    fit(far, epochs=1, source=batches(1), learning_rate=1.0, clip_norm=5.0)
    np.testing.assert_allclose(far.at.detach(), [297, 396], rtol=1e-6)  # a step of length 5 along the gradient
    near = Point(0.3, 0.4)
    fit(near, epochs=1, source=batches(1), learning_rate=0.5, clip_norm=5.0)
    np.testing.assert_allclose(near.at.detach(), 0, atol=1e-12)


def test_two_parameters_that_share_a_gradient_are_both_clipped_and_decayed_once():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.full((2, 2), value, dtype=torch.float64)) for value in (1.0, 2.0))

    def loss(network, batch):
        return (network.a + network.b).sum() * 3

    clipped, decayed = Sum(), Sum()
    fit(clipped, loss, epochs=1, source=batches(1), learning_rate=1.0, clip_norm=1.0)
    np.testing.assert_allclose((1 - clipped.a).detach(), 1 / math.sqrt(8), rtol=1e-5)
    fit(decayed, loss, epochs=1, source=batches(1), learning_rate=0.1, weight_decay=0.5)
    np.testing.assert_allclose(decayed.a.detach(), 1 - 0.1 * (3 + 0.5 * 1), rtol=1e-12)
    np.testing.assert_allclose(decayed.b.detach(), 2 - 0.1 * (3 + 0.5 * 2), rtol=1e-12)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "muon", "lbfgs"])
def test_gradients_of_any_layout_give_the_same_step(name):
    """autograd may hand over a transposed or an expanded gradient; the fused kernels must not read past it."""
    torch.manual_seed(0)
    start, slope = torch.randn(4, 3, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)

    def trained(transposed: bool):
        network = nn.Linear(3, 4).double()
        with torch.no_grad():
            network.weight.copy_(start)
            network.bias.zero_()

        def loss(net, batch):
            matrix = (net.weight.T * slope) if transposed else (net.weight * slope.T.contiguous())
            return matrix.sin().sum() + (net.bias.sum() if transposed else (net.bias * torch.ones(4)).sum())

        fit(network, loss, optimizer=optimizer_by_name(name), learning_rate=0.01, epochs=4)
        return network

    one, other = trained(True), trained(False)
    np.testing.assert_allclose(one.weight.detach(), other.weight.detach(), rtol=1e-9)
    np.testing.assert_allclose(one.bias.detach(), other.bias.detach(), rtol=1e-9)
    assert not torch.equal(one.weight, start)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_everything(broken):
    calls = []

    def loss(network, batch):
        calls.append(1)
        return network.at.sum() * (broken if len(calls) > 2 else 1.0)

    with pytest.raises(
        TrainingDiverged,
        match=r"the loss \(elbo\) became .* in step 3 \(epoch 2, learning rate 0.1\); it first appeared",
    ):
        fit(Point(), loss, name="elbo", epochs=5)
    assert len(calls) == 4  # the last one looks for where it began


def test_the_message_of_a_divergence_says_what_to_do():
    with pytest.raises(
        TrainingDiverged, match=r"Try a learning rate ten times smaller, clip_norm=1.0, or scaling='robust'"
    ):
        fit(Point(), learning_rate=1e200, epochs=5)
    with pytest.raises(TrainingDiverged, match=r"the validation_loss \(loss\) became nan in epoch 1"):
        fit(Point(), monitor=lambda: {"validation_loss": math.nan})


def test_two_objectives_take_turns():
    """A game: one raises what the other lowers; each moves its own parameters only."""

    class Game(nn.Module):
        def __init__(self):
            super().__init__()
            self.x, self.y = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(2.0))

    game = Game()
    objectives = [
        Objective("critic", [game.x], lambda net, batch: net.x * net.y),
        Objective("generator", [game.y], lambda net, batch: -net.x * net.y),
    ]
    history = Trainer(epochs=1, optimizer=PLAIN, learning_rate=0.1).fit(game, objectives, batches(1))
    assert game.x.item() == pytest.approx(1 - 0.1 * 2)
    assert game.y.item() == pytest.approx(2 + 0.1 * 0.8)  # it sees where the first one went
    assert history["loss"] == [2.0]
    assert history["generator_loss"] == pytest.approx([-1.6])


def pair_of(every=1, rate=1.0, **options):
    """Return a network of two numbers and two objectives, the second of which moves less often, or further."""
    point = nn.ParameterDict({name: nn.Parameter(torch.tensor(1.0, dtype=torch.float64)) for name in "xy"})
    objectives = [
        Objective("critic", [point["x"]], lambda net, batch: net["x"] * batch["x"].mean()),
        Objective("generator", [point["y"]], lambda net, batch: net["y"] * 1, every=every, rate=rate, **options),
    ]
    return point, objectives


def test_an_objective_may_move_on_every_other_step():
    point, objectives = pair_of(every=3)
    history = Trainer(epochs=4, optimizer=PLAIN, learning_rate=0.1).fit(point, objectives, batches(2))
    assert point["x"].item() == pytest.approx(1 - 8 * 0.1)
    assert point["y"].item() == pytest.approx(1 - 3 * 0.1)  # steps 0, 3 and 6
    # the mean is over its own steps; an epoch without one repeats the last
    assert history["generator_loss"] == pytest.approx([1.0, 0.9, 0.9, 0.8])


@pytest.mark.parametrize("rate", [0.5, 3.0])
def test_an_objective_may_have_a_rate_of_its_own(rate):
    point, objectives = pair_of(rate=rate)
    history = Trainer(epochs=1, optimizer=PLAIN, learning_rate=0.1).fit(point, objectives, batches(2))
    assert point["y"].item() == pytest.approx(1 - 2 * 0.1 * rate)
    assert history["learning_rate"] == [0.1]


def test_weight_decay_follows_the_rate_of_the_objective():
    network = nn.Linear(1, 1, bias=False).double()
    start = network.weight.item()
    objective = Objective("still", network.parameters(), lambda net, batch: net.weight.sum() * 0, rate=0.5)
    options = {"epochs": 1, "optimizer": AdamW(), "learning_rate": 0.1, "weight_decay": 0.2}
    Trainer(**options).fit(network, [objective], batches(1))
    assert network.weight.item() == pytest.approx(start * (1 - 0.1 * 0.5 * 0.2))


def test_what_comes_after_a_step_is_called_after_its_own_steps_only():
    seen = []
    point, objectives = pair_of(every=2, after=lambda: seen.append(point["y"].item()))
    Trainer(epochs=1, optimizer=PLAIN, learning_rate=0.1).fit(point, objectives, batches(4))
    assert seen == pytest.approx([0.9, 0.8])


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_run_with_objectives_of_several_paces_resumes_to_the_same_bits(step):
    X = torch.arange(30, dtype=torch.float64).reshape(10, 3)

    def run(snapshots=None, resume=None):
        torch.manual_seed(0)
        network = nn.ModuleList([nn.Linear(3, 2), nn.Linear(3, 1)]).double()
        loss = [lambda net, b, k=k: (net[k](b["x"]) + torch.randn(1).double()).square().mean() for k in (0, 1)]
        objectives = [
            Objective("critic", network[0].parameters(), loss[0]),
            Objective("generator", network[1].parameters(), loss[1], every=3, rate=0.3),
        ]
        source = Batches({"x": X}, 4, torch.Generator().manual_seed(5))
        trainer = Trainer(epochs=2, optimizer=AdamW(), learning_rate=0.1)
        history = trainer.fit(network, objectives, source, checkpoints=snapshots, resume=resume)
        return network.state_dict(), seconds_left_out(history.rows)

    kept = []
    writer = SimpleNamespace(
        due=lambda step: True, write=lambda now: kept.append(deepcopy(now)), end_epoch=lambda run, last: None
    )
    whole, rows = run(writer)
    resumed, others = run(resume=kept[step - 1])
    assert rows == others
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


@pytest.mark.parametrize("wrong", [{"every": 0}, {"rate": 0.0}])
def test_an_objective_that_would_never_move_is_refused(wrong):
    with pytest.raises(ValueError, match="every is 1 or more, rate above 0"):
        pair_of(**wrong)


def test_parameters_that_are_not_used_or_frozen_stay():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
            self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)

    two = Two()
    fit(two, lambda net, batch: (net.used * net.frozen).sum(), optimizer=Adam())
    assert two.used.item() < 1
    assert two.idle.item() == two.frozen.item() == 1


def test_the_same_source_and_seed_give_the_same_bits():
    def run():
        torch.manual_seed(0)
        network = nn.Linear(3, 1)
        source = Batches({"x": torch.arange(30.0).reshape(10, 3)}, 4, torch.Generator().manual_seed(5))
        history = fit(network, lambda net, batch: net(batch["x"]).square().mean(), source=source, optimizer=AdamW())
        return network.weight.detach(), seconds_left_out(history.rows)

    (one, rows), (other, others) = run(), run()
    assert torch.equal(one, other)
    assert rows == others


def test_lbfgs_may_ask_several_times():
    point = Point(3.0)
    history = fit(
        point, lambda net, batch: (net.at - 1).square().sum() ** 2, optimizer=LBFGS(), learning_rate=1.0, epochs=30
    )
    assert point.at.item() == pytest.approx(1, abs=1e-3)
    assert history["step"][-1] == 60


# Ctrl-C


def press_ctrl_c(row, epochs):
    if row["epoch"] == 2:
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_training_with_the_best_weights_so_far():
    point, weights, held_out = Point(), [], iter([1.0, 2.0, 0.5])
    before = signal.getsignal(signal.SIGINT)

    def monitor():
        weights.append(point.at.item())
        return {"validation_loss": next(held_out)}

    history = fit(point, epochs=100, monitor=monitor, on_epoch=[press_ctrl_c])
    assert history.stopped == "interrupted"
    assert len(history) == 2
    assert history.best_epoch == 1
    assert point.at.item() == weights[0]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_an_epoch_ends_it_after_the_step():
    point, calls = Point(), []

    def loss(network, batch):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return square(network, batch)

    history = fit(point, loss, epochs=100, source=batches(10))
    assert len(calls) == 3
    assert history["step"] == [3]
    assert point.at.item() == pytest.approx(0.8**3)
    assert history.stopped == "interrupted"


def test_a_second_ctrl_c_interrupts_at_once():
    before = signal.getsignal(signal.SIGINT)

    def twice(row, epochs):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(Point(), on_epoch=[twice])
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("seconds", "passed_on"), [(0.5, 1), (1.5, 2)])
def test_a_sigterm_told_twice_is_one_and_a_later_one_acts_at_once(monkeypatch, seconds, passed_on):
    now, came, seen = [100.0], [], []
    monkeypatch.setattr("ganglion.training.interrupt.time.monotonic", lambda: now[0])
    before = signal.signal(signal.SIGTERM, lambda *_: came.append(1))
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGTERM)
            now[0] += seconds
            os.kill(os.getpid(), signal.SIGTERM)
            seen.append((interrupt.requested, len(came)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [(True, passed_on - 1)]
    assert len(came) == passed_on


def test_the_handler_of_ctrl_c_comes_back_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingDiverged):
        fit(Point(), lambda net, batch: net.at.sum() * math.nan)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_in_another_thread_leaves_signals_alone():
    point, before = Point(), signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=fit, args=(point,))
    thread.start()
    thread.join()
    assert point.at.item() == pytest.approx(0.8**6)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lbfgs", "muon"])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"clip_norm": 0.01}], ids=str)
def test_a_closed_form_trains_like_autograd(optimizer, options):
    generator = torch.Generator().manual_seed(3)
    batch = {"numeric": torch.randn(12, 4, generator=generator).double(), "target": torch.ones(12, 2).double()}
    loss = WeightedLoss(SquaredError())

    def trained(closed):
        torch.manual_seed(0)
        network = Network(TableInput(4), MLP(4, 2, (5, 3)), nn.Identity()).cast(torch.float64)
        form = partial(Backpropagation, network, loss.and_slope) if closed else None
        objective = Objective("loss", network.parameters(), loss, closed_form=form)
        trainer = Trainer(epochs=3, optimizer=optimizer_by_name(optimizer), learning_rate=0.01, **options)
        history = trainer.fit(network, [objective], [batch, batch])
        return history["loss"], [parameter.detach() for parameter in network.parameters()]

    (losses, own), (expected, theirs) = trained(True), trained(False)
    assert losses == pytest.approx(expected, rel=1e-9)
    for one, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)
        assert one.untyped_storage().nbytes() == one.numel() * 8  # its own memory again
