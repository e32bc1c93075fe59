"""Posting, changing and withdrawing needs."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.extensions import db
from linkage.core.models import AuditRow, OutboxRow
from linkage.core.permissions import may
from linkage.households.models import Consent, Member
from linkage.needs.models import Need
from linkage.needs.operations import NeedRequest, change_need, withdraw_need
from linkage.needs.permissions import may_withdraw
from linkage.needs.queries import count_repeats, same_need, visible
from linkage.people.models import Person


def request_of(need, **values):
    same = {name: getattr(need, name) for name in NeedRequest.__dataclass_fields__ if name != "note"}
    return replace(NeedRequest(**same), **values)


def faults(refused):
    return set(refused.value.errors)


def test_a_need_is_numbered_by_day_and_order(post):
    assert [post().number, post("lin").number] == ["X20261124-0001", "X20261124-0002"]


def test_posting_is_audited_without_personal_data(post):
    post(note="上周摔过")
    row = db.session.query(AuditRow).filter_by(action="needs.post").one()
    assert row.detail == {"service": "meal", "channel": "counter"}


def test_what_was_said_is_sealed(post):
    need = post(note="上周摔过")
    assert need.note == "上周摔过" and "上周摔过".encode() not in need.note_sealed


@pytest.mark.parametrize(
    ("service", "values", "field"),
    [
        ("meal", {"window_end": 9 * 60 + 30}, "window_end"),  # an hour does not fit into half of one
        ("meal", {"window_end": 8 * 60}, "window_end"),
        ("meal", {"duration_minutes": 20}, "duration_minutes"),  # shorter than the service's minimum
        ("meal", {"preferred_start": 11 * 60 + 30}, "preferred_start"),
        ("meal", {"starts_on": date(2026, 11, 23)}, "starts_on"),
        ("meal", {"starts_on": date(2028, 1, 1)}, "starts_on"),
        ("meal", {"ends_on": date(2026, 11, 25)}, "ends_on"),
        ("meal", {"flexible_days": 9}, "flexible_days"),
        ("meal", {"flexible_days": 3, "recurrence": "FREQ=DAILY"}, "flexible_days"),
        ("meal", {"people": 2}, "people"),  # meals are brought by one person
        ("bath", {"people": 1}, "people"),  # 陈阿珠 is severely disabled: two people
        ("meal", {"channel": "telepathy"}, "channel"),
        ("meal", {"wishes": {"language": "klingon"}}, "language"),
        ("meal", {"priority": 9}, "priority"),
    ],
)
def test_a_fault_is_named_at_its_field(post, service, values, field):
    with pytest.raises(InvalidInput) as refused:
        post("chen", service, **values)
    assert field in faults(refused)


def test_every_fault_is_named_at_once(post):
    with pytest.raises(InvalidInput) as refused:
        post(starts_on=date(2026, 11, 20), duration_minutes=10, flexible_days=0)
    assert faults(refused) == {"starts_on", "duration_minutes", "flexible_days"}


def test_the_recipient_must_be_a_living_member(post, commit, world):
    with pytest.raises(InvalidInput) as stranger:
        post("chen", person_id=world.key("lin/head"))
    commit(lambda: _die(world))
    with pytest.raises(InvalidInput) as dead:
        post("chen")
    assert faults(stranger) == faults(dead) == {"person_id"}


def _die(world):
    db.session.get(Person, world.key("chen/head")).died_on = date(2026, 11, 1)
    _audited(world)


def _audited(world):
    audit.record("test", ("test", "1"), by=None, now=world.NOW)


def test_a_contact_is_told_and_never_served(post, commit, world):
    def add():
        db.session.add(
            Member(
                household_id=world.key("household/chen"), person_id=world.key("ye"), relation="contact",
                valid_from=world.LONG_AGO, valid_to=None,
            )
        )  # fmt: skip
        _audited(world)

    commit(add)
    with pytest.raises(InvalidInput):
        post("chen", person_id=world.key("ye"))


@pytest.mark.parametrize("values", [{"withdrawn": True}, {"expires_on": date(2026, 11, 23)}])
def test_without_valid_consent_no_need(post, commit, world, now, values):
    def spoil():
        consent = db.session.query(Consent).filter_by(household_id=world.key("household/chen"), purpose="service").one()
        consent.withdrawn_at = now if values.get("withdrawn") else None
        consent.expires_on = values.get("expires_on")
        _audited(world)

    commit(spoil)
    with pytest.raises(InvalidInput) as refused:
        post("chen")
    assert faults(refused) == {"household_id"}


def test_a_repeated_request_links_to_the_first_and_is_never_dropped(post, world):
    first, second = post(), post(by="operator", starts_on=date(2026, 11, 30))
    third = post(by="operator")
    assert (second.repeats_id, third.repeats_id) == (first.id, first.id)
    assert count_repeats(first.id) == 2
    assert db.session.query(Need).count() == 3
    told = db.session.query(OutboxRow).filter_by(kind="needs.repeated", person_id=world.key("clerk")).all()
    assert [row.params["times"] for row in told] == [1, 2]


def test_another_service_or_another_household_repeats_nothing(post):
    post()
    assert post("chen", "chat").repeats_id is None
    assert post("lin", "meal").repeats_id is None


def test_a_need_that_is_over_or_withdrawn_is_not_repeated(post, commit, world, now):
    first = post(starts_on=date(2026, 11, 24), window_start=14 * 60, window_end=17 * 60)
    assert post(at=now + timedelta(days=2)).repeats_id is None
    second = post("lin", "chat")
    commit(lambda: withdraw_need(db.session.get(Need, second.id), "not_needed", by=world.actor("clerk"), now=now))
    assert post("lin", "chat").repeats_id is None
    assert first.repeats_id is None


def test_priority_is_suggested_with_its_reason(post):
    meal, chat, plain = post("chen", "meal"), post("chen", "chat"), post("huang", "chat", by="clerk2")
    assert (meal.priority, meal.priority_reason) == (1, "severe_disability")
    assert (chat.priority, chat.priority_reason) == (2, "severe_disability")
    assert (plain.priority, plain.priority_reason) == (3, "wish")


def test_a_chosen_priority_carries_the_reason_staff(post):
    need = post("huang", "chat", by="clerk2", priority=1)
    assert (need.priority, need.priority_reason) == (1, "staff")


def test_an_edit_on_an_older_version_is_refused(post, commit, world, now):
    need = post()
    with pytest.raises(StaleVersion):
        commit(lambda: change_need(need, request_of(need), row_version=0, by=world.actor("clerk"), now=now))


def test_an_edit_changes_the_need_and_says_which_fields(post, commit, world, now):
    need_id = post().id

    def edit():
        need = db.session.get(Need, need_id)
        change_need(need, request_of(need, window_end=13 * 60), row_version=1, by=world.actor("clerk"), now=now)

    commit(edit)
    assert db.session.get(Need, need_id).window_end == 13 * 60
    assert db.session.query(AuditRow).filter_by(action="needs.change").one().detail == {"fields": ["window_end"]}


def test_a_series_that_began_may_be_edited_without_moving_its_first_day(post, commit, world, now):
    need_id = post(recurrence="FREQ=DAILY").id
    later = now + timedelta(days=5)

    def edit():
        need = db.session.get(Need, need_id)
        return change_need(
            need, request_of(need, window_end=13 * 60), row_version=1, by=world.actor("clerk"), now=later
        )

    assert commit(edit).row_version == 2


def test_a_need_is_withdrawn_once(post, commit, world, now):
    need_id = post().id
    withdraw = lambda: withdraw_need(  # noqa: E731
        db.session.get(Need, need_id), "hospital", by=world.actor("clerk"), now=now
    )
    commit(withdraw)
    assert db.session.get(Need, need_id).withdrawn_at == now
    with pytest.raises(Conflict):
        commit(withdraw)


@pytest.mark.parametrize(
    ("who", "seen"),
    [("clerk", ["chen"]), ("clerk2", ["huang"]), ("stranger", ["far"]), ("operator", ["chen", "far", "huang"]),
     ("coordinator", ["chen", "huang"]), ("supervisor", ["chen", "far", "huang"]), ("chen_home", ["chen"]),
     ("wu", []), ("zhuang", []), ("manager", []), ("admin", [])],
)  # fmt: skip
def test_each_role_sees_the_needs_of_its_scope_and_no_others(post, world, who, seen):
    post("chen"), post("huang", by="clerk2"), post("far", by="stranger")
    found = db.session.scalars(visible(world.actor(who))).all()
    names = {world.key("household/" + name): name for name in world.HOUSEHOLDS}
    assert sorted(names[need.household_id] for need in found) == seen


def test_a_family_may_ask_and_withdraw_for_its_own_household_only(post, world):
    need, other = post("chen"), post("lin")
    family = world.actor("chen_home")
    assert may(family, may_withdraw, need) and not may(family, may_withdraw, other)


def test_an_imported_row_finds_the_need_it_means(post, world):
    need = post(recurrence="FREQ=DAILY")
    found = same_need(need.household_id, need.service_id, need.starts_on, "FREQ=DAILY")
    assert found is not None and found.id == need.id
    assert same_need(need.household_id, need.service_id, need.starts_on, None) is None
