"""The numbers in which data that were made are compared with data that are real.

    plain       numbers of a table standardised, 0 for missing; categories one-hot; pixels in [0, 1]
    features    with labels of training rows: the last hidden layer of a classifier that is trained on them here;
                without: the principal components of pixels, or of tables the plain numbers

Distances in the features of another classifier are other distances: figures can be compared with those of models that
were judged on the same rows and labels alone. They are no "FID", which is taken in the features of one network for
photographs (Heusel et al. 2017, arXiv:1706.08500).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from ganglion.errors import GanglionWarning
from ganglion.evaluation.predictions import Array

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset
    from ganglion.data.encoding import TableEncoder

Ways = tuple[Callable[["Dataset"], Array], Callable[[Array], "Dataset"], tuple[str, ...], tuple[int, ...]]

WIDEST = 64  # features
SEEN = 20_000  # rows at most that the classifier is trained on
STEPS, BATCH = 1500, 128  # of its training
FIT = 5000  # rows that statistics and components are found on


@dataclass(frozen=True)
class FeatureSpace:
    """How data become vectors.

    Attributes
    ----------
    plain, features : callable
        Dataset → ndarray (n, d), float64.
    note : str
        What the features are.
    image : tuple of int
        (channels, height, width) of pictures, or empty.
    back : callable
        Plain vectors → Dataset.
    names : tuple of str
        Of the plain numbers; empty for pictures.
    sizes : tuple of int
        How many of the last plain numbers belong to one category each.
    learned : bool
        Whether the features are a classifier's.
    """

    plain: Callable[[Dataset], Array]
    features: Callable[[Dataset], Array]
    note: str
    image: tuple[int, ...]
    back: Callable[[Array], Dataset]
    names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    learned: bool = False


def feature_space(data: Dataset, labels: Array | None = None, *, seed: int = 0) -> FeatureSpace:
    """Return the space for data like these, which are training rows if there are any.

    Parameters
    ----------
    data : Dataset
        A table, or a stack of images.
    labels : ndarray of shape (n,), optional
        Classes of the rows.
    seed : int
        Of the classifier's training, and of the rows that components are found on.
    """
    images = [field for field in data.features if field.kind == "image"]
    plain, back, names, sizes = _pixels(images[0].name, data) if images else _columns(data)
    image = images[0].shape if images else ()
    learned = labels is not None and 2 <= len(np.unique(labels)) <= len(labels) // 4
    if learned and labels is not None:
        features, note = _learned(data, labels, bool(images), seed)
    else:
        rows = np.random.default_rng(seed).permutation(len(data))[:FIT]
        features, note = _components(plain, data.take(rows), bool(images))
    return FeatureSpace(plain, features, note, image, back, names, sizes, learned)


def _pixels(name: str, reference: Dataset) -> Ways:
    from ganglion.data.convert import as_dataset

    column, field = cast(Tensor, reference.columns[name]), reference.field(name)
    are_bytes = column.dtype == torch.uint8
    low, high = (0.0, 255.0) if are_bytes else _range(np.asarray(column[: 10 * FIT]))

    def plain(data: Dataset) -> Array:
        found = next(each.name for each in data.features if each.kind == "image")
        return (np.asarray(data.columns[found]).reshape(len(data), -1).astype(np.float64) - low) / (high - low)

    def back(vectors: Array) -> Dataset:
        pixels = vectors.reshape(-1, *field.shape).clip(0, 1) * (high - low) + low
        return as_dataset(np.round(pixels).astype(np.uint8) if are_bytes else pixels.astype(np.float32))

    return plain, back, (), ()


def _range(pixels: Array) -> tuple[float, float]:
    low, high = float(pixels.min()), float(pixels.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1)


def _columns(reference: Dataset) -> Ways:
    from ganglion.data.encoding import TableEncoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)  # free text is left out
        encoder = TableEncoder.fit(reference)
    numbers, _ = _encoded(encoder, reference)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that is missing throughout has no mean
        mean, deviation = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
    mean, deviation = np.nan_to_num(mean), np.where(deviation > 1e-12 * (np.abs(mean) + 1e-300), deviation, 1.0)
    sizes = encoder.cardinalities

    def plain(data: Dataset) -> Array:
        numbers, codes = _encoded(encoder, data)
        hot = [np.eye(size)[codes[:, j]][:, 1:] for j, size in enumerate(sizes)]  # unknown: no place at all
        return np.concatenate([np.nan_to_num((numbers - mean) / deviation), *hot], axis=1)

    def back(vectors: Array) -> Dataset:
        numbers, start, codes = vectors[:, : len(mean)] * deviation + mean, len(mean), []
        for size in sizes:
            codes.append(
                vectors[:, start : start + size - 1].argmax(axis=1) + 1 if size > 1 else np.zeros(len(vectors))
            )
            start += size - 1
        tensors = {"numeric": torch.from_numpy(numbers)}
        if codes:
            tensors["categorical"] = torch.from_numpy(np.column_stack(codes).astype(np.int64))
        return encoder.decode(tensors)

    names = [*encoder.feature_names[: len(mean)], *(f"{f.name}={c}" for f in encoder.categorical for c in f.categories)]
    return plain, back, tuple(names), tuple(size - 1 for size in sizes)


def _encoded(encoder: TableEncoder, data: Dataset) -> tuple[Array, Array]:
    """Return the numbers of a table, NaN for missing, and the codes of its categories."""
    tensors = encoder.encode(data)
    numbers = tensors["numeric"].double().numpy() if "numeric" in tensors else np.empty((len(data), 0))
    codes = tensors["categorical"].numpy() if "categorical" in tensors else np.empty((len(data), 0), dtype=np.int64)
    return np.where(np.isinf(numbers), np.nan, numbers), codes


def _components(
    plain: Callable[[Dataset], Array], some: Dataset, are_images: bool
) -> tuple[Callable[[Dataset], Array], str]:
    vectors = plain(some)
    width, what = vectors.shape[1], "pixels" if are_images else "standardised numbers, and categories as 0 and 1"
    if width <= WIDEST:
        return plain, f"the {width} {what}"
    n = min(WIDEST, len(vectors) - 1)
    pca = PCA(n, svd_solver="randomized", random_state=0).fit(vectors)
    return lambda data: pca.transform(plain(data)), f"{n} principal components of {width:,} {what}"


def _learned(data: Dataset, labels: Array, are_images: bool, seed: int) -> tuple[Callable[[Dataset], Array], str]:
    """Train a classifier on the rows, and return what its last hidden layer makes of data."""
    from ganglion.registry import algorithm

    name = "CNNClassifier" if are_images else "MLPClassifier"
    rows = np.sort(np.random.default_rng(seed).permutation(len(data))[:SEEN])
    epochs = int(np.clip(STEPS * BATCH / len(rows), 3, 60))
    shape: dict[str, Any] = {"channels": (16, 32), "hidden": (WIDEST,)} if are_images else {"hidden": (128, WIDEST)}
    model = algorithm(name)(epochs=epochs, batch_size=min(BATCH, len(rows)), random_state=seed, **shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)  # of the data, which the model's own training told of
        model.fit(data.take(rows), labels[rows])
    layer = [each for each in model.network_.modules() if isinstance(each, torch.nn.Linear)][-1]

    def features(some: Dataset) -> Array:
        parts: list[Array] = []
        hook = layer.register_forward_pre_hook(lambda _, given: parts.append(given[0].double().cpu().numpy()))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GanglionWarning)
                model.predict_proba(some)
        finally:
            hook.remove()
        return np.concatenate(parts)

    what = f"the {WIDEST} features of the last hidden layer of a {name}, trained here on {len(rows):,} labelled rows"
    return features, f"{what} ({len(np.unique(labels))} classes); no FID"
