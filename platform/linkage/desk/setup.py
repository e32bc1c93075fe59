"""What the desk hangs into the application: the frame of every page."""

from __future__ import annotations

from flask import Flask

from linkage.desk import navigation


def init_app(app: Flask) -> None:
    app.context_processor(navigation.values)
