"""One call of `fit`: its seed, its callbacks, where it saves itself, and what it goes on from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ganglion.data.ragged import Columns, Ragged
from ganglion.data.spool import pieces
from ganglion.errors import InvalidInput, InvalidModel, InvalidParameter
from ganglion.estimators.beside import Beside
from ganglion.networks.network import Network
from ganglion.options import options_of, to_json
from ganglion.training.checkpoint import Checkpoints, CheckpointWriter, has_checkpoint, read_checkpoint
from ganglion.training.distribution import workers
from ganglion.training.run import Snapshot
from ganglion.training.trainer import OnEpoch

# what may differ when a run is resumed: what is learned does not depend on it, or, among several workers, as little
# as on their number
_FREE = ("verbose", "random_state", "sharded")


@dataclass(frozen=True, slots=True)
class Session:
    """What `_learn` is told of one call of `fit`.

    Attributes
    ----------
    seed : int
        Of everything random in this fit; a resumed one has that of the run before.
    callbacks : sequence of callables
    checkpoints : CheckpointWriter or None
    resume : Snapshot or None
    beside : Beside or None
    start : Network or None
        A network to go on from, in place; None builds one.
    """

    seed: int
    callbacks: Sequence[OnEpoch] = ()
    checkpoints: CheckpointWriter | None = None
    resume: Snapshot | None = None
    beside: Beside | None = None
    start: Network | None = None


def open_session(
    estimator: Any,
    inputs: Columns,
    y: np.ndarray,
    *,
    seed: int,
    callbacks: Sequence[OnEpoch],
    checkpoint: str | os.PathLike[str] | Checkpoints | None,
    resume: str | os.PathLike[str] | bool | None,
) -> Session:
    """Return the session of a fit; one that is resumed must be of the same algorithm, options and data.

    Raises
    ------
    InvalidModel
        If the checkpoint cannot be read, or is of another run.
    """
    callbacks = callbacks if workers().speaks else ()
    if checkpoint is None and not resume:
        return Session(seed, callbacks)
    if resume is True:
        resume = _folder_if_any(checkpoint)
    identity = _identity(estimator, inputs, y)
    snapshot = None
    if resume:
        written, snapshot = read_checkpoint(resume)
        _compare(written, identity, os.fspath(resume))
        seed = int(written["seed"])
        checkpoint = checkpoint or (resume if os.path.isdir(resume) else os.path.dirname(resume) or ".")
    writer = CheckpointWriter(_settings(checkpoint), identity | {"seed": seed}, speaks=workers().speaks)
    return Session(seed, callbacks, writer, snapshot)


def _folder_if_any(checkpoint: Any) -> str | None:
    """Return the folder to go on from, or None where no run has saved itself yet."""
    if checkpoint is None:
        raise InvalidParameter("resume=True needs checkpoint=FOLDER: where the run saves itself, and goes on from.")
    folder = os.fspath(_settings(checkpoint).folder)
    return folder if has_checkpoint(folder) else None


def _settings(given: Any) -> Checkpoints:
    if isinstance(given, Checkpoints):
        return given
    if not isinstance(given, str | os.PathLike):
        raise InvalidParameter(f"checkpoint={given!r}: give the path of a folder, or Checkpoints(folder=…, seconds=…).")
    return Checkpoints(folder=given)


def _identity(estimator: Any, inputs: Columns, y: np.ndarray) -> dict[str, Any]:
    options = {
        name: to_json(value) if not callable(value) else getattr(value, "__qualname__", "function")
        for name in options_of(type(estimator))
        if name not in _FREE and (value := getattr(estimator, name)) is not estimator
    }
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in _tensors_of(inputs):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        for _, part in pieces(tensor):
            digest.update(part.contiguous().numpy().data)
    if y.dtype.kind == "O":  # labels as Python has them, or lists of labels
        y = np.array(list(map(str, y)))
    digest.update(np.ascontiguousarray(y).data)
    return {"algorithm": type(estimator).__name__, "options": options, "data": digest.hexdigest()}


def _tensors_of(columns: Columns) -> Iterator[tuple[str, Tensor]]:
    for name, column in columns.items():
        if isinstance(column, Ragged):
            yield from ((name, column.values), (f"{name} offsets", column.offsets))
        else:
            yield name, column


def _compare(written: Mapping[str, Any], now: Mapping[str, Any], path: str) -> None:
    if written.get("algorithm") != now["algorithm"]:
        raise InvalidModel(f"the checkpoint {path} is of {written.get('algorithm')}, not of {now['algorithm']}.")
    then = written.get("options", {})
    changed = [
        f"{name}={now['options'].get(name)!r} (then {then.get(name)!r})"
        for name in sorted({*then, *now["options"]})
        if then.get(name) != now["options"].get(name)
    ]
    if changed:
        raise InvalidModel(
            f"the checkpoint {path} was written with other options: {', '.join(changed)}. Resume with the same ones, "
            "or train anew without resume."
        )
    if written.get("data") != now["data"]:
        raise InvalidInput(
            f"the checkpoint {path} was written while training on other data (or other rows of them). Resume with the "
            "same X and y, or train anew without resume."
        )
