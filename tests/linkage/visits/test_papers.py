"""A paper that ends takes its visits with it, in time and with the reason; a household that moves tells who comes."""

from datetime import date, timedelta

from sqlalchemy import select
from visiting import book_for, change, post_for, visits_of

from linkage.core.clock import at_minutes
from linkage.core.events import HouseholdMoved, announce
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.core.transactions import unit_of_work
from linkage.households.models import Tag
from linkage.needs.models import Need
from linkage.services import operations as services
from linkage.services.models import HeldQualification
from linkage.visits import papers
from linkage.visits.models import Assignment

DAY = date(2026, 11, 26)


def told(person_id):
    return [(row.kind, row.params.get("reason")) for row in db.session.scalars(
        select(OutboxRow).where(OutboxRow.person_id == person_id))]  # fmt: skip


def two_baths_and_a_meal(world):
    def build():
        bath = post_for(world, "chen", "bath", starts_on=DAY, people=2)
        meal = post_for(world, "lin", "meal", starts_on=DAY)
        (bath_visit,), (meal_visit,) = visits_of(bath), visits_of(meal)
        for who, slot in (("wu", 0), ("xu", 1)):
            book_for(world, who, bath_visit.slots[slot].id, f"{DAY}T09:00")
        book_for(world, "wu", meal_visit.slots[0].id, f"{DAY}T11:00")

    unit_of_work(build)


def active(world, who):
    rows = select(Assignment).where(Assignment.person_id == world.key(who), Assignment.released_at.is_(None))
    return [row.visit.service.code for row in db.session.scalars(rows)]


def test_a_paper_that_is_ended_takes_only_what_needs_it_and_says_why(ctx, world, now):
    two_baths_and_a_meal(world)
    held = db.session.scalars(select(HeldQualification).where(HeldQualification.person_id == world.key("wu"))).first()
    unit_of_work(
        lambda: services.end_held(
            db.session.get(HeldQualification, held.id), on=date(2026, 11, 24), by=world.actor("manager"), now=now
        )
    )
    assert active(world, "wu") == ["meal"]
    assert active(world, "xu") == ["bath"]
    assert ("visits.released", "papers") in told(world.key("wu"))
    assert ("visits.dropped", None) in told(world.key("coordinator"))


def test_every_night_looks_at_papers_whose_date_was_corrected(ctx, world, now):
    two_baths_and_a_meal(world)
    assert unit_of_work(lambda: papers.release(now)) == 0

    def correct():
        for row in db.session.scalars(select(HeldQualification).where(HeldQualification.person_id == world.key("xu"))):
            row.valid_to = DAY - timedelta(days=1)

    change(world, correct)
    assert unit_of_work(lambda: papers.release(now)) == 1
    assert active(world, "xu") == [] and active(world, "wu") == ["bath", "meal"]
    assert unit_of_work(lambda: papers.release(at_minutes(DAY, 0))) == 0


def test_whoever_comes_hears_that_the_household_has_moved(ctx, world, now):
    two_baths_and_a_meal(world)
    event = HouseholdMoved(by=None, now=now, household_id=world.key("household/lin"))
    change(world, lambda: announce(event))
    assert ("visits.address", None) in told(world.key("wu"))


def test_the_priority_counts_the_tags_of_the_person_and_the_household_not_of_who_lives_there_too(ctx, world, now):
    def tag(person_id):
        db.session.add(
            Tag(
                household_id=world.key("household/lin"), person_id=person_id, tag="severe_disability",
                valid_from=date(2025, 1, 1), source="test", created_at=now,
            )
        )  # fmt: skip

    change(world, lambda: tag(world.key("wu")))  # somebody else's
    other = unit_of_work(lambda: post_for(world, "lin", "meal", starts_on=DAY)).id
    change(world, lambda: tag(world.key("lin/head")))
    own = unit_of_work(lambda: post_for(world, "lin", "chat", starts_on=DAY)).id
    assert db.session.get(Need, other).priority_reason != "severe_disability"
    assert db.session.get(Need, own).priority_reason == "severe_disability"
