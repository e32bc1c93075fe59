"""While a volunteer is asked, the paid carer behind the question keeps her time, with the way there, for it."""

from datetime import date

import pytest
from sqlalchemy import select
from visiting import change, open_for

from linkage.core import audit
from linkage.core.extensions import db
from linkage.households.models import Household
from linkage.offers.models import OfferRound
from linkage.planning import recommendation
from linkage.planning.recommendation import Draft
from linkage.planning.storing import store
from linkage.visits.errors import Refused


@pytest.fixture
def question(visit, commit, world):
    """Zhuang is asked about a meal at 09:30; Wu stands behind, 15 minutes' way off."""
    asked = visit("chen", "meal")
    commit(lambda: open_for(world, asked.slots[0].id, ["zhuang"], fallback="wu", hour="09:30", travel_minutes=15))
    return asked


def test_who_stands_behind_a_question_is_not_booked_elsewhere_and_its_minutes_stay_reserved(
    question, visit, booked, snapshot, world
):
    other = visit("lin", "meal")
    with pytest.raises(Refused) as refused:
        booked("wu", on=other, at=f"{other.day}T09:00", hours=0.3)  # until 09:18: the way begins at 09:15
    assert refused.value.reason == "kept_as_fallback"
    found = snapshot()
    wu = next(c for c in found.instance.caregivers if found.names.person(c.id) == world.key("wu"))
    start = 2 * 1440 + 9 * 60 + 30  # Thursday, in a horizon from Tuesday
    assert [(a.start_minutes, a.end_minutes) for a in wu.absences] == [(start, start + question.duration_minutes)]
    asked = next(v for v in found.instance.visits if found.names.visit(v.id) == question.id)
    assert asked.fallback.value == "none"
    budget = next(b for b in found.instance.budgets if b.used)
    assert budget.used == 1
    booked("wu", on=other, at=f"{other.day}T10:45", hours=0.3)


def test_nobody_is_put_behind_a_question_at_a_time_that_is_taken(visit, booked, commit, world):
    taken, asked = visit("lin", "meal"), visit("chen", "meal")
    booked("wu", on=taken, at=f"{taken.day}T09:30")
    with pytest.raises(Refused) as refused:
        commit(lambda: open_for(world, asked.slots[0].id, ["zhuang"], fallback="wu", hour="09:30"))
    assert refused.value.reason == "overlap"
    assert db.session.scalars(select(OfferRound)).all() == []


def test_who_could_come_does_not_name_who_is_kept_ready(question, visit, world, now):
    other = visit("lin", "clean")
    draft = Draft(other.household, other.person_id, other.service, other.day, ((570, 630),), 60)
    rows = recommendation.answer(draft, now=now).rows
    assert rows and not any(c.person_id == world.key("wu") for row in rows for c in row.comers)


def test_a_visit_of_a_household_whose_consent_has_run_out_is_in_the_plan_with_its_reason(
    visit, snapshot, commit, world, now
):
    one, other = visit("chen", "meal"), visit("lin", "meal")

    def run_out():
        for consent in db.session.get(Household, one.household_id).consents:
            consent.expires_on = date(2026, 11, 25)

    change(world, run_out)
    found = snapshot()
    assert found.names.visits == [other.id]
    rows = [{"visit_id": "v0", "code": "no_room", "proven": False}]
    answer = {"plan": {"unserved": rows}, "reasons": []}
    plan = commit(lambda: audited(world, store(3, found, answer, job_id=None, seconds=0, curve=[], now=now), now))
    reasons = {row.visit_id: (row.reason["code"], row.proven) for row in plan.unserved}
    assert reasons[one.id] == ("not_served", True)
    assert reasons[other.id][0] == "no_room"


def audited(world, plan, now):
    audit.record("test.store", plan, by=None, now=now)
    return plan
