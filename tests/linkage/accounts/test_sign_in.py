"""The sign-in page: who gets in, who is slowed down, and who is not."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from linkage.accounts import passwords
from linkage.accounts.attempts import network_of, wait_seconds
from linkage.accounts.models import SignInAttempt, User, UserSession
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work

PASSWORD = "correct horse battery"
OFFICE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def set_clock(app, now, monkeypatch):
    """The clock stands until ``set_clock(moment)``: seconds count here, and a busy machine takes its time."""
    standing = {"now": now}
    monkeypatch.setattr(app.extensions["linkage-clock"], "now", lambda: standing["now"])
    return lambda moment: standing.update(now=moment)


@pytest.fixture
def with_password(app, world, now):
    """Give an account of the street its password."""

    def give(*names):
        def work():
            audit.record("test.password", ("users", ""), by=None, now=now)
            for name in names:
                db.session.get(User, world.key("user/" + name)).password_hash = passwords.hash_password(PASSWORD)

        with app.app_context():
            unit_of_work(work)

    return give


@pytest.fixture
def clerk(with_password):
    with_password("clerk")


@pytest.fixture
def try_to(app):
    """Send the sign-in form from a browser at an address: ``try_to(client, "clerk", "…", OFFICE)``."""

    def send(client, username, password=PASSWORD, address=OFFICE, target="/login"):
        environment = {"REMOTE_ADDR": address}
        page = client.get("/login", environ_overrides=environment).get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        form = {"username": username, "password": password, "csrf_token": token[1] if token else ""}
        return client.post(target, data=form, environ_overrides=environment)

    return send


def is_in(response):
    return response.status_code == 303


def cookie(client):
    with client.session_transaction() as content:
        return dict(content)


def test_the_right_password_opens_a_session_and_leads_to_the_first_page(app, clerk, try_to):
    client = app.test_client()
    assert is_in(try_to(client, " Clerk "))
    assert client.get("/account").status_code == 200


def test_the_telephone_serves_as_name(app, clerk, try_to, world):
    with app.app_context():
        telephone = db.session.get(User, world.key("user/clerk")).person.telephone
    assert is_in(try_to(app.test_client(), telephone))


def test_nothing_of_the_anonymous_session_stays(app, clerk, try_to):
    client = app.test_client()
    with client.session_transaction() as content:
        content["sid"], content["planted"] = "planted", "yes"
    try_to(client, "clerk")
    assert cookie(client)["sid"] != "planted" and "planted" not in cookie(client)


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(app, clerk, try_to):
    def answer(name):
        response = try_to(app.test_client(), name, "wrong password", OFFICE)
        page = response.get_data(as_text=True).replace(name, "")
        return response.status_code, re.sub(r'value="[^"]*"', "", page)

    assert answer("clerk") == answer("nobody")


def test_an_unknown_name_costs_as_much_hashing(app, clerk, try_to, monkeypatch):
    verified = []
    genuine = passwords._hasher
    monkeypatch.setattr(
        passwords, "_hasher", type("Spy", (), {"verify": lambda _, h, p: verified.append(h) or genuine.verify(h, p)})()
    )
    for name in ("clerk", "nobody"):
        try_to(app.test_client(), name, "wrong password")
    assert len(verified) == 2


def test_a_disabled_account_does_not_get_in(app, clerk, try_to, world, now):
    def disable():
        audit.record("test.disable", ("users", ""), by=None, now=now)
        db.session.get(User, world.key("user/clerk")).disabled_at = now

    with app.app_context():
        unit_of_work(disable)
    assert try_to(app.test_client(), "clerk").status_code == 422


def test_an_account_without_password_does_not_get_in(app, try_to):
    assert try_to(app.test_client(), "clerk", "").status_code == 422
    assert try_to(app.test_client(), "clerk", "nobody's password").status_code == 422


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/inbox?state=unread", "/inbox?state=unread"),
        ("https://elsewhere.example/", "/account"),
        ("//elsewhere.example/", "/account"),
        ("/\\elsewhere.example", "/account"),
        ("javascript:alert(1)", "/account"),
    ],
)
def test_after_signing_in_only_a_page_of_ours_is_opened(app, clerk, try_to, target, leads_to, monkeypatch):
    monkeypatch.delitem(app.view_functions, "desk.home", raising=False)
    response = try_to(app.test_client(), "clerk", target="/login?next=" + target)
    assert response.headers["Location"].split("?")[0].rstrip("/") in (leads_to.split("?")[0], "")


def fail(app, try_to, times, name="clerk", address=ELSEWHERE, client=None):
    return [try_to(client or app.test_client(), name, "wrong password", address).status_code for _ in range(times)]


def test_after_five_wrong_passwords_strangers_wait(app, clerk, try_to):
    assert fail(app, try_to, 5) == [422] * 5
    refused = try_to(app.test_client(), "clerk", PASSWORD, ELSEWHERE)
    assert refused.status_code == 429


def test_who_must_wait_is_not_counted_and_may_try_when_the_time_is_over(app, clerk, try_to, set_clock, now):
    fail(app, try_to, 5)
    assert fail(app, try_to, 20) == [429] * 20
    set_clock(now + timedelta(seconds=1))
    assert is_in(try_to(app.test_client(), "clerk", PASSWORD, ELSEWHERE))


def test_the_owners_browser_is_not_slowed_down_by_strangers(app, clerk, try_to):
    own = app.test_client()
    assert is_in(try_to(own, "clerk", PASSWORD, OFFICE))
    own.post("/sign-out", data={"csrf_token": token_of(own)})
    fail(app, try_to, 8)
    assert is_in(try_to(own, "clerk", PASSWORD, "192.0.2.77"))


def token_of(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").get_data(as_text=True))[1]


def test_the_owners_address_is_not_slowed_down_by_strangers(app, clerk, try_to):
    assert is_in(try_to(app.test_client(), "clerk", PASSWORD, OFFICE))
    fail(app, try_to, 8)
    assert is_in(try_to(app.test_client(), "clerk", PASSWORD, OFFICE))


def test_a_browser_that_knows_the_account_is_slowed_down_by_its_own_mistakes(app, clerk, try_to):
    own = app.test_client()
    try_to(own, "clerk")
    own.post("/sign-out", data={"csrf_token": token_of(own)})
    assert fail(app, try_to, 6, client=own, address=OFFICE)[-1] == 429


def test_the_known_cookie_of_one_account_says_nothing_of_another(app, with_password, try_to):
    with_password("clerk", "manager")
    own = app.test_client()
    try_to(own, "manager")
    own.post("/sign-out", data={"csrf_token": token_of(own)})
    fail(app, try_to, 5)
    assert try_to(own, "clerk", PASSWORD, ELSEWHERE).status_code == 429


def test_one_address_that_tries_many_names_waits(app, clerk, try_to):
    codes = [
        try_to(app.test_client(), f"name{number}", "wrong password", ELSEWHERE).status_code for number in range(31)
    ]
    assert (codes[29], codes[30]) == (422, 429)
    assert try_to(app.test_client(), "clerk", PASSWORD, ELSEWHERE).status_code == 429
    assert is_in(try_to(app.test_client(), "clerk", PASSWORD, OFFICE))


def test_attempts_hold_neither_name_nor_address(app, clerk, try_to):
    fail(app, try_to, 1, name="secret-name")
    with app.app_context():
        row = db.session.scalars(select(SignInAttempt)).one()
        assert "secret" not in row.name_index and ELSEWHERE not in row.address_index


@pytest.mark.parametrize(("failures", "wait"), [(4, 0), (5, 1), (6, 2), (10, 32), (40, 900)])
def test_the_wait_doubles_up_to_its_limit(now, failures, wait):
    assert wait_seconds(failures, now, now, free=5, longest=900) == wait


def test_the_wait_counts_from_the_last_attempt(now):
    assert wait_seconds(10, now - timedelta(seconds=30.5), now, free=5, longest=900) == 2
    assert wait_seconds(10, now - timedelta(seconds=33), now, free=5, longest=900) == 0


def test_a_household_has_all_of_its_v6_network():
    assert network_of("2001:db8::1") == network_of("2001:db8::2") != network_of("2001:db8:1::1")


def test_signing_out_ends_the_session_on_the_server(app, sign_in):
    client = sign_in("clerk")
    stolen = cookie(client)
    client.post("/sign-out", data={"csrf_token": token_of(client)})
    thief = app.test_client()
    with thief.session_transaction() as content:
        content.update(stolen)
    assert thief.get("/account").status_code == 303


def test_pages_are_kept_by_no_cache_and_cleared_when_signing_out(app, sign_in):
    client = sign_in("clerk")
    assert "private" in client.get("/account").headers["Cache-Control"]
    assert "cache" in client.post("/sign-out").headers["Clear-Site-Data"]


def change(client, old=PASSWORD, new="four words to remember", again=None):
    form = {"password": old, "new_password": new, "again": again or new, "csrf_token": token_of(client)}
    return client.post("/account/password", data=form)


def test_a_new_password_ends_every_other_session(app, clerk, sign_in, try_to):
    here, elsewhere = sign_in("clerk"), sign_in("clerk")
    assert change(here).status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert is_in(try_to(app.test_client(), "clerk", "four words to remember"))


@pytest.mark.parametrize(
    "values",
    [
        {"old": "not mine at all"},
        {"new": "short"},
        {"new": "password1"},
        {"new": "aaaaaaaaaaaa"},
        {"again": "something else"},
    ],
)
def test_a_new_password_is_refused_without_the_old_one_or_when_it_is_weak(app, clerk, sign_in, values):
    client = sign_in("clerk")
    assert change(client, **values).status_code == 422
    with app.app_context():
        user = db.session.scalars(select(User).where(User.sign_in_name == "clerk")).one()
        assert passwords.is_right(user.password_hash, PASSWORD)


def test_guessing_the_old_password_in_an_open_browser_is_slowed_down(app, clerk, sign_in):
    client = sign_in("clerk")
    assert [change(client, old=f"guess number {n}").status_code for n in range(6)] == [422] * 6
    assert change(client).status_code == 422


def test_a_session_of_someone_else_cannot_be_ended(app, sign_in, world):
    client, other = sign_in("clerk"), sign_in("manager")
    with app.app_context():
        row = db.session.scalars(select(UserSession).where(UserSession.user_id == world.key("user/manager"))).one()
    answer = client.post(f"/account/sessions/{row.id}/end", data={"csrf_token": token_of(client)})
    assert (answer.status_code, other.get("/account").status_code) == (404, 200)


def test_being_seen_is_noted_in_a_transaction_of_its_own(app, sign_in, set_clock, world, now):
    client = sign_in("clerk")
    later = now + timedelta(minutes=40)
    set_clock(later)
    assert client.get("/inbox").status_code == 200
    with app.app_context():
        assert db.session.get(User, world.key("user/clerk")).last_seen_at == later
        assert db.session.scalar(select(func.max(UserSession.last_seen_at))) == later


@pytest.mark.parametrize(("code", "word"), [("en", "Sign in"), ("zh", "登录")])
def test_the_language_link_changes_the_page(app, code, word):
    client = app.test_client()
    assert client.get(f"/language/{code}?next=/login").headers["Location"] == "/login"
    assert word in client.get("/login").get_data(as_text=True)


def test_the_demo_accounts_are_on_no_page_outside_of_the_demo(app, clerk):
    page = app.test_client().get("/login").get_data(as_text=True)
    assert "linkage-demo" not in page and page.count("<form") == 1
