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

SHORT_S = 0.002  # a call that is likely shorter ends before another thread would have had its turn
Answerer = Callable[[Sequence[Any]], Sequence[Any]]
Tell = Callable[[Any], None]


@dataclass(slots=True)
class _Waiting:
    asked: Any
    n_rows: int
    tell: Tell | None
    until: float

    def end(self, outcome: Any) -> None:
        """Tell the outcome, once."""
        tell, self.tell = self.tell, None
        if tell is not None:
            tell(outcome)


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
        self._running: list[_Waiting] = []
        self._busy = self._is_planned = self._is_watched = False
        self._since = 0.0
        self._is_quick = is_quick
        self._took: dict[int, float] = {}  # seconds of the latest calls, by how often their rows can be halved
        self.batches = self.rows = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, asked: Any, n_rows: int, tell: Tell) -> None:
        """Take a request, and tell its outcome once there is one.

        Parameters
        ----------
        asked : object
            What the answerer takes.
        n_rows : int
        tell : callable
            Takes the answer, or the exception that is the outcome: Refused, 504, if the answer does not come in time.

        Raises
        ------
        Refused
            503 if too many wait already.
        """
        if len(self._queue) >= self._limits.queue:
            raise busy(len(self._queue))
        now = time.monotonic()
        if not self._queue:
            self._since = now
        self._queue.append(_Waiting(asked, n_rows, tell, now + self._limits.answer_s))
        self._plan()
        if not self._is_watched:
            self._look_again()

    def _plan(self) -> None:
        """See to it that what waits is answered as soon as all that has arrived is read."""
        if not self._busy and not self._is_planned:
            self._is_planned = True
            asyncio.get_running_loop().call_soon(self._go_when_ready)

    def _look_again(self) -> None:
        """Give up what waits for too long: one clock for all, as a timer each would cost more than a small model."""
        now, waiting = time.monotonic(), [*self._running, *self._queue]
        for each in waiting:
            if each.until < now:
                each.end(Refused(504, f"the model did not answer within {self._limits.answer_s:g} seconds."))
        self._is_watched = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_later(self._limits.answer_s / 8, self._look_again)

    def _go_when_ready(self) -> None:
        """Start the next batch, or look again in a moment if others are on their way."""
        if not self._arriving() or time.monotonic() - self._since >= self._limits.wait_s or self._is_full():
            self._is_planned = False
            self._go()
        else:
            asyncio.get_running_loop().call_later(self._limits.wait_s / 8, self._go_when_ready)

    def _is_full(self) -> bool:
        return sum(each.n_rows for each in self._queue) >= self._limits.batch_rows

    def _go(self) -> None:
        batch = self._next()
        if not batch:
            return
        n_rows = sum(each.n_rows for each in batch)
        self.batches += 1
        self.rows += n_rows
        asked = [each.asked for each in batch]
        if self._expected(n_rows) < SHORT_S and self._is_quick(asked):
            self._deliver(batch, self._timed(asked, n_rows))
            return
        self._busy, self._running = True, batch
        done = asyncio.get_running_loop().run_in_executor(self._executor, self._timed, asked, n_rows)
        done.add_done_callback(lambda future: self._deliver(batch, future.result()))

    def _timed(self, asked: Sequence[Any], n_rows: int) -> Sequence[Any]:
        """Return the outcomes of a batch, and note how long the call took, without what others took meanwhile."""
        start = time.thread_time()
        try:
            return self._answerer(asked)
        except BaseException as error:  # whatever it is, it is the outcome of those who asked, and is raised there
            return [error] * len(asked)
        finally:
            seconds, size = time.thread_time() - start, n_rows.bit_length()
            self._took[size] = seconds + 0.8 * (self._took.get(size, seconds) - seconds)

    def _expected(self, n_rows: int) -> float:
        """Return how long a call is likely to take: as long as one of about as many rows, or else as the next known."""
        size = n_rows.bit_length()
        if size in self._took:
            return self._took[size]
        known = min(self._took, key=lambda each: abs(each - size), default=None)
        return SHORT_S if known is None else self._took[known] * 2.0 ** max(0, size - known)

    def _next(self) -> list[_Waiting]:
        """Take requests from the queue, up to a batch; one that is larger goes alone."""
        batch: list[_Waiting] = []
        n_rows = 0
        while self._queue and (not batch or n_rows + self._queue[0].n_rows <= self._limits.batch_rows):
            each = self._queue.popleft()
            if each.tell is not None:  # its time may be up
                batch.append(each)
                n_rows += each.n_rows
        return batch

    def _deliver(self, batch: list[_Waiting], answers: Sequence[Any]) -> None:
        self._busy, self._running = False, []
        for each, answer in zip(batch, answers, strict=True):
            each.end(answer)
        if self._queue:
            self._since = time.monotonic()
            self._plan()


def busy(n: int) -> Refused:
    """Return the refusal of a request for which there is no room."""
    return Refused(503, f"{n:,} requests wait already. Try again in a second.", headers={"retry-after": "1"})
