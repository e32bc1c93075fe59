"""Who gives which role where; links to set a password; disabling."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from linkage.accounts import granting, passwords, queries
from linkage.accounts.models import Grant, Invitation, User
from linkage.accounts.permissions import area_place, grantable_roles, may_grant
from linkage.accounts.scopes import KIND_OF_ROLE, Target
from linkage.core import audit, privacy
from linkage.core.errors import Conflict, InvalidInput, NotAllowed
from linkage.core.events import PersonDied, announce
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.people.operations import PersonDraft, register_person

TODAY = date(2026, 11, 24)
STREET, COMMUNITY, ELSEWHERE, CITY = 3, 4, 7, 1


@pytest.fixture
def new_user(commit, world, now):
    """An account of a person who is registered for it."""

    def make(name="许多福"):
        return commit(
            lambda: granting.create_account(
                register_person(PersonDraft(name), by=None, now=now), by=world.actor("admin"), now=now
            )
        )

    return make


def place(area_id):
    return area_place(area_id)


@pytest.mark.parametrize(
    ("who", "role", "area_id", "allowed"),
    [
        ("coordinator", Role.COMMUNITY, COMMUNITY, True),
        ("coordinator", Role.COMMUNITY, ELSEWHERE, False),
        ("coordinator", Role.COMMUNITY, CITY, False),
        ("coordinator", Role.COORDINATOR, STREET, False),
        ("supervisor", Role.COORDINATOR, STREET, True),
        ("supervisor", Role.SUPERVISOR, STREET, False),
        ("clerk", Role.COMMUNITY, COMMUNITY, False),
        ("operator", Role.COMMUNITY, COMMUNITY, False),
        ("admin", Role.ADMINISTRATOR, CITY, True),
        ("admin", Role.OPERATOR, STREET, True),
        ("wu", Role.COMMUNITY, COMMUNITY, False),
    ],
)
def test_a_role_of_an_area_is_given_only_from_above_and_within(ctx, world, who, role, area_id, allowed):
    assert may_grant(world.actor(who), role, place(area_id)) is allowed


@pytest.mark.parametrize(
    ("who", "role", "organisation", "allowed"),
    [
        ("manager", Role.CARER, "lukang", True),
        ("manager", Role.CARER, "jiahe", False),
        ("manager", Role.MANAGER, "lukang", False),
        ("clerk", Role.CARER, "lukang", False),
        ("admin", Role.MANAGER, "lukang", True),
    ],
)
def test_a_role_of_an_organisation_is_given_by_its_manager_or_from_above(ctx, world, who, role, organisation, allowed):
    target = Target("organisation", world.key(organisation), organisation, "/1/2/3/")
    assert may_grant(world.actor(who), role, target) is allowed


def test_a_role_is_never_given_in_a_place_of_another_kind(ctx, world):
    assert not may_grant(world.actor("admin"), Role.MANAGER, place(STREET))


def test_every_role_says_in_what_it_holds_and_somebody_gives_it(ctx, world):
    assert set(KIND_OF_ROLE) == set(Role) == set(grantable_roles(world.actor("admin")))


def test_granting_outside_ones_scope_is_refused_and_changes_nothing(ctx, new_user, world, now):
    user = new_user()
    with pytest.raises(NotAllowed):
        granting.grant_role(
            user, Role.COMMUNITY, place(ELSEWHERE), valid_from=TODAY, by=world.actor("coordinator"), now=now
        )
    assert db.session.scalars(select(Grant).where(Grant.user_id == user.id)).all() == []


def grant(commit, world, now, user, role=Role.COMMUNITY, by="admin", area_id=COMMUNITY, **dates):
    return commit(
        lambda: granting.grant_role(
            db.session.get(User, user.id),
            role,
            place(area_id),
            by=world.actor(by),
            now=now,
            **{"valid_from": TODAY, **dates},
        )
    )


def test_a_role_holds_on_its_dates_both_included(commit, new_user, world, now):
    user = new_user()
    grant(commit, world, now, user, valid_from=TODAY, valid_to=TODAY + timedelta(days=1))

    def holds(days):
        return bool(queries.active_grants(user.id, TODAY + timedelta(days=days)))

    assert [holds(days) for days in (-1, 0, 1, 2)] == [False, True, True, False]


def test_the_same_role_in_the_same_place_and_time_is_refused(commit, new_user, world, now):
    user = new_user()
    grant(commit, world, now, user)
    with pytest.raises(InvalidInput):
        grant(commit, world, now, user, valid_from=TODAY + timedelta(days=30))


def test_a_revoked_role_is_gone_at_the_next_request(commit, new_user, world, now):
    user = new_user()
    row = grant(commit, world, now, user)
    commit(lambda: granting.revoke(db.session.get(Grant, row.id), by=world.actor("coordinator"), now=now))
    assert queries.active_grants(user.id, TODAY) == ()


def test_a_role_that_one_could_not_give_one_cannot_take(commit, new_user, world, now):
    user = new_user()
    row = grant(commit, world, now, user, Role.COORDINATOR, area_id=STREET)
    with pytest.raises(NotAllowed):
        granting.revoke(row, by=world.actor("coordinator"), now=now)


def test_nobody_takes_over_an_account_that_may_do_more(commit, new_user, world, now):
    user = new_user()
    grant(commit, world, now, user)
    grant(commit, world, now, user, Role.COORDINATOR, area_id=STREET, valid_from=TODAY + timedelta(days=30))
    for deed in (granting.invite, granting.disable):
        with pytest.raises(NotAllowed):
            deed(db.session.get(User, user.id), by=world.actor("coordinator"), now=now)


def test_the_last_administrator_stays(ctx, world, now):
    admin = db.session.get(User, world.key("user/admin"))
    (row,) = queries.grants_of(admin.id)
    with pytest.raises(Conflict):
        granting.revoke(row, by=world.actor("admin"), now=now)
    with pytest.raises(Conflict):
        granting.disable(admin, by=world.actor("admin"), now=now)


def test_sign_in_names_are_made_from_the_name_and_are_never_double(new_user):
    assert [new_user("许多福").sign_in_name for _ in range(2)] == ["xuduofu", "xuduofu2"]


@pytest.mark.parametrize("name", ["clerk", "CLERK", "a", "with space", "x" * 61])
def test_a_sign_in_name_that_is_taken_or_not_usable_is_refused(commit, world, now, name):
    person = commit(lambda: register_person(PersonDraft("许多福"), by=None, now=now))
    with pytest.raises(InvalidInput) as refused:
        granting.create_account(person, sign_in_name=name, by=world.actor("admin"), now=now)
    assert refused.value.field == "sign_in_name"


def test_one_person_has_one_account(ctx, world, now):
    user = db.session.get(User, world.key("user/wu"))
    with pytest.raises(Conflict):
        granting.create_account(user.person, by=world.actor("admin"), now=now)


# --- invitations ------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(commit, new_user, world, now):
    user = new_user()
    return commit(lambda: granting.invite(db.session.get(User, user.id), by=world.actor("admin"), now=now))


def accept(commit, invitation, now, password="four words to remember"):  # noqa: S107
    hashed = passwords.hash_password(password)
    return commit(lambda: granting.accept_invitation(granting.token_of(invitation), hashed, now=now))


def test_an_invitation_sets_the_password_once(commit, invitation, now):
    user = accept(commit, invitation, now)
    assert passwords.is_right(user.password_hash, "four words to remember")
    with pytest.raises(Conflict):
        accept(commit, invitation, now, "somebody else's words")


def test_an_invitation_ends_after_its_days(commit, invitation, now):
    with pytest.raises(Conflict):
        accept(commit, invitation, now + timedelta(days=7))


def test_a_withdrawn_invitation_no_longer_works(commit, invitation, world, now):
    user = db.session.get(User, invitation.user_id)
    commit(lambda: granting.withdraw(user, by=world.actor("admin"), now=now))
    with pytest.raises(Conflict):
        accept(commit, invitation, now)


def test_a_new_invitation_ends_the_one_before(commit, invitation, world, now):
    commit(lambda: granting.invite(db.session.get(User, invitation.user_id), by=world.actor("admin"), now=now))
    with pytest.raises(Conflict):
        accept(commit, invitation, now)


def test_disabling_ends_the_invitation(commit, invitation, world, now):
    user = db.session.get(User, invitation.user_id)
    commit(lambda: granting.disable(user, by=world.actor("admin"), now=now))
    commit(lambda: granting.enable(db.session.get(User, user.id), by=world.actor("admin"), now=now))
    with pytest.raises(Conflict):
        accept(commit, invitation, now)


def test_the_database_does_not_hold_the_link(ctx, invitation):
    row = db.session.get(Invitation, invitation.id)
    values = " ".join(str(getattr(row, column.name)) for column in Invitation.__table__.columns)
    assert granting.token_of(invitation) not in values


def test_the_account_of_somebody_who_has_died_is_closed(commit, world, now):
    person_id = world.key("wu")
    commit(lambda: announce(PersonDied(None, now, person_id, TODAY)))
    user = queries.account_of(person_id)
    assert queries.state_of(user) == "disabled"
    assert queries.own_sessions(user.id, now) == []


def test_an_erased_persons_account_tells_nothing_of_them(commit, world, now):
    def erase():
        audit.record("test.erase", ("people", world.key("wu")), by=None, now=now)
        for erase_in in privacy.erasers().values():
            erase_in("person", world.key("wu"), now)

    commit(erase)
    user = queries.account_of(world.key("wu"))
    assert user.sign_in_name.startswith("erased-") and user.name == ""
    assert queries.find_user_by_name("wu") is None
