"""What the desk hangs into the application: the frame of every page, and its parts of a household's page."""

from __future__ import annotations

from flask import Flask

from linkage.desk import finding, history, navigation


def init_app(app: Flask) -> None:
    app.context_processor(navigation.values)
    app.jinja_env.globals.update(may_find_somebody=finding.may_find_for)


__all__ = ["history", "init_app"]
