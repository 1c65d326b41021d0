"""What is to be learned, told from the target alone.

    target                                                     task
    strings, truth values: one or two classes · more           binary · multiclass
    numbers with fractions                                      regression
    whole numbers: two values                                   binary
    … up to 10 values that stand 4 times each on average        multiclass
    … up to 20 values that stand 20 times each on average       multiclass
    … other                                                     regression
    several columns of 0 and 1 · of other numbers               multilabel · multioutput_regression
    a class of every pixel, (n, height, width)                  segmentation
    boxes around objects, one `Boxes` a picture                 detection
    a list of labels a sample, one for each token               tagging
    texts: most differ, and have 5 words or more                translation (any text that answers a text)
    texts beside recordings: most differ                       speech_recognition
    none, beside texts                                          language_modelling
    none, beside pieces of music                                music_modelling
    numbers, in a table with a regular time (see `series_task`) forecasting; if asked for, anomaly_detection
    none, if asked for                                         generation (new data like these), reconstruction

Missing values (None, NaN) are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ganglion.data.boxes import holds_boxes
from ganglion.data.strings import TEXT_DISTINCT_SHARE, TEXT_WORDS
from ganglion.errors import InvalidInput

TaskName = Literal[
    "binary",
    "multiclass",
    "multilabel",
    "regression",
    "multioutput_regression",
    "segmentation",
    "detection",
    "tagging",
    "translation",
    "speech_recognition",
    "language_modelling",
    "music_modelling",
    "forecasting",
    "anomaly_detection",
    "generation",
    "reconstruction",
]
ALONE = ("language_modelling", "music_modelling", "generation", "reconstruction")  # what is learned from features alone
MAKING = ("generation", "reconstruction")  # of these, what says the data themselves
_REPEATS = ((10, 4), (20, 20))  # (so many values at most, so often each on average) make classes of whole numbers


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learned, and why it was taken for that."""

    name: TaskName
    reason: str

    @property
    def kind(self) -> str:
        """The word that algorithms have for it: "classification", "regression", or the task's own name."""
        return "classification" if self.is_classification else self.name.removeprefix("multioutput_")

    @property
    def is_classification(self) -> bool:
        """Whether classes are predicted, not numbers."""
        return self.name in ("binary", "multiclass", "multilabel")


MUSIC = Task("music_modelling", "the data are pieces of music, and there is no target")


def infer_task(y: Any, *, heard: bool = False) -> Task:
    """Return the task that a target stands for, by the rule at the top of the module.

    Parameters
    ----------
    y : array-like of shape (n_samples,), (n_samples, n_targets) or (n_samples, height, width), or sequence, or None
        Labels, numbers, masks or texts; sequences of `Boxes`, or of lists of labels.
    heard : bool
        Whether the samples are recordings, of which texts are transcripts.

    Raises
    ------
    InvalidInput
        If there is no value at all, or several columns hold strings.
    """
    if holds_boxes(y):
        return Task("detection", "the target holds boxes around objects")
    if y is None:
        return Task("language_modelling", "there is no target")
    if holds_lists(y):
        return Task("tagging", "the target holds a list of labels for each sample")
    array = np.asarray(y)
    if array.ndim == 3 and array.dtype.kind in "bui":
        return Task("segmentation", "the target holds a class of every pixel")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.size == 0 or array.ndim == 0:
        raise InvalidInput(f"the target has no values (shape {array.shape}). Give one label or number a sample.")
    numbers = _numbers(array)
    if heard and array.ndim == 1 and numbers is None and _mostly_differ(array):
        return Task("speech_recognition", "the target holds texts, most of which differ, beside recordings")
    if array.ndim == 1 and numbers is None and _are_texts(array):
        return Task("translation", "the target holds texts")
    if array.ndim > 1:
        return _several_columns(array, numbers)
    if numbers is None:
        return _classes(array)
    present = numbers[~np.isnan(numbers)]
    if not len(present):
        raise InvalidInput("the target holds nothing but missing values. Choose another column.")
    return _from_numbers(present)


def holds_lists(y: Any) -> bool:
    """Say whether a target is a list of labels for each sample, of different lengths or of strings."""
    if not isinstance(y, list | tuple) and not (isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1):
        return False
    return len(y) > 0 and all(isinstance(each, list | tuple) and all(isinstance(t, str) for t in each) for each in y)


def _are_texts(array: np.ndarray) -> bool:
    texts = [value for value in array.tolist() if isinstance(value, str)]
    if len(texts) < 2:
        return False
    n_words = sum(len(text.split()) for text in texts) / len(texts)
    return n_words >= TEXT_WORDS and _mostly_differ(array)


def _mostly_differ(array: np.ndarray) -> bool:
    texts = [value for value in array.tolist() if isinstance(value, str)]
    return len(texts) > 1 and len(set(texts)) > TEXT_DISTINCT_SHARE * len(texts)


def _numbers(array: np.ndarray) -> np.ndarray | None:
    """Return a target as float64, or None when it holds labels."""
    if array.dtype.kind in "iuf":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind != "O" or any(isinstance(value, str | bool | np.bool_) for value in array.flat):
        return None
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _classes(labels: np.ndarray) -> Task:
    present = {label for label in labels.tolist() if label is not None and label == label}  # NaN differs from itself
    if not present:
        raise InvalidInput("the target holds nothing but missing values. Choose another column.")
    what = "truth values" if all(isinstance(label, bool) for label in present) else "labels"
    classes = "1 class" if len(present) == 1 else f"{len(present)} classes"
    return Task("binary" if len(present) <= 2 else "multiclass", f"the target holds {what} of {classes}")


def _from_numbers(present: np.ndarray) -> Task:
    if np.any(present != np.floor(present)):
        return Task("regression", "the target holds numbers with fractions")
    n_distinct, n = len(np.unique(present)), len(present)
    often = f"the target holds whole numbers, {n_distinct} different ones in {n} rows"
    if n_distinct <= 2 or any(n_distinct <= most and n >= times * n_distinct for most, times in _REPEATS):
        return Task("binary" if n_distinct <= 2 else "multiclass", f"{often}: few enough to be classes")
    return Task("regression", f"{often}: too many to be classes")


def _several_columns(array: np.ndarray, numbers: np.ndarray | None) -> Task:
    if array.dtype.kind == "b":
        numbers = array.astype(np.float64)
    if numbers is None or array.ndim > 2:
        raise InvalidInput(
            f"a target of shape {array.shape} and type {array.dtype} is not supported. Several columns must hold "
            "numbers: 0 and 1 for labels that can occur together. Fit one model a column instead."
        )
    if np.isin(numbers[~np.isnan(numbers)], (0, 1)).all():
        return Task("multilabel", f"the target has {array.shape[1]} columns of 0 and 1")
    return Task("multioutput_regression", f"the target has {array.shape[1]} columns of numbers")
