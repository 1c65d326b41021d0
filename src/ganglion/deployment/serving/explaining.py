"""`/explain`: why a served model says what it says of rows, by `ganglion.explain` on the estimator itself."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.data.summary import ColumnSummary, Summary
from ganglion.deployment.serving.answers import Reply, json_reply
from ganglion.deployment.serving.backend import TorchBackend, one_at_a_time
from ganglion.deployment.serving.batching import busy
from ganglion.deployment.serving.columns import Columns, columns_of
from ganglion.deployment.serving.interface import Interface
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.routes import Request
from ganglion.deployment.serving.served import Asked
from ganglion.errors import ExplanationWarning, GanglionError
from ganglion.explanation.explain import explain

if TYPE_CHECKING:
    from ganglion.deployment.serving.asking import Asking

MOST_ROWS = 20  # an explanation asks the model thousands of times
WAITING = 4  # requests; one more is told to come back
_METHODS = {"table": "permutation"}  # "auto" would ask a table up to a million times, which takes seconds
_LEAST = 10  # rows that are a background to one another
BACKGROUND = 50  # rows made from the summary of the training data


class Explaining:
    """The handler of explanations: one at a time, beside the predictions."""

    def __init__(self, asking: Asking, answer_s: float) -> None:
        self._asking, self._answer_s = asking, answer_s
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def explain(self, request: Request) -> Reply:
        """Answer what each feature of each row adds to what the model says."""
        served = self._asking.served(request)
        asked = await asyncio.to_thread(self._asking.reading(request, served))
        if self._waiting >= WAITING:
            raise busy(self._waiting)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._answer_s), self._turn:
                said = await asyncio.to_thread(explanations, asked)
        except TimeoutError as error:
            raise Refused(
                504, f"the explanation took more than {self._answer_s:g} seconds. Ask of fewer rows."
            ) from error
        finally:
            self._waiting -= 1
        return json_reply({"model": served.name, "version": served.version, "explanations": said})


def explanations(asked: Asked) -> list[dict[str, Any]]:
    """Return the explanation of each row of a request.

    Raises
    ------
    Refused
        422 if there are too many rows, the model cannot be explained, or a row will not do.
    """
    if len(asked) > MOST_ROWS:
        raise Refused(422, f"{len(asked):,} rows came; {MOST_ROWS} are explained in one request.")
    backend = asked.backend.original
    if not isinstance(backend, TorchBackend):
        raise Refused(
            422, "an exported file (.onnx) cannot be explained: serve the model file that `train` wrote, which can."
        )
    others = _others(backend)
    if others is None and backend.interface.modality == "table" and len(asked) < _LEAST:
        raise Refused(
            422,
            "the model file holds no summary of its training data to compare rows with. Train and save it again with "
            f"this version, or send {_LEAST} rows or more, which are then compared with one another.",
        )
    columns = columns_of(asked.rows, backend.interface) if asked.rows is not None else asked.columns or {}
    method = _METHODS.get(backend.interface.modality, "auto")
    try:
        with one_at_a_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ExplanationWarning)  # the gap is in the answer
            found = explain(backend.model, backend.dataset(columns), method, background=others)
        return [each.to_dict() for each in found]
    except GanglionError as error:
        raise Refused(422, str(error)) from error


def _others(backend: TorchBackend) -> Any:
    """Return rows to compare with: of tables such as the training data had, column by column."""
    if backend.interface.modality != "table":
        return None
    made = made_rows(getattr(backend.model, "summary_", None), backend.interface)
    return None if made is None else backend.dataset(made)


def made_rows(summary: Summary | None, interface: Interface, n: int = BACKGROUND) -> Columns | None:
    """Return rows whose columns, each by itself, are distributed as in training; None where that is not known.

    Parameters
    ----------
    summary : Summary or None
    interface : Interface
    n : int
    """
    known = {each.name: each for each in summary.columns} if summary else {}
    if not all(name in known for name in interface.columns):
        return None
    rng = np.random.default_rng(0)
    drawn = {name: rng.permutation(_spread(known[name], n)) for name in interface.columns}
    return {
        each.name: np.stack([drawn[name] for name in each.columns], axis=1) if each.shape else drawn[each.name]
        for each in interface.inputs
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
