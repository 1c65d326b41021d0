"""What each column of a data set holds, in a few numbers: the first half of an inspection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.chords import LOWEST, note_name
from ganglion.data.dataset import Dataset, Field, Kind
from ganglion.data.ragged import Ragged
from ganglion.data.spool import pieces

MAX_BLOCK = 200  # so many columns of a block are looked at one by one


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One column, reduced to its distinct values.

    Attributes
    ----------
    name : str
        The column's name; columns of a block are called x0, x1, …
    kind : Kind
        As in `Field`.
    values : ndarray of shape (n_distinct,)
        The distinct values in rising order: numbers, or labels of categories. Empty for all that is more than a value.
    codes : ndarray of shape (n_samples,), int64
        Which of them each row has; -1 where the value is missing.
    counts : ndarray of shape (n_distinct,), int64
        How many rows each of them has.
    missing : float
        The share of rows without a value.
    summary : str
        Range, most frequent categories, or length, in words.
    """

    name: str
    kind: Kind
    values: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    missing: float
    summary: str

    @property
    def is_number(self) -> bool:
        """Whether the values have an order."""
        return self.kind in ("numeric", "boolean", "date")

    @property
    def has_values(self) -> bool:
        """Whether distinct values are known: not for text and images."""
        return self.kind not in ("text", "tokens", "sequence", "music", "audio", "image", "mask", "boxes")

    @property
    def n_distinct(self) -> int:
        """How many different values there are."""
        return len(self.values)

    @property
    def numbers(self) -> np.ndarray:
        """The column as numbers (n_samples,), NaN where a value is missing."""
        return np.append(self.values.astype(np.float64), np.nan)[self.codes]


def profile(data: Dataset) -> list[Profile]:
    """Return the profile of each column; a block of numbers is taken apart."""
    profiles = []
    for field in data.fields:
        column = data.columns[field.name]
        if isinstance(column, Ragged):
            profiles.append(_RAGGED.get(field.kind, _of_text)(field, column))
        elif field.kind == "mask":
            profiles.append(_of_masks(field, column))
        elif field.kind == "image":
            profiles.append(_of_images(field, column))
        elif field.kind == "categorical":
            profiles.append(_of_categories(field, column.numpy()))
        elif field.shape:
            profiles += _of_block(field, column)
        else:
            profiles.append(_of_numbers(field.name, field.kind, column.numpy()))
    return profiles


def _of_block(field: Field, column: Tensor) -> list[Profile]:
    block = column.numpy().reshape(len(column), -1)
    return [_of_numbers(f"{field.name}{i}", "numeric", block[:, i]) for i in range(min(block.shape[1], MAX_BLOCK))]


def _of_numbers(name: str, kind: Kind, numbers: np.ndarray) -> Profile:
    is_missing = np.isnan(numbers)
    values, inverse, counts = np.unique(numbers[~is_missing], return_inverse=True, return_counts=True)
    codes = np.full(len(numbers), -1, dtype=np.int64)
    codes[~is_missing] = inverse
    return Profile(name, kind, values, codes, counts, float(is_missing.mean()), _range(kind, values, counts))


def _range(kind: Kind, values: np.ndarray, counts: np.ndarray) -> str:
    if not len(values):
        return "nothing"
    if kind == "boolean":
        return f"true {(counts * values).sum() / counts.sum():.0%}"
    if kind == "date":
        return f"{_day(values[0])} … {_day(values[-1])}"
    return f"{values[0]:.6g} … {values[-1]:.6g}, mean {np.average(values, weights=counts):.4g}"


