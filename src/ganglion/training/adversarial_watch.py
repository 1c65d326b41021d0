"""How a game of generator and critic goes: what stands in the history after each epoch, and when it has gone wrong.

critic_accuracy   the chance that a real sample scores above a made one: 0.5 where the critic cannot tell
diversity         how varied samples are beside the data, see `variety`
"""

from __future__ import annotations

import statistics
from typing import cast

import torch

from ganglion.networks.adversarial import Adversaries
from ganglion.networks.network import Network
from ganglion.training.adversarial import ranked_rightly
from ganglion.training.history import History
from ganglion.training.made import (
    FEWEST_ROWS,
    SPREAD,
    Alarm,
    Made,
    collapse_alarm,
    is_strange,
    some_rows,
    strange_alarm,
    unlike_remedy,
)
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor
from ganglion.training.variety import diversity

LAST = 0.25  # of the epochs, which count
WON = 0.99  # of the pairs of a real and a made sample
COLLAPSED = (
    "Try a learning rate ten times smaller, a larger penalty (ten times), loss='wasserstein', or more epochs; for data "
    "in clusters, categories=64."
)


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


def alarms_of(history: History, loss: str, made: Made | None, *, decay: float = 0.0) -> list[Alarm]:
    """Return what went wrong in a game that has ended: a name, the evidence, and what to do.

    Parameters
    ----------
    history : History
    loss : str
        The game's.
    made : Made or None
        How samples lie beside the data; None where nothing is known of them, and nothing is said.
    decay : float
        Of the generator's average, which makes the samples.
    """
    if made is None:
        return []
    collapsed = collapse_alarm(made, COLLAPSED)
    if not is_strange(made):
        return collapsed
    collapsed = collapsed if made.spread < SPREAD else []  # where nothing is like the data, it has none of their kinds
    last = -max(1, round(LAST * len(history)))
    right = statistics.median(history["critic_accuracy"][last:])
    if loss != "wasserstein" and right > WON:  # there a critic that can tell still shows the way
        return [*collapsed, won_alarm(right, made)]
    return [*collapsed, strange_alarm(made, unlike_remedy(history["step"][-1], decay))]


def won_alarm(right: float, made: Made) -> Alarm:
    """Return the alarm of a critic that has won: what it says no longer helps the generator."""
    return (
        "the critic has won",
        f"the critic (discriminator) tells {right:.1%} of pairs of a real and a made sample apart, and "
        f"{made.strange:.0%} of what is made is farther from the data than 19 of 20 rows of them are from one another: "
        "the generator no longer learns from it.",
        "Try a larger penalty (0.1, then 1), loss='wasserstein', spectral_norm=True, critic_steps=1, a smaller critic, "
        "or, if training was short, more epochs.",
    )
