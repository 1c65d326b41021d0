"""Servers to measure, and clients that count what became of each request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ganglion as gg
from benchmarks.claims import Skipped
from benchmarks.peers import python
from benchmarks.public import sst2
from ganglion.data.public import find
from ganglion.errors import InvalidFile

COLUMNS = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
    "income",
]
ROOT = Path(__file__).resolve().parents[2]
_PAGE = os.sysconf("SC_PAGE_SIZE")


def adult_model(folder: Path, epochs: int = 3) -> tuple[Path, dict[str, Any]]:
    """Return a small network for Adult in a file, and a row to ask it."""
    try:
        path = find("adult/adult.data")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    data = gg.read(path, columns=COLUMNS, target="income")
    model = gg.MLPClassifier(epochs=epochs, random_state=0).fit(data)
    model.save(folder / "adult.ganglion")
    values = [39, "State-gov", 77516, "Bachelors", 13, "Never-married", "Adm-clerical", "Not-in-family", "White"]
    values += ["Male", 2174, 0, 40, "United-States"]
    return folder / "adult.ganglion", dict(zip(COLUMNS, values, strict=False))


def reviews_model(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return an LSTM over sentences of film reviews in a file, and a row to ask it."""
    try:
        X, y = sst2("train")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    gg.RNNClassifier(width=64, embedding=128, epochs=1, random_state=0).fit(X, y).save(folder / "reviews.ganglion")
    return folder / "reviews.ganglion", {"text": "a gorgeous , witty , seductive movie that stays with you for days ."}


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def resident(self) -> int:
        """How much memory it holds, in bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE

    def get(self, path: str) -> Any:
        """Return what a path answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            raw = answer.read()
        return json.loads(raw) if "json" in answer.headers["content-type"] else raw.decode()

    def post(self, path: str, content: Any) -> Any:
        """Return what a path answers to JSON."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(content).encode())
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.loads(answer.read())

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Let it and its workers rest: what idle servers do now and then would be measured with another."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def tell_to_stop(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)


@contextlib.contextmanager
def serving(command: list[str], port: int, path: str) -> Iterator[Server]:
    """Start a server, and end it; it has started when `path` is answered."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, start_new_session=True, **quiet)
    server = Server(process, port)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                break
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
            time.sleep(0.2)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and the workers that it has started
        process.wait(30)


def ours(model: Path, port: int, *more: str) -> contextlib.AbstractContextManager[Server]:
    """Serve a model file as a user does."""
    return serving([sys.executable, "-m", "ganglion", "serve", str(model), "--port", str(port), *more], port, "/health")


def litserve(model: Path, port: int) -> contextlib.AbstractContextManager[Server]:
    """Serve the same file behind LitServe, from its own environment."""
    os.environ["SERVED_MODEL"] = str(model)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    command = [str(python("litserve")), "-m", "benchmarks.claims._serving_litserve", str(port)]
    return serving(command, port, "/health")


def plain(model: Path, port: int) -> contextlib.AbstractContextManager[Server]:
    """Serve the same file behind plain FastAPI + PyTorch."""
    os.environ["SERVED_MODEL"] = str(model)
    command = [sys.executable, "-m", "uvicorn", "benchmarks.claims._serving_plain:app", "--port", str(port)]
    return serving([*command, "--no-access-log", "--log-level", "warning"], port, "/openapi.json")


@dataclass
class Load:
    """What wrk measured: requests a second, milliseconds at the median and at 99 %, and answers that were none."""

    rate: float
    median_ms: float
    p99_ms: float
    failed: int


def wrk(port: int, row: Any, connections: int, seconds: float, folder: Path, path: str = "/predict") -> Load:
    """Load a server with wrk, one row a request."""
    script = folder / "post.lua"
    body = json.dumps(row).replace("'", "\\'")
    script.write_text(f"wrk.method='POST'\nwrk.body='{body}'\nwrk.headers['Content-Type']='application/json'\n")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True
    ).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    lost = sum(map(int, errors.groups())) if errors else 0
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Load(rate, _milliseconds(said, "50%"), _milliseconds(said, "99%"), lost + (int(failed[1]) if failed else 0))


def _milliseconds(said: str, at: str) -> float:
    value, unit = re.search(rf"{at}\s+([\d.]+)(us|ms|s)\b", said).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


class Clients:
    """Clients that ask as fast as they are answered, and count what became of each request.

    "dropped" counts requests that were sent on a connection and not answered; a connection that is refused, or was
    closed before the next request went out, is none.
    """

    def __init__(self, port: int, row: Any, connections: int, path: str = "/predict") -> None:
        body = json.dumps(row).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        self._request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        self._port, self._n = port, connections
        self.counts: Counter[str] = Counter()
        self.bodies: Counter[bytes] = Counter()
        self._stop = False

    def run(self, seconds: float, meanwhile: Any = None) -> Counter[str]:
        """Ask for so long; `meanwhile` is a function that is called in the middle."""

        async def all_of_them() -> None:
            clients = [asyncio.create_task(self._client()) for _ in range(self._n)]
            await asyncio.sleep(seconds / 2)
            if meanwhile is not None:
                await asyncio.to_thread(meanwhile)
            await asyncio.sleep(seconds / 2)
            self._stop = True
            await asyncio.wait_for(asyncio.gather(*clients), 60)

        asyncio.run(all_of_them())
        return self.counts

    async def _client(self) -> None:
        while not self._stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.counts["refused"] += 1
                await asyncio.sleep(0.05)
                continue
            await self._use(reader, writer)

    async def _use(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self._stop:
                if reader.at_eof():
                    return
                writer.write(self._request)
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])  # type: ignore[index]
                    body = await reader.readexactly(length)
                except (OSError, asyncio.IncompleteReadError):
                    self.counts["dropped"] += 1
                    return
                status = head.split(b" ", 2)[1].decode()
                self.counts[status] += 1
                if status == "200":
                    self.bodies[body] += 1
                elif status == "503":
                    await asyncio.sleep(0.05)
                if b"connection: close" in head.lower():
                    return
        finally:
            writer.close()
