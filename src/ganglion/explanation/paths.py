"""Slopes along the way from where nothing is known to the sample, which add up to what the model says.

    integrated gradients   φ_j = (z_j - b_j) ∫₀¹ ∂f(b + α (z - b)) / ∂z_j dα                        (1)
    expected gradients     φ_j = E_{b, α ~ U(0, 1)} [ (z_j - b_j) ∂f(b + α (z - b)) / ∂z_j ]        (2)

(1) Sundararajan, Taly & Yan 2017, arXiv:1703.01365, eq. 1: Σ_j φ_j = f(z) - f(b). The integral is Gauss and Legendre's,
    the steps doubled until that holds; of several background rows b is the mean.
(2) Erion, Janizek, Sturmfels, Lundberg & Lee 2021, arXiv:1906.10670, eq. 5: Σ_j φ_j = f(z) - E f(b) in the limit.
    Differs: every background row is taken equally often, and the α of one row are a few golden-ratio sequences from
    random starts (Kronecker), which lie more evenly than independent ones. The standard error is by how much those
    sequences differ, and where background rows were drawn, by how much these do, weighed as in `shap`.

Letters: n samples, S the shape of z of one, B baselines, d features, k outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganglion.explanation.asking import Array
from ganglion.explanation.entered import Entered
from ganglion.explanation.found import Found
from ganglion.explanation.ranking import agreement
from ganglion.explanation.settings import Settings
from ganglion.explanation.split import Split
from ganglion.explanation.words import MOST_GAP

CLOSE = MOST_GAP / 2  # a gap with which no more steps are taken, as a share of the output range
FIRST_STEPS, MOST_STEPS = 64, 1024  # from 16 on, more are taken twice than are saved, for thrice the error (Adult)
FIRST_DRAWS, MOST_DRAWS = 128, 2**14  # of a sample
SETS = 16  # of α that begin at random each, over all baselines: what their difference tells is the standard error
GOLDEN = (5**0.5 - 1) / 2


def gaps(effects: Array, bases: Array, group: Entered) -> Array:
    """Return by how much base and values miss each sample's outputs at most, as a share of their range, (n,)."""
    apart = np.abs(effects.sum(axis=1) + bases - group.said)
    return (apart / np.where(group.spans > 0, group.spans, 1)).max(axis=1)


def integrated_gradients(split: Split, group: Entered, settings: Settings) -> Found:
    """Return (1) of samples of one length, with as many steps for each as it takes."""
    base = group.base.mean(dim=1)
    bases = group.of_outputs(split.answers(base))
    most = settings.n_evaluations or MOST_STEPS
    k, n = group.outputs.shape[1], len(group.z)
    whole = group.z.new_zeros(k, *group.z.shape)
    taken, left, steps = np.zeros(n, dtype=np.intp), np.arange(n), min(FIRST_STEPS, most)
    while len(left):
        some = group.taken(left.tolist())
        places = torch.from_numpy(left).to(whole.device)
        found = _integral(split, some.z, base if len(base) == 1 else base[places], some.outputs, steps)
        whole[:, places], taken[left] = found, steps
        if 2 * steps > most:
            break
        left = left[gaps(some.by_feature(found), bases[left], some) > CLOSE]
        steps *= 2
    how = [f"{m} steps from {_mean_of(group)} to the sample" for m in taken.tolist()]
    return Found(group.by_feature(whole), how, bases=bases, heat=whole)


def _mean_of(group: Entered) -> str:
    B = group.base.shape[1]
    return group.nothing if B == 1 or group.modality not in ("table", "image") else f"the mean of {group.nothing}"


