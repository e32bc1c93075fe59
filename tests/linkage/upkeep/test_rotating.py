"""Another master key: everything stays readable at every moment, and the old key is no longer needed at the end."""

import base64
from dataclasses import replace

import pytest
import world as street
from conftest import make_app

from linkage.core import crypto
from linkage.core.config import make_secret
from linkage.core.extensions import db
from linkage.core.transactions import armed
from linkage.households.models import Household
from linkage.upkeep import rotating


@pytest.fixture
def keys(app, monkeypatch):
    """``keys(new, *old)``: the master keys that the process was given."""
    settings = app.config["SETTINGS"]

    def give(new, *old):
        given = replace(settings, secrets={**settings.secrets, "MASTER_KEY": new}, old_master_keys=old)
        monkeypatch.setitem(app.config, "SETTINGS", given)

    give.first = settings.secrets["MASTER_KEY"]
    return give


def door_code():
    db.session.expire_all()
    db.session.info.pop("data_keys", None)
    try:
        return db.session.get(Household, street.key("household/chen")).door_code
    finally:
        db.session.remove()


def test_after_a_rotation_the_new_key_reads_all_and_the_old_one_nothing(ctx, keys):
    new = make_secret()
    keys(new, keys.first)
    assert door_code() == "4711"  # before the first batch: both are at hand
    assert rotating.rotate(street.NOW) > 20 and rotating.left() == {}
    keys(new)
    assert door_code() == "4711"
    keys(keys.first)
    with pytest.raises(crypto.MissingMasterKey, match=crypto.id_of_master(base64.b64decode(new)[:32])):
        door_code()


def test_a_rotation_that_is_cut_off_goes_on_where_it_was(ctx, keys, monkeypatch):
    def cut():
        raise KeyboardInterrupt

    monkeypatch.setattr(rotating, "BATCH", 7)
    new = make_secret()
    keys(new, keys.first)
    total = sum(rotating.left().values())
    with armed("rotation.batch", cut), pytest.raises(KeyboardInterrupt):
        rotating.rotate(street.NOW)
    assert sum(rotating.left().values()) == total - 7 and door_code() == "4711"
    assert rotating.rotate(street.NOW) == total - 7


def test_without_the_old_key_it_is_refused_by_name_and_nothing_is_lost(ctx, keys):
    old_id = crypto.master_id()
    keys(make_secret())
    with pytest.raises(crypto.MissingMasterKey, match=old_id):
        rotating.rotate(street.NOW)
    keys(keys.first)
    assert door_code() == "4711"


def test_the_command_names_the_backups_that_still_need_the_old_key(app, keys, tmp_path):
    (app.config["SETTINGS"].backup_dir).mkdir(exist_ok=True)
    made = app.test_cli_runner().invoke(args=["backup"])
    name = made.output.split(":")[0].split("/")[-1]
    keys(make_secret(), keys.first)
    done = app.test_cli_runner().invoke(args=["rotate-master-key"])
    assert done.exit_code == 0 and f"the old key is still needed to read the backup {name}" in done.output


def test_old_keys_come_from_the_environment(tmp_path):
    first, second = make_secret(), make_secret()
    app = make_app(tmp_path, LINKAGE_OLD_MASTER_KEYS=f"{first},{second}")
    with app.app_context():
        assert len(crypto.master_keys()) == 3
