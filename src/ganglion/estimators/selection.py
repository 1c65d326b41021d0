"""Choosing an algorithm for data: by what the target says of the task, and by what each algorithm says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.boxes import holds_boxes
from ganglion.data.chords import is_music
from ganglion.data.dataset import Dataset
from ganglion.data.encoders import modality_of
from ganglion.data.series_task import series_reason
from ganglion.data.task import ALONE, MUSIC, Task, holds_lists, infer_task
from ganglion.data.text_encoding import are_texts_alone
from ganglion.data.tokens import holds_tokens, tokens_to_dataset
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.labels import read_numbers
from ganglion.registry import algorithm, all_algorithms

TASKS = (
    "classification",
    "regression",
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
)
OF_SERIES = ("forecasting", "anomaly_detection")  # tasks whose data hold everything
_CALLED = {
    "image": "images",
    "table": "a table",
    "text": "texts",
    "sequence": "sequences of numbers",
    "music": "pieces of music",
    "series": "series",
    "audio": "recordings",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """An algorithm that suits some data.

    Attributes
    ----------
    name : str
        The algorithm's name in the registry.
    task : Task
        What is to be learned, and why it was taken for that.
    reason : str
        Why this algorithm, in one sentence.
    """

    name: str
    task: Task
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"

    def estimator(self, **options: Any) -> Any:
        """Return a new estimator of this algorithm with these options."""
        return algorithm(self.name)(**options)


def select(data: Any, y: Any = None, *, target: Any = None, task: str | None = None) -> Selection:
    """Return the algorithm that suits data best.

    Parameters
    ----------
    data : path, Dataset, array-like or frame
        What `read` or `fit` take.
    y : array-like of shape (n_samples,) or (n_samples, n_targets), optional
        The target; not needed for a Dataset or a file that names its own.
    target : str or int, optional
        The target column of a file or Dataset.
    task : one of `TASKS`, optional
        Overrides what the target looks like.

    Returns
    -------
    Selection
        Call `.estimator()` on it.

    Raises
    ------
    InvalidInput
        If there is no target, and more than texts to learn from, or no algorithm suits.
    """
    X, y = features_and_target(data, y, target, task)
    heard = modality_of(X) == "audio"
    alone = MUSIC if y is None and task is None and is_music(X) else _series_task(X, y, task)
    found = alone or task_of(y, task, heard=heard)
    modality = "series" if found.name in OF_SERIES else modality_of(X)
    for name, cls in all_algorithms().items():
        if cls.tags.task == found.kind and modality in cls.tags.preferred_for:
            return Selection(name, found, f"{found.name.replace('_', ' ')} from {_CALLED[modality]}; {found.reason}")
    raise InvalidInput(f"no algorithm here learns {found.kind} from data of the kind {modality!r}.")


def features_and_target(
    data: Any, y: Any = None, target: Any = None, task: str | None = None
) -> tuple[Dataset, np.ndarray | None]:
    """Return features and target of whatever `select` takes; texts alone have no target."""
    from ganglion.data.convert import as_dataset
    from ganglion.data.read import read, with_target

    if isinstance(data, str) or hasattr(data, "__fspath__"):
        dataset = read(data)
    else:
        dataset = tokens_to_dataset(data) if holds_tokens(data) and holds_lists(y) else as_dataset(data)
    if target is not None:
        dataset = with_target(dataset, target)
    if y is None and (task in OF_SERIES or (task is None and series_reason(dataset))):
        return dataset, None
    if y is None and task in ALONE:
        return dataset.drop(dataset.target), None
    if y is None and (are_texts_alone(dataset) or is_music(dataset)):
        return dataset, None
    if y is not None and holds_lists(y):  # as an array, lists of one length would be a matrix
        labels = np.empty(len(y), dtype=object)
        labels[:] = list(y)
        return dataset, labels
    return dataset.X_y() if y is None else (dataset, np.asarray(y))


def _series_task(X: Dataset, y: np.ndarray | None, task: str | None) -> Task | None:
    """Return the task that is asked for of series, or forecasting if the rows look like steps, or None."""
    if task in OF_SERIES and (y is None or task == "anomaly_detection"):
        return Task(task, "as asked")  # type: ignore[arg-type]
    reason = series_reason(X) if y is None and task is None else ""
    return Task("forecasting", reason) if reason else None


def task_of(y: np.ndarray | None, override: str | None = None, *, heard: bool = False) -> Task:
    """Return the task that a target stands for, `heard` beside recordings, unless `override` names another."""
    if override is None:
        return infer_task(y, heard=heard)
    if override in (*OF_SERIES, *ALONE):
        return Task(override, "as asked")  # type: ignore[arg-type]
    if override not in TASKS:
        raise InvalidParameter(f"task={override!r}: a task is {' or '.join(map(repr, TASKS))}.")
    if y is None:
        raise InvalidInput(f"task={override!r} needs a target, and there is none. Name it: target=….")
    found = "detection" if holds_boxes(y) else "segmentation" if y.ndim == 3 else "tagging" if holds_lists(y) else ""
    if found and found != override:
        raise InvalidParameter(
            f"task={override!r}: the target is one of {found}. Leave the task out, or give {found!r}."
        )
    if override in ("translation", "speech_recognition"):
        return Task(override, "as asked")
    if override in ("segmentation", "detection", "tagging"):
        if not found:
            raise InvalidInput(
                f"task={override!r} needs a target of masks, boxes or lists of labels, but it has shape {y.shape}."
            )
        return Task(override, "as asked")
    if override == "regression":
        if y.dtype.kind not in "biuf":
            read_numbers(y, len(y), several=True)  # refuses text, and says so
        return Task("regression" if y.ndim == 1 else "multioutput_regression", "as asked")
    n_classes = len(np.unique(y.astype(str))) if y.ndim == 1 else 0
    return Task("multilabel" if y.ndim == 2 else "binary" if n_classes == 2 else "multiclass", "as asked")


def labels_of(y: np.ndarray, task: Task) -> np.ndarray:
    """Return a target as its task wants it: classes that are whole numbers as integers, as people write them."""
    if not task.is_classification or y.dtype.kind != "f":
        return y
    present = y[~np.isnan(y)]
    whole = len(present) == len(y) and (present == np.round(present)).all()
    return y.astype(np.int64) if whole else y
