"""Anomalies in series: what a network that knows the usual course can neither foretell nor say again is strange.

forecast         e_t = (x_t - x̂_t¹, …, x_t - x̂_tᴴ),  x̂_tʲ the forecast of x_t made j steps before
                 Malhotra, Vig, Shroff & Agarwal 2015, "Long short term memory networks for anomaly detection in time
                 series" (ESANN), section 2
reconstruction   e_t = x_s - x̂_s for the H last steps s of the window that ends at t, x̂ said again from a narrow code
                 Malhotra et al. 2016, arXiv:1607.00148, section 3
both             a_t = max_j √((e_tʲ - μ_j)ᵀ Σ_j⁻¹ (e_tʲ - μ_j) / c), an alarm where a_t > τ

Letters: x_t the c numbers of step t, H the horizon, τ the threshold.

Differs: the worst of the H forecasts counts, not all of them together, in whose covariance drowns what is wrong for
long; μ and Σ are shrunk and set no store by the tenth of errors that are largest, since training data may hold
anomalies, and the loss is Huber's for the same reason; τ is not fitted to labels, but follows from the false-alarm rate
that is allowed (`data.thresholds`); windows end at the step that is judged, so that scores look at the past only. A
linear network is the default: on made anomalies in electricity and bicycle data it found as much as a GRU, far faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from ganglion.data.series import starts_of
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.series_detector import SeriesDetector, continued, forecast_errors
from ganglion.estimators.spec import Spec
from ganglion.networks.ahead import RecurrentForecast
from ganglion.networks.decomposition import Decomposition
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.series import SeriesInput, SeriesNetwork, Shape, WindowReader
from ganglion.networks.temporal_convolution import TemporalConvolution
from ganglion.networks.window_autoencoder import WindowAutoencoder
from ganglion.options import hyperparameters, option
from ganglion.training.objective import Batch, Objective


@hyperparameters
class AnomalyDetector(SeriesDetector):
    """Find the steps of a series that are unlike its usual course, without labels, at a stated rate of false alarms.

    A recurrent or convolutional network, or a linear one, learns to foretell the next steps (or to say windows again)
    from the first part of the series; how large its errors are on the rest says what is an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> steps = np.arange(400)
    >>> X = np.sin(2 * np.pi * steps / 12) + 0.05 * np.cos(steps**2)
    >>> model = AnomalyDetector(window=24, random_state=0).fit(X[:300])
    >>> X[350] += 2
    >>> int(model.score_samples(X).argmin())
    350

    References
    ----------
    Malhotra, Vig, Shroff & Agarwal 2015 (ESANN); Malhotra et al. 2016, arXiv:1607.00148; Siffer et al. 2017 (KDD).
    """

    method: Literal["forecast", "reconstruction"] = option(
        "forecast", "What steps are held against: forecasts of them, or the window said again from a narrow code."
    )
    network: Literal["auto", "linear", "gru", "lstm", "tcn"] = option(
        "auto",
        "What reads the window: 'auto' is linear for forecasts, and gru for windows that are said again, which gru and "
        "lstm can.",
    )
    horizon: int = option(
        4,
        "Steps that are foretold: each is judged by all forecasts of it. Of a window that is said again, the last so "
        "many steps are judged.",
        at_least=1,
    )
    width: int = option(32, "Units of the cells, or maps of the convolutions.", at_least=1)
    code: int = option(8, "Numbers from which a window is said again.", at_least=1)
    normalization: Literal["last", "revin", "none"] = option(
        "last",
        "What is taken from a window before it is read: its last value, its mean and deviation, or nothing. Windows "
        "that are said again keep theirs.",
    )

    tags: ClassVar[Tags] = Tags(task="anomaly_detection", modalities=("series",), preferred_for=("series",))

    @property
    def ahead(self) -> int:
        """How many steps of a window come after those that are read."""
        return self.horizon if self.method == "forecast" else 0

    def build(self, spec: Spec) -> SeriesNetwork:
        """Return the network for series that look like `spec`."""
        if self.method == "reconstruction" and self.network not in ("auto", "gru", "lstm"):
            raise InvalidParameter(
                f"AnomalyDetector(method='reconstruction', network={self.network!r}): windows are said again by gru "
                "and lstm. Give one of them, or method='forecast'."
            )
        targets, past, ahead = spec.inputs.series
        shape = Shape(targets, past, ahead, spec.inputs.longest, self.ahead)
        entry = SeriesInput(shape.read)
        if self.method == "reconstruction":
            kind = "gru" if self.network == "auto" else self.network
            body = WindowAutoencoder(shape.read, targets, self.width, self.code, kind=kind)
            return SeriesNetwork(entry, body, spec.output)
        return SeriesNetwork(
            entry, WindowReader(shape, self._reader(shape), level=self.normalization, spread=False), spec.output
        )

    def _reader(self, shape: Shape) -> torch.nn.Module:
        if self.network == "tcn":
            return TemporalConvolution(shape, self.width)
        if self.network in ("auto", "linear"):
            return Decomposition(shape)
        cells = Recurrent(shape.read, self.width, cell=self.network)
        return RecurrentForecast(cells, shape)

    def objectives(self, network: Any) -> Sequence[Objective]:
        """Return what training lowers: the errors of forecasts, or of windows said again."""
        return [Objective("loss", network.parameters(), self._loss)]

    def _loss(self, network: Any, batch: Batch) -> Tensor:
        """Return Huber's loss of a batch, a scalar, in deviations of the columns."""
        said = network.scores(batch)[..., 0]
        n_targets, n_steps = said.shape[1:]
        losses = F.smooth_l1_loss(said, batch["window"][:, :n_targets, -n_steps:], reduction="none")
        if "counts" not in batch:
            return losses.mean()
        counts = batch["counts"][:, :n_targets, -n_steps:]
        return (losses * counts).sum() / counts.sum().clamp(min=1)

    def _n_judged(self) -> int:
        return min(self.horizon, cast(SeriesEncoder, self.encoder_).window) if not self.ahead else self.horizon

    @property
    def _first(self) -> int:
        return cast(SeriesEncoder, self.encoder_).window + max(self.ahead, 0) - 1

    def _errors(self, values: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        window = cast(SeriesEncoder, self.encoder_).window
        if self.ahead:
            longer, bounds = continued(values, offsets, self.horizon)
            starts = starts_of(bounds, window + self.horizon)
            said = self._said(longer, starts, window + self.horizon)
            back = self.horizon * (torch.searchsorted(bounds, starts, right=True) - 1)
            return forecast_errors(values, offsets, said, starts - back, window)
        starts, last = starts_of(offsets, window), self._n_judged()
        said = self._said(values, starts, window)[:, :, -last:]
        judged = values.unfold(0, last, 1)[starts + window - last][:, : said.shape[1]]
        return judged - said, starts + window - 1
