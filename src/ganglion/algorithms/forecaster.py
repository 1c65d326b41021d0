"""Forecasters: the next H steps of series, from the last L.

    y_{i+1} … y_{i+H} = f(x_{i-L+1} … x_i, what is known of i+1 … i+H)          all H steps at once, by one of

    linear             f = W_S x_S + W_T x_T + b, trend and season apart          Zeng et al. 2023, arXiv:2205.13504
    lstm, gru          recurrent layers read the steps, a linear layer tells      Hochreiter & Schmidhuber 1997;
                       the steps ahead from their last state                      Cho et al. 2014
    tcn                convolutions that look back only, farther each             Bai, Kolter & Koltun 2018,
                       layer                                                      arXiv:1803.01271
    patch_transformer  attention between patches, each column by itself           Nie et al. 2023, arXiv:2211.14730

Each window's level may be taken away before f and put back after it (Kim et al. 2022, RevIN). What is learned of each
number are quantiles (pinball loss), a normal distribution, or a point. Differs: one optimiser, schedule and stopping
rule for all; covariates everywhere (`networks.decomposition`, `networks.ahead`), which the papers' networks have not.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from scipy.special import ndtri
from torch import nn

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.forecasting import Forecasting
from ganglion.estimators.spec import Spec
from ganglion.networks.ahead import RecurrentForecast
from ganglion.networks.decomposition import Decomposition
from ganglion.networks.patch_transformer import PatchTransformer
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.series import SeriesInput, SeriesNetwork, Shape, WindowReader
from ganglion.networks.temporal_convolution import TemporalConvolution
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

RATES = {"linear": 1e-3, "lstm": 1e-3, "gru": 1e-3, "tcn": 1e-3, "patch_transformer": 5e-4}
WIDTHS = {"lstm": 64, "gru": 64, "tcn": 32, "patch_transformer": 16}
LAYERS = {"lstm": 1, "gru": 1, "patch_transformer": 3}
SPREAD = 0.5  # of the targets' deviation that quantiles begin apart, as those of a normal do


@hyperparameters
class Forecaster(Forecasting):
    """Forecast of series: the next steps of one or many, with covariates, and how far they may be off.

    Reads tables whose rows are steps: X holds everything, times, targets, covariates, and the names of series where
    there are several, which one model learns together.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.arange(400)
    >>> X = np.sin(2 * np.pi * steps / 12)
    >>> model = Forecaster(horizon=6, window=24, epochs=30, random_state=0).fit(X[:388])
    >>> bool(np.abs(model.predict(X[:388]) - X[388:394]).max() < 0.2)
    True

    References
    ----------
    Zeng et al. 2023, arXiv:2205.13504; Hochreiter & Schmidhuber 1997; Cho et al. 2014, arXiv:1406.1078; Bai, Kolter &
    Koltun 2018, arXiv:1803.01271; Nie et al. 2023, arXiv:2211.14730; Kim et al. 2022, ICLR (RevIN).
    """

    network: Literal["linear", "lstm", "gru", "tcn", "patch_transformer"] = option(
        "linear", "What reads the steps: see the table at the top of the module."
    )
    normalization: Literal["auto", "revin", "last", "none"] = option(
        "auto",
        "What is taken from each window's targets and given back to its forecast: mean and deviation (revin), the last "
        "value, or nothing; 'auto' is 'last' for linear networks and revin for others.",
    )
    width: int | Literal["auto"] = option(
        "auto", "Units of each layer; 'auto' is 64 for lstm and gru, 32 for tcn, 16 for transformers.", at_least=1
    )
    layers: int | Literal["auto"] = option(
        "auto", "Layers of lstm and gru ('auto': 1), blocks of transformers ('auto': 3).", at_least=1
    )
    dropout: float = option(0.0, "Share of the units silenced in training.", at_least=0, below=1)
    individual: bool = option(False, "Whether a linear network has weights of its own for each target.")
    kernel: int | Literal["auto"] = option(
        "auto",
        "Steps of the moving average of a linear network ('auto': 25), or of a convolution ('auto': 3).",
        at_least=2,
    )
    patch: int = option(16, "Steps of a patch of a transformer.", at_least=1)
    stride: int = option(8, "Steps from one patch to the next.", at_least=1)
    heads: int = option(4, "Heads of each attention; `width` is a multiple of them.", at_least=1)

    tags: ClassVar[Tags] = Tags(task="forecasting", modalities=("series",), preferred_for=("series",))

    def build(self, spec: Spec) -> SeriesNetwork:
        """Return input layer, network and output layer for series like `spec`."""
        targets, past, ahead = spec.inputs.series
        shape = Shape(targets, past, ahead, spec.inputs.longest, self.horizon, spec.n_scores)
        level = self.normalization
        if level == "auto":
            level = "last" if self.network == "linear" else "revin"
        start = [SPREAD * float(ndtri(level)) for level in self.quantiles] if self.loss == "quantiles" else ()
        body = WindowReader(shape, self._body(shape), level=level, spread=self.loss == "gaussian", offsets=start)
        return SeriesNetwork(SeriesInput(targets + past + ahead), body, spec.output)

    def _body(self, shape: Shape) -> nn.Module:
        width = WIDTHS.get(self.network, 0) if self.width == "auto" else int(self.width)
        layers = LAYERS.get(self.network, 0) if self.layers == "auto" else int(self.layers)
        kernel = (25 if self.network == "linear" else 3) if self.kernel == "auto" else int(self.kernel)
        if self.network == "linear":
            return Decomposition(shape, kernel=kernel, individual=self.individual)
        if self.network == "tcn":
            return TemporalConvolution(shape, width, kernel=kernel, dropout=self.dropout)
        if self.network == "patch_transformer":
            return self._patches(shape, width, layers)
        cells = Recurrent(shape.read, width, layers=layers, cell=self.network, dropout=self.dropout)
        return RecurrentForecast(cells, shape)

    def _patches(self, shape: Shape, width: int, layers: int) -> PatchTransformer:
        if width % self.heads:
            raise InvalidParameter(
                f"Forecaster(width={width}, heads={self.heads}): each head takes an equal part of the width. Give a "
                f"multiple of {self.heads}, such as width={self.heads * max(1, width // self.heads)}."
            )
        return PatchTransformer(
            shape,
            width,
            layers=layers,
            heads=self.heads,
            hidden=8 * width,
            patch=self.patch,
            stride=self.stride,
            dropout=self.dropout,
        )

    def _rate(self, optimizer: Optimizer) -> float:
        return RATES[self.network] if self.learning_rate == "auto" else float(self.learning_rate)
