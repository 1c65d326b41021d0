"""Recordings as the inputs of a graph: files and samples → samples side by side, at the rate of training; no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganglion.data.file_tree import ZIP_DAMAGE, Tree, open_tree, reason_of
from ganglion.data.image_files import Unreadable
from ganglion.data.recording_files import KINDS, SUFFIXES, decode, is_recording, look, resampled
from ganglion.data.samples import SHORT, as_floats, checked_rate, checked_samples, shortened
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidFile, InvalidInput


def recordings_of(signature: Signature, X: Any) -> dict[str, np.ndarray]:
    """Return recordings as the columns of a graph: samples filled up with 0, and how many each has.

    Parameters
    ----------
    signature : Signature
    X : list of paths, or of pairs (rate, samples)

    Raises
    ------
    InvalidInput
        If something is neither, or holds no sample, NaN or infinity.
    InvalidFile
        If a file cannot be read.
    """
    given, rate = list(X), signature.inputs[0].rate
    if given and all(isinstance(each, str | os.PathLike) for each in given):
        parts = _decoded([Path(each).expanduser() for each in given], rate)
    else:
        parts = [_brought(i, each, rate) for i, each in enumerate(given)]
    lengths = np.array([len(each) for each in parts], dtype=np.int64)
    side_by_side = np.zeros((len(parts), int(lengths.max(initial=1))), dtype=np.float32)
    for row, each in zip(side_by_side, parts, strict=True):
        row[: len(each)] = each
    return {"audio": side_by_side, "audio_length": lengths}


def recordings_in(path: Path) -> list[tuple[int, np.ndarray]] | list[Path]:
    """Return the recordings of a file, or of a folder or zip, as `recordings_of` takes them, in the order of names.

    Raises
    ------
    InvalidFile
        If there is none, or one cannot be read.
    """
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return [path]
    with open_tree(path) as tree:
        names = [name for name in tree.files if is_recording(name)]
        if not names:
            raise InvalidFile(f"there is no recording in {path}. Give {', '.join(SUFFIXES)} files, or their folder.")
        if tree.root is not None:
            return [tree.root / name for name in names]
        return [_read(tree, name) for name in names]


def _brought(i: int, given: Any, rate: int) -> np.ndarray:
    """Return the samples of a pair (rate, samples), at the rate of training."""
    pair = isinstance(given, tuple | list) and len(given) == 2
    if not pair or not (isinstance(given[1], np.ndarray) or hasattr(given[1], "detach")):
        raise InvalidInput(
            f"recording {i} is a {type(given).__name__}. Give paths of recordings, or pairs (rate, samples), such as "
            f"({rate}, samples)."
        )
    return resampled(as_floats(checked_samples(i, given[1])), checked_rate(i, given[0]), rate)


def _decoded(paths: Sequence[Path], rate: int) -> list[np.ndarray]:
    """Return the samples of files; of 16 bits if all are, as training had them."""
    found = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                found.append(_samples(stream, rate))
        except FileNotFoundError as error:
            raise InvalidFile(f"there is no file {path}. The current folder is {Path.cwd()}.") from error
        except OSError as error:
            raise InvalidFile(f"{path} cannot be read: {error.strerror or error}.") from error
        except Unreadable as error:
            raise InvalidFile(f"{path} {error}. Give {KINDS} files.") from error
    whole = all(is_short for is_short, _ in found)
    return [shortened(each).astype(np.float32) / SHORT if whole else each for _, each in found]


def _samples(stream: IO[bytes], rate: int) -> tuple[bool, np.ndarray]:
    return look(stream).is_short, decode(stream, rate)


def _read(tree: Tree, name: str) -> tuple[int, np.ndarray]:
    """Return the rate and the samples of a file of a zip, as it has them."""
    try:
        with tree.open(name) as stream:
            head = look(stream)
            samples = decode(stream, head.rate)
            return head.rate, shortened(samples) if head.is_short else samples
    except Unreadable as error:
        raise InvalidFile(f"{name} in {tree.name} {error}. Give {KINDS} files.") from error
    except ZIP_DAMAGE as error:
        raise InvalidFile(f"{name} in {tree.name}: {reason_of(error)}. Give {KINDS} files.") from error
