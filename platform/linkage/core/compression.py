"""Text is compressed on its way: a page of 60 kB takes a slow office line half a second less.

BREACH: who can make a browser ask for pages with words of his choice in them, and sees how long the answers are, could
guess what else stands there (a form's token, a telephone). So an answer to what another site asked for is never
compressed (every browser of today says so itself, `Sec-Fetch-Site`; the session's cookie does not go along either:
`SameSite=Lax`), and each compressed page is lengthened by a random number of bytes ("Heal the BREACH", as Django does).
"""

from __future__ import annotations

import secrets
import zlib

from flask import Flask, Response, request

LEAST_BYTES = 1000  # below it, an answer fits into one packet anyway
LEVEL = 6
MOST_PADDING = 100
TEXTS = {"text/html", "text/css", "text/javascript", "text/csv", "text/plain", "application/javascript",
         "application/json", "application/problem+json", "application/geo+json", "image/svg+xml"}  # fmt: skip
OWN_SITES = ("", "same-origin", "same-site", "none")
GZIP_HEADER = b"\x1f\x8b\x08%c\x00\x00\x00\x00\x00\xff"  # magic, deflate, flags, no time, unknown system
HAS_NAME = 8
_static: dict[tuple[str, str], bytes] = {}  # (path, etag) → compressed; all our text files are a few hundred kB


def packed(content: bytes, padding: int = 0) -> bytes:
    """`content` as gzip; `padding` zeros more or less of a file's name make its length tell nothing (RFC 1952)."""
    body = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    name = b"p" * padding + b"\x00" if padding else b""
    head = GZIP_HEADER % (HAS_NAME if padding else 0) + name
    tail = zlib.crc32(content).to_bytes(4, "little") + (len(content) % 2**32).to_bytes(4, "little")
    return head + body.compress(content) + body.flush() + tail


def compress(response: Response) -> Response:
    """Compress an answer of text, where the browser can and may have it so."""
    if response.mimetype not in TEXTS or response.status_code in (204, 206, 304) or request.method == "HEAD":
        return response
    response.vary.add("Accept-Encoding")
    wanted = request.accept_encodings["gzip"] > 0 and "Content-Encoding" not in response.headers
    if not wanted or request.headers.get("Sec-Fetch-Site", "") not in OWN_SITES:
        return response
    static = request.endpoint == "static"
    if not static and response.is_streamed:
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) >= LEAST_BYTES:
        response.set_data(_once(response, content) if static else packed(content, 1 + secrets.randbelow(MOST_PADDING)))
        response.headers["Content-Encoding"] = "gzip"
        etag, _weak = response.get_etag()
        if etag:
            response.set_etag(etag, weak=True)  # the same file, other bytes
    return response


def _once(response: Response, content: bytes) -> bytes:
    """A file of ours is compressed the first time it is asked for."""
    key = request.path, response.get_etag()[0] or ""
    if key not in _static:
        _static[key] = packed(content)
    return _static[key]


def init_app(app: Flask) -> None:
    """Register first: it is called last, when the answer is whole."""
    app.after_request(compress)
