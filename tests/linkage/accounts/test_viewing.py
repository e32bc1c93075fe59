"""An administrator looks at the pages as somebody else: sees what they see, masked; changes nothing; for a while."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from linkage.accounts import granting, viewing
from linkage.accounts.models import Grant, User, ViewAs
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.transactions import unit_of_work
from linkage.core.web import GUARDS, SAFE_METHODS
from linkage.people.models import Person

BAR = "You see the pages as"


@pytest.fixture
def admin(sign_in):
    client = sign_in("admin")
    client.set_cookie("lang", "en")
    return client


@pytest.fixture
def look_as(admin, world):
    def look(name, reason="rights"):
        return admin.post(f"/users/{world.key('user/' + name)}/view-as", data={"reason": reason})

    return look


def homes(client):
    return client.get("/households/", follow_redirects=True)


def test_the_pages_are_those_of_the_other_account_with_masked_names(admin, look_as, sign_in, world):
    assert homes(admin).status_code == 403
    assert look_as("clerk").status_code == 303
    page = homes(admin)
    assert page.status_code == 200 and BAR in page.text and "A001" in page.text
    assert "陈阿珠" not in page.text and "陈**" in page.text
    home = admin.get(f"/households/{world.key('household/chen')}").text
    assert not any(word in home for word in ("香莲里27号", "陈阿珠", "4711", "左边的门", "高血压"))
    assert "陈阿珠" in homes(sign_in("clerk")).text


def test_a_name_is_not_found_out_by_searching(admin, look_as):
    look_as("clerk")
    assert "A001" not in admin.get("/search?q=陈阿珠").text
    assert "A001" in admin.get("/search?q=陈").text


def test_whatever_writes_is_refused_with_one_sentence(app, admin, look_as):
    look_as("clerk")
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        paths = {
            rule.endpoint: adapter.build(rule.endpoint, _dummies(rule), method=method)
            for rule in app.url_map.iter_rules()
            for method in rule.methods - SAFE_METHODS
            if not GUARDS[rule.endpoint].as_oneself
        }
    assert len(paths) > 100
    for endpoint, path in paths.items():
        answer = admin.post(path, data={"reason": "rights"})
        assert answer.status_code == 403 and "nothing can be changed" in answer.text, endpoint
    with app.app_context():
        assert db.session.scalars(select(ViewAs)).one().ended_at is None


def _dummies(rule):
    kinds = {name: type(converter).__name__ for name, converter in rule._converters.items()}
    values = {"UUIDConverter": "00000000-0000-0000-0000-000000000001", "_ShortInteger": 1, "UnicodeConverter": "x"}
    return {
        name: next(iter(rule._converters[name].items)) if kind == "AnyConverter" else values.get(kind, "x")
        for name, kind in kinds.items()
    }


def test_start_and_end_stand_in_the_audit_log_with_the_reason(app, admin, look_as, world):
    look_as("clerk", "complaint")
    answer = admin.post("/users/view-as/end", data={})
    assert answer.status_code == 303 and homes(admin).status_code == 403
    with app.app_context():
        rows = db.session.scalars(select(AuditRow).where(AuditRow.action.startswith("accounts.view_as"))).all()
        assert [(row.action, row.actor_id, row.subject_id) for row in rows] == [
            ("accounts.view_as", world.key("user/admin"), str(world.key("user/clerk"))),
            ("accounts.view_as_end", world.key("user/admin"), str(world.key("user/clerk"))),
        ]
        assert rows[0].detail["reason"] == "complaint"


def test_it_ends_by_itself_and_the_log_says_so(app, admin, look_as, move_clock):
    look_as("clerk")
    later = move_clock("2026-11-24T10:36")
    assert homes(admin).status_code == 403
    with app.app_context():
        assert unit_of_work(lambda: viewing.end_expired(now=later)) == 1
        row = db.session.scalars(select(ViewAs)).one()
        assert row.ended_at == row.created_at + timedelta(minutes=15)


def test_a_view_inside_a_view_is_refused(look_as, app):
    look_as("clerk")
    assert look_as("coordinator").status_code == 403
    with app.app_context():
        assert len(db.session.scalars(select(ViewAs)).all()) == 1


def test_signing_out_ends_it_for_the_administrator_and_leaves_the_other_signed_in(admin, look_as, sign_in, app):
    clerk = sign_in("clerk")
    look_as("clerk")
    assert admin.post("/sign-out").status_code == 303
    assert admin.get("/").status_code in (302, 303) and homes(clerk).status_code == 200
    with app.app_context():
        assert db.session.scalars(select(ViewAs)).one().ended_at is not None


@pytest.mark.parametrize("what", ["disabled", "ended grant", "demoted"])
def test_it_holds_only_as_long_as_it_could_begin(app, admin, look_as, world, now, what):
    look_as("clerk")

    def change():
        audit.record("test.change", ("users", "x"), by=None, now=now)
        if what == "disabled":
            db.session.get(User, world.key("user/clerk")).disabled_at = now
        elif what == "ended grant":
            row = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/admin"))).one()
            row.area_id = 7  # administers another street from now on
        else:
            row = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/clerk"))).one()
            row.revoked_at = now

    with app.app_context():
        unit_of_work(change)
    page = homes(admin)
    assert page.status_code == 403 and "香莲里27号" not in page.text


@pytest.mark.parametrize(("who", "status"), [("admin", 403), ("nobody there", 404), ("disabled", 409), ("idle", 409)])
def test_some_accounts_are_not_looked_at(app, admin, look_as, world, now, who, status):
    def change():
        audit.record("test.change", ("users", "x"), by=None, now=now)
        if who == "disabled":
            db.session.get(User, world.key("user/clerk")).disabled_at = now
        if who == "idle":
            row = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/clerk"))).one()
            row.revoked_at = now

    with app.app_context():
        unit_of_work(change)
    answer = look_as({"admin": "admin", "nobody there": "nobody"}.get(who, "clerk"))
    assert answer.status_code in (status, 422) and BAR not in admin.get("/", follow_redirects=True).text


def test_who_administers_a_street_does_not_look_as_somebody_above_it(commit, world, now):
    def move():
        audit.record("test.change", ("users", "x"), by=None, now=now)
        db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/admin"))).one().area_id = 3

    commit(move)
    small = viewing.queries.actor_of(db.session.get(User, world.key("user/admin")), now)
    seen = {name: viewing.may_view(small, db.session.get(User, world.key("user/" + name)))
            for name in ("clerk", "coordinator", "supervisor", "operator", "stranger", "wu")}  # fmt: skip
    assert seen == {
        "clerk": True, "coordinator": True, "supervisor": False, "operator": False, "stranger": False, "wu": True,
    }  # fmt: skip


def test_only_administrators_look_and_only_with_a_reason(look_as, sign_in, world):
    assert look_as("clerk", "curiosity").status_code == 422
    path = f"/users/{world.key('user/clerk')}/view-as"
    assert sign_in("coordinator").post(path, data={"reason": "rights"}).status_code == 403


def test_no_link_to_the_account_is_shown_on_the_way(app, admin, look_as, world, now):
    with app.app_context():
        boss = world.actor("admin")
        unit_of_work(lambda: granting.invite(db.session.get(User, world.key("user/clerk")), by=boss, now=now))
    look_as("coordinator")
    page = admin.get(f"/users/{world.key('user/clerk')}").text
    assert BAR in page and "/invitation/" not in page
    assert admin.get(f"/users/{world.key('user/clerk')}/link.png").status_code in (403, 404)


def test_another_browser_of_the_administrator_sees_its_own_pages(admin, look_as, sign_in):
    other = sign_in("admin")
    look_as("clerk")
    assert homes(other).status_code == 403
    with admin.session_transaction() as mine, other.session_transaction() as theirs:
        theirs["view"] = mine["view"]
    assert homes(other).status_code == 403


def test_what_is_stored_stays_unmasked(app, admin, look_as, world):
    look_as("clerk")
    homes(admin)
    with app.app_context():
        assert db.session.get(Person, world.key("chen/head")).name == "陈阿珠"
