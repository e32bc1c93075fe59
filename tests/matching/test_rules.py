"""What the search does with each rule of the model, on days small enough to check by hand.

Places lie on a line ten minutes apart; shifts begin at 8:00 (480) at place 0.
"""

from matching.feasibility import check
from matching.instance import (
    Absence,
    Break,
    Budget,
    ContractLine,
    FallbackRule,
    Household,
    LineRule,
    Pin,
    Quota,
    RunningAssignment,
    RunningPlan,
    Slot,
    Synchronisation,
    WorkLimit,
)
from matching.objective import ObjectiveWeights
from matching.solve import solve
from matching.stop import MaxIterations
from tests.matching.builders import CARER, VOLUNTEER, carer, instance, pair, service, shift, visit, window

TWO = (carer("a"), carer("b"))
MIXED = (carer("a", cost_per_minute_fen=60), carer("w", VOLUNTEER))
PAID = carer("a", organisation_id="org", needs_contract_line=True)
TRAVEL_ONLY = ObjectiveWeights(*[0] * 10, travel_per_minute=100, told_per_person=0)


def solved(of):
    made = solve(of, MaxIterations(100))
    assert check(of, made) == []
    return made


def stops(made):
    """Visit -> who comes and when, of one-person visits and pairs alike."""
    return {
        (stop.visit_id, stop.slot): (route.caregiver_id, stop.start_minutes)
        for route in made.routes
        for stop in route.stops
    }


def unserved(made):
    return [row.visit_id for row in made.unserved]


def test_visits_are_chained_along_the_line_rather_than_fetched_one_by_one():
    made = solved(instance([visit("far", 3), visit("near", 1), visit("middle", 2)]))
    assert made.objective.travel_minutes == 60


def test_a_carer_waits_for_the_window_to_open():
    made = solved(instance([visit(windows=(window(600, 630),))]))
    assert stops(made) == {("v", 0): ("a", 600)}


def test_of_several_windows_on_different_days_one_is_used():
    row = visit(windows=(window(600, 630), window(600, 630, day=1)))
    made = solved(instance([row], shifts=[shift("a", 1)], horizon_days=2))
    assert stops(made) == {("v", 0): ("a", 1440 + 600)}


def test_two_people_start_together():
    made = solved(instance([pair(place=3)], TWO))
    assert {start for _, start in stops(made).values()} == {510}


def test_the_second_person_starts_within_the_offset():
    row = pair(synchronisation=Synchronisation(30, 40))
    found = stops(solved(instance([row], TWO)))
    assert 30 <= found["v", 1][1] - found["v", 0][1] <= 40


def test_two_pairs_may_cross_between_the_same_two_people():
    """Each of the two is nearer to another visit first; both pairs are served all the same."""
    rows = [pair("one", 1, windows=(window(490, 700),)), pair("two", 3, windows=(window(490, 700),))]
    made = solved(instance(rows, TWO))
    assert unserved(made) == []


def test_one_person_alone_never_serves_a_visit_of_two():
    made = solved(instance([pair()]))
    assert (made.routes, [row.code for row in made.unserved]) == ((), ["no_second_person"])


def test_a_mix_forbids_two_volunteers():
    people = [carer("w", VOLUNTEER), carer("x", VOLUNTEER), carer("a")]
    of = instance([pair()], people, services=[service(mixes=((CARER, CARER), (CARER, VOLUNTEER)))])
    assert "a" in {who for who, _ in stops(solved(of)).values()}


def test_a_break_is_taken_within_its_span():
    rest = Break(600, 630, 45)
    made = solved(instance([visit(minutes=200)], shifts=[shift("a", breaks=(rest,))]))
    (taken,) = made.routes[0].breaks
    assert 600 <= taken.start_minutes <= 630
    (found,) = made.routes[0].stops
    assert found.end_minutes <= taken.start_minutes or found.start_minutes >= taken.end_minutes


def test_an_absence_is_planned_around():
    people = [carer("a", absences=(Absence(480, 600),))]
    assert stops(solved(instance([visit()], people)))["v", 0][1] >= 610


def test_the_more_vital_tier_is_served_when_there_is_room_for_one():
    rows = [visit("low", tier=2, minutes=60), visit("vital", tier=0, minutes=60)]
    made = solved(instance(rows, shifts=[shift("a", end=560)]))
    assert unserved(made) == ["low"]


def test_one_vital_visit_beats_any_number_of_lower_ones():
    rows = [visit(f"low{i}", tier=1, minutes=10) for i in range(5)] + [visit("vital", tier=0, minutes=60)]
    made = solved(instance(rows, shifts=[shift("a", end=560)]))
    assert "vital" not in unserved(made)


