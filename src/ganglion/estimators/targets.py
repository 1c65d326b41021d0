"""What is predicted: how labels or numbers become a tensor, how wide the network's scores are, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganglion.errors import InvalidInput, InvalidModel
from ganglion.estimators.alarms import AlarmTarget, alarm_target
from ganglion.estimators.answers import TextTarget, text_target
from ganglion.estimators.forecasts import ForecastTarget, forecast_target
from ganglion.estimators.itself import Itself, itself
from ganglion.estimators.masks import MaskTarget, mask_target
from ganglion.estimators.next_chord import NextChordTarget, next_chord_target
from ganglion.estimators.next_token import NextTokenTarget, next_token_target
from ganglion.estimators.objects import BoxTarget, box_target
from ganglion.estimators.tags import TagTarget, tag_target
from ganglion.estimators.transcripts import TranscriptTarget, transcript_target
from ganglion.networks import outputs

_DTYPES = {"str": np.str_, "int": np.int64, "float": np.float64, "bool": np.bool_}


@dataclass(frozen=True, eq=False)
class ClassTarget:
    """One class out of several, or with `multilabel` any number of labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The classes, sorted; with `multilabel` the columns' numbers.
    multilabel : bool
    """

    classes: np.ndarray
    multilabel: bool = False

    @classmethod
    def fit(cls, y: np.ndarray) -> ClassTarget:
        """Learn the classes of training labels, (n_samples,), or of an indicator matrix, (n_samples, n_labels)."""
        if y.ndim == 2:
            return cls(np.arange(y.shape[1]), multilabel=True)
        classes = np.unique(y)
        if len(classes) < 2:
            raise InvalidInput(
                f"the target has one class only, {classes.tolist()[0]!r}, so there is nothing to tell apart. "
                "Give rows of at least two classes (rows of weight 0 do not count)."
            )
        return cls(classes)

    @property
    def n_scores(self) -> int:
        """Width of the network's scores: two classes need one."""
        return 1 if self.binary else len(self.classes)

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2 and not self.multilabel

    def output(self) -> nn.Module:
        """Return the output layer that turns scores into probabilities."""
        if self.multilabel:
            return outputs.Sigmoid()
        return outputs.Bernoulli() if self.binary else outputs.Softmax()

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Tensor:
        """Return labels as the losses take them: (n,) int64, or (n, n_labels) of zeros and ones.

        Raises
        ------
        InvalidInput
            If a label was not among the training labels.
        """
        if self.multilabel:
            return torch.as_tensor(np.asarray(y, dtype=np.float64)).to(dtype)
        position = np.clip(np.searchsorted(self.classes, y), 0, len(self.classes) - 1)
        unknown = np.unique(y[self.classes[position] != y])
        if len(unknown):
            raise InvalidInput(
                f"y holds the labels {unknown[:5].tolist()}, which are not among the classes of training, "
                f"{self.classes[:20].tolist()}. Leave these rows out, or train on rows that have them."
            )
        codes = torch.as_tensor(position)
        return codes[:, None].to(dtype) if self.binary else codes

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        kinds = {"U": "str", "O": "str", "i": "int", "u": "int", "f": "float", "b": "bool"}
        kind = kinds[self.classes.dtype.kind]
        return {"kind": "classes", "dtype": kind, "classes": self.classes.tolist(), "multilabel": self.multilabel}


