"""How a game of generator and critic goes: what stands in the history after each epoch, and when it has gone wrong.

critic_accuracy   the chance that a real sample scores above a made one: 0.5 where the critic cannot tell
diversity         how varied samples are beside the data, see `variety`
"""

from __future__ import annotations

import statistics
from typing import cast

import torch
from torch import Tensor

from ganglion.data.batches import Batches, batch_of
from ganglion.networks.adversarial import Adversaries
from ganglion.networks.network import Network
from ganglion.training.adversarial import ranked_rightly
from ganglion.training.history import History
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor
from ganglion.training.variety import diversity

FEWEST_ROWS, FEWEST_STEPS = 20, 300  # a game so short has not collapsed, it has not begun
ROWS = 1000  # of the data, and as many samples, that are looked at
LAST = 0.25  # of the epochs, which count
COLLAPSED, WON = 0.4, 0.995

Alarm = tuple[str, str, str]


def watched(network: Network, source: Source) -> Monitor | None:
    """Return what measures the game after each epoch, with noise of its own: training draws what it would without."""
    sides, (real, y) = cast(Adversaries, network.body), some_rows(network, source)
    if len(real) < FEWEST_ROWS:
        return None

    def measure() -> dict[str, float]:
        generator = torch.Generator().manual_seed(0)
        z = sides.noise(len(real), real, generator)
        opponent = sides.head(sides.generator(z, y), generator)
        return {
            "critic_accuracy": ranked_rightly(sides.critic(real, y), sides.critic(opponent, y)),
            "diversity": diversity(sides.sampled(z, y, generator), real),
        }

    return measure


def some_rows(network: Network, source: Source, n: int = ROWS) -> tuple[Tensor, Tensor | None]:
    """Return rows of the training data as vectors, (n, d), in no order, and their labels, (n,), if there are any."""
    batches = cast(Batches, source)
    rows = torch.arange(batches.n_samples) if batches.rows is None else batches.rows
    chosen = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:n]]
    batch = batch_of(batches.columns, chosen.to(next(network.parameters()).device))
    batch = {**batch, **batches.prepare(batch)} if batches.prepare else batch
    return network.input(batch), batch["target"] if batch["target"].dim() == 1 else None


def alarms_of(history: History, loss: str) -> list[Alarm]:
    """Return what went wrong in a game that has ended: a name, the evidence, and what to do."""
    found: list[Alarm] = []
    if not len(history) or "diversity" not in history.rows[-1] or history["step"][-1] < FEWEST_STEPS:
        return found
    last = -max(1, round(LAST * len(history)))
    varied = statistics.median(history["diversity"][last:])
    if varied < COLLAPSED:
        found.append(
            (
                "mode collapse",
                f"samples are {varied:.2f} times as varied as the data, which is 1: they lie near few of its rows.",
                "Try more epochs, a larger penalty (ten times), a learning rate ten times smaller, or "
                "loss='wasserstein'; for data in clusters, categories=64.",
            )
        )
    right = min(history["critic_accuracy"][last:])
    if loss != "wasserstein" and right > WON:  # there a critic that can tell still shows the way
        found.append(
            (
                "the critic has won",
                f"it told {right:.1%} of pairs of a real and a made sample apart in each of the last {-last} epochs, "
                "and what it says no longer helps the generator.",
                "Try loss='wasserstein', a larger penalty, spectral_norm=True, a smaller critic, or a smaller "
                "learning rate.",
            )
        )
    return found
