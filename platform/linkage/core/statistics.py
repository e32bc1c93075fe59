"""What the database knows about its tables: without it SQLite takes the wrong index for a whole city's lists."""

from __future__ import annotations

from linkage.core.extensions import db

ROWS_LOOKED_AT = 1_000  # of each index: a fraction of a second, whatever the size


def refresh_statistics() -> None:
    """Let SQLite look at its indexes again; PostgreSQL does so by itself. For use inside a unit of work."""
    if db.engine.dialect.name == "sqlite":
        connection = db.session.connection()
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        connection.exec_driver_sql("ANALYZE")
