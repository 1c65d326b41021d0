"""What an estimator would be given (frames, arrays, texts, sequences, recordings), as the columns of a graph's inputs.

Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ganglion.data.vocabulary import BETWEEN, cleaned
from ganglion.data.word_looks import ids_of
from ganglion.deployment.pictures import pixels_of
from ganglion.deployment.recordings import recordings_of
from ganglion.deployment.rows import is_missing
from ganglion.deployment.signature import Signature
from ganglion.deployment.windows import windows_of
from ganglion.errors import InvalidInput, suggestion


def columns_of(signature: Signature, X: Any) -> dict[str, Any]:
    """Return X, in any form that the estimator took it in, as the columns of a graph.

    Parameters
    ----------
    signature : Signature
    X : mapping, frame, array-like, images, or list of texts, sequences or recordings
    """
    if isinstance(X, Mapping) and all(each.name in X for each in signature.inputs):
        return dict(X)
    if signature.task == "forecasting":
        return windows_of(signature, X)
    if signature.task == "tagging" and signature.modality == "text":
        return _words(signature, X)
    if signature.inputs[0].kind == "text":
        return _columns_of_text(signature, X)
    if signature.modality == "text":
        return _tokens(signature, X)
    if signature.modality == "sequence":
        return _sequences(signature, X)
    if signature.modality == "audio":
        return dict(recordings_of(signature, X))
    if signature.modality == "image":
        return {signature.inputs[0].name: pixels_of(signature, X)}
    if isinstance(X, Mapping):
        return dict(X)
    if hasattr(X, "columns") and hasattr(X, "__getitem__"):  # a frame
        frame = {str(name): X[name] for name in X.columns}
        whole = len(signature.inputs) == 1 and signature.inputs[0].kind == "numbers"
        return {signature.inputs[0].name: np.column_stack(list(frame.values()))} if whole else frame
    if len(signature.inputs) == 1 and signature.inputs[0].kind == "numbers":
        return {signature.inputs[0].name: X}
    return _by_place(signature, X)


def _by_place(signature: Signature, X: Any) -> dict[str, Any]:
    """Return the columns of rows without names, in the order of training."""
    rows = X.tolist() if isinstance(X, np.ndarray) else list(X)
    widths = {len(row) if isinstance(row, Sequence) and not isinstance(row, str) else -1 for row in rows}
    n = len(signature.inputs)
    if rows and widths != {n}:
        raise InvalidInput(
            f"rows without names have {', '.join(map(str, sorted(widths)[:5]))} values, but the model takes {n} "
            f"columns: {', '.join(each.name for each in signature.inputs[:20])}. Give them by name, or all in order."
        )
    return {each.name: [row[i] for row in rows] for i, each in enumerate(signature.inputs)}


def _tokens(signature: Signature, X: Any) -> dict[str, np.ndarray]:
    """Return ids of tokens, side by side, and how many each text has."""
    ids, lengths = signature.cutter.ids(_texts(signature, X))
    if not lengths.all():
        raise InvalidInput(f"text {int(np.argmin(lengths))} is empty: there is nothing to read in it. Leave it out.")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    kept = np.minimum(lengths, signature.longest or lengths.max())
    places = np.arange(kept.max())
    there = places < kept[:, None]
    tokens = np.where(there, ids[np.where(there, starts[:, None] + places, 0)], 0)
    return {"tokens": tokens.astype(np.int64), "tokens_length": kept.astype(np.int64)}


def _words(signature: Signature, X: Any) -> dict[str, np.ndarray]:
    """Return ids of words and their looks, side by side, and how many words each text has."""
    rows = X.tolist() if isinstance(X, np.ndarray) else X
    named = isinstance(rows, Mapping) or hasattr(rows, "columns") or isinstance(rows, str)
    texts = [
        text.split() if isinstance(text, str) else list(text) for text in (_texts(signature, X) if named else rows)
    ]
    for i, words in enumerate(texts):
        if not words or not all(isinstance(word, str) for word in words):
            raise InvalidInput(
                f"text {i} is {words!r:.60}. Give each text as a list of words, one or more, or as text with blanks "
                "between them."
            )
    distinct = list(dict.fromkeys(chain.from_iterable(texts)))
    place = {word: i for i, word in enumerate(distinct)}
    ids = ids_of(distinct, signature.looks).astype(np.int64)
    lengths = np.array([len(words) for words in texts], dtype=np.int64)
    side_by_side = np.zeros((len(texts), int(lengths.max(initial=1)), ids.shape[1]), dtype=np.int64)
    for row, words in zip(side_by_side, texts, strict=True):
        row[: len(words)] = ids[[place[word] for word in words]]
    return {"words": side_by_side, "words_length": lengths}


def _texts(signature: Signature, X: Any) -> list[str]:
    """Return one text a row: its columns, with a new line between them."""
    return list(map(BETWEEN.join, zip(*_columns_of_text(signature, X).values(), strict=True)))


def _columns_of_text(signature: Signature, X: Any) -> dict[str, list[str]]:
    """Return the columns of texts, under the names of training; a missing text is the empty one."""
    if isinstance(X, Mapping) or hasattr(X, "columns"):
        names = [str(name) for name in (X if isinstance(X, Mapping) else X.columns)]
        missing = [name for name in signature.columns if name not in names]
        wanted = names if missing and len(names) == len(signature.columns) == 1 else list(signature.columns)
        if missing and wanted != names:
            raise InvalidInput(
                f"the column {missing[0]!r} is missing.{suggestion(missing[0], names)} Given: {', '.join(names[:20])}. "
                f"The model reads the texts of: {', '.join(signature.columns)}."
            )
        parts = [["" if is_missing(value) else str(value) for value in X[name]] for name in wanted]
        return dict(zip(signature.columns, parts, strict=True))
    if isinstance(X, str):
        raise InvalidInput("one text was given where a list of texts is wanted. Give [text].")
    return {signature.columns[0]: cleaned(X, lowercase=False)}


def _sequences(signature: Signature, X: Any) -> dict[str, np.ndarray]:
    """Return sequences side by side, and how long each is."""
    width = int(signature.inputs[0].shape[2])
    given = [np.asarray(each, dtype=np.float64) for each in X]
    steps = [each[:, None] if each.ndim == 1 else each for each in given]
    for i, each in enumerate(steps):
        if each.ndim != 2 or each.shape[1] != width or not len(each):
            raise InvalidInput(
                f"sequence {i} has shape {each.shape}. Give at least one step, as an array (steps, {width})."
            )
        if signature.longest and len(each) > signature.longest:
            raise InvalidInput(
                f"sequence {i} has {len(each):,} steps, but vectors of places were learned for {signature.longest:,}. "
                "Give shorter ones, or parts of it."
            )
    lengths = np.array([len(each) for each in steps], dtype=np.int64)
    side_by_side = np.zeros((len(steps), int(lengths.max(initial=1)), width))
    for row, each in zip(side_by_side, steps, strict=True):
        row[: len(each)] = each
    return {"sequence": side_by_side, "sequence_length": lengths}
