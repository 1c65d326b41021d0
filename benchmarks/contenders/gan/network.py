"""The two networks of the torch-based contenders, and what each of them lowers."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

SLOPE = 0.2


class GAN(nn.Module):
    """Noise (n, latent) → images (n, pixels) from -1 to 1 → scores (n, 1), higher for what looks real."""

    def __init__(self, job, pixels):
        super().__init__()
        self.latent = job.latent
        self.generator = nn.Sequential(*_layers([job.latent, *job.hidden, pixels], nn.ReLU), nn.Tanh())
        self.critic = nn.Sequential(*_layers([pixels, *job.hidden[::-1], 1], lambda: nn.LeakyReLU(SLOPE)))

    def made(self, n) -> Tensor:
        return self.generator(torch.randn(n, self.latent))

    def critic_loss(self, real: Tensor, made: Tensor) -> Tensor:
        return softplus(-self.critic(real)).mean() + softplus(self.critic(made)).mean()

    def generator_loss(self, made: Tensor) -> Tensor:
        return softplus(-self.critic(made)).mean()

    def sample(self, n):
        """Return images as numpy, pixels from 0 to 1."""
        with torch.inference_mode():
            return (self.made(n) * 0.5 + 0.5).numpy()


def _layers(widths, activation):
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), activation()]
    return layers[:-1]
