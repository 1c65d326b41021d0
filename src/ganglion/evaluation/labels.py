"""Labels of other data, matched with the classes that a model knows.

Test files spell labels as they like: the Adult test file says ">50K." where the training file says ">50K". Labels that
are equal are matched as they are; the others after trimming spaces and a final full stop, lowering the case, and
reading numbers as numbers. Each class takes at most one spelling, and every spelling that was changed is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.predictions import Array

SHOWN = 20  # labels named in a message


def match_labels(y: Array, classes: Sequence[Any], *, model: str = "the model") -> Array:
    """Return the class of each label as a code into `classes`.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels without missing values.
    classes : sequence
        The classes that a model was trained on, in its order.
    model : str
        The name of the model, for messages.

    Returns
    -------
    ndarray of shape (n,), int64
        In [0, n_classes).

    Raises
    ------
    InvalidInput
        If a label matches no class, or two spellings mean the same class.

    Warns
    -----
    DataWarning
        If a label was matched in another spelling.
    """
    found, inverse = _unique(y)
    code_of = {label: code for code, label in enumerate(classes)}
    codes = {label: code_of[label] for label in found if label in code_of}
    rest = [label for label in found if label not in codes]
    if rest:
        _refuse_strangers(rest, codes, classes, model)
        taken = {label: _class_of(label, classes) for label in rest}
        _refuse_doubles(codes, taken, classes)
        codes |= {label: code_of[name] for label, name in taken.items()}
        spelled = ", ".join(f"{label!r} as {name!r}" for label, name in list(taken.items())[:SHOWN])
        warnings.warn(f"labels of y were matched with the model's classes: {spelled}.", DataWarning, stacklevel=4)
    return np.array([codes[label] for label in found], dtype=np.int64)[inverse]


def normalised(label: Any) -> str:
    """Return the plain spelling of a label: " >50K." and ">50k" are one, so are 1, 1.0 and "1"."""
    text = str(label).strip().rstrip(".").strip().casefold()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else str(number)


def _unique(y: Array) -> tuple[list[Any], Array]:
    """Return the labels that occur, and for each row its place among them; labels may be of mixed types."""
    if y.dtype != object:
        values, inverse = np.unique(y, return_inverse=True)
        return values.tolist(), inverse
    place: dict[Any, int] = {}
    inverse = np.array([place.setdefault(label, len(place)) for label in y.tolist()], dtype=np.int64)
    return list(place), inverse


def _class_of(label: Any, classes: Sequence[Any]) -> Any:
    """Return the one class that a label is another spelling of, or None."""
    plain = normalised(label)
    near = [name for name in classes if normalised(name) == plain]
    if not near:  # True may be written as 1
        near = [name for name in classes if _bit(normalised(name)) == _bit(plain)]
    return near[0] if len(near) == 1 else None


def _bit(plain: str) -> str:
    return {"true": "1", "false": "0"}.get(plain, plain)


def _refuse_strangers(rest: list[Any], codes: dict[Any, int], classes: Sequence[Any], model: str) -> None:
    strangers = [label for label in rest if _class_of(label, classes) is None]
    if strangers:
        known = ", ".join(repr(name) for name in list(classes)[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
        named = ", ".join(repr(label) for label in strangers[:SHOWN]) + (", …" if len(strangers) > SHOWN else "")
        hint = "" if codes else " Is this the target that the model was trained on?"
        raise InvalidInput(
            f"y holds labels that {model} was not trained on: {named}. Its classes are: {known}. Rename these labels, "
            f"leave their rows out, or train on data that has them.{hint}"
        )


def _refuse_doubles(codes: dict[Any, int], taken: dict[Any, Any], classes: Sequence[Any]) -> None:
    spelling_of: dict[Any, Any] = {classes[code]: label for label, code in codes.items()}
    for label, name in taken.items():
        if name in spelling_of:
            raise InvalidInput(
                f"y spells the class {name!r} in two ways, {spelling_of[name]!r} and {label!r}. It cannot be known "
                "whether they are meant to be the same: write them alike first."
            )
        spelling_of[name] = label
