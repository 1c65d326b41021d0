"""Whether what is made is new, or what was learned from: by the nearest training row.

    memorisation = P(d(made) < d(held out)) + ½ P(equal),   d the distance to the nearest training row
    copies       = share of made rows that are a training row

Held-out rows are as near to training rows as new data of the same law are, so one half is fair. Above it, what is made
hugs the training rows: it copies them, or keeps to where they are densest. Below, it lies apart from them. The share
is the statistic of Mann and Whitney, as in Meehan, Chaudhuri & Dasgupta 2020, "A non-parametric test to detect
data-copying in generative models", arXiv:2004.05675, there in each cell of a partition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.manifold import nearest
from ganglion.evaluation.predictions import Array
from ganglion.evaluation.resampling import Resampled

SAME = 1e-9  # of the typical distance between a held-out row and a training row


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near rows are to training rows.

    Attributes
    ----------
    made : ndarray of shape (m,)
        Distance of each made row to its nearest training row.
    held_out : ndarray of shape (n,)
        The same of rows that were not learned from.
    place : ndarray of shape (m,), int64
        Which training row that is.
    """

    made: Array
    held_out: Array
    place: Array

    @property
    def copied(self) -> Array:
        """Whether each made row is a training row, (m,)."""
        return self.made <= SAME * (np.median(self.held_out) or 1.0)

    def value(self) -> float:
        """Return the chance that a made row is nearer to a training row than a held-out one is."""
        below, upto = self._places(np.sort(self.held_out))
        return float(1 - (below + upto).mean() / 2 / len(self.held_out))

    def _places(self, ordered: Array) -> tuple[Array, Array]:
        """Return how many held-out rows are nearer than each made one, and how many are not farther."""
        return np.searchsorted(ordered, self.made, "left"), np.searchsorted(ordered, self.made, "right")

    def resampled(self) -> Resampled:
        """Return the function of the weights, (n, b), that gives "memorisation" and "copies" of each resample, (b,).

        There are as many made rows as held-out ones, which are drawn anew in pairs.
        """
        order = np.argsort(self.held_out, kind="stable")
        below, upto = self._places(self.held_out[order])
        copied = self.copied.astype(np.float64)

        def metrics(weights: Array) -> dict[str, Array]:
            total = weights.sum(axis=0)
            nearer = np.concatenate([np.zeros((1, weights.shape[1])), np.cumsum(weights[order], axis=0)])
            farther = total - (nearer[below] + nearer[upto]) / 2
            return {
                "memorisation": (weights * farther).sum(axis=0) / total**2,
                "copies": copied @ weights / total,
            }

        return metrics


def nearness(made: Array, held_out: Array, training: Array) -> Nearness:
    """Measure how near made and held-out rows are to training rows, all of them (…, d)."""
    distance, place = nearest(made, training)
    return Nearness(distance, nearest(held_out, training)[0], place)
