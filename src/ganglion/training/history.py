"""What happened while training: one row an epoch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganglion.drawing.gallery import Charts
from ganglion.drawing.learning import learning_charts
from ganglion.errors import InvalidFile, missing_extra

ALARM = ("name", "evidence", "remedy")


class History:
    """Losses, scores, learning rate and time of every epoch.

    Attributes
    ----------
    rows : list of dict
        One an epoch: "epoch" (from 1), "step", "seconds" since the start, "learning_rate", "loss" (one more for
        every further objective), and with a held-out part "validation_loss" and "validation_score"; of training in
        several phases also "phase" (from 1), each with losses of its own.
    best_epoch : int or None
        The epoch whose weights the network has now, where a held-out part chose it.
    stopped : str
        Why training ended: "all epochs done", "no progress for 10 epochs", "interrupted".
    alarms : list of dict
        What looked wrong when training ended: its "name", the "evidence", and a "remedy".
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.best_epoch: int | None = None
        self.stopped = ""
        self.execution: dict[str, Any] = {}
        self.alarms: list[dict[str, str]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        """Return one column over the epochs that have it, e.g. `history["loss"]`."""
        known = dict.fromkeys(name for row in self.rows for name in row)
        if known and column not in known:
            raise KeyError(f"no column {column!r} in the history; its columns: {', '.join(known)}")
        return [row[column] for row in self.rows if column in row]

    def __repr__(self) -> str:
        last = ", ".join(f"{key}={value:.4g}" for key, value in self.rows[-1].items()) if self.rows else "empty"
        return f"History({last}; {self.stopped})"

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def _in_words(self) -> str:
        words = [f"{len(self)} epoch{'' if len(self) == 1 else 's'}"]
        words += [f"{self.rows[-1]['seconds']:.1f} s"] if self.rows and "seconds" in self.rows[-1] else []
        words += [f"the best was epoch {self.best_epoch}"] if self.best_epoch else []
        return ", ".join(words) + (f" ({self.stopped})" if self.stopped else "")

    def plot(self) -> Charts:
        """Draw the history over the epochs.

        Returns
        -------
        Charts
            "loss" of every objective and of the held-out part, the best epoch marked, on a logarithmic axis where the
            losses span more than three decades; "score" where there is one; "learning_rate" where it changed. They are
            shown in a notebook, and saved: all as a page, `.html`, or one by one as a picture, `.svg`.
        """
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        columns = {name: [row.get(name) for row in self.rows] for name in names}
        return Charts(learning_charts(columns, self.best_epoch), caption=self._in_words())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and texts."""
        return {
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "execution": self.execution,
            "alarms": self.alarms,
        }

    def frame(self) -> Any:
        """Return the rows as a pandas DataFrame, one row an epoch; raises MissingExtra without pandas."""
        try:
            import pandas as pd
        except ImportError as error:
            raise missing_extra("pandas", "tables", "History.frame") from error
        return pd.DataFrame(self.rows)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> History:
        """Read the `history.jsonl` of a folder of checkpoints, or the file itself.

        Raises
        ------
        InvalidFile
            If there is none, or it holds something else.
        """
        file = Path(path).expanduser()
        file = file / "history.jsonl" if file.is_dir() else file
        try:
            rows = [json.loads(line) for line in file.read_text().splitlines()]
        except (OSError, ValueError) as error:
            raise InvalidFile(f"{file} cannot be read as a history, one JSON row an epoch ({error}).") from error
        if not rows or not all(isinstance(row, dict) and "loss" in row for row in rows):
            raise InvalidFile(f"{file} holds no rows of a history. Give the folder of a run, or its history.jsonl.")
        try:
            history = cls.from_dict({"rows": rows})
        except ValueError as error:
            raise InvalidFile(f"{file} cannot be read as a history: {error}.") from error
        history.best_epoch = _best_epoch(history.rows)
        return history

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> History:
        """Make a history again from `to_dict`; rows that hold other than numbers raise ValueError."""
        history = cls()
        history.rows = [dict(row) for row in stored.get("rows", [])]
        history.best_epoch = stored.get("best_epoch")
        if not all(isinstance(value, int | float) for row in history.rows for value in row.values()):
            raise ValueError("the history holds other than numbers")
        if not isinstance(history.best_epoch, int | None):
            raise ValueError(f"best_epoch {history.best_epoch!r}")
        history.stopped = str(stored.get("stopped", ""))
        history.execution = dict(stored.get("execution", {}))
        history.alarms = [{part: str(alarm[part]) for part in ALARM} for alarm in stored.get("alarms", [])]
        return history


def _best_epoch(rows: list[dict[str, Any]]) -> int | None:
    """Return the epoch, from 1, of the lowest held-out loss; of equal ones the last, as while training."""
    losses = [row.get("validation_loss", math.inf) for row in rows]
    lowest = min(losses, default=math.inf)
    return len(losses) - losses[::-1].index(lowest) if lowest < math.inf else None