def test_mandatory_comes_before_every_tier():
    rows = [visit("optional", tier=0), visit("mandatory", tier=9, mandatory=True)]
    made = solved(instance(rows, shifts=[shift("a", end=560)]))
    assert unserved(made) == ["optional"]


def test_a_free_volunteer_is_used_before_a_paid_carer():
    made = solved(instance([visit()], MIXED))
    assert stops(made)["v", 0][0] == "w"


def test_a_volunteer_with_a_known_gap_behind_gets_a_paid_fallback():
    made = solved(instance([visit(fallback=FallbackRule.WANTED)], MIXED))
    (row,) = made.fallbacks
    assert (row.caregiver_id, row.start_minutes) == ("a", stops(made)["v", 0][1])


def test_a_volunteer_who_was_asked_already_keeps_a_fallback():
    row = visit(slots=(Slot(pin=Pin("w", 600)),), fallback=FallbackRule.WANTED)
    made = solved(instance([row], MIXED))
    assert [(f.caregiver_id, f.start_minutes) for f in made.fallbacks] == [("a", 600)]


def test_fallbacks_do_not_promise_the_same_carer_twice():
    rows = [visit(f"v{i}", 1, windows=(window(600, 600),), fallback=FallbackRule.WANTED) for i in range(2)]
    people = [carer("a", cost_per_minute_fen=60), carer("w", VOLUNTEER), carer("x", VOLUNTEER)]
    made = solved(instance(rows, people))
    assert len(made.fallbacks) == 1


def test_a_pinned_person_is_never_exchanged():
    row = visit(slots=(Slot(pin=Pin("a")),))
    assert stops(solved(instance([row], MIXED)))["v", 0][0] == "a"


def test_a_pinned_time_is_kept():
    row = visit(slots=(Slot(pin=Pin("a", 777)),))
    assert stops(solved(instance([row]))) == {("v", 0): ("a", 777)}


def test_a_pinned_visit_is_kept_before_a_more_vital_one():
    rows = [visit("vital", tier=0), visit("agreed", tier=9, slots=(Slot(pin=Pin("a")),))]
    made = solved(instance(rows, shifts=[shift("a", end=560)]))
    assert unserved(made) == ["vital"]


def test_half_staffed_keeps_the_person_who_agreed_and_is_unserved():
    row = pair(slots=(Slot(pin=Pin("a", 600)), Slot()))
    made = solved(instance([row]))
    assert (stops(made), unserved(made)) == ({("v", 0): ("a", 600)}, ["v"])


def test_the_standing_person_comes_though_another_lives_nearer():
    row = visit(place=2, slots=(Slot(standing_caregiver_id="a"),))
    near = [shift("a"), shift("b", start_location_id="p2", end_location_id="p2")]
    assert stops(solved(instance([row], TWO, near)))["v", 0][0] == "a"


def test_a_known_face_comes_for_the_price_of_a_short_way():
    row = visit(place=1, household_id="h")
    shifts = [shift("a"), shift("b", start_location_id="p1", end_location_id="p1")]
    home = Household("h", ("a",))
    quiet = ObjectiveWeights(unfairness_per_minute=0, new_face=2100)
    assert stops(solved(instance([row], TWO, shifts, households=[home], weights=quiet)))["v", 0][0] == "a"


def test_no_more_new_faces_come_than_the_household_accepts():
    rows = [visit(f"v{i}", 1, household_id="h", windows=(window(600, 600),)) for i in range(2)]
    made = solved(instance(rows, TWO, households=[Household("h", max_new_faces=1)]))
    assert len(unserved(made)) == 1


def test_the_hours_of_a_week_hold_over_its_days():
    people = [carer("a", work_limits=(WorkLimit(0, 1, max_minutes=100),))]
    rows = [visit(f"v{day}", windows=(window(day=day),)) for day in range(2)]
    made = solved(instance(rows, people, horizon_days=2))
    assert len(unserved(made)) == 1


def line(name="n", **more):
    return ContractLine(name, "org", ("care",), **more)


def test_a_budget_serves_the_vital_tier_first():
    rows = [visit(f"v{t}", tier=t, contract_line_ids=("n",)) for t in (2, 0)]
    of = instance(rows, [PAID], contract_lines=(line(),), budgets=(Budget("b", "n", 0, 0, 60),))
    assert unserved(solved(of)) == ["v2"]


