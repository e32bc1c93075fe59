"""Why not: reasons by hand, proofs that nothing contradicts, and fixes that brute force confirms."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.changes import FixCode
from matching.eligibility import ReasonCode
from matching.explain import Explainer, Proven, explain
from matching.feasibility import check
from matching.feasibility.facts import Booking, Facts, bookings_of, fallbacks_of
from matching.instance import (
    Absence,
    Budget,
    ContractLine,
    FallbackRule,
    Household,
    Instance,
    Pin,
    Qualification,
    Quota,
    Slot,
    TimeWindow,
    Visit,
    Wish,
    WorkLimit,
)
from matching.obstacles import BusyCode
from matching.placing import Placing
from matching.plan import Fallback, Plan
from matching.plan_state import PlanState
from matching.rebuild import insert, plan_of
from matching.recommend import recommend
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import CARER, VOLUNTEER, carer, instance, pair, plan, service, shift, stop, visit, window
from tests.matching.random_instances import random_instance
from tests.matching.referee import placings
from tests.matching.test_recommend import empty_plan, grown

SEEDS = st.integers(0, 10**9)


# Proofs


def agreed(random: Random, of: Instance, made: Plan) -> Instance:
    """The instance in which about half of the planned slots are agreed as planned."""
    pins = {
        (s.visit_id, s.slot): Pin(r.caregiver_id, s.start_minutes)
        for r in made.routes
        for s in r.stops
        if random.random() < 0.5
    }
    rows = tuple(
        replace(v, slots=tuple(replace(s, pin=pins.get((v.id, k))) for k, s in enumerate(v.slots))) for v in of.visits
    )
    return replace(of, visits=rows)


def other_plans(random: Random, of: Instance, made: Plan, target: Visit):
    """Other plans that keep what is agreed: only that at first, then with other visits, in any order."""
    state = PlanState(of, made)
    kept = [b for b in state.planned if b.visit.slots[b.slot].pin is not None]
    now = plan_of(state.emptied(), kept, [], made)
    yield now
    others = [v for v in of.visits if v.id != target.id]
    for wanted in random.sample(others, len(others)):
        rows = recommend(PlanState(of, now), wanted, limit=3)
        if rows:
            of, now = insert(PlanState(of, now), wanted, random.choice(rows))
            yield now


@given(SEEDS)
@settings(max_examples=12, deadline=None)
def test_what_is_proven_no_other_plan_contradicts(seed):
    random = Random(seed)
    of, made = grown(random)
    of = agreed(random, of, made)
    explainer, facts = Explainer(of, made), Facts(of)
    for row in made.unserved:
        target = facts.visits[row.visit_id]
        if explainer.explain(target, max_fixes=0).proven:
            for _ in range(3):
                for other in other_plans(random, of, made, target):
                    planned, behind = bookings_of(facts, other), fallbacks_of(facts, other)
                    assert next(placings(of, planned, behind, target), None) is None


@pytest.mark.parametrize("seed", range(0, 60, 2))
def test_what_the_search_serves_is_not_called_impossible_and_what_it_calls_impossible_is(seed):
    of = random_instance(seed)
    made = solve(of, MaxIterations(20), seed)
    explainer = Explainer(of, made)
    sure = {row.visit_id for row in made.unserved if row.proven}
    served = {v.id for v in of.visits} - {row.visit_id for row in made.unserved}
    for wanted in of.visits:
        if wanted.id in served:
            assert not explainer.prover.nobody_ever(wanted)
        if wanted.id in sure:
            assert explainer.explain(wanted, max_fixes=0).proven


def test_a_visit_that_the_plan_could_take_is_not_called_impossible():
    of = instance([visit()])
    found = explain(of, empty_plan(of))[0]
    assert (found.proven, found.deciding, found.fixes) == (False, None, ())
    assert found.candidates[0].caregiver_ids == ("a",)


def test_a_slot_taken_by_what_is_agreed_is_proof_and_by_another_visit_is_not():
    def proven(pin):
        taken = visit("w", windows=(window(600, 600),), slots=(Slot(pin=pin),))
        of = instance([visit("v", windows=(window(600, 600),)), taken])
        return explain(of, plan(of, {"a-0": [stop("w", 600)]}))[0].proven

    assert proven(Pin("a", 600))
    assert not proven(None)


def test_a_place_reached_sooner_by_way_of_another_visit_is_no_proof():
    # p0 to p2 takes 100 minutes directly, but only 10 + 10 + 10 by way of p1, where another visit is.
    of = instance([visit("v", 2, 10, windows=(window(480, 520),)), visit("w", 1, 10)])
    matrix = ((0, 10, 100), (10, 0, 10), (100, 10, 0))
    of = replace(of, locations=of.locations[:3], travel_modes=(replace(of.travel_modes[0], matrix_minutes=matrix),))
    assert not explain(of, empty_plan(of))[0].proven


# Fixes


BY_HAND = {
    FixCode.MOVE_OTHER_VISIT,
    FixCode.SHIFT_WINDOW,
    FixCode.OTHER_DAY,
    FixCode.RELAX_WISH,
    FixCode.EXTEND_SHIFT,
    FixCode.WIDEN_RADIUS,
    FixCode.BORROW_ON_LINE,
    FixCode.RAISE_QUOTA,
}
"""Kinds of change that `changed` makes again without looking at how they were made."""


def changed(of: Instance, made: Plan, wanted: Visit, fix) -> tuple[Instance, list[Booking], Visit]:
    """The change a fix describes, made by hand: instance, bookings and visit afterwards."""
    get = fix.get
    planned = bookings_of(Facts(of), made)
    if fix.code is FixCode.MOVE_OTHER_VISIT:
        key = (get("visit"), get("slot"))
        planned = [replace(b, start_minutes=get("to_minutes")) if b.key == key else b for b in planned]
    if fix.code is FixCode.SHIFT_WINDOW:
        old = wanted.windows[get("window")]
        moved = TimeWindow(old.start_minutes + get("minutes"), old.end_minutes + get("minutes"))
        wanted = replace(wanted, windows=(moved,))
    if fix.code is FixCode.OTHER_DAY:
        by = 1440 * get("days")
        wanted = replace(
            wanted, windows=tuple(TimeWindow(w.start_minutes + by, w.end_minutes + by) for w in wanted.windows)
        )
    if fix.code is FixCode.RELAX_WISH:
        name = f"{get('wish')}_wish"
        wanted = replace(wanted, **{name: replace(getattr(wanted, name), hard=False)})
    if fix.code is FixCode.EXTEND_SHIFT:
        sign = 1 if get("at") == "end" else -1
        name = f"{get('at')}_minutes"
        of = replace(
            of,
            shifts=tuple(
                replace(s, **{name: getattr(s, name) + sign * get("minutes")}) if s.id == get("shift") else s
                for s in of.shifts
            ),
        )
    if fix.code is FixCode.WIDEN_RADIUS:
        people = (
            replace(c, radius_minutes=get("radius_minutes")) if c.id == get("caregiver") else c for c in of.caregivers
        )
        of = replace(of, caregivers=tuple(people))
    if fix.code is FixCode.BORROW_ON_LINE:
        of = replace(
            of,
            budgets=tuple(replace(b, cap=b.cap + get("amount")) if b.id == get("budget") else b for b in of.budgets),
        )
    if fix.code is FixCode.RAISE_QUOTA:
        of = replace(
            of, quotas=tuple(replace(q, cap=q.cap + get("amount")) if q.id == get("quota") else q for q in of.quotas)
        )
    rows = tuple(wanted if v.id == wanted.id else v for v in of.visits)
    of = replace(of, visits=rows)
    facts = Facts(of)
    again = [
        replace(
            b,
            visit=facts.visits[b.visit.id],
            caregiver=facts.caregivers[b.caregiver.id],
            shift=facts.shifts[b.shift.id],
        )
        for b in planned
    ]
    return of, again, wanted


def brute_force_serves(of: Instance, made: Plan, wanted: Visit, fix) -> bool:
    after, planned, wanted = changed(of, made, wanted, fix)
    return next(placings(after, planned, fallbacks_of(Facts(after), made), wanted), None) is not None


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_every_fix_serves_the_visit_by_brute_force(seed):
    of, made = grown(Random(seed))
    for found in explain(of, made, max_fixes=8):
        wanted = next(v for v in of.visits if v.id == found.visit_id)
        for fix in found.fixes:
            assert fix.code not in BY_HAND or brute_force_serves(of, made, wanted, fix), fix


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_every_change_made_serves_the_visit_and_everyone_who_was_served(seed):
    of, made = grown(Random(seed))
    for found in explain(of, made, max_fixes=len(FixCode)):
        for fix in found.fixes:
            assert check(fix.made.instance, fix.made.plan) == []
            left = {row.visit_id for row in fix.made.plan.unserved}
            assert left == {row.visit_id for row in made.unserved} - {found.visit_id}
            moved = fix.code in (FixCode.MOVE_OTHER_VISIT, FixCode.HAND_OVER_VISIT) or (
                fix.code is FixCode.RELEASE_PIN and fix.get("visit") != found.visit_id
            )
            assert fix.price.moved == moved


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_no_smaller_shift_of_the_window_serves_the_visit(seed):
    of, made = grown(Random(seed))
    for found in explain(of, made, max_fixes=8):
        wanted = next(v for v in of.visits if v.id == found.visit_id)
        for fix in found.fixes:
            if fix.code is FixCode.SHIFT_WINDOW and not wanted.max_tardiness_minutes:
                for less in range(5, int(fix.size), 5):
                    for minutes in (less, -less):
                        for index in range(len(wanted.windows)):
                            named = (("minutes", minutes), ("window", index))
                            assert not brute_force_serves(of, made, wanted, replace(fix, parameters=named))


def only(of, made, **more):
    """The explanation of the one unserved visit."""
    (found,) = explain(of, made, **more)
    return found


def obstacles(found, who, slot=0):
    (person,) = [p for p in found.people if p.caregiver_id == who and p.slot == slot]
    return person.obstacles


def test_each_person_has_their_own_reason_and_the_closest_ones_decide():
    people = [
        carer("a", VOLUNTEER),
        carer("b"),
        carer("c", qualifications=(Qualification("nurse", None, -1),)),
        carer("d", qualifications=(Qualification("nurse"),), absences=(Absence(480, 1080),)),
    ]
    nursing = service(kinds=(carer().kind,), required_qualifications=("nurse",))
    of = instance([visit(windows=(window(600, 620),))], people, services=[nursing])
    found = only(of, empty_plan(of))
    assert {p.caregiver_id: [o.code for o in p.obstacles] for p in found.people} == {
        "a": [ReasonCode.WRONG_PROVIDER_KIND, ReasonCode.MISSING_QUALIFICATION],
        "b": [ReasonCode.MISSING_QUALIFICATION],
        "c": [ReasonCode.QUALIFICATION_EXPIRED],
        "d": [ReasonCode.ABSENT],
    }
    assert [p.caregiver_id for p in found.people] == ["d", "c", "b", "a"]
    assert found.deciding is ReasonCode.ABSENT
    assert found.counts[0] == (ReasonCode.MISSING_QUALIFICATION, 2)
    assert found.proven


def busy(window_end=600, **more):
    """v must start at 600, when a is at w (590 to 650, agreed with nobody)."""
    of = instance([visit("v", windows=(window(600, window_end),)), visit("w", windows=(window(**more),))])
    return of, plan(of, {"a-0": [stop("w", 590)]})


def test_who_is_busy_says_with_whom_and_the_smallest_move_of_that_visit_helps():
    of, made = busy(start=500, end=700)
    found = only(of, made)
    assert [(o.code, o.get("visits")) for o in obstacles(found, "a")] == [(BusyCode.BUSY, "w")]
    assert (found.deciding, found.proven) == (BusyCode.BUSY, False)
    # Both are at the same place: w may begin at 540 and end as v begins, or begin at 660.
    assert found.fix.code is FixCode.MOVE_OTHER_VISIT
    assert (found.fix.get("visit"), found.fix.get("to_minutes"), found.fix.size) == ("w", 540, 50)
    assert found.fix.candidate.caregiver_ids == ("a",)


def test_a_visit_that_is_agreed_is_not_moved():
    of, made = busy(start=500, end=700)
    kept = Slot(pin=Pin("a", 590))
    of = replace(of, visits=(of.visits[0], replace(of.visits[1], slots=(kept,))))
    found = only(of, made)
    assert FixCode.MOVE_OTHER_VISIT not in {f.code for f in found.fixes}
    # Fifty minutes later a is free again.
    assert (found.fix.code, found.fix.get("minutes")) == (FixCode.SHIFT_WINDOW, 50)


def test_a_journey_that_does_not_fit_is_told_from_being_busy():
    of = instance([visit("v", 5, windows=(window(600, 600),)), visit("w", 0), visit("x", 0)])
    made = plan(of, {"a-0": [stop("w", 500), stop("x", 700)]})
    assert [o.code for o in obstacles(only(of, made), "a")] == [BusyCode.TRAVEL_TOO_LONG]


def test_a_longer_shift_is_asked_for_in_steps_of_five_minutes():
    of = instance([visit(windows=(window(600, 600),))], shifts=[shift(end=655)])
    found = only(of, empty_plan(of), max_fixes=8)
    fixes = {f.code: f for f in found.fixes}
    # The visit ends at 660 and the way home takes ten minutes.
    assert fixes[FixCode.EXTEND_SHIFT].parameters == (
        ("caregiver", "a"),
        ("shift", "a-0"),
        ("minutes", 15),
        ("at", "end"),
    )
    assert fixes[FixCode.SHIFT_WINDOW].get("minutes") == -15


def test_a_volunteers_radius_is_widened_just_to_the_place():
    of = instance([visit(place=3)], [carer("x", VOLUNTEER, home_location_id="p0", radius_minutes=20)])
    found = only(of, empty_plan(of))
    assert found.deciding is ReasonCode.BEYOND_RADIUS
    assert (found.fix.code, found.fix.get("radius_minutes")) == (FixCode.WIDEN_RADIUS, 30)


def test_what_is_missing_on_a_line_is_lent():
    paid = carer(organisation_id="o", needs_contract_line=True)
    of = instance(
        [visit(contract_line_ids=("l",))],
        [paid],
        contract_lines=(ContractLine("l", "o", ("care",)),),
        budgets=(Budget("b", "l", 0, 0, 100, used=75),),
    )
    found = only(of, empty_plan(of))
    (obstacle,) = obstacles(found, "a")
    assert (obstacle.code, obstacle.get("needed"), obstacle.get("left")) == (BusyCode.LINE_FULL, 60, 25)
    assert (found.fix.code, found.fix.get("amount"), found.fix.get("unit")) == (FixCode.BORROW_ON_LINE, 35, "minutes")
    assert found.proven


def test_another_day_is_found_where_the_person_works():
    of = instance([visit(windows=(window(day=1),))], shifts=[shift(day=0), shift(day=3)], horizon_days=4)
    found = only(of, empty_plan(of))
    assert found.deciding is ReasonCode.NO_SHIFT_THAT_DAY
    assert (found.fix.code, found.fix.get("days")) == (FixCode.OTHER_DAY, -1)


def test_a_hard_wish_is_given_up_last():
    of = instance([visit(gender_wish=Wish(("female",), hard=True))])
    found = only(of, empty_plan(of))
    assert [f.code for f in found.fixes] == [FixCode.RELAX_WISH, FixCode.ADD_CAREGIVER]
    assert (found.fix.get("wish"), found.fixes[1].get("gender")) == ("gender", "female")


def test_one_person_is_never_proposed_where_two_are_needed():
    of = instance([pair()])
    found = only(of, empty_plan(of), max_fixes=8)
    assert (found.deciding, found.proven) == (BusyCode.NOT_TOGETHER, True)
    (fix,) = found.fixes
    assert fix.code is FixCode.ADD_CAREGIVER
    assert {p.caregiver_id for p in fix.candidate.places} == {"a", "one-more"}


def test_a_volunteer_without_anyone_behind_says_so_where_that_is_required():
    of = instance([visit(fallback=FallbackRule.REQUIRED)], [carer("x", VOLUNTEER)])
    assert [o.code for o in obstacles(only(of, empty_plan(of)), "x")] == [BusyCode.NO_FALLBACK]


def test_a_carer_kept_free_behind_a_volunteer_says_behind_whom():
    visits = [visit("v", windows=(window(600, 600),)), visit("w", fallback=FallbackRule.WANTED)]
    of = instance(visits, [carer("a"), carer("x", VOLUNTEER, service_ids=("care",))])
    of = replace(of, visits=(replace(of.visits[0], provider_kinds=(carer().kind,)), of.visits[1]))
    made = plan(of, {"x-0": [stop("w", 600)]}, fallbacks=[Fallback("w", 0, "a", "a-0", 600)])
    (obstacle,) = obstacles(only(of, made), "a")
    assert (obstacle.code, obstacle.get("visits")) == (BusyCode.KEPT_AS_FALLBACK, "w")


@pytest.mark.parametrize(
    "limits, code",
    [
        ({"max_minutes": 79}, BusyCode.WORK_MINUTES_FULL),
        ({"max_visits": 1, "used_visits": 1}, BusyCode.WORK_VISITS_FULL),
    ],
)
def test_full_hours_and_full_weeks_are_told_apart_and_as_much_more_is_asked_for_as_it_takes(limits, code):
    of = instance([visit()], [carer(work_limits=(WorkLimit(0, 0, **limits),))])
    found = only(of, empty_plan(of))
    assert [o.code for o in obstacles(found, "a")] == [code]
    assert (found.fix.code, found.fix.get("amount")) == (FixCode.MORE_HOURS, 1)


def test_a_visit_in_the_way_is_handed_over_and_the_price_says_who_hears_of_it():
    of = instance(
        [visit("v", 1, windows=(window(540, 540),), required_qualifications=("nurse",)), visit("w", 1)],
        [carer("a", qualifications=(Qualification("nurse"),)), carer("b")],
        [shift("a", end=650), shift("b", start=900)],
    )
    found = only(of, plan(of, {"a-0": [stop("w", 540)]}))
    assert (found.fix.code, found.fix.get("to_caregiver"), found.fix.get("to_minutes")) == (
        FixCode.HAND_OVER_VISIT,
        "b",
        910,
    )
    assert (found.fix.price.moved, found.fix.price.people_told) == (1, 3)


def test_an_agreement_is_given_up_before_anyone_is_hired():
    held = visit("w", 1, windows=(window(540, 540),), slots=(Slot(pin=Pin("a", 540)),))
    of = instance([visit("v", 1, windows=(window(540, 540),), required_qualifications=("nurse",)), held],
        [carer("a", qualifications=(Qualification("nurse"),)), carer("b")])  # fmt: skip
    found = only(of, plan(of, {"a-0": [stop("w", 540)]}), max_fixes=20)
    codes = [fix.code for fix in found.fixes]
    assert codes[-2:] == [FixCode.RELEASE_PIN, FixCode.ADD_CAREGIVER]
    assert (found.fixes[-2].get("to_caregiver"), found.fixes[-1].get("qualifications")) == ("b", "nurse")
    assert (found.fixes[-1].get("start_minutes"), found.fixes[-1].get("minutes")) == (540, 60)


def test_limits_of_new_faces_and_new_households_are_named():
    of = instance([visit()], [carer("a", max_new_households=0)], households=[Household("h1", max_new_faces=0)])
    assert [o.code for o in obstacles(only(of, empty_plan(of)), "a")] == [
        BusyCode.HOUSEHOLD_NEW_FACES,
        BusyCode.PERSON_NEW_HOUSEHOLDS,
    ]


def test_a_new_visit_that_is_not_in_the_instance_yet_is_explained_too():
    of = instance([visit("w", windows=(window(600, 600),), slots=(Slot(pin=Pin("a", 600)),))])
    made = plan(of, {"a-0": [stop("w", 600)]})
    found = Explainer(of, made).explain(visit("new", windows=(window(600, 600),)))
    assert (found.visit_id, found.deciding) == ("new", BusyCode.BUSY)
    assert found.fix.code is FixCode.SHIFT_WINDOW


def test_a_full_quota_is_the_persons_own_and_raised_as_a_last_resort():
    paid = carer(organisation_id="o", needs_contract_line=True)
    of = instance(
        [visit(person_id="p", contract_line_ids=("l",))],
        [paid],
        contract_lines=(ContractLine("l", "o", ("care",)),),
        quotas=(Quota("q", "p", 0, 0, 100, used=50),),
    )
    found = only(of, empty_plan(of))
    assert found.deciding is BusyCode.QUOTA_FULL
    assert (found.fix.code, found.fix.get("person"), found.fix.get("amount")) == (FixCode.RAISE_QUOTA, "p", 10)


def test_a_route_that_an_absence_has_broken_since_takes_nothing_more():
    of = instance([visit("v"), visit("w")])
    made = plan(of, {"a-0": [stop("w", 600)]})
    ill = replace(of, caregivers=(replace(of.caregivers[0], absences=(Absence(610, 620),)),))
    assert [o.code for o in obstacles(only(ill, made), "a")] == [BusyCode.ROUTE_BROKEN]


def test_where_two_things_are_wrong_for_everyone_it_is_proven_that_no_single_change_does():
    of = instance(
        [visit(person_id="p", gender_wish=Wish(("female",), hard=True))],
        quotas=(Quota("q", "p", 0, 0, 50),),
        contract_lines=(ContractLine("l", "o", ("care",)),),
    )
    of = replace(of, visits=(replace(of.visits[0], contract_line_ids=("l",)),))
    paid = carer(organisation_id="o", needs_contract_line=True)
    of = replace(of, caregivers=(paid,), services=(replace(of.services[0], provider_kinds=(CARER,)),))
    found = only(of, empty_plan(of), max_fixes=1)
    assert (found.fixes, found.no_single_change) == ((), Proven.ANY_PLAN)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_no_change_is_found_where_it_is_proven_that_none_does(seed):
    of, made = grown(Random(seed))
    explainer = Explainer(of, made)
    for row in made.unserved:
        wanted = explainer.state.lookup.visits[row.visit_id]
        if not explainer.explain(wanted, max_fixes=1).fixes:
            continue
        assert explainer._in_any_plan(wanted) is None
        assert explainer._in_this_plan(Placing(explainer.state, wanted))[1] is None
