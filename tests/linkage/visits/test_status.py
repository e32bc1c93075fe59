"""The status, once in Python and once in SQL: both say the same of any timestamps."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from visiting import post_for, visits_of

from linkage.core import audit
from linkage.core.clock import at_minutes, parse_moment
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.visits import status
from linkage.visits.models import Assignment, Attendance, Visit
from linkage.visits.status import Clocks, Coming, Facts, Status, derive

START = parse_moment("2026-11-26T09:00")
RULES = Clocks(timedelta(minutes=15), timedelta(minutes=60))
MINUTE = timedelta(minutes=1)


def of(*coming, at=-600, people=1, **values):
    return derive(Facts(people, START + 180 * MINUTE, coming, **values), START + at * MINUTE, RULES)


BOOKED, ACCEPTED = Coming(START), Coming(START, accepted=True)
THERE, GONE = Coming(START, checked_in=True), Coming(START, checked_in=True, checked_out=True)
ABSENT = Coming(START, did_not_come=True)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (lambda: of(), "open"),
        (lambda: of(asked=True), "asked"),
        (lambda: of(BOOKED), "booked"),
        (lambda: of(ACCEPTED), "accepted"),
        (lambda: of(ACCEPTED, people=2, asked=True), "half"),
        (lambda: of(ACCEPTED, BOOKED, people=2), "booked"),
        (lambda: of(ACCEPTED, ACCEPTED, people=2), "accepted"),
        (lambda: of(BOOKED, at=14), "booked"),
        (lambda: of(BOOKED, at=15), "late"),
        (lambda: of(BOOKED, at=59), "late"),
        (lambda: of(BOOKED, at=60), "missed"),
        (lambda: of(ABSENT, at=5), "missed"),
        (lambda: of(THERE, at=90), "in_service"),
        (lambda: of(GONE, at=70), "done"),
        (lambda: of(GONE, BOOKED, people=2, at=70), "in_service"),  # the other is still to come
        (lambda: of(GONE, BOOKED, people=2, at=200), "missed"),
        (lambda: of(GONE, ABSENT, people=2, at=70), "missed"),  # one alone is not what was asked for
        (lambda: of(GONE, people=2, at=200), "unmet"),
        (lambda: of(GONE, at=70, confirmed=True), "confirmed"),
        (lambda: of(at=181), "unmet"),
        (lambda: of(at=180), "open"),
        (lambda: of(at=10, closed_unmet=True), "unmet"),
        (lambda: of(GONE, cancelled=True, confirmed=True), "cancelled"),
    ],
)  # fmt: skip
def test_each_status_follows_from_its_timestamps(found, expected):
    assert found() == expected


def test_every_status_is_reached_by_some_example():
    reached = {row[1] for row in test_each_status_follows_from_its_timestamps.pytestmark[0].args[1]}
    assert reached == {one.value for one in Status}


def _scatter(rng, visit, people):
    """Random timestamps of one visit, possible or not."""

    def maybe(value, odds=0.5):
        return value if rng.random() < odds else None

    day = at_minutes(visit.day, 0)
    visit.cancelled_at = maybe(day, 0.07)
    visit.confirmed_at = maybe(day, 0.1)
    visit.closed_unmet_at = maybe(day, 0.1)
    for slot, person in zip(visit.slots, rng.sample(people, len(visit.slots)), strict=True):
        if rng.random() < 0.25:
            continue
        start = day + timedelta(minutes=rng.choice([540, 570, 600, 660]))
        one = Assignment(
            slot_id=slot.id, visit_id=visit.id, person_id=person, capacity="carer", starts_at=start,
            ends_at=start + timedelta(hours=1), busy_from=start, booked_at=day, accepted_at=maybe(day),
            released_at=maybe(day, 0.2), release_reason=None,
        )  # fmt: skip
        db.session.add(one)
        if rng.random() < 0.6:
            db.session.add(
                Attendance(
                    assignment_id=one.id, checked_in_at=maybe(start), checked_out_at=maybe(start, 0.4),
                    no_show_at=maybe(start, 0.1), nobody_home_at=maybe(start, 0.1),
                )
            )  # fmt: skip


def test_python_and_sql_agree_on_random_timestamps(any_app, world):
    rng = random.Random(20261124)
    workers = [world.key(name) for name in ("wu", "xu", "guo", "zhuang", "ye", "hong")]

    def build():
        needs = [
            post_for(world, "chen", "bath", people=2, recurrence="FREQ=DAILY"),
            post_for(world, "chen", "meal", recurrence="FREQ=DAILY"),
            post_for(world, "lin", "meal", recurrence="FREQ=DAILY"),
            post_for(world, "lin", "bath", people=2, recurrence="FREQ=DAILY"),
        ]
        audit.record("test.scatter", ("test", "1"), by=None, now=world.NOW)
        for need in needs:
            for visit in visits_of(need):
                _scatter(rng, visit, workers)

    with any_app.app_context():
        unit_of_work(build)
        seen = set()
        for minutes in range(0, 1440, 31):
            moment = at_minutes(date(2026, 12, 9), minutes)
            in_sql = dict(db.session.execute(select(Visit.id, status.column(moment))).all())
            visits = db.session.scalars(select(Visit)).all()
            in_python = status.statuses(visits, moment)
            assert {key: value.value for key, value in in_python.items()} == in_sql
            assert {one.id: one.state.value for one in status.survey(select(Visit), moment)} == in_sql
            assert dict(status.tally(select(Visit), moment)) == Counter(in_sql.values())
            seen |= set(in_sql.values())
        assert seen == {one.value for one in Status} - {"asked"}
        db.session.remove()


def test_a_list_filtered_by_status_reads_the_same_expression(post, now, ctx):
    post(), post("lin")
    found = db.session.scalars(select(Visit).where(status.column(now) == "open")).all()
    assert len(found) == 2
    assert {status.status_of(visit, now) for visit in found} == {Status.OPEN}
