"""Who could come and when: every row is a checked insertion, and there is a row iff there is a way."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.candidates import Cover, NoteCode
from matching.feasibility import check, evaluate
from matching.feasibility.facts import Facts, bookings_of, fallbacks_of
from matching.instance import (
    Budget,
    ContractLine,
    ExcludedPair,
    FallbackRule,
    Household,
    Instance,
    LineRule,
    Pin,
    Slot,
    Synchronisation,
)
from matching.plan import Plan, Unserved, UnservedCode
from matching.plan_state import Held, PlanState
from matching.pricing import objective_of
from matching.rebuild import insert
from matching.recommend import coverage, recommend
from tests.matching.builders import VOLUNTEER, carer, instance, pair, plan, shift, stop, truthful, visit, window
from tests.matching.referee import placings
from tests.matching.tiny import tiny_instance

SEEDS = st.integers(0, 10**9)


def empty_plan(of: Instance) -> Plan:
    made = Plan(unserved=tuple(Unserved(v.id, UnservedCode.NO_ROOM) for v in of.visits))
    return replace(made, objective=objective_of(PlanState(of, made).lookup, [], {}, 0))


def grown(random: Random) -> tuple[Instance, Plan]:
    """An instance whose last visit is new, and a plan grown by accepting random rows for the others."""
    of = tiny_instance(random)
    made = empty_plan(of)
    for wanted in of.visits[:-1]:
        rows = recommend(PlanState(of, made), wanted, limit=4)
        if rows and random.random() < 0.8:
            of, made = insert(PlanState(of, made), wanted, random.choice(rows))
    return of, made


@given(SEEDS)
@settings(max_examples=80, deadline=None)
def test_every_row_inserted_gives_a_plan_that_the_checker_accepts(seed):
    of, made = grown(Random(seed))
    assert check(of, made) == []
    state = PlanState(of, made)
    for row in recommend(state, of.visits[-1], limit=20):
        after_of, after = insert(state, of.visits[-1], row)
        assert check(after_of, after) == []


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_the_points_of_a_row_are_what_it_adds_to_the_objective(seed):
    of, made = grown(Random(seed))
    before = evaluate(of, made)
    for row in recommend(PlanState(of, made), of.visits[-1], limit=20):
        after = evaluate(*insert(PlanState(of, made), of.visits[-1], row))
        for term in ("travel_minutes", "cost_fen", "new_faces", "unfairness_minutes", "people_told", "total"):
            assert getattr(row.change, term) == pytest.approx(after[term] - before[term]), term
        assert row.points == pytest.approx(after["total"] - before["total"])


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_there_is_a_row_exactly_if_brute_force_finds_a_way(seed):
    of, made = grown(Random(seed))
    facts = Facts(of)
    planned, behind = bookings_of(facts, made), fallbacks_of(facts, made)
    way = next(placings(of, planned, behind, of.visits[-1]), None)
    assert bool(recommend(PlanState(of, made), of.visits[-1])) == (way is not None)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_strip_says_enough_exactly_where_a_visit_can_start(seed):
    of, made = grown(Random(seed))
    # What the strip leaves to the rows: two people at once on the last of a budget, or as new faces.
    of = replace(
        of,
        budgets=(),
        quotas=(),
        households=tuple(replace(h, max_new_faces=None) for h in of.households),
        visits=tuple(
            replace(v, fallback=FallbackRule.NONE, max_tardiness_minutes=0, line_rule=LineRule.ANY) for v in of.visits
        ),
    )
    made = truthful(of, replace(made, fallbacks=()))
    facts = Facts(of)
    planned, wanted = bookings_of(facts, made), of.visits[-1]
    for day in coverage(PlanState(of, made), wanted, step_minutes=15):
        for start in day.starts:
            way = next(placings(of, planned, [], wanted, start.start_minutes), None)
            assert (start.cover is Cover.ENOUGH) == (way is not None)
            assert (start.cover is Cover.NONE) == (start.people == 0)


# By example


def one_visit(*visits, people=(), **more):
    of = instance([*visits], people or [carer("a"), carer("b")], **more)
    return of, empty_plan(of)


def test_who_has_come_before_is_shown_before_who_is_nearer():
    wanted = visit(place=2, previous_caregiver_ids=("b",))
    near = [shift("a", start_location_id="p1"), shift("b")]
    of, made = one_visit(wanted, shifts=near, households=[Household("h2", known_caregiver_ids=("b",))])
    rows = recommend(PlanState(of, made), wanted, limit=2)
    assert [row.caregiver_ids for row in rows] == [("b",), ("a",)]
    assert NoteCode.CAME_BEFORE in {n.code for n in rows[0].advantages}
    assert {n.code for n in rows[1].drawbacks} == {NoteCode.NOT_CAME_BEFORE, NoteCode.NEW_FACE}


def test_rows_differ_in_people_or_by_an_hour():
    wanted = pair(windows=(window(480, 700),))
    people = [carer(x) for x in "abcd"]
    of, made = one_visit(wanted, people=people)
    rows = recommend(PlanState(of, made), wanted, limit=6)
    assert len(rows) == 6
    for i, one in enumerate(rows):
        for other in rows[:i]:
            apart = abs(one.start_minutes - other.start_minutes)
            assert one.caregiver_ids != other.caregiver_ids or apart >= 60
    assert {who for row in rows for who in row.caregiver_ids} == set("abcd")


def test_starts_are_proposed_on_round_minutes_where_there_are_some():
    wanted = visit(access_minutes=3)
    of, made = one_visit(wanted, people=[carer("a")])
    assert recommend(PlanState(of, made), wanted)[0].start_minutes == 495
    narrow = visit(access_minutes=3, windows=(window(493, 494),))
    of, made = one_visit(narrow, people=[carer("a")])
    assert recommend(PlanState(of, made), narrow)[0].start_minutes == 493


def test_a_person_with_an_open_question_is_not_offered_for_that_time():
    wanted = visit(windows=(window(600, 600),))
    of, made = one_visit(wanted)
    held = [Held("a", 570, 601)]
    assert [row.caregiver_ids for row in recommend(PlanState(of, made, held=held), wanted)] == [("b",)]


def test_only_the_missing_slot_of_a_half_staffed_visit_is_filled():
    agreed = pair(slots=(Slot(pin=Pin("a", 600)), Slot()))
    of = instance([agreed], [carer("a"), carer("b"), carer("c")], excluded_pairs=(ExcludedPair("a", "c"),))
    made = plan(of, {"a-0": [stop("v", 600)]})
    rows = recommend(PlanState(of, made), agreed)
    assert [(p.slot, p.caregiver_id, p.start_minutes) for row in rows for p in row.places] == [(1, "b", 600)]
    assert check(*insert(PlanState(of, made), agreed, rows[0])) == []


def test_a_served_visit_needs_nobody_more():
    of = instance([visit()])
    made = plan(of, {"a-0": [stop("v", 600)]})
    assert recommend(PlanState(of, made), of.visits[0]) == []


def test_a_row_tells_what_is_left_on_its_line():
    paid = carer(organisation_id="o", needs_contract_line=True)
    line, cap = ContractLine("l", "o", ("care",), price_fen=50), Budget("b", "l", 0, 30, 100, used=10)
    wanted = visit(contract_line_ids=("l",))
    of, made = one_visit(wanted, people=[paid], contract_lines=(line,), budgets=(cap,))
    row = recommend(PlanState(of, made), wanted)[0]
    note = next(n for n in row.advantages if n.code is NoteCode.LINE_HAS_ROOM)
    assert (note.get("line"), note.get("left"), note.get("unit")) == ("l", 30, "minutes")
    assert (row.cost_fen, row.places[0].line_id) == (3000, "l")


def test_a_volunteer_comes_with_the_paid_person_who_would_still_make_it():
    wanted = visit(fallback=FallbackRule.WANTED)
    of, made = one_visit(wanted, people=[carer("x", VOLUNTEER), carer("a", cost_per_minute_fen=90)])
    row = recommend(PlanState(of, made), wanted)[0]
    assert (row.caregiver_ids, row.places[0].backup.caregiver_id) == (("x",), "a")
    assert NoteCode.FALLBACK_READY in {n.code for n in row.advantages}


def test_one_person_is_proposed_for_both_slots_where_that_is_allowed():
    wanted = pair(synchronisation=Synchronisation(0, 60, same_caregiver_allowed=True))
    state = PlanState(*one_visit(wanted, people=[carer("a")]))
    row = recommend(state, wanted)[0]
    assert row.caregiver_ids == ("a", "a")
    assert [p.start_minutes for p in row.places] == [row.start_minutes, row.start_minutes + 60]
    assert check(*insert(state, wanted, row)) == []


def test_the_strip_shows_where_only_one_of_two_people_is_free():
    wanted = pair(windows=(window(480, 700), window(480, 700, day=1)))
    shifts = [shift("a", end=700), shift("b", start=560, end=660), shift("a", day=1, end=500)]
    of, made = one_visit(wanted, shifts=shifts, horizon_days=2)
    days = coverage(PlanState(of, made), wanted, step_minutes=30)
    first = {s.start_minutes: (s.cover, s.people) for s in days[0].starts}
    assert first[480] == (Cover.NONE, 0)
    assert first[510] == (Cover.SOME, 1)
    assert first[570] == (Cover.ENOUGH, 2)
    assert first[630] == (Cover.SOME, 1)
    assert {s.cover for s in days[1].starts} == {Cover.NONE}
