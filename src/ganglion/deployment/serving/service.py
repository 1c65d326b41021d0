"""The application: who may ask, what is asked, who answers, and what is counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ganglion.deployment.serving import asking, inference_protocol
from ganglion.deployment.serving.answers import Reply, json_reply
from ganglion.deployment.serving.batching import Batcher
from ganglion.deployment.serving.guard import Guard, Headers
from ganglion.deployment.serving.metrics import Metrics
from ganglion.deployment.serving.refused import Refused, too_large
from ganglion.deployment.serving.routes import Question, Request, Routes
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.shelf import Shelf
from ganglion.deployment.serving.watching import append

LOG = logging.getLogger("ganglion.serve")
LOG_EVERY_S = 60.0
LARGE = ("segmentation",)  # tasks whose answers take longer to write than others should wait


class Service:
    """Answers requests for the models of a shelf.

    Parameters
    ----------
    shelf : Shelf
    settings : Settings

    Attributes
    ----------
    draining : bool
        Whether the server is about to stop: each answer then ends its connection.
    arriving : int
        Requests whose head has come, and not yet all of their body.
    """

    def __init__(self, shelf: Shelf, settings: Settings) -> None:
        self.shelf, self.settings, self.metrics = shelf, settings, Metrics()
        self.draining = False
        self.arriving = 0
        self._guard = Guard(settings)
        self._threads = ThreadPoolExecutor(1, "ganglion-model")
        self._routes = Routes(asking.table(self) | inference_protocol.table(self))
        self._beside: set[asyncio.Future[None]] = set()
        for served in shelf:
            served.batcher = Batcher(
                served.answer_all, settings.limits, self._threads, arriving=lambda: self.arriving, is_quick=_are_quick
            )

    def admit(self, request: Request, headers: Headers) -> Refused | None:
        """Find who answers a request, whose body has not come yet; return why it is refused, if it is.

        Parameters
        ----------
        request : Request
        headers : list of (bytes, bytes)
            All of them, names in small letters: those that stand there twice, too.
        """
        try:
            self._guard.check(request.path, headers)
            request.pattern, request.handler, request.arguments = self._routes.find(request.method, request.path)
            self._check_body(request.headers)
        except Refused as refused:
            return refused
        return None

    def _check_body(self, headers: dict[bytes, bytes]) -> None:
        packed, length = headers.get(b"content-encoding"), headers.get(b"content-length", b"0")
        if packed is not None and packed.lower() not in (b"identity", b""):
            shown = packed[:20].decode("latin-1")
            raise Refused(415, f"the body is packed ({shown}); send it as it is.")
        if len(length) > 18 or int(length) > self.settings.limits.body_bytes:
            raise too_large(f"{length[:18].decode('latin-1')} bytes", self.settings.limits.body_bytes)

    def respond(self, request: Request, tell: Callable[[Reply], None]) -> None:
        """Answer a request that is whole: `tell` gets the answer, at once or later."""
        started = time.perf_counter()
        self.metrics.in_flight += 1

        def end(reply: Reply) -> None:
            self.metrics.in_flight -= 1
            self.metrics.note(request.pattern, reply.status, time.perf_counter() - started)
            tell(reply)

        try:
            if request.refused is not None or request.handler is None:
                raise request.refused or Refused(404, "nothing is there.")
            outcome = request.handler(request)
            if isinstance(outcome, Question):
                self._put(outcome, end)
            elif isinstance(outcome, Reply):
                end(outcome)
            else:
                self._await(outcome, end)
        except Refused as refused:
            end(self._told(refused))
        except Exception as error:  # of ours: the client hears no more than that, the log all of it
            end(self._failed(error))

    def _await(self, outcome: Awaitable[Reply | Question], end: Callable[[Reply], None]) -> None:
        task = asyncio.ensure_future(self._awaited(outcome, end))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _awaited(self, outcome: Awaitable[Reply | Question], end: Callable[[Reply], None]) -> None:
        try:
            found = await outcome
            if isinstance(found, Question):
                self._put(found, end)
            else:
                end(found)
        except Refused as refused:
            end(self._told(refused))
        except Exception as error:
            end(self._failed(error))

    def _put(self, question: Question, end: Callable[[Reply], None]) -> None:
        served, asked, told = question.served, question.asked, question.told

        def hear(answer: Any) -> None:
            try:
                if isinstance(answer, BaseException):
                    raise answer
                if asked.backend.signature.task in LARGE:
                    self._await(asyncio.to_thread(told, served, asked, answer), end)
                    return
                reply = told(served, asked, answer)
            except Refused as refused:
                reply = self._told(refused)
            except Exception as error:
                reply = self._failed(error)
            end(reply)

        served.batcher.put(asked, len(asked), hear)

    def _failed(self, error: Exception) -> Reply:
        LOG.error("a request could not be answered", exc_info=error)
        return json_reply({"error": "the server failed; its log says why."}, 500)

    def refusal(self, refused: Refused) -> Reply:
        """Return the answer to what is no whole request, and count it."""
        self.metrics.note("none", refused.status, 0.0)
        return self._told(refused)

    def _told(self, refused: Refused) -> Reply:
        reply = json_reply(refused.to_dict(), refused.status)
        reply.headers += [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        return reply

    def start(self) -> None:
        """Begin to look at the models' files, and to log."""
        loop = asyncio.get_running_loop()
        if self.settings.watch_s:
            self._beside.add(loop.create_task(self._watch()))
        if self.settings.log:
            self._beside.add(loop.create_task(self._log()))

    async def stop(self) -> None:
        """End what runs beside the requests."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self._beside.clear()
        if self.settings.log:
            await asyncio.to_thread(self.log)
        self._threads.shutdown(wait=False)

    async def _log(self) -> None:
        while True:
            await asyncio.sleep(LOG_EVERY_S)
            await asyncio.to_thread(self.log)

    def log(self) -> None:
        """Append to the log what was counted since the last time, and say so where it cannot be written."""
        for served in self.shelf:
            if served.watch is None:
                continue
            try:
                append(self.settings.log, served.watch.record(), served.name, served.version)
            except OSError as error:
                LOG.warning("the log %s cannot be written: %s", self.settings.log, error.strerror or error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.watch_s)
            await asyncio.to_thread(self.shelf.look_again)


def _are_quick(batch: Sequence[Asked]) -> bool:
    return all(each.is_quick for each in batch)
