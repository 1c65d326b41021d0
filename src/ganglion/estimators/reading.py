"""What a user gives, read: features as a data set that looks like that of training, weights, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import torch
from sklearn.utils.validation import validate_data
from torch import Tensor

from ganglion.data.audio_encoding import AudioEncoder
from ganglion.data.columns import share_memory
from ganglion.data.convert import as_dataset, holds_texts, refuse_mixed_texts
from ganglion.data.dataset import Dataset
from ganglion.data.encoders import modality_of
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.image_folder import pictures_to_dataset
from ganglion.data.images import STRETCHED
from ganglion.data.pictures import CHANNELS, holds_pictures
from ganglion.data.read import read_as
from ganglion.data.recording_folder import recordings_to_dataset
from ganglion.data.recordings import holds_pairs, holds_recordings
from ganglion.data.resizing import Reading
from ganglion.data.sequences import SequenceEncoder, holds_sequences, sequences_to_dataset
from ganglion.errors import InvalidInput
from ganglion.networks.inputs import ORDINARY

if TYPE_CHECKING:
    from ganglion.estimators.base import Estimator

FEW_BYTES = 2**20  # of pictures, which are then not read from a disk


def features_and_target(X: Any, y: Any) -> tuple[Any, Any]:
    """Return features and target; a data set may bring its own target."""
    if isinstance(X, Dataset) and y is None and X.target:
        return X.X_y()
    return (X.drop(X.target), y) if isinstance(X, Dataset) and X.target else (X, y)


def name_of_target(X: Any, y: Any) -> str:
    """Return what the target is called: by the columns of a data set or frame, or the name of a series; else ""."""
    if y is None:
        names = X.target if isinstance(X, Dataset) else ()
    else:
        names = getattr(y, "columns", [getattr(y, "name", None)])
    return ", ".join(str(name) for name in names if name is not None)


def read_features(estimator: Estimator, X: Any, *, reset: bool) -> Dataset:
    """Read features, and compare their names and number with those of training."""
    if scipy.sparse.issparse(X):
        X = X.toarray()
    X = _recordings(estimator, X, reset=reset)
    X = _sequences(estimator, _pictures(estimator, X, reset=reset), reset=reset)
    X = (
        as_dataset(X) if holds_pairs(X) or holds_texts(X) else X
    )  # as an array, every text would take as much as the longest
    names = None if reset or not has_named_columns(estimator) or isinstance(X, Dataset) else estimator.feature_names_in_
    if isinstance(X, list | tuple):
        refuse_mixed_texts(X)
        X = np.asarray(X) if _is_rectangle(X) else X
    data = as_dataset(X)
    if isinstance(X, Dataset):
        _note_columns(estimator, data, reset=reset)
    else:
        _check_columns(estimator, X, data, reset=reset)
    block = len(data.fields) == 1 and len(data.fields[0].shape) == 1
    return as_dataset(X, names=list(names)) if names is not None and block else data


def _pictures(estimator: Estimator, X: Any, *, reset: bool) -> Any:
    """Return pictures of any size, and files of pictures, as a data set in the form of training."""
    if "image" not in estimator.tags.modalities:
        return X
    if reset:
        return pictures_to_dataset(X, Reading()) if holds_pictures(X) and not _is_stack(X) else X
    if not isinstance(estimator.encoder_, ImageEncoder):
        return X
    if isinstance(X, str | os.PathLike):
        data = read_as(X, replace(estimator.encoder_.reading, corrupt="refuse"))  # each file needs its answer
        return data.drop(data.target)
    if holds_pictures(X) and not _is_stack(X, estimator.encoder_.shape[1:]):
        return pictures_to_dataset(X, estimator.encoder_.reading)
    return X


def _recordings(estimator: Estimator, X: Any, *, reset: bool) -> Any:
    """Return recordings in memory, and files of sound, as a data set, at the rate of training."""
    if "audio" not in estimator.tags.modalities or isinstance(X, Dataset):
        return X
    encoder = None if reset else estimator.encoder_
    if not reset and not isinstance(encoder, AudioEncoder):
        return X
    reading = Reading(rate=encoder.rate if isinstance(encoder, AudioEncoder) else None, corrupt="refuse")
    if isinstance(X, str | os.PathLike) and not reset:
        data = read_as(X, reading)  # each file needs its answer
        return data.drop(data.target)
    return recordings_to_dataset(X, reading) if holds_recordings(X) else X


def _sequences(estimator: Estimator, X: Any, *, reset: bool) -> Any:
    """Return sequences of numbers as a data set, where they are read as such and not as images or as a table."""
    if "sequence" not in estimator.tags.modalities:
        return X
    equally_long = not reset and isinstance(estimator.encoder_, SequenceEncoder) and estimator.encoder_.width == 1
    return sequences_to_dataset(X) if holds_sequences(X, equally_long=equally_long) else X


def has_named_columns(estimator: Estimator) -> bool:
    """Return whether the columns of training had names."""
    return hasattr(estimator, "feature_names_in_")


def _note_columns(estimator: Estimator, data: Dataset, *, reset: bool) -> None:
    if reset:
        estimator.n_features_in_ = sum(int(np.prod(field.shape or (1,))) for field in data.features)
        if all(not field.shape and field.kind != "audio" for field in data.features):
            estimator.feature_names_in_ = np.array([field.name for field in data.features], dtype=object)
        elif has_named_columns(estimator):
            del estimator.feature_names_in_


def read_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return sample weights as numbers that can be trusted, one a sample."""
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
    return weight if weight.flags.writeable else weight.copy()


