"""Static files carry their version in the address and are cached for a year; a change gives a new address."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Flask

YEAR_SECONDS = 365 * 24 * 3600


class Versions:
    """Short content hashes of the files below a folder, computed again only when a file changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, tuple[int, int, str]] = {}

    def of(self, name: str) -> str | None:
        """The version of a file, or None when there is none of that name."""
        try:
            stat = (self.folder / name).stat()
        except OSError:
            return None
        known = self._known.get(name)
        if known is None or known[:2] != (stat.st_mtime_ns, stat.st_size):
            digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()[:10]
            known = self._known[name] = (stat.st_mtime_ns, stat.st_size, digest)
        return known[2]


def init_app(app: Flask) -> None:
    """Let `url_for("static", …)` add the version."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR_SECONDS
    versions = Versions(Path(str(app.static_folder)))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values and (version := versions.of(values.get("filename", ""))):
            values["v"] = version
