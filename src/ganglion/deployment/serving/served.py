"""One version of one model as it is served: a backend, a batcher, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.deployment.said import Answers
from ganglion.deployment.serving.backend import Backend
from ganglion.deployment.serving.columns import Columns, columns_of
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.watching import Watch
from ganglion.deployment.signature import Signature
from ganglion.errors import GanglionError

SHORT = 5_000  # letters, steps or samples of a request that is answered between two others


@dataclass(slots=True)
class Asked:
    """A request: rows of JSON, which are checked in a batch, or columns that were checked already.

    It is answered by the backend that was there when it came, whatever is loaded meanwhile.

    Attributes
    ----------
    backend : Backend
    rows : sequence, optional
    columns : dict of str to ndarray, optional
    sizes : sequence of (height, width)
        Of the pictures, as they came: masks and boxes are told in pixels of these.
    """

    backend: Backend
    rows: Sequence[Any] | None = None
    columns: Columns | None = None
    sizes: Sequence[tuple[int, int]] = ()

    @property
    def is_quick(self) -> bool:
        """Whether it may be answered between two others, if that is short: its rows are no longer than theirs."""
        if self.rows is not None or not self.backend.is_quick:
            return self.backend.is_quick
        signature = self.backend.signature
        if signature.modality in ("table", "series", "image"):
            return not signature.any_size
        return sum(map(len, chain.from_iterable((self.columns or {}).values()))) <= SHORT

    def __len__(self) -> int:
        return len(self.rows if self.rows is not None else next(iter((self.columns or {}).values()), ()))


@dataclass(slots=True, eq=False)
class Served:
    """A version of a model.

    Attributes
    ----------
    name, version : str
    path : Path or None
        The file, of a model that came from one.
    stamp : tuple
        What changes when the file does: time, size, and its place on the disk.
    backend : Backend
    problem : str
        Why a newer file could not be taken; empty where all is well.
    reloads : int
        How often a newer file was taken.
    """

    name: str
    version: str
    path: Path | None
    stamp: tuple[int, ...]
    backend: Backend
    problem: str = ""
    reloads: int = 0
    watch: Watch | None = None
    batcher: Any = None

    @property
    def signature(self) -> Signature:
        """What the model takes and answers."""
        return self.backend.signature

    def watch_of(self, backend: Backend) -> Watch:
        """Return the counts of what a backend was asked, begun anew for a new one."""
        if self.watch is None or self.watch.backend.summary is not backend.summary:
            self.watch = Watch(backend)
        return self.watch

    def answer_all(self, batch: Sequence[Asked]) -> list[Answers | Exception]:
        """Return one answer a request of a batch, or the error that is its outcome."""
        backend = batch[0].backend
        try:
            if len(batch) > 1 and not (backend.joins and all(each.backend is backend for each in batch)):
                raise _Apart
            columns = joined([_checked(each) for each in _together(batch)])
            answer = backend.answer(columns)
            self.watch_of(backend).note(columns, answer)
            return _parts(answer, [len(each) for each in batch])
        except GanglionError as error:
            if len(batch) == 1:
                return [error if isinstance(error, Refused) else Refused(422, str(error))]
        return [outcome for each in batch for outcome in self.answer_all([each])]  # whose fault it was


class _Apart(GanglionError):
    """Requests of a batch that cannot be answered by one call."""


def _together(batch: Sequence[Asked]) -> list[Asked]:
    """Return a batch with all rows of JSON as one request, where all are such."""
    if len(batch) > 1 and all(each.rows is not None for each in batch):
        return [Asked(batch[0].backend, rows=[row for each in batch for row in each.rows or ()])]
    return list(batch)


def _checked(asked: Asked) -> Columns:
    if asked.rows is not None:
        return columns_of(asked.rows, asked.backend.signature)
    return asked.columns or {}


def joined(parts: Sequence[Columns]) -> Columns:
    """Return the columns of several requests below one another."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _parts(answer: Answers, lengths: Sequence[int]) -> list[Answers | Exception]:
    if len(lengths) == 1:
        return [answer]
    ends = np.cumsum(lengths).tolist()
    return [
        {name: values[end - n : end] for name, values in answer.items()} for end, n in zip(ends, lengths, strict=True)
    ]
