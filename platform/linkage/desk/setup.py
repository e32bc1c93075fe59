"""What the desk hangs into the application: the frame of every page, and its parts of a household's page."""

from __future__ import annotations

from flask import Flask

from linkage.desk import history, navigation


def init_app(app: Flask) -> None:
    app.context_processor(navigation.values)


__all__ = ["history", "init_app"]
