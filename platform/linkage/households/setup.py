"""What the room registers beside the usual files: the work that falls due over time."""

from __future__ import annotations

from flask import Flask

from linkage.households import due_tasks


def init_app(_app: Flask) -> None:
    """Nothing but the import."""


__all__ = ["due_tasks", "init_app"]
