"""The network of the torch-based contenders, its loss, and its two halves as functions of arrays."""

import torch
from torch import Tensor, nn


class VAE(nn.Module):
    """Images (n, pixels) → codes (n, latent) → scores (n, pixels), whose sigmoid is the brightness."""

    def __init__(self, job, pixels):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, job.hidden), nn.ReLU(), nn.Linear(job.hidden, 2 * job.latent))
        self.decoder = nn.Sequential(nn.Linear(job.latent, job.hidden), nn.ReLU(), nn.Linear(job.hidden, pixels))

    def negative_elbo(self, X: Tensor) -> Tensor:
        """Return the mean of cross-entropy + KL divergence, with one code drawn for each image."""
        means, log_variances = self.encoder(X).chunk(2, 1)
        codes = means + (log_variances / 2).exp() * torch.randn_like(means)
        cross_entropy = nn.functional.binary_cross_entropy_with_logits(self.decoder(codes), X, reduction="sum")
        divergence = 0.5 * (means.square() + log_variances.exp() - 1 - log_variances).sum()
        return (cross_entropy + divergence) / len(X)

    def halves(self):
        """Return `encode` and `decode` as `contend_as_vae` takes them."""

        def encode(X):
            with torch.inference_mode():
                return [part.numpy() for part in self.encoder(torch.from_numpy(X)).chunk(2, 1)]

        def decode(codes):
            with torch.inference_mode():
                return self.decoder(torch.from_numpy(codes)).sigmoid().numpy()

        return encode, decode
