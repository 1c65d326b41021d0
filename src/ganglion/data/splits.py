"""Which rows to train on and which to test on, and rows that stand twice."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.boxes import Boxes
from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.data.spool import pieces, row_bytes
from ganglion.data.strings import text_column
from ganglion.data.task import infer_task
from ganglion.errors import InvalidInput, InvalidParameter

LINE_NEAR = 1000  # characters: so far back the end of a line is looked for where a text is cut


def split_end(data: Dataset, share: float) -> tuple[Dataset, Dataset]:
    """Hold out the end of texts: the last ones of several, the last lines of one.

    Parameters
    ----------
    data : Dataset
        With columns of texts.
    share : float
        Of all characters, about.

    Returns
    -------
    begin, end : Dataset

    Raises
    ------
    InvalidInput
        If one of the two would be empty.
    """
    _check_share(share)
    texts = [field.name for field in data.fields if field.kind == "text" and field.name not in data.index]
    lengths = torch.stack([cast(Ragged, data.columns[name]).lengths for name in texts]).sum(0)
    if len(data) > 1:
        behind = lengths.flip(0).cumsum(0).flip(0)  # from each text on
        first = min(max(1, int((behind > share * float(lengths.sum())).sum())), len(data) - 1)
        return data.take(range(first)), data.take(range(first, len(data)))
    if len(texts) != 1:
        raise InvalidInput(f"one row of {len(texts)} columns of text cannot be split. Give one text, or several rows.")
    text = str(data.values(texts[0])[0])
    place = round((1 - share) * len(text))
    line = text.rfind("\n", max(0, place - LINE_NEAR), place) + 1
    place = line or place
    parts = [text[:place], text[place:]]
    if not all(part.strip() for part in parts):
        raise InvalidInput(
            f"a text of {len(text):,} characters is too short to learn from {1 - share:.0%} of it and to be tested on "
            "the rest. Give more text."
        )
    return tuple(_with_text(data, texts[0], part) for part in parts)  # type: ignore[return-value]


def split_pieces(data: Dataset, share: float, random_state: int = 0) -> tuple[Dataset, Dataset, str]:
    """Hold out pieces of music: whole ones at random of several, the end of a single one.

    Parameters
    ----------
    data : Dataset
        With a column of music.
    share : float
        Of the pieces, or of the steps of one.
    random_state : int
        The same seed gives the same pieces.

    Returns
    -------
    train, test : Dataset
    note : str
        What was held out, in words.

    Raises
    ------
    InvalidInput
        If a single piece has one step.
    """
    if len(data) > 1:
        rows, held_out = split(len(data), test_fraction=share, stratify=False, random_state=random_state)
        note = f"{len(held_out):,} of {len(data):,} pieces were held out at random (seed {random_state})."
        return data.take(rows), data.take(held_out), note
    _check_share(share)
    name = next(field.name for field in data.features if field.kind == "music")
    steps = cast(Ragged, data.columns[name]).values
    n_held_out = max(1, round(share * len(steps)))
    if n_held_out >= len(steps):
        raise InvalidInput("one piece of one step cannot be split. Give several pieces, or a longer one.")
    bounds = (slice(len(steps) - n_held_out), slice(len(steps) - n_held_out, None))
    begin, end = ({**data.columns, name: Ragged(steps[part], torch.tensor([0, len(steps[part])]))} for part in bounds)
    parts = (Dataset(data.fields, each, index=data.index, source=data.source) for each in (begin, end))
    return (*parts, f"The last {n_held_out:,} of {len(steps):,} steps of the one piece were held out.")  # type: ignore[return-value]


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise InvalidParameter(f"test_fraction={share}: give a share between 0 and 1, such as 0.2.")


def _with_text(data: Dataset, name: str, text: str) -> Dataset:
    column = text_column(name, [text])[1]
    return Dataset(data.fields, {**data.columns, name: column}, index=data.index, source=data.source)


def split(
    n_or_y: Any,
    *,
    test_fraction: float = 0.2,
    stratify: Any = None,
    groups: Any = None,
    random_state: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and the rows to test on.

    Parameters
    ----------
    n_or_y : int, or array-like of shape (n_samples,)
        How many samples there are, or the target.
    test_fraction : float in (0, 1), default=0.2
        The share of the rows that are tested on.
    stratify : bool, array-like of shape (n_samples,), or None
        Labels whose shares shall be the same in both parts; True takes the target, False none. None takes the target
        if it is one of classes. A class of one single row is trained on.
    groups : array-like of shape (n_samples,), optional
        Rows of one group (a patient, a customer) stay together. Classes are then not balanced.
    random_state : int, default=0
        The same seed gives the same rows.

    Returns
    -------
    train, test : ndarray of int64
        Row indices, each in rising order; together every row once.

    Raises
    ------
    InvalidParameter
        If `test_fraction` is not between 0 and 1.
    InvalidInput
        If there are fewer than two rows or groups, or lengths differ.
    """
    _check_share(test_fraction)
    if random_state < 0:
        raise InvalidParameter(f"random_state={random_state}: give a seed of 0 or more.")
    given_y = None if isinstance(n_or_y, int | np.integer) else np.asarray(n_or_y)
    n = int(n_or_y) if given_y is None else len(given_y)
    if n < 2:
        raise InvalidInput(f"{n} rows cannot be split. At least 2 are needed, one to train on and one to test on.")
    random = np.random.default_rng(random_state)
    labels = _labels(given_y, stratify, n)
    if groups is not None:
        is_test = _whole_groups(_same_length(groups, n, "groups"), test_fraction, random)
    else:
        is_test = _by_class(np.zeros(n, dtype=np.int64) if labels is None else labels, test_fraction, random)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def with_every_class(y: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move the pictures that alone have some class from the test rows to the training rows.

    Parameters
    ----------
    y : ndarray of shape (n_samples, height, width), or (n_samples,) of Boxes
        Classes of pixels, or objects.
    train, test : ndarray of int64
        Row indices, as `split` gives them.

    Returns
    -------
    train, test : ndarray of int64
        In rising order. The test rows stay as they are if all of them would have to move.
    """
    known = set().union(*(labels_in(y[row]) for row in train))
    stays = np.array([labels_in(y[row]) <= known for row in test])
    if stays.all() or not stays.any():
        return train, test
    return np.sort(np.concatenate([train, test[~stays]])), test[stays]


def labels_in(y: Any) -> set[Any]:
    """Return the classes of the pixels of one mask, (height, width), or of the objects of one picture, `Boxes`."""
    return set(np.unique(y.labels if isinstance(y, Boxes) else y).tolist())


def duplicate_rows(data: Dataset, other: Dataset | None = None) -> np.ndarray:
    """Say which rows repeat an earlier row, or stand in another data set too.

    Parameters
    ----------
    data : Dataset
        The rows to look at. All columns but those of the index count, the target too; a missing value equals another
        one.
    other : Dataset, optional
        With it, rows are compared with its rows (it needs the same columns), and not with each other.

    Returns
    -------
    ndarray of shape (n_samples,), bool

    Notes
    -----
    Rows are compared by 64-bit hashes: a million different rows give a false alarm once in 10 million times.
    """
    fields = [field for field in data.fields if field.name not in data.index]
    hashes = _row_hashes(data, fields)
    if other is not None:
        return np.isin(hashes, _row_hashes(other, [other.field(field.name) for field in fields]))
    repeated = np.ones(len(hashes), dtype=bool)
    repeated[np.unique(hashes, return_index=True)[1]] = False
    return repeated


def _labels(y: np.ndarray | None, stratify: Any, n: int) -> np.ndarray | None:
    """Return the class of each row as an integer, or None when all rows are alike."""
    if stratify is None:
        stratify = y is not None and y.ndim == 1 and infer_task(y).is_classification
    if isinstance(stratify, bool | np.bool_):
        if not stratify:
            return None
        if y is None:
            raise InvalidParameter("stratify=True needs the target: give split(y, …), not the number of rows.")
        stratify = y
    values, codes = np.unique(_sortable(_same_length(stratify, n, "stratify")), return_inverse=True)
    return np.unique(values.astype(str), return_inverse=True)[1][codes]  # in the order of their names, numbers too


def _sortable(labels: np.ndarray) -> np.ndarray:
    """Return labels that may be of mixed kinds, or None, as strings; others as they are, which takes less memory."""
    return labels.astype(str) if labels.dtype.kind == "O" else labels


def _same_length(values: Any, n: int, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != (n,):
        raise InvalidInput(f"{name} has shape {array.shape}, but there are {n} rows. Give one value a row.")
    return array


def _by_class(labels: np.ndarray, fraction: float, random: np.random.Generator) -> np.ndarray:
    """Choose test rows so that each class has its share of them, to within one row."""
    counts = np.bincount(labels)
    n_test = min(max(1, round(fraction * len(labels))), len(labels) - 1)
    wanted = counts * fraction
    room = np.maximum(counts - 1, 0)  # one row of each class is trained on
    take = np.minimum(np.floor(wanted).astype(int), room)
    for label in np.lexsort((random.random(len(counts)), -(wanted - take))):  # the largest remainders come first
        if take.sum() < n_test and take[label] < room[label]:
            take[label] += 1
    order = random.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # shuffled within each class, class after class
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.arange(len(labels)) - np.repeat(starts, counts)
    is_test = np.zeros(len(labels), dtype=bool)
    is_test[order] = rank < np.repeat(take, counts)
    if not is_test.any():  # every class has one single row
        is_test[order[0]] = True
    return is_test


def _whole_groups(groups: np.ndarray, fraction: float, random: np.random.Generator) -> np.ndarray:
    """Choose whole groups at random until they hold about the wanted share of the rows."""
    _, group_of, counts = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    if len(counts) < 2:
        raise InvalidInput("all rows are of one group, which cannot be split. Give groups of at least two.")
    order = random.permutation(len(counts))
    filled = np.cumsum(counts[order])
    n_chosen = int(np.argmin(np.abs(filled - fraction * len(groups)))) + 1
    return np.isin(group_of, order[: min(n_chosen, len(counts) - 1)])


def _row_hashes(data: Dataset, fields: list[Field]) -> np.ndarray:
    """Return one uint64 a row; equal rows have equal ones."""
    hashes = np.zeros(len(data), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for place, field in enumerate(fields):
            seed = np.uint64(place * 0x9E3779B97F4A7C15 % 2**64)
            hashes += _mix(_column_hashes(field, data.columns[field.name]) + seed)
    return hashes


def _column_hashes(field: Field, column: Tensor | Ragged) -> np.ndarray:
    if isinstance(column, Ragged):
        if field.kind == "tokens":  # codes differ between data sets, words do not
            table = torch.tensor([hash(word) for word in field.categories], dtype=torch.int64)
            column = Ragged(table[column.values], column.offsets)
        raw, offsets = column.values.numpy().tobytes(), (column.offsets * row_bytes(column.values)).tolist()
        texts = [raw[begin:end] for begin, end in pairwise(offsets)]
        return np.array([hash(text) for text in texts], dtype=np.int64).view(np.uint64)
    if field.kind == "categorical":  # codes differ between data sets, labels do not
        table = np.array([hash(label) for label in (*field.categories, None)], dtype=np.int64)
        hashes = [table[part.numpy()].view(np.uint64) for _, part in pieces(column)]
    else:
        hashes = [_cell_hashes(part.numpy()) for _, part in pieces(column)]
    return np.concatenate([np.empty(0, dtype=np.uint64), *hashes])


def _cell_hashes(values: np.ndarray) -> np.ndarray:
    cells = values.reshape(len(values), -1)
    if cells.dtype == np.uint8:
        cells = np.pad(cells, ((0, 0), (0, -cells.shape[1] % 8))).view(np.uint64)
    else:
        cells = cells.astype(np.float64) + 0.0  # minus zero becomes zero
        cells[np.isnan(cells)] = np.nan  # NaN has many bit patterns
        cells = cells.view(np.uint64)
    seeds = _mix(np.arange(1, cells.shape[1] + 1, dtype=np.uint64))
    return _mix(cells + seeds).sum(axis=1, dtype=np.uint64)


def _mix(x: np.ndarray) -> np.ndarray:
    """Scramble 64 bits, so that sums of the results tell rows apart (the finalizer of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
