"""Working stretches: patterns, plus extras, less absences."""

from datetime import date

import pytest

from linkage.core import audit
from linkage.core.clock import parse_moment
from linkage.core.errors import InvalidInput
from linkage.core.events import AbsenceRecorded, _effects
from linkage.core.extensions import db
from linkage.people.models import Person, WorkException, WorkPattern
from linkage.people.operations import WeekSpan, add_absence, add_extra, cancel_exception, set_week_pattern
from linkage.people.schedule import day_spans

TUESDAY = date(2026, 11, 24)
WEDNESDAY = date(2026, 11, 25)


@pytest.fixture
def manager(ctx, world):
    return world.actor("manager")


@pytest.fixture
def wu(world):
    return lambda: db.session.get(Person, world.key("wu"))


@pytest.fixture
def absences():
    """What is announced while the test runs."""
    heard = []
    handlers = _effects[AbsenceRecorded]
    before = list(handlers)
    handlers[:] = [("test", heard.append)]
    yield heard
    handlers[:] = before


def hours(world, name="wu", first=TUESDAY, last=TUESDAY):
    spans = day_spans(first, last, person_ids=[world.key(name)]).get(world.key(name), [])
    return [(span.day.day, span.start_minute // 60, span.end_minute // 60) for span in spans]


def test_a_week_pattern_gives_its_hours_on_its_weekdays(ctx, world):
    assert hours(world, first=date(2026, 11, 20), last=date(2026, 11, 23)) == [(20, 8, 17), (23, 8, 17)]


def test_everybody_of_a_planning_area_is_found_by_kind(ctx, world):
    found = day_spans(TUESDAY, TUESDAY, area_id=3)
    assert {span.kind for span in found[world.key("zhuang")]} == {"available"}
    assert {world.key("wu"), world.key("guo"), world.key("ye")} <= set(found)
    assert day_spans(TUESDAY, TUESDAY, area_id=6) == {}


def test_an_absence_of_whole_days_takes_the_shift_away_and_is_announced(commit, world, manager, wu, absences, now):
    commit(lambda: add_absence(wu(), TUESDAY, WEDNESDAY, reason="ill", by=manager, now=now))
    assert hours(world, first=TUESDAY, last=date(2026, 11, 26)) == [(26, 8, 17)]
    (event,) = absences
    assert event.starts_at == parse_moment("2026-11-24T00:00")
    assert event.ends_at == parse_moment("2026-11-26T00:00")


def test_an_absence_of_some_hours_leaves_the_rest(commit, world, manager, wu, absences, now):
    commit(
        lambda: add_absence(
            wu(), TUESDAY, TUESDAY, reason="training", start_minute=600, end_minute=720, by=manager, now=now
        )
    )
    assert hours(world) == [(24, 8, 10), (24, 12, 17)]
    assert absences[0].starts_at == parse_moment("2026-11-24T10:00")


def test_a_cancelled_absence_gives_the_hours_back(commit, world, manager, wu, now):
    row = commit(lambda: add_absence(wu(), TUESDAY, TUESDAY, reason="ill", by=manager, now=now))
    commit(lambda: cancel_exception(db.session.get(WorkException, row.id), wu(), by=manager, now=now))
    assert hours(world) == [(24, 8, 17)]


def test_an_extra_stretch_adds_only_what_is_not_worked_anyway(commit, world, manager, wu, now):
    commit(
        lambda: add_extra(
            wu(), "shift", TUESDAY, TUESDAY, start_minute=900, end_minute=1200, area_id=3, by=manager, now=now
        )
    )
    assert hours(world) == [(24, 8, 17), (24, 17, 20)]


def test_cancelling_an_extra_stretch_announces_the_hours_that_are_no_longer_worked(
    commit, world, manager, wu, absences, now
):
    row = commit(
        lambda: add_extra(
            wu(), "shift", TUESDAY, TUESDAY, start_minute=900, end_minute=1200, area_id=3, by=manager, now=now
        )
    )
    commit(lambda: cancel_exception(db.session.get(WorkException, row.id), wu(), by=manager, now=now))
    (event,) = absences
    assert (event.starts_at, event.ends_at) == (parse_moment("2026-11-24T17:00"), parse_moment("2026-11-24T20:00"))


def night_shift(world, now):
    audit.record("test.night", ("people", ""), by=None, now=now)
    db.session.add(
        WorkPattern(
            person_id=world.key("clerk"),
            kind="shift",
            area_id=3,
            weekday=1,
            start_minute=1320,
            end_minute=1800,
            valid_from=date(2026, 1, 1),
            valid_to=None,
        )
    )


@pytest.mark.parametrize(
    ("day", "left"),
    [(TUESDAY, []), (WEDNESDAY, [(24, 22, 24)]), (date(2026, 11, 26), [(24, 22, 30)])],
    ids=["its own day", "the next morning", "another day"],
)
def test_a_night_shift_loses_what_an_absence_takes_of_either_day(commit, world, manager, now, day, left):
    commit(lambda: night_shift(world, now))
    clerk = db.session.get(Person, world.key("clerk"))
    commit(lambda: add_absence(clerk, day, day, reason="leave", by=manager, now=now))
    assert hours(world, "clerk") == left


def test_the_break_stays_with_the_part_in_which_it_lies(commit, world, manager, wu, now):
    week = [WeekSpan(1, 480, 1020, 3, break_from=720, break_minutes=60)]
    commit(lambda: set_week_pattern(wu(), "shift", week, valid_from=TUESDAY, by=manager, now=now))
    commit(
        lambda: add_absence(
            wu(), TUESDAY, TUESDAY, reason="leave", start_minute=480, end_minute=600, by=manager, now=now
        )
    )
    shift = [span for span in day_spans(TUESDAY, TUESDAY)[world.key("wu")] if span.organisation_id is None]
    assert [(span.start_minute, span.break_from, span.break_minutes) for span in shift] == [(600, 720, 60)]


def test_a_new_week_holds_from_its_day_and_keeps_the_past(commit, world, manager, wu, now):
    lukang = world.key("lukang")
    week = [WeekSpan(2, 540, 720, 3)]
    commit(
        lambda: set_week_pattern(wu(), "shift", week, valid_from=WEDNESDAY, organisation_id=lukang, by=manager, now=now)
    )
    assert hours(world, first=date(2026, 11, 23), last=date(2026, 11, 27)) == [(23, 8, 17), (24, 8, 17), (25, 9, 12)]


def test_a_second_change_from_the_same_day_replaces_the_first(commit, world, manager, wu, now):
    lukang = world.key("lukang")
    for start in (540, 600):
        week = [WeekSpan(2, start, 720, 3)]
        commit(
            lambda week=week: set_week_pattern(
                wu(), "shift", week, valid_from=WEDNESDAY, organisation_id=lukang, by=manager, now=now
            )
        )
    assert hours(world, first=WEDNESDAY, last=WEDNESDAY) == [(25, 10, 12)]


@pytest.mark.parametrize(
    ("spans", "field"),
    [
        ([(0, 600, 540)], "day0_from"),
        ([(0, 480, 720), (0, 660, 900)], "day0_from"),
        ([(0, 480, 720, 690, 60)], "day0_break_from"),
        ([(0, 1320, 1800), (1, 300, 600)], "day1_from"),
        ([(6, 1320, 1800), (0, 300, 600)], "day0_from"),
    ],
    ids=["backwards", "overlapping", "break outside", "the next morning", "Monday morning"],
)
def test_an_impossible_week_is_refused_at_its_field(ctx, manager, wu, now, spans, field):
    week = [WeekSpan(day, start, end, 3, *rest) for day, start, end, *rest in spans]
    with pytest.raises(InvalidInput) as refused:
        set_week_pattern(wu(), "shift", week, valid_from=TUESDAY, by=manager, now=now)
    assert list(refused.value.errors) == [field]


def test_nobody_works_from_their_death_on(commit, world, wu, now):
    def die():
        audit.record("test.death", wu(), by=None, now=now)
        wu().died_on = WEDNESDAY

    commit(die)
    assert hours(world, first=TUESDAY, last=date(2026, 11, 27)) == [(24, 8, 17)]
