"""Giving people accounts and roles, and taking them away. Part of the room's operations.

Whoever hands out a new link for an account can take it over: so that needs the right to grant every role that
the account has or will have.
"""

from __future__ import annotations

import unicodedata
import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from pypinyin import lazy_pinyin
from sqlalchemy import select, update

from linkage.accounts import operations, queries, scopes
from linkage.accounts.models import Grant, Invitation, User
from linkage.accounts.permissions import may_grant
from linkage.accounts.scopes import KIND_OF_ROLE, Target
from linkage.areas.models import Area
from linkage.core import audit, crypto
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.core.rulesets import rule
from linkage.people.identity import telephone_fault
from linkage.people.models import Person
from linkage.people.scopes import is_own


def _id(by: Actor | None) -> uuid.UUID | None:
    return None if by is None else by.user_id


def create_account(person: Person, *, sign_in_name: str | None = None, by: Actor | None, now: datetime) -> User:
    """An account without a password: an invitation sets it. Without a name it gets one from the person's name.

    Raises
    ------
    Conflict
        the person has an account.
    InvalidInput
        the name is taken or not usable.
    """
    if queries.account_of(person.id) is not None:
        raise Conflict(_l("This person has an account already."), remedy=_l("Add the role to that account."))
    name = queries.normal_name(sign_in_name) if sign_in_name else _free_name(person)
    _check_name(name)
    user = User(person_id=person.id, sign_in_name=name, password_hash=None, created_at=now)
    db.session.add(user)
    db.session.flush()
    audit.record("accounts.create", user, by=_id(by), now=now)
    return user


def _free_name(person: Person) -> str:
    stem = "".join(char for char in "".join(lazy_pinyin(person.name)).lower() if char.isascii() and char.isalnum())
    stem = stem[:30] or "user"
    taken = set(db.session.scalars(select(User.sign_in_name).where(User.sign_in_name.startswith(stem))))
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    return name


def _check_name(name: str) -> None:
    if not 2 <= len(name) <= 60 or any(unicodedata.category(char)[0] in "CZ" for char in name):
        raise InvalidInput(_l("A sign-in name has 2 to 60 characters without spaces."), field="sign_in_name")
    if telephone_fault(name) is None:  # else whoever signs in with that telephone would knock at another's door
        raise InvalidInput(
            _l("A telephone is no sign-in name: who has one stored signs in with it anyway."), field="sign_in_name"
        )
    if db.session.scalar(select(User.id).where(User.sign_in_name == name)) is not None:
        raise InvalidInput(_l("This sign-in name is taken."), field="sign_in_name")


def grant_role(
    user: User,
    role: Role,
    target: Target,
    *,
    valid_from: date,
    valid_to: date | None = None,
    entered: bool = False,
    by: Actor | None,
    now: datetime,
) -> Grant:
    """Give the account a role in a place, from `valid_from` to `valid_to` (both included).

    `by` None: the set-up command, for the first administrator. `entered`: `by` registers the person in this very act;
    else only a register of `by`'s own makes the grant one that opens the person's numbers (`Grant.linked`).

    Raises
    ------
    NotAllowed
        the role or the place lies outside of what `by` may grant, or the account is the one of `by`.
    InvalidInput
        the dates are turned round, or the account has this role there in that time.
    """
    if by is not None and not may_grant(by, role, target):
        raise NotAllowed(_l("You may not give this role there."), remedy=_l("Ask your administrator."))
    if by is not None and user.id == by.user_id:
        raise NotAllowed(_l("Nobody gives themselves a role."), remedy=_l("Ask your administrator."))
    if valid_to is not None and valid_to < valid_from:
        raise InvalidInput(_l("The last day lies before the first."), field="valid_to")
    ids = _scope_ids(role, target)
    same = select(Grant).filter_by(user_id=user.id, role=role.value, revoked_at=None, **ids)
    if db.session.scalars(same.where(Grant.within(valid_from, valid_to or date.max)).limit(1)).first() is not None:
        raise InvalidInput(_l("The account has this role there in that time already."), field="role")
    grant = Grant(
        user_id=user.id,
        role=role.value,
        scope_name=target.name[:120],
        granted_by=_id(by),
        linked=by is not None and not entered and not is_own(user.person, by),
        valid_from=valid_from,
        valid_to=valid_to,
        created_at=now,
        **ids,
    )
    db.session.add(grant)
    db.session.flush()
    audit.record("accounts.grant", user, by=_id(by), now=now, role=role.value, kind=target.kind, place=target.id)
    return grant


