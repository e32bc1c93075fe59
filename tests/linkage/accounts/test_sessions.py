"""Who is signed in: asked of the database at every request."""

from datetime import timedelta

import pytest
from flask import g, session
from sqlalchemy import select, update

from linkage.accounts import queries
from linkage.accounts.models import Grant, User, UserSession
from linkage.accounts.operations import deliver_waiting
from linkage.core import audit, clock, web
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.core.permissions import Role


@pytest.fixture
def actor_of(app):
    """The actor that a request with this client's cookie has."""

    def read(client):
        with client.session_transaction() as cookie:
            token = cookie.get("sid")
        with app.test_request_context("/"):
            g.pop("actor", None)
            session["sid"] = token
            return web.current_actor()

    return read


def test_the_cookie_of_a_session_stands_for_the_account_with_its_grants(sign_in, actor_of, world):
    actor = actor_of(sign_in("clerk"))
    assert (actor.user_id, actor.person_id) == (world.key("user/clerk"), world.key("clerk"))
    assert [(grant.role, grant.area_path) for grant in actor.grants] == [(Role.COMMUNITY, "/1/2/3/4/")]


def test_an_unknown_token_is_nobody(app, sign_in, actor_of):
    client = sign_in("clerk")
    with client.session_transaction() as cookie:
        cookie["sid"] = "made up"
    assert actor_of(client) is None


def change(commit, model, *where, **values):
    """Change rows as an operation would, with its audit row."""

    def work():
        audit.record("test.change", (model.__tablename__, ""), by=None, now=clock.now())
        db.session.execute(update(model).where(*where).values(**values))

    commit(work)


def test_a_disabled_account_is_nobody_at_its_next_request(sign_in, actor_of, commit, world, now):
    client = sign_in("clerk")
    assert actor_of(client) is not None
    change(commit, User, User.sign_in_name == "clerk", disabled_at=now)
    assert actor_of(client) is None


def test_a_revoked_session_is_nobody_at_its_next_request(sign_in, actor_of, commit, now):
    client = sign_in("clerk")
    change(commit, UserSession, revoked_at=now)
    assert actor_of(client) is None


def test_a_session_ends_at_its_time(sign_in, actor_of, move_clock):
    client = sign_in("clerk")
    move_clock("2028-06-01T09:00")
    assert actor_of(client) is None


@pytest.mark.parametrize("ended", ["revoked_at", "valid_to", "valid_from"])
def test_a_grant_that_does_not_hold_today_gives_nothing_at_the_next_request(
    sign_in, actor_of, commit, world, now, ended
):
    client = sign_in("clerk")
    values = {
        "revoked_at": {"revoked_at": now},
        "valid_to": {"valid_to": (now - timedelta(days=1)).date()},
        "valid_from": {"valid_from": (now + timedelta(days=1)).date()},
    }[ended]
    change(commit, Grant, Grant.user_id == world.key("user/clerk"), **values)
    assert actor_of(client).grants == ()


def test_messages_in_the_outbox_come_into_the_inbox_once(ctx, commit, now, world):
    def write():
        db.session.add(
            OutboxRow(person_id=world.key("wu"), kind="test.kind", params={"n": 1}, created_at=now, delivered_at=None)
        )

    commit(write)
    assert commit(lambda: deliver_waiting(now=now)) == 1
    assert commit(lambda: deliver_waiting(now=now)) == 0
    assert [row.kind for row in db.session.scalars(queries.inbox(world.key("wu")))] == ["test.kind"]
    assert queries.unread_count(world.key("wu")) == 1
    assert db.session.scalar(select(OutboxRow.delivered_at)) == now
