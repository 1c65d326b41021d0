"""Estimators that learn from X alone, and say it again or make more like it.

The data are vectors to the network (`networks.visible`); what it says of them goes back to the form in which X came.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor

from ganglion.data.batches import Batches, batch_of
from ganglion.data.dataset import Dataset
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.ragged import Columns
from ganglion.errors import InvalidInput, InvalidParameter, TrainingDiverged
from ganglion.estimators.base import random_state as random_state_of
from ganglion.estimators.forms import form_of, in_form
from ganglion.estimators.itself import Itself
from ganglion.estimators.labels import read_labels
from ganglion.estimators.trained import Trained
from ganglion.networks.network import Network
from ganglion.networks.visible import VisibleInput
from ganglion.options import hyperparameters
from ganglion.training.diagnosis import first_nonfinite
from ganglion.training.distribution import workers
from ganglion.training.execution import fast_products
from ganglion.training.history import History
from ganglion.training.made import FEWEST_ROWS, FEWEST_STEPS, Made, beside, some_rows
from ganglion.training.objective import Batch
from ganglion.training.run import Source

TOGETHER = 2**22  # numbers of samples that are made, or measured, together
SEEN = 256  # training rows by which units are known for dead, or codes for empty


@hyperparameters
class Generative(Trained):
    """Base of estimators that learn from X alone: an algorithm adds `build`, `objectives`, and `_sampled`.

    y is not looked at, unless the algorithm has the option `conditional` and it is on: then y are labels, and what is
    learned depends on them.
    """

    conditional = False  # an algorithm that can be makes an option of it

    # what an algorithm says

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        """Return n new vectors, (n, d), of these places in `classes_`, (n,), if any."""
        raise NotImplementedError

    def _held_out_losses(self, network: Network, batch: Batch) -> Tensor | None:
        """Return what early stopping watches, of each sample of a held-out batch, (n,); None stops nothing."""
        return None

    # answers

    @property
    def classes_(self) -> np.ndarray:
        """The labels that it learned with, sorted."""
        target = getattr(self, "target_", None)
        if target is None or not self.conditional:
            raise AttributeError(f"{type(self).__name__} has classes_ after fit with conditional=True only.")
        return target.classes

    @available_if(lambda self: self.tags.task == "generation")
    def sample(
        self, n_samples: int = 1, *, y: Any = None, random_state: int | np.random.RandomState | None = None
    ) -> Any:
        """Make new data.

        Parameters
        ----------
        n_samples : int >= 1
        y : label, or array-like of shape (n_samples,), optional
            Of a model that was fitted with `conditional=True`: of which class each shall be; without it they are drawn
            as often as in training.
        random_state : int, RandomState or None
            The same seed gives the same samples.

        Returns
        -------
        ndarray, frame or Dataset
            In the form of X: an array of numbers, a frame or `Dataset` of mixed columns, images of (n_samples, height,
            width), with channels last if there are several. Columns that held whole numbers alone hold such again.

        Raises
        ------
        InvalidParameter
            If n_samples is no count, or random_state no seed.
        InvalidInput
            If y is given to a model without labels, is of another length, or holds a label that is unknown.
        """
        self._check_fitted()
        n = check_count("n_samples", n_samples)
        generator = generator_of(random_state)
        codes = self._asked_codes(y, n, generator)
        together = max(1, TOGETHER // max(1, self._entry.n_out))
        with torch.inference_mode(), fast_products(self.network_, n, precision=self._precision()):
            parts = [
                self._sampled(min(together, n - i), None if codes is None else codes[i : i + together], generator)
                for i in range(0, n, together)
            ]
            return self._in_form(torch.cat(parts), rounded=True)

    # shared by algorithms

    @property
    def _entry(self) -> VisibleInput:
        return cast(VisibleInput, self.network_.input)

    def _in_form(self, v_nd: Tensor, *, rounded: bool = False) -> Any:
        """Return vectors, (n, d), as data in the form of X; `rounded` where whole numbers are to be whole again."""
        encoder = cast("TableEncoder | ImageEncoder", self.encoder_)
        v_nd = v_nd.float() if v_nd.dtype == torch.bfloat16 else v_nd  # which numpy does not have
        return in_form(encoder.decode(self._entry.inverse(v_nd, rounded=rounded)), self.target_.form)

    def _visible(self, X: Any) -> Tensor:
        """Return X as vectors, (n, d)."""
        self._check_fitted()
        with torch.inference_mode():
            return self._entry.prepare(cast("dict[str, Tensor]", self._encoded(X)))["visible"]

    def _codes_of(self, y: Any, n: int) -> Tensor | None:
        """Return the places of given labels in `classes_`, (n,) int64, or None for a model without labels."""
        if not self.conditional:
            return None
        if y is None:
            raise InvalidInput(
                f"{type(self).__name__} was fitted with conditional=True, so what it says depends on labels, but y is "
                "None. Give y, one label a sample."
            )
        return self.target_.encode(read_labels(y, n, several=False))

    def _asked_codes(self, y: Any, n: int, generator: torch.Generator) -> Tensor | None:
        if not self.conditional:
            if y is not None:
                raise InvalidInput(
                    f"y={y!r:.60} asks for samples of a class, but this {type(self).__name__} was fitted without "
                    "labels. Leave y out, or fit it again with conditional=True and labels."
                )
            return None
        if y is None:
            shares = torch.from_numpy(self.target_.shares)
            return torch.multinomial(shares, n, replacement=True, generator=generator)
        if np.ndim(y) == 0:
            y = np.full(n, y)
        return self._codes_of(y, n)

    def _ask(self, X: Any, method: Callable[[Tensor, Tensor | None], Tensor], *, y: Any = None) -> Tensor:
        """Return what `method` makes of vectors (n, d) and of the places of labels, if any, some rows at a time."""
        self._check_fitted()
        inputs = self._encoded(X)
        return self._ask_of(inputs, method, self._codes_of(y, len(next(iter(inputs.values())))))

    def _ask_of(
        self, inputs: Columns, method: Callable[[Tensor, Tensor | None], Tensor], codes: Tensor | None = None
    ) -> Tensor:
        """Return the same of encoded columns, and of the places of labels."""
        given = cast("dict[str, Tensor]", {**inputs} if codes is None else {**inputs, "codes": codes})
        n, device = len(next(iter(given.values()))), next(self.network_.parameters()).device

        def asked(some: Mapping[str, Tensor]) -> Tensor:
            return method(self._entry.prepare(some)["visible"], some.get("codes"))

        # multiplied in one way whatever their number: each row has one answer, alone or with others
        with torch.inference_mode(), fast_products(self.network_, math.inf, precision=self._precision()):
            return self._dense_answers(asked, given, n, device)

    # learning

    def _features_and_target(self, X: Any, y: Any) -> tuple[Any, Any]:
        if isinstance(X, Dataset) and X.target:
            X, own = X.X_y() if self.conditional else (X.drop(X.target), None)
            y = own if y is None else y
        return X, y

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        data = super()._dataset(X, reset=reset)
        if reset:
            self.target_ = Itself(form_of(X))
        if isinstance(X, str | os.PathLike) and data.target:
            data = data.drop(data.target)
        return data

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        if not self.conditional:
            if hasattr(y, "__len__") and len(y) != len(data):
                raise InvalidInput(
                    f"X and y have inconsistent numbers of samples: [{len(data)}, {len(y)}]. y is not looked at; leave "
                    "it out."
                )
            return np.empty((len(data), 0))
        labels = read_labels(y, len(data), several=False)
        if reset:
            self.target_ = self.target_.with_labels(labels, weight)
        else:
            self.target_.encode(labels)
        return labels

    def _stratify(self, y: np.ndarray) -> np.ndarray | None:
        return y if self.conditional else None

    def _seen(self, source: Source) -> Batch:
        return cast(Batches, source).example(SEEN)

    def _made_beside(self, network: Network, source: Source, history: History, n: int) -> Made | None:
        """Return how n samples lie beside rows of the training data, or None after too few rows or steps to tell.

        Raises
        ------
        TrainingDiverged
            If samples are no numbers, though the weights are.
        """
        if workers().n > 1 or not len(history) or history["step"][-1] < FEWEST_STEPS:
            return None
        rows, codes = some_rows(network, source)
        if len(rows) < FEWEST_ROWS:
            return None
        rows = rows[: max(FEWEST_ROWS, 2 * TOGETHER // rows.shape[1])]  # large pictures are many numbers
        n = min(n, len(rows))

        def samples() -> Tensor:
            return self._sampled(n, None if codes is None else codes[:n], torch.Generator().manual_seed(0))

        with torch.inference_mode():
            made = samples()
            if not bool(made.isfinite().all()):
                raise TrainingDiverged(
                    "training ended with weights that are numbers, but samples made with them are not: NaN or infinity "
                    f"came {first_nonfinite(network, samples, {})}. Try a learning rate ten times smaller, or "
                    "clip_norm=1.0."
                )
            return beside(made, rows)

    def _monitor(
        self, network: Network, columns: Columns, prepare: Callable | None, rows: Tensor | None
    ) -> Callable[[], dict[str, float]] | None:
        """Return what measures the mean loss of held-out rows, with the same draws in every epoch."""
        rows = torch.arange(len(columns["target"])) if rows is None else rows
        together = max(16, TOGETHER // max(1, cast(VisibleInput, network.input).n_out) // 8)
        groups = [some.to(cast(Tensor, columns["target"]).device) for some in rows.split(together)]

        def losses(some: Tensor) -> Tensor | None:
            batch = batch_of(columns, some)
            return self._held_out_losses(network, {**batch, **prepare(batch)} if prepare else batch)

        with torch.no_grad(), random_state_of(0):
            if losses(groups[0][:1]) is None:
                return None

        def measure() -> dict[str, float]:
            with random_state_of(0):
                total = math.fsum(float(cast(Tensor, losses(some)).double().sum()) for some in groups)
            return {"validation_loss": total / len(rows)}

        return measure


def check_count(name: str, value: Any) -> int:
    """Return a whole number of 1 or more as an int, or raise InvalidParameter."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise InvalidParameter(f"{name}={value!r}: give a whole number of 1 or more.")
    return int(value)


def generator_of(seed: Any) -> torch.Generator:
    """Return a generator of random numbers from a seed; None takes a fresh one."""
    if isinstance(seed, np.random.RandomState):
        seed = int(seed.randint(2**31 - 1))
    if seed is None:
        seed = int(np.random.default_rng().integers(2**31))
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise InvalidParameter(f"random_state={seed!r}: give a whole number, a numpy RandomState, or None.")
    return torch.Generator().manual_seed(int(seed) % 2**63)
