"""Diffusion against closed forms: for normal data the exact denoiser is known, and so is where every step leads."""

import math

import pytest
import torch

from ganglion.networks.noising import (
    behind,
    denoised,
    noise_in,
    noised,
    signal_left,
    step_back,
    times_back,
    velocity,
)

MEAN, DEVIATION = 1.5, 0.3


def exact(left):
    """Return what lies behind noisy normal data: E[x_0 | x_t] of two normal numbers."""

    def cleaner(x, t):
        a = float(left[t])
        return MEAN + math.sqrt(a) * DEVIATION**2 * (x - math.sqrt(a) * MEAN) / (a * DEVIATION**2 + 1 - a)

    return cleaner


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("n_steps", [50, 1000])
def test_the_signal_goes_from_all_to_nearly_nothing(schedule, n_steps):
    left = signal_left(schedule, n_steps)
    assert left[0] == 1
    assert len(left) == n_steps + 1
    assert (left[1:] < left[:-1]).all()
    assert 0 < left[-1] < 5e-3


def test_the_linear_schedule_is_that_of_the_paper():
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    torch.testing.assert_close(signal_left("linear")[1:], (1 - betas).cumprod(0))


def test_the_cosine_schedule_is_its_formula():
    t = torch.arange(1000, dtype=torch.float64) / 1000
    f = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    torch.testing.assert_close(signal_left("cosine")[:-1], f / f[0])


def test_noising_step_by_step_is_noising_at_once():
    """Eq. 4 from eq. 2: variances add up."""
    left = signal_left("linear", 40)
    mean, variance = 1.0, 0.0
    for t in range(1, 41):
        beta = 1 - float(left[t] / left[t - 1])
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
    x, one = torch.ones(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    at_once = noised(x, one, left[40].view(1, 1))
    assert at_once.item() == pytest.approx(mean + math.sqrt(variance))


def test_data_and_noise_follow_from_the_velocity():
    x, noise, wrong = torch.randn(3, 5, 3, dtype=torch.float64)
    left = torch.full((5, 1), 0.37, dtype=torch.float64)
    there, v = noised(x, noise, left), velocity(x, noise, left)
    torch.testing.assert_close(behind(there, v, 0.37), x)
    torch.testing.assert_close(noise_in(there, x, 0.37), noise)
    of_noise = noise_in(there, behind(there, v + wrong, 0.37), 0.37) - noise
    torch.testing.assert_close(of_noise.square(), 0.37 * wrong.square())  # |ε - ε_θ|² = ᾱ |v - v_θ|²


@pytest.mark.parametrize("t", [1, 2, 500, 1000])
def test_a_single_step_with_eta_1_is_that_of_ho(t):
    left = signal_left("linear")
    x, noise, z = torch.randn(3, 4, 2, dtype=torch.float64)
    now, before = float(left[t]), float(left[t - 1])
    beta = 1 - now / before
    mean = (x - beta / math.sqrt(1 - now) * noise) / math.sqrt(1 - beta)  # eq. 11
    sigma = math.sqrt((1 - before) / (1 - now) * beta)  # the smaller variance, section 3.2
    data = (x - math.sqrt(1 - now) * noise) / math.sqrt(now)
    torch.testing.assert_close(step_back(x, data, now, before, eta=1.0, z=z), mean + sigma * z)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_step_with_the_true_noise_keeps_the_law_of_the_noised_data(eta):
    """Song 2021, lemma 1: x_s has mean √ᾱ_s x_0 and variance 1 - ᾱ_s whatever η."""
    now, before = 0.2, 0.6
    sigma = eta * math.sqrt((1 - before) / (1 - now)) * math.sqrt(1 - now / before)
    ones, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    from_noise = step_back(math.sqrt(1 - now) * ones, zero, now, before, eta=eta, z=zero)  # x_0 = 0, ε = 1
    assert from_noise.item() ** 2 + sigma**2 == pytest.approx(1 - before)
    from_data = step_back(math.sqrt(now) * ones, ones, now, before, eta=eta, z=zero)  # x_0 = 1, ε = 0
    assert from_data.item() == pytest.approx(before**0.5)


@pytest.mark.parametrize(("steps", "slack"), [(20, 0.25), (100, 0.05), (1000, 0.01)])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_exact_denoiser_gives_the_moments_of_the_data(schedule, steps, slack):
    """Without η all is linear in x_T, so two points tell the map: its slope is the deviation, 0 goes to the mean."""
    left = signal_left(schedule)
    ends = denoised(torch.tensor([[0.0], [1.0]], dtype=torch.float64), exact(left), left, steps=steps)
    remains = math.sqrt(float(left[-1])) * MEAN  # x_T of the data is not quite centred
    slope = (ends[1] - ends[0]).item()
    assert slope == pytest.approx(DEVIATION, rel=slack)
    assert ends[0].item() + slope * remains == pytest.approx(MEAN, abs=slack * DEVIATION)


def test_with_eta_the_moments_are_the_same():
    left, generator = signal_left("cosine"), torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 1, dtype=torch.float64, generator=generator)
    ends = denoised(x, exact(left), left, steps=200, eta=1.0, generator=generator)
    assert ends.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert ends.std().item() == pytest.approx(DEVIATION, rel=0.05)


@pytest.mark.parametrize(("n_steps", "wanted"), [(1000, 50), (1000, 1000), (10, 99), (7, 3), (5, 1)])
def test_times_go_from_the_end_to_the_first(n_steps, wanted):
    times = times_back(n_steps, wanted)
    assert times[0] == n_steps
    assert len(times) == min(wanted, n_steps)
    assert times == sorted(set(times), reverse=True)
    assert times[-1] >= 1
