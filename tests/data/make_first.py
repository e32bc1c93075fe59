"""Made the files beside it, at commit 99d144a, where the database still was what migration 0001 makes.

`first.sql.gz` is the whole database of the tests' neighbourhood, as SQLite's own dump; `first_secrets.json` holds
the made-up secrets that it was encrypted under. Kept to show that every later version can bring it up to date. It
was made once and is never made anew:

    git checkout 99d144a && python tests/data/make_first.py
"""

import gzip
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import neighbours  # noqa: E402
import world as street  # noqa: E402
from conftest import make_app  # noqa: E402
from flask_migrate import upgrade  # noqa: E402

from linkage.core.clock import current_clock  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.transactions import unit_of_work  # noqa: E402


def make(folder):
    app = make_app(folder)
    with app.app_context():
        upgrade()
        current_clock().move_to(street.NOW)
        unit_of_work(lambda: street.build(street.NOW))
        unit_of_work(neighbours.build)
        db.session.remove()
        db.engine.dispose()
    with sqlite3.connect(folder / "linkage.db") as database:
        text = "\n".join(database.iterdump()).encode()
    (HERE / "first.sql.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    secrets = json.loads((folder / "secrets.json").read_text())
    (HERE / "first_secrets.json").write_text(json.dumps(secrets, indent=1) + "\n")


if __name__ == "__main__":
    where = Path(tempfile.mkdtemp())
    make(where)
    shutil.rmtree(where)
