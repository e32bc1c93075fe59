"""Each rule of the checker: a plan that keeps it, and its bad twin that breaks exactly this rule."""

from dataclasses import replace

import pytest

from matching.feasibility import check
from matching.instance import (
    Absence,
    Break,
    Budget,
    ContractLine,
    ExcludedPair,
    Gender,
    Location,
    Pin,
    Qualification,
    Slot,
    Synchronisation,
    Wish,
)
from matching.plan import Route, Unserved, UnservedCode
from tests.matching.builders import (
    CARER,
    DAY,
    SOCIAL_WORKER,
    VOLUNTEER,
    carer,
    instance,
    pair,
    plan,
    service,
    shift,
    stop,
    visit,
    window,
)
from tests.matching.feasible import TWO_CARERS, C, changed_route, changed_stop, codes, one

# The plan as a document


def test_a_plain_plan_is_accepted():
    assert check(*one()) == []


def test_an_empty_plan_that_lists_every_visit_as_unserved_is_accepted():
    of = instance([visit()])
    assert check(of, plan(of, {})) == []


def test_unknown_ids_are_named_and_nothing_else_is_judged():
    of, made = one()
    bad = changed_stop(made, visit_id="ghost")
    assert codes(of, bad) == [C.UNKNOWN_ID]
    assert check(of, bad)[0].get("id") == "ghost"
    assert codes(of, changed_stop(made, slot=1)) == [C.UNKNOWN_ID]
    assert codes(of, changed_stop(made, line_id="ghost")) == [C.UNKNOWN_ID]
    assert codes(of, replace(made, unserved=(Unserved("ghost", UnservedCode.NO_ROOM),))) == [C.UNKNOWN_ID]


def test_a_shift_with_two_routes_is_refused():
    of = instance([visit("v"), visit("w")])
    both = plan(of, {"a-0": [stop("v", 600), stop("w", 700)]})
    assert check(of, both) == []
    first, second = plan(of, {"a-0": [stop("v", 600)]}), plan(of, {"a-0": [stop("w", 700)]})
    twice = replace(both, routes=(first.routes[0], second.routes[0]), objective=both.objective)
    assert C.ROUTE_TWICE in codes(of, twice)


def test_a_route_without_stops_is_refused():
    of = instance([visit()])
    made = plan(of, {})
    assert codes(of, replace(made, routes=(Route("a-0", "a", 480, 480, 0, 0),))) == [C.ROUTE_EMPTY]


def test_a_route_in_somebody_elses_shift_is_refused():
    of = instance([visit()], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600)]})
    assert codes(of, changed_route(made, caregiver_id="b")) == [C.NOT_THEIR_SHIFT]


def test_a_slot_in_two_routes_is_refused():
    of = instance([visit()], [carer("a"), carer("b")])
    made = plan(of, {"a-0": [stop("v", 600)], "b-0": [stop("v", 600)]})
    assert C.SLOT_TWICE in codes(of, made)


def test_a_two_person_visit_with_one_person_is_refused_unless_she_is_pinned():
    of = instance([pair()])
    assert codes(of, plan(of, {"a-0": [stop("v", 600)]})) == [C.HALF_STAFFED]
    pinned = instance([pair(slots=(Slot(pin=Pin("a", 600)), Slot()))])
    assert check(pinned, plan(pinned, {"a-0": [stop("v", 600)]})) == []


def test_the_list_of_unserved_visits_must_be_complete_and_true():
    of = instance([visit("v"), visit("w")])
    made = plan(of, {"a-0": [stop("v", 600)]})
    no_room = UnservedCode.NO_ROOM
    assert codes(of, replace(made, unserved=())) == [C.NOT_LISTED_UNSERVED]
    assert codes(of, replace(made, unserved=made.unserved * 2)) == [C.LISTED_TWICE]
    served_too = (Unserved("v", no_room), *made.unserved)
    assert codes(of, replace(made, unserved=served_too)) == [C.LISTED_THOUGH_SERVED]


# Hours, journeys, doors, breaks, absences


