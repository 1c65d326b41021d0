"""The application: who may ask, what is asked, who answers, and what is counted. Plain ASGI, for any server of it."""

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
from ganglion.deployment.serving.guard import Guard
from ganglion.deployment.serving.metrics import Metrics
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.routes import Request, Routes
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.shelf import Shelf
from ganglion.deployment.serving.watching import append

LOG = logging.getLogger("ganglion.serve")
Send = Callable[[Any], Awaitable[None]]
LOG_EVERY_S = 60.0
_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Service:
    """An ASGI application that serves the models of a shelf.

    Parameters
    ----------
    shelf : Shelf
    settings : Settings

    Attributes
    ----------
    draining : bool
        Whether the server is about to stop: each answer then ends its connection.
    """

    def __init__(self, shelf: Shelf, settings: Settings) -> None:
        self.shelf, self.settings, self.metrics = shelf, settings, Metrics()
        self.draining = False
        self.arriving = 0
        self._guard = Guard(settings)
        self._threads = ThreadPoolExecutor(1, "ganglion-model")
        self._routes = Routes(asking.table(self) | inference_protocol.table(self))
        self._beside: list[asyncio.Task[None]] = []
        for served in shelf:
            served.batcher = Batcher(
                served.answer_all, settings.limits, self._threads, arriving=lambda: self.arriving, is_quick=_are_quick
            )

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer one request, or hear that the server begins or ends."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is served, not {scope['type']}")
        started = time.perf_counter()
        self.metrics.in_flight += 1
        route = "none"
        try:
            self._guard.check(scope["path"], scope["headers"])
            route, handler, arguments = self._routes.find(scope["method"], scope["path"])
            request = Request(dict(scope["headers"]), receive, arguments, scope["query_string"])
            reply = await handler(request)
        except Refused as refused:
            reply = _refusal(refused)
        finally:
            self.metrics.in_flight -= 1
        self.metrics.note(route, reply.status, time.perf_counter() - started)
        await self._send(reply, send)

    async def _send(self, reply: Reply, send: Send) -> None:
        headers = [
            (b"content-type", reply.kind),
            (b"content-length", b"%d" % len(reply.body)),
            *_ALWAYS,
            *reply.headers,
        ]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _live(self, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def start(self) -> None:
        """Begin to look at the models' files, and to log."""
        loop = asyncio.get_running_loop()
        if self.settings.watch_s:
            self._beside.append(loop.create_task(self._watch()))
        if self.settings.log:
            self._beside.append(loop.create_task(self._log()))

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
    return all(each.backend.is_quick for each in batch)


def _refusal(refused: Refused) -> Reply:
    reply = json_reply(refused.to_dict(), refused.status)
    reply.headers += [(name.encode(), value.encode()) for name, value in refused.headers.items()]
    return reply
