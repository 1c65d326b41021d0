"""What a variational autoencoder lowers, and what it says of how likely data are.

    q(z|v) = N(μ, diag σ²),  μ and log σ² from the encoder;   p(z) = N(0, I);   p(v|z) by the decoder
    KL_j = ½ (μ_j² + σ_j² - 1 - log σ_j²)                                      Kingma & Welling 2014, appendix B
    ELBO = E_q log p(v|z) - β Σ_j KL_j                                          eq. 10 (β = 1; Higgins et al. 2017)
    log p(v) ≈ log 1/k Σ_i p(v|z_i) p(z_i) / q(z_i|v),  z_i ~ q(z|v)             Burda et al. 2016, eq. 8
    unit j is active  ⇔  Var_v(μ_j) > 0.01                                      Burda et al. 2016, section 5.2

Letters: n samples, d numbers of a vector, l latent units, k draws.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.coding import CodingNetwork
from ganglion.networks.draws import normal
from ganglion.networks.visible import VisibleInput
from ganglion.networks.visible_law import VisibleLaw

MOST = 20.0  # of a log variance, so that no number overflows
ACTIVE = 0.01
DRAWS_NUMBERS = 2**21  # raw numbers that importance weighting has in memory at once


class VariationalNetwork(CodingNetwork):
    """Input layer, encoder to means and log variances, decoder, and the law of vectors given what it says.

    Parameters
    ----------
    input : VisibleInput
    encoder, decoder : Module
        As of `encoder_of` and `decoder_of`.
    law : VisibleLaw
    latent, n_classes : int
        l; K, 0 for no labels.
    """

    def __init__(
        self,
        input: VisibleInput,
        encoder: nn.Module,
        decoder: nn.Module,
        law: VisibleLaw,
        *,
        latent: int,
        n_classes: int = 0,
    ) -> None:
        super().__init__(input, encoder, decoder, latent=latent, n_classes=n_classes)
        self.law = law

    def natural(self) -> Tensor:
        """Return the raw numbers of the mean vector, (d,)."""
        return self.law.natural(self.visible.mean)

    def coded(self, v_nd: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return the code of each vector, (n, l): the mean of what it may be."""
        return posterior(self, v_nd, codes)[0]


def posterior(network: VariationalNetwork, v_nd: Tensor, codes: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the mean and the log variance of every latent unit given vectors, (n, l) each."""
    mean, log_variance = network.encoded(v_nd, codes).chunk(2, 1)
    return mean, log_variance.clamp(-MOST, MOST)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(q(z_j|v) ‖ p(z_j)) of each unit, (n, l), in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def reparametrised(mean: Tensor, log_variance: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return z = μ + σ ε, (n, l), ε ~ N(0, I): eq. 9's way to draw that gradients go through."""
    return mean + (0.5 * log_variance).exp() * normal(tuple(mean.shape), mean, generator)


def evidence_bound(
    network: VariationalNetwork,
    v_nd: Tensor,
    target_nd: Tensor | None = None,
    codes: Tensor | None = None,
    *,
    beta: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the ELBO of each vector from one draw of its code, (n,), in nats; the KL counts β times.

    What is decoded may differ from what is encoded: `target_nd` in place of `v_nd`.
    """
    mean, log_variance = posterior(network, v_nd, codes)
    raw = network.decoded(reparametrised(mean, log_variance, generator), codes)
    said = network.law.log_prob(v_nd if target_nd is None else target_nd, raw)
    return said - beta * divergence(mean, log_variance).sum(1)


def log_likelihood(
    network: VariationalNetwork, v_nd: Tensor, codes: Tensor | None, k: int, generator: torch.Generator
) -> Tensor:
    """Return log p(v) of each vector by k importance-weighted draws, (n,), in nats, in bounded memory."""
    mean, log_variance = posterior(network, v_nd, codes)
    together = max(1, DRAWS_NUMBERS // (v_nd.shape[1] * len(v_nd)))
    total = torch.full_like(mean[:, 0], -torch.inf)
    for done in range(0, k, together):
        weights = _log_weights(network, v_nd, codes, mean, log_variance, min(together, k - done), generator)
        total = torch.logaddexp(total, weights.logsumexp(1))
    return total - torch.tensor(float(k)).log()


def _log_weights(
    network: VariationalNetwork,
    v_nd: Tensor,
    codes: Tensor | None,
    mean: Tensor,
    log_variance: Tensor,
    k: int,
    generator: torch.Generator,
) -> Tensor:
    """Return log p(v|z_i) + log p(z_i) - log q(z_i|v) of k draws, (n, k)."""
    n, n_latent = mean.shape
    noise = normal((n, k, n_latent), mean, generator)
    z_nkl = mean[:, None] + (0.5 * log_variance).exp()[:, None] * noise
    # the constants ½ log 2π of prior and posterior cancel
    prior_less_posterior = 0.5 * (noise.square() - z_nkl.square()).sum(2) + 0.5 * log_variance.sum(1, keepdim=True)
    each = None if codes is None else codes.repeat_interleave(k)
    raw = network.decoded(z_nkl.flatten(0, 1), each).view(n, k, -1)
    return network.law.log_prob(v_nd[:, None], raw) + prior_less_posterior


def active_units(mean_nl: Tensor) -> int:
    """Return how many latent units change with the data: the variance of their posterior means is above 0.01."""
    return int((mean_nl.var(0) > ACTIVE).sum()) if len(mean_nl) > 1 else 0
