# ruff: noqa: F811 (the fixture `walk` is an argument, too)
"""What holds on every route of the map: no form without its token, no field that no form has, headers, cookies, and
whatever people typed shown as text.
"""

import re
import sys
import uuid
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
import world as street
from marshmallow import EXCLUDE
from neighbours import ACCOUNTS
from sqlalchemy import String, text

from linkage.accounts.models import User, UserSession
from linkage.areas.models import Area, Estate, Place
from linkage.contracts.models import Contract, ContractLine
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.forms import FormSchema
from linkage.core.transactions import unit_of_work
from linkage.households.models import Household, Tag
from linkage.imports.models import Upload
from linkage.needs.models import Need
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.services.models import HeldQualification, Qualification, Service
from linkage.visits.models import Visit

sys.path.insert(0, str(Path(__file__).parent))
from walk import FORMS, NOT_ANSWERED_HERE, all_of_a_kind, look, rows_of_the_street, walk  # noqa: E402, F401

# No form has these: who a thing belongs to, who made it and when, what is secret, what the system alone decides.
PRIVILEGED = {
    "id", "key_id", "user_id", "created_at", "created_by", "granted_by", "granted_at", "revoked_at", "disabled_at",
    "password_hash", "token_hash", "erased_at", "booked_by", "booked_at", "accepted_at", "released_at", "recorded_by",
    "confirmed_by", "dropped_at", "taken_at", "linked", "path", "number_index", "telephone_exact", "id_number_exact",
    "previous", "digest", "actor_id", "claimed_by", "attempts", "status", "is_admin", "is_superuser", "grants", "roles",
}  # fmt: skip
SENTINEL, SENTINEL_ID, SENTINEL_NUMBER = "mass-assigned", uuid.UUID(int=0xBADBADBADBADBADBADBAD), 987_654_321
SIGNED = ("clerk", "coordinator", "manager", "wu", "zhuang", "chen_home", "admin", "operator")


def rules(walk, method):
    found = [rule for name in sorted(walk.rules) for rule in walk.rules[name] if method in rule.methods]
    return [rule for rule in found if rule.endpoint not in NOT_ANSWERED_HERE]


def somebody(walk, endpoint):
    """An account that the route answers."""
    return next(
        (name for name in (*SIGNED, *ACCOUNTS) if walk.expected(endpoint, name) in ("answered", "public")), None
    )


# --- forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["none", "made up", "of somebody else"])
def test_no_post_is_taken_without_the_token_of_its_own_session(walk, token):
    taken = []
    for rule in rules(walk, "POST"):
        account = somebody(walk, rule.endpoint) or "clerk"
        other = walk.headers["supervisor" if account != "supervisor" else "admin"]["X-CSRFToken"]
        sent = {"none": {}, "made up": {"X-CSRFToken": "x" * 40}, "of somebody else": {"X-CSRFToken": other}}[token]
        headers = {"Cookie": walk.headers[account]["Cookie"], **sent}
        answer = walk.browser.post(walk.url(rule, account), data=FORMS.get(rule.endpoint, {}), headers=headers)
        if answer.status_code != 400:
            taken.append((rule.endpoint, answer.status_code))
    assert taken == []


def test_with_it_the_same_forms_get_past(walk):
    """The bad twin: what was refused above was refused for the token."""
    rule = next(rule for rule in rules(walk, "POST") if rule.endpoint == "users.rename")
    assert walk.ask(rule, "POST", "coordinator").status_code == 303


def mass():
    """Every column of every table as a field of a form, with a value that is found again."""
    sent = dict.fromkeys(PRIVILEGED, SENTINEL)
    for table in db.metadata.tables.values():
        for column in table.columns:
            kind = column.type.python_type if not isinstance(column.type, String) else str
            if kind is not str:
                sent[column.name] = {uuid.UUID: str(SENTINEL_ID), int: str(SENTINEL_NUMBER), bool: "1"}.get(kind, "x")
            else:
                sent.setdefault(column.name, SENTINEL)
    return sent


def stored(app):
    """Where a sentinel stands in a privileged column: (table, column)."""
    found, marks = set(), {SENTINEL, SENTINEL_ID.hex, str(SENTINEL_ID), str(SENTINEL_NUMBER)}
    with app.app_context():
        for table in db.metadata.tables.values():
            for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')).mappings():  # noqa: S608
                found |= {(table.name, name) for name, value in row.items() if str(value) in marks}
        db.session.remove()
    return {(table, name) for table, name in found if name in PRIVILEGED}


def test_fields_that_no_form_has_change_nothing(walk):
    broken, kept, taken = [], set(), 0
    for rule in rules(walk, "POST"):
        account = somebody(walk, rule.endpoint)
        if account is None:
            continue
        data = {**mass(), **FORMS.get(rule.endpoint, {})}
        answer = walk.browser.post(walk.url(rule, account), data=data, headers=walk.headers[account])
        if answer.status_code >= 500:
            broken.append((rule.endpoint, answer.status_code))
        if answer.status_code < 400:
            taken += 1
            kept |= stored(walk.app)
            walk.restore()
    assert (broken, kept) == ([], set())
    assert taken > 20, "the bad twin: enough of these forms were taken"


