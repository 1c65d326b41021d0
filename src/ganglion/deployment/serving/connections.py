"""Connections that do not wait for ever: a request's head has its time and its size.

uvicorn bounds the pause between two requests, but not how slowly the head of one may come, so that a few clients that
send a letter a minute would hold all connections.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ganglion.deployment.serving.settings import Limits


def with_limits(base: Any, limits: Limits) -> type[asyncio.Protocol]:
    """Return a protocol of uvicorn that closes connections whose head is too slow, 408, or too large, 431.

    Parameters
    ----------
    base : type
        uvicorn's `HttpToolsProtocol` or `H11Protocol`.
    limits : Limits
    """

    class Limited(base):
        _timer: asyncio.TimerHandle | None = None
        _n_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(limits.head_s, self._end, b"408 Request Timeout")

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._is_answering():  # what comes belongs to a body, whose limits are the application's
                super().data_received(data)
                return
            self._n_bytes += len(data)
            if self._timer is None:
                self._timer = self.loop.call_later(limits.head_s, self._end, b"408 Request Timeout")
            super().data_received(data)
            if self._is_answering():
                self._stop()
            elif self._n_bytes > limits.head_bytes:
                self._end(b"431 Request Header Fields Too Large")

        def _is_answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _stop(self) -> None:
            self._n_bytes = 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _end(self, status: bytes) -> None:
            self._stop()
            if not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                self.transport.close()

    return Limited
