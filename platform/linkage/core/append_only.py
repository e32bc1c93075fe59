"""Tables whose rows are never changed and never deleted: refused by the database itself, by triggers.

`append_only(table)` beside the model makes the triggers whenever the table is made, by `create_all` or by a
migration (Alembic announces its tables too). A later batch migration that rebuilds the table must make them anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, event

_tables: set[str] = set()
SQLITE = """CREATE TRIGGER {table}_no_{deed} BEFORE {deed} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
POSTGRES_FUNCTION = """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"""
POSTGRES = """CREATE TRIGGER {table}_no_{deed} BEFORE {deed} ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_change()"""


def append_only(table: str) -> None:
    """Rows of `table` may only be inserted."""
    _tables.add(table)


def append_only_tables() -> set[str]:
    return set(_tables)


def _guard(table: Table, connection: Connection | None, **_kwargs: Any) -> None:
    if connection is None or table.name not in _tables:
        return
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.exec_driver_sql(POSTGRES_FUNCTION.replace("%", "%%"))
    for deed in ("UPDATE", "DELETE"):
        connection.exec_driver_sql((SQLITE if sqlite else POSTGRES).format(table=table.name, deed=deed))


event.listen(Table, "after_create", _guard)
