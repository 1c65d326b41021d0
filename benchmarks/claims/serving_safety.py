"""A server among hostile clients: foreign pages, bombs, endless nesting, slow senders; and schemathesis on its OpenAPI.

    python -m benchmarks.claims.serving_safety

Schemathesis has an environment of its own: `python -m benchmarks.peers schemathesis`. Which of its checks run is in
`CHECKS`; that every file of CSV or tensor which a schema allows is accepted is not among them, as no schema says what
is one.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ganglion as gg
from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._serving import adult_model, ours
from benchmarks.peers import installed, python

PORT, PICTURES, TASKS = 8793, 8794, 8795
EXAMPLES, OF_TASKS = (
    50,
    10,
)  # that schemathesis makes of an operation: of one model of a table, of several of other tasks
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance"
)
HOSTS = [
    *("evil.com", "evil.com:8793", "127.0.0.1.evil.com", "localhost.evil.com", "localhost@evil.com", "evil.com:80:80"),
    *("0.0.0.0", "10.0.0.1", "192.168.1.1", "127.0.0.2", "[::2]", "[::1", "::1]", "127.1", "2130706433", "0x7f000001"),
    *("localhost.", "localhost:x", "metadata.google.internal", "169.254.169.254"),
]
ORIGINS = [
    *("http://evil.com", "https://evil.com", "null", "http://127.0.0.1.evil.com", "http://localhost:3000", "file://"),
    *("http://127.0.0.1:9999", "http://127.0.0.1@evil.com", "HTTP://EVIL.COM", "http://", "chrome-extension://abcdef"),
    *(
        "http://[::1]:8793",
        "https://127.0.0.1.nip.io",
        "http://10.0.0.1",
        "moz-extension://x",
        "http://localhost.evil.com",
    ),
    *("http://127.0.0.1", "127.0.0.1:8793", "http://127.0.0.1:8793/", "data:text/html,x"),
]
RESIDENT = 1.5  # times what the server held before: a hostile body may be whole in memory, not many of them


def claim() -> Claim:
    """Attack, and return what was answered."""
    if not installed("schemathesis"):
        raise Skipped("schemathesis is not installed: python -m benchmarks.peers schemathesis")
    with tempfile.TemporaryDirectory() as name:
        model, row = adult_model(Path(name))
        with ours(model, PORT) as server:
            server.post("/predict", row)
            before, most = server.resident, 0
            foreign = [_asked(PORT, body=json.dumps(row).encode(), **each) for each in _foreign()]
            hostile: dict[str, tuple[int, tuple[int, ...]]] = {}
            for what, (ask, allowed) in _corpus().items():
                hostile[what] = (ask(PORT), allowed)
                most = max(most, server.resident)
            found = _schemathesis(Path(name), PORT, EXAMPLES)
            alive = server.post("/predict", row)["predictions"]
        with _pictures(Path(name)) as server:
            for what, (raw, allowed) in _bombs().items():
                hostile[what] = (_asked(PICTURES, body=raw, content_type="image/png"), allowed)
            pictures_resident = server.resident
        with _tasks(Path(name)):
            more = _schemathesis(Path(name), TASKS, OF_TASKS)
        found = {what: n + more[what] for what, n in found.items()}
    return _claim(foreign, hostile, most / before, found, len(alive) == 1, pictures_resident)


def _foreign() -> list[dict[str, str]]:
    return [{"host": host} for host in HOSTS] + [{"origin": origin} for origin in ORIGINS]


def _asked(port: int, body: bytes = b"", **headers: str) -> int:
    """Return the status of one POST /predict, sent byte by byte as it stands here; 0 if there was none."""
    lines = {
        "host": f"127.0.0.1:{port}",
        "content_type": "application/json",
        "content_length": str(len(body)),
        **headers,
    }
    head = "POST /predict HTTP/1.1\r\n" + "".join(
        f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items()
    )
    return _sent(port, head.encode() + b"\r\n" + body)


def _sent(port: int, raw: bytes, *, pause_s: float = 0.0, step: int = 2**16) -> int:
    """Return the status that is answered to some bytes, sent in steps; 0 if the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            for start in range(0, len(raw), step):
                connection.sendall(raw[start : start + step])
                time.sleep(pause_s)
        except OSError:
            pass  # it does not listen any more; what it said may still be read
        try:
            status = re.match(rb"HTTP/1\.1 (\d+)", connection.recv(4096))
        except OSError:
            return 0
        return int(status[1]) if status else 0


