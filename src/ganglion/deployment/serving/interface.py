"""What a served model takes and answers: read by the checks, the protocol, the page and OpenAPI alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganglion.data.dataset import Kind

_EXAMPLES: dict[str, Any] = {
    "numeric": 1.5,
    "boolean": True,
    "date": "2024-03-31",
    "text": "some words",
    "categorical": "",
}
_ALLOWED = {
    "numeric": "a number, or null where it is missing",
    "boolean": "true or false, or null where it is missing",
    "date": "a date as text, such as '2024-03-31' or '2024-03-31T14:05', or null where it is missing",
    "categorical": "a text, or null where it is missing",
    "text": "a text",
}
MODALITIES = ("table", "text", "image", "audio")
TASKS = ("classification", "regression", "segmentation", "detection", "tagging", "translation", "speech_recognition")


@dataclass(frozen=True, slots=True)
class Input:
    """One column, or a picture or recording.

    Attributes
    ----------
    name : str
    kind : Kind
        "numeric", "boolean", "date", "categorical", "text", "image" or "audio".
    shape : tuple of int
        Of one row; empty for one value. Of a picture (channels, height, width), to which others are brought.
    categories : tuple of str
        Those that training had often enough; others are allowed, and read as unknown.
    rate : int
        Samples a second, of recordings.
    typical : float or None
        The middle of the training values, of numbers, where it is known.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    rate: int = 0
    typical: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns: a block of numbers has several."""
        return tuple(f"{self.name}{i}" for i in range(self.shape[0])) if self.shape else (self.name,)

    @property
    def allowed(self) -> str:
        """What a value may be, in words."""
        known = ", ".join(map(repr, self.categories[:8])) + (", …" if len(self.categories) > 8 else "")
        return _ALLOWED[self.kind] + (f" (training had {known})" if known else "")

    @property
    def example(self) -> Any:
        """A value that is allowed."""
        if self.typical is not None and self.kind == "numeric":
            return self.typical
        return self.categories[0] if self.categories else _EXAMPLES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a model takes and answers.

    Attributes
    ----------
    estimator : str
    task : str
        As in `Tags`.
    modality : str
        "table", "text", "image" or "audio".
    inputs : tuple of Input
    classes : tuple
        Labels, in the order of the probabilities; empty where there are none.
    targets : int
        How many numbers or labels are predicted of a row.
    target : str
        The name of what is predicted, or empty.
    resize : str
        How pictures are brought to the size of training.
    """

    estimator: str
    task: str
    modality: str
    inputs: tuple[Input, ...]
    classes: tuple[Any, ...] = ()
    targets: int = 1
    target: str = ""
    resize: str = "stretch"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(name for each in self.inputs for name in each.columns)

    def example_row(self) -> dict[str, Any]:
        """Return a row that is allowed."""
        return {name: each.example for each in self.inputs for name in each.columns}
