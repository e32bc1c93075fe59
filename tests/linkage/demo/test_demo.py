"""The demo is a street that could be: numbers fit, nobody is in two places, last week is done, this week is open."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from linkage.areas.models import Area
from linkage.contracts.capacity import held_sum
from linkage.contracts.models import LedgerEntry, LineMonth
from linkage.core import audit
from linkage.core.clock import now, parse_moment
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.demo import load
from linkage.demo.inventing import Inventor
from linkage.demo.providers import made_up_account
from linkage.households.models import Household
from linkage.offers.models import Offer
from linkage.offers.queries import unanswered
from linkage.organisations.models import Organisation
from linkage.people.identity import id_number_fault, sex_of, telephone_fault
from linkage.people.models import Person
from linkage.planning.child import reasons_for
from linkage.planning.horizon import Horizon
from linkage.planning.snapshot import take
from linkage.services.models import HeldQualification
from linkage.visits import status
from linkage.visits.models import Assignment, Visit
from linkage.volunteers.models import Volunteer
from matching.feasibility import check
from matching.solve import solve
from matching.stop import MaxIterations

MONDAY = date(2026, 11, 23)


def visits_between(first, last):
    return db.session.scalars(select(Visit).where(Visit.day.between(first, last))).all()


def count(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def test_every_id_number_telephone_and_credit_code_is_valid(demo):
    people = db.session.scalars(select(Person)).all()
    numbers = [person.id_number for person in people]
    assert len(set(numbers)) == len(people) > 100
    assert all(id_number_fault(number) is None and mod_11_2.is_valid(number) for number in numbers)
    assert all(sex_of(person.id_number) == person.sex for person in people)
    assert not any(telephone_fault(person.telephone) for person in people if person.telephone)
    assert all(uscc.is_valid(row.uscc) for row in db.session.scalars(select(Organisation)))


def test_the_street_has_the_people_that_the_demo_promises(demo):
    assert count(Household) == 60
    assert count(Organisation) == 3
    assert count(Volunteer) == 25
    communities = select(func.count()).select_from(Area).where(Area.level == "community")
    assert db.session.scalar(communities) == 546
    assert len({row.area_id for row in db.session.scalars(select(Household))}) == 11
    assert count(Volunteer, Volunteer.insured_to < MONDAY) == 1
    soon = HeldQualification.valid_to.between(MONDAY, MONDAY + timedelta(days=30))
    assert count(HeldQualification, soon) == 3


def test_last_week_is_carried_out_and_most_of_it_confirmed(demo):
    found = Counter(
        status.statuses(visits_between(MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)), now()).values()
    )
    total = sum(found.values())
    assert total > 120
    assert found[status.Status.CONFIRMED] > 0.8 * total
    assert found[status.Status.DONE] >= 5  # left to confirm
    assert found[status.Status.MISSED] == 2  # a volunteer who did not come, a door that stayed shut
    assert set(found) <= {*status.OVER}


def test_this_week_is_open_from_tomorrow_on(demo):
    found = status.statuses(visits_between(MONDAY + timedelta(days=1), MONDAY + timedelta(days=6)), now())
    assert len(found) > 100
    assert set(found.values()) == {status.Status.OPEN}


def test_nobody_is_in_two_places_at_once(demo):
    rows = db.session.scalars(
        select(Assignment).where(Assignment.released_at.is_(None)).order_by(Assignment.person_id, Assignment.busy_from)
    ).all()
    same = [(one, two) for one, two in pairwise(rows) if one.person_id == two.person_id]
    assert len(rows) > 140
    assert all(one.ends_at <= two.busy_from for one, two in same)


def test_the_sums_of_every_line_are_what_its_entries_add_up_to(demo):
    entries = {
        (line, month): sums
        for line, month, *sums in db.session.execute(
            select(LedgerEntry.line_id, LedgerEntry.month, held_sum(0), held_sum(1), held_sum(2)).group_by(
                LedgerEntry.line_id, LedgerEntry.month
            )
        )
    }
    months = db.session.scalars(select(LineMonth)).all()
    assert {(row.line_id, row.month) for row in months} >= set(entries)
    for row in months:
        assert entries.get((row.line_id, row.month), [0, 0, 0]) == [row.reserved, row.committed, row.delivered]


def test_two_visits_of_this_week_cannot_be_served_for_different_reasons(demo):
    street = db.session.scalars(select(Area).where(Area.name == "嘉莲街道")).one()
    snapshot = take(street, Horizon(MONDAY, MONDAY + timedelta(days=6), now()))
    plan = solve(snapshot.instance, MaxIterations(200), seed=0)
    assert check(snapshot.instance, plan) == []
    visits = {snapshot.names.visit(row.visit_id) for row in plan.unserved}
    services = {db.session.get(Visit, visit_id).service.code for visit_id in visits}
    reasons = reasons_for(snapshot.instance, plan, seconds=60)
    assert (len(visits), services) == (2, {"counsel", "rehab"})
    assert len({reason["code"] for reason in reasons}) == 2
    assert all(reason["fix"] for reason in reasons)


def test_the_audit_chain_is_whole(demo):
    assert audit.broken_at(db.session()) is None


def test_a_question_waits_for_the_demos_volunteer(demo, accounts):
    names = {account["username"] for account in accounts if account["role"] == "volunteer"}
    assert count(Offer, unanswered()) == 3
    assert {"volunteer", "volunteer02"} <= names


def test_accounts_prints_one_account_of_each_role_first(accounts):
    assert {account["role"] for account in accounts} == {role.value for role in Role}
    assert {"role", "username", "password", "login_url", "first_page"} <= accounts[0].keys()


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_each_role_can_sign_in_with_the_password_that_is_printed(demo, accounts, role):
    account = next(account for account in accounts if account["role"] == role)
    client = demo.test_client()
    demo.config["WTF_CSRF_ENABLED"] = False
    page = client.post("/login", data={"username": account["username"], "password": account["password"]})
    demo.config["WTF_CSRF_ENABLED"] = True
    assert page.status_code == 303
    assert client.get(account["first_page"], follow_redirects=True).status_code == 200


def test_a_second_start_finds_the_demo_and_makes_nothing(demo_app):
    done = demo_app.test_cli_runner().invoke(args=["prepare"], catch_exceptions=False)
    assert "Making the demo" not in done.output


def test_the_demo_begins_when_it_is_told_to(demo):
    assert load.opening_moment() == parse_moment("2026-11-23T08:00")


def test_the_same_seed_invents_the_same_people():
    one, two = ([Inventor(7).person("F", date(1940, 5, 6)) for _ in range(3)] for _ in range(2))
    assert one == two


def test_a_large_streets_accounts_have_names_that_are_no_telephones():
    names = {made_up_account(number, place) for number in range(1, 10) for place in range(1, 100)}
    assert len(names) == 9 * 99
    assert {telephone_fault(name) for name in names} == {"invalid"}
