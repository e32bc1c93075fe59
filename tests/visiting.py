"""What tests of visits and offers do again and again, without fixtures (threads use them too)."""

import threading
from datetime import date, timedelta
from itertools import pairwise

from flask import has_app_context
from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household
from linkage.needs.operations import NeedRequest, post_need
from linkage.offers import operations
from linkage.organisations.models import Carer
from linkage.services.models import Service
from linkage.visits import booking
from linkage.visits.models import Assignment, Slot, Visit
from linkage.volunteers.models import Volunteer, VolunteerService

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


def make_volunteers(world, number, services=("meal", "chat"), area=4):
    """`number` more volunteers with accounts `v0`, `v1` …; returns their names."""
    names = [f"v{place}" for place in range(number)]

    def build():
        for place, name in enumerate(names):
            world._person(name, f"志愿者{place}", "F", world.NOW)
            world._user(name, world.key(name), Role.VOLUNTEER, "self", None, world.NOW)
            db.session.add(
                Volunteer(
                    id=world.key("volunteer/" + name),
                    person_id=world.key(name),
                    number=f"XM9{place:04d}",
                    area_id=area,
                    insured_to=date(2027, 6, 30),
                    joined_on=world.LONG_AGO,
                    created_at=world.NOW,
                    services=[VolunteerService(service_id=world.key("service/" + code)) for code in services],
                )
            )

    change(world, build)
    return names


def race(app, jobs):
    """Run all `jobs` at once, each in a thread and application context of its own; returns results or errors."""
    barrier, answers = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        with app.app_context():
            barrier.wait()
            try:
                answers[place] = unit_of_work(job)
            except Exception as error:  # noqa: BLE001 (the test looks at every error)
                answers[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if has_app_context():
        db.session.rollback()  # look at what is there now, not at an older snapshot
    return answers


def overlaps(person_id):
    """Pairs of a person's active assignments that overlap: none must ever exist."""
    rows = db.session.execute(
        select(Assignment.busy_from, Assignment.ends_at)
        .where(Assignment.person_id == person_id, Assignment.released_at.is_(None))
        .order_by(Assignment.busy_from)
    ).all()
    return [(one, two) for one, two in pairwise(rows) if two.busy_from < one.ends_at]


def open_for(world, slot_id, names, *, fallback=None, now=None, hour="09:00", line="lukang/meal", charge=1, **values):
    """Open a round about a slot on its day: `names` are candidates in order, `fallback` the carer behind them."""
    slot = db.session.get(Slot, slot_id)
    start = parse_moment(f"{slot.visit.day}T{hour}")
    end = start + timedelta(minutes=slot.visit.duration_minutes)
    behind = fallback and operations.Fallback(world.key(fallback), world.key("line/" + line), start, charge, **values)
    asked = [operations.Candidate(world.key(name), start, end) for name in names]
    return operations.open_round(slot, asked, fallback=behind, by=None, now=now or world.NOW)
