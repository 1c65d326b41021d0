"""What each path answers: predictions, explanations, health, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ganglion.deployment.serving.answers import HTML, JSON, PNG, TEXT, Reply, json_reply, mask_picture, predictions
from ganglion.deployment.serving.docs_page import docs_page
from ganglion.deployment.serving.explaining import Explaining
from ganglion.deployment.serving.metrics import family
from ganglion.deployment.serving.openapi import openapi_of
from ganglion.deployment.serving.reading import read
from ganglion.deployment.serving.routes import Handler, Outcome, Question, Request
from ganglion.deployment.serving.served import Asked, Served

if TYPE_CHECKING:
    from ganglion.deployment.serving.service import Service

SMALL = 2**16  # bytes that are read beside other requests; larger bodies are read in a thread
_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_T = TypeVar("_T")


def table(service: Service) -> dict[tuple[str, str], Handler]:
    """Return the table of all paths."""
    asking = Asking(service)
    explaining = Explaining(asking, service.settings.limits.answer_s)
    return {
        ("POST", "/predict"): asking.predict,
        ("POST", "/predict/{name}"): asking.predict,
        ("POST", "/predict/{name}/versions/{version}"): asking.predict,
        ("POST", "/explain"): explaining.explain,
        ("POST", "/explain/{name}"): explaining.explain,
        ("POST", "/explain/{name}/versions/{version}"): explaining.explain,
        ("GET", "/"): asking.docs,
        ("GET", "/docs"): asking.docs,
        ("GET", "/openapi.json"): asking.openapi,
        ("GET", "/health"): asking.health,
        ("GET", "/metrics"): asking.metrics,
        ("GET", "/drift"): asking.drift,
    }


class Asking:
    """The handlers of what is no protocol of others."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._limits = service.settings.limits

    def predict(self, request: Request) -> Outcome:
        """Answer what a model says of each row."""
        served = self.served(request)
        form = mask_picture if served.signature.task == "segmentation" and _wants_png(request) else predictions
        return aside(request, self.reading(request, served), lambda asked: Question(served, asked, form))

    def docs(self, request: Request) -> Reply:
        """Answer the page that says how to ask."""
        base = f"http://{request.headers[b'host'].decode('latin-1')}"
        page = docs_page(self._service.shelf, self._service.settings, base)
        return Reply(page.encode(), kind=HTML, headers=[(b"content-security-policy", _POLICY)])

    def openapi(self, request: Request) -> Reply:
        """Answer the description of all paths."""
        return json_reply(openapi_of(self._service.shelf, self._service.settings))

    def health(self, request: Request) -> Reply:
        """Answer how the server and each model are."""
        return json_reply(
            {
                "status": "stopping" if self._service.draining else "ok",
                "models": [_health(served) for served in self._service.shelf],
            }
        )

    async def metrics(self, request: Request) -> Reply:
        """Answer what was counted."""
        shelf = list(self._service.shelf)
        lines = self._service.metrics.lines()
        for name, kind, text, values in (
            ("ganglion_rows_total", "counter", "Rows answered.", [each.batcher.rows for each in shelf]),
            ("ganglion_batches_total", "counter", "Calls of the model.", [each.batcher.batches for each in shelf]),
            ("ganglion_queue", "gauge", "Requests that wait.", [len(each.batcher) for each in shelf]),
            ("ganglion_reloads_total", "counter", "Changed files taken.", [each.reloads for each in shelf]),
            ("ganglion_model_problem", "gauge", "Not taken: 1.", [int(bool(each.problem)) for each in shelf]),
        ):
            labels = [(("model", each.name), ("version", each.version)) for each in shelf]
            lines += family(name, kind, text, zip(labels, values, strict=True))
        lines += await asyncio.to_thread(drift_lines, shelf)
        return Reply(("\n".join(lines) + "\n").encode(), kind=TEXT)

    async def drift(self, request: Request) -> Reply:
        """Answer counts of what came lately, and the shares of training to compare them with."""
        shelf = [each for each in self._service.shelf if each.watch is not None]
        totals = [await asyncio.to_thread(each.watch.totals) for each in shelf if each.watch is not None]
        named = zip(shelf, totals, strict=True)
        told = [{"model": each.name, "version": each.version, **total} for each, total in named if total]
        return json_reply({"models": told})

    def served(self, request: Request) -> Served:
        """Return the model that a request is for."""
        return self._service.shelf.find(request.arguments.get("name"), request.arguments.get("version"))

    def reading(self, request: Request, served: Served) -> Callable[[], Asked]:
        """Return what reads the rows of a request, whatever it brings them as."""
        whole = request.headers.get(b"content-type", b"")
        kind = whole.partition(b";")[0].strip().lower()
        return partial(read, request.body, kind, whole, served.backend, self._limits)


def aside(request: Request, reading: Callable[[], _T], then: Callable[[_T], Question]) -> Outcome:
    """Return the question that follows from what is read, in a thread where a body is large."""
    if len(request.body) <= SMALL:
        return then(reading())

    async def later() -> Question:
        return then(await asyncio.to_thread(reading))

    return later()


def drift_lines(shelf: list[Served]) -> list[str]:
    """Return the drift of each model's columns as samples of metrics."""
    found = [(each, each.watch.drift(each.name)) for each in shelf if each.watch is not None]
    every = [
        (s, what, c) for s, drift in found if drift for what in ("columns", "predictions") for c in getattr(drift, what)
    ]
    lines: list[str] = []
    for name, text, value in (
        ("psi", "Population stability index of the latest rows against training.", lambda c: c.psi),
        ("ks", "Largest distance of the latest rows' distribution from training.", lambda c: c.ks),
        ("missing_share", "Share of the latest rows without a value.", lambda c: c.missing),
        ("unseen_share", "Share of the latest rows with a category not known from training.", lambda c: c.unseen),
        ("alarm", "1 where the latest rows are not like those of training.", lambda c: int(c.verdict == "drift")),
    ):
        samples = [
            ((("model", s.name), ("version", s.version), ("kind", what[:-1]), ("column", c.name)), value(c))
            for s, what, c in every
            if value(c) is not None
        ]
        lines += family(f"ganglion_drift_{name}", "gauge", text, samples)
    return lines


def _wants_png(request: Request) -> bool:
    wanted = request.headers.get(b"accept", b"").lower()
    return PNG in wanted and JSON not in wanted


def _health(served: Served) -> dict[str, Any]:
    return {
        "name": served.name,
        "version": served.version,
        "status": "old" if served.problem else "ok",
        "problem": served.problem,
        "engine": served.backend.engine,
        "note": served.backend.note,
        "estimator": served.signature.estimator,
        "reloads": served.reloads,
    }
