"""Serving under load, beside the same model behind plain FastAPI + PyTorch; a burst, a stop and a reload lose nothing.

    python -m benchmarks.claims.serving_load [--seconds 10] [--rounds 5] [--minutes 10]

Server and client share the machine; the servers are measured in turns, the others suspended meanwhile. `--minutes` is
the length of the soak. LitServe is measured too where it is installed: `python -m benchmarks.peers litserve`.

"Single-request latency" is taken as the median of one client that asks as soon as it is answered; its p99 is told too.
With 8 such clients a request waits for all eight to be read, answered together and written: 8 r + b, where b is what a
call of the model costs and r what a request does besides. The ratio can be below 2 only where r is less than about
(b + the way there and back) / 6: a smaller model has the larger ratio, however fast the server is. So it is told of
two: an MLP over a row of Adult, and an LSTM over a sentence, whose answer costs more than its request.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._serving import Clients, Load, Server, adult_model, litserve, ours, plain, reviews_model, wrk
from benchmarks.peers import installed

OURS, PLAIN, LITSERVE, REVIEWS = 8791, 8792, 8795, 8796
MANY, FEW = 64, 8
SOAK_MINUTES = 10.0


def claim(seconds: float = 10.0, rounds: int = 5, minutes: float = SOAK_MINUTES) -> Claim:
    """Measure, and return what was found."""
    if shutil.which("wrk") is None:
        raise Skipped("wrk is not installed (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, row = adult_model(folder)
        loads = _interleaved((model, row), reviews_model(folder), folder, seconds, rounds)
        with ours(model, OURS) as server:
            burst = Clients(OURS, row, 10 * MANY).run(seconds)
            reloads, reloaded = _reload(server, model, row, seconds)
            soak = _soak(server, row, minutes)
            stopped = Clients(OURS, row, FEW).run(4.0, server.tell_to_stop)
    return _claim(loads, burst, reloads, reloaded, soak, stopped, (seconds, rounds, minutes))


def _interleaved(adult: Any, reviews: Any, folder: Path, seconds: float, rounds: int) -> dict[str, list[Load]]:
    """Return the loads of all servers, measured in turns."""
    (model, row), (words, sentence) = adult, reviews
    turns = {"plain": (PLAIN, row, MANY), "ours": (OURS, row, MANY), "one": (OURS, row, 1), "few": (OURS, row, FEW)}
    turns |= {"reviews, one": (REVIEWS, sentence, 1), "reviews, few": (REVIEWS, sentence, FEW)}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(ours(model, OURS)), stack.enter_context(ours(words, REVIEWS))]
        servers.append(stack.enter_context(plain(model, PLAIN)))
        if installed("litserve"):
            servers.append(stack.enter_context(litserve(model, LITSERVE)))
            turns["litserve"] = (LITSERVE, row, MANY)
        for port, asked in {port: asked for port, asked, _ in turns.values()}.items():
            wrk(port, asked, FEW, 2, folder)  # warm
        loads: dict[str, list[Load]] = {name: [] for name in turns}
        for _ in range(rounds):
            for name, (port, asked, connections) in turns.items():
                with contextlib.ExitStack() as others:
                    for server in servers:
                        if server.port != port:
                            others.enter_context(server.suspended())
                    loads[name].append(wrk(port, asked, connections, seconds, folder))
    return loads


def _reload(server: Server, model: Path, row: Any, seconds: float) -> tuple[Any, int]:
    """Replace the file while clients ask; return what became of the requests, and how often it was loaded anew."""
    raw = model.read_bytes()
    with tempfile.TemporaryDirectory() as name:
        other = adult_model(Path(name), epochs=1)[0].read_bytes()

    def replace() -> None:
        for content in (b"damaged", other, raw):
            aside = model.with_suffix(".new")
            aside.write_bytes(content)
            aside.replace(model)
            time.sleep(1.5)

    counts = Clients(server.port, row, MANY).run(seconds, replace)
    for _ in range(300):
        if server.get("/health")["models"][0]["reloads"]:
            break
        time.sleep(0.2)
    return counts, server.get("/health")["models"][0]["reloads"]


def _soak(server: Server, row: Any, minutes: float) -> dict[str, Any]:
    """Ask for minutes; return what became of requests, different answers, and how memory grew after a tenth of it."""
    first = Clients(server.port, row, MANY)
    first.run(6 * minutes)
    before = server.resident
    clients = Clients(server.port, row, MANY)
    counts = clients.run(54 * minutes)
    wrong = sum(n for body, n in clients.bodies.items() if not _is_same(json.loads(body), server, row))
    return {"counts": dict(counts), "wrong": wrong, "growth": server.resident / before - 1}


def _is_same(said: Any, server: Server, row: Any) -> bool:
    """Say whether an answer is that of a request alone; among others sums may differ in their last digits."""
    alone = server.post("/predict", row)
    close = np.allclose(said["probabilities"], alone["probabilities"], atol=1e-5)
    return bool(close) and said["predictions"] == alone["predictions"]


def _claim(loads: Any, burst: Any, reloads: Any, reloaded: int, soak: Any, stopped: Any, settings: Any) -> Claim:
    ratios = [a.rate / b.rate for a, b in zip(loads["ours"], loads["plain"], strict=True)]
    both = list(zip(loads["few"], loads["one"], strict=True))
    of_words = list(zip(loads["reviews, few"], loads["reviews, one"], strict=True))
    seconds, rounds, minutes = settings
    lost = {name: _others(counts) for name, counts in (("burst", burst), ("reload", reloads), ("stop", stopped))}
    pairs = zip(loads["ours"], loads.get("litserve", ()), strict=False)
    peer = [a.rate / b.rate for a, b in pairs]
    beside = [_figure(f"requests a second at {MANY} connections, over LitServe", peer, 1.0)] if peer else []
    return Claim(
        name="serving_load",
        data="Over the loopback: Adult, a row a request, an MLP as it comes; SST-2, a sentence a request, an LSTM.",
        settings=f"{rounds} rounds of {seconds:g} s by wrk, in turns; a soak of {minutes:g} minutes.",
        reference="the same model behind plain FastAPI + PyTorch (uvicorn, one process), and behind LitServe where it "
        "is installed; promises of ours",
        figures=[
            _figure(f"requests a second at {MANY} connections, over plain", ratios, 5.0),
            *beside,
            _figure(
                f"p99 at {FEW} clients over the median of one", [f.p99_ms / o.median_ms for f, o in both], 2, lower=True
            ),
            _figure(f"p99 at {FEW} clients over the p99 of one", [f.p99_ms / o.p99_ms for f, o in both], 2, lower=True),
            _figure(
                f"an LSTM over a sentence: p99 at {FEW} clients over the median of one",
                [f.p99_ms / o.median_ms for f, o in of_words],
                2,
                lower=True,
            ),
            _figure(
                f"an LSTM over a sentence: p99 at {FEW} clients over the p99 of one",
                [f.p99_ms / o.p99_ms for f, o in of_words],
                2,
                lower=True,
            ),
            _count("burst of 640: answers but 200 and 503", lost["burst"]),
            _count("hot reload: requests not answered by 200", lost["reload"] + reloads["503"]),
            _count("SIGTERM: requests in flight dropped", lost["stop"]),
            _count("soak: 5xx but 503, or dropped", _others(soak["counts"])),
            _count("soak: wrong answers", soak["wrong"]),
            Figure(
                "soak: memory grown, share", soak["growth"], soak["growth"], soak["growth"], 0.02, lower_is_better=True
            ),
        ],
        details={
            "rates": {name: [each.rate for each in of] for name, of in loads.items()},
            "p99_ms": {name: [each.p99_ms for each in of] for name, of in loads.items()},
            "median_ms": {name: [each.median_ms for each in of] for name, of in loads.items()},
            "failed": {name: sum(each.failed for each in of) for name, of in loads.items()},
            "burst": dict(burst),
            "reload": {**reloads, "reloads": reloaded},
            "stop": dict(stopped),
            "soak": soak,
        },
    )


def _others(counts: Any) -> int:
    """Return how many requests were answered by neither 200 nor 503, or not at all."""
    return sum(n for outcome, n in counts.items() if outcome not in ("200", "503", "refused"))


def _figure(name: str, values: list[float], target: float, *, lower: bool = False) -> Figure:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975]).tolist()
    return Figure(name, middle, low, high, target, lower_is_better=lower)


def _count(name: str, n: int) -> Figure:
    return Figure(name, n, n, n, 0, lower_is_better=True)


def main() -> None:
    """Measure with other lengths, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=SOAK_MINUTES)
    given = parser.parse_args()
    found = claim(given.seconds, given.rounds, given.minutes)
    for figure in found.figures:
        print(f"{figure.name:60} {figure.value:10.4g} {'held' if figure.held else 'fell short'}")
    print(json.dumps(found.details, indent=1, default=str))


if __name__ == "__main__":
    main()
