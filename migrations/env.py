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
        with context.begin_transaction():
            context.run_migrations()


run()
