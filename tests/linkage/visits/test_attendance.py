"""Check in, check out, minutes, hours, deliveries, corrections, confirmation, lateness."""

from datetime import timedelta

import pytest
from visiting import visits_of

from linkage.contracts.capacity import capacity_snapshot
from linkage.contracts.models import ContractLine
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.models import AuditRow, OutboxRow
from linkage.visits import attendance, periodic, status
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, AttendanceCorrection, HoursEntry, Visit
from linkage.visits.queries import met_of_due, minutes_given, record_of


@pytest.fixture
def do(commit):
    """``do("check_in", assignment, …)``: an operation on a fresh assignment, in a transaction."""

    def run(name, one, *args, **values):
        return commit(lambda: getattr(attendance, name)(db.session.get(type(one), one.id), *args, **values))

    return run


@pytest.fixture
def served(booked, do, world, at):
    """``served("zhuang", "lin", "chat", until="09:50")``: booked at nine, checked in then, checked out."""

    def make(*names, until="09:50", **values):
        one = booked(*names, **values)
        do("check_in", one, method="staff", by=world.actor("clerk"), now=at("09:00"))
        do("check_out", one, method="staff", by=world.actor("clerk"), now=at(until))
        return db.session.get(Assignment, one.id)

    return make


def refusal(make):
    with pytest.raises(Refused) as refused:
        make()
    return refused.value.reason


def held(world, name):
    line = db.session.get(ContractLine, world.key("line/" + name))
    found = capacity_snapshot([line], ["2026-11"])[line.id, "2026-11"]
    return found.reserved, found.committed, found.delivered


def told(kind, world=None, name=None):
    rows = db.session.query(OutboxRow).filter_by(kind=kind)
    return (rows.filter_by(person_id=world.key(name)) if name else rows).count()


def state(one, moment):
    return status.status_of(db.session.get(Visit, one.visit_id), moment).value


def test_the_right_code_checks_in(booked, do, world, at):
    one = booked("wu")
    answer = do("check_in_by_code", one, " 22 03 ", by=world.actor("wu"), now=at("08:58"))
    row = db.session.get(Assignment, one.id).attendance
    assert answer.right and (row.checked_in_at, row.check_in_method) == (at("08:58"), "code")
    assert state(one, at("09:30")) == "in_service"