def test_nobody_leaves_before_the_shift_begins():
    of, made = one(start=490)
    assert check(of, made) == []
    early = changed_route(made, departure_minutes=479)
    assert codes(of, early) == [C.BEFORE_SHIFT]


def test_the_way_back_ends_within_the_shift():
    of = instance([visit(windows=(window(480, 2000),))], shifts=[shift(end=610)])
    assert check(of, plan(of, {"a-0": [stop("v", 540)]})) == []
    assert codes(of, plan(of, {"a-0": [stop("v", 541)]})) == [C.AFTER_SHIFT]


def test_the_journey_takes_as_long_as_the_matrix_says():
    of = instance([visit("v", 1), visit("w", 3)])
    good = plan(of, {"a-0": [stop("v", 490), stop("w", 570)]})
    assert check(of, good) == []
    stops = good.routes[0].stops
    hurried = changed_route(good, stops=(stops[0], replace(stops[1], arrival_minutes=569)))
    assert codes(of, hurried) == [C.TRAVEL_TOO_SHORT]


def test_access_comes_before_the_start_except_where_one_already_is():
    of = instance([visit("v", access_minutes=5), visit("w", access_minutes=5)])
    assert check(of, plan(of, {"a-0": [stop("v", 495), stop("w", 555)]})) == []
    assert codes(of, plan(of, {"a-0": [stop("v", 494), stop("w", 554)]})) == [C.ACCESS_TOO_SHORT]


def test_a_stop_lasts_as_long_as_its_service():
    of, made = one()
    assert C.SERVICE_TIME in codes(of, changed_stop(made, end_minutes=650))


def test_a_stop_of_a_slot_with_its_own_duration_lasts_that_long():
    of = instance([visit(slots=(Slot(service_minutes=30),))])
    made = plan(of, {"a-0": [stop("v", 600)]})
    assert check(of, made) == []
    assert made.routes[0].stops[0].end_minutes == 630


def test_a_shift_without_start_and_end_begins_and_ends_at_its_visits():
    own = shift(start_location_id=None, end_location_id=None, start=600, end=665)
    of = instance([visit(access_minutes=5)], shifts=[own])
    assert check(of, plan(of, {"a-0": [stop("v", 605)]})) == []


def with_absence(start, end, **more):
    return instance([visit("v", 1), visit("w", 3)], [carer(absences=(Absence(start, end),), **more)])


def test_nobody_serves_while_absent():
    of = with_absence(600, 700)
    assert check(of, plan(of, {"a-0": [stop("v", 540), stop("w", 720)]})) == []
    assert codes(of, plan(of, {"a-0": [stop("v", 541), stop("w", 760)]})) == [C.ABSENT]


def test_nobody_travels_while_absent():
    of = with_absence(560, 700)
    good = plan(of, {"a-0": [stop("v", 490), stop("w", 720)]})
    stops = good.routes[0].stops
    # Of the journey of 20 minutes, ten lie before the absence: it ends at 710, not at 570.
    assert stops[1].arrival_minutes == 710
    assert check(of, good) == []
    through = changed_route(good, stops=(stops[0], replace(stops[1], arrival_minutes=709)))
    assert codes(of, through) == [C.ABSENT]


def with_break(*breaks):
    own = shift(breaks=tuple(breaks))
    return instance([visit("v", 1), visit("w", 3, access_minutes=5)], shifts=[own])


LUNCH = Break(600, 700, 30)


def test_a_break_is_taken_within_its_span_for_its_length():
    of = with_break(LUNCH)
    stops = {"a-0": [stop("v", 520), stop("w", 720)]}
    assert check(of, plan(of, stops, breaks={"a-0": [(620, 650)]})) == []
    assert codes(of, plan(of, stops, breaks={"a-0": [(599, 629)]})) == [C.BREAK_TIME]
    assert codes(of, plan(of, stops, breaks={"a-0": [(620, 649)]})) == [C.BREAK_TIME]


def test_a_break_must_be_taken_once():
    of = with_break(LUNCH)
    stops = {"a-0": [stop("v", 520), stop("w", 720)]}
    assert codes(of, plan(of, stops)) == [C.BREAK_MISSING]
    assert codes(of, plan(of, stops, breaks={"a-0": [(600, 630), (640, 670)]})) == [C.BREAK_MISSING]


