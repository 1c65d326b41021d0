"""Folders, zips, tables and lists of recordings as a data set: a folder a class, a table that names them, or none.

The data set has a column "audio", the target, and two that tell the recordings apart and are no features: "file", as
the user knows it, and "seconds". Folders train/, val/ and test/ are parts, as of pictures. All recordings are at one
rate; those of 16 bits stay whole numbers, which takes half the memory, and what is too large for it lies on disk.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganglion.data.csv_file import csv_to_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.data.file_tree import (
    PART_FOLDERS,
    Part,
    Skipped,
    Tree,
    listed,
    part_folders,
    refuse_or_tell,
    told,
    tree_of,
)
from ganglion.data.image_files import is_picture
from ganglion.data.image_layouts import TABLES, beside_table, content, names_files, of_part
from ganglion.data.image_set import attempts
from ganglion.data.json_lines import SUFFIXES as JSON_LINES
from ganglion.data.json_lines import json_lines_to_dataset
from ganglion.data.memory import is_large
from ganglion.data.ragged import Ragged
from ganglion.data.recording_files import KINDS, Head, decode, is_recording, load_soundfile, look
from ganglion.data.recordings import NAME, common_rate, is_silent, pairs_to_dataset, tell_rates, tell_silent
from ganglion.data.resizing import Reading
from ganglion.data.samples import shortened
from ganglion.data.spool import on_disk
from ganglion.data.strings import Column, label_column, text_column
from ganglion.errors import DataWarning, InvalidFile

INDEX = ("file", "seconds")
ANSWERS = ("transcript", "transcription", "sentence", "text", "label", "class")  # names of columns that tell the target


@dataclass(slots=True)
class Listing:
    """Recordings of a tree, as the user knows them, and what is known of each: a class, or a row of a table."""

    files: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    table: Dataset | None = None
    notes: list[str] = field(default_factory=list)


def is_recording_tree(tree: Tree) -> bool:
    """Say whether a folder or zip holds recordings, more of them than pictures and texts."""
    n_recordings = sum(map(is_recording, tree.files))
    return n_recordings > sum(is_picture(file) or file.lower().endswith(".txt") for file in tree.files)


def recordings_of_tree(tree: Tree, reading: Reading, part: Part = "train") -> Dataset | None:
    """Read a folder or zip of recordings; None if it has no such part.

    Parameters
    ----------
    tree : Tree
    reading : Reading
        Its `rate` and `corrupt` count.
    part : "train" or "test"
        A tree without parts is all "train".

    Raises
    ------
    InvalidFile
        If no recording can be read, or one cannot and `corrupt` is "refuse".
    MissingExtra
        If soundfile is not installed.
    """
    tree = tree.named_after(part).unwrapped(_is_used, _is_wrapper)
    tables = [file for file in tree.loose() if file.lower().endswith((*TABLES, *JSON_LINES))]
    listing = _of_tables(tree, tables, part) if tables else None
    if listing is None:
        parts = part_folders(tree, is_recording)
        if parts is None and part == "test":
            return None
        listing = _of_folders(tree, [tree] if parts is None else [tree.below(folder) for folder in parts[part]])
    return _dataset(tree, listing, reading) if listing.files else None


def recordings_to_dataset(X: Any, reading: Reading) -> Dataset:
    """Return recordings in memory, or named by their paths, as a data set, one row each; each must be readable.

    Parameters
    ----------
    X : sequence of (rate, samples), or of paths
    reading : Reading
    """
    if isinstance(X[0], str | os.PathLike):
        return recordings_of_files([Path(each) for each in X], replace(reading, corrupt="refuse"))
    return pairs_to_dataset(list(X), reading.rate)


def recordings_of_files(paths: Sequence[Path], reading: Reading) -> Dataset:
    """Read recordings that may lie anywhere; errors as of `recordings_of_tree`."""
    tree = tree_of(paths)
    return _dataset(tree, Listing(list(tree.files), list(tree.files)), reading)


def with_recordings(table: Dataset, path: Path, reading: Reading) -> Dataset:
    """Return a table with the recordings that a column of it names; the table itself if none does.

    Parameters
    ----------
    table : Dataset
    path : Path
        The file that it was read from: names are relative to its folder.
    reading : Reading
    """
    column = names_files(table, is_recording)
    if column is None:
        return table
    tree = Tree(path.name, (), root=path.parent)
    return _dataset(tree, _beside(tree, table, column, path.name), reading)


def _is_used(file: str) -> bool:
    return is_recording(file) or file.lower().endswith((*TABLES, *JSON_LINES))


def _is_wrapper(inner: Tree, folder: str) -> bool:
    """Say whether the only folder, which holds no folder, is more than a class."""
    tables = any(file.lower().endswith((*TABLES, *JSON_LINES)) for file in inner.files)
    return tables or folder.lower() in PART_FOLDERS


def _of_tables(tree: Tree, files: Sequence[str], part: Part) -> Listing | None:
    """Return what a table says of recordings, or None if none does."""
    naming = {}
    for file in files:
        read = json_lines_to_dataset if file.lower().endswith(JSON_LINES) else csv_to_dataset
        table = read(content(tree, file), str(tree.inside(file)))
        column = names_files(table, is_recording)
        if column is not None:
            naming[file] = table, column
    file = of_part(tree, list(naming), part, "tables") if naming else None
    if file is None:
        return Listing() if naming else None
    table, column = naming[file]
    return _beside(tree, table, column, file)


def _beside(tree: Tree, table: Dataset, column: str, file: str) -> Listing:
    found = beside_table(tree, table, column, file, [each for each in tree.files if is_recording(each)])
    return Listing(found.files, found.names, table=found.table, notes=found.notes)


def _of_folders(tree: Tree, seen: Sequence[Tree]) -> Listing:
    """Return the recordings of a part, and the class of each if there are folders."""
    every = [(each, file) for each in seen for file in each.files if is_recording(file)]
    nested = {file: each.inside(file).parts[0] for each, file in every if len(each.inside(file).parts) > 1}
    if not nested:
        files = [file for _, file in every]
        return Listing(files, [str(tree.inside(file)) for file in files])
    loose = [str(tree.inside(file)) for _, file in every if file not in nested]
    what = "beside the folders of the classes, so that no class is known, and left out"
    notes = [told(loose, f"recording is {what}", f"recordings are {what}")] if loose else []
    return Listing(list(nested), [str(tree.inside(file)) for file in nested], list(nested.values()), notes=notes)


def _dataset(tree: Tree, listing: Listing, reading: Reading) -> Dataset:
    """Decode the recordings of a listing, and put what is known of them beside them."""
    load_soundfile(f"Reading the recordings of {tree.name}")
    heads, skipped = _heads(tree, listing.files)
    rate = reading.rate or common_rate([head.rate for head in heads.values()] or [1])
    column, rows, silent = _decoded(tree, listing.files, heads, rate, skipped)
    names = listing.names
    if not rows:
        wrong = listed(names, sorted(skipped))
        raise InvalidFile(
            f"none of the {len(names)} recordings of {tree.name} can be read: {wrong}. Give {KINDS} files."
        )
    refuse_or_tell(tree, names, sorted(skipped), reading.corrupt, "recordings")
    tell_rates([heads[i].rate for i in rows], rate, reading.rate, tree.name)
    tell_silent([names[i] for i in silent], len(rows), tree.name)
    for note in listing.notes:
        warnings.warn(f"{tree.name}: {note.rstrip('.')}.", DataWarning, stacklevel=3)
    seconds = torch.tensor([heads[i].n_samples / heads[i].rate for i in rows], dtype=torch.float64)
    known, target = _known(listing, rows)
    taken = [each.name for each, _ in known]
    audio, file, length = (_free(name, taken) for name in (NAME, *INDEX))
    columns: list[Column] = [(Field(audio, "audio", rate=rate), column), *known]
    columns += [text_column(file, [names[i] for i in rows]), (Field(length, "numeric"), seconds)]
    values = {each.name: column for each, column in columns}
    return Dataset([each for each, _ in columns], values, target=target, index=[file, length], source=tree.name)


def _heads(tree: Tree, files: Sequence[str]) -> tuple[dict[int, Head], Skipped]:
    """Return what the heads of the files that can be read say, and what is wrong with the others."""
    seen = dict(attempts(tree, dict(enumerate(files)), look))
    skipped = [(i, each) for i, each in seen.items() if isinstance(each, str)]
    return {i: each for i, each in seen.items() if not isinstance(each, str)}, skipped


def _decoded(
    tree: Tree, files: Sequence[str], heads: dict[int, Head], rate: int, skipped: Skipped
) -> tuple[Ragged, list[int], list[int]]:
    """Return the samples, which files they are of, and which of those are silent; notes what cannot be decoded."""
    dtype = torch.int16 if all(head.is_short for head in heads.values()) else torch.float32
    values = _room(sum(head.n_at(rate) for head in heads.values()), dtype)
    ends, rows, silent = [0], [], []
    for i, each in attempts(tree, {i: files[i] for i in heads}, partial(decode, rate=rate)):
        if isinstance(each, str):
            skipped.append((i, each))
            continue
        samples = shortened(each) if dtype == torch.int16 else each
        values[ends[-1] : ends[-1] + len(samples)] = torch.from_numpy(samples)
        ends.append(ends[-1] + len(samples))
        rows.append(i)
        if is_silent(samples):
            silent.append(i)
    return Ragged(values[: ends[-1]], torch.tensor(ends)), rows, silent


def _room(n: int, dtype: torch.dtype) -> Tensor:
    """Return a place for n samples, in memory or on disk."""
    return on_disk({NAME: ((n,), dtype)})[NAME] if is_large(n * dtype.itemsize) else torch.empty(n, dtype=dtype)


def _known(listing: Listing, rows: list[int]) -> tuple[list[Column], list[str]]:
    """Return the columns of what is known of the recordings, and which of them is the target."""
    if listing.labels:
        return [label_column("class", [listing.labels[i] for i in rows])], ["class"]
    table = listing.table
    if table is None:
        return [], []
    table = table if len(rows) == len(table) else table.take(rows)
    names = list(table.names)
    named = [name for known in ANSWERS for name in names if name.lower() == known]
    return [(each, table.columns[each.name]) for each in table.fields], names if len(names) == 1 else named[:1]


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name for a column of ours beside those of a table."""
    while name in taken:
        name = f"recording_{name}"
    return name