def test_a_wrong_code_is_counted_and_after_five_only_the_call_desk_checks_in(booked, do, world, at):
    one = booked("wu")
    left = [do("check_in_by_code", one, "0000", by=world.actor("wu"), now=at("09:00")).tries_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert refusal(lambda: do("check_in_by_code", one, "2203", by=world.actor("wu"), now=at("09:00"))) == "code_locked"
    do("check_in", one, method="call_desk", by=world.actor("operator"), now=at("09:05"))
    assert state(one, at("09:10")) == "in_service"


def test_codes_never_reach_the_audit_log(booked, do, world, at):
    one = booked("wu")
    do("check_in_by_code", one, "9876", by=world.actor("wu"), now=at("09:00"))
    assert "9876" not in str([row.detail for row in db.session.query(AuditRow)])


def test_without_a_code_in_the_home_no_code_is_right(booked, do, commit, world, at):
    one = booked("wu")
    assert not do("check_in_by_code", one, "", by=world.actor("wu"), now=at("09:00")).right


def test_checking_in_opens_an_hour_before_and_happens_once(booked, do, world, at):
    one, clerk = booked("wu"), world.actor("clerk")
    assert refusal(lambda: do("check_in", one, method="staff", by=clerk, now=at("07:59"))) == "too_early"
    do("check_in", one, method="staff", by=clerk, now=at("08:00"))
    assert refusal(lambda: do("check_in", one, method="staff", by=clerk, now=at("09:00"))) == "already_checked_in"


def test_checking_out_needs_a_check_in_and_happens_once(booked, do, world, at):
    one, clerk = booked("wu"), world.actor("clerk")
    out = lambda: do("check_out", one, method="staff", by=clerk, now=at("10:00"))  # noqa: E731
    assert refusal(out) == "not_checked_in"
    do("check_in", one, method="staff", by=clerk, now=at("09:00"))
    assert out().minutes == 60
    assert refusal(out) == "already_checked_out"


def test_a_volunteers_hours_stand_in_the_record_the_same_day(served, world, at):
    one = served("zhuang", "lin", "chat")
    ((entry, _visit),) = record_of(world.actor("zhuang"))
    assert (entry.minutes, entry.recorded_at, entry.assignment_id) == (50, at("09:50"), one.id)
    assert told("visits.hours", world, "zhuang") == 1


def test_hours_over_midnight_are_the_hours_given(booked, do, world, at):
    one, clerk = booked("zhuang", "lin", "chat"), world.actor("clerk")
    do("check_in", one, method="staff", by=clerk, now=at("2026-11-26T23:30"))
    do("check_out", one, method="staff", by=clerk, now=at("2026-11-27T00:45"))
    assert minutes_given(world.key("zhuang")) == 75


def test_a_carer_has_no_volunteers_hours(served, world):
    served("wu")
    assert db.session.query(HoursEntry).count() == 0


@pytest.mark.parametrize(("until", "delivered"), [("09:50", 50), ("10:00", 60), ("10:40", 60), ("09:00", 0)])
def test_the_minutes_given_are_delivered_at_most_what_was_committed(served, world, until, delivered):
    served("wu", line="lukang/clean", until=until)
    assert held(world, "lukang/clean") == (0, 0, delivered)


def test_a_meal_is_delivered_whole(served, world):
    served("wu", "lin", "meal", line="lukang/meal", charge=1, until="09:10")
    assert held(world, "lukang/meal") == (0, 0, 1)


def test_when_it_is_done_poster_and_family_hear_of_it(served, world):
    served("wu", "chen", "clean")
    assert told("visits.done", world, "clerk") == told("visits.done", world, "chen/head") == 1


def test_a_two_person_visit_is_done_when_both_have_left(booked, visit, do, world, at):
    target, clerk = visit("lin", "bath", people=2), world.actor("clerk")
    pair = [booked("wu", on=target), booked("xu", on=target, place=1)]
    for one in pair:
        do("check_in", one, method="staff", by=clerk, now=at("09:00"))
    do("check_out", pair[0], method="staff", by=clerk, now=at("10:00"))
    assert (state(pair[0], at("10:01")), told("visits.done")) == ("in_service", 0)
    do("check_out", pair[1], method="staff", by=clerk, now=at("10:05"))
    assert (state(pair[0], at("10:06")), told("visits.done", world, "clerk")) == ("done", 1)


def test_nobody_home_is_told_at_once_and_is_no_dead_end(booked, do, world, at):
    one, wu = booked("wu"), world.actor("wu")
    do("report_nobody_home", one, by=wu, now=at("09:05"))
    assert (state(one, at("09:06")), told("visits.nobody_home", world, "clerk")) == ("missed", 1)
    assert do("check_in_by_code", one, "2203", by=wu, now=at("09:12")).right
    assert state(one, at("09:13")) == "in_service"


def test_a_no_show_is_recorded_only_after_the_beginning_and_can_be_corrected(booked, do, world, at):
    one, clerk = booked("wu"), world.actor("clerk")
    assert refusal(lambda: do("record_no_show", one, by=clerk, now=at("08:30"))) == "too_early"
    do("record_no_show", one, by=clerk, now=at("09:20"))
    assert state(one, at("09:21")) == "missed"
    times = {"checked_in_at": at("09:00"), "checked_out_at": at("10:00")}
    do("correct_times", one, **times, reason="did_come", by=clerk, now=at("12:00"))
    assert state(one, at("12:01")) == "done"


def test_a_correction_keeps_the_original_and_hours_and_minutes_follow(served, do, world, at):
    paid, free = served("wu", line="lukang/clean"), served("zhuang", "lin", "chat")
    for one in (paid, free):
        do(
            "correct_times", one, checked_in_at=at("09:10"), checked_out_at=at("09:40"), reason="wrong_time",
            by=world.actor("clerk"), now=at("12:00"),
        )  # fmt: skip
    kept = [(row.minutes, row.checked_out_at) for row in db.session.query(AttendanceCorrection)]
    assert kept == [(50, at("09:50"))] * 2
    assert held(world, "lukang/clean") == (0, 0, 30)
    assert minutes_given(world.key("zhuang")) == 30
    assert [entry.minutes for entry, _visit in record_of(world.actor("zhuang"))] == [30, 50]


def test_a_correction_upwards_delivers_no_more_than_was_ordered(served, do, world, at):
    one = served("wu", line="lukang/clean")
    do(
        "correct_times", one, checked_in_at=at("08:30"), checked_out_at=at("10:30"), reason="forgot_check_out",
        by=world.actor("clerk"), now=at("12:00"),
    )  # fmt: skip
    assert held(world, "lukang/clean") == (0, 0, 60)


def test_a_correction_to_nobody_came_takes_everything_back(served, do, world, at):
    one = served("wu", line="lukang/clean")
    nothing = {"checked_in_at": None, "checked_out_at": None}
    do("correct_times", one, **nothing, reason="did_not_come", by=world.actor("clerk"), now=at("12:00"))
    assert held(world, "lukang/clean") == (0, 0, 0)
    assert state(one, at("12:01")) == "missed"


@pytest.mark.parametrize(
    "values",
    [{"checked_in_at": "09:00", "checked_out_at": "08:00"}, {"checked_in_at": "09:00", "checked_out_at": None},
     {"checked_in_at": "09:00", "checked_out_at": "23:00"}, {"reason": "because"}],
)  # fmt: skip
def test_impossible_corrections_are_refused(served, do, world, at, values):
    one = served("wu")
    given = {"checked_in_at": "09:00", "checked_out_at": "10:00", "reason": "wrong_time", **values}
    times = {name: value and at(value) for name, value in given.items() if name != "reason"}
    with pytest.raises(InvalidInput):
        do("correct_times", one, **times, reason=given["reason"], by=world.actor("clerk"), now=at("12:00"))


def test_the_household_confirms_a_done_visit_once(booked, served, do, world, at):
    one, clerk = booked("xu", on=None), world.actor("clerk")
    visit = db.session.get(Visit, one.visit_id)
    assert refusal(lambda: do("confirm_with_household", visit, 3, by=clerk, now=at("12:00"))) == "not_done"
    visit = served("wu", "chen", "clean").visit
    family = world.actor("chen_home")
    with pytest.raises(InvalidInput):
        do("confirm_with_household", visit, 4, by=family, now=at("12:00"))
    do("confirm_with_household", visit, 3, by=family, now=at("12:00"))
    again = lambda: do("confirm_with_household", visit, 1, by=clerk, now=at("12:10"))  # noqa: E731
    assert refusal(again) == "already_confirmed"
    found = db.session.get(Visit, visit.id)
    assert (found.rating, state(one, at("12:00"))) == (3, "missed")
    assert told("visits.confirmed", world, "clerk") == 1 and told("visits.confirmed", world, "chen/head") == 0


def test_lateness_is_told_to_the_person_then_the_staff_then_counts_as_missed(booked, world, at, ctx):
    one = booked("wu")
    steps = [("09:14", 0), ("09:15", 1), ("09:29", 1), ("09:30", 2), ("09:59", 2), ("10:00", 3), ("11:00", 3)]
    for moment, reached in steps:
        periodic.tell_late_and_missed(at(moment))
        heard = [("visits.late", "wu"), ("visits.alarm", "clerk"), ("visits.missed", "clerk")]
        assert [told(kind, world, who) for kind, who in heard] == [1] * reached + [0] * (3 - reached), moment
    assert told("visits.missed", world, "coordinator") == told("visits.missed", world, "manager") == 1
    assert state(one, at("11:00")) == "missed"


def test_after_an_outage_only_the_last_step_is_told(booked, world, at, ctx):
    booked("wu")
    periodic.tell_late_and_missed(at("11:00"))
    assert (told("visits.late"), told("visits.alarm"), told("visits.missed", world, "clerk")) == (0, 0, 1)


def test_whoever_checked_in_is_not_late(served, at, ctx):
    served("wu")
    periodic.tell_late_and_missed(at("12:00"))
    assert told("visits.late") == told("visits.missed") == 0


def test_a_visit_whose_time_passed_with_an_empty_place_is_closed_and_told_once(visit, booked, world, at, ctx):
    lonely, half = visit("lin", "chat"), visit("chen", "bath", people=2)
    for moment in ("12:00", "12:01", "12:02"):
        periodic.close_unmet(at(moment))
    rows = [db.session.get(Visit, one.id).closed_unmet_at for one in (lonely, half)]
    assert rows == [at("12:01")] * 2
    assert told("visits.unmet", world, "clerk") == 2


def test_minutes_committed_to_a_missed_visit_are_free_a_day_later_and_a_correction_takes_them_again(
    booked, do, world, at, ctx
):
    one = booked("wu", line="lukang/clean")
    periodic.free_missed(at("2026-11-27T09:59"))
    assert held(world, "lukang/clean") == (0, 60, 0)
    for moment in ("2026-11-27T10:01", "2026-11-27T11:01"):
        periodic.free_missed(at(moment))
        assert held(world, "lukang/clean") == (0, 0, 0)
    do(
        "correct_times", one, checked_in_at=at("09:00"), checked_out_at=at("09:45"), reason="forgot_check_in",
        by=world.actor("clerk"), now=at("2026-11-28T09:00"),
    )  # fmt: skip
    assert held(world, "lukang/clean") == (0, 0, 45)


def test_a_need_shows_met_of_due(post, booked, do, world, at):
    need = post("lin", "clean", recurrence="FREQ=WEEKLY;BYDAY=TH")
    visits = visits_of(need)
    one = booked("wu", on=visits[0])
    do("check_in", one, method="staff", by=world.actor("clerk"), now=at("09:00"))
    do("check_out", one, method="staff", by=world.actor("clerk"), now=at("10:00"))
    first, last = visits[0].day, visits[0].day + timedelta(days=13)
    assert met_of_due([need.id], first, last, at("12:00")) == {need.id: (1, 2)}
