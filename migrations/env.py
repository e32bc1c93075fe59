"""Alembic's environment: the application's own engine and metadata."""

from alembic import context
from flask import current_app

from linkage.core.extensions import UtcDateTime, db
from linkage.core.transactions import writing


def render(kind, item, _autogenerate):
    """UtcDateTime by its short name (the script template imports it)."""
    return "UtcDateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


def run():
    with current_app.app_context(), writing(), db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render,
            transaction_per_migration=True,
            compare_type=True,
        )
        # On SQLite a changed table is made anew and the old one dropped, which references to it would refuse.
        sqlite = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
        if sqlite is not None:
            sqlite.execute("PRAGMA foreign_keys=OFF")
        with context.begin_transaction():
            context.run_migrations()
        if sqlite is not None:
            broken = sqlite.execute("PRAGMA foreign_key_check").fetchall()
            sqlite.execute("PRAGMA foreign_keys=ON")
            if broken:
                raise RuntimeError(f"references that lead nowhere after the migration: {sorted(set(broken))[:5]}")


run()
