"""Filters that pages use for what people are known by."""

from __future__ import annotations

from flask import Flask

from linkage.people.identity import show_telephone


def init_app(app: Flask) -> None:
    app.jinja_env.filters["telephone"] = show_telephone
