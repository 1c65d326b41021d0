"""`/explain`: who asks why, in their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ganglion.deployment.serving.answers import Reply, json_reply
from ganglion.deployment.serving.batching import busy
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.routes import Request
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.signature import ROWS

if TYPE_CHECKING:
    from ganglion.deployment.serving.asking import Asking

MOST_ROWS = 20  # an explanation asks the model thousands of times
WAITING = 4  # requests; one more is told to come back


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
                said = await asyncio.to_thread(_explained, asked)
        except TimeoutError as error:
            raise Refused(
                504, f"the explanation took more than {self._answer_s:g} seconds. Ask of fewer rows."
            ) from error
        finally:
            self._waiting -= 1
        return json_reply({"model": served.name, "version": served.version, "explanations": said})


def _explained(asked: Asked) -> list[dict[str, Any]]:
    if len(asked) > MOST_ROWS:
        raise Refused(422, f"{len(asked):,} rows came; {MOST_ROWS} are explained in one request.")
    task = asked.backend.signature.task
    if task not in ROWS:
        raise Refused(
            422, f"answers of {task} are not explained: only those of {' and '.join(ROWS)}, a label or number a row."
        )
    if asked.backend.original.engine != "torch":
        raise Refused(
            422, "an exported file (.onnx) cannot be explained: serve the model file that `train` wrote, which can."
        )
    from ganglion.deployment.serving.explanations import (
        explanations,  # with torch, which an exported file does not need
    )

    return explanations(asked)