def _day(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s")).split("T")[0]


def _of_categories(field: Field, codes: np.ndarray) -> Profile:
    counts = np.bincount(codes[codes >= 0], minlength=len(field.categories))
    used = np.flatnonzero(counts)  # a part of a data set may not hold all categories
    new_code = np.full(len(counts) + 1, -1, dtype=np.int64)
    new_code[used] = np.arange(len(used))
    labels = np.array(field.categories, dtype=object)[used]
    top = used[np.argsort(-counts[used], kind="stable")][:3]
    shares = [f" {counts[i] / counts.sum():.0%}" if counts[i] > 1 else "" for i in top]  # names need no share
    shown = ", ".join(f"{_short(field.categories[i])}{share}" for i, share in zip(top, shares, strict=True))
    missing = float((codes < 0).mean())
    return Profile(field.name, "categorical", labels, new_code[codes], counts[used], missing, shown or "nothing")


def _short(name: object) -> str:
    label = str(name)
    return label if len(label) <= 24 else f"{label[:23]}…"


def _of_text(field: Field, column: Ragged) -> Profile:
    words = words_in(column)
    low, middle, most, high = np.quantile(words, [0.0, 0.5, 0.95, 1.0], method="lower").tolist()
    summary = f"{low:,} … {high:,} words, half have up to {middle:,}, 95 % up to {most:,}"
    if low == high:
        summary = f"{low:,} word{'' if low == 1 else 's'} each"
    return _opaque(field, float((words == 0).mean()), summary)


def words_in(column: Ragged) -> np.ndarray:
    """Return how many words, parted by blanks, each text of a column has, (n_samples,) int64; an empty one has none."""
    letters = column.values.numpy() > ord(" ")
    begins = letters.copy()
    begins[1:] &= ~letters[:-1]
    starts = column.offsets[:-1].numpy()
    starts = starts[starts < len(letters)]
    begins[starts] |= letters[starts]  # the text before may end without a blank
    return np.diff(np.concatenate([[0], begins.cumsum()])[column.offsets.numpy()])


def _of_tokens(field: Field, column: Ragged) -> Profile:
    lengths, counts = column.lengths.numpy(), torch.bincount(column.values, minlength=len(field.categories)).numpy()
    shown = ", ".join(_short(field.categories[i]) for i in np.argsort(-counts, kind="stable")[:3].tolist())
    summary = f"{lengths.min()} … {lengths.max()} words, mean {lengths.mean():.0f}; {(counts > 0).sum():,} different"
    return _opaque(field, float((lengths == 0).mean()), f"{summary}: {shown}")


def _of_sequences(field: Field, column: Ragged) -> Profile:
    lengths, width = column.lengths.numpy(), field.shape[0]
    missing = float(column.values.isnan().double().mean()) if len(column.values) else 0.0
    steps = f"{lengths.min()} … {lengths.max()} steps, mean {lengths.mean():.0f}"
    return _opaque(field, missing, f"{steps}, of {width} number{'s' if width > 1 else ''}")


def _of_music(field: Field, column: Ragged) -> Profile:
    lengths, notes = column.lengths.numpy(), column.values.sum(1, dtype=torch.int64)
    heard = column.values.any(0).nonzero().flatten().tolist() or [0]
    names = " to ".join(note_name(LOWEST + heard[at]) for at in (0, -1))
    steps = f"{lengths.min()} … {lengths.max()} steps{f' of {field.step}' if field.step else ''}"
    summary = f"{steps}, mean {lengths.mean():.0f}; {float(notes.double().mean()):.2g} notes a step, {names}"
    return _opaque(field, 0.0, summary)


def _of_recordings(field: Field, column: Ragged) -> Profile:
    seconds = column.lengths.numpy() / field.rate
    lengths = f"{seconds.min():.2g} … {seconds.max():.2g} s, mean {seconds.mean():.2g} s"
    return _opaque(field, 0.0, f"{lengths}; {field.rate:,} samples a second, {seconds.sum() / 60:.3g} minutes in all")


def _of_images(field: Field, column: Tensor) -> Profile:
    channels, height, width = cast("tuple[int, int, int]", field.shape)
    what = f"{channels} channel{'s' if channels > 1 else ''}, {str(column.dtype).removeprefix('torch.')}"
    return _opaque(field, 0.0, f"{height} × {width}, {what}")


def _of_masks(field: Field, column: Tensor) -> Profile:
    counts = sum(torch.bincount(part.flatten().long(), minlength=len(field.categories)) for _, part in pieces(column))
    shares = np.asarray(counts) / column.numel()
    order = np.argsort(-shares, kind="stable")[:3].tolist()
    shown = ", ".join(f"{_short((field.categories or range(len(shares)))[i])} {shares[i]:.0%}" for i in order)
    return _opaque(field, 0.0, f"{column.shape[1]} × {column.shape[2]}, {len(shares)} classes: {shown}")


def _of_boxes(field: Field, column: Ragged) -> Profile:
    counts = np.bincount(column.values[:, 4].long().numpy(), minlength=len(field.categories))
    order = np.argsort(-counts, kind="stable")[:3].tolist()
    shown = ", ".join(f"{_short(field.categories[i])} {counts[i]:,}" for i in order) or "none"
    return _opaque(field, 0.0, f"{np.diff(column.offsets.numpy()).mean():.3g} a picture: {shown}")


def _opaque(field: Field, missing: float, summary: str) -> Profile:
    none = np.empty(0, dtype=np.int64)
    return Profile(field.name, field.kind, none, none, none, missing, summary)


_RAGGED = {
    "boxes": _of_boxes,
    "tokens": _of_tokens,
    "sequence": _of_sequences,
    "music": _of_music,
    "audio": _of_recordings,
}
