"""A routing server on this machine that speaks OSRM's table format."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

SECONDS = 61.0  # per hundredth of a degree of longitude; eastward only half of it


class Osrm(BaseHTTPRequestHandler):
    """OSRM's /table/v1 over a world in which it is dearer to go west, and nobody crosses latitude 25."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        *_, profile, places = address.path.split("/")
        points = [tuple(map(float, p.split(","))) for p in places.split(";")]
        asked = parse_qs(address.query)
        if self.server.broken or profile not in ("foot", "bike") or len(points) > 100:  # type: ignore[attr-defined]
            return self._say(400 if not self.server.broken else 500, {"code": "InvalidQuery"})  # type: ignore[attr-defined]
        rows, columns = ([int(i) for i in asked[key][0].split(";")] for key in ("sources", "destinations"))
        self.server.requests += 1  # type: ignore[attr-defined]
        table = [[seconds(points[i], points[j]) for j in columns] for i in rows]
        return self._say(200, {"code": "Ok", "durations": table})

    def _say(self, status: int, body: dict) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Silent."""


def seconds(a, b):
    if (a[1] > 25) != (b[1] > 25):
        return None
    east = (b[0] - a[0]) * 100
    return SECONDS * (east / 2 if east > 0 else -east)


@contextmanager
def osrm() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Osrm)
    server.requests, server.broken = 0, False  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def address(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"
