import re
from datetime import timedelta

import pytest

from linkage.accounts.models import InboxMessage
from linkage.accounts.operations import deliver_waiting
from linkage.core import outbox
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from tests.visiting import post_for, visits_of

EARLY = parse_moment("2026-11-20T09:00")


@pytest.fixture
def told(ctx, commit, world, now):
    """``told("clerk", "visits.done", "chen", 3)``: three visits there, and so many messages about them."""

    def tell(who, kind, household, number, at=now):
        def do():
            need = post_for(world, household, "clean", now=EARLY, recurrence="FREQ=DAILY", by=None)
            for visit in visits_of(need)[:number]:
                facts = {"visit_id": visit.id, "number": visit.number}
                times = {"starts_at": visit.earliest_at, "ends_at": visit.latest_at}
                outbox.tell(world.key(who), kind, now=at, **facts, **times)

        commit(do)
        commit(lambda: deliver_waiting(now=at))

    return tell


@pytest.fixture
def read(sign_in):
    """``read("clerk", "/inbox")``: the words of a page in English."""

    def words(who, address):
        client = sign_in(who)
        client.set_cookie("lang", "en")
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(address).get_data(as_text=True)))

    return words


def test_the_same_thing_is_one_line_a_day_that_leads_to_each(told, read, now):
    told("clerk", "visits.done", "chen", 3)
    page = read("clerk", "/inbox")
    assert "3 visits are done." in page and page.count("See each") == 1
    each = read("clerk", f"/inbox?kind=visits.done&day={now:%Y-%m-%d}")
    assert each.count("Cleaning for 陈阿珠") == 3


def test_another_day_is_another_line(told, read, now):
    told("clerk", "visits.done", "chen", 2)
    told("clerk", "visits.done", "lin", 2, at=now + timedelta(days=1))
    assert read("clerk", "/inbox").count("2 visits are done.") == 2


def test_a_message_names_nobody_to_whom_the_reader_may_not_see(told, read, now):
    told("clerk2", "visits.done", "chen", 1)
    page = read("clerk2", "/inbox")
    assert "陈阿珠" not in page and "Open" not in page


def test_newer_news_of_a_visit_makes_the_older_idle(told, world, ctx):
    told("clerk", "visits.done", "chen", 1)
    first = db.session.query(InboxMessage).one()
    params = {key: first.params[key] for key in ("visit_id", "number", "starts_at", "ends_at")}

    def confirm():
        outbox.tell(world.key("clerk"), "visits.confirmed", now=world.NOW, rating=3, **params)
        db.session.flush()
        deliver_waiting(now=world.NOW)

    world.unit_of_work(confirm)
    unread = db.session.query(InboxMessage).filter(InboxMessage.read_at.is_(None)).all()
    assert [row.kind for row in unread] == ["visits.confirmed"]


def test_the_messages_of_one_line_are_marked_read_together(told, sign_in, now, ctx):
    told("clerk", "visits.done", "chen", 3)
    told("clerk", "visits.unmet", "lin", 1)
    sign_in("clerk").post("/inbox/read", data={"kind": "visits.done", "day": f"{now:%Y-%m-%d}"})
    unread = db.session.query(InboxMessage).filter(InboxMessage.read_at.is_(None)).all()
    assert [row.kind for row in unread] == ["visits.unmet"]
