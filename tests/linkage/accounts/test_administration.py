"""What an administrator reads and sets: rights, audit log, rules; and the commands' tables."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from linkage.accounts import commands, periodic
from linkage.accounts.models import Grant, Invitation, SignInAttempt, User
from linkage.core import audit, rulesets
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.core.permissions import Role, rights
from linkage.core.transactions import unit_of_work

PAGES = ("/administration/rights", "/administration/audit", "/administration/rules")
RULE = "/administration/rules/accounts.session_days"


def page(client, path):
    return client.get(path).get_data(as_text=True)


@pytest.mark.parametrize("path", [*PAGES, RULE])
@pytest.mark.parametrize("who", ["clerk", "supervisor", "manager", "chen_home"])
def test_only_administrators_come_here(sign_in, path, who):
    assert sign_in(who).get(path).status_code == 403


def test_who_administers_only_a_district_sets_nothing_for_all(app, sign_in, world, now):
    def move_down():
        audit.record("test.move", ("grants", ""), by=None, now=now)
        db.session.execute(update(Grant).where(Grant.user_id == world.key("user/admin")).values(area_id=2))

    with app.app_context():
        unit_of_work(move_down)
    admin = sign_in("admin")
    assert [admin.get(path).status_code for path in (*PAGES, RULE)] == [200, 403, 403, 403]
    assert admin.post(RULE, data={"value": "1", "valid_from": "2026-12-01", "source": "x"}).status_code == 403


def test_the_rights_page_names_every_right(sign_in):
    shown = page(sign_in("admin"), "/administration/rights")
    assert [entry.name for entry in rights() if entry.name not in shown] == []


def test_the_audit_log_is_searched_by_what_who_and_when(sign_in, world):
    admin = sign_in("admin")
    admin.post(f"/users/{world.key('user/clerk')}/link")
    path = "/administration/audit"
    assert "accounts.invite" in page(admin, path)
    assert str(world.key("user/clerk"))[:8] in page(admin, path + "?action=accounts.invite&who=admin")
    assert str(world.key("user/clerk"))[:8] not in page(admin, path + "?who=clerk")
    assert str(world.key("user/clerk"))[:8] not in page(admin, path + "?from=2026-11-25")
    assert str(world.key("user/clerk"))[:8] in page(admin, path + "?from=2026-11-24&to=2026-11-24")


def test_the_audit_log_says_whether_it_is_whole(app, sign_in, world):
    admin = sign_in("admin")
    for _ in range(2):
        admin.post(f"/users/{world.key('user/clerk')}/link")
    assert "x-octagon-fill" not in page(admin, "/administration/audit?check=1")
    with app.app_context():
        unit_of_work(
            lambda: db.session.execute(update(audit.AuditRow).where(audit.AuditRow.number == 2).values(action="x"))
        )
    assert "x-octagon-fill" in page(admin, "/administration/audit?check=1")


def test_a_rule_changes_from_its_day_on_and_the_past_stays(app, sign_in):
    answer = sign_in("admin").post(RULE, data={"value": "7", "valid_from": "2026-12-01", "source": "厦民〔2026〕1号"})
    assert answer.status_code == 303
    with app.app_context():
        values = [rulesets.rule("accounts.session_days", date(2026, month, 1)) for month in (11, 12)]
    assert values == [30, 7]


@pytest.mark.parametrize(
    "values",
    [
        {"value": "seven"},
        {"value": "7.5"},
        {"value": "-1"},
        {"value": "true"},
        {"value": "[7]"},
        {"valid_from": "2026-11-23"},
        {"source": ""},
    ],
)
def test_a_rule_takes_only_a_value_of_its_kind_and_no_past_day(app, sign_in, values):
    sent = {"value": "7", "valid_from": "2026-12-01", "source": "notice"} | values
    assert sign_in("admin").post(RULE, data=sent).status_code == 422
    with app.app_context():
        assert rulesets.history("accounts.session_days") == []


def test_a_source_may_hold_any_character(sign_in):
    admin = sign_in("admin")
    sent = {"value": "7", "valid_from": "2026-11-24", "source": "20 % <b>of %s</b> 用到 95 % 提醒"}
    assert admin.post(RULE, data=sent).status_code == 303
    for path in ("/administration/rules", RULE):
        assert "20 % &lt;b&gt;of %s&lt;/b&gt;" in page(admin, path)


def test_a_value_put_before_a_later_one_holds_until_then(commit, now):
    for day, value in ((date(2027, 1, 1), 5), (date(2026, 12, 1), 7)):
        commit(
            lambda day=day, value=value: rulesets.add_value(
                "accounts.session_days", value, valid_from=day, source="notice", by=None, now=now
            )
        )
    days = (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [rulesets.rule("accounts.session_days", day) for day in days] == [30, 7, 7, 5]


def test_the_first_administrator_gets_a_link_and_administers_the_root(commit, now):
    link = commit(
        lambda: commands.first_administrator(
            "陈管家", "root", telephone=None, base_url="https://linkage.example/", now=now
        )
    )
    user = db.session.scalars(select(User).where(User.sign_in_name == "root")).one()
    grant = db.session.scalars(select(Grant).where(Grant.user_id == user.id)).one()
    assert (grant.role, grant.area_id) == (Role.ADMINISTRATOR, 1)
    assert link.startswith("https://linkage.example/invitation/")
    assert db.session.scalars(select(Invitation).where(Invitation.user_id == user.id)).one().used_at is None


def test_the_printed_tables_name_what_is_declared(ctx):
    assert any(line.startswith("accounts.see ") for line in commands.rights_lines())
    assert any("people.id_number" in line and "encrypted+exact" in line for line in commands.personal_field_lines())
    assert any(line.startswith("PersonDied") for line in commands.event_lines())


def test_what_a_request_left_waiting_is_delivered_every_minute(commit, world, now):
    commit(
        lambda: db.session.add_all(
            OutboxRow(person_id=world.key("wu"), kind="k", params={}, created_at=now, delivered_at=None)
            for _ in range(3)
        )
    )
    periodic.deliver(now)
    assert db.session.scalars(select(OutboxRow).where(OutboxRow.delivered_at.is_(None))).all() == []


def test_old_attempts_are_forgotten(commit, now):
    def write():
        for age in (100, 10):
            values = {"name_index": "n", "address_index": "a", "bucket": "b", "succeeded": False}
            db.session.add(SignInAttempt(at=now - timedelta(days=age), **values))

    commit(write)
    periodic.tidy(now)
    assert len(db.session.scalars(select(SignInAttempt)).all()) == 1
