"""An installation of its own for each test, migrated and with the street in it, and put back from a copy."""

import shutil

import pytest
import world as street
from conftest import make_app
from flask_migrate import upgrade

from linkage.core.clock import current_clock
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work


@pytest.fixture(scope="session")
def migrated_street(tmp_path_factory):
    """A data folder with the street in a database that the migrations made."""
    folder = tmp_path_factory.mktemp("migrated")
    app = make_app(folder)
    with app.app_context():
        upgrade()
        unit_of_work(lambda: street.build(street.NOW))
        db.session.remove()
        db.engine.dispose()
    return folder


@pytest.fixture
def installation(migrated_street, tmp_path):
    """An application on a copy of that folder; its clock stands at the street's now."""
    folder = tmp_path / "data"
    shutil.copytree(migrated_street, folder)
    app = make_app(folder)
    with app.app_context():
        current_clock().move_to(street.NOW)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
