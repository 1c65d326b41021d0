"""Serving until told to stop: an address, and an end that loses no request."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ganglion.deployment.serving.connections import with_limits
from ganglion.deployment.serving.service import Service
from ganglion.deployment.serving.settings import Limits, Settings
from ganglion.deployment.serving.shelf import Shelf, load_backend, named
from ganglion.errors import missing_extra

if TYPE_CHECKING:
    import uvicorn

LOG = logging.getLogger("ganglion.serve")
TOKEN = "GANGLION_TOKEN"
LAST_CALL_S = 1.0  # that open connections have for a last request
_IDLE_S = 30  # between two requests of a connection


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
        If uvicorn is not installed.
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
    _uvicorn()
    run(service_of(models, settings), settings)


def service_of(models: Any, settings: Settings | None = None) -> Service:
    """Return the ASGI application that serves models, for any server of ASGI, and for tests.

    Parameters
    ----------
    models : as `serve` takes them
    settings : Settings, optional
    """
    settings = settings or Settings()
    return Service(Shelf(named(models), partial(load_backend, engine=settings.engine)), settings)


def run(service: Service, settings: Settings) -> None:
    """Serve at an address, until SIGTERM or SIGINT; requests that have begun are answered."""
    uvicorn = _uvicorn()
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    limits = settings.limits
    config = uvicorn.Config(
        service,
        host=settings.host,
        port=settings.port,
        http=with_limits(AutoHTTPProtocol, limits),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=_IDLE_S,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=int(limits.stop_s),
    )
    gc.collect()
    gc.freeze()  # the models stay: nothing is gained by looking at them again and again
    _server(config, service).run()


def _uvicorn() -> Any:
    try:
        import uvicorn
    except ImportError as error:
        raise missing_extra("uvicorn", "serve", "Serving") from error
    return uvicorn


def _server(config: Any, service: Service) -> uvicorn.Server:
    """Return a server that, told to stop, takes no new connection, and lets each open one ask a last time."""
    import uvicorn

    class Server(uvicorn.Server):
        _told: float | None = None
        _loop: asyncio.AbstractEventLoop | None = None

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            self._loop = asyncio.get_running_loop()
            address = self.servers[0].sockets[0].getsockname()
            LOG.info("serving %s at http://%s:%d", ", ".join(service.shelf.names), *address[:2])

        def _log_started_message(self, listeners: Any) -> None:
            """Say nothing: `startup` did."""

        def handle_exit(self, sig: int, frame: Any) -> None:
            if self._told is not None or self._loop is None:
                self.should_exit = self.force_exit = True
                return
            self._told = time.monotonic()
            service.draining = True
            LOG.info("stopping: requests in flight are answered")
            self._loop.call_soon_threadsafe(self._close_doors)

        def _close_doors(self) -> None:
            for listener in self.servers:
                listener.close()

        async def on_tick(self, counter: int) -> bool:
            if self._told is not None and (
                not self.server_state.connections or time.monotonic() - self._told > LAST_CALL_S
            ):
                self.should_exit = True
            return await super().on_tick(counter)

    return Server(config)
