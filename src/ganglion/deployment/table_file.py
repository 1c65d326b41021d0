"""Files of rows for an exported model, read without torch: tables as text, arrays of numpy, recordings, pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.data.delimited import cut_table
from ganglion.data.image_files import is_picture
from ganglion.data.recording_files import SUFFIXES, is_recording
from ganglion.deployment.pictures import pictures_in
from ganglion.deployment.recordings import recordings_in
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidFile

TEXTS, ARRAYS = (".csv", ".tsv", ".txt", ".data"), (".npy", ".npz")


def read_rows(path: str | os.PathLike[str], signature: Signature) -> Any:
    """Return the rows of a file as `OnnxModel.predict` takes them.

    Parameters
    ----------
    path : path-like
        A table as text (.csv, .tsv, .txt, .data), or an array (.npy; .npz with one array, or one for each input); for
        a model of recordings one of them, or a folder or zip of them, which are heard in the order of their names; for
        a model of images a picture or a folder of them.
    signature : Signature
        Of the model.

    Returns
    -------
    dict of str to list, or ndarray, or list of recordings

    Raises
    ------
    InvalidFile
        If the file is missing, or is none of these.
    """
    source = Path(path).expanduser()
    ending = source.suffix.lower()
    if signature.modality == "audio" and ending not in ARRAYS:
        if not (source.is_dir() or ending == ".zip" or is_recording(source.name)):
            raise InvalidFile(f"{source}: give a recording ({', '.join(SUFFIXES)}), or a folder or zip of them.")
        return recordings_in(source)
    if signature.modality == "image" and (source.is_dir() or is_picture(source.name)):
        return pictures_in(source)
    if ending not in (*TEXTS, *ARRAYS):
        raise InvalidFile(
            f"{source}: an exported model reads {', '.join((*TEXTS, *ARRAYS))}. Give such a file, or use the .ganglion "
            "file of the model, which reads all others."
        )
    try:
        if ending in ARRAYS:
            return _arrays(source, signature)
        names, columns = cut_table(source.read_bytes(), str(source))
    except FileNotFoundError as error:
        raise InvalidFile(f"there is no file {source}. The current folder is {Path.cwd()}.") from error
    except OSError as error:
        raise InvalidFile(f"{source} cannot be read: {error.strerror or error}.") from error
    table: dict[str, list[str]] = dict(zip(names, columns, strict=True))
    first = signature.inputs[0]
    if first.kind == "numbers" and len(signature.inputs) == 1 and first.name not in table:
        return _block(table, int(first.shape[1]), source)
    return table


def _block(table: dict[str, list[str]], width: int, source: Path) -> np.ndarray:
    """Return a table as the columns without names that the model was trained on: all, or all but the last."""
    from ganglion.deployment.rows import feeds_of
    from ganglion.deployment.signature import Input, Signature

    names = list(table)
    if len(names) != width:
        raise InvalidFile(
            f"{source} has {len(names)} columns, but the model was trained on an array of {width}. Give these columns "
            "alone, in the order of training."
        )
    inputs = tuple(Input(name, "numeric", "float64", ("N", 1)) for name in names)
    whole = Signature(estimator="", task="", modality="table", target="", inputs=inputs, outputs=())
    return np.concatenate(list(feeds_of(whole, table).values()), axis=1)


def _arrays(source: Path, signature: Signature) -> Any:
    try:
        found = np.load(source, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            arrays = {name: found[name] for name in found.files}
    except (ValueError, EOFError, KeyError) as error:
        raise InvalidFile(f"{source} is no file of arrays that can be read ({error}).") from error
    if all(each.name in arrays for each in signature.inputs):
        return arrays
    features = [name for name in arrays if name != signature.target and name not in ("y", "target", "labels")]
    if len(features) != 1:
        raise InvalidFile(
            f"{source} holds the arrays {', '.join(arrays)}. Give one array, or one under the name of each input: "
            f"{', '.join(each.name for each in signature.inputs[:20])}."
        )
    return arrays[features[0]]
