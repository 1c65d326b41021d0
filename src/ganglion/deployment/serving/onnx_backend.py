"""The backend of exported models: onnxruntime, several times as fast as PyTorch where a request has few rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ganglion.data.summary import Summary, summary_from_json
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.said import Answers, joined
from ganglion.deployment.serving.backend import answer_name, joins
from ganglion.deployment.serving.columns import Columns
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidInput

TOGETHER = 2**20  # letters, steps or samples, with those that only fill up, that are laid side by side


class OnnxBackend:
    """Answers by an exported model.

    Parameters
    ----------
    model : OnnxModel
    original : backend, optional
        That of the estimator that was exported, where it is at hand: it explains, and fills the gaps of series.
    """

    engine = "onnxruntime"
    platform = "onnxruntime_onnx"

    def __init__(self, model: OnnxModel, original: Any = None) -> None:
        self.model, self._original = model, original
        self.signature: Signature = model.signature.brought.written  # uploads are resized while they are read
        known = original is not None
        self.summary: Summary | None = original.summary if known else summary_from_json(model.summary)
        self.note = ""
        self.joins = joins(self.signature)
        self.is_quick = not (known and self.signature.modality == "series")
        self._names = [(each.name, answer_name(each.role)) for each in self.signature.outputs]

    @property
    def original(self) -> Any:
        """The backend of the estimator, where it is at hand; else this one."""
        return self._original or self

    def answer(self, columns: Columns) -> Answers:
        """Return what is said of checked columns, one part a row; see `Backend`."""
        if self.signature.modality == "table":
            said = self.model.run_checked({name: _fed(values) for name, values in columns.items()})
            return {role: said[name] for name, role in self._names}
        if self.signature.modality == "series":
            return self._ahead(columns)
        (values,) = columns.values() if len(columns) == 1 else (None,)
        if values is None:  # several columns of text, which are joined
            return self._named(self.model.answer(columns))
        groups = list(self._groups(values))
        said = joined([self.model.answer(self._form(values[places])) for places in groups])
        if len(groups) == 1:
            return self._named(said)
        back = np.argsort(np.concatenate(groups))
        return self._named({role: each[back] for role, each in said.items()})

    def _named(self, said: Answers) -> Answers:
        named = {answer_name(role): values for role, values in said.items()}
        return {name: named[name] for _, name in self._names}

    def _ahead(self, columns: Columns) -> Answers:
        """Return a forecast: by the estimator where steps are missing, which fills them, if it is at hand."""
        try:
            return self._named(self.model.answer(columns))
        except InvalidInput:
            if self._original is None:
                raise
            return self._original.answer(columns)

    def _groups(self, values: np.ndarray) -> Iterator[np.ndarray]:
        """Return the places of rows that are answered at once: few where one of them is long or large."""
        if self.signature.any_size:
            yield from np.arange(len(values))[:, None]
            return
        if self.signature.modality == "image":
            yield np.arange(len(values))
            return
        lengths = np.array([len(each) for each in values])
        order = np.argsort(lengths, kind="stable") if len(values) * lengths.max() > TOGETHER else np.arange(len(values))
        while len(order):
            together = np.arange(1, len(order) + 1) * np.maximum.accumulate(lengths[order]) <= TOGETHER
            n = max(1, int(together.sum()))
            yield order[:n]
            order = order[n:]

    def _form(self, values: np.ndarray) -> Any:
        """Return rows as the model takes them."""
        if self.signature.modality == "image":
            pixels = np.stack(list(values)) if self.signature.any_size else values
            return {self.signature.inputs[0].name: np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))}
        if self.signature.modality == "audio":
            return [(self.signature.inputs[0].rate, samples) for samples in values]
        return values.tolist()


def _fed(values: np.ndarray) -> np.ndarray:
    """Return a checked column as the graph takes it: (n, 1), and no text where one is missing."""
    if values.dtype == object and None in (listed := values.tolist()):
        values = np.array(["" if value is None else value for value in listed], dtype=object)
    return values if values.ndim == 2 else values[:, None]
