"""No household missed: each household of a month has exactly one bucket, in SQL as in Python; the certificate."""

import hashlib
import random
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from linkage.areas.queries import get_area
from linkage.core.clock import parse_moment
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.desk import buckets, certificates
from linkage.desk.buckets import BUCKETS, NOTHING, Facts, Month
from linkage.desk.models import CoverageCertificate
from linkage.households.checks import CheckDraft, record_check
from linkage.households.models import CHECK_OUTCOMES, CHECK_REASONS, Household
from linkage.households.operations import close_household
from linkage.visits.models import Visit
from linkage.visits.status import Status
from tests.visiting import book_for, change, post_for, visits_of

NOVEMBER = Month(date(2026, 11, 1), date(2026, 11, 30))
HOMES = ("chen", "lin", "huang", "far")


def home(world, name):
    return db.session.get(Household, world.key("household/" + name))


def place(world, name, now):
    """(bucket, reason) of one household as SQL says."""
    wanted = select(Household).where(Household.id == world.key("household/" + name))
    (entry,) = buckets.entries(wanted, NOVEMBER, now)
    return entry.bucket, entry.reason


def look_in(world, name, outcome, now, day=None):
    reason = CHECK_REASONS.get(outcome, ("",))[0]
    draft = CheckDraft(day or date(2026, 11, 24), outcome, reason=reason)
    return record_check(home(world, name), draft, by=world.actor("operator"), now=now)


def due_at(world, name, moment):
    home(world, name).check_due_at = moment


def test_a_household_about_which_nothing_is_known_is_missing(ctx, world, now):
    assert place(world, "huang", now) == ("not_reached", NOTHING)


@pytest.mark.parametrize(
    ("outcome", "bucket"),
    [("well", "served"), ("worse", "served"), ("declined", "declined"), ("referred", "referred"),
     ("not_reached", "not_reached")],
)  # fmt: skip
def test_looking_in_decides_where_nothing_else_is_known(commit, world, now, outcome, bucket):
    commit(lambda: look_in(world, "huang", outcome, now))
    change(world, lambda: due_at(world, "huang", None))
    assert place(world, "huang", now) == (bucket, "")


def test_a_visit_goes_from_waiting_to_planned_to_served(commit, ctx, world, now):
    visit = commit(lambda: visits_of(post_for(world, "huang", "meal", duration_minutes=30))[0].id)
    assert place(world, "huang", now) == ("waiting", "open")
    slot = db.session.get(Visit, visit).slots[0].id
    commit(lambda: book_for(world, "zhuang", slot, "2026-11-26T11:00", hours=0.5))
    assert place(world, "huang", now) == ("planned", "")
    later = parse_moment("2026-11-26T12:00")
    assert place(world, "huang", later) == ("waiting", "missed")
    commit(lambda: look_in(world, "huang", "well", later, date(2026, 11, 26)))
    assert place(world, "huang", later) == ("served", "")


def test_who_need_not_be_looked_in_on_this_month_is_planned_by_rule(commit, ctx, world, now):
    change(world, lambda: due_at(world, "huang", now + timedelta(days=40)))
    assert place(world, "huang", now) == ("planned", "by_rule")


def test_every_combination_of_facts_has_exactly_one_bucket():
    """All 2^12 sets of states, all notes: `derive` never fails and never leaves the six buckets."""
    states = list(Status)
    for number in range(2 ** len(states)):
        some = frozenset(state for place, state in enumerate(states) if number >> place & 1)
        for noted in (None, "declined", "referred", "not_reached"):
            for flags in range(8):
                facts = Facts(some, bool(flags & 1), noted, bool(flags & 2), bool(flags & 4))
                bucket, reason = buckets.derive(facts)
                assert bucket in BUCKETS and (bucket != "waiting" or reason)


ROUNDS = 3


def test_sql_and_python_agree_and_each_household_is_in_one_bucket(any_app, world, now):
    """Generated months: needs, bookings, look-ins, closings at random; on both databases."""
    with any_app.app_context():
        for number in range(ROUNDS):
            dice = random.Random(number)
            moment = now + timedelta(days=dice.randrange(5), minutes=dice.randrange(600))
            change(world, lambda number=number, dice=dice: build_month(world, now, number, dice))
            agree(moment)
        db.session.remove()


