"""The autoencoder: data go through a narrow code and are said again; what is unusual is said again badly.

    z = s(f(v)),  raw = g(z)                           f the encoder, g the decoder, s the activation of the code
    loss = e(v, raw) + penalty                         e the squares of what is missed, or a cross-entropy

    undercomplete   z has fewer numbers than v; without nonlinearity z spans what PCA finds (Bourlard & Kamp 1988)
    sparse          + λ Σ_j |z_j|, or + λ Σ_j KL(ρ ‖ ρ̂_j)
    denoising       raw = g(s(f(ṽ))), ṽ a corrupted v             Vincent, Larochelle, Bengio & Manzagol 2008
    contractive     + λ ‖∂z/∂v‖²_F                                Rifai, Vincent, Muller, Glorot & Bengio 2011, eq. 5
    trimmed         the mean is over those of a batch that are missed least        Rousseeuw & Van Driessen 2006

Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313. Equations:
`networks.reconstruction`. Differs: trained end to end from the start, AdamW; e is the mean over columns; the encoder
may be deep also where it contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from sklearn.base import OutlierMixin
from torch import Tensor

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Samples, Tags
from ganglion.estimators.coding import Coding
from ganglion.estimators.session import Session
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.inputs import weighted_quantiles
from ganglion.networks.network import Network
from ganglion.networks.reconstruction import (
    SLOPES,
    Autoencoding,
    contraction,
    corrupted,
    knows_slopes,
    sparseness,
)
from ganglion.options import hyperparameters, option
from ganglion.training.objective import Batch, Objective

WIDEST, SHARE = 32, 3  # of a code, where nothing is said: a third of a vector's numbers, at most so many


@hyperparameters
class Autoencoder(OutlierMixin, Coding):
    """Autoencoder: codes data in a few numbers, says them again, and finds what is unusual by what it misses.

    Learns from X alone: tables of mixed columns (missing values are imputed), stacks of images, or of series, (n,
    steps, numbers). A stack of fractions beyond [0, 1] is one of series: each of a step's numbers is standardised. A
    transformer and an outlier detector, as scikit-learn has them.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 1)) @ [[1.0, 2.0, -1.0]] + 0.1 * rng.normal(size=(300, 3))
    >>> model = Autoencoder(latent=1, hidden=(16,), epochs=60, contamination=0.01, random_state=0).fit(X)
    >>> model.predict([[1.0, 2.0, -1.0], [1.0, -2.0, 1.0]])
    array([ 1, -1])

    References
    ----------
    Hinton & Salakhutdinov 2006, Science 313, 504-507; Vincent et al. 2008, ICML; Rifai et al. 2011, ICML.
    """

    latent: int | Literal["auto"] = option(
        "auto", "Numbers of a code; 'auto' is a third of those of a sample, 32 at most.", at_least=1
    )
    loss: Literal["squared", "cross_entropy"] = option(
        "squared",
        "What is lowered for pixels: squares, or the cross-entropy of pixels in [0, 1]. Numbers have squares, "
        "categories cross-entropy.",
    )
    code: str = option(
        "auto",
        "Nonlinearity of the code: identity, sigmoid, relu, tanh; 'auto' is sigmoid where its units' means are told "
        "(sparsity='kl') and identity elsewhere.",
    )
    sparsity: Literal["l1", "kl"] | None = option(
        None, "What keeps codes sparse: their size, or how far each unit's mean is from `sparsity_target`."
    )
    sparsity_weight: float = option(0.1, "How much sparsity counts, λ.", at_least=0)
    sparsity_target: float = option(0.05, "Mean of a unit of a sparse code, ρ, with sparsity='kl'.", above=0, below=1)
    corruption: Literal["none", "masking", "gaussian", "salt_and_pepper"] = option(
        "none", "How data are spoiled in training, to be said again as they were."
    )
    corruption_level: float = option(
        0.25, "Share of the columns or pixels that is spoiled; of gaussian noise its deviation.", above=0, at_most=10
    )
    contraction: float = option(0.0, "How much the code's slopes count, λ; 0 for none.", at_least=0)
    trimmed: float = option(
        0.0,
        "Share of each batch, of what is missed most, that is not learned from: outliers among the training data are "
        "then not learned.",
        at_least=0,
        below=1,
    )
    contamination: float = option(
        0.1, "Share of the training samples taken for outliers: those that are missed most.", above=0, at_most=0.5
    )

    tags: ClassVar[Tags] = Tags(task="reconstruction", preferred_for=("table", "image"))

    def build(self, spec: Spec) -> Autoencoding:
        """Return input layer, encoder and decoder for data that look like `spec`."""
        self._check_code()
        entry = spec.visible_layer("natural" if spec.inputs.image else "standard")
        latent = max(1, min(WIDEST, entry.n_out // SHARE)) if self.latent == "auto" else self.latent
        encoder, decoder = self._halves(spec, entry, latent, latent=latent)
        if self.contraction and not knows_slopes(encoder):
            known = "identity, relu, sigmoid, tanh"
            raise InvalidParameter(
                f"contraction={self.contraction} needs slopes in closed form, which activation={self.activation!r} and "
                f"architecture={self.architecture!r} do not have. Give architecture='dense' and one of {known}."
            )
        return Autoencoding(entry, encoder, decoder, self._activation_of_code, latent=latent, pixels=self.loss)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: what is missed, and the penalties."""
        self._check_pixels(cast(Autoencoding, network))
        return [Objective("reconstruction", network.parameters(), self._loss)]

    def _loss(self, network: Any, batch: Batch) -> Tensor:
        v_nd = network.input(batch)
        seen = corrupted(network.visible.blocks, v_nd, self.corruption, self._level)
        z_nl = network.coded(seen)
        missed = network.errors(v_nd, network.decoded(z_nl))
        if self.contraction:
            missed = missed + self.contraction * contraction(network.body, network.code, seen - network.visible.mean)
        learned = self._learned(missed)
        loss = (missed * batch["weight"] if "weight" in batch else missed)[learned].mean()
        if self.sparsity is not None:
            loss = loss + self.sparsity_weight * sparseness(
                z_nl, self.sparsity, self.sparsity_target, batch.get("weight")
            )
        return loss

    def _learned(self, missed: Tensor) -> Tensor | slice:
        """Return which samples of a batch are learned from."""
        if not self.trimmed:
            return slice(None)
        n_learned = max(1, round(len(missed) * (1 - self.trimmed)))
        return missed.detach().topk(n_learned, largest=False).indices

    def _held_out_losses(self, network: Any, batch: Batch) -> Tensor:
        v_nd = network.input(batch)
        seen = corrupted(network.visible.blocks, v_nd, self.corruption, self._level)
        return network.errors(v_nd, network.decoded(network.coded(seen)))

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        super()._learn(samples, held_out, session)
        missed = torch.from_numpy(self._missed(self.network_.ready(samples.inputs)))
        weight = None if samples.weight is None else torch.from_numpy(samples.weight).double()
        self._network.offset.fill_(_between(-missed, weight, self.contamination))

    # answers

    def reconstruction_error(self, X: Any) -> np.ndarray:
        """Return how far each sample is from what is said of it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), float64
            The mean over columns: of numbers squares, in units of their variance; of categories minus the logarithm of
            the right one's chance; of pixels, in [0, 1], squares or cross-entropy.
        """
        self._check_fitted()
        return self._missed(self._encoded(X))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the reconstruction error of each sample: lower is stranger.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return -self.reconstruction_error(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples` less `offset_`: below 0 is an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for each sample that is an outlier, and 1 for all others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean reconstruction error of a sample; y is ignored."""
        return -float(self.reconstruction_error(X).mean())

    @property
    def offset_(self) -> float:
        """The score below which a sample is an outlier."""
        if not hasattr(self, "network_"):
            raise AttributeError(f"{type(self).__name__} has an offset_ after fit.")
        return float(self._network.offset)

    # shared

    @property
    def _network(self) -> Autoencoding:
        return cast(Autoencoding, self.network_)

    @property
    def _level(self) -> float:
        return float(self.corruption_level)

    @property
    def _activation_of_code(self) -> str:
        if self.code != "auto":
            return self.code
        return "sigmoid" if self.sparsity == "kl" else "identity"

    def _check_code(self) -> None:
        known = [name for name, each in ACTIVATIONS.items() if each.module in SLOPES]
        if self._activation_of_code not in known:
            raise InvalidParameter(f"code={self.code!r}: give one of {', '.join(known)}, or 'auto'.")
        if self.sparsity == "kl" and self._activation_of_code != "sigmoid":
            raise InvalidParameter(
                f"sparsity='kl' tells means of units in (0, 1), but code={self.code!r}. Give code='sigmoid' or 'auto', "
                "or sparsity='l1'."
            )
        if self.corruption in ("masking", "salt_and_pepper") and self._level >= 1:
            raise InvalidParameter(
                f"corruption_level={self.corruption_level}: {self.corruption} spoils a share of the columns; give one "
                "below 1."
            )

    def _check_pixels(self, network: Autoencoding) -> None:
        for name, value in (("loss", "cross_entropy"), ("corruption", "salt_and_pepper")):
            if network.visible.are_series and getattr(self, name) == value:
                raise InvalidParameter(
                    f"{name}={value!r} is for pixels between two ends, but X holds fractions beyond [0, 1], which are "
                    f"read as series. Scale X to [0, 1] if they are pictures, or give another {name}."
                )

    def _coded(self, v_nd: Tensor, codes: Tensor | None) -> Tensor:
        return self._network.coded(v_nd)

    def _said(self, z_nl: Tensor, codes: Tensor | None) -> Tensor:
        return self._network.said(self._network.decoded(z_nl))

    def _missed(self, inputs: Any) -> np.ndarray:
        network = self._network

        def errors(v_nd: Tensor, codes: Tensor | None) -> Tensor:
            return network.errors(v_nd, network.decoded(network.coded(v_nd))).double()

        return self._ask_of(inputs, errors).numpy()


def _between(scores: Tensor, weight: Tensor | None, share: float) -> float:
    """Return what lies between the share of scores that is lowest and the others, each counting by its weight."""
    low = weighted_quantiles(scores, weight, torch.tensor([share * (1 - 1e-9)], dtype=torch.float64))[0]
    above = scores[scores > low]
    return float((low + above.min()) / 2 if len(above) else low)
