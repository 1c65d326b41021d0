"""HTTP/1.1 on one connection: requests are read within limits of size and time, and answered in their turn.

Parsing is llhttp's (the package httptools). A server of ASGI between it and the application would cost a small model
more than its answer does: a task, two writes and four messages a request.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import httptools

from ganglion.deployment.serving.answers import Reply
from ganglion.deployment.serving.refused import Refused, too_large
from ganglion.deployment.serving.routes import Request

if TYPE_CHECKING:
    from ganglion.deployment.serving.service import Service

IDLE_S = 30.0  # between two requests of a connection
_PASSED_BY = 4  # times the largest body that a client, which was refused already, may go on sending
_HEADS: dict[tuple[int, bytes], bytes] = {}


class Connections:
    """All connections that are open, and the clock that ends those which take too long.

    Parameters
    ----------
    service : Service

    Attributes
    ----------
    open : set of Connection
    date : bytes
        The header Date of answers, made once a second.
    """

    def __init__(self, service: Service) -> None:
        self.service, self.limits = service, service.settings.limits
        self.open: set[Connection] = set()
        self.date = b""

    def __call__(self) -> Connection:
        """Return what takes the next connection."""
        return Connection(self)

    async def watch(self) -> None:
        """Look at all connections again and again: one look costs less than a timer for each."""
        while True:
            self.date = formatdate(usegmt=True).encode()
            now = time.monotonic()
            for each in [each for each in self.open if each.until < now]:
                each.expire()
            await asyncio.sleep(min(1.0, self.limits.head_s / 2, self.limits.body_s / 2))

    def close_idle(self) -> None:
        """Close the connections on which nothing is asked."""
        for each in [each for each in self.open if each.is_idle]:
            each.close()

    def abort(self) -> None:
        """Break off every connection."""
        for each in list(self.open):
            each.abort()


class Connection(asyncio.Protocol):
    """One connection, by which requests come and answers go.

    Attributes
    ----------
    until : float
        When it ends, unless something happens before (`time.monotonic`).
    """

    def __init__(self, connections: Connections) -> None:
        self._all, self._service, self._limits = connections, connections.service, connections.limits
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._loop = asyncio.get_running_loop()
        self._url, self._headers = b"", []
        self._request: Request | None = None  # whose body is coming
        self._parts: list[bytes] = []
        self._n_bytes = 0
        self._in_head, self._is_fresh = False, True
        self._is_refused = self._is_last = self._is_held = False
        self._waiting: deque[Request] = deque()
        self._answering: Request | None = None
        self.until = inf

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked, or half asked."""
        return not (self._answering or self._waiting or self._request or self._in_head)

    # what asyncio calls

    def connection_made(self, transport: Any) -> None:
        """Begin: the first request has its time from now on."""
        self._transport = transport
        self._all.open.add(self)
        self.until = time.monotonic() + self._limits.head_s
        if len(self._all.open) > self._limits.connections:
            self._refuse(Refused(503, "too many connections are open.", headers={"retry-after": "1"}))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what was asked is answered to nobody."""
        self._all.open.discard(self)
        self._waiting.clear()
        if self._request is not None:
            self._request = None
            self._service.arriving -= 1

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._is_last and self._request is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_last = True  # the request is answered; what follows is no HTTP
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours
        except httptools.HttpParserError:
            self._give_up(Refused(400, "what came is no HTTP."))
            return
        if self._in_head:
            self._n_bytes += len(data)
            if self._n_bytes > self._limits.head_bytes:
                self._give_up(Refused(431, f"the head of a request has {self._limits.head_bytes:,} bytes at most."))
        if self._waiting and not self._is_held:
            self._is_held = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Wait for a client that does not read its answers, but not for ever."""
        self.until = time.monotonic() + self._limits.answer_s

    def resume_writing(self) -> None:
        """Go on."""
        self.until = inf if self._answering else time.monotonic() + IDLE_S

    # what the parser calls

    def on_message_begin(self) -> None:
        """Expect a head."""
        self._url, self._headers, self._parts, self._n_bytes = b"", [], [], 0
        self._in_head, self._is_fresh = True, False
        if self._answering is None:
            self.until = time.monotonic() + self._limits.head_s

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Refuse what may not be asked before its body is read; else expect the body."""
        self._in_head, self._n_bytes = False, 0
        path = self._url.partition(b"?")[0]
        if not path.startswith(b"/"):
            path = _path_of_absolute(self._url)
        method = self._parser.get_method().decode("ascii")
        self._request = request = Request(method, _decoded(path), dict(self._headers))
        self._is_refused = False
        self._service.arriving += 1
        refused = self._service.admit(request, self._headers)
        if refused is not None:
            self._refuse_body(refused)
        elif b"expect" in request.headers and self._answering is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._answering is None:
            self.until = time.monotonic() + self._limits.body_s

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, or pass it by."""
        self._n_bytes += len(body)
        if self._is_refused:
            if self._n_bytes > _PASSED_BY * self._limits.body_bytes:
                self.abort()
        elif self._n_bytes > self._limits.body_bytes:
            self._parts.clear()
            self._refuse_body(too_large("more", self._limits.body_bytes))
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Answer the request, in its turn."""
        request, self._request = self._request, None
        self._service.arriving -= 1
        if request is None or (self._is_refused and self._is_last):
            self.close()
            return
        request.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        request.is_last = not self._parser.should_keep_alive() or (
            (b"connection" in request.headers or request.method == "CONNECT")
            and (self._parser.should_upgrade() or self._parser.get_http_version() != "1.1")
        )
        if self._answering is None and not self._waiting:
            self._begin(request)
        else:
            self._waiting.append(request)

    # what becomes of it

    def _begin(self, request: Request) -> None:
        self.until, self._answering = inf, request
        self._service.respond(request, self._answer)

    def _answer(self, reply: Reply) -> None:
        request, self._answering = self._answering, None
        if request is None:
            raise AssertionError("a request is answered once")
        is_last = request.is_last or ((self._is_last or self._service.draining) and not self._waiting)
        self._write(reply, is_last=is_last, is_head=request.method == "HEAD")
        if is_last:
            self.close()
        elif self._waiting:
            self._loop.call_soon(self._begin_next)  # not at once: a thousand of them would be a thousand calls deep
        else:
            self.until = time.monotonic() + (IDLE_S if self.is_idle else self._limits.body_s)
            if self._is_held:
                self._is_held = False
                self._transport.resume_reading()

    def _begin_next(self) -> None:
        if self._waiting and self._answering is None:
            self._begin(self._waiting.popleft())

    def _write(self, reply: Reply, *, is_last: bool, is_head: bool = False) -> None:
        if self._transport.is_closing():
            return
        end = b"connection: close\r\n\r\n" if is_last else b"\r\n"
        more = b"".join([b"%s: %s\r\n" % pair for pair in reply.headers]) if reply.headers else b""
        size = b"content-length: %d\r\ndate: %s\r\n" % (len(reply.body), self._all.date)
        self._transport.write(_head(reply.status, reply.kind) + size + more + end + (b"" if is_head else reply.body))

    def _refuse(self, refused: Refused) -> None:
        """Write a refusal, the last answer of the connection."""
        self._is_last = True
        self._write(self._service.refusal(refused), is_last=True)

    def _refuse_body(self, refused: Refused) -> None:
        """Refuse a request whose body is still coming: at once, and pass the body by, as who is sending hears nothing.

        A request without a body is refused in its turn, and its connection goes on.
        """
        request = self._request
        if request is None:
            raise AssertionError("only a request is refused")
        self._is_refused = True
        request.refused = refused
        has_body = request.headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in request.headers
        if has_body and self._answering is None:
            self._refuse(refused)
            if b"expect" in request.headers:  # it waits to be asked for the body
                self.close()

    def _give_up(self, refused: Refused) -> None:
        """End a connection whose requests cannot be read any further; what has begun is answered."""
        if self._answering is None:
            if not self._is_last:
                self._refuse(refused)
            self.close()
        self._is_last = True

    def expire(self) -> None:
        """End: the time is up."""
        self.until = inf
        if self._is_last or self._answering is not None or self._transport.is_closing():
            self.abort()
        elif self._request is not None:
            self._give_up(Refused(408, f"the body did not come within {self._limits.body_s:g} seconds."))
        elif self._is_fresh or self._in_head:
            self._give_up(Refused(408, f"the head did not come within {self._limits.head_s:g} seconds."))
        else:
            self.close()

    def close(self) -> None:
        """Close, once all that was written has gone out."""
        self.until = time.monotonic() + self._limits.answer_s
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()


def _head(status: int, kind: bytes) -> bytes:
    """Return the lines that begin every answer of a status and type."""
    head = _HEADS.get((status, kind))
    if head is None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {kind.decode()}\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
        ).encode()
        _HEADS[status, kind] = head
    return head


def _path_of_absolute(url: bytes) -> bytes:
    """Return the path of an address that is whole, as proxies send it; of anything else one that leads nowhere."""
    try:
        return httptools.parse_url(url).path or b""
    except httptools.HttpParserInvalidURLError:
        return b""


def _decoded(path: bytes) -> str:
    return (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8", "replace")
