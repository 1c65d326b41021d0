"""Data, and a client that asks a service without a network."""

import asyncio
from dataclasses import replace

import httpx
import numpy as np
import pandas as pd

from ganglion.deployment.serving import server
from ganglion.deployment.serving.routes import Request
from ganglion.deployment.serving.settings import Settings

LOCAL = "http://127.0.0.1"


def service_of(models, settings=None):
    """Return a service that answers by PyTorch: an export takes seconds, and has tests of its own."""
    return server.service_of(models, replace(settings or Settings(), engine="torch"))


def frame(n=120, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    size[::9] = np.nan
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame(
        {
            "color": rng.choice(["red", "green", "blue"], n),
            "size": size,
            "when": when,
            "loud": rng.random(n) > 0.5,
            "weight": rng.normal(size=n),
        }
    )


def rows_of(table):
    """Return a frame as rows of JSON."""
    rows = table.to_dict("records")
    for row in rows:
        row["when"] = row["when"].strftime("%Y-%m-%d")
        row["size"] = None if np.isnan(row["size"]) else row["size"]
        row["loud"] = bool(row["loud"])
    return rows


class Direct(httpx.AsyncBaseTransport):
    """Hands requests to a service, without a connection between."""

    def __init__(self, service):
        self.service = service

    async def handle_async_request(self, request):
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        path = request.url.raw_path.partition(b"?")[0]
        asked = Request(request.method, path.decode(), dict(headers))
        asked.refused = self.service.admit(asked, headers)
        asked.body = await request.aread()
        answered = asyncio.get_running_loop().create_future()
        self.service.respond(asked, answered.set_result)
        reply = await answered
        return httpx.Response(reply.status, headers=[(b"content-type", reply.kind), *reply.headers], content=reply.body)


def ask(service, *requests, base=LOCAL, **options):
    """Return the answers to requests, (method, path, options of httpx), which are sent together."""

    async def all_of_them():
        async with httpx.AsyncClient(transport=Direct(service), base_url=base, **options) as client:
            return await asyncio.gather(*(client.request(m, path, **more) for m, path, more in requests))

    return asyncio.run(all_of_them())


def post(service, path, **options):
    """Return the answer to one POST."""
    (answer,) = ask(service, ("POST", path, options))
    return answer


def get(service, path, **options):
    """Return the answer to one GET."""
    (answer,) = ask(service, ("GET", path, options))
    return answer