def _scope_ids(role: Role, target: Target) -> dict[str, Any]:
    if KIND_OF_ROLE[role] != target.kind:
        raise InvalidInput(_l("This role does not hold in such a place."), field="scope")
    wanted = {"area_id": None, "organisation_id": None, "household_id": None}
    return wanted if target.kind == "self" else wanted | {f"{target.kind}_id": target.id}


def target_of(grant: Grant, user: User) -> Target:
    """The place of a stored grant, as it lies today."""
    kind = KIND_OF_ROLE[Role(grant.role)]
    ident = grant.area_id or grant.organisation_id or grant.household_id
    found = scopes.find(kind, user.person_id if kind == "self" else ident)
    return found or Target(kind, ident, grant.scope_name, "")


def may_take(by: Actor, grant: Grant, user: User) -> bool:
    """`by` could have granted this."""
    return may_grant(by, Role(grant.role), target_of(grant, user))


def end_household_roles(person_id: uuid.UUID, household_id: uuid.UUID, *, on: date, by: Actor, now: datetime) -> None:
    """What the person's account may do for this household ends after `on`, since they no longer belong to it."""
    user = queries.account_of(person_id)
    for grant in queries.standing_grants(user.id, on) if user is not None else ():
        if grant.household_id == household_id:
            grant.valid_to = max(on, grant.valid_from)
            audit.record("accounts.end_role", user, by=by.user_id, now=now, role=grant.role, grant_id=grant.id)


def is_whole(by: Actor, user: User, now: datetime) -> bool:
    """`by` could grant every role that the account has or will have. An account between two roles is judged by
    those it had: whoever could take it over now would have it when the next one is given.
    """
    grants = queries.standing_grants(user.id, local_date(now)) or queries.grants_of(user.id)
    return all(may_take(by, grant, user) for grant in grants)


def demand_whole(by: Actor, user: User, now: datetime) -> None:
    """Raise NotAllowed unless `is_whole`."""
    if not is_whole(by, user, now):
        raise NotAllowed(_l("This account has a role that you may not give."), remedy=_l("Ask your administrator."))


def revoke(grant: Grant, *, by: Actor, now: datetime) -> None:
    """The role ends at once: the account's next request is without it.

    Raises
    ------
    NotAllowed
        `by` could not have granted it.
    Conflict
        it has ended already, or it is the last administrator's.
    """
    user = db.session.get(User, grant.user_id)
    assert user is not None
    if not may_take(by, grant, user):
        raise NotAllowed(_l("You may not take this role away."), remedy=_l("Ask your administrator."))
    if grant.revoked_at is not None:
        raise Conflict(_l("This role has ended already."))
    if grant.role == Role.ADMINISTRATOR:
        _must_not_be_last(user, now)
    grant.revoked_at = now
    audit.record("accounts.revoke", user, by=by.user_id, now=now, role=grant.role, grant_id=grant.id)


def disable(user: User, *, by: Actor, now: datetime) -> None:
    """Nobody gets in with this account any more, from the next request on.  Raises NotAllowed, Conflict."""
    demand_whole(by, user, now)
    if user.disabled_at is not None:
        raise Conflict(_l("The account is disabled already."))
    if user.id == by.user_id:
        raise Conflict(_l("You cannot disable the account that you are using."))
    if any(grant.role == Role.ADMINISTRATOR for grant in queries.standing_grants(user.id, local_date(now))):
        _must_not_be_last(user, now)
    user.disabled_at = now
    user.row_version += 1
    ended = operations.end_sessions(user.id, now=now)
    withdraw_invitations(user, now=now)
    audit.record("accounts.disable", user, by=by.user_id, now=now, sessions_ended=ended)


