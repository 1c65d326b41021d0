"""The partition function of a restricted Boltzmann machine, Z = Σ_v Σ_h e^{-E(v, h)}: what a likelihood needs.

exact      log Z = log Σ_h exp(c·h + A(b + Wᵀh)), over all 2^h states of the hidden units, or log Σ_v e^{-F(v)} over
           those of the visible ones, where they are on or off and fewer.
annealed   p*_β(v) = exp(-B(v) + ((1-β) b_A + β b)·v) Π_j (1 + e^{β(c_j + W_j·v)})                      (eq. 17)
           log w = Σ_k log p*_{β_k}(v_k) - log p*_{β_{k-1}}(v_k),   Z ≈ Z_A mean w,   Z_A = e^{A(b_A)} 2^h   (eq. 18)

Annealed importance sampling (Neal 2001; Salakhutdinov & Murray 2008, ICML, section 4.1) walks from the base-rate
model, whose biases b_A are those of the data and whose Z is known, to the machine, by one Gibbs step at each β. Its
mean w has no bias, so that its logarithm is too small on average: likelihoods rather come out too good than too bad,
with few runs or steps. The interval is that of the mean over runs, drawn anew (bootstrap).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.visible_units import draw_bernoulli

MOST_ENUMERATED = 22  # units: four million states
AT_ONCE = 10  # units whose states are looked at together
SCHEDULE = ((0.0, 0.5, 500), (0.5, 0.9, 4000), (0.9, 1.0, 10000))  # Salakhutdinov & Murray 2008, section 5.1
RESAMPLES = 2000


class Interval(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def exact_log_partition(machine: BoltzmannMachine) -> float:
    """Return log Z by enumeration of the side that has fewer units, in nats.

    Parameters
    ----------
    machine : BoltzmannMachine
        One that `is_enumerable`.
    """
    w_hd, b_d, c_h = (parameter.detach().double() for parameter in machine.parameters())
    if len(c_h) <= MOST_ENUMERATED:
        return _over_states(w_hd, b_d, c_h, machine.units.log_normaliser)
    return _over_states(w_hd.t(), c_h, b_d, lambda a: functional.softplus(a).sum(1))


def is_enumerable(machine: BoltzmannMachine) -> bool:
    """Return whether one side has few enough units for `exact_log_partition`."""
    few_seen = machine.units.are_binary and machine.units.n_units <= MOST_ENUMERATED
    return few_seen or len(machine.hidden_bias) <= MOST_ENUMERATED


def _over_states(w_kd: Tensor, b_d: Tensor, c_k: Tensor, log_normaliser) -> float:
    """Return log Σ_s exp(c·s + A(b + s·W)) over all s in {0, 1}^k."""
    few = min(AT_ONCE, len(c_k))
    states = _states(few, c_k)
    low_a, low_c = torch.addmm(b_d, states, w_kd[:few]), states @ c_k[:few]
    rest = _states(len(c_k) - few, c_k)
    high_a, high_c = rest @ w_kd[few:], rest @ c_k[few:]
    parts = [(low_c + log_normaliser(low_a + a) + c).logsumexp(0) for a, c in zip(high_a, high_c, strict=True)]
    return float(torch.stack(parts).logsumexp(0))


def _states(n: int, like: Tensor) -> Tensor:
    """Return all states of n units, (2^n, n)."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n) & 1).to(like)


@torch.no_grad()
def annealed_log_partition(machine: BoltzmannMachine, *, runs: int = 100, steps: int = 14_500) -> Interval:
    """Estimate log Z by annealed importance sampling from the machine's base-rate model, in nats.

    Parameters
    ----------
    machine : BoltzmannMachine
        Random numbers are drawn from torch's random state.
    runs : int
        Independent walks, over which the mean is taken.
    steps : int
        Intermediate laws, dealt out over β as in the paper, which has 14,500.

    Returns
    -------
    Interval
    """
    base, towards = machine.base, machine.visible_bias - machine.base
    v_md = machine.units.draw(base.expand(runs, -1))
    log_w = torch.zeros(runs, dtype=torch.float64, device=base.device)
    before = 0.0
    for beta in betas(steps)[1:]:
        x_mh = machine.hidden_input(v_md)
        gain = functional.softplus(beta * x_mh) - functional.softplus(before * x_mh)
        log_w += gain.sum(1) + (beta - before) * (v_md @ towards)
        h_mh = draw_bernoulli(x_mh.mul_(beta))
        a_md = torch.addmm(base, h_mh, machine.weight, alpha=beta)
        v_md = machine.units.draw(a_md.add_(towards, alpha=beta))
        before = beta
    log_base = machine.units.log_normaliser(base[None].double()) + len(machine.hidden_bias) * math.log(2)
    return log_mean_exp(log_w.cpu().numpy(), shift=float(log_base))


def betas(steps: int) -> list[float]:
    """Return inverse temperatures from 0 to 1, as close together as the paper's where the machine takes form."""
    total = sum(share for _, _, share in SCHEDULE)
    parts = [
        np.linspace(low, high, max(1, round(steps * share / total)), endpoint=False) for low, high, share in SCHEDULE
    ]
    return [float(beta) for beta in np.concatenate([*parts, [1.0]])]


def log_mean_exp(log_w: np.ndarray, *, shift: float = 0.0) -> Interval:
    """Return the logarithm of the mean of weights, plus a shift, and its interval when runs are drawn anew.

    Parameters
    ----------
    log_w : ndarray of shape (n_runs,)
    shift : float

    Returns
    -------
    Interval
    """
    most = log_w.max()
    weights = np.exp(log_w - most)
    drawn = np.random.default_rng(0).integers(len(weights), size=(RESAMPLES, len(weights)))
    low, high = np.quantile(np.log(weights[drawn].mean(1)), [0.025, 0.975])
    value, low, high = (float(each) + float(most) + shift for each in (np.log(weights.mean()), low, high))
    return Interval(value, low, high)
