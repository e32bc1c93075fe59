"""The web server: waitress, set up so that slow clients cannot stop it and a stop cuts nobody off.

waitress takes one of its threads only when a whole request is there: hundreds of slow bodies leave pages
and the database pool alone. Its own way to stop drops requests in flight; `serve` finishes them first.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

if TYPE_CHECKING:
    from flask import Flask

THREADS = 8
CONNECTION_LIMIT = 1000
IDLE_SECONDS = 60
DRAIN_SECONDS = 20
HEADER_BYTES = 64 * 1024
# Just above MAX_CONTENT_LENGTH: Flask's own page answers first, waitress only ends what is absurd.
BODY_MARGIN_BYTES = 64 * 1024

PROXY_HEADERS = "x-forwarded-for x-forwarded-proto x-forwarded-host"


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes a free one.

    Raises
    ------
    OSError
        the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def make_server(app: Flask, listener: socket.socket) -> Any:
    """Return a waitress server for `app` on `listener`, not yet running.

    Forwarded headers are believed only from the proxy that the settings name; anyone else's are removed.
    """
    proxy = app.config["SETTINGS"].trusted_proxy
    return create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        connection_limit=CONNECTION_LIMIT,
        asyncore_use_poll=True,
        channel_timeout=IDLE_SECONDS,
        max_request_header_size=HEADER_BYTES,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + BODY_MARGIN_BYTES,
        clear_untrusted_proxy_headers=True,
        ident="",
        **({"trusted_proxy": proxy, "trusted_proxy_headers": PROXY_HEADERS} if proxy else {}),
    )


def _busy(server: Any) -> bool:
    """Whether a whole request is being answered or an answer is still being sent."""
    channels = list(server.active_channels.values())
    return any(channel.requests or channel.total_outbufs_len for channel in channels)


def _turn(server: Any, seconds: float) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=server._map, count=1)


def run_until(server: Any, stopping: threading.Event, drain_seconds: float = DRAIN_SECONDS) -> None:
    """Serve until `stopping` is set; then take no more connections and finish what was begun.

    Requests of which only a part has arrived are not waited for, nor is anything after `drain_seconds`.
    """
    while not stopping.is_set():
        _turn(server, 1.0)
    _turn(server, 0)  # what stood in the queue of connections is taken in
    wasyncore.dispatcher.close(server)
    deadline = time.monotonic() + drain_seconds
    while _busy(server) and time.monotonic() < deadline:
        _turn(server, 0.1)
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)


def serve(app: Flask, host: str, port: int) -> None:
    """Serve `app` until SIGTERM or Ctrl-C."""
    server = make_server(app, listen(host, port))
    stopping = threading.Event()

    def stop(signum: int, frame: object) -> None:
        stopping.set()
        server.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run_until(server, stopping)
