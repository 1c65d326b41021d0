"""The body of a request, whole or not at all: within its limit of bytes, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits

Receive = Callable[[], Awaitable[Any]]


async def read_body(headers: dict[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """Return the bytes of a body.

    Raises
    ------
    Refused
        413 if it is, or says that it is, larger than allowed; 408 if it does not come in time; 415 if it is packed;
        400 if the client has gone.
    """
    packed = headers.get(b"content-encoding", b"identity").lower()
    if packed not in (b"identity", b""):
        raise Refused(415, f"the body is packed ({packed[:20].decode('latin-1')}); send it as it is.")
    try:
        async with asyncio.timeout(limits.body_s):
            length = headers.get(b"content-length", b"0")[:20]
            if length.isdigit() and int(length) > limits.body_bytes:
                if b"expect" not in headers:  # else it waits to be asked for the body
                    await _pass_by(receive, limits.body_bytes)
                raise _too_large(f"{int(length):,} bytes", limits.body_bytes)
            return await _gathered(receive, limits.body_bytes)
    except TimeoutError as error:
        raise Refused(
            408, f"the body did not come within {limits.body_s:g} seconds.", headers={"connection": "close"}
        ) from error


async def _pass_by(receive: Receive, most: int) -> None:
    """Read on without keeping anything, as a client that is still sending hears no answer; not without end."""
    seen = 0
    while seen < 4 * most:
        message = await receive()
        seen += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def _gathered(receive: Receive, most: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body = message.get("body", b"")
        if len(body) > most:
            raise _too_large("more", most)
        return body
    whole = bytearray()
    while True:
        if message["type"] != "http.request":
            raise Refused(400, "the client closed the connection before its request was whole.")
        whole += message.get("body", b"")
        if len(whole) > most:
            whole.clear()
            await _pass_by(receive, most)
            raise _too_large("more", most)
        if not message.get("more_body"):
            return bytes(whole)
        message = await receive()


def _too_large(what: str, most: int) -> Refused:
    return Refused(
        413,
        f"the body has {what}; {most:,} bytes are allowed. Send fewer rows in each request.",
        details={"allowed": most},
        headers={"connection": "close"},  # the rest of it is not read
    )