def test_a_quota_counts_all_lines_of_a_person():
    rows = [visit(f"v{i}", person_id="p", contract_line_ids=("n", "m")) for i in range(2)]
    of = instance(rows, [PAID], contract_lines=(line(), line("m")), quotas=(Quota("q", "p", 0, 0, 90),))
    assert len(unserved(solved(of))) == 1


def test_lines_are_used_in_order_while_they_have_room():
    rows = [visit(f"v{i}", contract_line_ids=("n", "m")) for i in range(2)]
    lines = (line(price_fen=90), line("m", price_fen=10))
    made = solved(instance(rows, [PAID], contract_lines=lines, budgets=(Budget("b", "n", 0, 0, 60),)))
    assert sorted(s.line_id for s in made.routes[0].stops) == ["m", "n"]


def test_under_the_first_line_only_a_full_line_leaves_the_visit_unserved():
    row = visit(contract_line_ids=("n", "m"), line_rule=LineRule.FIRST)
    of = instance([row], [PAID], contract_lines=(line(), line("m")), budgets=(Budget("b", "n", 0, 0, 0),))
    assert unserved(solved(of)) == ["v"]


def test_under_any_line_the_cheapest_pays():
    row = visit(contract_line_ids=("n", "m"), line_rule=LineRule.ANY)
    lines = (line(price_fen=90), line("m", price_fen=10))
    made = solved(instance([row], [PAID], contract_lines=lines))
    assert made.routes[0].stops[0].line_id == "m"


def test_a_pair_charged_once_draws_once():
    people = [PAID, carer("b", organisation_id="org", needs_contract_line=True)]
    row = pair(contract_line_ids=("n",), charged_once=True)
    made = solved(instance([row], people, contract_lines=(line(),), budgets=(Budget("b", "n", 0, 0, 60),)))
    assert unserved(made) == []


def running(*rows):
    return RunningPlan(tuple(RunningAssignment(v, 0, who, start) for v, who, start in rows))


def test_nobody_is_moved_for_less_than_it_costs_to_tell_them():
    """Exchanging the two saves ten minutes each; four people would have to be told."""
    rows = [visit("u", 1, windows=(window(600, 700),)), visit("v", 2, windows=(window(600, 700),))]
    told = running(("u", "b", 600), ("v", "a", 600))
    made = solved(instance(rows, TWO, running_plan=told))
    assert made.objective.people_told == 0


def test_people_are_told_when_it_saves_much():
    rows = [visit("u", 5, windows=(window(600, 900),)), visit("v", 5, windows=(window(600, 900),))]
    told = running(("u", "a", 600), ("v", "b", 600))
    cheap = ObjectiveWeights(unfairness_per_minute=0, new_face=0, told_per_person=1000)
    made = solved(instance(rows, TWO, running_plan=told, weights=cheap))
    assert len(made.routes) == 1


def test_a_half_staffed_visit_of_the_running_plan_finds_its_second_person():
    row = pair(slots=(Slot(pin=Pin("a", 600)), Slot()))
    made = solved(instance([row], TWO, running_plan=running(("v", "a", 600))))
    assert stops(made) == {("v", 0): ("a", 600), ("v", 1): ("b", 600)}


def test_an_unchanged_day_keeps_its_running_plan_to_the_minute():
    """Both could come earlier; they were told 9:00 and 11:00."""
    rows = [visit("u", 1), visit("v", 2)]
    made = solved(instance(rows, running_plan=running(("u", "a", 540), ("v", "a", 660))))
    assert stops(made) == {("u", 0): ("a", 540), ("v", 0): ("a", 660)}


def test_an_illness_moves_nobody_who_can_stay():
    rows = [visit(f"v{i}", i + 1, windows=(window(500, 900),)) for i in range(4)]
    told = running(("v0", "a", 500), ("v1", "a", 570), ("v2", "b", 510), ("v3", "b", 580))
    made = solved(instance(rows, TWO, [shift("a")], running_plan=told))
    kept = stops(made)
    assert (unserved(made), kept["v0", 0][1], kept["v1", 0][1]) == ([], 500, 570)


def test_a_visit_waits_for_its_preferred_time_when_that_costs_nothing():
    row = visit(preferred_windows=(window(700, 720),))
    assert 700 <= stops(solved(instance([row])))["v", 0][1] <= 720


def test_lateness_is_chosen_over_leaving_someone_out():
    row = visit(windows=(window(480, 485),), max_tardiness_minutes=30)
    made = solved(instance([row]))
    assert made.objective.tardiness_minutes == 5
