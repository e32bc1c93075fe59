"""The week with its exceptions on one form."""

from datetime import date

import pytest
from flask import render_template_string
from werkzeug.datastructures import MultiDict

from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.people import queries, week
from linkage.people.models import Person
from linkage.people.schedule import day_spans
from linkage.people.words import ABSENCE_WORDS

TUESDAY = date(2026, 11, 24)
LINES = [("s0_days", "0"), ("s0_days", "2"), ("s0_from", "08:00"), ("s0_to", "12:00"), ("valid_from", "2026-11-24")]


@pytest.fixture
def save(commit, world, now):
    """Save the form's lines for 吴丽珍; the names of what changed."""

    def send(lines, areas=(3,)):
        form = Form(week.WeekSchema(), MultiDict(lines))
        person = db.session.get(Person, world.key("wu"))
        return commit(
            lambda: week.save_week(
                person,
                "shift",
                form.demand(),
                areas=areas,
                organisation_id=world.key("lukang"),
                by=world.actor("manager"),
                today=TUESDAY,
                now=now,
            )
        )

    return send


def hours(world, first=TUESDAY, last=date(2026, 11, 30)):
    spans = day_spans(first, last, person_ids=[world.key("wu")]).get(world.key("wu"), [])
    return [(span.day.day, span.start_minute, span.end_minute) for span in spans]


def test_each_chosen_day_gets_the_hours(save, world):
    assert save(LINES) == ["week"]
    assert hours(world) == [(25, 480, 720), (30, 480, 720)]


def test_sending_the_stored_week_again_changes_nothing(save, world):
    save(LINES)
    assert save(LINES) == []


def test_the_form_shows_the_stored_week_with_equal_days_together(ctx, world):
    values = week.initial_values(world.key("wu"), "shift", TUESDAY, organisation_id=world.key("lukang"))
    form = Form(None, None, values)
    assert (form.values("s0_days"), form.value("s0_from"), form.value("s0_to")) == (list("01234"), "08:00", "17:00")
    assert list(week.shown_stretches(form.value)) == [0, 1]


def test_an_end_before_the_beginning_lies_on_the_next_morning(save, world):
    save([("s0_days", "1"), ("s0_from", "22:00"), ("s0_to", "06:00"), ("valid_from", "2026-11-24")])
    assert hours(world) == [(24, 1320, 1800)]


def test_a_break_after_midnight_of_a_night_shift_is_kept(save, world):
    night = [("s0_days", "1"), ("s0_from", "22:00"), ("s0_to", "06:00"), ("valid_from", "2026-11-24")]
    save([*night, ("s0_break_from", "01:00"), ("s0_break_minutes", "30")])
    row = queries.week_pattern(world.key("wu"), "shift", TUESDAY, organisation_id=world.key("lukang"))[0]
    assert (row.break_from, row.break_minutes) == (1500, 30)


def test_an_absence_on_the_same_form_is_stored_with_the_week(save, world):
    changed = save([*LINES, ("exception", "absent"), ("ex_first", "2026-11-25"), ("ex_reason", "ill")])
    assert (changed, hours(world)) == (["week", "exception"], [(30, 480, 720)])


def test_extra_hours_on_the_same_form_are_stored_with_the_week(save, world):
    extra = [("exception", "extra"), ("ex_first", "2026-11-28"), ("ex_from", "09:00"), ("ex_to", "11:00")]
    save([*LINES, *extra])
    assert (28, 540, 660) in hours(world)


@pytest.mark.parametrize(
    ("lines", "areas", "field"),
    [
        ([("s0_from", "08:00"), ("s0_to", "09:00")], (3,), "s0_days"),
        ([("s0_days", "0"), ("s0_from", "08:00")], (3,), "s0_from"),
        ([("s0_days", "0"), ("s0_from", "08:00"), ("s0_to", "09:00")], (3, 6), "s0_area"),
        ([("s0_days", "0"), ("s0_from", "08:00"), ("s0_to", "09:00"), ("s0_area", "7")], (3, 6), "s0_area"),
        (
            [
                *(("s0_days", "0"), ("s0_from", "08:00"), ("s0_to", "12:00")),
                *(("s1_days", "0"), ("s1_from", "11:00"), ("s1_to", "13:00")),
            ],
            (3,),
            "s1_from",
        ),
        ([("exception", "absent")], (3,), "ex_first"),
        ([("exception", "absent"), ("ex_first", "2026-11-25"), ("ex_last", "2026-11-24")], (3,), "ex_last"),
        ([("exception", "absent"), ("ex_first", "2026-11-25"), ("ex_from", "09:00")], (3,), "ex_from"),
        ([("exception", "extra"), ("ex_first", "2026-11-25")], (3,), "ex_from"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(ctx, save, lines, areas, field):
    with pytest.raises(InvalidInput) as refused:
        save([*lines, ("valid_from", "2026-11-24")], areas)
    assert list(refused.value.errors) == [field]


def test_the_past_cannot_be_rewritten(save):
    with pytest.raises(InvalidInput) as refused:
        save([*LINES[:-1], ("valid_from", "2026-11-23")])
    assert refused.value.field == "valid_from"


def test_the_macros_show_the_form_and_its_errors(app):
    form = Form(week.WeekSchema(), MultiDict([*LINES[1:4], ("valid_from", "x")]))
    page = """{% import "people/_week.html" as parts %}{{ parts.week_fields(form, week, [(3, "A"), (6, "B")], today) }}
    {{ parts.exception_fields(form, [(3, "A")], words) }}"""
    with app.test_request_context():
        shown = render_template_string(page, form=form, week=week, today=TUESDAY, words=ABSENCE_WORDS)
    assert 'value="08:00"' in shown and 'name="s1_days"' in shown and 'id="f-valid_from-error"' in shown
