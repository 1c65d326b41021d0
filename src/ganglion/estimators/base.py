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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

import numpy as np
import scipy.sparse
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data
from torch import Tensor

from ganglion.data.convert import as_dataset, holds_texts, refuse_mixed_texts
from ganglion.data.dataset import Dataset
from ganglion.data.encoders import AnyEncoder, modality_of
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.image_folder import holds_pictures, pictures_to_dataset
from ganglion.data.ragged import Column, Columns, by_length, lengths_of, side_by_side
from ganglion.data.read import read_as
from ganglion.data.resizing import Reading
from ganglion.data.sequences import SequenceEncoder, holds_sequences, sequences_to_dataset
from ganglion.data.spool import load
from ganglion.data.suspicions import refuse_swapped_axes, warn_of_repeated_rows, warn_of_suspicions
from ganglion.errors import GanglionError, InvalidInput
from ganglion.estimators.session import Session, open_session
from ganglion.estimators.spec import Spec
from ganglion.networks.inputs import ORDINARY
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
        that answers a text), "language_modelling".
    modalities : tuple of str
        What it reads: "table", "image", "text", "sequence" (steps of numbers, as many as there are).
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
        "classification", "regression", "segmentation", "detection", "tagging", "translation", "language_modelling"
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
        history_: History
        n_features_in_: int

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
    ) -> Self:
        """Learn from data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), frame, image stack, list of texts, sequences or Dataset
            Numbers, categories, booleans and dates; missing values are NaN or None. Image stacks have shape
            (n_samples, height, width), (…, height, width, channels) or (…, channels, height, width). Sequences are
            arrays (n_samples, steps, numbers), or a list of arrays (steps, numbers), as long as each may be.
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
            X, y = _features_and_target(X, y)
            data = self._dataset(X, reset=True)
            _check_modality(self, data)
            refuse_swapped_axes(data, y)
            weight = self._weights(sample_weight, len(data))
            y = self._read_target(y, data, reset=True, weight=weight)
            warn_of_suspicions(data, y)
            kept = np.arange(len(data))
            if weight is not None and not weight.all():  # a weight of 0 is absence, in every statistic
                kept = np.flatnonzero(weight)
                data, y, weight = data.take(kept), y[kept], weight[kept]
            self.encoder_ = self._fit_encoder(data)
            samples = Samples(dict(self.encoder_.encode(data)), y, weight, kept)
            held_out = self._held_out(validation, data)
            session = open_session(
                self, samples.inputs, y, seed=self._seed(), callbacks=callbacks, checkpoint=checkpoint, resume=resume
            )
            with random_state(session.seed):
                self._learn(samples, held_out, session)
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
        """What the estimator was trained on: "table", "image", "text" or "sequence"."""
        return self.encoder_.to_json()["modality"]

    def _fit_encoder(self, data: Dataset) -> AnyEncoder:
        """Return the encoder that suits the columns of a training set."""
        modality = modality_of(data, self.tags.modalities)
        if modality == "image":
            return ImageEncoder.fit(data, any_size=self.tags.any_size)
        return SequenceEncoder.fit(data) if modality == "sequence" else TableEncoder.fit(data)

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        raise NotImplementedError

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        """Return the target of `data` as an array that can be trusted; `reset` learns from it what it looks like."""
        raise NotImplementedError

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        """Read features, and compare their names and number with those of training."""
        if scipy.sparse.issparse(X):
            X = X.toarray()
        X = self._sequences(self._pictures(X, reset=reset), reset=reset)
        X = as_dataset(X) if holds_texts(X) else X  # as an array, every text would take as much as the longest
        names = None if reset or not self._named_columns() or isinstance(X, Dataset) else self.feature_names_in_
        if isinstance(X, list | tuple):
            refuse_mixed_texts(X)
            X = np.asarray(X) if _is_rectangle(X) else X
        data = as_dataset(X)
        if isinstance(X, Dataset):
            self._note_columns(data, reset=reset)
        else:
            _check_columns(self, X, data, reset=reset)
        block = len(data.fields) == 1 and len(data.fields[0].shape) == 1
        return as_dataset(X, names=list(names)) if names is not None and block else data

    def _pictures(self, X: Any, *, reset: bool) -> Any:
        """Return pictures of any size, and files of pictures, as a data set in the form of training."""
        if "image" not in self.tags.modalities:
            return X
        if reset:
            return pictures_to_dataset(X, Reading()) if holds_pictures(X) and not _is_stack(X) else X
        if not isinstance(self.encoder_, ImageEncoder):
            return X
        if isinstance(X, str | os.PathLike):
            data = read_as(X, replace(self.encoder_.reading, corrupt="refuse"))  # each file needs its answer
            return data.drop(data.target)
        if holds_pictures(X) and not _is_stack(X, self.encoder_.shape[1:]):
            return pictures_to_dataset(X, self.encoder_.reading)
        return X

    def _sequences(self, X: Any, *, reset: bool) -> Any:
        """Return sequences of numbers as a data set, where they are read as such and not as images or as a table."""
        if "sequence" not in self.tags.modalities:
            return X
        equally_long = not reset and isinstance(self.encoder_, SequenceEncoder) and self.encoder_.width == 1
        return sequences_to_dataset(X) if holds_sequences(X, equally_long=equally_long) else X

    def _named_columns(self) -> bool:
        return hasattr(self, "feature_names_in_")

    def _note_columns(self, data: Dataset, *, reset: bool) -> None:
        if reset:
            self.n_features_in_ = sum(int(np.prod(field.shape or (1,))) for field in data.features)
            if all(not field.shape for field in data.features):
                self.feature_names_in_ = np.array([field.name for field in data.features], dtype=object)
            elif self._named_columns():
                del self.feature_names_in_

    def _weights(self, sample_weight: Any, n_samples: int) -> np.ndarray | None:
        if sample_weight is None:
            return None
        try:
            weight = np.asarray(sample_weight, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"sample_weight must hold numbers ({error}). Give one number a sample.") from error
        if weight.ndim == 0:
            weight = np.full(n_samples, float(weight))
        if weight.shape != (n_samples,):
            raise InvalidInput(
                f"sample_weight has shape {weight.shape}, but there are {n_samples} samples. Give one weight a sample."
                + (" Sample weights must be 1D array or scalar." if weight.ndim > 1 else "")
            )
        if not np.isfinite(weight).all() or (weight < 0).any():
            wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
            raise InvalidInput(
                f"sample_weight holds negative, missing or infinite values: {weight[wrong[0]]:g} in row {wrong[0]}, "
                f"{len(wrong)} in all. Give weights of 0 or more."
            )
        if not weight.any():
            raise InvalidInput(
                "sample_weight is zero for every sample, so there is nothing to learn from: the sum of weights must "
                "be positive."
            )
        return weight

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

    def _answers(self, X: Any, *, scores: bool = False, then: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return what the network says of X: its answer, or its scores; or what `then` makes of them, row by row."""
        self._check_fitted()
        inputs = self._encoded(X)
        if lengths_of(inputs) is not None:
            groups, parts = zip(*self._group_answers(inputs, scores=scores, then=then), strict=True)
            return torch.cat(parts)[torch.cat(groups).argsort()]
        rows = len(next(iter(inputs.values())))
        device = next(self.network_.parameters()).device
        method = self._method(scores=scores, then=then)
        # pictures are multiplied in one way whatever their number: each has one answer, alone or with others
        with (
            torch.inference_mode(),
            fast_products(self.network_, math.inf if "image" in inputs else rows, precision=self._precision()),
        ):
            return _readable(self._dense_answers(method, cast("Mapping[str, Tensor]", inputs), rows, device))

    def _answers_in_groups(
        self, X: Any, *, scores: bool = False, then: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """Return how long the texts or sequences of X are, and what the network says of them, by `_group_answers`."""
        self._check_fitted()
        inputs = self._encoded(X)
        lengths = lengths_of(inputs)
        if lengths is None:
            raise TypeError("only texts and sequences have answers in groups")
        return lengths, self._group_answers(inputs, scores=scores, then=then)

    def _group_answers(
        self, inputs: Columns, *, scores: bool, then: Callable[[Tensor], Tensor] | None
    ) -> list[tuple[Tensor, Tensor]]:
        """Return rows of about equal length, and what the network says of them, until all have been asked of."""
        device = next(self.network_.parameters()).device
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
        if "image" in inputs:
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
        if self._is_plain(X):
            return {"ordinary": torch.from_numpy(X)}
        return self.encoder_.encode(self._dataset(X, reset=False))

    def _is_plain(self, X: Any) -> bool:
        """Return whether X needs no reading: a matrix of ordinary numbers, as in training."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype in (np.float64, np.float32)
            and X.shape[1] == self.n_features_in_
            and X.shape[0] > 0
            and X.flags.writeable
            and X.flags.c_contiguous
            and not self._named_columns()
            and isinstance(self.encoder_, TableEncoder)
            and [len(field.shape) for field in self.encoder_.fields] == [1]
            and _are_ordinary(X)
        )

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


def _features_and_target(X: Any, y: Any) -> tuple[Any, Any]:
    if isinstance(X, Dataset) and y is None and X.target:
        return X.X_y()
    return (X.drop(X.target), y) if isinstance(X, Dataset) and X.target else (X, y)


_GIVE = {
    "table": "a table, (n_samples, n_features)",
    "image": "an array (n, height, width), or (n, height, width, channels)",
    "text": "a list of texts",
    "sequence": "arrays (steps, numbers)",
}
_CALLED = {"table": "tables", "image": "images", "text": "texts", "sequence": "sequences of numbers"}


def _check_modality(estimator: Estimator, data: Dataset) -> None:
    """Refuse data of a modality that the estimator does not read."""
    read = estimator.tags.modalities
    found = modality_of(data, read)
    if found in read:
        return
    what = f"a table of columns {', '.join(data.names[:10])} was" if found == "table" else f"{_CALLED[found]} were"
    raise InvalidInput(
        f"{type(estimator).__name__} reads {' and '.join(_CALLED[each] for each in read)}, but {what} given. Give "
        f"{' or '.join(_GIVE[each] for each in read)}, or take an algorithm for {_CALLED[found]}."
    )


def _are_ordinary(X: np.ndarray) -> bool:
    """Return whether no number is missing, infinite or huge."""
    # torch's, not numpy's: the threads of another library would stand in the way of the products to come
    low, high = torch.aminmax(torch.from_numpy(X))
    return low.item() > -ORDINARY and high.item() < ORDINARY


def _readable(answers: Tensor) -> Tensor:
    """Return answers as numpy can hold them, which has no bfloat16."""
    return answers.float() if answers.dtype == torch.bfloat16 else answers


def _is_stack(X: Any, sides: tuple[int, ...] | None = None) -> bool:
    """Return whether a list of arrays is one stack of images, of one (height, width)."""
    if not isinstance(X, list | tuple) or not all(isinstance(each, np.ndarray) for each in X):
        return False
    shapes = {each.shape for each in X}
    return len(shapes) == 1 and (sides is None or sides in (shape := shapes.pop(), shape[:2], shape[1:]))


def _is_rectangle(rows: Sequence[Any]) -> bool:
    """Return whether nested lists have rows of equal length, so that an array can be made of them."""
    if not rows or not isinstance(rows[0], list | tuple | np.ndarray):
        return True
    return len({len(row) if isinstance(row, list | tuple | np.ndarray) else -1 for row in rows}) == 1


def _check_columns(estimator: Estimator, X: Any, data: Dataset, *, reset: bool) -> None:
    """Let scikit-learn compare names and number of columns; stacks of images are compared by their encoder."""
    if any(field.kind == "image" for field in data.fields):
        if reset:
            estimator.n_features_in_ = int(np.prod(data.fields[0].shape))
        return
    if isinstance(X, Mapping):
        estimator._note_columns(data, reset=reset)
        return
    if reset and type(X) is np.ndarray:  # nothing to ask; asking loads every plug-in of narwhals, once a process
        estimator.n_features_in_ = X.shape[1]
        estimator.__dict__.pop("feature_names_in_", None)
        return
    try:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    except ValueError as error:
        raise InvalidInput(f"{str(error).rstrip()}{_what_to_do(estimator, data)}") from error


def _what_to_do(estimator: Estimator, data: Dataset) -> str:
    """Return what a user can do whose columns are not those of training."""
    if isinstance(getattr(estimator, "encoder_", None), ImageEncoder):
        return f" It was trained on images (channels, height, width) = {estimator.encoder_.spec.image}: give images."
    if estimator._named_columns():
        trained = ", ".join(map(str, estimator.feature_names_in_[:20]))
        given = ", ".join(data.names[:20])
        return (
            f"\nThe model was trained on the columns {trained}. Given: {given}. Take them by name: "
            "X[list(model.feature_names_in_)]."
        )
    return " Give the columns of training, in the same order."
