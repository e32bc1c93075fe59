"""/healthz: the process answers. /readyz: the database answers and is migrated. Nothing else is told."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from linkage.core.extensions import db
from linkage.core.web import PUBLIC, Room

room = Room("health", __name__)


@room.get("/healthz", permission=PUBLIC)
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@room.get("/readyz", permission=PUBLIC)
def readyz() -> ResponseReturnValue:
    """503 while the database does not answer or a migration is missing."""
    try:
        connection = db.session.connection()
        connection.execute(text("SELECT 1"))
        current = set(MigrationContext.configure(connection).get_current_heads())
    except Exception:  # whatever the reason: not ready
        return jsonify(status="database"), 503
    return (jsonify(status="ready"), 200) if current == heads() else (jsonify(status="migrate"), 503)


def heads() -> set[str]:
    """The newest migration(s) that the code knows."""

    return set(ScriptDirectory(current_app.extensions["migrate"].directory).get_heads())


def init_app(app: Flask) -> None:
    app.register_blueprint(room)
