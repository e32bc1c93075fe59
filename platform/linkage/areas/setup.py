"""What map pages read of the installation."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    app.jinja_env.globals["tiles"] = lambda: app.config["SETTINGS"].tiles
