"""Serving until told to stop: an address, and an end that loses no request."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ganglion.deployment.serving.service import Service
from ganglion.deployment.serving.settings import Limits, Settings
from ganglion.deployment.serving.shelf import Shelf, load_backend, named
from ganglion.errors import InvalidParameter, missing_extra

LOG = logging.getLogger("ganglion.serve")
TOKEN = "GANGLION_TOKEN"
LAST_CALL_S = 1.0  # that open connections have for a last request
GARBAGE = 50_000  # objects made since the last look for cycles of them: requests make none


def serve(
    models: Any,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    names: Sequence[str] = (),
    watch_s: float = 1.0,
    log: str | os.PathLike[str] = "",
    engine: str = "auto",
    limits: Limits | None = None,
) -> None:
    """Answer requests for models over HTTP, until the process is told to stop.

    Parameters
    ----------
    models : path, "NAME=path", estimator, a sequence of those, or a mapping of names to one or several of them
        Model files, or fitted estimators. Of several with one name the last is the newest version. A file that changes
        is loaded anew, without a request being lost.
    host : str
        The address to listen at. Any but 127.0.0.1 lets other machines ask, and needs a token.
    port : int
        0 takes a free one.
    token : str, optional
        What each request must bring: "Authorization: Bearer …". Without it the variable GANGLION_TOKEN, if it is set.
    names : sequence of str
        Names of this machine by which it may be asked, beside its addresses.
    watch_s : float
        Seconds between two looks at the files; 0 never looks again.
    log : path-like
        A file to which counts of what comes are appended, for `ganglion monitor`.
    engine : "auto" or "torch"
        "auto" answers by onnxruntime wherever a model can be exported, after its answers were compared.
    limits : Limits, optional
        The most that requests may take.

    Raises
    ------
    InvalidModel
        If a file cannot be loaded, or its model is not served.
    InvalidParameter
        If an address of other machines is given without a token, or a name, port or limit is not allowed.
    MissingExtra
        If httptools is not installed.
    """
    given = os.environ.get(TOKEN, "") if token is None else token
    settings = Settings(
        host=host,
        port=port,
        token=given,
        names=tuple(names),
        watch_s=watch_s,
        log=os.fspath(log),
        engine=engine,
        limits=limits or Limits(),
    )
    _parser()
    run(service_of(models, settings))


def service_of(models: Any, settings: Settings | None = None) -> Service:
    """Return what answers requests for models, without an address.

    Parameters
    ----------
    models : as `serve` takes them
    settings : Settings, optional
    """
    settings = settings or Settings()
    return Service(Shelf(named(models), partial(load_backend, engine=settings.engine)), settings)


def run(service: Service) -> None:
    """Serve at the address of the service's settings, until SIGTERM or SIGINT; what has begun is answered."""
    gc.collect()
    gc.freeze()  # the models stay: nothing is gained by looking at them again and again
    gc.set_threshold(GARBAGE)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(service))


async def _serve(service: Service) -> None:
    from ganglion.deployment.serving.connection import Connections

    settings, loop = service.settings, asyncio.get_running_loop()
    connections, told = Connections(service), _Told()
    try:
        listener = await loop.create_server(connections, settings.host, settings.port, backlog=2048)
    except OSError as error:
        raise InvalidParameter(
            f"nothing can listen at {settings.host}:{settings.port} ({error.strerror or error}). Give another port, or "
            "0 for a free one."
        ) from error
    service.start()
    watch = loop.create_task(connections.watch())
    with told.by_signals(loop):
        address = listener.sockets[0].getsockname()
        LOG.info("serving %s at http://%s:%d", ", ".join(service.shelf.names), *address[:2])
        await told.once.wait()
        LOG.info("stopping: requests in flight are answered")
        service.draining = True
        listener.close()
        await _emptied(connections, told, LAST_CALL_S)
        connections.close_idle()
        await _emptied(connections, told, settings.limits.stop_s)
    connections.abort()
    watch.cancel()
    await service.stop()


async def _emptied(connections: Any, told: _Told, seconds: float) -> None:
    """Wait until all connections are closed, or for so long, or until told again."""
    end = time.monotonic() + seconds
    while connections.open and time.monotonic() < end and not told.again:
        await asyncio.sleep(0.02)


class _Told:
    """What signals have told: to stop, and told once more, to stop at once."""

    def __init__(self) -> None:
        self.once, self.again = asyncio.Event(), False

    @contextmanager
    def by_signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM; in any thread but the main one nobody can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(self._hear))
            for each in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _hear(self) -> None:
        self.again = self.once.is_set()
        self.once.set()


def _parser() -> None:
    try:
        importlib.import_module("httptools")
    except ImportError as error:
        raise missing_extra("httptools", "serve", "Serving") from error


def _loop_factory() -> Any:
    """Return what makes the loop: uvloop's, where it is installed, which answers about twice as many requests."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
