import re
from datetime import timedelta

import pytest

from linkage.calls import queries
from linkage.calls.models import Call, OutcomeTold
from linkage.core.extensions import db
from tests.visiting import book_for, post_for, visits_of


@pytest.fixture
def operator(sign_in):
    client = sign_in("operator")
    client.set_cookie("lang", "en")
    return client


@pytest.fixture
def call(operator, world):
    """``call("chen", about="complaint")``: the operator writes a call down."""

    def write(household="chen", **values):
        return operator.post(f"/calls/of/{world.key('household/' + household)}", data=values)

    return write


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def test_a_repeated_call_is_linked_to_the_one_before_and_says_so(call, operator, world, ctx):
    assert call(about="who_comes").status_code == 303
    assert call(about="complaint").status_code == 303
    call(about="who_comes", note="又问谁来")
    page = words(operator.get(f"/calls/of/{world.key('household/chen')}"))
    assert "this is call 2 about it" in page and "Called 2 times about it." in page
    again = db.session.query(Call).filter(Call.earlier_id.is_not(None)).one()
    assert db.session.get(Call, again.earlier_id).about == "who_comes" and again.note == "又问谁来"


def test_a_promised_call_back_is_a_task_until_it_is_done_once(call, operator, world, ctx):
    call(about="change", call_back_day="2026-11-24", call_back_time="16:00")
    assert "To ring back" in words(operator.get("/todo/calls.to_return"))
    (row,) = db.session.query(Call).all()
    back = f"/calls/of/{world.key('household/chen')}/back"
    assert operator.post(back, data={"call": row.id}).status_code == 303
    assert "陈阿珠" not in words(operator.get("/todo/calls.to_return"))
    assert operator.post(back, data={"call": row.id}).status_code == 409


def test_a_call_back_in_the_past_is_refused_where_it_was_typed(call):
    answer = call(call_back_day="2026-11-20")
    assert answer.status_code == 422 and "still to come" in words(answer)


def test_the_outcome_is_open_until_it_is_told_and_says_by_whom(operator, commit, world, now, ctx):
    need = commit(lambda: post_for(world, "chen", "meal", channel="hotline", duration_minutes=30))
    assert queries.outcomes(world.actor("operator"), now) == []
    (visit,) = visits_of(need)
    slot = visit.slots[0].id
    commit(lambda: book_for(world, "zhuang", slot, "2026-11-26T11:00", hours=0.5))
    assert [one.outcome for one in queries.outcomes(world.actor("operator"), now)] == ["arranged"]
    assert "庄文斌" in words(operator.get(f"/calls/of/{world.key('household/chen')}"))
    assert operator.post(f"/calls/told/{need.id}", data={"outcome": "arranged"}).status_code == 303
    assert queries.outcomes(world.actor("operator"), now + timedelta(hours=1)) == []
    assert "by 庄话务" in words(operator.get(f"/calls/of/{world.key('household/chen')}"))
    assert db.session.query(OutcomeTold).one().told_by == world.key("user/operator")


def test_calls_are_told_only_to_those_of_the_area(call, sign_in, world, ctx):
    call(about="complaint")
    assert "陈" not in words(sign_in("clerk2").get("/calls/"))
    assert "陈阿珠" in words(sign_in("clerk").get("/calls/"))
    assert sign_in("clerk2").get(f"/calls/of/{world.key('household/chen')}").status_code == 404
    assert sign_in("coordinator").post(f"/calls/of/{world.key('household/chen')}").status_code == 403