def agree(moment):
    wanted = select(Household).where(buckets.on_record(NOVEMBER))
    found = buckets.entries(wanted, NOVEMBER, moment)
    homes = db.session.scalars(wanted).all()
    assert sorted(entry.household_id for entry in found) == sorted(row.id for row in homes)
    said = {entry.household_id: (entry.bucket, entry.reason) for entry in found}
    assert said == {row.id: buckets.derive(buckets.facts_of(row, NOVEMBER, moment)) for row in homes}
    for name in BUCKETS:
        inside = db.session.scalars(wanted.where(buckets.in_bucket(NOVEMBER, moment, name))).all()
        assert {row.id for row in inside} == {key for key, (bucket, _why) in said.items() if bucket == name}


def build_month(world, now, number, dice):
    day = date(2026, 11, 25 + number)
    for place, name in enumerate(HOMES):
        if dice.random() < 0.4:
            month = dice.choice((10, 11))
            look_in(world, name, dice.choice(CHECK_OUTCOMES), now, date(2026, month, dice.randrange(1, 24)))
        if dice.random() < 0.5:
            (visit,) = visits_of(post_for(world, name, "meal", starts_on=day, window_end=18 * 60))
            if dice.random() < 0.6:
                book_for(world, "zhuang", visit.slots[0].id, f"{day}T{9 + place * 2:02d}:00")
            elif dice.random() < 0.3:
                visit.cancelled_at = now
        due_at(world, name, dice.choice((None, now, now + timedelta(days=40))))
    if number == ROUNDS - 1:
        close_household(home(world, "far"), by=None, now=now, on=date(2026, 11, 20), reason="test")
    db.session.flush()


def end_of_month() -> datetime:
    return parse_moment("2026-11-30T17:00")


def settle(world, *names):
    for name in names:
        look_in(world, name, "well", end_of_month(), date(2026, 11, 30))


def test_the_certificate_cannot_be_issued_while_one_household_is_missing(commit, ctx, world):
    area = get_area(4)
    commit(lambda: settle(world, "chen"))
    with pytest.raises(Conflict):
        commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()))
    commit(lambda: settle(world, "lin"))
    commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()))
    row = db.session.query(CoverageCertificate).one()
    assert row.counts["served"] == 2 and sum(row.counts.values()) == len(row.entries) == 2
    assert certificates.is_whole(row) and row.area_id == area.id


def test_nor_before_the_months_last_day_nor_twice(commit, ctx, world, now):
    commit(lambda: settle(world, "chen", "lin"))
    with pytest.raises(Conflict):
        commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=now))
    commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()))
    with pytest.raises(Conflict):
        commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()))


def test_whoever_has_the_list_computes_the_hash_again(commit, ctx, world, sign_in, move_clock):
    commit(lambda: settle(world, "chen", "lin"))
    row = commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()).id)
    digest = db.session.get(CoverageCertificate, row).digest
    db.session.rollback()
    move_clock("2026-11-30T18:00")
    text = sign_in("clerk").get(f"/coverage/certificates/{row}.txt").get_data()
    assert hashlib.sha256(text).hexdigest() == digest
    assert "陈".encode() not in text


def test_an_altered_list_shows(commit, ctx, world):
    commit(lambda: settle(world, "chen", "lin"))
    row = commit(lambda: certificates.issue(get_area(4), NOVEMBER, by=world.actor("clerk"), now=end_of_month()))
    forged = [[row.entries[0][0], "declined", ""], *row.entries[1:]]
    values = {"month": row.month, "counts": certificates.counts(forged), "digest": row.digest, "entries": forged}
    with db.session.no_autoflush:
        assert not certificates.is_whole(CoverageCertificate(area=get_area(4), **values))
    db.session.rollback()


def test_a_double_is_not_counted_twice(commit, ctx, world, now):
    change(world, lambda: setattr(home(world, "lin"), "merged_into_id", world.key("household/chen")))
    wanted = buckets.rows(world.actor("clerk"), NOVEMBER)
    assert [row.number for row in db.session.scalars(wanted)] == ["A001"]


def test_each_number_leads_to_its_rows_within_ones_scope(ctx, sign_in, words, world):
    page = sign_in("clerk").get("/coverage/").get_data(as_text=True)
    assert "/coverage/households?area=4&amp;bucket=missing&amp;month=2026-11" in page and "盈翠社区" not in page
    rows = words(sign_in("clerk").get("/coverage/households?bucket=missing"))
    assert "陈阿珠" in rows and "黄水源" not in rows
    assert "陈阿珠" not in words(sign_in("supervisor").get("/coverage/households?bucket=missing"))
