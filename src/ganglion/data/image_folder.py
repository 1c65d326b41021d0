"""Folders, zips, tables and lists of picture files as a data set, and pictures in memory of any size as a stack.

The data set has a column "image", the target, and three that tell the pictures apart and are no features: "file", as
the user knows it, and the "height" and "width" of the original, so that masks and boxes can be told in its pixels.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from ganglion.data.annotations import Annotation
from ganglion.data.boxes import Boxes
from ganglion.data.dataset import Dataset, Field
from ganglion.data.file_tree import Part, Tree, refuse_or_tell, tree_of
from ganglion.data.image_layouts import Listing, beside_table, find_layout, names_pictures
from ganglion.data.image_set import Pictures, read_pictures
from ganglion.data.masks import read_masks
from ganglion.data.pictures import stacked
from ganglion.data.ragged import Ragged
from ganglion.data.resizing import Reading, Resize, Size, place
from ganglion.data.strings import Column, label_column, text_column
from ganglion.errors import DataWarning, InvalidFile

INDEX = ("file", "height", "width")


def folder_to_dataset(tree: Tree, reading: Reading, part: Part = "train") -> Dataset | None:
    """Read a folder or zip of pictures, in any of the layouts of `image_layouts`; None if it has no such part.

    Raises
    ------
    InvalidFile
        If there are no pictures, none can be read, one cannot and `reading` refuses that, or what is said of them does
        not fit.
    MissingExtra
        If pillow is not installed.
    SaveFailed
        If the disk has no room for the decoded pictures.
    """
    listing = find_layout(tree, part)
    return None if listing is None else _dataset(tree.named_after(part), listing, reading)


def files_to_dataset(paths: Sequence[Path], reading: Reading) -> Dataset:
    """Read picture files that may lie anywhere; errors as of `folder_to_dataset`."""
    tree = tree_of(paths)
    return _dataset(tree, Listing(list(tree.files), list(tree.files)), reading)


def with_pictures(table: Dataset, path: Path, reading: Reading) -> Dataset:
    """Return a table with the pictures that a column of it names; the table itself if none does.

    Parameters
    ----------
    table : Dataset
    path : Path
        The file that it was read from: names are relative to its folder.
    reading : Reading
    """
    column = names_pictures(table)
    if column is None:
        return table
    tree = Tree(path.name, (), root=path.parent)
    return _dataset(tree, beside_table(tree, table, column, path.name), reading)


def in_files(found: Sequence[Boxes], data: Dataset) -> list[Boxes]:
    """Return boxes in the pixels of the files that pictures were read from, inside the picture.

    Parameters
    ----------
    found : sequence of Boxes
        Of each picture, in pixels of the resized one.
    data : Dataset
        The pictures. Of others than `folder_to_dataset` and its like make, the boxes come back as they are.
    """
    field = next(field for field in data.features if field.kind == "image")
    if not field.resize or len(data.index) < len(INDEX):
        return list(found)
    shown: Size = (field.shape[1], field.shape[2])
    sizes = zip(*(data.values(name).astype(int).tolist() for name in data.index[1:3]), strict=True)
    moved = []
    for each, (height, width) in zip(found, sizes, strict=True):
        boxes = place((height, width), shown, cast(Resize, field.resize)).moved_back(each.boxes)
        moved.append(replace(each, boxes=np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)))
    return moved


def pictures_to_dataset(X: Any, reading: Reading) -> Dataset:
    """Return pictures in memory, or named by their paths, as a data set, one row each.

    Parameters
    ----------
    X : a PIL image, or a sequence of PIL images, paths and arrays
        Arrays are (height, width) or (height, width, channels); numbers that are not uint8 are taken as they are.
    reading : Reading
        Pictures that cannot be read are refused: every one needs its answer.

    Raises
    ------
    InvalidFile, InvalidInput
        If a picture cannot be read.
    """
    reading = replace(reading, corrupt="refuse")
    pictures = list(X) if isinstance(X, list | tuple) else [X]
    if all(isinstance(each, str | os.PathLike) for each in pictures):
        return files_to_dataset([Path(each) for each in pictures], reading)
    images, form = stacked(pictures, reading)
    field = Field("image", "image", tuple(images.shape[1:]), resize=form.resize)
    return Dataset([field], {"image": torch.from_numpy(images)})


def _dataset(tree: Tree, listing: Listing, reading: Reading) -> Dataset:
    """Decode the pictures of a listing, and put what is known of them beside them."""
    pictures = read_pictures(tree, listing.files, reading)
    _tell(tree, listing, pictures, reading)
    rows, table = pictures.rows, listing.table
    names = [listing.names[i] for i in rows]
    columns, target = _known(tree, listing, pictures, names, reading)
    image, *index = (_free(name, () if table is None else table.names) for name in ("image", *INDEX))
    shape = tuple(pictures.images.shape[1:])
    first: Column = (Field(image, "image", shape, resize=reading.resize), pictures.images)
    sizes = torch.from_numpy(pictures.sizes.astype(np.float64))
    last = [text_column(index[0], names), *((Field(name, "numeric"), sizes[:, i]) for i, name in enumerate(index[1:]))]
    data = _of_columns([first, *columns, *last], target, index, tree.name)
    if not listing.masks:
        return data
    masks, kept = _masks(tree, [listing.masks[i] for i in rows], pictures, reading)
    data = data if len(kept) == len(data) else data.take(kept)
    columns = [(field, data.columns[field.name]) for field in data.fields]
    return _of_columns([columns[0], masks, *columns[1:]], [masks[0].name], index, tree.name)


def _of_columns(columns: Sequence[Column], target: Sequence[str], index: Sequence[str], source: str) -> Dataset:
    values = {field.name: column for field, column in columns}
    return Dataset([field for field, _ in columns], values, target=target, index=index, source=source)


def _known(
    tree: Tree, listing: Listing, pictures: Pictures, names: list[str], reading: Reading
) -> tuple[list[Column], Sequence[str]]:
    """Return the columns of what is known of the pictures, masks apart, and which of them is the target."""
    rows = pictures.rows
    if listing.labels:
        return [label_column("class", [listing.labels[i] for i in rows])], ["class"]
    if listing.annotations:
        return [_boxes(tree, [listing.annotations[i] for i in rows], names, pictures, reading)], ["boxes"]
    if listing.table is None:
        return [], []
    table = listing.table if len(rows) == len(listing.table) else listing.table.take(rows)
    return [(field, table.columns[field.name]) for field in table.fields], table.names if len(table.names) == 1 else []


def _boxes(
    tree: Tree, annotations: Sequence[Annotation], names: Sequence[str], pictures: Pictures, reading: Reading
) -> Column:
    """Return the objects of the pictures where they are after resizing; what was cut off wholly is gone."""
    shown: Size = tuple(pictures.images.shape[2:])  # type: ignore[assignment]
    categories = sorted({str(label) for each in annotations for label in each.boxes.labels})
    code_of = {label: code for code, label in enumerate(categories)}
    found, lengths = [np.empty((0, 5), dtype=np.float32)], []
    for each, name, size in zip(annotations, names, pictures.sizes.tolist(), strict=True):
        if each.size is not None and list(each.size) != size:
            raise InvalidFile(
                f"{tree.name}: the annotation of {name} is of a picture {each.size[0]} high and {each.size[1]} wide, "
                f"but it is {size[0]} high and {size[1]} wide. Give the picture that was annotated, or mend the size."
            )
        boxes = place((size[0], size[1]), shown, reading.resize).moved(each.boxes.boxes)
        codes = np.array([code_of[str(label)] for label in each.boxes.labels], dtype=np.float32)
        visible = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        found.append(np.column_stack([boxes, codes])[visible])
        lengths.append(int(visible.sum()))
    values = torch.from_numpy(np.concatenate(found).astype(np.float32))
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    return Field("boxes", "boxes", categories=tuple(categories)), Ragged(values, offsets)


def _masks(tree: Tree, files: Sequence[str], pictures: Pictures, reading: Reading) -> tuple[Column, np.ndarray]:
    """Return the masks of the pictures, and the rows of the pictures whose mask can be read."""
    height, width = pictures.images.shape[2:]
    codes, categories, sizes, skipped = read_masks(tree, files, (height, width), reading.resize)
    refuse_or_tell(tree, [str(tree.inside(file)) for file in files], skipped, reading.corrupt, "masks")
    kept = np.setdiff1d(np.arange(len(files)), [i for i, _ in skipped])
    odd = [i for i in kept if (sizes[i] != pictures.sizes[i]).any()]
    if odd:
        i = int(odd[0])
        (h, w), (mask_h, mask_w) = pictures.sizes[i].tolist(), sizes[i].tolist()
        raise InvalidFile(
            f"{tree.name}: {len(odd)} of {len(files)} masks fit no picture by size: {tree.inside(files[i])} is "
            f"{mask_h} × {mask_w} (height × width), its picture {h} × {w}. Give masks of the size of the pictures."
        )
    return (Field("mask", "mask", (height, width), categories), codes), kept


def _tell(tree: Tree, listing: Listing, pictures: Pictures, reading: Reading) -> None:
    """Warn of what was left out, and of a size that nobody asked for."""
    refuse_or_tell(tree, listing.names, pictures.skipped, reading.corrupt, "pictures")
    for note in listing.notes:
        warnings.warn(f"{tree.name}: {note.rstrip('.')}.", DataWarning, stacklevel=2)
    height, width = pictures.images.shape[2:]
    if reading.size is not None or (pictures.sizes == (height, width)).all():
        return
    heights, widths = (
        f"{a}" if a == b else f"{a} to {b}" for a, b in zip(pictures.sizes.min(0), pictures.sizes.max(0), strict=True)
    )
    warnings.warn(
        f"{tree.name}: the pictures have {heights} pixels in height and {widths} in width. "
        f"They are brought to {height} × {width} (height × width, resize={reading.resize!r}). Choose with size= "
        "(--image-size) and resize= (--resize).",
        DataWarning,
        stacklevel=2,
    )


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name for a column of ours beside those of a table."""
    while name in taken:
        name = f"picture_{name}"
    return name
