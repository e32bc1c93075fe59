"""Several communities at once: one person lives in one household, one editor wins; on SQLite and PostgreSQL."""

import threading

import pytest
from sqlalchemy import func, select

from linkage.areas.models import Area
from linkage.core.errors import DomainError, StaleVersion
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households import operations
from linkage.households.drafts import HouseholdDraft, MemberDraft, PlaceDraft
from linkage.households.models import Household, Member
from linkage.people.operations import PersonDraft

CLIENTS = 32


@pytest.fixture
def race(any_app):
    """``race(work)``: `work(n)` in 32 threads at once, each in its own transaction; what each ended with."""

    def run(work):
        gate, ends = threading.Barrier(CLIENTS), [None] * CLIENTS

        def client(number):
            with any_app.app_context():
                gate.wait()
                try:
                    unit_of_work(lambda: work(number))
                    ends[number] = "won"
                except Exception as error:  # each end is looked at by the test
                    ends[number] = error
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends

    return run


def register(world, now, person, number=None):
    place = PlaceDraft(db.session.get(Area, 4), "香莲里31号204室")
    draft = HouseholdDraft(place, (person,), number=number)
    return operations.register_household(draft, by=world.actor("clerk"), now=now)


def test_one_person_is_registered_in_one_household(any_app, race, world, now):
    person = MemberDraft(PersonDraft("郑桂花", id_number="350203194510120028"))
    ends = race(lambda _number: register(world, now, person))
    assert ends.count("won") == 1
    assert all(isinstance(end, DomainError) for end in ends if end != "won")


def test_a_known_person_joins_one_household_of_many(any_app, race, world, now):
    ends = race(lambda _number: register(world, now, MemberDraft(PersonDraft(""), person_id=world.key("zhuang"))))
    assert ends.count("won") == 1
    with any_app.app_context():
        assert db.session.scalar(select(func.count()).where(Member.person_id == world.key("zhuang"))) == 1


def test_a_number_is_given_once_and_free_ones_never_collide(any_app, race, world, now):
    ends = race(lambda n: register(world, now, MemberDraft(PersonDraft(f"人{n}")), number="007" if n % 2 else None))
    assert ends.count("won") == CLIENTS // 2 + 1
    with any_app.app_context():
        numbers = db.session.scalars(select(Household.number).where(Household.area_id == 4)).all()
        assert len(numbers) == len(set(numbers)) == CLIENTS // 2 + 3


def test_one_of_several_editors_wins_and_the_rest_are_told(any_app, race, world, now):
    def edit(number):
        household = db.session.get(Household, world.key("household/chen"))
        operations.change_household(household, row_version=1, by=world.actor("clerk"), now=now, hazard=f"第{number}")

    ends = race(edit)
    assert ends.count("won") == 1
    assert all(isinstance(end, StaleVersion) for end in ends if end != "won")
