"""Personal fields: encrypted where they stand, found by blind index, gone when the key is."""

import pytest

from linkage.core import audit, crypto, privacy
from linkage.core.extensions import db
from linkage.households.models import Household
from linkage.people.models import Person


def test_a_telephone_is_read_back_and_found_by_its_index(ctx, world):
    person = db.session.get(Person, world.key("wu"))
    assert person.telephone.startswith("138")
    assert person.telephone.encode() not in person.telephone_sealed
    index = Person.telephone.exact_index("people", "+86 " + person.telephone)
    assert db.session.query(Person).filter_by(telephone_exact=index).one() is person


def test_a_value_moved_to_another_row_does_not_decrypt(ctx, world):
    one, two = (db.session.get(Household, world.key("household/" + name)) for name in ("chen", "lin"))
    two.door_code_sealed, two.key_id = one.door_code_sealed, one.key_id
    with db.session.no_autoflush, pytest.raises(crypto.Damaged):
        assert two.door_code
    db.session.rollback()


def test_an_erased_key_leaves_nothing_to_read(ctx, world, commit, now):
    def erase():
        person = db.session.get(Person, world.key("wu"))
        privacy.forget_key(person.key_id, now)
        audit.record("people.erase", person, by=None, now=now)

    commit(erase)
    assert db.session.get(Person, world.key("wu")).telephone is None


def test_every_sealed_column_belongs_to_a_listed_field():
    listed = {(field.table, field.column) for field in privacy.PERSONAL_FIELDS}
    sealed = {
        (table.name, column.name.removesuffix("_sealed"))
        for table in db.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert sealed and sealed <= listed