def enable(user: User, *, by: Actor, now: datetime) -> None:
    """The account works again, with the password it had.  Raises NotAllowed, Conflict."""
    demand_whole(by, user, now)
    if user.disabled_at is None:
        raise Conflict(_l("The account is not disabled."))
    user.disabled_at = None
    user.row_version += 1
    audit.record("accounts.enable", user, by=by.user_id, now=now)


def _must_not_be_last(user: User, now: datetime) -> None:
    others = [other for other in queries.administrators(now) if other.id != user.id]
    if not others:
        raise Conflict(_l("This is the last administrator."), remedy=_l("Make somebody else administrator first."))


# --- invitations ------------------------------------------------------------------------------------------------


def invite(user: User, *, by: Actor | None, now: datetime) -> Invitation:
    """A link with which the account's password is set, once and for some days. Earlier links end.

    Raises NotAllowed (see `demand_whole`), Conflict for a disabled account.
    """
    if by is not None:
        demand_whole(by, user, now)
    if user.disabled_at is not None:
        raise Conflict(_l("The account is disabled."), remedy=_l("Enable it first."))
    withdraw_invitations(user, now=now)
    days = rule("accounts.invitation_days", local_date(now))
    invitation = Invitation(user_id=user.id, created_by=_id(by), created_at=now, expires_at=now + timedelta(days=days))
    invitation.token_hash = queries.token_hash(token_of(invitation))
    db.session.add(invitation)
    db.session.flush()
    audit.record("accounts.invite", user, by=_id(by), now=now, invitation_id=invitation.id)
    return invitation


def token_of(invitation: Invitation) -> str:
    """The secret in the link: keyed by the installation, so that the database alone does not give it away, and the
    page can show the link again as long as it holds.
    """
    return crypto.blind("invitation", str(invitation.id))


def withdraw_invitations(user: User, *, now: datetime) -> int:
    """End the links of an account that nobody has used yet; return how many."""
    done = db.session.execute(
        update(Invitation).where(Invitation.user_id == user.id, queries.open_invitations(now)).values(withdrawn_at=now)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def withdraw(user: User, *, by: Actor, now: datetime) -> None:
    """The link that was handed out no longer works.  Raises NotAllowed, Conflict if there is none."""
    demand_whole(by, user, now)
    if not withdraw_invitations(user, now=now):
        raise Conflict(_l("There is no open link."))
    audit.record("accounts.withdraw_invitation", user, by=by.user_id, now=now)


def accept_invitation(token: str, password_hash: str, *, now: datetime) -> User:
    """Set the password that the invited person chose; every session of the account ends. The UPDATE decides who is
    first if the link is used twice at once.

    Raises
    ------
    Conflict
        used, expired or withdrawn, or the account is disabled.
    """
    invitation = queries.find_invitation(token)
    used = db.session.execute(
        update(Invitation)
        .where(Invitation.token_hash == queries.token_hash(token), queries.open_invitations(now))
        .values(used_at=now)
    )
    user = db.session.get(User, invitation.user_id) if invitation is not None else None
    if not used.rowcount or user is None or user.disabled_at is not None:  # type: ignore[attr-defined]
        raise Conflict(_l("This link no longer works."), remedy=_l("Ask whoever gave it to you for a new one."))
    operations.set_password(user, password_hash, keep=None, now=now)
    return user


def register_first_administrator(person: Person, area: Area, *, sign_in_name: str, now: datetime) -> Invitation:
    """The set-up command: an account that administers everything, and the link to set its password."""
    user = create_account(person, sign_in_name=sign_in_name, by=None, now=now)
    target = Target("area", area.id, area.name, area.path)
    grant_role(user, Role.ADMINISTRATOR, target, valid_from=local_date(now), by=None, now=now)
    return invite(user, by=None, now=now)


def rename(user: User, sign_in_name: str, *, by: Actor, now: datetime) -> None:
    """Another sign-in name.  Raises NotAllowed, InvalidInput."""
    demand_whole(by, user, now)
    name = queries.normal_name(sign_in_name)
    if name != user.sign_in_name:
        _check_name(name)
        user.sign_in_name = name
        user.row_version += 1
        audit.record("accounts.rename", user, by=by.user_id, now=now)
