"""Estimators of series: a table whose rows are steps, read as series, learned from in windows.

X holds everything: times, names of series, targets, covariates. What is learned from are windows of `window` steps and
of those that follow; the held-out part is the end of each series.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.dataset import Dataset
from ganglion.data.ragged import Ragged
from ganglion.data.series import by_columns, starts_of, windows_at
from ganglion.data.series_encoder import Gaps, SeriesEncoder
from ganglion.data.series_roles import flat
from ganglion.data.series_windows import SeriesWindows, gathered
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.base import Samples
from ganglion.estimators.session import Session
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.execution import Execution
from ganglion.training.objective import Batch
from ganglion.training.optimizers import Optimizer
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor, Trainer

HELD_OUT = 0.1  # of the steps of each series, its end,
FEWEST = 1000  # windows from which on a part is held out
STEPS = 2000  # of a training, where neither few nor many epochs come of it
FEWEST_EPOCHS, MOST_EPOCHS = 5, 500
BATCH = 32
MEASURED = 2**20  # numbers of windows that are measured together


@hyperparameters
class SeriesEstimator(Trained):
    """Base of what learns from series: an algorithm adds `build` and an objective for windows."""

    target: str | tuple[str, ...] | None = option(
        None, "The column, or the columns, of interest; None takes all of numbers that are nothing else."
    )
    time: str | None = option(
        "auto", "The column of times; 'auto' takes the only one of dates, None takes rows as they stand."
    )
    series: str | None = option(
        "auto",
        "The column that tells several series apart; 'auto' takes the one of labels without which times stand twice.",
    )
    gaps: Gaps = option(
        "fill", "What is done about missing steps: filled by the last value, and not learned from, or refused."
    )
    window: int | Literal["auto"] = option(
        "auto", "Steps that are read at once; 'auto' takes some seasons and horizons.", at_least=1
    )
    steps: int | None = option(None, "Steps of training to take, in place of `epochs`.", at_least=1)
    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the windows at most; 'auto' makes about 2,000 steps in 5 to 500 of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option("auto", "Windows a step; 'auto' takes up to 32.", at_least=1)
    weight_decay: float | Literal["auto"] = option(
        "auto", "Shrinks weights, decoupled with adamw and muon; 'auto' is 0.", at_least=0
    )
    validation_fraction: float | Literal["auto"] = option(
        "auto",
        "Part of each series, its end, held out to stop early and keep the best weights; 'auto' is a tenth from 1,000 "
        "windows on, and none below.",
        at_least=0,
        below=1,
    )
    patience: int | None = option(
        5, "Stop after so many epochs without a lower held-out loss; None never stops early.", at_least=1
    )

    # what an algorithm says of its windows

    @property
    def ahead(self) -> int:
        """How many steps of a window come after those that are read."""
        raise NotImplementedError

    def _window(self, inputs: Samples, encoder: SeriesEncoder) -> int:
        """Return how many steps are read, where the option leaves it open."""
        raise NotImplementedError

    # reading

    @property
    def _roles(self) -> dict[str, Any]:
        """What the encoder is told beside target, time, series and gaps."""
        return {}

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        X = as_table(X)
        target = X.target if isinstance(X, Dataset) else ()
        data = super()._dataset(X.with_target(()) if target else X, reset=reset)  # names and number are of all columns
        return data.with_target(target) if target else data

    def _features_and_target(self, X: Any, y: Any) -> tuple[Any, Any]:
        return X, y  # a data set keeps its target: X holds everything

    def _suspect(self, data: Dataset, y: np.ndarray) -> None:
        pass  # neither numbered steps nor equal columns are mistakes here

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        if y is not None:
            _refuse_other_target(y, flat(data), self._named(data), type(self).__name__)
        return np.empty((len(data), 0))

    def _named(self, data: Dataset) -> tuple[str, ...] | None:
        """Return the target columns as the options or the data set name them, or None."""
        if self.target is not None:
            return (self.target,) if isinstance(self.target, str) else tuple(self.target)
        return data.target or None

    def _fit_encoder(self, data: Dataset) -> SeriesEncoder:
        encoder = SeriesEncoder.fit(
            data, target=self._named(data), time=self.time, series=self.series, gaps=self.gaps, **self._roles
        )
        return replace(encoder, window=1 if self.window == "auto" else self.window)

    def _held_out(self, validation: tuple[Any, Any] | None, training: Dataset) -> Samples | None:
        if validation is None:
            return None
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise InvalidInput(
                f"validation is a pair (X, None) of held-out series, but a {type(validation).__name__} was given. For "
                "the end of the training data give validation_fraction=0.1 to the estimator."
            )
        try:
            data = self._dataset(validation[0], reset=False)
            y = self._read_target(validation[1], data, reset=False)
            return Samples(dict(self.encoder_.encode(data)), y, None, np.arange(len(data)))
        except InvalidInput as error:
            raise type(error)(f"validation: {error}") from error

    # learning

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        if self.steps is not None and self.epochs != "auto":
            raise InvalidParameter(
                f"{type(self).__name__}(steps={self.steps}, epochs={self.epochs}): both say how long to train. Give "
                "one of them."
            )
        encoder = cast(SeriesEncoder, self.encoder_)
        columns = _flat_columns(samples, encoder.n_targets)
        if self.window == "auto":
            encoder = replace(encoder, window=self._window(samples, encoder))
            self.encoder_ = encoder
        self._refuse_too_short(columns["offsets"], cast(Ragged, samples.inputs["values"]))
        if held_out is not None:
            windows, others = self._windows(columns), self._windows(_flat_columns(held_out, encoder.n_targets))
            if not len(others):
                raise InvalidInput(
                    f"validation: no series has the {self._length} steps of one window. Give {encoder.window} steps "
                    f"before those to be held out, too."
                )
        else:
            windows, others = self._divided(columns)
        if not len(windows):
            raise InvalidInput(
                f"no window of {self._length} steps has a known target to learn from: too many are missing. "
                "Give more steps, or a smaller window."
            )
        super()._learn(windows, others, session)

    @property
    def _length(self) -> int:
        """The steps of a window: those that are read, and those after them."""
        return cast(SeriesEncoder, self.encoder_).window + self.ahead

    def _divided(self, columns: dict[str, Tensor]) -> tuple[Samples, Samples | None]:
        """Return windows of all but the end of each series, and those that end there; None if nothing is held out."""
        every = self._windows(columns)
        share = self.validation_fraction
        share = (HELD_OUT if len(every) >= FEWEST else 0.0) if share == "auto" else float(share)
        if share == 0:
            return every, None
        lengths = columns["offsets"].diff()
        n_held = (share * lengths).round().long().clamp(min=self.ahead or self._length)
        parts = self._windows(columns, last=lengths - n_held), self._windows(columns, first=lengths - n_held)
        if not all(map(len, parts)):
            raise InvalidParameter(
                f"{type(self).__name__}(validation_fraction={share}): no window is left to "
                f"{'learn from' if not len(parts[0]) else 'be held out'}. Give 0 for no held-out part."
            )
        return parts

    def _windows(
        self, columns: dict[str, Tensor], *, first: Tensor | None = None, last: Tensor | None = None
    ) -> Samples:
        """Return windows whose last `ahead` steps lie from `first` on, and before `last`, in each series."""
        offsets, length, window = columns["offsets"], self._length, self._length - self.ahead
        begin = None if first is None else (first - window if self.ahead else first).clamp(min=0)
        starts = starts_of(offsets, length, first=begin)
        inputs = {name: tensor for name, tensor in columns.items() if name != "offsets"}
        if last is not None:
            series = torch.searchsorted(offsets, starts, right=True) - 1
            starts = starts[starts - offsets[series] + length <= last[series]]
            step = torch.arange(int(offsets[-1])) - torch.repeat_interleave(offsets[:-1], offsets.diff())
            past = step >= torch.repeat_interleave(last, offsets.diff())
            inputs["values"] = inputs["values"].masked_fill(past[:, None], torch.nan)  # no statistic sees them
        if "counts" in inputs and len(starts):
            told = inputs["counts"].any(1).long().cumsum(0)
            told = torch.cat([told.new_zeros(1), told])
            judged = starts + (window if self.ahead else 0)
            starts = starts[told[starts + length] > told[judged]]  # where nothing counts nothing is learned
        return Samples({**inputs, "start": starts}, np.empty((len(starts), 0)), None, np.arange(len(starts)))

    def _refuse_too_short(self, offsets: Tensor, series: Ragged) -> None:
        """Raise InvalidInput if no series has a window, and warn if some have none."""
        lengths, need = offsets.diff(), self._length
        short = int((lengths < need).sum())
        if short == len(lengths):
            ahead = f" and the {self.ahead} after it" if self.ahead else ""
            window = need - self.ahead
            raise InvalidInput(
                f"{'the series has' if short == 1 else f'the longest of {short:,} series has'} {int(lengths.max()):,} "
                f"steps, but a window of {window}{ahead} have {need}. Give more steps, or a smaller "
                f"{'horizon or window' if self.ahead else 'window'}."
            )
        if short:
            warnings.warn(
                f"{short:,} of {len(lengths):,} series have fewer than the {need} steps of one window, and teach "
                "nothing. Give a smaller window to learn from them too.",
                DataWarning,
                stacklevel=5,
            )

    def _split(self, samples: Samples, seed: int) -> tuple[None, None]:
        return None, None  # the end of the series was cut off before

    def _example(self, samples: Samples) -> Batch:
        inputs = cast("dict[str, Tensor]", samples.inputs)
        return gathered({"window": windows_at(inputs["values"], self._length)}, inputs["start"][:1])

    def _feed(
        self,
        network: Network,
        samples: Samples,
        rows: Tensor | None,
        held_out: Samples | None,
        held_rows: Tensor | None,
        execution: Execution,
        batch_size: int,
        seed: int,
    ) -> tuple[Source, Monitor | None]:
        _, epoch, steps = self._plan(len(samples), batch_size)
        source = SeriesWindows(
            self._prepared(network, samples),
            cast(Tensor, samples.inputs["start"]),
            self._length,
            batch_size,
            torch.Generator().manual_seed(seed),
            epoch=epoch,
            steps=steps,
            device=execution.device,
        )
        return source, None if held_out is None else self._measure(network, held_out, execution.device)

    def _prepared(self, network: Network, samples: Samples) -> dict[str, Tensor]:
        """Return what windows are cut from: "window", standardised, and "counts" where not all counts alike."""
        inputs = cast("dict[str, Tensor]", samples.inputs)
        prepared = {"window": by_columns(network.prepare({"values": inputs["values"]})["values"])}
        if "counts" in inputs:
            prepared["counts"] = by_columns(inputs["counts"].to(prepared["window"].dtype))
        return prepared

    def _measure(self, network: Network, held_out: Samples, device: str) -> Monitor:
        """Return what measures the loss on held-out windows."""
        views = {k: windows_at(v.to(device), self._length) for k, v in self._prepared(network, held_out).items()}
        starts = cast(Tensor, held_out.inputs["start"]).to(device)
        together = max(1, MEASURED // views["window"][:1].numel())
        loss = self.objectives(network)[0].loss

        def measure() -> dict[str, float]:
            total = 0.0
            for some in starts.split(together):
                total += float(loss(network, gathered(views, some))) * len(some)
            return {"validation_loss": total / len(starts)}

        return measure

    def _plan(self, n_windows: int, batch_size: int) -> tuple[int, int, int | None]:
        """Return epochs, steps of each, and steps in all where the last epoch may be shorter."""
        a_pass = math.ceil(n_windows / batch_size)
        if self.epochs != "auto":
            return int(self.epochs), a_pass, None
        if self.steps is not None:
            epoch = min(a_pass, self.steps)
            return math.ceil(self.steps / epoch), epoch, self.steps
        return min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(STEPS / a_pass))), a_pass, None

    def _trainer(self, optimizer: Optimizer, n_samples: int, batch_size: int, callbacks: Any) -> Trainer:
        trainer = super()._trainer(optimizer, n_samples, batch_size, callbacks)
        return replace(trainer, steps=self._plan(n_samples, batch_size)[2])

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        return self._plan(n_samples, batch_size)[0]

    def _batch_size(self, n_samples: int) -> int:
        return min(BATCH if self.batch_size == "auto" else int(self.batch_size), n_samples)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        return 0.0 if self.weight_decay == "auto" else float(self.weight_decay)


def as_table(X: Any) -> Any:
    """Return one series of numbers, (n_steps,), as a table of one column, and an index of times as a column."""
    if hasattr(X, "to_frame") and getattr(X, "ndim", 1) == 1 and not isinstance(X, np.ndarray):
        X = X.to_frame(getattr(X, "name", None) or "y")
    index = getattr(X, "index", None)
    if getattr(getattr(index, "dtype", None), "kind", "") == "M":
        return X.reset_index(names=str(index.name or "time"))  # pyright: ignore
    if isinstance(X, Tensor):
        return X[:, None] if X.dim() == 1 else X
    if isinstance(X, np.ndarray | list | tuple) and np.ndim(X) == 1 and np.asarray(X).dtype.kind in "buif":
        return np.asarray(X)[:, None]
    return X


def _flat_columns(samples: Samples, n_targets: int) -> dict[str, Tensor]:
    """Return "values" and "offsets" of series, and "counts" (n_steps, t) where some targets count less than others."""
    values, observed, rows = (cast(Ragged, samples.inputs[name]) for name in ("values", "observed", "rows"))
    columns = {"values": values.values, "offsets": values.offsets}
    counts = observed.values[:, :n_targets].float()
    if samples.weight is not None and samples.weight.min() < samples.weight.max():
        weight = torch.from_numpy(samples.weight / samples.weight.mean()).float()
        counts = counts * torch.where(rows.values >= 0, weight[rows.values.clamp(min=0)], 0.0)[:, None]
    if (counts != 1).any():
        columns["counts"] = counts
    return columns


def _refuse_other_target(y: Any, data: Dataset, target: Sequence[str] | None, name: str) -> None:
    """Raise InvalidInput unless y repeats the target columns of X: what else it were would be overlooked."""
    names = target or [field.name for field in data.fields if field.kind == "numeric"]
    columns = np.column_stack([data.values(each) for each in names]) if names else np.empty((len(data), 0))
    try:
        given = np.asarray(y, dtype=np.float64).reshape(len(data), -1)
    except (TypeError, ValueError):
        given = np.empty((0, 0))
    if given.shape != columns.shape or not np.array_equal(given, columns, equal_nan=True):
        raise InvalidInput(
            f"{name} learns from X alone, which holds the target too, but was given a y (shape {np.shape(y)}) that is "
            f"not the columns {', '.join(map(str, names[:5]))} of X. Put it into X as a column, and name it: target=…."
        )