def _integral(split: Split, z: Tensor, base: Tensor, outputs: Tensor, steps: int) -> Tensor:
    """Return (1) by so many nodes of Gauss and Legendre, (k, n, *S)."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    alphas, shares = (torch.from_numpy(each).to(z) for each in ((nodes + 1) / 2, weights / 2))
    total = z.new_zeros(outputs.shape[1], *z.shape)
    apart = z - base
    for piece in split.pieces(z, len(z) * steps):
        pairs = torch.arange(piece.start, piece.stop, device=z.device)
        i, j = pairs // steps, pairs % steps
        at = _fitting(alphas[j], z)
        slopes = split.slopes((base[i] if len(base) > 1 else base) + at * apart[i], outputs[i])
        total.index_add_(1, i, slopes * _fitting(shares[j], z))
    return total * apart


def _fitting(numbers: Tensor, z: Tensor) -> Tensor:
    """Return one number a sample, (m,), in a shape that multiplies z: (m, 1, …)."""
    return numbers.view(-1, *[1] * (z.dim() - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Running sums of (2) of one sample, against each baseline by itself, in sets whose α begin at random each.

    Attributes
    ----------
    rounds : int
        How often each baseline was taken, all sets together.
    sums : ndarray of shape (sets, B, d, k)
    heat : Tensor of shape (k, *S)
        The same sum over all sets and baselines, of each number of z.
    """

    rounds: int
    sums: Array
    heat: Tensor

    @property
    def values(self) -> Array:
        """The estimate, (d, k)."""
        return self.sums.sum(axis=0).mean(axis=0) / self.rounds

    def errors(self, share: float) -> Array:
        """Return the standard errors, (d, k), of baselines that are such a share of those they were drawn from."""
        M, B = self.sums.shape[:2]
        by_set = self.sums * (M / self.rounds)
        within = by_set.var(axis=0, ddof=1).mean(axis=0) / M / B
        between = by_set.mean(axis=0).var(axis=0, ddof=1) / B if B > 1 else np.zeros_like(within)
        return np.sqrt((1 - share) * between + share * within)

    def halves(self, share: float) -> tuple[Array, Array]:
        """Return the estimate by either half of what was drawn, baselines or sets, up to its size."""
        axis = 1 if share < 1 and self.sums.shape[1] > 1 else 0
        one, other = (np.moveaxis(self.sums, axis, 0)[start::2] for start in (0, 1))
        return one.mean(axis=(0, 1)), other.mean(axis=(0, 1))


def expected_gradients(split: Split, group: Entered, settings: Settings) -> Found:
    """Return (2) of samples of one length, with as many draws for each as it takes."""
    B, share = group.base.shape[1], settings.share
    bases = group.of_outputs(split.answers(group.base.flatten(0, 1)).unflatten(0, (-1, B)).mean(dim=1))
    drawn = [
        _enough(split, group.taken([i]), bases[i : i + 1], settings) for i in range(len(group.z))
    ]  # of one sample there are many baselines and rounds: enough for whole passes
    values, errors = (
        np.stack([_filled(made, group.n_features) for made in parts])
        for parts in ([each.values for each in drawn], [each.errors(share) for each in drawn])
    )
    shown = [place.asked.shown(place.row)[1] for place in group.places]
    halves = [[half[:, j] for half in each.halves(share)] for each, j in zip(drawn, shown, strict=True)]
    stability = [float(agreement(*each)) for each in halves]
    how = [f"{each.rounds * B:,} points between the sample and {_baselines(group)}" for each in drawn]
    heat = torch.stack([each.heat / (each.rounds * B) for each in drawn], 1)
    return Found(values, how, bases=bases, errors=errors, stability=stability, heat=heat)


def _baselines(group: Entered) -> str:
    B = group.base.shape[1]
    return f"{B} {group.nothing}" if group.modality == "table" else group.nothing


def _enough(split: Split, one: Entered, bases: Array, settings: Settings) -> Draws:
    """Draw for one sample, twice as much each time, until its gap is small."""
    B = one.base.shape[1]
    n_sets = max(2, -(-SETS // B))
    starts = settings.rng.random((n_sets, B))
    most = (settings.n_evaluations or MOST_DRAWS) // (B * n_sets)
    rounds = max(1, min(most, -(-FIRST_DRAWS // (B * n_sets)))) * n_sets
    k, d = one.outputs.shape[1], one.n_features
    draws = Draws(0, np.zeros((n_sets, B, d, k)), one.z.new_zeros(k, *one.z.shape[1:]))
    while True:
        draws = _drawn(split, one, starts, rounds, draws)
        gap = gaps(draws.values[None], bases, one)[0]
        if gap <= CLOSE or 2 * draws.rounds > most * n_sets:
            return draws
        rounds = draws.rounds


def _filled(values: Array, d: int) -> Array:
    """Return values of a sample's features, (d', k), with zeros for features that only others have, (d, k)."""
    return np.concatenate([values, np.zeros((d - len(values), values.shape[1]))])


def _drawn(split: Split, one: Entered, starts: Array, rounds: int, before: Draws) -> Draws:
    """Go on with so many rounds of one sample; `starts` are where the α of each set and baseline begin, (sets, B)."""
    base, (n_sets, B) = one.base[0], starts.shape
    apart, sums, heat = one.z - base, before.sums.copy(), before.heat.clone()
    for piece in split.pieces(one.z, rounds * B):
        pairs = np.arange(piece.start, piece.stop)
        b, turn, which = pairs % B, *np.divmod(before.rounds + pairs // B, n_sets)
        where = torch.from_numpy(b).to(base.device)
        alphas = _fitting(torch.from_numpy((starts[which, b] + turn * GOLDEN) % 1).to(base), base)
        slopes = split.slopes(base[where] + alphas * apart[where], one.outputs.expand(len(b), -1))
        slopes *= apart[where]
        heat += slopes.sum(1)
        np.add.at(sums, (which, b), one.by_feature(slopes))
    return Draws(before.rounds + rounds, sums, heat)