def test_a_break_is_interrupted_neither_by_service_nor_by_access():
    of = with_break(LUNCH)
    served = plan(of, {"a-0": [stop("v", 560), stop("w", 760)]}, breaks={"a-0": [(610, 640)]})
    assert codes(of, served) == [C.BREAK_INTERRUPTED]
    at_the_door = plan(of, {"a-0": [stop("v", 520), stop("w", 720)]}, breaks={"a-0": [(686, 716)]})
    assert codes(of, at_the_door) == [C.BREAK_INTERRUPTED]


def test_a_break_on_the_way_makes_the_journey_longer():
    of = with_break(Break(600, 600, 30))
    good = plan(of, {"a-0": [stop("v", 530), stop("w", 645)]}, breaks={"a-0": [(600, 630)]})
    assert check(of, good) == []
    stops = good.routes[0].stops
    through = changed_route(good, stops=(stops[0], replace(stops[1], arrival_minutes=639)))
    assert codes(of, through) == [C.TRAVEL_TOO_SHORT]


def test_stated_travel_work_and_tardiness_must_be_true():
    of, made = one(windows=(window(480, 590),), max_tardiness_minutes=20)
    assert made.routes[0].stops[0].tardiness_minutes == 10
    assert check(of, made) == []
    assert codes(of, changed_route(made, travel_minutes=19)) == [C.STATED_TRAVEL]
    assert codes(of, changed_route(made, work_minutes=81)) == [C.STATED_WORK]
    assert codes(of, changed_stop(made, tardiness_minutes=0)) == [C.STATED_TARDINESS]


# Windows, two people, pins


def test_every_start_lies_in_a_window_tardiness_included():
    two = (window(480, 500), window(600, 620))
    assert check(*one(620, windows=two)) == []
    assert codes(*one(550, windows=two)) == [C.OUTSIDE_WINDOWS]
    assert check(*one(640, windows=two, max_tardiness_minutes=20)) == []
    assert codes(*one(641, windows=two, max_tardiness_minutes=20)) == [C.OUTSIDE_WINDOWS]


def two_people(first, second, caregivers=TWO_CARERS, more_instance=None, **more):
    of = instance([pair(**more)], caregivers, **(more_instance or {}))
    names = [c.id for c in caregivers]
    rows = {f"{names[0]}-0": [stop("v", first)], f"{names[1]}-0": [stop("v", second, slot=1)]}
    return of, plan(of, rows)


def test_both_people_start_within_the_same_window():
    apart = Synchronisation(0, 120)
    two = (window(480, 500), window(540, 620))
    assert check(*two_people(545, 600, windows=two, synchronisation=apart)) == []
    assert codes(*two_people(500, 540, windows=two, synchronisation=apart)) == [C.DIFFERENT_WINDOWS]


def test_the_second_person_keeps_the_offset():
    offset = Synchronisation(30, 60)
    assert check(*two_people(600, 660, synchronisation=offset)) == []
    assert codes(*two_people(600, 629, synchronisation=offset)) == [C.OFFSET]
    assert codes(*two_people(600, 661, synchronisation=offset)) == [C.OFFSET]
    assert check(*two_people(600, 600)) == []
    assert codes(*two_people(600, 601)) == [C.OFFSET]


def test_two_slots_need_two_different_people_unless_one_may_do_both():
    def twice(**more):
        of = instance([pair(synchronisation=Synchronisation(60, 90, **more))])
        return of, plan(of, {"a-0": [stop("v", 600), stop("v", 660, slot=1)]})

    assert check(*twice(same_caregiver_allowed=True)) == []
    assert codes(*twice()) == [C.SAME_PERSON]


def test_a_two_person_visit_keeps_the_mixes_of_service_and_visit():
    people = (carer("a", CARER), carer("b", VOLUNTEER))
    mixed, carers = ((VOLUNTEER, CARER),), ((CARER, CARER),)
    allowing = {"services": [service(mixes=mixed)]}
    assert check(*two_people(600, 600, people, allowing)) == []
    assert codes(*two_people(600, 600, people, {"services": [service(mixes=carers)]})) == [C.MIX]
    assert codes(*two_people(600, 600, people, allowing, mixes=carers)) == [C.MIX]


