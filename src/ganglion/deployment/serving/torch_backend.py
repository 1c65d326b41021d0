"""The backend of fitted estimators, on PyTorch: where a model has no exported form, and to explain."""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

import numpy as np
import torch

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.recordings import pairs_to_dataset
from ganglion.data.strings import text_column
from ganglion.data.summary import Summary
from ganglion.data.text_encoding import TextEncoder
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.serving.interface import MODALITIES, TASKS, Input, Interface
from ganglion.errors import DataWarning, InvalidModel
from ganglion.estimators.artifact import load

_TURN = threading.Lock()


def one_at_a_time() -> threading.Lock:
    """Return the lock under which torch is asked: its threads and precision are set for the whole process."""
    return _TURN


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


def interface_of(model: Any) -> Interface:
    """Return the interface of a fitted estimator.

    Raises
    ------
    InvalidModel
        If it is of a task or modality that is not served.
    """
    task, modality = model.tags.task, model.modality_
    name = type(model).__name__
    if task not in TASKS or modality not in MODALITIES:
        raise InvalidModel(
            f"{name} ({task} of {modality}) is not served: a request is answered row by row, so that served are "
            f"{', '.join(TASKS)} of {', '.join(MODALITIES)}. Use it from Python or by `ganglion predict`."
        )
    classes = tuple(getattr(model, "classes_", ()))
    return Interface(
        estimator=name,
        task=task,
        modality=modality,
        inputs=_inputs(model.encoder_, getattr(model, "summary_", None)),
        classes=tuple(each.item() if hasattr(each, "item") else each for each in classes),
        targets=_n_targets(model),
        target=model.target_name_ if hasattr(model, "target_name_") else "",
        resize=getattr(model.encoder_, "resize", "stretch"),
    )


def _inputs(encoder: Any, summary: Summary | None) -> tuple[Input, ...]:
    if isinstance(encoder, TableEncoder):
        middle = summary.middles if summary else {}
        return tuple(
            Input(each.name, each.kind, each.shape, each.categories, typical=middle.get(each.name))
            for each in encoder.fields
        )
    if isinstance(encoder, ImageEncoder):
        return (Input("image", "image", tuple(encoder.shape)),)
    if isinstance(encoder, TextEncoder):
        return tuple(Input(name, "text") for name in encoder.columns or ("text",))
    if encoder.spec.audio:
        return (Input("audio", "audio", rate=encoder.spec.audio),)
    return (Input(getattr(encoder, "column", "") or "text", "text"),)  # words, for a tagger


def _n_targets(model: Any) -> int:
    target = model.target_
    if getattr(target, "multilabel", False):
        return len(target.classes)
    return 1 if getattr(target, "flat", True) else int(target.n_targets)
