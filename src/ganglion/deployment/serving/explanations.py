"""Why a served model says what it says of rows, by `ganglion.explain` on the estimator itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ganglion.data.summary import ColumnSummary, Summary
from ganglion.deployment.serving.columns import Columns, columns_of
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.serving.torch_backend import TorchBackend, one_at_a_time
from ganglion.deployment.signature import Signature
from ganglion.errors import ExplanationWarning, GanglionError
from ganglion.explanation.explain import explain

_METHODS = {"table": "permutation"}  # "auto" would ask a table up to a million times, which takes seconds
_LEAST = 10  # rows that are a background to one another
BACKGROUND = 50  # rows made from the summary of the training data


def explanations(asked: Asked) -> list[dict[str, Any]]:
    """Return the explanation of each row of a request.

    Raises
    ------
    Refused
        422 if the model cannot be explained, or a row will not do.
    """
    backend = asked.backend.original
    others = _others(backend)
    if others is None and backend.signature.modality == "table" and len(asked) < _LEAST:
        raise Refused(
            422,
            "the model file holds no summary of its training data to compare rows with. Train and save it again with "
            f"this version, or send {_LEAST} rows or more, which are then compared with one another.",
        )
    columns = columns_of(asked.rows, backend.signature) if asked.rows is not None else asked.columns or {}
    method = _METHODS.get(backend.signature.modality, "auto")
    try:
        with one_at_a_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ExplanationWarning)  # the gap is in the answer
            found = explain(backend.model, backend.dataset(columns), method, background=others)
        return [each.to_dict() for each in found]
    except GanglionError as error:
        raise Refused(422, str(error)) from error


def _others(backend: TorchBackend) -> Any:
    """Return rows to compare with: of tables such as the training data had, column by column."""
    if backend.signature.modality != "table":
        return None
    made = made_rows(getattr(backend.model, "summary_", None), backend.signature)
    return None if made is None else backend.dataset(made)


def made_rows(summary: Summary | None, signature: Signature, n: int = BACKGROUND) -> Columns | None:
    """Return rows whose columns, each by itself, are distributed as in training; None where that is not known.

    Parameters
    ----------
    summary : Summary or None
    signature : Signature
    n : int
    """
    known = {each.name: each for each in summary.columns} if summary else {}
    if not all(name in known for name in signature.names):
        return None
    rng = np.random.default_rng(0)
    drawn = {name: rng.permutation(_spread(known[name], n)) for name in signature.names}
    return {
        each.name: np.stack([drawn[name] for name in each.names], axis=1)
        if each.kind == "numbers"
        else drawn[each.name]
        for each in signature.given
    }


def _spread(column: ColumnSummary, n: int) -> np.ndarray:
    """Return n values in the shares of a column."""
    shares = np.array([*column.shares] or [1.0]) * (1 - column.missing)
    bounds = np.cumsum(shares)
    places = np.searchsorted(bounds, (np.arange(n) + 0.5) / n)  # one beyond the last is a missing value
    if column.kind == "categorical":
        values = np.array([*column.labels, None, None], dtype=object)
    elif column.kind == "boolean":
        values = np.array([0.0, 1.0, np.nan])
    else:
        edges = np.array(column.edges)
        inner = np.convolve(edges, [0.5, 0.5], "valid") if len(edges) > 1 else edges[:0]
        values = np.array([*edges[:1], *inner, *edges[-1:], np.nan])
    return values[np.minimum(places, len(values) - 1)]