def test_an_excluded_pair_never_comes_together():
    pairs = {"excluded_pairs": (ExcludedPair("b", "a"),)}
    assert check(*two_people(600, 600)) == []
    assert codes(*two_people(600, 600, more_instance=pairs)) == [C.EXCLUDED_PAIR]


def test_an_excluded_pair_may_serve_different_visits():
    of = instance([visit("v"), visit("w")], [carer("a"), carer("b")], excluded_pairs=(ExcludedPair("a", "b"),))
    assert check(of, plan(of, {"a-0": [stop("v", 600)], "b-0": [stop("w", 600)]})) == []


def with_pin(pin, start, who="a"):
    of = instance([visit(slots=(Slot(pin=pin),))], [carer("a"), carer("b")])
    return of, plan(of, {f"{who}-0": [stop("v", start)]})


def test_a_pinned_person_is_kept():
    assert check(*with_pin(Pin("a"), 600)) == []
    assert codes(*with_pin(Pin("b"), 600)) == [C.PINNED_PERSON]


def test_a_pinned_start_is_kept():
    assert check(*with_pin(Pin(start_minutes=600), 600)) == []
    assert codes(*with_pin(Pin(start_minutes=600), 601)) == [C.PINNED_START]


def dropped(*visits, caregivers=TWO_CARERS[:1], routes=None, **more):
    of = instance(visits, caregivers, **more)
    return codes(of, plan(of, routes or {}))


def test_an_agreed_slot_that_could_be_kept_is_not_dropped():
    agreed = (Slot(pin=Pin("a", 600)),)
    assert dropped(visit(slots=agreed)) == [C.PIN_DROPPED]
    # It may be dropped where it breaks a hard rule by itself: outside its window, not qualified, ...
    assert dropped(visit(slots=agreed, windows=(window(700, 800),))) == []
    assert dropped(visit(slots=agreed, excluded_caregiver_ids=("a",))) == []
    assert dropped(visit(slots=agreed), shifts=[shift(start=595)]) == []
    # ... or against another agreed slot, but not to make room for one that was not agreed.
    other = visit("w", slots=(Slot(pin=Pin("a", 630)),))
    assert dropped(visit(slots=agreed), other, routes={"a-0": [stop("w", 630)]}) == []
    assert dropped(visit(slots=agreed), visit("w"), routes={"a-0": [stop("w", 630)]}) == [C.PIN_DROPPED]


def test_an_agreed_slot_may_be_dropped_when_its_line_is_full():
    person = carer(organisation_id="o", needs_contract_line=True)
    line = ContractLine("l", "o", ("care",))
    agreed = visit(slots=(Slot(pin=Pin("a", 600)),), contract_line_ids=("l",))
    more = {"caregivers": [person], "contract_lines": (line,)}
    assert dropped(agreed, **more, budgets=(Budget("b", "l", 0, 0, 60),)) == [C.PIN_DROPPED]
    assert dropped(agreed, **more, budgets=(Budget("b", "l", 0, 0, 59),)) == []


def test_an_agreed_person_of_two_is_kept_even_without_the_other():
    slots = (Slot(pin=Pin("a", 600)), Slot())
    assert dropped(pair(slots=slots)) == [C.PIN_DROPPED]


# Who may fill a slot


def by(person, of_service=None, day=0, **more):
    own = visit(windows=(window(day=day),), **more)
    of = instance([own], [person], horizon_days=day + 1, services=[of_service or service()])
    return of, plan(of, {f"{person.id}-{day}": [stop("v", day * DAY + 600)]})


def test_service_visit_and_slot_narrow_the_kinds_of_provider():
    volunteer = carer(kind=VOLUNTEER)
    assert check(*by(volunteer)) == []
    assert codes(*by(volunteer, service(kinds=(CARER,)))) == [C.PROVIDER_KIND]
    assert codes(*by(volunteer, provider_kinds=(CARER, SOCIAL_WORKER))) == [C.PROVIDER_KIND]
    assert codes(*by(volunteer, slots=(Slot(provider_kinds=(CARER,)),))) == [C.PROVIDER_KIND]


