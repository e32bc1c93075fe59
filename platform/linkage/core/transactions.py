"""The edge commits, operations never do.

`unit_of_work` is the one place that commits: return commits, raise rolls back, and a deadlock, a serialisation
failure or SQLite's busy answer runs the whole of it again. What may write opens ``BEGIN IMMEDIATE`` on SQLite
(a plain BEGIN that reads and then writes fails there at once, whatever the busy timeout). Outside of
`unit_of_work` everything is read-only: SQLite begins without the write lock, and a flush that writes raises.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from linkage.core import audit
from linkage.core.errors import Unavailable
from linkage.core.extensions import db
from linkage.core.privacy import drop_keys

T = TypeVar("T")
ATTEMPTS = 6
BUSY_MILLISECONDS = 20_000
_writing: ContextVar[bool] = ContextVar("writing", default=False)
_failpoints: dict[str, Callable[[], None]] = {}


class WroteWhileReading(Exception):
    """A safe request (GET) tried to change something."""


@contextmanager
def writing() -> Iterator[None]:
    """Transactions that begin inside may write; only `unit_of_work` and test fixtures need it."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def unit_of_work(work: Callable[[], T], *, accept: Callable[[T], bool] = lambda _: True) -> T:
    """Run `work` in one transaction, again when the database asks for it; commit if `accept(result)`.

    Raises
    ------
    Unavailable
        the database was still busy after several attempts; nothing was changed.
    """
    db.session.rollback()  # a read snapshot that is still open cannot be turned into a write on SQLite
    for attempt in range(ATTEMPTS):
        try:
            with writing():
                result = work()
                if accept(result):
                    db.session.commit()
                else:
                    db.session.rollback()
            return result
        except (OperationalError, IntegrityError) as error:
            db.session.rollback()
            if not is_transient(error):
                raise
            if attempt + 1 == ATTEMPTS:
                raise Unavailable("busy") from error
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311
        except BaseException:
            db.session.rollback()
            raise
        finally:
            drop_keys(db.session())
    raise AssertionError("unreachable")


@contextmanager
def savepoint() -> Iterator[None]:
    """A part of the transaction that may fail alone: a DomainError inside undoes the part and goes on up.

    The audit rows that the part had noted are dropped with it.
    """
    noted: list[Any] = db.session().info.setdefault("audit", [])
    before = len(noted)
    part = db.session.begin_nested()
    try:
        yield
        part.commit()
    except BaseException:
        part.rollback()
        del noted[before:]
        raise


def is_transient(error: Exception) -> bool:
    """Deadlock, serialisation failure, lost race for a unique key, or SQLite's lock: worth running again.

    A unique violation is transient only where the request, run again, will read the winner's row and say so;
    operations that insert guarded rows rely on it.
    """
    cause = getattr(error, "orig", None)
    state = getattr(cause, "sqlstate", None)
    if state in {"40001", "40P01", "55P03", "23505"}:
        return True
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    return isinstance(cause, sqlite3.IntegrityError) and "UNIQUE" in str(cause)


def failpoint(name: str) -> None:
    """A named place where a crash drill may strike; does nothing unless a test armed it."""
    strike = _failpoints.get(name)
    if strike is not None:
        strike()


@contextmanager
def armed(name: str, strike: Callable[[], None]) -> Iterator[None]:
    """Arm a fail point in this process (tests)."""
    _failpoints[name] = strike
    try:
        yield
    finally:
        _failpoints.pop(name, None)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # SQLAlchemy's begin event opens the transaction, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MILLISECONDS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def _refuse_writes(session: Session, _context: Any, _instances: Any) -> None:
    if not _writing.get() and (session.new or session.deleted or any(map(session.is_modified, session.dirty))):
        rows = {type(row).__name__ for row in (*session.new, *session.dirty, *session.deleted)}
        raise WroteWhileReading(", ".join(sorted(rows)))


def init_app(_app: Flask) -> None:
    for target, name, hook in (
        (Engine, "connect", _prepare_sqlite),
        (Engine, "begin", _begin),
        (Session, "before_flush", _refuse_writes),
    ):
        if not event.contains(target, name, hook):
            event.listen(target, name, hook)
    audit.init_app()
