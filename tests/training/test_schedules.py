"""Each schedule in closed form."""

import math

import pytest
import torch

from ganglion.errors import InvalidParameter, UnknownParameter
from ganglion.training.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    OneCycle,
    Plateau,
    Progress,
    Step,
    WarmUp,
    schedule_by_name,
)


def at(step: int, *, of: int = 100, epoch: int = 0, monitored=()) -> Progress:
    return Progress(step, of, epoch, monitored)


def test_constant():
    assert {Constant().factor(at(step)) for step in range(100)} == {1.0}


@pytest.mark.parametrize("epoch", [0, 29, 30, 59, 60, 300])
def test_step_is_torchs(epoch):
    optimizer = torch.optim.SGD([torch.zeros(1)], 1.0)
    assert Step(30, 0.1).factor(at(0, epoch=epoch)) == pytest.approx(0.1 ** (epoch // 30))
    theirs = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda e: 0.5 ** (e // 7))
    for _ in range(epoch):
        optimizer.step()
        theirs.step()
    assert Step(7, 0.5).factor(at(0, epoch=epoch)) == pytest.approx(theirs.get_last_lr()[0])


@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_cosine(floor):
    schedule = Cosine(floor)
    assert schedule.factor(at(0)) == 1
    assert schedule.factor(at(50)) == pytest.approx((1 + floor) / 2)
    assert schedule.factor(at(100)) == pytest.approx(floor)
    assert schedule.factor(at(25)) == pytest.approx(floor + (1 - floor) * (1 + math.cos(math.pi / 4)) / 2)
    assert schedule.factor(at(1000)) == pytest.approx(floor)  # never up again


def test_one_cycle():
    schedule = OneCycle(peak_at=0.25, start=0.1)
    assert schedule.factor(at(0)) == pytest.approx(0.1)
    assert schedule.factor(at(25)) == pytest.approx(1)
    assert schedule.factor(at(100)) == pytest.approx(0)
    assert schedule.factor(at(12, of=96)) == pytest.approx(0.55)  # half way up: the mean of start and top
    rising = [schedule.factor(at(step)) for step in range(26)]
    falling = [schedule.factor(at(step)) for step in range(25, 101)]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)


def test_one_cycle_is_torchs():
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer := torch.optim.SGD([torch.zeros(1)], 1.0), 1.0, total_steps=101, div_factor=25, final_div_factor=1e9,
        cycle_momentum=False, pct_start=31 / 101,
    )  # fmt: skip
    for step in range(100):
        assert OneCycle(peak_at=0.3, start=0.04).factor(at(step)) == pytest.approx(theirs.get_last_lr()[0], abs=1e-6)
        optimizer.step()
        theirs.step()


def test_warm_up_then_constant():
    factors = [WarmUp(steps=4).factor(at(step)) for step in range(6)]
    assert factors == [0.25, 0.5, 0.75, 1, 1, 1]


def test_warm_up_then_cosine_over_what_is_left():
    schedule = WarmUp(steps=20, then="cosine(floor=0.2)")
    assert schedule.factor(at(19)) == 1
    for step in range(20, 101):
        expected = Cosine(0.2).factor(Progress(step - 20, 80, 0, ()))
        assert schedule.factor(at(step)) == pytest.approx(expected)
    assert schedule.factor(at(100)) == pytest.approx(0.2)


def test_warm_up_longer_than_training():
    assert WarmUp(steps=1000, then="cosine").factor(at(99)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("losses", "plateaus"),
    [
        ([], 0),
        ([3, 2, 1], 0),
        ([3, 3], 0),
        ([3, 3, 3], 1),  # two epochs without a lower one
        ([3, 3, 3, 3], 1),
        ([3, 3, 3, 3, 3], 2),
        ([3, 4, 2.9, 5, 5], 1),
        ([3, 4, 2, 5, 1, 5], 0),
        ([3, math.nan, math.nan], 1),
    ],
)
def test_plateau_counts_from_the_history(losses, plateaus):
    assert Plateau(gamma=0.5, patience=2).factor(at(7, monitored=losses)) == 0.5**plateaus


def test_plateau_is_torchs():
    losses = [5, 4, 4, 4, 4, 3, 3.5, 3.2, 3.1, 3.3, 2, 2, 2, 2, 2, 2, 2, 2, 1.0, 1, 1, 1, 1, 1]
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer := torch.optim.SGD([torch.zeros(1)], 1.0), factor=0.5, patience=2, threshold=0
    )
    for n, loss in enumerate(losses, start=1):
        theirs.step(loss)
        # torch's patience lets so many epochs pass and acts on the next
        assert Plateau(gamma=0.5, patience=3).factor(at(0, monitored=losses[:n])) == optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_between_nothing_and_the_learning_rate(name):
    schedule = schedule_by_name(name)
    for step in range(1001):
        assert 0 <= schedule.factor(at(step, of=1000, epoch=step // 10, monitored=[1.0] * (step // 10))) <= 1
    assert 0 <= schedule.factor(Progress(0, 0, 0, ())) <= 1


def test_names_with_settings_and_back():
    for name in SCHEDULES:
        assert str(schedule_by_name(name)) == name
    text = "warm_up(steps=7, then='step(every=3)')"
    assert str(schedule_by_name(text)) == text
    assert schedule_by_name("step(10, 0.5)") == Step(10, 0.5)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("cosin", InvalidParameter, r"no schedule is called 'cosin'. Did you mean 'cosine'\?"),
        ("cosine(flor=0.1)", UnknownParameter, r"Did you mean 'floor'\?"),
        ("cosine(floor=1)", InvalidParameter, "below 1"),
        ("step(every=0)", InvalidParameter, "at least 1"),
        ("step(gamma=0)", InvalidParameter, "above 0"),
        ("step(every='x')", InvalidParameter, "every is an integer"),
        ("one_cycle(peak_at=1)", InvalidParameter, "below 1"),
        ("plateau(patience=0)", InvalidParameter, "at least 1"),
        ("warm_up(then='warm_up')", InvalidParameter, "another one"),
        ("warm_up(then='no')", InvalidParameter, "no schedule is called 'no'"),
    ],
)
def test_wrong_names_say_what_is_right(text, error, words):
    with pytest.raises(error, match=words):
        schedule_by_name(text)