def test_only_offered_services_are_given():
    assert check(*by(carer(service_ids=("care",)))) == []
    assert codes(*by(carer(service_ids=()))) == [C.SERVICE_NOT_OFFERED]


def test_the_service_of_a_slot_counts_for_that_slot():
    cooking = Slot(service_id="cook")
    of = instance([visit(slots=(cooking,))], [carer(service_ids=("care",))], services=[service(), service("cook")])
    assert codes(of, plan(of, {"a-0": [stop("v", 600)]})) == [C.SERVICE_NOT_OFFERED]


@pytest.mark.parametrize("where", ["service", "visit", "slot"])
def test_every_required_qualification_is_held(where):
    needs = {"required_qualifications": ("nurse",)}
    given = service(**needs) if where == "service" else service()
    more = needs if where == "visit" else {"slots": (Slot(**needs),)} if where == "slot" else {}
    people = [
        carer("a", qualifications=(Qualification("nurse"),)),
        carer("b", qualifications=(Qualification("driver"),)),
    ]
    of = instance([visit(**more)], people, services=[given])
    assert check(of, plan(of, {"a-0": [stop("v", 600)]})) == []
    assert codes(of, plan(of, {"b-0": [stop("v", 600)]})) == [C.QUALIFICATION_MISSING]


@pytest.mark.parametrize("day, good", [(0, False), (1, True), (2, True), (3, False)])
def test_a_qualification_counts_only_on_the_days_it_is_valid(day, good):
    nurse = carer(qualifications=(Qualification("nurse", 1, 2),))
    expected = [] if good else [C.QUALIFICATION_NOT_VALID]
    assert codes(*by(nurse, service(required_qualifications=("nurse",)), day=day)) == expected


def test_a_renewed_qualification_counts_though_the_old_one_has_ended():
    nurse = carer(qualifications=(Qualification("nurse", None, -5), Qualification("nurse", -4, None)))
    assert check(*by(nurse, service(required_qualifications=("nurse",)))) == []


def test_hard_wishes_are_kept_and_soft_ones_cost():
    woman = carer(gender=Gender.FEMALE, languages=("minnan",))
    man = carer(gender=Gender.MALE, languages=("mandarin",))
    for hard in (True, False):
        wishes = {"gender_wish": Wish(("female",), hard), "language_wish": Wish(("minnan",), hard)}
        assert check(*by(woman, **wishes)) == []
        assert codes(*by(man, **wishes)) == ([C.GENDER, C.LANGUAGE] if hard else [])


def test_an_excluded_caregiver_never_comes():
    assert codes(*by(carer(), excluded_caregiver_ids=("a",))) == [C.EXCLUDED]


def test_a_minor_gives_only_services_that_allow_it():
    assert check(*by(carer(minor=True))) == []
    assert codes(*by(carer(minor=True), service(minors_allowed=False))) == [C.MINOR]


@pytest.mark.parametrize("until, good", [(None, True), (1, True), (0, False), (-1, False)])
def test_insurance_is_valid_on_the_day_where_the_service_asks_for_it(until, good):
    expected = [] if good else [C.INSURANCE]
    person = carer(insured_until_day=until)
    assert codes(*by(person, service(insurance_required=True), day=1)) == expected
    assert check(*by(person, day=1)) == []


def test_a_radius_in_minutes_is_kept():
    assert check(*by(carer(home_location_id="p4", radius_minutes=30))) == []
    assert codes(*by(carer(home_location_id="p4", radius_minutes=29))) == [C.RADIUS]


def test_a_radius_in_metres_is_kept():
    # One minute of arc along a meridian is 1853 metres on a sphere of 6371 km.
    places = (Location("p0", 24.0, 118.0), Location("p1", 24.0 + 1 / 60, 118.0))

    def within(metres):
        of = instance([visit()], [carer(home_location_id="p0", radius_metres=metres)], places=2, locations=places)
        return codes(of, plan(of, {"a-0": [stop("v", 600)]}))

    assert within(1854) == []
    assert within(1853) == [C.RADIUS]
