"""What answers: a fitted estimator behind one method that takes checked columns and gives arrays."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch

from ganglion.data.boxes import Boxes
from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.data.recordings import pairs_to_dataset
from ganglion.data.strings import text_column
from ganglion.data.summary import Summary
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.serving.interface import Input, Interface, interface_of
from ganglion.errors import DataWarning
from ganglion.estimators.artifact import load

_TURN = threading.Lock()


def one_at_a_time() -> threading.Lock:
    """Return the lock under which torch is asked: its threads and precision are set for the whole process."""
    return _TURN


class Backend(Protocol):
    """What a served model offers."""

    engine: str
    platform: str
    is_quick: bool  # holds no lock, so that a short call may be made between two requests
    interface: Interface
    summary: Summary | None
    note: str

    @property
    def original(self) -> Any:
        """The backend of the estimator itself, where there is one behind this; else this."""
        ...

    def answer(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return "prediction", and of classifiers "probabilities", one each row."""
        ...


class TorchBackend:
    """Answers by the estimator itself, on PyTorch.

    Parameters
    ----------
    model : Estimator
        Fitted, and of a task and modality that are served.
    """

    engine = "torch"
    platform = "pytorch_ganglion"
    is_quick = False

    def __init__(self, model: Any) -> None:
        self.model, self.interface = model, interface_of(model)
        self.summary = getattr(model, "summary_", None)
        self.note = ""
        self._codes = {
            each.name: {label: code for code, label in enumerate(each.categories)} for each in self.interface.inputs
        }

    @property
    def original(self) -> TorchBackend:
        """The backend itself."""
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TorchBackend:
        """Load a model file; one that is damaged raises InvalidModel."""
        return cls(load(path))

    def answer(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return what the model says of checked columns.

        Parameters
        ----------
        columns : mapping of str to ndarray
            By the names of the interface's inputs; pictures (n, channels, height, width), recordings an array of
            samples each.

        Returns
        -------
        dict of str to ndarray
            "prediction", (n,) or (n, targets); of classifiers "probabilities", (n, classes).
        """
        data = self.dataset(columns)
        with one_at_a_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # nobody who could read it would be there
            answers = {"prediction": np.asarray(self.model.predict(data))}
            if self.interface.task == "classification" and hasattr(self.model, "predict_proba"):
                answers["probabilities"] = np.asarray(self.model.predict_proba(data))
        return answers

    def dataset(self, columns: Columns) -> Dataset:
        """Return checked columns as the data set that they are."""
        if self.interface.modality == "audio":
            (each,) = self.interface.inputs
            return pairs_to_dataset([(each.rate, samples) for samples in columns[each.name]], each.rate)
        if self.interface.modality == "image":
            return as_dataset(columns[self.interface.inputs[0].name])
        pairs = [self._column(each, columns[each.name]) for each in self.interface.inputs]
        return Dataset([field for field, _ in pairs], {field.name: column for field, column in pairs})

    def _column(self, each: Input, values: np.ndarray) -> tuple[Field, Any]:
        if each.kind == "text":
            return text_column(each.name, values.tolist())
        if each.kind == "categorical":
            code_of = self._codes[each.name]
            codes = [code_of.get(label, -1) for label in values.tolist()]  # unknown and missing are one to the encoder
            return Field(each.name, "categorical", categories=each.categories), torch.tensor(codes)
        numbers = torch.from_numpy(values)
        return Field(each.name, each.kind, each.shape), numbers.float() if each.kind == "boolean" else numbers


def plain(values: np.ndarray) -> list[Any]:
    """Return answers as JSON can hold them, one each row."""
    listed = values.tolist()
    return listed if values.dtype != object or set(map(type, listed)) <= {str} else [_plain(value) for value in listed]


def _plain(value: Any) -> Any:
    if isinstance(value, Boxes):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, Mapping) else value
