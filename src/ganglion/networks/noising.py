"""Diffusion: data go to noise step by step, and come back by what a denoiser says.

    q(x_t | x_0) = N(√ᾱ_t x_0, (1 - ᾱ_t) I),   ᾱ_t = Π_{s ≤ t} (1 - β_s)                              (Ho, eq. 4)
    x_{t-1} = (x_t - β_t / √(1 - ᾱ_t) ε_θ) / √(1 - β_t) + σ_t z                                       (Ho, eq. 11)
    x_s = √ᾱ_s x̂_0 + √(1 - ᾱ_s - σ²) ε_θ + σ z,   x̂_0 = (x_t - √(1 - ᾱ_t) ε_θ) / √ᾱ_t                  (Song, eq. 12)
    σ = η √((1 - ᾱ_s) / (1 - ᾱ_t)) √(1 - ᾱ_t / ᾱ_s)                                                   (Song, eq. 16)
    v = √ᾱ_t ε - √(1 - ᾱ_t) x_0,   x̂_0 = √ᾱ_t x_t - √(1 - ᾱ_t) v_θ                                (Salimans, section 4)

A network says the velocity v, from which x̂_0 follows without a division: that of a noise ε_θ by √ᾱ_t makes small errors
huge where little signal is left. The errors of both are |ε - ε_θ|² = ᾱ_t |v - v_θ|².

    linear   β_t from 1e-4 to 0.02 in 1,000 steps                                                    Ho, section 4
    cosine   ᾱ_t = cos²((t / T + s) / (1 + s) · π / 2) / cos²(s / (1 + s) · π / 2),  s = 0.008           Nichol, eq. 17

Ho, Jain & Abbeel 2020, arXiv:2006.11239; Song, Meng & Ermon 2021, arXiv:2010.02502; Nichol & Dhariwal 2021,
arXiv:2102.09672; Salimans & Ho 2022, arXiv:2202.00512. Letters: x data, z and ε standard normal noise, T steps, s < t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganglion.networks.draws import normal

N_STEPS = 1000  # T
FIRST_BETA, LAST_BETA = 1e-4, 0.02
OFFSET, MOST_BETA = 0.008, 0.999

Cleaner = Callable[[Tensor, int], Tensor]  # x_t and t → x̂_0


def signal_left(schedule: str, n_steps: int = N_STEPS) -> Tensor:
    """Return ᾱ_t for t = 0 … T, from 1 down to nearly 0: (T + 1,), float64.

    Parameters
    ----------
    schedule : {"linear", "cosine"}
    n_steps : int
        T. The linear betas are those of 1,000 steps, times 1,000 / T.
    """
    here: Any = {"dtype": torch.float64, "device": "cpu"}  # numbers, also of a network that is built without memory
    t = torch.arange(n_steps + 1, **here)
    if schedule == "cosine":
        curve = torch.cos((t / n_steps + OFFSET) / (1 + OFFSET) * math.pi / 2).square()
        beta = (1 - curve[1:] / curve[:-1]).clamp(max=MOST_BETA)  # the last step would leave nothing at all
    else:
        scale = N_STEPS / n_steps
        beta = torch.linspace(scale * FIRST_BETA, scale * LAST_BETA, n_steps, **here).clamp(max=MOST_BETA)
    return torch.cat([torch.ones(1, **here), (1 - beta).cumprod(0)])


def noised(x: Tensor, noise: Tensor, left: Tensor) -> Tensor:
    """Return x_t from x_0, eq. 4, of samples (n, d) of which so much signal is left, ᾱ_t, (n, 1)."""
    return left.sqrt() * x + (1 - left).sqrt() * noise


def velocity(x: Tensor, noise: Tensor, left: Tensor) -> Tensor:
    """Return v of samples x_0 and their noise, (n, d), of which so much signal is left, ᾱ_t, (n, 1)."""
    return left.sqrt() * noise - (1 - left).sqrt() * x


def behind(x: Tensor, v: Tensor, left: float) -> Tensor:
    """Return x̂_0, what data lie behind x_t if this is their velocity."""
    return math.sqrt(left) * x - math.sqrt(1 - left) * v


def noise_in(x: Tensor, data: Tensor, left: float) -> Tensor:
    """Return ε, what noise is in x_t if these data lie behind it."""
    return (x - math.sqrt(left) * data) / math.sqrt(1 - left)


def step_back(
    x: Tensor, data: Tensor, left: float, before: float, *, eta: float = 0.0, z: Tensor | None = None
) -> Tensor:
    """Return x_s from x_t, eq. 12.

    Parameters
    ----------
    x, data : Tensor of shape (n, d)
        x_t and x̂_0.
    left, before : float
        ᾱ_t and ᾱ_s, of which the latter is larger.
    eta : float in [0, 1]
        η: 0 is deterministic (DDIM); 1, one step at a time, is eq. 11 with its smaller variance (DDPM).
    z : Tensor of shape (n, d), optional
        Fresh noise, wanted where η > 0.
    """
    sigma = eta * math.sqrt((1 - before) / (1 - left)) * math.sqrt(1 - left / before)
    there = math.sqrt(before) * data + math.sqrt(max(0.0, 1 - before - sigma**2)) * noise_in(x, data, left)
    return there if z is None or sigma == 0 else there + sigma * z


def times_back(n_steps: int, wanted: int) -> list[int]:
    """Return the times at which a denoiser is asked, from T on down, evenly spaced; the last step goes to 0."""
    wanted = min(wanted, n_steps)
    return sorted({round(n_steps * i / wanted) for i in range(1, wanted + 1)}, reverse=True)


def denoised(
    x: Tensor,
    cleaner: Cleaner,
    left: Tensor,
    *,
    steps: int,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Walk from noise x_T, (n, d), back to data in so many steps.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Standard normal noise.
    cleaner : callable
        `cleaner(x, t)` → x̂_0, (n, d).
    left : Tensor of shape (T + 1,)
        ᾱ, see `signal_left`.
    steps : int
    eta : float in [0, 1]
    generator : torch.Generator, optional
        Gives the noise of steps with η > 0.
    """
    times = times_back(len(left) - 1, steps)
    for t, s in zip(times, [*times[1:], 0], strict=True):
        now, before = float(left[t]), float(left[s])
        z = normal(tuple(x.shape), x, generator) if eta > 0 and s else None
        x = step_back(x, cleaner(x, t), now, before, eta=eta, z=z)
    return x
