"""Who may ask: the headers Host, Origin and Authorization are looked at before a body is read.

A page of another site that a user has open can send requests to 127.0.0.1. It cannot lie about Origin, and by a name of
its own that points here (DNS rebinding) it cannot hide that name from Host. An address has no name that could be
pointed elsewhere, so addresses are taken where the server listens at all of them.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable

from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import LOCAL, Settings, is_local

Headers = Iterable[tuple[bytes, bytes]]
OPEN = ("/v2/health/live", "/v2/health/ready")  # probes have no token, and learn nothing but yes or no
_SAME = (b"same-origin", b"none")


class Guard:
    """Refuses requests that come by a foreign name, from a foreign page, or without the token."""

    def __init__(self, settings: Settings) -> None:
        self._names = {name.lower() for name in (*LOCAL, settings.host, *settings.names)}
        self._any_address = not is_local(settings.host) and _is_any(settings.host)
        self._token = settings.token.encode()
        self._known: dict[bytes, bool] = {}

    def check(self, path: str, headers: Headers) -> None:
        """Raise Refused, 403 or 401, unless a request with these headers may be served."""
        host = origin = site = mode = token = None
        n_hosts = 0
        for name, value in headers:
            if name == b"host":
                host, n_hosts = value, n_hosts + 1
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"sec-fetch-mode":
                mode = value
            elif name == b"authorization":
                token = value
        if host is None or n_hosts > 1 or not self._is_known(host):
            raise Refused(403, _shown("the header Host is", host, f"allowed are {', '.join(sorted(self._names))}"))
        if origin is not None and origin not in (b"http://" + host, b"https://" + host):
            raise Refused(403, _shown("the header Origin is", origin, "only pages of this server may ask"))
        if site is not None and site not in _SAME and mode != b"navigate":
            raise Refused(403, _shown("the header Sec-Fetch-Site is", site, "only pages of this server may ask"))
        if self._token and path not in OPEN:
            self._check_token(token)

    def _check_token(self, given: bytes | None) -> None:
        kind, _, value = (given or b"").partition(b" ")
        if kind.lower() != b"bearer" or not hmac.compare_digest(value.strip(), self._token):
            raise Refused(
                401,
                "the token is missing or wrong. Send the header: Authorization: Bearer TOKEN.",
                headers={"www-authenticate": "Bearer"},
            )

    def _is_known(self, host: bytes) -> bool:
        """Say whether the server may be called so; the few names that are used are looked up once."""
        if host not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[host] = self._is_allowed(host)
        return self._known[host]

    def _is_allowed(self, host: bytes) -> bool:
        name = _name_in(host)
        return name in self._names or (self._any_address and _is_address(name))


def _name_in(host: bytes) -> str:
    """Return the name or address in a header Host, without its port; empty if it is neither."""
    try:
        text = host.decode("ascii").lower()
    except UnicodeDecodeError:
        return ""
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        port = port.removeprefix(":") if bracket else "x"
    else:
        name, _, port = text.partition(":")
    return name if not port or (port.isdecimal() and len(port) <= 5) else ""


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _shown(what: str, value: bytes | None, allowed: str) -> str:
    came = "missing" if value is None else repr(value[:80].decode("ascii", "replace"))
    return f"{what} {came}; {allowed}."
