"""What tests of visits and offers do again and again, without fixtures (threads use them too)."""

from datetime import date, timedelta

from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household
from linkage.needs.operations import NeedRequest, post_need
from linkage.organisations.models import Carer
from linkage.services.models import Service
from linkage.visits import booking
from linkage.visits.models import Slot, Visit

THURSDAY = date(2026, 11, 26)
HOUR = timedelta(hours=1)


def post_for(world, household, service, *, by="clerk", now=None, **values):
    found = {
        "person_id": world.key(household + "/head"),
        "starts_on": THURSDAY,
        "window_start": 9 * 60,
        "window_end": 12 * 60,
        "duration_minutes": 60,
    }
    return post_need(
        db.session.get(Household, world.key("household/" + household)),
        db.session.get(Service, world.key("service/" + service)),
        NeedRequest(**{**found, **values}),
        by=by and world.actor(by),
        now=now or world.NOW,
    )


def visits_of(need):
    return db.session.scalars(select(Visit).where(Visit.need_id == need.id).order_by(Visit.day)).all()


def book_for(world, who, slot_id, at, *, hours=1, now=None, line=None, charge=60, **values):
    """Book `who` for an hour from `at`: a carer for the employer (on `line`, if given), a volunteer as one."""
    start = parse_moment(at) if isinstance(at, str) else at
    carer = db.session.scalars(select(Carer).where(Carer.person_id == world.key(who))).one_or_none()
    return booking.book(
        db.session.get(Slot, slot_id),
        world.key(who),
        **{
            "capacity": "carer" if carer else "volunteer",
            "organisation_id": carer and carer.organisation_id,
            "line_id": world.key("line/" + line) if line else None,
            "charge": charge if line else 0,
            "starts_at": start,
            "ends_at": start + hours * HOUR,
            "accepted": carer is None,
            "by": None,
            "now": now or world.NOW,
            **values,
        },
    )


def change(world, work):
    """Change rows directly, with the audit row that a change needs."""

    def run():
        result = work()
        audit.record("test.change", ("test", "1"), by=None, now=world.NOW)
        return result

    return unit_of_work(run)
