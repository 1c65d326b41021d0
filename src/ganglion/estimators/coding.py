"""Estimators that code data in a few numbers and say them again: transformers, in scikit-learn's words."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from torch import Tensor, nn

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.generative import Generative
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.coding import CodingNetwork, decoder_of, encoder_of
from ganglion.networks.visible import VisibleInput
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.optimizers import Optimizer

RATE = 1e-3


@hyperparameters
class Coding(TransformerMixin, ClassNamePrefixFeaturesOutMixin, Generative):
    """Base of autoencoders of all kinds: an algorithm adds `build`, `objectives`, `_coded` and `_said`."""

    latent: Any = option(16, "Numbers of a code.", at_least=1)
    hidden: tuple[int, ...] = option(
        (256, 128),
        "Units of each hidden layer of the encoder; the decoder has the same ones, the other way round.",
        at_least=1,
    )
    activation: str = option("relu", "Nonlinearity of the hidden units, as of the MLP.", check=check_activation)
    architecture: Literal["dense", "convolutional"] = option(
        "dense", "Layers of units, or, for images, strided convolutions and their way back."
    )
    channels: int = option(32, "Channels of the first stage of convolutions; each stage has twice as many.", at_least=1)
    weight_decay: float | Literal["auto"] = option("auto", "Shrinks weights; 'auto' is 0.", at_least=0)

    # what an algorithm says

    def _coded(self, v_nd: Tensor, codes: Tensor | None) -> Tensor:
        """Return the code of each vector, (n, latent)."""
        raise NotImplementedError

    def _said(self, z_nl: Tensor, codes: Tensor | None) -> Tensor:
        """Return the vectors, (n, d), that codes stand for."""
        raise NotImplementedError

    # answers

    def transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Return the code of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset
        y : array-like of shape (n_samples,), optional
            The labels, of a model that was fitted with `conditional=True`; ignored by others.

        Returns
        -------
        ndarray of shape (n_samples, latent)
        """
        return self._ask(X, self._coded, y=y).numpy()

    def inverse_transform(self, Z: Any, y: Any = None) -> Any:
        """Return the data that codes stand for, in the form of X.

        Parameters
        ----------
        Z : array-like of shape (n_samples, latent)
        y : array-like of shape (n_samples,), optional
            The labels, of a model that was fitted with `conditional=True`.

        Returns
        -------
        ndarray, frame or Dataset
            As of `sample`.

        Raises
        ------
        InvalidInput
            If Z is no matrix of finite numbers of that width.
        """
        self._check_fitted()
        z_nl = self._read_codes(Z)
        with torch.inference_mode(), fast_products(self.network_, len(z_nl), precision=self._precision()):
            return self._in_form(self._said(z_nl, self._codes_of(y, len(z_nl))))

    def reconstruct(self, X: Any, y: Any = None) -> Any:
        """Return what is said again of each sample: what its code stands for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack or Dataset
        y : array-like of shape (n_samples,), optional
            The labels, of a model that was fitted with `conditional=True`.

        Returns
        -------
        ndarray, frame or Dataset
            In the form of X.
        """
        return self._in_form(self._ask(X, lambda v, codes: self._said(self._coded(v, codes), codes), y=y))

    def interpolate(self, X: Any, *, steps: int = 8, y: Any = None) -> Any:
        """Return what lies between two samples: the data that the codes on the line between theirs stand for.

        Parameters
        ----------
        X : two samples, as `fit` takes them
        steps : int >= 2
            Of which the first and the last are the two, said again.
        y : label, optional
            Of a model that was fitted with `conditional=True`: the class of all of them.

        Returns
        -------
        ndarray, frame or Dataset
            Of so many samples, in the form of X.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
            raise InvalidParameter(f"steps={steps!r}: give a whole number of 2 or more.")
        self._check_fitted()
        labels = None if y is None else np.full(2, y)
        ends = torch.from_numpy(self.transform(X, labels))
        if len(ends) != 2:
            raise InvalidInput(f"interpolate goes from one sample to another, but X has {len(ends)}. Give two.")
        share = torch.linspace(0, 1, steps, dtype=ends.dtype)[:, None]
        between = torch.lerp(ends[:1], ends[1:], share)
        return self.inverse_transform(between.numpy(), None if y is None else np.full(steps, y))

    # shared

    @property
    def _network(self) -> CodingNetwork:
        return cast(CodingNetwork, self.network_)

    @property
    def _n_features_out(self) -> int:
        return self._network.latent

    def _halves(self, spec: Spec, entry: VisibleInput, n_out: int, *, latent: int) -> tuple[nn.Module, nn.Module]:
        """Return an encoder to so many numbers, and the decoder of codes."""
        if self.architecture == "convolutional" and not entry.image:
            raise InvalidParameter(
                "architecture='convolutional' reads images, but X is a table. Give images, or architecture='dense'."
            )
        shape: Any = {
            "architecture": self.architecture,
            "activation": self.activation,
            "channels": self.channels,
            "n_classes": spec.n_scores,
        }
        return (
            encoder_of(entry, n_out, self.hidden, **shape),
            decoder_of(entry, latent, self.hidden, **shape),
        )

    def _read_codes(self, Z: Any) -> Tensor:
        try:
            codes = np.asarray(Z, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"Z must hold numbers ({error}). Give codes as transform returns them.") from error
        width = self._network.latent
        if codes.ndim != 2 or codes.shape[1] != width or not np.isfinite(codes).all():
            what = "infinite values" if codes.shape[1:] == (width,) else f"shape {codes.shape}"
            raise InvalidInput(
                f"Z has {what}, but codes are finite numbers of shape (n_samples, {width}), as transform returns them."
            )
        return torch.from_numpy(codes).to(self.network_.dtype)

    def _rate(self, optimizer: Optimizer) -> float:
        if self.learning_rate == "auto" and optimizer.default_rate <= 0.01:
            return RATE
        return super()._rate(optimizer)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        return 0.0 if self.weight_decay == "auto" else float(self.weight_decay)

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
