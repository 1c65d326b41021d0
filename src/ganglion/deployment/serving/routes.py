"""Which path leads to what: a table of patterns, and how one is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ganglion.deployment.said import Answers
from ganglion.deployment.serving.answers import Reply
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.served import Asked, Served


@dataclass(slots=True)
class Request:
    """What a client asks.

    Attributes
    ----------
    method, path : str
        The path as it is meant: %2F is a slash.
    headers : dict of bytes to bytes
        Names in small letters.
    body : bytes
    pattern : str
        The pattern that the path matches, "none" where it matches none.
    handler : Handler or None
    arguments : dict of str to str
        What stands in the path for {name} and {version}.
    refused : Refused or None
        Why it is not served, where its head told.
    is_last : bool
        Whether its connection ends with the answer.
    """

    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes = b""
    pattern: str = "none"
    handler: Handler | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    refused: Refused | None = None
    is_last: bool = False


@dataclass(slots=True)
class Question:
    """What a model is asked for a request, and how its answer becomes that of HTTP.

    Attributes
    ----------
    served : Served
    asked : Asked
    told : callable
        Takes both, and what the model said.
    """

    served: Served
    asked: Asked
    told: Callable[[Served, Asked, Answers], Reply]


Outcome = Reply | Question | Awaitable[Reply | Question]
Handler = Callable[[Request], Outcome]


class Routes:
    """A table of (method, pattern) → handler; "{name}" in a pattern stands for one part of a path."""

    def __init__(self, table: Mapping[tuple[str, str], Handler]) -> None:
        self._exact: dict[str, dict[str, Handler]] = {}
        self._patterns: dict[int, list[tuple[tuple[str, ...], str, dict[str, Handler]]]] = {}
        grouped: dict[str, dict[str, Handler]] = {}
        for (method, pattern), handler in table.items():
            grouped.setdefault(pattern, {})[method] = handler
            if method == "GET":
                grouped[pattern]["HEAD"] = handler
        for pattern, methods in grouped.items():
            if "{" not in pattern:
                self._exact[pattern] = methods
            else:
                parts = tuple(pattern.split("/"))
                self._patterns.setdefault(len(parts), []).append((parts, pattern, methods))

    def find(self, method: str, path: str) -> tuple[str, Handler, dict[str, str]]:
        """Return the pattern that a path matches, its handler, and what stands for the names in it.

        Raises
        ------
        Refused
            404 if nothing is there, 405 if the method is another.
        """
        methods, pattern, arguments = self._exact.get(path), path, {}
        if methods is None:
            pattern, methods, arguments = self._match(path)
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            raise Refused(405, f"{path[:200]} takes {allowed}, not {method[:20]}.", headers={"allow": allowed})
        return pattern, methods[method], arguments

    def _match(self, path: str) -> tuple[str, dict[str, Handler], dict[str, str]]:
        given = path.split("/")
        for parts, pattern, methods in self._patterns.get(len(given), ()):
            pairs = list(zip(parts, given, strict=True))
            if all(part == here or (part.startswith("{") and here) for part, here in pairs):
                return pattern, methods, {part[1:-1]: here for part, here in pairs if part.startswith("{")}
        raise Refused(404, f"nothing is at {path[:200]!r}. See /docs.")
