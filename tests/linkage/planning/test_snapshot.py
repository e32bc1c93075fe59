"""What a planning run is told: who may come where, what is agreed, what is left of the contracts."""

import json
from dataclasses import replace
from datetime import date

from linkage.core.extensions import db
from linkage.planning.horizon import Horizon
from linkage.planning.snapshot import take
from matching.instance_io import instance_from_json, instance_to_json
from matching.validation import validate


def only_visit(snapshot):
    (visit,) = snapshot.instance.visits
    return visit


def test_a_snapshot_is_a_valid_instance(post, snapshot):
    post("chen", "bath", people=2)
    post("lin", "clean")
    instance = snapshot().instance
    assert instance_from_json(instance_to_json(instance)) == instance


def test_windows_are_for_the_start_of_service(visit, snapshot):
    visit("lin", "clean")  # Thursday 09:00-12:00, one hour
    (window,) = only_visit(snapshot()).windows
    assert (window.start_minutes, window.end_minutes) == (2 * 1440 + 540, 2 * 1440 + 660)


def test_no_name_and_no_position_is_in_it(post, snapshot):
    post("chen", "meal")
    text = instance_to_json(snapshot().instance)
    assert "陈" not in text
    assert "24.48" not in text
    assert all(set(place) <= {"id"} for place in json.loads(text)["locations"])


def test_only_lines_that_cover_the_service_may_pay(visit, snapshot, world):
    visit("lin", "clean")
    found = snapshot()
    paying = {found.names.line(line) for line in only_visit(found).contract_line_ids}
    assert paying == {world.key("line/lukang/clean"), world.key("line/jiahe/clean")}


def test_another_streets_visits_and_people_stay_out(post, snapshot, world):
    post("far", "clean")
    post("lin", "clean")
    assert len(snapshot().instance.visits) == 1


def test_an_accepted_booking_is_pinned_and_a_later_paid_one_may_move(booked, snapshot, visit, world):
    free, agreed = visit("lin", "clean"), visit("huang", "clean")
    booked("wu", on=free, at="2026-11-26T09:00")
    booked("guo", on=agreed, at="2026-11-26T09:00", accepted=True)
    found = snapshot()
    pins = {found.names.visit(row.id): row.slots[0].pin for row in found.instance.visits}
    assert pins[free.id] is None
    assert found.names.person(pins[agreed.id].caregiver_id) == world.key("guo")
    assert len(found.instance.running_plan.assignments) == 2


def test_minutes_committed_for_these_visits_are_theirs_to_place_anew(booked, visit, snapshot):
    booked("wu", on=visit("lin", "clean"), at="2026-11-26T09:00", line="lukang/clean")
    found = snapshot()
    assert {budget.used for budget in found.instance.budgets} == {0}


def test_a_visit_that_has_begun_is_not_planned_and_keeps_its_carer_busy(booked, visit, move_clock, week, street, world):
    booked("wu", on=visit("lin", "clean"), at="2026-11-26T09:00")
    later = replace(week, now=move_clock("2026-11-26T09:30"))
    found = take(street, later)
    wu = next(c for c in found.instance.caregivers if found.names.person(c.id) == world.key("wu"))
    assert found.instance.visits == ()
    assert [(a.start_minutes, a.end_minutes) for a in wu.absences] == [(2 * 1440 + 540, 2 * 1440 + 600)]
    db.session.rollback()


def test_of_a_visit_on_any_of_several_days_those_beyond_the_horizon_do_not_count(visit, street, now):
    visit("lin", "clean", flexible_days=4)
    found = take(street, Horizon(date(2026, 11, 24), date(2026, 11, 27), now)).instance
    assert [window.start_minutes // 1440 for window in found.visits[0].windows] == [2, 3]
    validate(found)
