"""What a generator has learned to make, beside rows of the data: noise, a few kinds of data only, or data.

    strange   share of samples that lie farther from rows than 19 of 20 other rows of the data do: about 0.05 for data
    far       the median of their distances, beside that of other rows: 1 for data
    shared    Σ_k min(p_k, q_k) of the shares of samples and of rows in the groups that rows fall into: 1 for data, and
              the share of the groups that are there where others are missing
    spread    how much samples vary within a group, beside the data in it: 1 for data, 0 if they are all alike

Two-sample measures, with the data as their own scale. Groups: k-means (Lloyd 1982), begun at rows that lie far apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ganglion.data.batches import Batches, batch_of
from ganglion.networks.network import Network
from ganglion.training.run import Source
from ganglion.training.variety import nearest

ROWS = 1000  # of the data that are looked at, at most
FEWEST_ROWS, FEWEST_STEPS = 20, 50  # a training so short has not begun
GROUPS, WALKS = 16, 10  # of k-means
FARTHEST = 0.95  # share of the data whose distance is usual
STALE = 0.1  # share of its first weights in an average
STRANGE, FAR = 0.85, 2.0  # above both of which samples are unlike the data
FOUND, SHARED, SPREAD = 0.5, 0.5, 0.1  # below both of the first, or the last, of which they are a collapse

Alarm = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """How samples lie beside rows of the data: see the equations above.

    Attributes
    ----------
    strange, far, shared, spread : float
    found, n_groups : int
        Groups in which at least a fifth of the samples are that are due there, and how many groups there are.
    """

    strange: float
    far: float
    shared: float
    spread: float
    found: int
    n_groups: int


def some_rows(network: Network, source: Source, n: int = ROWS) -> tuple[Tensor, Tensor | None]:
    """Return rows of the training data as vectors, (n, d), in no order, and their labels, (n,), if there are any."""
    batches = cast(Batches, source)
    rows = torch.arange(batches.n_samples) if batches.rows is None else batches.rows
    chosen = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:n]]
    batch = batch_of(batches.columns, chosen.to(next(network.parameters()).device))
    batch = {**batch, **batches.prepare(batch)} if batches.prepare else batch
    return network.input(batch), batch["target"] if batch["target"].dim() == 1 else None


def beside(samples: Tensor, rows: Tensor) -> Made:
    """Measure samples beside rows of the data.

    Parameters
    ----------
    samples : Tensor of shape (m, d)
    rows : Tensor of shape (n, d)
        Four at least, in no particular order: half of them are what the others, and samples, are compared with.
    """
    samples, rows = samples.double(), rows.double()
    known, others = rows.split([-(-len(rows) // 2), len(rows) // 2])
    of_others, of_made = distance(others, known), distance(samples, known)
    centers = groups(rows)
    of_rows, of_samples = nearest(rows, centers), nearest(samples, centers)
    due, got = (shares(each, len(centers)) for each in (of_rows, of_samples))
    there = (got >= 0.2 * due) & (due > 0)
    return Made(
        strange=float((of_made > torch.quantile(of_others, FARTHEST)).double().mean()),
        far=float(of_made.median() / of_others.median().clamp(min=1e-12)),
        shared=float(torch.minimum(due, got).sum()),
        spread=float(scatter(samples, of_samples) / scatter(rows, of_rows).clamp(min=1e-12)),
        found=int(there.sum()),
        n_groups=int((due > 0).sum()),
    )


def distance(samples: Tensor, anchors: Tensor) -> Tensor:
    """Return how far each sample, (m, d), is from the nearest anchor, (n, d): (m,)."""
    return (samples - anchors[nearest(samples, anchors)]).norm(dim=1)


def groups(rows: Tensor) -> Tensor:
    """Return the middles of the groups that rows, (n, d), fall into, (k, d), by k-means."""
    centers = rows[:1]
    for _ in range(min(GROUPS, len(rows) // 5) - 1):  # the row that is farthest from all so far
        centers = torch.cat([centers, rows[distance(rows, centers).argmax()][None]])
    for _ in range(WALKS):
        place = nearest(rows, centers)
        n = torch.zeros(len(centers), dtype=rows.dtype, device=rows.device).index_add_(
            0, place, rows.new_ones(len(rows))
        )
        middle = torch.zeros_like(centers).index_add_(0, place, rows) / n.clamp(min=1)[:, None]
        centers = torch.where(n[:, None] > 0, middle, centers)
    return centers


def shares(places: Tensor, n: int) -> Tensor:
    """Return what share of places, (m,) int64 below n, are each one: (n,)."""
    return torch.bincount(places, minlength=n).double() / len(places)


def scatter(samples: Tensor, places: Tensor) -> Tensor:
    """Return the median squared distance of samples, (m, d), from the middle of their group, (m,): a scalar."""
    n = torch.bincount(places).clamp(min=1)
    middle = samples.new_zeros(len(n), samples.shape[1]).index_add_(0, places, samples) / n[:, None]
    return (samples - middle[places]).square().sum(1).median()  # a few that went astray do not count


def is_strange(made: Made) -> bool:
    """Return whether samples are unlike the data."""
    return made.strange > STRANGE and made.far > FAR


def strange_alarm(made: Made, remedy: str) -> Alarm:
    """Return the alarm of samples that are unlike the data."""
    return (
        "samples unlike the data",
        f"{made.strange:.0%} of what is made lies farther from the training data than 19 of 20 of their rows do from "
        f"one another, {made.far:.1f} times as far as is usual: it is noise, or something else that the data are not.",
        remedy,
    )


def collapse_alarm(made: Made, remedy: str) -> list[Alarm]:
    """Return the alarm of samples that are alike, or of few kinds, if they are."""
    if made.spread < SPREAD:
        seen = (
            f"what is made is all alike: within a kind of data it varies {made.spread:.2g} times as much as the data, "
            "where 1 is as it should be."
        )
    elif made.shared < SHARED and made.found <= FOUND * made.n_groups:
        seen = (
            f"what is made is of few kinds: of {made.n_groups} groups that the data fall into it reaches {made.found}, "
            f"and {1 - made.shared:.0%} of it is in the wrong ones."
        )
    else:
        return []
    return [("mode collapse", seen, remedy)]


def unlike_remedy(steps: int, decay: float) -> str:
    """Return what to do where samples are unlike the data."""
    if decay and decay**steps > STALE:
        return (
            f"Samples come from an average of the generator's weights, of which {decay**steps:.0%} are still those it "
            f"began with: try averaging={1 - 10 / steps:.2g}, or more epochs."
        )
    return "Try more epochs, a smaller batch_size (more steps), or a larger network; look at the losses in history_."
