"""Forecasters: series in, their next steps out, with how far these may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from ganglion.data.forecast_scores import naive_errors
from ganglion.data.horizon import horizon_of
from ganglion.data.ragged import Ragged
from ganglion.data.seasons import season_of
from ganglion.data.series import Panel, starts_of, windows_at
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.data.series_joining import joined
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.backtest import Backtest
from ganglion.estimators.base import Samples
from ganglion.estimators.forecast import Forecast
from ganglion.estimators.forecasts import ForecastTarget, Told
from ganglion.estimators.reading import has_named_columns
from ganglion.estimators.series import SeriesEstimator
from ganglion.estimators.session import Session
from ganglion.networks.linear_gradient import LinearGradient, is_linear
from ganglion.networks.network import Network
from ganglion.networks.series import SeriesNetwork
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.forecast_loss import ForecastLoss, forecast_loss, forecast_loss_and_slope
from ganglion.training.objective import Batch, Objective

TOGETHER = 2**20  # numbers of windows that are asked together
PAST_DRAWN = 3  # horizons
POWERS = {"mse": 2, "gaussian": 0}  # of the size of errors in a loss; a likelihood knows sizes by itself
TOLD: dict[str, Told] = {"quantiles": "quantiles", "gaussian": "normals"}


def check_levels(levels: Any) -> None:
    """Raise InvalidParameter unless quantiles rise, lie between 0 and 1, and have the median among them."""
    if 0.5 not in levels or list(levels) != sorted(set(levels)) or not all(0 < level < 1 for level in levels):
        raise InvalidParameter(
            f"quantiles={levels!r}: give levels between 0 and 1 that rise, 0.5 among them, such as (0.1, 0.5, 0.9)."
        )


@hyperparameters
class Forecasting(SeriesEstimator):
    """Base of forecasters: an algorithm adds `build`, which makes a `SeriesNetwork`."""

    horizon: int = option(24, "Steps ahead that are forecast.", at_least=1)
    loss: ForecastLoss = option(
        "quantiles",
        "What is learned of each number ahead: its quantiles (pinball loss), a normal distribution (gaussian), or a "
        "point (mse, mae, huber).",
    )
    quantiles: tuple[float, ...] = option(
        (0.05, 0.25, 0.5, 0.75, 0.95), "Levels of the quantiles that are told; 0.5 among them.", check=check_levels
    )
    known: str | tuple[str, ...] = option(
        (), "Covariates that are known ahead. Rows of X behind the last target tell them for the horizon."
    )
    calendar: bool = option(False, "Whether the place in the day, the week and the year is told to the network.")

    @property
    def ahead(self) -> int:
        """How many steps of a window are forecast."""
        return self.horizon

    @property
    def _roles(self) -> dict[str, Any]:
        known = (self.known,) if isinstance(self.known, str) else tuple(self.known)
        return {"known": known, "calendar": self.calendar}

    # learning

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: the mean loss of the numbers ahead."""
        by_hand = partial(LinearGradient, network, self._loss_and_slope) if is_linear(network) else None
        return [Objective("loss", network.parameters(), self._loss, closed_form=by_hand)]

    def _loss(self, network: Network, batch: Batch) -> Tensor:
        target, counts = self._came(batch)
        return forecast_loss(self.loss, network.scores(batch), target, self.target_.levels, counts)

    def _loss_and_slope(self, scores: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        target, counts = self._came(batch)
        return forecast_loss_and_slope(self.loss, scores, target, self.target_.levels, counts)

    def _came(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return what came after each window, (b, t, H), and how much it counts, if not all alike."""
        n, length = len(self.target_.names), self._length - self.horizon
        counts = batch["counts"][:, :, length:] if "counts" in batch else None
        return batch["window"][:, :n, length:], counts

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        encoder = cast(SeriesEncoder, self.encoder_)
        series = cast(Ragged, samples.inputs["values"])
        values = series.values[:, : encoder.n_targets]
        self._refuse_constant(values, encoder.targets)
        season = season_of(values, series.offsets)
        told = TOLD.get(self.loss, "points")
        self.target_ = ForecastTarget(
            encoder.targets,
            self.horizon,
            told,
            () if told == "points" else self.quantiles,
            season,
            tuple(naive_errors(values.double().numpy(), series.offsets.numpy(), season).tolist()),
            tuple(np.nanstd(values.double().numpy(), axis=0).tolist()),
        )
        super()._learn(samples, held_out, session)

    def _stands_rounding(self, network: Network) -> bool:
        # LSTM on ETTh1, five seeds: squared errors of 0.0571 in place of 0.0572, in 0.78 of the time
        return any(isinstance(module, nn.RNNBase) for module in network.modules())

    def _windows(
        self, columns: dict[str, Tensor], *, first: Tensor | None = None, last: Tensor | None = None
    ) -> Samples:
        power = POWERS.get(self.loss, 1)
        if len(columns["offsets"]) > 2 and power:
            weight = evened(columns["values"][:, : len(self.target_.names)], columns["offsets"]) ** power
            every = torch.repeat_interleave(weight, columns["offsets"].diff(), dim=0).float()
            columns = columns | {"counts": columns["counts"] * every if "counts" in columns else every}
        return super()._windows(columns, first=first, last=last)

    def _window(self, inputs: Samples, encoder: SeriesEncoder) -> int:
        longest = cast(Ragged, inputs.inputs["values"]).longest
        wanted = max(2 * self.horizon, 3 * self.target_.season, 8)
        return max(1, min(wanted, (longest - self.horizon) // 2))

    def _refuse_constant(self, values: Tensor, names: Sequence[str]) -> None:
        known = values.nan_to_num(nan=math.inf).amin(0), values.nan_to_num(nan=-math.inf).amax(0)
        flat = [name for name, low, high in zip(names, *known, strict=True) if not low < high]
        if len(flat) == len(names):
            what = f"{flat[0]!r} is" if len(flat) == 1 else f"{', '.join(map(repr, flat[:5]))} are"
            raise InvalidInput(
                f"{what} the same at every step, so there is nothing to learn: the forecast is that number. Choose "
                "another target."
            )

    # answering

    def predict(self, X: Any) -> np.ndarray:
        """Return the next steps of every series: medians of quantiles, means of normals.

        Parameters
        ----------
        X : frame, array-like of shape (n_steps, n_columns), or Dataset
            The history: the columns of training, at least `window` steps up to the last target. Rows behind it, whose
            targets are empty (NaN), tell what is known ahead.

        Returns
        -------
        ndarray of shape (horizon,), (horizon, n_targets), or with a column of series (n_series, horizon, …)
            In the units of the targets; series in the order of their names.

        Raises
        ------
        InvalidInput
            If a history is too short, or a covariate that is to be known ahead ends before the horizon.
        """
        return self._shaped(self._points(self._of_horizon(self._last_windows(X))))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return the quantiles of the next steps.

        Parameters
        ----------
        X : as for `predict`

        Returns
        -------
        ndarray of shape (…, n_levels)
            The shape of `predict`, and the levels of the option `quantiles`.
        """
        found = self._quantiles(self._of_horizon(self._last_windows(X)))
        if found is None:
            raise InvalidParameter(
                f"{type(self).__name__}(loss={self.loss!r}) forecasts points, which have no quantiles. Train with "
                "loss='quantiles' or 'gaussian'."
            )
        return self._shaped(found)

    def forecast(self, X: Any) -> Forecast:
        """Return the next steps of every series with their times, to print, to draw (a fan) and to read.

        Parameters
        ----------
        X : as for `predict`
        """
        panel = self._panel(X)
        horizon = horizon_of(panel, cast(SeriesEncoder, self.encoder_), self.horizon)
        answer = self._of_horizon(horizon.window)
        n, length = len(self.target_.names), max(self._length - self.horizon, PAST_DRAWN * self.horizon)
        begins = torch.maximum(panel.offsets[:-1], horizon.ends - length)
        past = [
            (panel.times[a:b], panel.values[a:b, :n].double().numpy())
            for a, b in zip(begins.tolist(), horizon.ends.tolist(), strict=True)
        ]
        return Forecast(
            self._points(answer),
            self._quantiles(answer),
            self.target_.levels,
            horizon.times,
            panel.ids,
            self.target_.names,
            panel.grid,
            past,
        )

    def last_windows(self, X: Any) -> Tensor:
        """Return the windows that histories end with, before any preprocessing: what is not known is NaN.

        Parameters
        ----------
        X : as for `predict`

        Returns
        -------
        Tensor of shape (n_series, n_columns, window + horizon), or (1, n_columns, window) of plain arrays
            Columns in the order of `encoder_.names`.
        """
        return self._last_windows(X)

    def forecast_behind(self, prepared: Tensor) -> Tensor:
        """Return what is forecast behind windows that `network_.prepare` made ready; slopes may be taken through it.

        Parameters
        ----------
        prepared : Tensor of shape (n, n_columns, window + horizon)

        Returns
        -------
        Tensor of shape (n, n_targets, horizon)
            In the units of the targets: medians of quantiles, means of normals.
        """
        network = cast(SeriesNetwork, self.network_)
        return network.output(network.scores({"window": prepared}), network.series)[..., self._point]

    def backtest(
        self, X: Any, *, origins: int | None = None, stride: int | None = None, first: int | None = None
    ) -> Backtest:
        """Forecast from many moments of series whose further course is known.

        Parameters
        ----------
        X : as for `predict`
            Only steps up to each origin are looked at, and covariates that are known ahead.
        origins : int, optional
            How many of each series, the last ones; all that have a whole window before them and a whole horizon
            behind them unless given.
        stride : int, optional
            Steps from one origin to the next; as many as are forecast unless given.
        first : int, optional
            The first step of each series that may be an origin: where the test part begins.

        Returns
        -------
        Backtest

        Raises
        ------
        InvalidInput
            If no series is long enough.
        """
        for name, given in (("origins", origins), ("stride", stride)):
            if given is not None and given < 1:
                raise InvalidParameter(f"{name}={given}: give a number of 1 or more.")
        panel, steps = self.origins(X, stride=stride, first=first)
        if origins is not None:
            series = panel.series_of(steps)
            behind = torch.bincount(series, minlength=len(panel)).cumsum(0)[series] - torch.arange(len(steps))
            steps = steps[behind <= origins]
        return self.forecast_from(panel, steps)

    def score(self, X: Any, y: Any = None) -> float:
        """Return R² of the forecasts from every step of X that has a window before it and a horizon behind it.

        Parameters
        ----------
        X : as for `predict`
        y : ignored
        """
        found = self.forecast_from(*self.origins(X, stride=1))
        known = ~np.isnan(found.truth)
        error = np.where(known, found.truth - found.values, 0.0)
        centred = np.where(known, found.truth - np.nanmean(found.truth, axis=(0, 1)), 0.0)
        spread = np.square(centred).sum(axis=(0, 1))
        return float(np.mean(1 - np.square(error).sum(axis=(0, 1)) / np.where(spread > 0, spread, np.nan)))

    # shared

    def _panel(self, X: Any) -> Panel:
        self._check_fitted()
        return cast(SeriesEncoder, self.encoder_).panel(self._dataset(X, reset=False))

    def _last_windows(self, X: Any) -> Tensor:
        """Return the windows that histories end with; one of ordinary numbers alone needs no reading."""
        self._check_fitted()
        encoder = cast(SeriesEncoder, self.encoder_)
        if type(X) is np.ndarray and X.dtype.kind == "f" and not has_named_columns(self) and encoder.is_plain:
            steps = X[:, None] if X.ndim == 1 else X
            fits = steps.ndim == 2 and steps.shape[1] == self.n_features_in_ and len(steps) >= encoder.window
            if fits and np.isfinite(steps).all():
                return torch.from_numpy(np.ascontiguousarray(steps[-encoder.window :].T)[None])
        return horizon_of(self._panel(X), encoder, self.horizon).window

    def origins(
        self, X: Any, *, before: Any = None, stride: int | None = None, first: int | None = None
    ) -> tuple[Panel, Tensor]:
        """Return the series of X, and the steps from which forecasts can be judged by what came.

        Parameters
        ----------
        X : as for `predict`
        before : as X, optional
            What came before it, to read from; no origin lies there.
        stride : int, optional
            Steps from one origin to the next; as many as are forecast unless given.
        first : int, optional
            The first step of each series that may be an origin.

        Returns
        -------
        panel : Panel
        steps : Tensor of shape (n_origins,), int64
            Steps of the panel that forecasts begin with, evenly spaced back from the end of each series.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        panel = self._panel(X)
        least = torch.full_like(panel.lengths, first or 0)
        if before is not None:
            panel, begin = joined(self._panel(before), panel, timeless=not cast(SeriesEncoder, self.encoder_).time)
            least = torch.maximum(least, begin)
        window, stride = self._length - self.horizon, stride or self.horizon
        least = (least - window).clamp(min=0)
        room = panel.lengths - self._length - least
        least = least + torch.where(room >= 0, room % stride, 0)
        steps = starts_of(panel.offsets, self._length, first=least, stride=stride) + window
        if not len(steps):
            raise InvalidInput(
                f"no series has the {window} steps that are read before an origin and the {self.horizon} of the "
                f"horizon behind it: the longest has {int(panel.lengths.max()):,}"
                f"{f', of which the first {first:,} are no origins' if first else ''}. Give more steps."
            )
        return panel, steps

    def forecast_from(self, panel: Panel, steps: Tensor) -> Backtest:
        """Return forecasts from steps of a panel, (n_origins,) int64, beside what came; see `origins`."""
        answer = self._from(panel, steps)
        n = len(self.target_.names)
        places = (steps[:, None] + torch.arange(self.horizon)).numpy()
        truth = panel.values[:, :n].double()
        truth = truth if panel.observed is None else truth.masked_fill(~panel.observed[:, :n], torch.nan)
        series = panel.series_of(steps)
        return Backtest(
            truth.numpy()[places],
            self._points(answer),
            self._quantiles(answer),
            answer[..., 1] if self.target_.told == "normals" else None,
            self.target_.levels,
            (steps - panel.offsets[series]).numpy(),
            panel.times[places],
            np.array(panel.ids)[series.numpy()],
            self.target_.names,
            np.array(self.target_.scales),
            panel.grid,
        )

    def _from(self, panel: Panel, steps: Tensor) -> np.ndarray:
        """Return what the network says from steps of a panel on, (n, horizon, t, n_scores), in the targets' units."""
        network = cast(SeriesNetwork, self.network_)
        with torch.inference_mode():
            prepared = network.prepare({"values": panel.values})["values"]
            views = windows_at(prepared, self._length)
            starts = steps - (self._length - self.horizon)
            return self._asked_in_pieces(lambda some: views.index_select(0, some), starts, views[:1].numel())

    def _of_horizon(self, windows: Tensor) -> np.ndarray:
        """Return what the network says behind raw windows, (n, horizon, t, n_scores), in the targets' units."""
        network = cast(SeriesNetwork, self.network_)
        with torch.inference_mode():
            windows = network.prepare({"window": windows})["window"]
            rows = torch.arange(len(windows))
            return self._asked_in_pieces(partial(torch.index_select, windows, 0), rows, windows[:1].numel())

    def _asked_in_pieces(self, windows: Any, rows: Tensor, size: int) -> np.ndarray:
        network = cast(SeriesNetwork, self.network_)
        with fast_products(network, math.inf, precision=self._precision()):
            parts = [
                network.output(network.scores({"window": windows(some)}), network.series)
                for some in rows.split(max(1, TOGETHER // size))
            ]
        return torch.cat(parts).transpose(1, 2).numpy()

    def _points(self, answer: np.ndarray) -> np.ndarray:
        """Return the numbers that stand for an answer, (n, horizon, t)."""
        return answer[..., self._point]

    @property
    def _point(self) -> int:
        return self.target_.levels.index(0.5) if self.target_.told == "quantiles" else 0

    def _quantiles(self, answer: np.ndarray) -> np.ndarray | None:
        """Return the quantiles of an answer, (n, horizon, t, n_levels), or None of points."""
        if self.target_.told == "points":
            return None
        if self.target_.told == "quantiles":
            return answer
        return answer[..., :1] + answer[..., 1:] * ndtri(np.array(self.target_.levels))

    def _shaped(self, found: np.ndarray) -> np.ndarray:
        """Return (n_series, horizon, t, …) without the axes that there is one of by design."""
        found = found.squeeze(2) if len(self.target_.names) == 1 else found
        return found if cast(SeriesEncoder, self.encoder_).series else found[0]


def evened(values: Tensor, offsets: Tensor) -> Tensor:
    """Return how much errors of each series and target count, so that large series do not drown small ones.

    Parameters
    ----------
    values : Tensor of shape (n_steps, t)
    offsets : Tensor of shape (n_series + 1,), int64

    Returns
    -------
    Tensor of shape (n_series, t), float64
        One over the deviation of each, their mean 1; 0 for one that never changes.
    """
    parts = [values[a:b].double().numpy() for a, b in pairwise(offsets.tolist())]
    deviations = np.array([_deviation(part) for part in parts])
    weight = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0)
    return torch.from_numpy(weight / np.maximum(weight.mean(axis=0), np.finfo(float).tiny))


def _deviation(part: np.ndarray) -> np.ndarray:
    known = ~np.isnan(part)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, part, 0.0).sum(axis=0) / count
    return np.sqrt(np.square(np.where(known, part - mean, 0.0)).sum(axis=0) / count)
