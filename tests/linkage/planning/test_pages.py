"""The coordinator's pages: begin, look, compare, publish; and what others see of them."""

from datetime import date

import pytest
from visiting import book_for, post_for

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.planning import operations, publishing
from linkage.planning.models import Plan
from linkage.visits import operations as visits
from linkage.visits.models import Assignment, Visit
from linkage.worker import Runner


def post(world, *needs):
    unit_of_work(lambda: [post_for(world, *names, **values) for names, values in needs])


def request_run(world):
    return operations.request_plan(
        db.session.get(Area, 3),
        first_day=date(2026, 11, 24),
        last_day=date(2026, 11, 29),
        by=world.actor("coordinator"),
        now=world.NOW,
        seconds=1,
    )


def work(app):
    """Carry out what is queued, as a worker does."""
    runner = Runner(app)
    while runner.run_one():
        pass


@pytest.fixture
def solved(app, world):
    """A draft of the week with a staffed and an unmet visit."""
    with app.app_context():
        post(world, (("chen", "bath"), {"people": 2}), (("lin", "counsel"), {}))
        unit_of_work(lambda: request_run(world))
        work(app)
        found = str(db.session.query(Plan.id).scalar())
        db.session.remove()
    return found


def test_the_line_of_truth_adds_up_and_each_view_opens(solved, sign_in):
    client = sign_in("coordinator")
    page = client.get(f"/plans/{solved}").text
    assert "2 次上门" in page
    assert "1 次排定" in page and "1 次没人能去" in page
    for view in ("timeline", "people", "visits", "changes"):
        assert client.get(f"/plans/{solved}?view={view}").status_code == 200


def test_the_unmet_visit_says_why_person_by_person(solved, sign_in):
    page = sign_in("coordinator").get(f"/plans/{solved}").text
    assert "心理疏导" in page
    assert "没有这项资质" in page or "这项服务由别的人员做" in page


def test_households_are_masked_above_their_own_staff(solved, sign_in):
    assert "陈阿珠" not in sign_in("coordinator").get(f"/plans/{solved}?view=visits").text
    assert "陈阿珠" in sign_in("clerk").get(f"/plans/{solved}?view=visits").text


def test_staff_of_another_community_see_the_plan_without_the_visit(solved, sign_in):
    page = sign_in("clerk2").get(f"/plans/{solved}?view=visits").text
    assert "陈" not in page.split("<main")[1]


def test_another_street_sees_nothing(solved, sign_in):
    assert sign_in("stranger").get(f"/plans/{solved}").status_code == 404


def test_staff_may_look_but_not_publish(solved, sign_in):
    assert sign_in("clerk").post(f"/plans/{solved}/publish").status_code == 403


def test_a_run_is_queued_and_its_progress_shown(app, world, sign_in):
    with app.app_context():
        post(world, (("lin", "clean"), {}))
        db.session.remove()
    client = sign_in("coordinator")
    begun = client.post("/plans/street/3/solve", data={"day": "2026-11-24"})
    assert begun.status_code == 303
    assert client.get(begun.location).status_code == 200
    assert client.post("/plans/street/3/solve", data={"day": "2026-11-24"}).status_code == 409


def test_publishing_from_the_page_is_said_and_done_by_the_worker(solved, sign_in, app):
    client = sign_in("coordinator")
    assert client.post(f"/plans/{solved}/publish").status_code == 303
    work(app)
    assert "已发布" in client.get(f"/plans/{solved}").text


def test_a_lost_carer_is_repaired_from_the_plans_page_and_the_changes_are_seen_first(app, world, sign_in):
    with app.app_context():
        post(world, (("chen", "meal"), {}), (("lin", "meal"), {}))
        held = unit_of_work(lambda: _booked(world))
        unit_of_work(lambda: request_run(world))
        work(app)
        plan = db.session.query(Plan).one()
        unit_of_work(lambda: publishing.request_publish(plan, by=world.actor("coordinator"), now=world.NOW))
        work(app)
        first = str(plan.id)
        unit_of_work(
            lambda: visits.give_back(db.session.get(Assignment, held), by=None, now=world.NOW, reason="absent")
        )
        db.session.remove()
    client = sign_in("coordinator")
    page = client.get(f"/plans/{first}").get_data(as_text=True)
    assert "/plans/street/3/repair" in page
    client.post("/plans/street/3/repair", data={"day": "2026-11-24"})
    work(app)
    with app.app_context():
        draft = db.session.query(Plan).filter_by(cause="repair").one()
        assert draft.status == "draft"
        number = str(draft.id)
        db.session.remove()
    seen = client.get(f"/plans/{number}").get_data(as_text=True)
    assert "这是一次修复" in seen
    assert "/repair" not in seen  # there is a draft to look at first
    clerk = sign_in("clerk").post("/plans/street/3/repair", data={"day": "2026-11-24"})
    assert clerk.status_code == 403


def _booked(world):
    """The booking of the first visit, whoever comes."""
    visit = db.session.query(Visit).order_by(Visit.number).first()
    return book_for(world, "wu", visit.slots[0].id, f"{visit.day}T09:00", line="lukang/meal", charge=1).id
