"""Issue 4's database, with its data, brought up to date on both databases, never back (tests/data/make_first.py)."""

import gzip
import json
import sqlite3
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
import world as street
from conftest import make_app
from flask_migrate import downgrade, upgrade
from sqlalchemy import JSON, Boolean, Date, DateTime, LargeBinary, MetaData, Uuid, func, select

from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.transactions import writing
from linkage.households.models import Household
from linkage.people.models import Person
from linkage.visits.models import Visit

DATA = Path(__file__).parents[1] / "data"
SECRETS = {f"LINKAGE_{name}": value for name, value in json.loads((DATA / "first_secrets.json").read_text()).items()}
ROWS_CHANGED_BY_MIGRATION = {"alembic_version"}


@pytest.fixture
def first(tmp_path):
    """The old database as SQLite's file."""
    path = tmp_path / "linkage.db"
    with sqlite3.connect(path) as database:
        database.executescript(gzip.decompress((DATA / "first.sql.gz").read_bytes()).decode())
    database.close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_app(request, first, tmp_path):
    """An application of today on that database."""
    if request.param == "sqlite":
        return make_app(tmp_path, **SECRETS)
    url = request.getfixturevalue("empty_postgres")
    app = make_app(tmp_path / "postgres", **SECRETS, LINKAGE_DATABASE_URL=url)
    with app.app_context():
        upgrade(revision="0001")
        with writing(), db.engine.begin() as connection:
            _carry_over(first, connection)
        db.engine.dispose()
    return app


def _carry_over(source, connection):
    """Every row of the SQLite file into the same tables on PostgreSQL."""
    then = MetaData()
    then.reflect(connection)
    with sqlite3.connect(source) as rows:
        rows.row_factory = sqlite3.Row
        for table in then.sorted_tables:
            if table.name == "alembic_version":
                continue
            found = [_read(table, row) for row in rows.execute(f'SELECT * FROM "{table.name}"')]
            if table.name == "areas":
                found.sort(key=lambda row: row["path"])
            for row in found:
                connection.execute(table.insert().values(row))


def _read(table, row):
    return {name: _value(table.columns[name].type, row[name]) for name in row.keys()}  # noqa: SIM118


def _value(kind, value):
    if value is None or isinstance(kind, LargeBinary):
        return value
    if isinstance(kind, Uuid):
        return uuid.UUID(value)
    if isinstance(kind, JSON):
        return json.loads(value)
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(kind, Date):
        return datetime.fromisoformat(value).date()
    return bool(value) if isinstance(kind, Boolean) else value


def counts(path):
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def test_the_first_database_comes_up_to_date_with_all_its_rows(old_app, first):
    before = counts(first)
    assert before["people"] == 26 and before["visits"] == 6
    with old_app.app_context():
        upgrade()
        tables = db.metadata.tables
        after = {
            name: db.session.scalar(select(func.count()).select_from(tables[name])) for name in before if name in tables
        }
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
        assert set(before) - set(tables) <= ROWS_CHANGED_BY_MIGRATION
        db.session.remove()
        db.engine.dispose()


def test_what_was_sealed_then_is_read_today(old_app):
    with old_app.app_context():
        upgrade()
        home = db.session.get(Household, street.key("household/chen"))
        assert (home.door_code, home.health, home.place.address) == ("4711", "高血压", "香莲里27号502室")
        assert home.place.position == [24.4895, 118.1205]
        telephones = [person.telephone for person in db.session.scalars(select(Person))]
        assert len(telephones) == 26 and all(len(number) == 11 for number in telephones if number)
        assert {visit.address for visit in db.session.scalars(select(Visit))} & {home.place.address}
        index = Person.telephone.exact_index("people", db.session.get(Person, street.key("wu")).telephone)
        assert db.session.scalars(select(Person.id).where(Person.telephone_exact == index)).one() == street.key("wu")
        assert audit.broken_at(db.session()) is None
        db.session.remove()
        db.engine.dispose()


def test_a_database_is_never_migrated_back(old_app, caplog):
    """Refused by name, with exit code 1, and nothing is changed by the attempt."""
    with old_app.app_context():
        upgrade()
        with pytest.raises(SystemExit) as ended:
            downgrade(revision="base")
        assert ended.value.code == 1
        assert "a database is never migrated back: restore the backup from before the upgrade" in caplog.text
        assert db.session.scalar(select(func.count()).select_from(Person)) == 26
        db.session.remove()
        db.engine.dispose()
