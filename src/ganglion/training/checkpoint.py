"""Checkpoints: a run on disk, from which it goes on to the same bits after a kill at any moment.

A checkpoint is a file in the format of `storage` (JSON and safetensors, no pickle), written to a temporary sibling,
fsynced and renamed. The last few are kept, and the one of the best epoch. Beside them stands `history.jsonl`, one
line an epoch. A full disk or a folder that cannot be written to is said once, and stops no training.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganglion.errors import InvalidModel, InvalidParameter, SaveFailed, TrainingWarning
from ganglion.storage import atomic_write, read_model, write_model
from ganglion.training.run import Run, Snapshot

SUFFIX = ".checkpoint"
BEST = f"best{SUFFIX}"
HISTORY = "history.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Where and how often to write checkpoints.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.
    seconds : float or None
        Write one after so many seconds since the last.
    steps : int or None
        Write one after so many steps since the last.
    keep : int
        How many of the last ones to keep, beside the best.
    """

    folder: str | os.PathLike[str]
    seconds: float | None = 60.0
    steps: int | None = None
    keep: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.folder, str | os.PathLike) or not str(self.folder):
            raise InvalidParameter(f"Checkpoints(folder={self.folder!r}): give the path of a folder.")
        for name in ("seconds", "steps", "keep"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and value > 0):
                raise InvalidParameter(f"Checkpoints({name}={value!r}): give a number above 0, or None.")
        if self.keep is None or self.keep < 1:
            raise InvalidParameter(f"Checkpoints(keep={self.keep!r}): keep is 1 or more.")


class CheckpointWriter:
    """Writes the checkpoints of one run.

    Parameters
    ----------
    settings : Checkpoints
    identity : mapping
        What the run is of (options, data, seed); stands in each file and is compared when a run is resumed.
    speaks : bool
        Whether this process writes: one of several workers does.
    """

    def __init__(self, settings: Checkpoints, identity: Mapping[str, Any], *, speaks: bool = True) -> None:
        self.speaks = speaks
        self.settings, self.identity = settings, dict(identity)
        self.folder = Path(settings.folder).expanduser()
        self._step, self._time, self._best_time = 0, time.monotonic(), -float("inf")
        self._complained, self._swept = False, not speaks

    def due(self, step: int) -> bool:
        """Return whether it is time for another one."""
        every_steps, every_seconds = self.settings.steps, self.settings.seconds
        by_steps = every_steps is not None and step - self._step >= every_steps
        return by_steps or (every_seconds is not None and time.monotonic() - self._time >= every_seconds)

    def write(self, snapshot: Snapshot, *, best: bool = False) -> Path | None:
        """Write a snapshot and remove the oldest; returns None if it could not be written, which is said once."""
        step = snapshot.numbers["step"]
        if best:
            self._best_time = time.monotonic()
        else:
            self._step, self._time = step, time.monotonic()
        if not self.speaks:
            return None
        path = self.folder / (BEST if best else f"step-{step:012d}{SUFFIX}")
        manifest = {"kind": "checkpoint", "identity": self.identity, "run": snapshot.numbers}
        try:
            self._make_folder()
            self._sweep()
            write_model(path, manifest, snapshot.tensors, "A checkpoint of Ganglion: resume with `fit(…, resume=…)`.\n")
        except SaveFailed as error:
            self._complain(error)
            return None
        for old in _numbered(self.folder)[self.settings.keep :]:
            old.unlink(missing_ok=True)
        return path

    def end_epoch(self, run: Run, *, last: bool) -> None:
        """Log an epoch, save the run if it ends here, and its best epoch, as often as checkpoints are written."""
        self.log(run.history.rows)
        if last:
            self.write(run.snapshot())
        is_best = run.history.best_epoch == run.epoch and self._time_for_best()
        if run.team.most(int(is_best)):
            self.write(run.snapshot(), best=True)

    def _time_for_best(self) -> bool:
        wait = self.settings.seconds if self.settings.steps is None else None
        return wait is None or time.monotonic() - self._best_time >= wait

    def log(self, rows: list[dict[str, Any]]) -> None:
        """Bring `history.jsonl` up to date: append the last row, or write all of them if it has others."""
        if not self.speaks:
            return
        path = self.folder / HISTORY
        try:
            self._make_folder()
            known = path.read_text().count("\n") if path.exists() else 0
            if known == len(rows) - 1:
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
            else:
                with atomic_write(path) as whole:
                    whole.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        except (OSError, SaveFailed) as error:
            self._complain(error)

    def _sweep(self) -> None:
        """Remove, once, what a run left that was killed while it saved."""
        if not self._swept:
            self._swept = True
            for unfinished in self.folder.glob(f".*{SUFFIX}.*"):
                unfinished.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveFailed(f"the folder {self.folder} cannot be made: {error.strerror}.") from error

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            warnings.warn(f"training goes on without checkpoints: {error}", TrainingWarning, stacklevel=5)


def read_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Snapshot]:
    """Read the newest whole checkpoint of a folder, or one file.

    Returns
    -------
    identity : dict
        What the run was of.
    snapshot : Snapshot

    Raises
    ------
    InvalidModel
        If there is none, or none is whole.
    """
    given = Path(path).expanduser()
    candidates = _numbered(given) if given.is_dir() else [given]
    if given.is_dir() and not candidates:
        raise InvalidModel(f"the folder {given} holds no checkpoint (step-….checkpoint). Give the folder of a run.")
    problems = []
    for candidate in candidates:
        try:
            return _read(candidate)
        except InvalidModel as error:
            problems.append(str(error))
    raise InvalidModel("no checkpoint can be read: " + " ".join(problems))


def has_checkpoint(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder exists and holds a checkpoint to go on from."""
    return bool(_numbered(Path(folder).expanduser()))


def _read(path: Path) -> tuple[dict[str, Any], Snapshot]:
    manifest, tensors = read_model(path)
    if manifest.get("kind") != "checkpoint" or not isinstance(manifest.get("run"), dict):
        raise InvalidModel(f"{path} is a model, not a checkpoint: load it with ganglion.load.")
    return dict(manifest.get("identity", {})), Snapshot(manifest["run"], tensors)


def _numbered(folder: Path) -> list[Path]:
    """Return the numbered checkpoints of a folder, newest first."""
    return sorted(folder.glob(f"step-*{SUFFIX}"), reverse=True)
