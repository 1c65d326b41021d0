"""Requests that are there together are answered together: one call of the model for all of them.

A batch is answered as soon as the model is free and nobody else is on the way; while others are still sending, it waits
for them, up to a deadline. So a single client never waits, and many share the cost of a call. Each request has its own
outcome: an answer, or an error that is its own. Calls that take less than a change of threads would are made at once;
all others run in a thread, while requests are read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits

SHORT_S = 0.001  # a call that is likely shorter stops nobody who would notice
Answerer = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(slots=True)
class _Waiting:
    asked: Any
    n_rows: int
    outcome: asyncio.Future[Any]


class Batcher:
    """Gathers requests for one model.

    Parameters
    ----------
    answerer : callable
        Takes the requests of a batch; returns one answer each, or the exception that is its outcome.
    limits : Limits
    executor : Executor
        Where it runs.
    arriving : callable
        Says how many requests are on the way: their head has come, and not yet all of them.
    is_quick : callable
        Says of the requests of a batch whether they may be answered without a thread, if that is short.
    """

    def __init__(
        self,
        answerer: Answerer,
        limits: Limits,
        executor: Executor,
        arriving: Callable[[], int] = lambda: 0,
        is_quick: Callable[[Sequence[Any]], bool] = lambda asked: False,
    ) -> None:
        self._answerer, self._limits, self._executor, self._arriving = answerer, limits, executor, arriving
        self._queue: deque[_Waiting] = deque()
        self._busy = self._planned = False
        self._since = 0.0
        self._is_quick, self._row_s = is_quick, SHORT_S  # seconds that a row takes, as the latest calls did
        self.batches = self.rows = 0

    def __len__(self) -> int:
        return len(self._queue)

    async def ask(self, asked: Any, n_rows: int) -> Any:
        """Return the answer to a request.

        Parameters
        ----------
        asked : object
            What the answerer takes.
        n_rows : int

        Raises
        ------
        Refused
            503 if too many wait already, 504 if the answer does not come in time; or whatever its outcome is.
        """
        if len(self._queue) >= self._limits.queue:
            raise busy(len(self._queue))
        loop = asyncio.get_running_loop()
        waiting = _Waiting(asked, n_rows, loop.create_future())
        if not self._queue:
            self._since = time.monotonic()
        self._queue.append(waiting)
        if not self._busy and not self._planned:
            self._planned = True
            loop.call_soon(self._go_when_ready, loop)
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await waiting.outcome
        except TimeoutError as error:
            raise Refused(504, f"the model did not answer within {self._limits.answer_s:g} seconds.") from error

    def _go_when_ready(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the next batch, or look again in a moment if others are on their way."""
        waited = time.monotonic() - self._since
        full = sum(each.n_rows for each in self._queue) >= self._limits.batch_rows
        if full or waited >= self._limits.wait_s or not self._arriving():
            self._planned = False
            self._go(loop)
        else:
            loop.call_later(self._limits.wait_s / 8, self._go_when_ready, loop)

    def _go(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._next()
        if not batch:
            return
        n_rows = sum(each.n_rows for each in batch)
        self.batches += 1
        self.rows += n_rows
        asked = [each.asked for each in batch]
        if self._row_s * n_rows < SHORT_S and self._is_quick(asked):
            self._deliver(batch, self._timed(asked, n_rows), loop)
            return
        self._busy = True
        done = loop.run_in_executor(self._executor, self._timed, asked, n_rows)
        done.add_done_callback(lambda future: self._deliver(batch, future.result(), loop))

    def _timed(self, asked: Sequence[Any], n_rows: int) -> Sequence[Any]:
        """Return the outcomes of a batch, and note how long a row took."""
        start = time.perf_counter()
        try:
            return self._answerer(asked)
        except BaseException as error:  # whatever it is, it is the outcome of those who asked, and is raised there
            return [error] * len(asked)
        finally:
            self._row_s += 0.2 * ((time.perf_counter() - start) / max(1, n_rows) - self._row_s)

    def _next(self) -> list[_Waiting]:
        """Take requests from the queue, up to a batch; one that is larger goes alone."""
        batch: list[_Waiting] = []
        n_rows = 0
        while self._queue and (not batch or n_rows + self._queue[0].n_rows <= self._limits.batch_rows):
            each = self._queue.popleft()
            if not each.outcome.done():  # its time may be up
                batch.append(each)
                n_rows += each.n_rows
        return batch

    def _deliver(self, batch: list[_Waiting], answers: Sequence[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        for each, answer in zip(batch, answers, strict=True):
            if each.outcome.done():
                continue
            if isinstance(answer, BaseException):
                each.outcome.set_exception(answer)
            else:
                each.outcome.set_result(answer)
        if self._queue and not self._planned:
            self._since = time.monotonic()
            self._planned = True
            loop.call_soon(self._go_when_ready, loop)


def busy(n: int) -> Refused:
    """Return the refusal of a request for which there is no room."""
    return Refused(503, f"{n:,} requests wait already. Try again in a second.", headers={"retry-after": "1"})
