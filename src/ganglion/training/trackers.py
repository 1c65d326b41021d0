"""Callbacks that follow a run with a tool that a team has already: TensorBoard, MLflow.

    model.fit(X, y, callbacks=[TensorBoard("runs/first")])

Each needs its own library, from the extra `track`; neither is imported before it is used.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Mapping
from typing import Any

from ganglion.errors import missing_extra


class TensorBoard:
    """Writes event files that TensorBoard shows, one scalar a figure and epoch.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.

    Raises
    ------
    MissingExtra
        Without the package tensorboard.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            events = importlib.import_module("tensorboard.compat.proto.event_pb2")
            summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
            writer = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        except ImportError as error:
            raise missing_extra("tensorboard", "track", "TensorBoard(…)") from error
        self._event, self._summary = events.Event, summaries.Summary
        self._writer = writer.EventFileWriter(os.fspath(folder))

    def __call__(self, row: Mapping[str, Any], epochs: int) -> None:
        """Write the figures of an epoch."""
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in _figures(row).items()]
        event = self._event(wall_time=time.time(), step=row["step"], summary=self._summary(value=values))
        self._writer.add_event(event)
        self._writer.flush()


class MLflow:
    """Logs every epoch's figures to an MLflow run: the active one, or a new one that ends with the process.

    Parameters
    ----------
    **tags : str
        Set on the run.

    Raises
    ------
    MissingExtra
        Without the package mlflow.
    """

    def __init__(self, **tags: str) -> None:
        try:
            mlflow: Any = importlib.import_module("mlflow")
        except ImportError as error:
            raise missing_extra("mlflow", "track", "MLflow()") from error
        self._mlflow = mlflow
        if mlflow.active_run() is None:
            mlflow.start_run()
        mlflow.set_tags(tags)

    def __call__(self, row: Mapping[str, Any], epochs: int) -> None:
        """Log the figures of an epoch."""
        self._mlflow.log_metrics(_figures(row), step=row["step"])


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if name not in ("epoch", "step")}
