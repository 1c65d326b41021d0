"""A real process: it listens, holds slow clients off, and ends without losing what it has begun."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

import ganglion as gg

X = np.random.default_rng(0).normal(size=(60, 2))
BODY = b"[[1.0, 2.0]]"  # 12 bytes
SERVER = """
import logging, sys
from ganglion.deployment.serving.server import serve
from ganglion.deployment.serving.settings import Limits
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
serve(sys.argv[1], port=0, watch_s=0.05, engine='torch', limits=Limits(head_s=0.5, body_s=0.5, head_bytes=4096))
"""


class Running:
    """A server in a process of its own."""

    def __init__(self, path):
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", line)[1])

    def ask(self, path="/predict", body=BODY):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def head(self, length=12):
        return b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: %d\r\n\r\n" % (self.port, length)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "m.ganglion"
    gg.MLPRegressor(hidden=(2,), epochs=1, random_state=0).fit(X, X.sum(axis=1)).save(path)
    return path


@pytest.fixture(scope="module")
def running(path):
    server = Running(path)
    yield server
    server.stop()


def received(connection):
    """Return all that a connection gives until it is closed."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_it_answers(running, path):
    expected = gg.load(path).predict([[1.0, 2.0]]).tolist()
    assert running.ask()["predictions"] == pytest.approx(expected)
    with pytest.raises(urllib.error.HTTPError) as caught:
        running.ask(body=b"[NaN]")
    assert caught.value.code == 422
    caught.value.close()


def test_it_listens_on_this_machine_only(running):
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True).stdout
    if f":{running.port:04X} " in listening:
        assert f"0100007F:{running.port:04X}" in listening
        assert f"00000000:{running.port:04X}" not in listening


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], b"408"),
        ([b"POST /predict HTTP/1.1\r\nhost: 127"], b"408"),
        ([b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 200], b"408"),
        ([b"GET / HTTP/1.1\r\nx: " + b"y" * 8000], b"431"),
        (["head", b"[[1.0"], b"408"),
        ([b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"], b"400"),
    ],
)
def test_slow_and_strange_clients_are_let_go(running, parts, status):
    start = time.monotonic()
    with running.connect() as connection:
        for part in parts:
            try:
                connection.sendall(running.head() if part == "head" else part)
            except OSError:
                break
            time.sleep(0.005 if len(parts) > 10 else 0)
        assert received(connection).split(b" ")[1] == status
    assert time.monotonic() - start < 10
    assert running.ask()["model"] == "m"


def test_a_body_that_is_too_large_hears_so(running):
    with running.connect() as connection:
        connection.sendall(running.head(20_000_000))
        for _ in range(200):
            connection.sendall(b" " * 100_000)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_body_in_parts_is_whole_or_refused(running):
    start = running.head().replace(b"content-length: 12", b"transfer-encoding: chunked")
    with running.connect() as connection:
        connection.sendall(start + b"6\r\n[[1.0,\r\n")
        time.sleep(0.05)
        connection.sendall(b"6\r\n 2.0]]\r\n0\r\n\r\n")
        assert json.loads(one_answer(connection)[1]) == running.ask()
    with running.connect() as connection:
        connection.sendall(start)
        for _ in range(200):
            connection.sendall(b"186a0\r\n" + b" " * 100_000 + b"\r\n")
        assert one_answer(connection)[0].startswith(b"HTTP/1.1 413")


def one_answer(connection):
    """Return head and body of the next answer, and leave the connection open."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def test_answers_come_in_the_order_of_the_requests(running):
    with running.connect() as connection:
        wrong = running.head(5) + b"[NaN]"
        get = b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
        last = get.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        connection.sendall((running.head() + BODY + wrong + get) * 40 + last)
        said = received(connection)
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", said)
    assert statuses == [b"200", b"422", b"200"] * 40 + [b"200"]
    assert said.count(b"x-content-type-options: nosniff") == 121
    assert said.count(b"connection: close") == 1


@pytest.mark.parametrize(
    ("request_", "status", "is_kept"),
    [
        (b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 200, True),
        (b"HEAD /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 200, True),
        (b"GET http://localhost/he%61lth?x=1 HTTP/1.1\r\nhost: localhost\r\n\r\n", 200, True),
        (b"GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, True),
        (b"GET /%ff%00 HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, True),
        (b"GET /health HTTP/1.0\r\nhost: localhost\r\n\r\n", 200, False),
        (b"GET /health HTTP/1.1\r\nhost: evil.com\r\n\r\n", 403, True),
        (b"POST /predict HTTP/1.1\r\nhost: evil.com\r\ncontent-length: 9\r\n\r\n", 403, False),
        (b"GET /health HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nx", 200, False),
        (b"CONNECT evil.com:80 HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, False),
        (b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400, False),
        (
            b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            400,
            False,
        ),
    ],
)
def test_requests_of_every_form(running, request_, status, is_kept):
    with running.connect() as connection:
        connection.sendall(request_)
        said = connection.recv(65536)
        assert said.startswith(b"HTTP/1.1 %d " % status)
        assert (b"connection: close" in said) != is_kept
        if request_.startswith(b"HEAD"):
            assert said.endswith(b"\r\n\r\n")
        if is_kept:
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert one_answer(connection)[1] == b'{"live":true}'
        elif b"content-length: 9" not in request_:
            assert connection.recv(65536) == b""


def test_who_asks_before_sending_is_told(running):
    with running.connect() as connection:
        connection.sendall(running.head().replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert one_answer(connection)[0].startswith(b"HTTP/1.1 200")
        connection.sendall(running.head(10**9).replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n"))
        assert received(connection).startswith(b"HTTP/1.1 413")


def test_a_changed_file_is_served_without_a_request_being_lost(running, path):
    models = [
        gg.MLPRegressor(hidden=(2,), epochs=1, random_state=i).fit(X, X.sum(axis=1) * 9 * (1 + i)) for i in (0, 1)
    ]
    known = {round(float(model.predict([[1.0, 2.0]])[0]), 5) for model in models}
    models[0].save(path)
    time.sleep(0.5)
    seen, stop = [], threading.Event()

    def client():
        while not stop.is_set():
            seen.append(round(running.ask()["predictions"][0], 5))

    clients = [threading.Thread(target=client) for _ in range(3)]
    for each in clients:
        each.start()
    for i in range(1, 5):
        time.sleep(0.3)
        models[i % 2].save(path)
    time.sleep(0.5)
    stop.set()
    for each in clients:
        each.join(20)
    (health,) = running.ask("/health", None)["models"]
    assert set(seen) == known
    assert len(known) == 2
    assert health["reloads"] >= 3


def test_told_to_stop_it_answers_what_has_begun(running):  # the last: it ends the process
    assert running.ask()["model"] == "m"
    with running.connect() as open_one, running.connect() as half:
        half.sendall(running.head() + BODY[:3])
        time.sleep(0.2)
        os.kill(running.process.pid, signal.SIGTERM)
        time.sleep(0.15)
        open_one.sendall(running.head() + BODY)  # a connection that was open may ask a last time
        half.sendall(BODY[3:])
        for connection in (open_one, half):
            answer = received(connection)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            assert b"connection: close" in answer
    with pytest.raises(OSError):
        running.connect()
    assert running.process.wait(20) == 0
