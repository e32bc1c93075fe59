"""The smallest change that others make leads to the page where they make it, for readers who get there."""

from datetime import date

import pytest
from visiting import change

from linkage.core.clock import at_minutes
from linkage.core.extensions import db
from linkage.planning import fixing
from linkage.planning.fix_links import fix_link
from linkage.planning.models import Plan, PlanUnserved

TODAY = date(2026, 11, 24)


def test_each_change_leads_to_whom_it_concerns_and_no_stranger_is_led_there(app, visit, world):
    other = visit("lin", "meal")
    expected = {
        ("extend_shift", "caregiver", world.key("wu")): f"/carers/{world.key('carer/wu')}",
        ("widen_radius", "caregiver", world.key("zhuang")): f"/volunteers/{world.key('volunteer/zhuang')}",
        ("borrow_on_line", "line", world.key("line/lukang/meal")): "/contracts/",
        ("hand_over_visit", "visit", other.id): f"/visits/{other.id}",
        ("add_caregiver", "kind", "carer"): "/carers/",
    }
    with app.test_request_context():
        for (code, name, value), address in expected.items():
            found = fix_link({"code": code, name: str(value)}, world.actor("coordinator"), TODAY)
            assert found.startswith(address), code
            assert fix_link({"code": code, name: str(value)}, world.actor("stranger"), TODAY) == "", code
        assert fix_link({"code": "shift_window", "minutes": 5}, world.actor("coordinator"), TODAY) == ""


@pytest.mark.parametrize(
    ("fix", "day", "first", "last"),
    [
        ({"code": "shift_window", "minutes": 45, "size": 45}, 26, 540, 765),
        ({"code": "shift_window", "minutes": -30, "size": 30}, 26, 510, 720),
        ({"code": "other_day", "days": 1, "size": 1}, 27, 540, 720),
    ],
)
def test_an_applied_fix_moves_the_moments_by_which_the_visit_is_found(
    visit, street, world, week, now, commit, fix, day, first, last
):
    one = visit("chen", "meal")

    def build():
        plan = Plan(
            area_id=street.id, number=1, first_day=week.first, last_day=week.last, solved_from=now, created_at=now,
            summary={}, objective={}, curve=[], surrogates={}, expires_at=now,
        )  # fmt: skip
        plan.unserved = [PlanUnserved(visit_id=one.id, reason={"code": "busy"}, fix=fix)]
        db.session.add(plan)
        db.session.flush()
        return plan.unserved[0].id

    row_id = change(world, build)
    commit(lambda: fixing.apply_fix(db.session.get(PlanUnserved, row_id), by=world.actor("coordinator"), now=now))
    db.session.refresh(one)
    assert (one.day.day, one.earliest_at, one.latest_at) == (
        day, at_minutes(date(2026, 11, day), first), at_minutes(date(2026, 11, day), last),
    )  # fmt: skip
