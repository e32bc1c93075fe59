"""One migration head, and the migrations make exactly what the models say, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from conftest import make_app
from flask_migrate import upgrade

from linkage.core.extensions import db


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_app(request, tmp_path):
    """An application on a database with nothing in it."""
    if request.param == "sqlite":
        return make_app(tmp_path)
    return make_app(tmp_path, LINKAGE_DATABASE_URL=request.getfixturevalue("empty_postgres"))


def test_there_is_one_head(empty_app):
    assert len(ScriptDirectory(empty_app.extensions["migrate"].directory).get_heads()) == 1


def test_the_migrations_make_what_the_models_say(empty_app):
    with empty_app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
        db.engine.dispose()


def test_migrating_what_is_migrated_changes_nothing(empty_app):
    with empty_app.app_context():
        upgrade()
        upgrade()
        with db.engine.connect() as connection:
            assert len(MigrationContext.configure(connection).get_current_heads()) == 1
        db.engine.dispose()
