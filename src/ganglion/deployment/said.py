"""What the outputs of a graph come to for a user: the answer of `predict`, and the columns of a file.

Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganglion.data.boxes import Boxes
from ganglion.deployment.signature import Signature
from ganglion.errors import InvalidInput

FIRST = ("label", "prediction")  # the role that `predict` answers with: the first that there is
Answers = dict[str, np.ndarray]


def ragged(parts: Sequence[Any]) -> np.ndarray:
    """Return arrays, one a sample, as an array of arrays, (n_samples,)."""
    made = np.empty(len(parts), dtype=object)
    for i, part in enumerate(parts):
        made[i] = part
    return made


def joined(parts: Sequence[Answers]) -> Answers:
    """Return what was said of parts of some rows as one; places of different sizes become an array of arrays."""
    if len(parts) == 1:
        return parts[0]
    return {role: _below([part[role] for part in parts]) for role in parts[0]}


def _below(parts: Sequence[np.ndarray]) -> np.ndarray:
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    return ragged([row for part in parts for row in part])


def arranged(signature: Signature, said: Answers, feeds: Mapping[str, np.ndarray]) -> Answers:
    """Return what was said by role, each sample without what only filled up a batch.

    Parameters
    ----------
    signature : Signature
    said : dict of str to ndarray
    feeds : mapping of str to ndarray
        What it was said of.
    """
    if "label" in said and not signature.multilabel:
        said["label"] = said["label"].astype(signature.labels.dtype)  # strings as training had them
    if signature.task == "tagging":
        lengths = next(feeds[each.name] for each in signature.inputs if each.kind == "length")
        for role, values in said.items():
            said[role] = ragged([row[:n] for row, n in zip(values, lengths.tolist(), strict=True)])
    if signature.task == "speech_recognition":
        return _transcribed(signature, said)
    if signature.task == "detection":
        counts = (said["confidence"] > 0).sum(1).tolist()
        return {role: ragged([row[:n] for row, n in zip(each, counts, strict=True)]) for role, each in said.items()}
    return said


def _transcribed(signature: Signature, said: Answers) -> Answers:
    """Return the text of each recording as its label, and the probabilities of tokens at the steps that it has."""
    return {
        "label": ragged([signature.cutter.decode(ids).strip() for ids in said["tokens"]]),
        "probabilities": ragged(
            [row[:n] for row, n in zip(said["probabilities"], said["steps"].tolist(), strict=True)]
        ),
    }


def predicted(signature: Signature, said: Answers) -> np.ndarray:
    """Return what `predict` answers, from all that is said by role.

    Parameters
    ----------
    signature : Signature
    said : dict of str to ndarray

    Raises
    ------
    InvalidInput
        If a model says neither labels nor numbers.
    """
    if signature.task == "detection":
        found = zip(said["boxes"], said["label"], said["confidence"], strict=True)
        return ragged([Boxes(*parts) for parts in found])
    role = next((each for each in FIRST if each in said), None)
    if role is None:
        raise InvalidInput(f"a {signature.estimator} codes rows, and predicts nothing. Ask for transform(X).")
    return ragged([each.tolist() for each in said[role]]) if signature.task == "tagging" else said[role]


def as_columns(signature: Signature, said: Answers, *, probabilities: bool) -> dict[str, np.ndarray]:
    """Return all that is said as columns of a table, one value a row, under the names that `ganglion predict` has.

    Parameters
    ----------
    signature : Signature
    said : dict of str to ndarray
        Of taggers each row has its labels, a blank between them; of forecasters there is a row a step, of detectors
        a row an object.
    probabilities : bool
        Whether those of classes are wanted too.
    """
    if signature.task == "detection":
        return _of_objects(said)
    if signature.task == "tagging":
        return _of_steps(said, probabilities=probabilities)
    if signature.task == "speech_recognition":
        return {"prediction": said["label"]}
    if signature.task == "forecasting":
        return _of_steps_ahead(signature, said)
    columns: Answers = {}
    for role in (*FIRST, "score", "codes"):
        if role in said:
            name = "prediction" if role in FIRST else role.removesuffix("s")
            columns |= _beside(name, said[role])
    if probabilities and "probabilities" in said:
        shares = said["probabilities"].T
        columns |= {f"p_{label}": share for label, share in zip(signature.classes, shares, strict=True)}
    return columns


def _of_objects(said: Answers) -> Answers:
    rows = np.repeat(np.arange(len(said["boxes"])), [len(each) for each in said["boxes"]])
    corners = np.concatenate(said["boxes"].tolist())
    return {
        "row": rows,
        "prediction": np.concatenate(said["label"].tolist()),
        "score": np.concatenate(said["confidence"].tolist()),
        **dict(zip(("left", "top", "right", "bottom"), corners.T, strict=True)),
    }


def _of_steps(said: Answers, *, probabilities: bool) -> Answers:
    columns = {"prediction": [" ".join(map(str, each.tolist())) for each in said["label"]]}
    if probabilities:
        columns["probability"] = [" ".join(f"{p:.3f}" for p in each.max(axis=1)) for each in said["probabilities"]]
    return {name: np.array(column, dtype=object) for name, column in columns.items()}


def _of_steps_ahead(signature: Signature, said: Answers) -> Answers:
    points, n_targets = said["prediction"], signature.series["targets"]
    n, horizon = points.shape[:2]
    columns = {"series": np.repeat(np.arange(n), horizon)} if n > 1 else {}
    columns["step"] = np.tile(np.arange(1, horizon + 1), n)
    for i, name in enumerate(signature.columns[:n_targets]):
        columns[name] = points.reshape(n * horizon, n_targets)[:, i]
        if "quantiles" in said:
            levels = said["quantiles"].reshape(n * horizon, n_targets, -1)[:, i].T
            columns |= {f"{name}_{level:g}": each for level, each in zip(signature.levels, levels, strict=True)}
    return columns


def _beside(name: str, values: np.ndarray) -> Answers:
    """Return values of a row as columns, numbered where there are several."""
    return {name: values} if values.ndim == 1 else {f"{name}_{i}": column for i, column in enumerate(values.T)}
