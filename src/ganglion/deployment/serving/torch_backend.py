"""The backend of fitted estimators, on PyTorch: where a model has no exported form, and to explain."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any, cast

import numpy as np
import torch

from ganglion.data.dataset import Dataset, Field, Kind
from ganglion.data.recordings import pairs_to_dataset
from ganglion.data.sequences import sequences_to_dataset
from ganglion.data.strings import text_column
from ganglion.data.tokens import tokens_to_dataset
from ganglion.deployment.capability import reason_of_task
from ganglion.deployment.describing import signature_of
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.said import Answers, joined
from ganglion.deployment.serving.backend import answer_name, joins
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.signature import Input
from ganglion.errors import DataWarning, InvalidModel
from ganglion.estimators.artifact import load
from ganglion.estimators.base import Estimator

MODALITIES = ("table", "text", "image", "audio", "sequence", "series")
_OTHERS = ("translation", "speech_recognition", "anomaly_detection")  # which `predict` alone is asked for
_TURN = threading.Lock()


def one_at_a_time() -> threading.Lock:
    """Return the lock under which torch is asked: its threads and precision are set for the whole process."""
    return _TURN


class TorchBackend:
    """Answers by the estimator itself, on PyTorch.

    Parameters
    ----------
    model : Estimator
        Fitted.

    Raises
    ------
    InvalidModel
        If it is of a task or modality that is not served.
    """

    engine = "torch"
    platform = "pytorch_ganglion"
    is_quick = False

    def __init__(self, model: Any) -> None:
        reason = _why_not(model)
        if reason is not None:
            raise InvalidModel(f"{type(model).__name__} {reason}.")
        self.model, self.signature = model, signature_of(model).brought.written
        self.summary = getattr(model, "summary_", None)
        self.note = ""
        self.joins = joins(self.signature)
        self._codes = {
            each.name: {label: code for code, label in enumerate(each.categories)} for each in self.signature.given
        }

    @property
    def original(self) -> TorchBackend:
        """The backend itself."""
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TorchBackend:
        """Load a model file; one that is damaged raises InvalidModel."""
        return cls(load(path))

    def answer(self, columns: Columns) -> Answers:
        """Return what is said of checked columns, one part a row; see `Backend`.

        Parameters
        ----------
        columns : mapping of str to ndarray
            By the names of what is given; pictures (n, channels, height, width), or where they may have any size an
            array of such; texts, lists of words, recordings and sequences an array of one each.
        """
        if self.signature.any_size:
            (pictures,) = columns.values()
            return joined([self._said(_images(each[None])) for each in pictures])
        return self._said(self.dataset(columns))

    def _said(self, data: Dataset) -> Answers:
        with one_at_a_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # nobody who could read it would be there
            if self.signature.task not in _OTHERS:
                said = KINDS[self.signature.task].own(self.model, data)
            else:
                said = {"prediction": np.asarray(self.model.predict(data))}
                if self.signature.task == "anomaly_detection":
                    said["score"] = np.asarray(self.model.decision_function(data))
        return {answer_name(role): values for role, values in said.items()}

    def dataset(self, columns: Columns) -> Dataset:
        """Return checked columns as the data set that they are."""
        first = self.signature.given[0]
        values = columns[first.name]
        if self.signature.modality == "audio":
            return pairs_to_dataset([(first.rate, samples) for samples in values], first.rate)
        if self.signature.modality == "image":
            return _images(values)
        if self.signature.modality == "sequence":
            return sequences_to_dataset(values.tolist())
        if self.signature.task == "tagging":
            return tokens_to_dataset(values.tolist())
        pairs = [self._column(each, columns[each.name]) for each in self.signature.given]
        return Dataset([field for field, _ in pairs], {field.name: column for field, column in pairs})

    def _column(self, each: Input, values: np.ndarray) -> tuple[Field, Any]:
        if each.kind == "text":
            return text_column(each.name, values.tolist())
        if each.kind == "categorical":
            labels = values.tolist()
            code_of = self._codes[each.name] or {label: i for i, label in enumerate(sorted({*labels} - {None}))}
            codes = [code_of.get(label, -1) for label in labels]  # unknown and missing are one to the encoder
            return Field(each.name, "categorical", categories=tuple(code_of)), torch.tensor(codes)
        numbers = torch.from_numpy(values)
        if each.kind == "numbers":
            return Field(each.stem, "numeric", values.shape[1:]), numbers
        return Field(each.name, cast(Kind, each.kind)), numbers.float() if each.kind == "boolean" else numbers


def _images(pixels: np.ndarray) -> Dataset:
    """Return pictures, (n, channels, height, width), as a data set: which axis is which is known."""
    return Dataset([Field("image", "image", pixels.shape[1:])], {"image": torch.from_numpy(pixels)})


def _why_not(model: Any) -> str | None:
    """Return why a model is not served and what to do instead, behind its name; None if it is."""
    if not isinstance(model, Estimator):
        return (
            "is not served: it is no single network, and a request does not bring what stands around it. Serve the "
            "estimator inside it, if that alone may answer"
        )
    task, modality = model.tags.task, model.modality_
    kind = KINDS.get(task)
    if modality not in MODALITIES or (kind is None and task not in _OTHERS):
        return f"({task} of {modality}) is not served: {reason_of_task(task)}"
    if kind is not None and task != "forecasting":  # of forecasters that is about the graph alone
        missing = kind.missing(model)
        return missing and f"({task} of {modality}) is not served: {missing}"
    return None
