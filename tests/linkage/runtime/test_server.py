"""The web server under slow clients, oversized bodies, forged headers and a stop amid an answer."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask, request

from linkage.server import listen, make_server, run_until


@dataclass
class Settings:
    trusted_proxy: str = ""


@dataclass
class Running:
    """A server in a thread."""

    port: int
    stopping: threading.Event
    thread: threading.Thread
    entered: threading.Event = field(default_factory=threading.Event)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def small_app(trusted_proxy: str, entered: threading.Event) -> Flask:
    app = Flask("small")
    app.config["SETTINGS"] = Settings(trusted_proxy)
    app.config["MAX_CONTENT_LENGTH"] = 100_000

    @app.get("/slow")
    def slow() -> str:
        entered.set()
        time.sleep(1.0)
        return "x" * 2_000_000

    @app.get("/who")
    def who() -> str:
        return f"{request.remote_addr} {request.scheme}"

    @app.post("/size")
    def size() -> str:
        return str(len(request.get_data()))

    return app


def start(trusted_proxy: str = "") -> Running:
    entered = threading.Event()
    server = make_server(small_app(trusted_proxy, entered), listen("127.0.0.1", 0))
    stopping = threading.Event()
    thread = threading.Thread(target=run_until, args=(server, stopping, 10), daemon=True)
    thread.start()
    return Running(server.effective_port, stopping, thread, entered)


@pytest.fixture
def server() -> Iterator[Running]:
    running = start()
    yield running
    running.stopping.set()
    running.thread.join(15)


def test_a_stop_lets_the_answer_in_flight_arrive_whole(server):
    got = []
    client = threading.Thread(target=lambda: got.append(server.get("/slow")))
    client.start()
    assert server.entered.wait(5)
    server.stopping.set()
    client.join(10)
    status, body = got[0]
    assert (status, len(body)) == (200, 2_000_000)


def test_after_a_stop_no_new_connection_is_taken(server):
    server.stopping.set()
    server.thread.join(10)
    with pytest.raises(OSError):
        server.get("/who")


def test_a_stop_does_not_wait_for_half_a_request(server):
    with socket.create_connection(("127.0.0.1", server.port)) as half:
        half.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        time.sleep(0.2)
        before = time.monotonic()
        server.stopping.set()
        server.thread.join(10)
        assert time.monotonic() - before < 5


def test_200_slow_bodies_leave_pages_alone(server):
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for client in slow:
        client.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
    before = time.monotonic()
    assert server.get("/who")[0] == 200
    assert time.monotonic() - before < 2
    for client in slow:
        client.close()


def is_refused(port: int, body: bytes, chunked: bool) -> bool:
    """True when the server answers 413, or hangs up on us while we still send."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/size", body=iter([body]) if chunked else body)
        return connection.getresponse().status == 413
    except ConnectionError:
        return True


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_and_never_cut_short(server, chunked):
    assert is_refused(server.port, b"x" * 500_000, chunked)
    assert not is_refused(server.port, b"x" * 50_000, chunked)


def test_forwarded_headers_of_a_stranger_are_not_believed(server):
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    assert server.get("/who", headers)[1] == "127.0.0.1 http"


def test_forwarded_headers_of_the_named_proxy_are_believed():
    running = start(trusted_proxy="127.0.0.1")
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "office"}
    assert running.get("/who", headers)[1] == "192.0.2.7 https"
    running.stopping.set()
    running.thread.join(10)
