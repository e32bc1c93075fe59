import pytest
from flask import current_app

from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.tasks import Reader, Urgency
from linkage.desk import todo
from linkage.households.models import Consent
from linkage.visits import attendance
from linkage.visits.models import Assignment
from tests.visiting import book_for, change, open_for, post_for, visits_of

EARLY = parse_moment("2026-11-20T09:00")
TODAY = parse_moment("2026-11-24T00:00").date()


@pytest.fixture
def visit(ctx, commit, world):
    """``visit("lin", "clean", 10, 12)``: today's visit within these hours; returns its first slot's id."""

    def make(household, service, first, last, *, on=None, **values):
        return commit(
            lambda: (
                visits_of(
                    post_for(
                        world,
                        household,
                        service,
                        now=EARLY,
                        starts_on=on or parse_moment("2026-11-24T12:00").date(),
                        window_start=first * 60,
                        window_end=last * 60,
                        **values,
                    )
                )[0]
                .slots[0]
                .id
            )
        )

    return make


def kinds(world, who, now, urgency=None):
    """Names of the kinds of work that wait, of the first two groups, or of one."""
    with current_app.test_request_context():
        groups = todo.todo_of(Reader(world.actor(who), now), folded=False).groups
    names = {one: [part.kind.name.split(".")[1] for part in groups.get(one, [])] for one in Urgency}
    return names[urgency] if urgency else (names[Urgency.NOW], names[Urgency.ASK])


def test_what_is_late_or_without_anyone_cannot_wait(visit, commit, world, now):
    late, _nobody = visit("lin", "clean", 10, 12), visit("chen", "meal", 11, 13)
    commit(lambda: book_for(world, "guo", late, "2026-11-24T10:00", now=EARLY))
    assert sorted(kinds(world, "clerk", now)[0]) == ["late", "nobody"]


def test_a_visit_that_ended_is_to_be_confirmed_with_the_household(visit, commit, world, now):
    slot = visit("lin", "clean", 8, 10)
    booked = commit(lambda: book_for(world, "guo", slot, "2026-11-24T08:00", now=EARLY).id)
    for act, at in ((attendance.check_in, "08:00"), (attendance.check_out, "09:00")):
        moment = parse_moment(f"2026-11-24T{at}")
        commit(
            lambda act=act, moment=moment: act(db.session.get(Assignment, booked), method="staff", by=None, now=moment)
        )
    assert kinds(world, "clerk", now) == ([], ["confirm"])


def test_whoever_checked_in_but_not_out_is_asked_about(visit, commit, world, now):
    slot = visit("lin", "clean", 8, 10)
    booked = commit(lambda: book_for(world, "guo", slot, "2026-11-24T08:00", now=EARLY).id)
    moment = parse_moment("2026-11-24T08:00")
    commit(lambda: attendance.check_in(db.session.get(Assignment, booked), method="staff", by=None, now=moment))
    assert kinds(world, "clerk", now) == ([], ["no_check_out"])


def test_a_consent_that_ends_soon_is_named_before_it_does(world, now, ctx):
    def end_soon():
        row = db.session.query(Consent).filter_by(household_id=world.key("household/chen"), purpose="service").one()
        row.expires_on = parse_moment("2026-12-04T12:00").date()

    assert "consents" not in kinds(world, "clerk", now, Urgency.SOON)
    change(world, end_soon)
    assert "consents" in kinds(world, "clerk", now, Urgency.SOON)
    assert "consents" not in kinds(world, "clerk2", now, Urgency.SOON)


def test_the_headline_counts_what_waits_and_names_lead_to_the_household(visit, open_as, words, world):
    visit("chen", "meal", 11, 13)
    page = open_as("clerk").get("/")
    assert "1 thing to do today" in words(page) and "陈阿珠" in words(page)
    assert f"/households/{world.key('household/chen')}" in page.get_data(as_text=True)


def test_nobody_sees_the_work_of_another_street(visit, open_as, words):
    visit("chen", "meal", 11, 13)
    assert "Nothing waits for you today" in words(open_as("stranger").get("/"))
    assert "陈" not in words(open_as("clerk2").get("/"))


def test_names_are_masked_for_the_coordinator(visit, open_as, words):
    visit("chen", "meal", 11, 13)
    page = words(open_as("coordinator").get("/"))
    assert "陈**" in page and "陈阿珠" not in page


@pytest.mark.parametrize(
    "who", ["clerk", "operator", "coordinator", "manager", "supervisor", "admin", "wu", "zhuang", "chen_home"]
)
def test_every_role_lands_on_a_page(open_as, who):
    answer = open_as(who).get("/", follow_redirects=True)
    assert answer.status_code == 200 and answer.get_data(as_text=True).count("<h1") == 1


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(app):
    assert "/login" in app.test_client().get("/").headers["Location"]


def test_an_unanswered_question_about_a_near_visit_is_shown_with_what_comes_next(visit, commit, world, now):
    slot = visit("chen", "meal", 14, 16, duration_minutes=30)
    commit(lambda: open_for(world, slot, ["zhuang"], hour="14:30"))
    assert "asked" in kinds(world, "clerk", now, Urgency.SOON)


def test_a_deadline_of_today_is_a_time_alone(visit, open_as, words):
    visit("chen", "meal", 11, 13)
    page = words(open_as("clerk").get("/"))
    assert "before 12:00" in page and "before today" not in page