def plain_columns(estimator: Estimator, X: Any) -> dict[str, Tensor] | None:
    """Return what X becomes if it needs no reading: a matrix of ordinary numbers, or some pictures, as in training.

    None for all else, which is read and checked: of one row, reading took longer than the network.
    """
    if type(X) is not np.ndarray or not X.size or not X.flags.c_contiguous:
        return None
    encoder = estimator.encoder_
    if isinstance(encoder, ImageEncoder):
        return {"image": share_memory(X).view(-1, *encoder.shape)} if _are_pictures(encoder, X) else None
    plain = (
        isinstance(encoder, TableEncoder)
        and X.ndim == 2
        and X.flags.writeable
        and X.dtype in (np.float64, np.float32)
        and X.shape[1] == estimator.n_features_in_
        and not has_named_columns(estimator)
        and [len(field.shape) for field in encoder.fields] == [1]
        and _are_ordinary(X)
    )
    return {"ordinary": torch.from_numpy(X)} if plain else None


def _are_pictures(encoder: ImageEncoder, X: np.ndarray) -> bool:
    """Return whether an array is some pictures, in bytes, of the size and order of axes of training."""
    channels, height, width = encoder.shape
    axes_are_clear = (
        channels in CHANNELS
        and max(CHANNELS) < min(height, width)
        and max(height, width) <= STRETCHED * min(height, width)
    )
    same = X.shape[1:] == encoder.shape or (channels == 1 and X.shape[1:] == (height, width))
    return same and axes_are_clear and X.dtype == np.uint8 and X.nbytes <= FEW_BYTES


_GIVE = {
    "table": "a table, (n_samples, n_features)",
    "image": "an array (n, height, width), or (n, height, width, channels)",
    "text": "a list of texts",
    "sequence": "arrays (steps, numbers)",
    "music": "pieces, each a list of chords of MIDI pitches",
    "series": "a table whose rows are steps",
    "audio": "paths of recordings, or pairs (rate, samples)",
}
_CALLED = {
    "table": "tables",
    "image": "images",
    "text": "texts",
    "sequence": "sequences of numbers",
    "music": "pieces of music",
    "series": "series",
    "audio": "recordings",
}


def check_modality(estimator: Estimator, data: Dataset) -> None:
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
    if not reset and isinstance(estimator.encoder_, AudioEncoder):
        return  # the encoder says what it misses
    if isinstance(X, Mapping):
        _note_columns(estimator, data, reset=reset)
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
    if has_named_columns(estimator):
        trained = ", ".join(map(str, estimator.feature_names_in_[:20]))
        given = ", ".join(data.names[:20])
        return (
            f"\nThe model was trained on the columns {trained}. Given: {given}. Take them by name: "
            "X[list(model.feature_names_in_)]."
        )
    return " Give the columns of training, in the same order."