def schemas(kind=FormSchema):
    for schema in kind.__subclasses__():
        yield schema
        yield from schemas(schema)


def test_no_form_declares_a_privileged_field_and_each_drops_what_it_does_not_know(walk):
    found = {schema for schema in schemas() if schema.__module__.startswith("linkage.")}
    assert len(found) > 30
    declared = {(schema.__name__, name) for schema in found for name in set(schema._declared_fields) & PRIVILEGED}
    assert declared == set()
    assert {schema.__name__ for schema in found if schema.Meta.unknown != EXCLUDE} == set()


# --- headers and cookies ------------------------------------------------------------------------------------------

HEADERS = {
    "X-Content-Type-Options": r"nosniff",
    "X-Frame-Options": r"DENY|SAMEORIGIN",
    "Referrer-Policy": r"no-referrer|same-origin|strict-origin-when-cross-origin",
    "Content-Security-Policy": r"(?=.*default-src 'self')(?=.*object-src 'none')(?=.*frame-ancestors 'none').*",
    "Cache-Control": r".*(private|no-store|no-cache|max-age|public).*",
}


def test_every_answer_has_the_headers_that_protect_it(walk):
    missing, cookies = [], []
    for rule in (rule for rule in rules(walk, "GET") if rule.endpoint != "static"):
        for account in {somebody(walk, rule.endpoint), None}:
            answer = look(walk, walk.url(rule, account), account)
            for name, wanted in HEADERS.items():
                if not re.fullmatch(wanted, answer.headers.get(name, ""), re.DOTALL):
                    missing.append((rule.endpoint, account, name, answer.headers.get(name)))
            if "unsafe-" in answer.headers["Content-Security-Policy"]:
                missing.append((rule.endpoint, account, "unsafe"))
            cookies += [SimpleCookie(line) for line in answer.headers.getlist("Set-Cookie")]
    assert missing == []
    loose = {
        morsel.key for cookie in cookies for morsel in cookie.values() if morsel["samesite"] not in ("Lax", "Strict")
    }
    open_to_scripts = {morsel.key for cookie in cookies for morsel in cookie.values() if not morsel["httponly"]}
    assert cookies and loose == set()
    assert open_to_scripts <= {"lang", "done"}, "the language is no secret, nor the key of a form that is done"


# --- what people typed is text --------------------------------------------------------------------------------------

CORPUS = (
    "\"'><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "{{7*191}}<svg/onload=alert(1)>",
    "</textarea><a href=javascript:alert(1)>",
)
TYPED = {
    Person: ("name",),
    User: ("sign_in_name",),
    UserSession: ("browser",),
    Area: ("name",),
    Estate: ("name",),
    Place: ("address", "door_note"),
    Household: ("number", "health", "hazard", "registered_address", "password"),
    Tag: ("source",),
    Need: ("note",),
    Visit: ("address",),
    Upload: ("file_name",),
    Organisation: ("name", "short_name", "address", "telephone"),
    Contract: ("number", "title"),
    ContractLine: ("name",),
    Service: ("name_zh", "name_en", "hint_zh"),
    Qualification: ("name_zh", "name_en"),
    HeldQualification: ("number",),
}
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
RAW = re.compile(r"<img src=x|<script>alert|<svg/onload|<a href=javascript|1337")


def plant(payload):
    """`payload` in every field of free text, with the field's name behind it."""
    audit.record("test.corpus", ("test", "1"), by=None, now=street.NOW)
    with db.session.no_autoflush:
        for model, names in TYPED.items():
            for place, row in enumerate(db.session.query(model)):
                for name in names:
                    setattr(row, name, f"{payload}{model.__name__}.{name}.{place}")


def test_what_people_typed_is_shown_as_text_on_every_page(walk):
    with walk.app.app_context():
        unit_of_work(lambda: plant("".join(CORPUS)))
        db.session.remove()
    try:
        raw, named, shown = [], [], set()
        for endpoint, address in [*all_of_a_kind(walk)[:80], *rows_of_the_street(walk)]:
            account = somebody(walk, endpoint)
            page = look(walk, address, account)
            if page.mimetype != "text/html":
                continue
            raw += [(endpoint, found) for found in RAW.findall(page.text)]
            named += [endpoint for title in TITLE.findall(page.text) if "Person.name" in title]
            shown |= set(re.findall(r"(\w+\.\w+)\.\d+", page.text))
        assert raw == []
        assert named == [], "a title stays in the browser's history of a machine that an office shares"
        names = {f"{model.__name__}.{name}" for model, names in TYPED.items() for name in names}
        assert len(shown & names) >= 12, shown & names
    finally:
        walk.restore()
