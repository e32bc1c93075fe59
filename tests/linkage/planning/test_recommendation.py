"""Who could come: every row shown can be booked, and who cannot come is told why."""

from datetime import date, timedelta

import pytest
from visiting import post_for, visits_of

from linkage.core import audit
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household
from linkage.offers.models import OfferRound
from linkage.offers.operations import Candidate, open_round
from linkage.planning.effects import rank_the_next
from linkage.planning.recommendation import Draft, answer, choose
from linkage.services.models import Service
from linkage.visits.models import Assignment, Slot

THURSDAY = date(2026, 11, 26)


class Undo(Exception):
    """Leaves everything as it was before a row was tried."""


@pytest.fixture
def draft(ctx, world):
    def make(household, service, *, day=THURSDAY, window=(9 * 60, 12 * 60), minutes=60, **values):
        return Draft(
            household=db.session.get(Household, world.key("household/" + household)),
            person_id=world.key(household + "/head"),
            service=db.session.get(Service, world.key("service/" + service)),
            day=day,
            windows=(window,),
            duration_minutes=minutes,
            **values,
        )

    return make


def names(row):
    return [comer.name for comer in row.comers]


@pytest.fixture
def ask(draft, now):
    def run(*given, **values):
        found = answer(draft(*given, **values), now=now)
        db.session.rollback()
        return found

    return run


def test_only_carers_with_the_papers_come_for_a_bath(ask):
    found = ask("lin", "bath")
    assert {name for row in found.rows for name in names(row)} == {"吴丽珍", "许美玲"}


def test_two_people_come_at_once(ask):
    found = ask("chen", "bath", people=2)
    assert found.rows
    assert all(sorted(names(row)) == ["吴丽珍", "许美玲"] for row in found.rows)


def test_who_cannot_come_is_told_by_person(ask):
    refusals = {refusal.name: refusal.reasons[0]["code"] for refusal in ask("lin", "bath").refusals}
    assert refusals["郭建明"] == "missing_qualification"
    assert refusals["庄文斌"] in ("wrong_provider_kind", "service_not_offered")


def test_whoever_could_come_but_is_not_shown_is_counted_and_refused_nothing(draft, now):
    whole, short = (answer(draft("lin", "bath"), now=now, limit=limit) for limit in (8, 1))
    able = {name for row in whole.rows for name in names(row)}
    assert (len(able), whole.more) == (2, 0)
    assert short.more == len(able - {name for row in short.rows for name in names(row)}) == 1
    assert able.isdisjoint(refusal.name for refusal in short.refusals)


def test_nobody_can_come_for_counselling_and_everybody_has_a_reason(ask):
    found = ask("lin", "counsel")
    assert found.rows == ()
    assert found.refusals and all(refusal.reasons for refusal in found.refusals)


def test_a_carer_who_is_busy_is_not_offered_for_that_time(ask, visit, booked, world):
    booked("wu", on=visit("huang", "clean"), at="2026-11-26T09:00", hours=3, accepted=True)
    assert {name for row in ask("lin", "bath").rows for name in names(row)} == {"许美玲"}


def test_without_consent_nobody_is_offered(ask, world, commit, now):
    def withdraw():
        household = db.session.get(Household, world.key("household/lin"))
        for row in household.consents:
            row.withdrawn_at = now
        audit.record("test.withdraw", household, by=None, now=now)

    commit(withdraw)
    db.session.expire_all()
    assert ask("lin", "clean").reason == "consent"


def test_the_week_strip_says_when_there_are_enough(ask):
    strip = dict(ask("chen", "bath", people=2).strip)
    assert any(kind == "enough" for _, _, kind in strip[THURSDAY])
    assert strip[date(2026, 11, 28)] == ()  # no carer works on Saturday


@pytest.mark.parametrize(
    ("household", "service", "people"),
    [("chen", "bath", 2), ("lin", "clean", 1), ("huang", "meal", 1), ("lin", "chat", 1)],
)
def test_every_row_that_is_shown_can_be_carried_out(draft, world, now, booked, visit, household, service, people):
    booked("xu", on=visit("huang", "clean"), at="2026-11-26T09:30", accepted=True)
    minutes = 30 if service == "meal" else 60
    wanted = draft(household, service, people=people, minutes=minutes)
    rows = answer(wanted, now=now).rows
    db.session.rollback()
    assert rows
    for row in rows:

        def carry_out(key=row.key):
            need = post_for(world, household, service, duration_minutes=minutes, people=people)
            taken = choose(visits_of(need)[0], wanted, key, by=world.actor("clerk"), now=now)
            assert len(taken) == people
            raise Undo

        with pytest.raises(Undo):
            unit_of_work(carry_out)


def test_a_chosen_row_is_booked_with_its_people_and_minutes(draft, world, now, commit):
    wanted = draft("chen", "bath", people=2)
    row = answer(wanted, now=now).rows[0]
    db.session.rollback()

    def carry_out():
        need = post_for(world, "chen", "bath", people=2)
        return choose(visits_of(need)[0], wanted, row.key, by=world.actor("clerk"), now=now)

    commit(carry_out)
    held = db.session.query(Assignment).all()
    assert {found.person_id for found in held} == {comer.person_id for comer in row.comers}
    assert [found.charge for found in held] == [60, 60]
    assert all(found.starts_at == row.starts_at for found in held)


def test_the_next_to_be_asked_are_other_volunteers_who_are_free_then(visit, commit, now, world, ctx):
    meal = visit("lin", "meal", duration_minutes=30)
    at = parse_moment("2026-11-26T11:00")

    def ask_zhuang():
        first = Candidate(world.key("zhuang"), at, at + timedelta(minutes=30))
        return open_round(db.session.get(Slot, meal.slots[0].id), [first], by=None, now=now)

    asked = commit(ask_zhuang)
    found = rank_the_next(db.session.get(OfferRound, asked.id))
    db.session.rollback()
    assert {one.person_id for one in found} <= {world.key("ye"), world.key("hong")}
    assert found and all(one.starts_at == at for one in found)