@dataclass(frozen=True, eq=False)
class NumberTarget:
    """One number a sample or several.

    Attributes
    ----------
    n_targets : int
    flat : bool
        Whether predictions have shape (n_samples,), as the training target had.
    mean, deviation : ndarray of shape (n_targets,)
        The network learns (y - mean) / deviation; (0, 1) where a loss needs the numbers as they are.
    normal : bool
        Whether the scores hold a mean and a log variance for each target.
    positive : bool
        Whether the scores are logarithms of rates.
    """

    n_targets: int
    flat: bool
    mean: np.ndarray
    deviation: np.ndarray
    normal: bool = False
    positive: bool = False

    @classmethod
    def fit(cls, y: np.ndarray, weight: np.ndarray | None, *, normal: bool, positive: bool) -> NumberTarget:
        """Learn the scale of training targets, (n_samples,) or (n_samples, n_targets)."""
        flat = y.ndim == 1
        columns = y.reshape(len(y), -1).astype(np.float64)
        mean = np.average(columns, axis=0, weights=weight)
        deviation = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
        constant = deviation <= 1e-12 * np.abs(columns).max(axis=0)
        deviation = np.where(constant, 1.0, deviation)
        if positive:
            if (columns < 0).any():
                raise InvalidInput(
                    f"loss='poisson' needs targets of 0 or more, but the lowest is {columns.min():g}. "
                    "Use loss='mse', or shift the target."
                )
            mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
        return cls(columns.shape[1], flat, mean, deviation, normal, positive)

    @property
    def n_scores(self) -> int:
        """Width of the network's scores."""
        return self.n_targets * (2 if self.normal else 1)

    def output(self) -> nn.Module:
        """Return the output layer that turns scores into numbers in the target's own units."""
        if self.positive:
            return outputs.Exponential()
        layer = (outputs.RescaleNormal if self.normal else outputs.Rescale)(self.n_targets)
        if layer.mean.device.type != "meta":
            layer.adapt(torch.from_numpy(self.mean), torch.from_numpy(self.deviation))
        return layer

    def encode(self, y: np.ndarray, dtype: torch.dtype) -> Tensor:
        """Return targets in the network's units, (n_samples, n_targets)."""
        columns = y.reshape(len(y), -1).astype(np.float64)
        if columns.shape[1] != self.n_targets:
            raise InvalidInput(
                f"y has {columns.shape[1]} targets a row, but the model was trained on {self.n_targets}. Give the same."
            )
        return torch.from_numpy((columns - self.mean) / self.deviation).to(dtype)

    def to_json(self) -> dict[str, Any]:
        """Return everything needed to make the same target again."""
        return {
            "kind": "numbers",
            "n_targets": self.n_targets,
            "flat": self.flat,
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "normal": self.normal,
            "positive": self.positive,
        }


def target_from_json(
    stored: Any,
) -> (
    AlarmTarget
    | BoxTarget
    | ClassTarget
    | ForecastTarget
    | MaskTarget
    | NextChordTarget
    | NextTokenTarget
    | NumberTarget
    | TagTarget
    | TextTarget
    | TranscriptTarget
    | Itself
):
    """Make a target again from `to_json`, believing nothing: any flaw raises InvalidModel."""
    try:
        if stored["kind"] == "classes":
            return _class_target(stored)
        if stored["kind"] == "numbers":
            return _number_target(stored)
        if stored["kind"] == "masks":
            return mask_target(stored)
        if stored["kind"] == "boxes":
            return box_target(stored)
        if stored["kind"] == "next_token":
            return next_token_target(stored)
        if stored["kind"] == "next_chord":
            return next_chord_target(stored)
        if stored["kind"] == "tags":
            return tag_target(stored)
        if stored["kind"] == "forecast":
            return forecast_target(stored)
        if stored["kind"] == "alarms":
            return alarm_target(stored)
        if stored["kind"] == "texts":
            return text_target(stored)
        if stored["kind"] == "itself":
            return itself(stored)
        if stored["kind"] == "transcripts":
            return transcript_target(stored)
        raise ValueError(f"kind {stored['kind']!r}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidModel(f"the model file's description of its target is damaged ({error}).") from error


def _class_target(stored: dict[str, Any]) -> ClassTarget:
    values, python = stored["classes"], {"str": str, "int": int, "float": float, "bool": bool}[stored["dtype"]]
    if not isinstance(values, list) or len(values) < 1 or not all(type(value) is python for value in values):
        raise ValueError("classes")
    classes = np.array(values, dtype=_DTYPES[stored["dtype"]])
    if type(stored["multilabel"]) is not bool or (len(values) < 2 and not stored["multilabel"]):
        raise ValueError("fewer than two classes")
    if len(np.unique(classes)) != len(classes) or (np.sort(classes) != classes).any():
        raise ValueError("classes must differ and be sorted")
    return ClassTarget(classes, stored["multilabel"])


def _number_target(stored: dict[str, Any]) -> NumberTarget:
    n_targets = stored["n_targets"]
    mean, deviation = (np.array(stored[name], dtype=np.float64) for name in ("mean", "deviation"))
    flags = [stored[name] for name in ("flat", "normal", "positive")]
    if type(n_targets) is not int or mean.shape != (n_targets,) or deviation.shape != (n_targets,) or n_targets < 1:
        raise ValueError("n_targets")
    if not all(type(flag) is bool for flag in flags) or not np.isfinite([mean, deviation]).all():
        raise ValueError("scale")
    return NumberTarget(n_targets, flags[0], mean, deviation, flags[1], flags[2])
