"""The edge: who gets in, what an error looks like, and that nothing is done twice."""

import base64
import secrets

import pytest
from conftest import make_app
from flask import Flask
from sqlalchemy import func, select

from linkage.accounts.models import Invitation, User
from linkage.core import web
from linkage.core.extensions import db
from linkage.core.logs import scrub
from linkage.core.models import IdempotencyKey
from linkage.core.transactions import unit_of_work

JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}


def link_path(world, name="clerk"):
    return f"/users/{world.key('user/' + name)}/link"


def invitations(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Invitation))


# --- the guard --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/users/?q=x", "/users/00000000-0000-0000-0000-000000000000"])
def test_who_is_not_signed_in_is_led_to_the_sign_in_page_and_back(app, path):
    answer = app.test_client().get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=/users/")


def test_who_is_not_signed_in_learns_nothing_of_what_exists(app, world):
    client = app.test_client()
    there, absent = (client.get(f"/users/{key}", headers=JSON) for key in (world.key("user/clerk"), world.key("x")))
    assert (there.status_code, there.json) == (absent.status_code, absent.json)
    assert there.status_code == 401 and there.mimetype == "application/problem+json"


def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(app):
    answer = app.test_client().get("/users/", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login?next=/users/")


def test_what_one_may_not_see_looks_like_what_is_not_there(sign_in, world):
    coordinator = sign_in("coordinator")

    def answer(name):
        found = coordinator.get(f"/users/{world.key(name)}")
        return found.status_code, found.get_data(as_text=True).replace(str(world.key(name)), "")

    assert answer("user/stranger") == answer("nobody")
    assert answer("nobody")[0] == 404


def test_what_one_may_see_but_not_do_is_refused_with_who_can(sign_in):
    answer = sign_in("supervisor").post("/areas/3/close", headers={"Accept-Language": "en", **JSON})
    assert answer.status_code == 403
    assert "管理员" in answer.json["remedy"]


def test_a_route_must_name_its_permission():
    room = web.Room("careless", __name__)
    with pytest.raises(TypeError):
        room.get("/careless")(lambda: "")


def test_an_application_with_an_unguarded_endpoint_does_not_start():
    bare = Flask("bare")
    bare.add_url_rule("/open", "open", lambda: "")
    with pytest.raises(RuntimeError, match="open"):
        web.check_guards(bare)


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/needs?page=2", "/needs?page=2"),
        ("https://elsewhere.example/", None),
        ("//elsewhere.example", None),
        ("/\\elsewhere.example", None),
        ("\\\\elsewhere.example", None),
        ("javascript:alert(1)", None),
        ("needs", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_path_of_this_server_is_followed(target, kept):
    assert web.local_path(target) == kept


# --- once -------------------------------------------------------------------------------------------------------


def test_a_form_sent_twice_is_carried_out_once_and_answered_alike(app, sign_in, world):
    admin = sign_in("admin")
    first, second = (admin.post(link_path(world), data={"_idem": "k1"}) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert invitations(app) == 1


def test_the_same_key_with_other_values_is_refused(app, sign_in, world):
    admin = sign_in("admin")
    path = f"/users/{world.key('user/clerk')}/name"
    admin.post(path, data={"_idem": "k2", "sign_in_name": "clerk-one"})
    assert admin.post(path, data={"_idem": "k2", "sign_in_name": "clerk-two"}).status_code == 409
    with app.app_context():
        assert db.session.get(User, world.key("user/clerk")).sign_in_name == "clerk-one"


def test_what_was_refused_may_be_sent_again_with_the_same_key(app, sign_in, world):
    admin = sign_in("admin")
    path = f"/users/{world.key('user/clerk')}/name"
    assert admin.post(path, data={"_idem": "k3", "sign_in_name": "x"}).status_code == 422
    assert admin.post(path, data={"_idem": "k3", "sign_in_name": "xiaomei"}).status_code == 303


def test_one_persons_key_says_nothing_to_another(app, sign_in, world):
    sign_in("admin").post(link_path(world, "wu"), data={"_idem": "k4"})
    assert sign_in("manager").post(link_path(world, "wu"), data={"_idem": "k4"}).status_code == 303
    assert invitations(app) == 2


def test_what_is_kept_of_a_form_cannot_be_guessed_from(app, sign_in, world):
    sign_in("admin").post(f"/users/{world.key('user/clerk')}/name", data={"_idem": "k5", "sign_in_name": "xiaomei"})
    with app.app_context():
        row = db.session.scalars(select(IdempotencyKey)).one()
        plain = web.hashlib.sha256(repr([("sign_in_name", "xiaomei")]).encode()).hexdigest()
    assert not plain.startswith(row.fingerprint)


def test_a_refused_request_leaves_nothing_behind(app, sign_in, world):
    form = {"name": "许多福", "role": "community", "place": "nowhere", "valid_from": "2026-11-24"}
    before = _users(app)
    assert sign_in("admin").post("/users/new", data=form).status_code == 422
    assert _users(app) == before


def _users(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(User))


# --- errors -----------------------------------------------------------------------------------------------------


def test_a_form_from_elsewhere_is_refused_in_words(app, sign_in, world):
    admin = sign_in("admin")
    admin.environ_base.pop("HTTP_X_CSRFTOKEN")
    answer = admin.post(link_path(world))
    assert (answer.status_code, invitations(app)) == (400, 0)
    assert "<h1>" in answer.get_data(as_text=True)


def test_an_error_of_a_part_stands_on_top_of_the_page_that_asked(sign_in):
    answer = sign_in("supervisor").post("/areas/3/close", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (403, "#notices")
    assert "<html" not in answer.get_data(as_text=True)


def test_an_unknown_address_is_a_page_in_the_readers_language(app):
    client = app.test_client()
    client.set_cookie("lang", "en")
    answer = client.get("/no/such/page")
    assert (answer.status_code, 'lang="en"' in answer.get_data(as_text=True)) == (404, True)


@pytest.fixture
def production(tmp_path):
    """An application as in production: an unexpected error becomes a page."""
    keys = {
        f"LINKAGE_{name}": base64.b64encode(secrets.token_bytes(32)).decode()
        for name in ("SECRET_KEY", "MASTER_KEY", "INDEX_KEY")
    }
    app = make_app(tmp_path, LINKAGE_MODE="production", **keys)
    with app.app_context():
        unit_of_work(db.create_all)
    return app


def test_an_unexpected_error_is_a_page_with_a_number_and_nothing_else(production, capsys):
    def fail():
        raise ValueError("林秀英 350203194307090028")

    production.view_functions["accounts.language"] = lambda code: fail()
    answer = production.test_client().get("/language/zh")
    shown = answer.get_data(as_text=True)
    logged = capsys.readouterr()
    assert (answer.status_code, "<h1>" in shown) == (500, True)
    assert "林秀英" not in shown and "350203194307090028" not in shown + logged.out + logged.err


def test_an_error_page_needs_no_database(production, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(web.db.session, "execute", broken)
    monkeypatch.setattr(web.db.session, "scalars", broken)
    client = production.test_client()
    with client.session_transaction() as cookie:
        cookie["sid"] = "token"
    answer = client.get("/account")
    assert (answer.status_code, "<h1>" in answer.get_data(as_text=True)) == (500, True)


def test_what_follows_a_commit_cannot_undo_the_answer(app, sign_in, world, monkeypatch):
    def fail():
        raise RuntimeError("no inbox today")

    monkeypatch.setattr(web, "_after_commit", [fail])
    assert sign_in("admin").post(link_path(world)).status_code == 303
    assert invitations(app) == 1


def test_a_log_names_no_invitation_and_no_number():
    line = scrub("GET /invitation/0123456789abcdef from 13800138000, card 350203194503020029")
    assert line == "GET /invitation/[token] from [number], card [number]"
