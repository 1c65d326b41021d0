"""The contract: what every estimator is, whatever its algorithm and modality.

fit      check the options → read X and y → encoder, target → `_learn` (build a network, train it)
predict  read X → encode → network → answer
save     manifest, weights and model card in one file
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from torch import Tensor

from ganglion.data.audio_encoding import AudioEncoder
from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.encoders import AnyEncoder, modality_of
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.ragged import Column, Columns, by_length, lengths_of, side_by_side
from ganglion.data.sequences import SequenceEncoder
from ganglion.data.spool import load
from ganglion.data.summary import Summary
from ganglion.data.suspicions import refuse_swapped_axes, warn_of_repeated_rows, warn_of_suspicions
from ganglion.errors import GanglionError, InvalidInput
from ganglion.estimators.beside import Beside
from ganglion.estimators.reading import (
    check_modality,
    features_and_target,
    name_of_target,
    plain_columns,
    read_features,
    read_weights,
)
from ganglion.estimators.session import Session, open_session
from ganglion.estimators.spec import Spec
from ganglion.estimators.summarising import summary_of
from ganglion.networks.network import Network
from ganglion.networks.work import most_images
from ganglion.options import check_options, hyperparameters, option, options_of, unknown_option
from ganglion.training.checkpoint import Checkpoints
from ganglion.training.distribution import together, workers
from ganglion.training.execution import fast_products
from ganglion.training.history import History
from ganglion.training.trainer import OnEpoch, check_callbacks

Self = TypeVar("Self", bound="Estimator")
CHUNK_BYTES = 16 * 2**20  # a prediction works through its rows in pieces of about this size
STEPS_TOGETHER = 2**14  # and through texts and sequences in pieces of so many steps


class NotFitted(GanglionError, NotFittedError):
    """A method was called that needs `fit` first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What an algorithm is and can do, as data: checks, command line and pages read it, never the class.

    Attributes
    ----------
    task : str
        What is learned: "classification", "regression", "segmentation", "detection", "tagging", "translation" (any text
        that answers a text), "speech_recognition", "language_modelling", "music_modelling", "forecasting" (numbers of
        series, steps ahead), "anomaly_detection" (which steps of series are strange), "generation" (new data like
        those of training), "reconstruction" (a code of the data, and the data again from it).
    modalities : tuple of str
        What it reads: "table", "image", "text", "sequence" (steps of numbers, as many as there are), "music", "series"
        (tables whose rows are steps), "audio" (recordings).
    gradients : bool
        Whether it is trained by the loop of `ganglion.training` (and so has epochs, optimisers, schedules).
    multilabel, multioutput : bool
        Whether y may have several columns.
    any_size : bool
        Whether images of another height and width than in training are read.
    preferred_for : tuple of str
        The modalities for which `select` takes this algorithm first.
    """

    task: Literal[
        "classification",
        "regression",
        "segmentation",
        "detection",
        "tagging",
        "translation",
        "speech_recognition",
        "language_modelling",
        "music_modelling",
        "forecasting",
        "anomaly_detection",
        "generation",
        "reconstruction",
    ]
    modalities: tuple[str, ...] = ("table", "image")
    gradients: bool = True
    multilabel: bool = False
    multioutput: bool = False
    any_size: bool = False
    preferred_for: tuple[str, ...] = ()


@dataclass(slots=True)
class Samples:
    """Encoded training data: columns of equal length."""

    inputs: dict[str, Column]
    y: np.ndarray
    weight: np.ndarray | None
    rows: np.ndarray  # where each stood in what was given to `fit`
    beside: dict[str, Tensor] = field(default_factory=dict)  # what joins them in batches (see `beside`)

    def __len__(self) -> int:
        return len(self.y)


@hyperparameters
class Estimator(BaseEstimator):
    """Base of all estimators; algorithms derive from `Classifier` or `Regressor`."""

    random_state: int | np.random.RandomState | None = option(
        None, "Seed of everything random. The same seed gives the same bits on the same machine."
    )
    verbose: bool = option(False, "Whether to print one line an epoch.")

    tags: ClassVar[Tags]
    if TYPE_CHECKING:  # learned attributes: no options, so no fields
        network_: Network
        encoder_: AnyEncoder
        target_: Any
        target_name_: str
        metrics_: dict[str, Any]
        audit_: dict[str, Any]  # of groups of people, as `Audit.to_dict` has it; empty where there was none
        summary_: Summary | None  # of the training data, in shares
        history_: History
        n_features_in_: int
        feature_names_in_: np.ndarray  # only where columns have names

    def fit(
        self: Self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation: tuple[Any, Any] | None = None,
        callbacks: Sequence[OnEpoch] = (),
        checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
        resume: str | os.PathLike[str] | bool | None = None,
        beside: Beside | None = None,
    ) -> Self:
        """Learn from data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack, texts, sequences, recordings or Dataset
            Numbers, categories, booleans and dates; missing values are NaN or None. Image stacks have shape
            (n_samples, height, width), (…, height, width, channels) or (…, channels, height, width). Sequences are
            arrays (n_samples, steps, numbers), or a list of arrays (steps, numbers), as long as each may be.
            Recordings are a list of paths, or of pairs (rate, samples).
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target: of masks, (n_samples, height, width). A Dataset brings its own. Language models, which learn
            from X alone, do not look at it.
        sample_weight : array-like of shape (n_samples,), optional
            How much each sample counts. A weight of 2 equals a second copy, 0 equals absence.
        validation : tuple (X, y), optional
            Held-out data to stop early on, in place of a part of the training data.
        callbacks : sequence of callables
            Each is called after every epoch with the row of the history and the number of epochs planned.
        checkpoint : path-like or Checkpoints, optional
            A folder to save the run to while it goes on, once a minute, or as `Checkpoints` says.
        resume : path-like or True, optional
            A folder of checkpoints, or one of them, to go on from, with the same options and data: the result has the
            bits of a run that was never stopped. New checkpoints go to the same folder. True goes on from the folder
            `checkpoint` if a run saved itself there, and starts one if not: for jobs that are restarted when killed.
        beside : Beside, optional
            Further columns and objectives that join this training: what meta-estimators are made of.

        Returns
        -------
        self

        Raises
        ------
        InvalidParameter
            If an option is outside its limits.
        InvalidInput
            If the data cannot be used. Nothing was trained then.
        InvalidModel
            If there is no whole checkpoint to resume from, or it is of other options.
        """
        with together():
            check_options(self)
            check_callbacks(callbacks)
            name = name_of_target(X, y)
            X, y = self._features_and_target(X, y)
            data = self._dataset(X, reset=True)
            check_modality(self, data)
            refuse_swapped_axes(data, y)
            if beside is not None:
                beside.check(
                    type(self).__name__, len(data), gradients=self.tags.gradients, saves=bool(checkpoint or resume)
                )
            weight = self._weights(sample_weight, len(data))
            y = self._read_target(y, data, reset=True, weight=weight)
            self.target_name_ = name
            self._suspect(data, y)
            kept = np.arange(len(data))
            if weight is not None and not weight.all():  # a weight of 0 is absence, in every statistic
                kept = np.flatnonzero(weight)
                data, y, weight = data.take(kept), y[kept], weight[kept]
            self.encoder_ = self._fit_encoder(data)
            joining = {} if beside is None else beside.take(kept)
            samples = Samples(dict(self.encoder_.encode(data)), y, weight, kept, joining)
            held_out = self._held_out(validation, data)
            session = open_session(
                self, samples.inputs, y, seed=self._seed(), callbacks=callbacks, checkpoint=checkpoint, resume=resume
            )
            session = replace(session, beside=beside)
            with random_state(session.seed):
                self._learn(samples, held_out, session)
            self.summary_ = summary_of(self, data, samples.inputs)
        return self

    def set_params(self: Self, **params: Any) -> Self:
        """Set options by name; they are checked when `fit` starts.

        Parameters
        ----------
        **params
            Option and value.

        Returns
        -------
        self

        Raises
        ------
        UnknownParameter
            If there is no option of that name; the nearest one is suggested.
        """
        known = list(options_of(type(self)))
        for name in params:
            if name not in known:
                raise unknown_option(type(self).__name__, name, known)
        return super().set_params(**params)

    def build(self, spec: Spec) -> Network:
        """Return the network for data that look like `spec`; its parameters are drawn from torch's random state."""
        raise NotImplementedError

    @property
    def compression_(self) -> list[dict[str, Any]]:
        """What made the network smaller after it was trained, in order: a name, "step", and settings each."""
        return self.network_.changes

    def widths(self) -> dict[str, Any]:
        """Return how many units each layer of the fitted network has, in the options that say so.

        Each can be made smaller by itself: built with these options, and with one less anywhere in them, a network has
        the same layers. Compression removes units so; an algorithm that has no such options says nothing.

        Returns
        -------
        dict of str to int, or tuple of int or of such tuples
        """
        return {}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one file: manifest, weights, model card. See `ganglion.load`.

        Parameters
        ----------
        path : path-like
            Written atomically: a file that stood there before stays whole until the new one is complete.

        Raises
        ------
        SaveFailed
            If it cannot be written.
        """
        from ganglion.estimators.artifact import save  # it knows every estimator, through this class

        self._check_fitted()
        if workers().speaks:  # of several workers that train together, one writes
            save(self, path)

    @property
    def modality_(self) -> str:
        """What the estimator was trained on: "table", "image", "text", "sequence" or "audio"."""
        return self.encoder_.to_json()["modality"]

    def _features_and_target(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return what is read as features and as target; a data set may bring its own."""
        return features_and_target(X, y)

    def _suspect(self, data: Dataset, y: np.ndarray) -> None:
        """Warn of mistakes in training data that cost next to nothing to see."""
        warn_of_suspicions(data, y)

    def _fit_encoder(self, data: Dataset) -> AnyEncoder:
        """Return the encoder that suits the columns of a training set."""
        modality = modality_of(data, self.tags.modalities)
        if modality == "image":
            return ImageEncoder.fit(data, any_size=self.tags.any_size)
        if modality == "audio":
            return AudioEncoder.fit(data)
        return SequenceEncoder.fit(data) if modality == "sequence" else TableEncoder.fit(data)

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        raise NotImplementedError

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        """Return the target of `data` as an array that can be trusted; `reset` learns from it what it looks like."""
        raise NotImplementedError

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        """Read features, and compare their names and number with those of training."""
        return read_features(self, X, reset=reset)

    def _weights(self, sample_weight: Any, n_samples: int) -> np.ndarray | None:
        return None if sample_weight is None else read_weights(sample_weight, n_samples)

    def _weight(self, samples: Samples) -> np.ndarray | None:
        """Return how much each sample counts, or None if all count alike."""
        return samples.weight

    def _held_out(self, validation: tuple[Any, Any] | None, training: Dataset) -> Samples | None:
        if validation is None:
            return None
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            what = f"a {type(validation).__name__}" + (
                f" of {len(validation)}" if hasattr(validation, "__len__") else ""
            )
            raise InvalidInput(
                f"validation is a pair (X, y) of held-out features and targets, but {what} was given. For a share of "
                "the training data give validation_fraction=0.1 to the estimator."
            )
        X, y = validation
        try:
            if isinstance(X, np.ndarray):
                refuse_swapped_axes(as_dataset(X), y)
            data = self._dataset(X, reset=False)
            inputs, y = dict(self.encoder_.encode(data)), self._read_target(y, data, reset=False)
            samples = Samples(inputs, y, None, np.arange(len(data)))
        except InvalidInput as error:
            raise type(error)(f"validation: {error}") from error
        warn_of_repeated_rows(data, training, "validation")
        return samples

    def _seed(self) -> int:
        """Draw the seed of one fit, without touching any global random state."""
        if self.random_state is None:
            return workers().same(int(np.random.default_rng().integers(2**31)))
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31 - 1))
        return int(self.random_state) % 2**32

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFitted(f"This {type(self).__name__} instance is not fitted yet. Call fit(X, y) first.")

    def encoded(self, X: Any) -> Columns:
        """Return the tensors that the rows of X become, on which `answers_to` goes on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack, texts, sequences, recordings or Dataset

        Returns
        -------
        mapping of str to Tensor or Ragged
            Of tables "numeric" and "categorical" (or "ordinary": numbers that are neither missing nor huge), of images
            "image", of texts "tokens", …
        """
        self._check_fitted()
        return self._encoded(X)

    def answers_to(self, columns: Columns, *, scores: bool = False, prepared: bool = False) -> Tensor:
        """Return what the network says of encoded samples, without reading or checking them again.

        Parameters
        ----------
        columns : mapping of str to Tensor or Ragged
            What `encoded` returned, or samples put together from it.
        scores : bool
            The scores that the loss is measured on, in place of probabilities or numbers in the target's units.
        prepared : bool
            Whether the fixed half of the preprocessing, `network_.prepare`, was applied already; dense columns only.

        Returns
        -------
        Tensor of shape (n_samples, …)
        """
        self._check_fitted()
        if prepared:
            network = self.network_
            ask = network.scores if scores else lambda given: network.output(network.scores(given))
            return self._in_pieces(ask, cast("Mapping[str, Tensor]", columns))
        return self._answers_to(columns, scores=scores)

    def multiplying(self) -> contextlib.AbstractContextManager:
        """Return a context in which `network_` multiplies as for answers of many rows, in no fewer digits than it has.

        It is for who goes through the network itself: for slopes, where products rounded to three digits are noise.
        """
        self._check_fitted()
        return fast_products(self.network_, math.inf)

    def _answers(self, X: Any, *, scores: bool = False, then: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return what the network says of X: its answer, or its scores; or what `then` makes of them, row by row."""
        self._check_fitted()
        return self._answers_to(self._encoded(X), scores=scores, then=then)

    def _answers_to(
        self, columns: Columns, *, scores: bool = False, then: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        inputs = self.network_.ready(columns)
        if lengths_of(inputs) is not None:
            groups, parts = zip(*self._group_answers(inputs, scores=scores, then=then), strict=True)
            return torch.cat(parts)[torch.cat(groups).argsort()]
        return self._in_pieces(self._method(scores=scores, then=then), cast("Mapping[str, Tensor]", inputs))

    def _in_pieces(self, method: Callable[[Any], Tensor], inputs: Mapping[str, Tensor]) -> Tensor:
        """Return what `method` answers to dense samples, asked in pieces that fit the memory."""
        rows = len(next(iter(inputs.values())))
        device = self.network_.device
        # pictures are multiplied in one way whatever their number: each has one answer, alone or with others
        with (
            torch.inference_mode(),
            fast_products(self.network_, math.inf if "image" in inputs else rows, precision=self._precision()),
        ):
            return _readable(self._dense_answers(method, inputs, rows, device))

    def _answers_in_groups(
        self, X: Any, *, scores: bool = False, then: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Return how long the texts or sequences of X are, and what the network says of them, by `_group_answers`."""
        self._check_fitted()
        inputs = self.network_.ready(self._encoded(X))
        lengths = lengths_of(inputs)
        if lengths is None:
            raise TypeError("only texts and sequences have answers in groups")
        return lengths, self._group_answers(inputs, scores=scores, then=then)

    def _group_answers(
        self, inputs: Columns, *, scores: bool, then: Callable[[Tensor], Tensor] | None
    ) -> list[tuple[Tensor, Tensor]]:
        """Return rows of about equal length, and what the network says of them, until all have been asked of."""
        device = self.network_.device
        method, lengths = self._method(scores=scores, then=then), lengths_of(inputs)
        # multiplied in one way whatever their number, as pictures are
        with torch.inference_mode(), fast_products(self.network_, math.inf, precision=self._precision()):
            groups = by_length(cast(Tensor, lengths), STEPS_TOGETHER)
            batches = ({k: t.to(device) for k, t in side_by_side(inputs, some).items()} for some in groups)
            return [(some, _readable(method(batch).cpu())) for some, batch in zip(groups, batches, strict=True)]

    def _method(self, *, scores: bool, then: Callable[[Tensor], Tensor] | None) -> Callable[[Any], Tensor]:
        network = self._asked(scores=scores)
        return network if then is None else lambda given: then(network(given))

    def _dense_answers(
        self, method: Callable[[Any], Tensor], inputs: Mapping[str, Tensor], rows: int, device: torch.device
    ) -> Tensor:
        row_bytes = sum(tensor[:1].numel() * 8 for tensor in inputs.values())
        size = max(16, CHUNK_BYTES // max(1, row_bytes))
        if "image" in inputs and rows > 1:
            size = min(size, most_images(self.network_, inputs["image"]) or size)
        if rows <= size and device.type == "cpu":
            return method(inputs)
        parts = (slice(i, i + size) for i in range(0, rows, size))
        pieces = ({k: load(t, part).to(device) for k, t in inputs.items()} for part in parts)
        return torch.cat([method(piece).cpu() for piece in pieces])

    def _asked(self, *, scores: bool) -> Callable[[Mapping[str, Tensor]], Tensor]:
        """Return what is asked for answers, or scores, of encoded rows."""
        return self.network_.raw_scores if scores else self.network_

    def _precision(self) -> str:
        return "auto"

    def _encoded(self, X: Any) -> Columns:
        return plain_columns(self, X) or self.encoder_.encode(self._dataset(X, reset=False))

    def __sklearn_tags__(self):
        """Return scikit-learn's own tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn whether `fit` was called."""
        return hasattr(self, "network_")


@contextlib.contextmanager
def random_state(seed: int) -> Iterator[None]:
    """Run with torch's random state seeded, and put back what was there before."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed_all(seed)
        yield


def _readable(answers: Tensor) -> Tensor:
    """Return answers as numpy can hold them, which has no bfloat16."""
    return answers.float() if answers.dtype == torch.bfloat16 else answers
