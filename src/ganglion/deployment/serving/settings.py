"""How a server listens, and what it takes at most: everything that bounds memory and time, in one place."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields

from ganglion.errors import InvalidParameter

ENGINES = ("auto", "torch")
LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one request, or all together, may take.

    Attributes
    ----------
    body_bytes : int
        Of one request; more is refused before it is read.
    rows : int
        Rows, pictures or recordings in one request.
    values : int
        Values in a JSON body: what a short body can say, memory must hold.
    depth : int
        Brackets within brackets in a JSON body.
    pixels : int
        Of one picture, as its head says, before it is decoded.
    own_pixels : int
        Of all pictures of a request together, where a model answers each in its own size: networks hold a hundred
        numbers a pixel.
    samples : int
        Of one recording, as its head says, and of all of a request together at the rate of training.
    letters : int
        Of one text.
    steps : int
        Of one sequence, and words of a text.
    head_bytes : int
        Of the request line and the headers.
    head_s, body_s : float
        Seconds that a client may take to send its headers, and its body.
    answer_s : float
        Seconds from a whole request to its answer.
    stop_s : float
        Seconds that requests in flight have when the server is told to stop.
    queue : int
        Requests that wait for a model; one more is told to come back.
    batch_rows : int
        Rows that are answered together.
    wait_s : float
        Seconds that a request waits at most for others that are on their way, to be answered with them.
    connections : int
        Open at a time.
    """

    body_bytes: int = 16 * 2**20
    rows: int = 10_000
    values: int = 1_000_000
    depth: int = 32
    pixels: int = 25_000_000
    own_pixels: int = 2**21
    samples: int = 30_000_000
    letters: int = 100_000
    steps: int = 5_000
    head_bytes: int = 32 * 2**10
    head_s: float = 10.0
    body_s: float = 15.0
    answer_s: float = 30.0
    stop_s: float = 30.0
    queue: int = 512
    batch_rows: int = 256
    wait_s: float = 0.002
    connections: int = 2_000

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 2**53:
                raise InvalidParameter(f"Limits({each.name}={value!r}): give a number above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a server listens, and to whom it answers.

    Attributes
    ----------
    host : str
        The address to listen at. Any but this machine's own needs a token.
    port : int
        0 takes a free one.
    token : str
        What each request must bring, as "Authorization: Bearer …"; empty for none.
    names : tuple of str
        Names, beside its addresses, by which the server may be called (the header Host): "models.example.org".
    watch_s : float
        Seconds between two looks at the models' files; 0 never looks.
    log : str
        A file to which counts of what came are appended, for `ganglion monitor`; empty for none. No row is written.
    engine : "auto" or "torch"
        "auto" answers by onnxruntime wherever a model can be exported, after its answers were compared.
    limits : Limits
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    names: tuple[str, ...] = ()
    watch_s: float = 1.0
    log: str = ""
    engine: str = "auto"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not is_local(self.host) and not self.token:
            raise InvalidParameter(
                f"host={self.host!r} lets other machines ask, so that a token is needed: give token=…, --token or the "
                "variable GANGLION_TOKEN, a long random text (python -c 'import secrets; "
                "print(secrets.token_urlsafe())'); or listen at 127.0.0.1, which only this machine reaches."
            )
        if self.token and (len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()):
            raise InvalidParameter(
                f"the token has {len(self.token)} characters: give 16 or more that can be guessed by nobody, ASCII "
                "without control characters."
            )
        if self.engine not in ENGINES:
            raise InvalidParameter(f"engine={self.engine!r}: give {' or '.join(map(repr, ENGINES))}.")
        if not 0 <= self.port < 2**16:
            raise InvalidParameter(f"port={self.port}: ports are 0 (a free one) to 65535.")
        if not 0 <= self.watch_s < 2**31:
            raise InvalidParameter(f"watch_s={self.watch_s}: give seconds, or 0 to never look at the files again.")


def is_local(host: str) -> bool:
    """Say whether an address is reached by this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
