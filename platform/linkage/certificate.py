"""The page where a phone fetches the office's root certificate (with `flask --app app https`).

It is the one page that is served over plain http as well: whoever fetches it compares the fingerprint with the
one that the command printed on the office's own screen.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from linkage.core.config import Settings
from linkage.core.errors import NotFound
from linkage.core.web import PUBLIC, Room
from linkage.https import fingerprint, root_certificate

room = Room("certificate", __name__, url_prefix="/certificate")


@room.get("", permission=PUBLIC)
def page() -> ResponseReturnValue:
    """How to trust this office, step by step."""
    return render_template("certificate.html", fingerprint=fingerprint(_root()), secure_url=_settings().base_url)


@room.get("/linkage-root.crt", permission=PUBLIC)
def file() -> ResponseReturnValue:
    """The certificate itself; phones offer to install this type of file."""
    return Response(_root().read_bytes(), mimetype="application/x-x509-ca-cert")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _root() -> Path:
    path = root_certificate(_settings().data_dir)
    if not path.exists():
        raise NotFound("")
    return path


def init_app(app: Flask) -> None:
    app.register_blueprint(room)
