"""Many picture files as one tensor: looked at, decoded by several threads, kept in the cache, and never twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, TypeVar, cast

import numpy as np
from torch import Tensor

from ganglion.data import image_files
from ganglion.data.file_tree import ZIP_DAMAGE, Skipped, Tree, listed, reason_of
from ganglion.data.image_cache import FORMAT, Write, kept
from ganglion.data.image_files import Form, Unreadable, choose_form, load_pillow, pillow_warnings
from ganglion.data.memory import memory_bytes, piece_bytes
from ganglion.data.resizing import Reading, Size
from ganglion.errors import InvalidFile

MOST_THREADS = 8

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decoded pictures.

    Attributes
    ----------
    images : Tensor of shape (n_kept, channels, height, width)
    rows : ndarray of shape (n_kept,), int64
        Which of the files that were asked for these are.
    sizes : ndarray of shape (n_kept, 2), int64
        Height and width of each original.
    skipped : list of (int, str)
        The other files, and what is wrong with each, in words that follow its name.
    """

    images: Tensor
    rows: np.ndarray
    sizes: np.ndarray
    skipped: Skipped


def read_pictures(tree: Tree, files: Sequence[str], reading: Reading) -> Pictures:
    """Decode pictures, or take them from the cache.

    Parameters
    ----------
    tree : Tree
    files : sequence of str
        Files of it, one or more.
    reading : Reading

    Raises
    ------
    MissingExtra
        If pillow is not installed.
    InvalidFile
        If no file can be read.
    SaveFailed
        If the disk has no room for them.
    """
    load_pillow(f"Reading the pictures of {tree.name}")
    key = digest(tree, files, "image", reading.size, reading.resize, reading.channels)
    images, notes = kept(key, lambda write: _decode_all(tree, files, reading, write))
    rows, sizes = np.array(notes["rows"], dtype=np.int64), np.array(notes["sizes"], dtype=np.int64)
    return Pictures(images, rows, sizes, [(i, reason) for i, reason in notes["skipped"]])


def digest(tree: Tree, files: Sequence[str], *settings: Any) -> str:
    """Return a name for what files hold and how they are to be read; their own names do not count."""
    total = hashlib.blake2b(json.dumps([FORMAT, *settings]).encode(), digest_size=20)
    for each in threaded(lambda file: _digest(tree, file), files):
        total.update(each)
    return total.hexdigest()


def threaded(work: Callable[[Any], Result], items: Iterable[Any], n_threads: int | None = None) -> Iterator[Result]:
    """Do the same for many items with several threads; gives the results in order, a few ahead of what was taken."""
    n_threads = n_threads or min(MOST_THREADS, _n_cores())
    if n_threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        ahead = []
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) > 2 * n_threads:
                yield ahead.pop(0).result()
        for each in ahead:
            yield each.result()


def attempts(
    tree: Tree, files: Mapping[int, str], work: Callable[[IO[bytes]], Result], n_threads: int | None = None
) -> Iterator[tuple[int, Result | str]]:
    """Give what is made of each numbered file, or what is wrong with it in words that follow its name."""
    yield from zip(files, threaded(lambda file: _attempt(tree, file, work), files.values(), n_threads), strict=True)


def _attempt(tree: Tree, file: str, work: Callable[[IO[bytes]], Result]) -> Result | str:
    try:
        with tree.open(file) as stream:
            return work(stream)
    except Unreadable as error:
        return str(error)
    except ZIP_DAMAGE as error:
        return reason_of(error)


def n_threads_for(sizes: Iterable[Size]) -> int:
    """Return how many pictures of these sizes can be decoded at the same time in an eighth of the memory."""
    most = max((height * width for height, width in sizes), default=1)
    affordable = memory_bytes() // 8 // (8 * most)  # as decoded, and without its transparency
    return max(1, min(MOST_THREADS, _n_cores(), affordable))


def _decode_all(tree: Tree, files: Sequence[str], reading: Reading, write: Write) -> dict[str, Any]:
    with pillow_warnings():
        seen = dict(attempts(tree, dict(enumerate(files)), image_files.look))
        skipped = {i: each for i, each in seen.items() if isinstance(each, str)}
        good = {i: each for i, each in seen.items() if not isinstance(each, str)}
        sizes: dict[int, Size] = {}
        if good:
            form = choose_form(list(good.values()), reading)
            work = partial(image_files.decode, form=form)
            decoded = attempts(tree, {i: files[i] for i in good}, work, n_threads_for(s.size for s in good.values()))
            for rows in _grouped(_whole(decoded, sizes, skipped), form):
                write(rows)
    if not sizes:
        wrong = listed([str(tree.inside(file)) for file in files], sorted(skipped.items()))
        raise InvalidFile(
            f"none of the {len(files)} pictures of {tree.name} can be read: {wrong}. Give {image_files.KINDS} files."
        )
    return {"rows": list(sizes), "sizes": list(sizes.values()), "skipped": sorted(skipped.items())}


def _whole(
    decoded: Iterable[tuple[int, tuple[np.ndarray, Size] | str]], sizes: dict[int, Size], skipped: dict[int, str]
) -> Iterator[np.ndarray]:
    """Give the pixels of what could be decoded, and note the size of each, or what is wrong."""
    for i, each in decoded:
        if isinstance(each, str):
            skipped[i] = each
        else:
            pixels, sizes[i] = each
            yield pixels


def _grouped(pictures: Iterable[np.ndarray], form: Form) -> Iterator[np.ndarray]:
    """Give pictures as stacks of a few megabytes."""
    most, group = max(1, min(piece_bytes(), 2**22) // form.n_bytes), []
    for each in pictures:
        group.append(each)
        if len(group) == most:
            yield np.stack(group)
            group = []
    if group:
        yield np.stack(group)


def _digest(tree: Tree, file: str) -> bytes:
    try:
        with tree.open(file) as stream:
            return hashlib.file_digest(cast(Any, stream), lambda: hashlib.blake2b(digest_size=20)).digest()
    except ZIP_DAMAGE as error:
        return f"unreadable: {reason_of(error)}".encode()


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