def _corpus() -> dict[str, tuple[Callable[[int], int], tuple[int, ...]]]:
    """Return hostile requests by name: a function of the port that gives the status, and which ones are right."""
    wide = json.dumps({f"c{i}": i for i in range(10**6)}).encode()
    csv = ",".join(f"c{i}" for i in range(10**6)).encode() + b"\n" + b"1," * (10**6 - 1) + b"1\n"
    bodies: dict[str, tuple[bytes, str, tuple[int, ...]]] = {
        "a million brackets": (b"[" * 10**6, "application/json", (422,)),
        "a million objects": (b'{"a":' * 10**6, "application/json", (422,)),
        "quotes without end": (b'"' + b'\\"' * 4_000_000 + b"[" * 100, "application/json", (422,)),
        "NaN": (b'[{"age": NaN}]', "application/json", (422,)),
        "Infinity": (b"[[Infinity]]", "application/json", (422,)),
        "a number of a million digits": (b"[" + b"9" * 10**6 + b"]", "application/json", (422,)),
        "half of a letter": (b'["\\ud800"]', "application/json", (422,)),
        "no UTF-8": (b'["\xff\xfe"]', "application/json", (422,)),
        "a million columns, JSON": (wide, "application/json", (413, 422)),
        "a million columns, CSV": (csv, "text/csv", (413, 422)),
        "ten million values": (b"[" + b"1," * 8_000_000 + b"1]", "application/json", (413,)),
        "17 MB": (b" " * (17 * 2**20), "application/json", (413,)),
        "a form of 100,000 parts": (
            b"--b\r\n\r\n\r\n" * 10**5 + b"--b--",
            "multipart/form-data; boundary=b",
            (413, 422),
        ),
        "a pickle": (b"\x80\x04cos\nsystem\n(S'false'\ntR.", "application/octet-stream", (422,)),
    }
    found: dict[str, tuple[Callable[[int], int], tuple[int, ...]]] = {}
    for name, (body, kind, allowed) in bodies.items():
        found[name] = (lambda port, body=body, kind=kind: _asked(port, body=body, content_type=kind), allowed)
    packed = zlib.compress(b" " * 10**7)
    found["a packed body"] = (lambda port: _asked(port, body=packed, content_encoding="deflate"), (415,))
    start = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % PORT
    slow = start + b"content-length: 1000\r\n\r\n[["
    found["a head without end"] = (lambda port: _sent(port, start, pause_s=1.0, step=4), (408,))
    found["a body without end"] = (lambda port: _sent(port, slow), (408,))
    found["a head of a megabyte"] = (lambda port: _sent(port, start + b"x: " + b"y" * 2**20), (431, 400))
    found["no HTTP"] = (lambda port: _sent(port, b"\x16\x03\x01\x02\x00\r\n\r\n"), (400,))
    found["a body that is longer than it says"] = (
        lambda port: _sent(port, start + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n" + b"x" * 100),
        (400, 408, 413),
    )
    return found


def _bombs() -> dict[str, tuple[bytes, tuple[int, ...]]]:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    def png(side: int, rows: bytes = b"") -> bytes:
        head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b" " * 10**8))
    return {
        "a picture of 36 million pixels": (png(6_000, b"\0" * (6_001 * 6_000)), (413,)),
        "a picture of 3,600 million pixels": (png(60_000), (413,)),
        "a picture with 100 MB of text": (png(8)[:33] + text + png(8)[33:], (413, 422)),
        "a picture that is cut": (png(100, b"\0" * 10_100)[:60], (422,)),
        "no picture": (b"\x89PNG\r\n\x1a\n", (422,)),
    }


