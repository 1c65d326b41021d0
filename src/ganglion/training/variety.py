"""How varied samples are beside the data: whether a generator has collapsed onto a few of them.

    rows(S)   = the number of distinct rows of the data that lie nearest to some sample of S
    diversity = rows(samples) / rows(as many other rows of the data)

About 1 where samples are spread as the data are, near 0 where they are all alike, and the share of the modes where
some are missing: it asks where samples lie, not how far apart, so that it needs no scale. It counts what is found
twice, as the test of Arora & Zhang 2017, arXiv:1706.08224, does, with the data as its own measure.
"""

from __future__ import annotations

from torch import Tensor

PART = 5


def diversity(samples: Tensor, rows: Tensor) -> float:
    """Return how varied samples are beside rows of the data.

    Parameters
    ----------
    samples : Tensor of shape (m, d)
    rows : Tensor of shape (n, d)
        At least two, in no particular order: a fifth of them are what samples are compared with, the rest stand beside
        the samples; so many samples are looked at.

    Returns
    -------
    float
        Not below 0; 1 for samples that are as varied as the data.
    """
    few = -(-len(rows) // PART)
    # several samples for each anchor: all of a mode are found then, and a missing half of the modes counts as a half
    anchors, others = rows.split([few, len(rows) - few])
    n = min(len(samples), len(others))
    return rows_hit(samples[:n], anchors) / rows_hit(others[:n], anchors)


def rows_hit(samples: Tensor, anchors: Tensor) -> int:
    """Return how many anchors, (n, d), are the nearest one of some sample, (m, d)."""
    return len(nearest(samples, anchors).unique())


def nearest(samples: Tensor, anchors: Tensor) -> Tensor:
    """Return the place of the anchor nearest to each sample, (m,)."""
    # |a - s|² without |s|², which is the same for all anchors
    return (anchors.square().sum(1) - 2 * samples @ anchors.T).argmin(1)
