"""One migration head, and the migrations make exactly what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from conftest import make_app
from flask_migrate import upgrade

from linkage.core.extensions import db


def test_there_is_one_head_and_it_matches_the_models(tmp_path):
    app = make_app(tmp_path)
    with app.app_context():
        assert len(ScriptDirectory(app.extensions["migrate"].directory).get_heads()) == 1
        upgrade()
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