def _pictures(folder: Path) -> Any:
    X = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    gg.MLPClassifier(hidden=(4,), epochs=1, random_state=0).fit(X, np.arange(40) % 2).save(folder / "p.ganglion")
    return ours(folder / "p.ganglion", PICTURES)


def _tasks(folder: Path) -> Any:
    """Serve small models whose answers are masks, labels of words, forecasts, outliers and labels of sequences."""
    rng, options = np.random.default_rng(0), {"epochs": 1, "random_state": 0}
    stack, words = rng.integers(0, 255, (12, 16, 12), dtype=np.uint8), [["a", "b", "a"]] * 20
    days = {"day": [str(np.datetime64("2024-01-01") + i) for i in range(60)], "sold": rng.normal(size=60)}
    models = {
        "masks": gg.SegmentationCNN(depth=1, channels=2, **options).fit(stack, (stack > 128).astype(np.uint8)),
        "words": gg.RNNTagger(width=8, **options).fit(words, [["x", "y", "x"]] * 20),
        "ahead": gg.Forecaster(horizon=3, window=5, steps=3, random_state=0).fit(days),
        "odd": gg.Autoencoder(hidden=(4,), latent=2, **options).fit(rng.normal(size=(60, 3))),
        "long": gg.RNNClassifier(width=4, **options).fit(
            [rng.normal(size=(n % 5 + 2, 2)) for n in range(40)], [0, 1] * 20
        ),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.ganglion")
    first, *others = (folder / f"{name}.ganglion" for name in models)
    return ours(first, TASKS, *map(str, others), "--engine", "torch")  # five exports would take a minute or two


def _schemathesis(folder: Path, port: int, examples: int) -> dict[str, int]:
    """Return how many requests it made, and how many different failures it found."""
    command = [str(python("schemathesis")), "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"]
    command += ["--checks", CHECKS, "--max-examples", str(examples), "--seed", "0"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=1800)
    made = re.search(r"([\d,]+) generated", ran.stdout)
    unique = re.search(r"found (\d+) unique failure", ran.stdout)
    failed = int(unique[1]) if unique else int(ran.returncode != 0)
    return {"requests": int(made[1].replace(",", "")) if made else 0, "failures": failed}


def _claim(
    foreign: list[int], hostile: dict[str, Any], grown: float, found: dict[str, int], alive: bool, pictures: int
) -> Claim:
    wrong = {name: status for name, (status, allowed) in hostile.items() if status not in allowed}
    refused = sum(status == 403 for status in foreign)
    return Claim(
        name="serving_safety",
        data=f"{len(foreign)} foreign Host and Origin headers, {len(hostile)} hostile requests, and "
        f"{found['requests']:,} requests that schemathesis made of the OpenAPI descriptions.",
        settings="`ganglion serve adult.ganglion`, and small models of masks, words, forecasts, outliers and "
        f"sequences, all limits as they come. Schemathesis checks {CHECKS}.",
        reference="promises of ours",
        figures=[
            Figure("foreign Host and Origin: answered by 403", refused, refused, refused, len(foreign)),
            Figure(
                "hostile requests not refused as they should be", len(wrong), 0, len(wrong), 0, lower_is_better=True
            ),
            Figure("resident memory, over that before", grown, grown, grown, RESIDENT, lower_is_better=True),
            Figure("failures found by schemathesis", found["failures"], 0, found["failures"], 0, lower_is_better=True),
            Figure("requests made by schemathesis", found["requests"], 0, found["requests"], 500),
            Figure("served as before afterwards", float(alive), 0, 1, 1),
        ],
        details={
            "statuses": {name: status for name, (status, _) in hostile.items()},
            "wrong": wrong,
            "foreign": foreign,
            "resident_bytes_of_pictures": pictures,
        },
    )


if __name__ == "__main__":
    result = claim()
    for figure in result.figures:
        print(f"{figure.name:60} {figure.value:10.4g} {'held' if figure.held else 'fell short'}")
    print(json.dumps(result.details, indent=1))
