"""The variational autoencoder: data are what a decoder makes of a few normal numbers, which an encoder guesses.

    z ~ N(0, I),   v ~ p(v|z)                                              how data come about: the decoder
    q(z|v) = N(μ(v), diag σ²(v))                                           what z may have been: the encoder
    log p(v) ≥ E_q log p(v|z) - β Σ_j KL(q(z_j|v) ‖ p(z_j))                 the evidence bound, raised by training

Kingma & Welling 2014, arXiv:1312.6114, eqs. 3, 9 and 10; β: Higgins et al. 2017; labels for both halves: Sohn, Lee &
Yan 2015; the likelihood by importance weighting, and active units: Burda, Grosse & Salakhutdinov 2016,
arXiv:1509.00519. The equations: `networks.variational`, the laws of v: `networks.visible_law`. Differs: AdamW without
decay in place of Adagrad; the deviation of Gaussian numbers is learned apart from the network; mixed columns have a law
each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.estimators.base import Tags
from ganglion.estimators.coding import Coding
from ganglion.estimators.generative import check_count, generator_of
from ganglion.estimators.spec import Spec
from ganglion.networks.draws import normal, uniform
from ganglion.networks.network import Network
from ganglion.networks.variational import (
    VariationalNetwork,
    active_units,
    divergence,
    evidence_bound,
    log_likelihood,
    posterior,
)
from ganglion.networks.visible_law import VisibleLaw
from ganglion.options import hyperparameters, option
from ganglion.training.history import History
from ganglion.training.made import FEWEST_STEPS
from ganglion.training.objective import Batch, Objective
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor

TOLD = 0.03  # of how samples differ; less is a collapse


@hyperparameters
class VAE(Coding):
    """Variational autoencoder: codes data, makes new data, and says how likely data are.

    Learns from X alone: tables of mixed columns (missing values are imputed), or stacks of images. With
    `conditional=True`, y are labels, and samples can be asked for by label.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 2)) @ [[1.0, 0.9], [0.0, 0.3]]
    >>> model = VAE(latent=2, hidden=(32,), epochs=50, random_state=0).fit(X)
    >>> model.sample(5, random_state=0).shape
    (5, 2)

    References
    ----------
    Kingma & Welling 2014, arXiv:1312.6114; Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519.
    """

    latent: int = option(16, "Numbers of a code.", at_least=1)
    likelihood: Literal["auto", "bernoulli", "gaussian"] = option(
        "auto",
        "What numbers and pixels are, given the code: 'bernoulli' suits what lies in [0, 1], such as the ink of "
        "drawings; 'auto' is bernoulli for images and gaussian for the numbers of a table. Categories are categorical.",
    )
    beta: float = option(1.0, "How much the divergence counts; above 1 codes tell less.", at_least=0)
    conditional: bool = option(False, "Whether y are labels that encoder and decoder are told.")
    binarize: bool = option(
        False, "Whether each pixel in [0, 1] is drawn as 0 or 1 with that chance whenever it is learned from."
    )

    tags: ClassVar[Tags] = Tags(task="generation", preferred_for=("table", "image"))

    def build(self, spec: Spec) -> VariationalNetwork:
        """Return input layer, encoder, decoder and law for data that look like `spec`."""
        law: Any = self.likelihood
        if law == "auto":
            law = "bernoulli" if spec.inputs.image else "gaussian"
        entry = spec.visible_layer("unit" if law == "bernoulli" else "standard")
        encoder, decoder = self._halves(spec, entry, 2 * self.latent, latent=self.latent)
        laws = VisibleLaw(entry.blocks, numbers=law, pixels=law)
        return VariationalNetwork(entry, encoder, decoder, laws, latent=self.latent, n_classes=spec.n_scores)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: minus the evidence bound."""
        return [Objective("negative_elbo", network.parameters(), self._loss)]

    def _loss(self, network: Any, batch: Batch) -> Tensor:
        losses = self._held_out_losses(network, batch)
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()

    def _held_out_losses(self, network: Any, batch: Batch) -> Tensor:
        v_nd = network.input(batch)
        if self.binarize:
            v_nd = (uniform(tuple(v_nd.shape), v_nd) < v_nd).to(v_nd.dtype)
        codes = batch["target"] if network.n_classes else None
        return -evidence_bound(network, v_nd, None, codes, beta=self.beta)

    # answers

    @property
    def _network(self) -> VariationalNetwork:
        return cast(VariationalNetwork, self.network_)

    def _said(self, z_nl: Tensor, codes: Tensor | None) -> Tensor:
        return self._network.law.mean(self._network.decoded(z_nl, codes))

    def _coded(self, v_nd: Tensor, codes: Tensor | None) -> Tensor:
        return self._network.coded(v_nd, codes)

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        network = self._network
        like = next(network.parameters())
        raw = network.decoded(normal((n, self.latent), like, generator), codes)
        return network.law.mean(raw) if network.input.image else network.law.draw(raw, generator)

    def elbo(self, X: Any, *, y: Any = None, random_state: int | None = 0) -> np.ndarray:
        """Return the evidence bound of each sample, a lower bound of its log-likelihood, from one draw of its code.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset
        y : array-like of shape (n_samples,), optional
            The labels, of a model that was fitted with `conditional=True`.
        random_state : int, RandomState or None

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats; of Gaussian numbers in the units of X. β does not count here.
        """
        generator = generator_of(random_state)
        said = self._ask(X, lambda v, codes: evidence_bound(self._network, v, None, codes, generator=generator), y=y)
        return said.double().numpy() + self._log_volume

    def log_likelihood(self, X: Any, *, samples: int = 5000, y: Any = None, random_state: int | None = 0) -> np.ndarray:
        """Return the log-likelihood of each sample, by importance weighting.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset
        samples : int >= 1
            Draws of a code for each. The estimate is below the truth on average, by less with more of them.
        y : array-like of shape (n_samples,), optional
            The labels, of a model that was fitted with `conditional=True`.
        random_state : int, RandomState or None

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats; of Gaussian numbers in the units of X.
        """
        k, generator = check_count("samples", samples), generator_of(random_state)

        def of_few(v_nd: Tensor, codes: Tensor | None) -> Tensor:
            groups = [None] * len(v_nd) if codes is None else codes.split(TOGETHER)
            pairs = zip(v_nd.split(TOGETHER), groups, strict=False)
            return torch.cat([log_likelihood(self._network, v, some, k, generator) for v, some in pairs])

        return self._ask(X, of_few, y=y).double().numpy() + self._log_volume

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean evidence bound of a sample, in nats."""
        return float(self.elbo(X, y=y if self.conditional else None).mean())

    @property
    def _log_volume(self) -> float:
        """What the scaling adds to the log density of a sample in the units of X."""
        return self._entry.log_volume if self._network.law.log_deviation is not None else 0.0

    # what training shows

    def _watch(self, network: Network, source: Source) -> Monitor:
        batch = {name: tensor.clone() for name, tensor in source.example().items()}

        def measure() -> dict[str, float]:
            codes = batch["target"] if self.conditional else None
            mean, log_variance = posterior(network, network.input(batch), codes)  # type: ignore[arg-type]
            each = divergence(mean, log_variance).double().mean(0).tolist()
            told: dict[str, float] = {"active_units": active_units(mean), "kl": sum(each)}
            return told | {f"kl_{j + 1}": nats for j, nats in enumerate(each)}

        return measure

    def _alarms(self, history: History, network: Network, source: Source) -> list[tuple[str, str, str]]:
        if not len(history) or history["step"][-1] < FEWEST_STEPS:
            return []
        active, nats = history["active_units"][-1], history["kl"][-1]
        told = self._told(network, source)
        if active and told > TOLD:
            return []
        return [
            (
                "posterior collapse",
                f"{active} of {self.latent} latent units change with the sample ({nats:.2g} nats in all), and codes "
                f"tell the decoder {100 * max(told, 0.0):.1f} % of how samples differ: they are noise, on which what "
                "is made of them does not depend.",
                f"Try beta below {self.beta:g}, more epochs, a learning rate ten times smaller or larger, or a decoder "
                "of fewer units.",
            )
        ]

    def _told(self, network: Network, source: Source) -> float:
        """Return which share of the squares around the mean the decoder is told of, of some training rows."""
        batch = self._seen(source)
        with torch.inference_mode():
            v_nd = network.input(batch)
            codes = batch["target"] if self.conditional else None
            said = self._said(self._coded(v_nd, codes), codes)
            missed, all_of_it = (v_nd - said).square().sum(), (v_nd - v_nd.mean(0)).square().sum()
        return float(1 - missed / all_of_it.clamp(min=1e-12))


TOGETHER = 8  # samples whose draws are weighed at once
