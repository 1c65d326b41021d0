"""Detectors: a series in, how strange each of its steps is, and which ones raise an alarm, out.

The first part of each training series teaches the network, and its errors there how errors usually lie; the rest, on
which nothing is learned, says how large a score must be to be an alarm. A step is judged by its past alone.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.ragged import Ragged
from ganglion.data.seasons import season_of
from ganglion.data.series import Panel, by_columns, starts_of, windows_at
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.data.series_joining import joined
from ganglion.data.thresholds import Rule, refuse_too_few
from ganglion.errors import DataWarning, InvalidInput
from ganglion.estimators.alarms import AlarmTarget, Calibration
from ganglion.estimators.base import Samples
from ganglion.estimators.series import SeriesEstimator
from ganglion.estimators.session import Session
from ganglion.estimators.usual_errors import UsualErrors
from ganglion.networks.series import SeriesNetwork
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products

LABELS = ("anomaly", "anomalies", "is_anomaly", "label", "labels")
USUAL, SHORTEST, MORE = 32, 4, 8  # steps of a window, where the option leaves it open; beside a season so many more
LONGEST = 512
WORDS = {"normal": 0, "ok": 0, "no": 0, "false": 0, "0": 0, "anomaly": 1, "anomalous": 1, "yes": 1, "true": 1, "1": 1}
SHARE = 8, 3  # of the steps to learn from a usual window takes at most one in 8, a season one in 3
TOGETHER = 2**20  # numbers of windows that go through the network together


@hyperparameters
class SeriesDetector(SeriesEstimator):
    """Base of detectors: an algorithm adds `build`, an objective, and `_errors`."""

    threshold: Rule = option(
        "extreme_value",
        "The rule for alarms: 'conformal' holds the rate whatever the distribution, but needs 1 / rate steps to "
        "calibrate on; 'extreme_value' tells from the tail what was not seen yet.",
    )
    false_alarm_rate: float = option(
        0.001, "Share of the steps with nothing wrong that may raise an alarm.", above=0, below=0.5
    )
    calibration_fraction: float = option(
        0.3,
        "Part of each training series, its end, on which nothing is learned but how large scores are where nothing "
        "is wrong.",
        above=0,
        below=1,
    )
    window: int | Literal["auto"] = option(
        "auto",
        "Steps that are read at once; 'auto' takes a season and some, if a third of the steps to learn from have as "
        "many, else 32, of short series fewer.",
        at_least=1,
    )
    label: str | None = option(
        "auto",
        "The column that says where an anomaly is known (1; 0 elsewhere): left out of what is learned, and looked at "
        "when the detector is evaluated. 'auto' takes one called anomaly, is_anomaly or label; None takes none.",
    )

    # what an algorithm says

    def _n_judged(self) -> int:
        """Return how many numbers of each column make up an error."""
        raise NotImplementedError

    def _errors(self, values: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network gets wrong, (n, t, j), and the steps that this is told of, (n,) int64, rising.

        `values` (n_steps, c) are standardised series, end to end. An error looks at its step and those before it.
        """
        raise NotImplementedError

    @property
    def _first(self) -> int:
        """How many steps of a series come before the first one that is judged."""
        raise NotImplementedError

    # answers

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus how strange each step is, as scikit-learn's outlier detectors do: lower is stranger.

        Parameters
        ----------
        X : series, as `fit` takes them
            To judge new steps, give enough of those before them: the first `window` steps and some are not judged.

        Returns
        -------
        ndarray of shape (n_rows,), float64
            Minus the distance of its error from the usual ones; 0, the least strange, of steps that are not judged.
        """
        panel = self.panel(X)
        there = panel.rows >= 0
        scores = np.empty(int(there.sum()))
        scores[panel.rows[there]] = -self.scores_of(panel)[there]
        return scores

    def decision_function(self, X: Any) -> np.ndarray:
        """Return `score_samples` less `offset_`: below 0 is an alarm.

        Parameters
        ----------
        X : series, as `fit` takes them

        Returns
        -------
        ndarray of shape (n_rows,), float64
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Return -1 for each step that raises an alarm, and 1 for all others.

        Parameters
        ----------
        X : series, as `fit` takes them

        Returns
        -------
        ndarray of shape (n_rows,), int64
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Learn from series, and return which of their steps raise an alarm: -1, all others 1.

        Parameters
        ----------
        X : series, as `fit` takes them
        y : ignored
        """
        return self.fit(X).predict(X)

    def p_values(self, X: Any) -> np.ndarray:
        """Return the chance that a step with nothing wrong is as strange as each is.

        Parameters
        ----------
        X : series, as `fit` takes them

        Returns
        -------
        ndarray of shape (n_rows,), float64
            Beyond what was seen in calibration it is told from the tail; 1 for steps that are not judged.
        """
        scores = -self.score_samples(X)
        chances = cast(Calibration, self.target_.calibration).p_values(scores)
        return np.where(scores == 0, 1.0, chances)

    def panel(self, X: Any, *, before: Any = None) -> Panel:
        """Return series as the detector reads them: in order, on their grid, gaps filled.

        Parameters
        ----------
        X : series, as `fit` takes them
        before : as X, optional
            What came before them, to be looked back at; its steps have no `rows`.
        """
        self._check_fitted()
        encoder = cast(SeriesEncoder, self.encoder_)
        panel = encoder.panel(self._dataset(X, reset=False))
        if before is None:
            return panel
        return joined(encoder.panel(self._dataset(before, reset=False)), panel, timeless=not encoder.time)[0]

    def scores_of(self, panel: Panel) -> np.ndarray:
        """Return how strange each step of series is, (n_steps,) float64; 0 for those that are not judged.

        Parameters
        ----------
        panel : Panel
            As `panel` gives it.
        """
        self._check_fitted()
        scores = np.zeros(panel.n_steps)
        errors, steps = self._judged(panel.values, panel.offsets, panel.seen())
        scores[steps] = cast(UsualErrors, self.target_.usual).distance(errors)
        return scores

    def labels(self, X: Any) -> np.ndarray | None:
        """Return the labels that stand in X, (n_rows,), or None: see the option `label`.

        Parameters
        ----------
        X : series, as `fit` takes them
        """
        data = as_dataset(X) if hasattr(X, "columns") and not isinstance(X, Dataset) else X
        name = self._label_of(data) if isinstance(data, Dataset) else None
        return None if name is None else labels_of_steps(data, name)

    @property
    def offset_(self) -> float:
        """Minus the threshold: `score_samples` below it is an alarm."""
        if not hasattr(self, "target_") or self.target_.calibration is None:
            raise AttributeError(f"{type(self).__name__} knows its offset_ after fit.")
        return -self.target_.calibration.threshold

    # learning

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        """Read series without their labels: what is known of them is not learned from."""
        if hasattr(X, "columns"):
            data = X if isinstance(X, Dataset) else as_dataset(X)
            name = self._label_of(data)
            X = X if name is None else data.with_target([t for t in data.target if t != name]).drop([name])
        return super()._dataset(X, reset=reset)

    def _label_of(self, data: Dataset) -> str | None:
        """Return the column of labels, or None."""
        if self.label is None:
            return None
        if self.label != "auto":
            return self.label if self.label in data.names or not hasattr(self, "network_") else None
        return next((name for name in data.names if name.lower() in LABELS and name not in self._wanted), None)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else tuple(self.target or ())

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        if y is not None and len(y) != len(data):
            raise InvalidInput(
                f"X has {len(data):,} rows and y has {len(y):,}. Detectors learn without labels: give none, or one a "
                "row to `evaluate`."
            )
        return np.empty((len(data), 0))  # labels, where there are any, are for evaluation: y is not looked at

    def _window(self, inputs: Samples, encoder: SeriesEncoder) -> int:
        values = cast(Ragged, inputs.inputs["values"])
        longest, season = int(values.lengths.max()), season_of(values.values[:, : encoder.n_targets], values.offsets)
        if season > 1 and season + MORE + self.ahead <= min(LONGEST, longest // SHARE[1]):
            return max(USUAL, season + MORE)
        return min(USUAL, max(SHORTEST, longest // SHARE[0]))

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        encoder, whole = cast(SeriesEncoder, self.encoder_), samples.inputs
        cut = self._cut(cast(Ragged, whole["values"]).lengths)
        first = replace(samples, inputs={name: _until(cast(Ragged, column), cut) for name, column in whole.items()})
        _refuse_constant(cast(Ragged, first.inputs["values"]), encoder)
        if self.window == "auto":
            encoder = replace(encoder, window=self._window(first, encoder))
            self.encoder_ = encoder
        self.target_ = AlarmTarget(encoder.n_targets * self._n_judged())
        lengths = cast(Ragged, whole["values"]).lengths
        if int(cut.max()) >= self._length:  # else that is what is said
            begin = torch.maximum(cut, torch.full_like(cut, self._first))
            refuse_too_few(self.threshold, int((lengths - begin).clamp(min=0).sum()), self.false_alarm_rate)
        super()._learn(first, held_out, session)
        self._calibrate(whole, cut)

    def _cut(self, lengths: Tensor) -> Tensor:
        """Return how many steps of each series are learned from."""
        return ((1 - self.calibration_fraction) * lengths).round().long()

    def _calibrate(self, inputs: Any, cut: Tensor) -> None:
        """Learn how errors usually lie from the steps that were learned from, and the threshold from those after."""
        values, observed = (cast(Ragged, inputs[name]) for name in ("values", "observed"))
        errors, steps = self._judged(values.values, values.offsets, observed.values)
        series = torch.searchsorted(values.offsets, torch.from_numpy(steps), right=True) - 1
        after = (torch.from_numpy(steps) - values.offsets[series] >= cut[series]).numpy()
        whole = ~np.isnan(errors).any(axis=(1, 2))
        taught = whole & ~after if (whole & ~after).sum() > 1 else whole
        usual = UsualErrors.fit(errors[taught])
        calibration = Calibration.fit(usual.distance(errors[after]), self.threshold, self.false_alarm_rate)
        self.target_ = replace(self.target_, usual=usual, calibration=calibration)

    def _judged(self, values: Tensor, offsets: Tensor, observed: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return the errors of steps, (n, J, c) float64, NaN where a number was missing, and where they stand."""
        network, n_targets = cast(SeriesNetwork, self.network_), cast(SeriesEncoder, self.encoder_).n_targets
        with torch.inference_mode(), fast_products(network, math.inf, precision=self._precision()):
            prepared = by_columns(network.prepare({"values": values})["values"])
            errors, steps = self._errors(prepared, offsets)
        there = observed[:, :n_targets][steps]
        errors = errors.double().masked_fill(~there[:, :, None], torch.nan)
        if self.ahead:  # what was foretold from a step that was missing is no forecast
            origins = steps[:, None] - 1 - torch.arange(errors.shape[2])
            known = observed[:, :n_targets].any(1)[origins]
            errors = errors.masked_fill(~known[:, None, :], torch.nan)
        seen = (~errors.isnan()).flatten(1).any(1)
        return errors[seen].transpose(1, 2).numpy(), steps[seen].numpy()

    def _said(self, values: Tensor, starts: Tensor, length: int) -> Tensor:
        """Return what the network says of the windows that begin at `starts`, (n, t, H)."""
        if not len(starts):
            n_targets = cast(SeriesEncoder, self.encoder_).n_targets
            return values.new_empty(0, n_targets, self.ahead or length)
        views = windows_at(values, length)
        together = max(1, TOGETHER // views[:1].numel())
        parts = [self.network_.scores({"window": views.index_select(0, some)}) for some in starts.split(together)]
        return torch.cat(parts)[..., 0]

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.estimator_type = "outlier_detector"
        return tags


def labels_of_steps(data: Dataset, name: str) -> np.ndarray:
    """Return a column of labels as numbers, (n_rows,) float64: 0 and 1, truth values, or "normal" and "anomaly".

    Raises
    ------
    InvalidInput
        If it holds something else.
    """
    values = data.values(name)
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    words = [str(value).strip().lower() for value in values.tolist()]
    strange = sorted({*words} - {*WORDS})
    if strange:
        raise InvalidInput(
            f"the column {name!r} is taken for labels, but holds {', '.join(map(repr, strange[:5]))}. Give 0 and 1 (1 "
            f"where it is an anomaly); if {name!r} is something else, set label=None."
        )
    return np.array([float(WORDS[word]) for word in words])


def continued(values: Tensor, offsets: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return series with their last step repeated `n` times behind each, (n_steps + n · n_series, c), and offsets."""
    parts = [
        torch.cat([torch.arange(begin, end), torch.full((n,), max(end - 1, 0))])
        for begin, end in pairwise(offsets.tolist())
    ]
    return by_columns(values[torch.cat(parts)]), offsets + n * torch.arange(len(offsets))


def forecast_errors(
    values: Tensor, offsets: Tensor, said: Tensor, starts: Tensor, window: int
) -> tuple[Tensor, Tensor]:
    """Return the errors of all forecasts of each step, and the steps of which all were made.

    Parameters
    ----------
    values : Tensor of shape (n_steps, c)
    offsets : Tensor of shape (n_series + 1,), int64
    said : Tensor of shape (n_windows, t, H)
        Of the H steps after each window.
    starts : Tensor of shape (n_windows,), int64
        Where windows begin in `values`.
    window : int
        Their steps.

    Returns
    -------
    errors : Tensor of shape (n, t, H)
        Of the forecast made one step before, two steps before, …
    steps : Tensor of shape (n,), int64
    """
    t, horizon = said.shape[1:]
    place = torch.full((len(values) + 1,), -1)
    place[starts] = torch.arange(len(starts))
    steps = starts_of(offsets, 1, first=torch.full((len(offsets) - 1,), window + horizon - 1))
    forecasts = [said[place[steps - window - j], :, j] for j in range(horizon)]
    return values[steps, :t, None] - torch.stack(forecasts, 2), steps


def _until(column: Ragged, cut: Tensor) -> Ragged:
    """Return the first steps of each series, as many as `cut` says."""
    offsets = torch.cat([cut.new_zeros(1), cut.cumsum(0)])
    kept = torch.arange(int(offsets[-1])) + torch.repeat_interleave(column.offsets[:-1] - offsets[:-1], cut)
    return Ragged(column.values[kept], offsets)


def _refuse_constant(column: Ragged, encoder: SeriesEncoder) -> None:
    """Raise InvalidInput if no column of interest changes in the steps to learn from, and warn of those that do not."""
    values = column.values[:, : encoder.n_targets]
    low = values.nan_to_num(nan=math.inf).amin(0) if len(values) else torch.zeros(encoder.n_targets)
    high = values.nan_to_num(nan=-math.inf).amax(0) if len(values) else torch.zeros(encoder.n_targets)
    still = [name for name, same in zip(encoder.targets, (low >= high).tolist(), strict=True) if same]
    if len(still) == encoder.n_targets:
        raise InvalidInput(
            f"nothing ever changes in the {len(values):,} steps to learn from ({', '.join(still[:5])}), so there is "
            "nothing to learn of what is usual. Give a longer series, a smaller calibration_fraction, or another "
            "column (target=…)."
        )
    if still:
        warnings.warn(
            f"{', '.join(map(repr, still[:5]))} never change in the steps to learn from: how far a change of them is "
            "from usual cannot be told, so they raise no alarm.",
            DataWarning,
            stacklevel=5,
        )
