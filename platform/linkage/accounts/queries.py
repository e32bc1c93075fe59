"""Reading accounts: who is signed in, with which grants; the inbox."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import contains_eager

from linkage.accounts.models import Grant, InboxMessage, User, UserSession
from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import ActiveGrant, Actor, Role
from linkage.people.models import Person


def token_hash(token: str) -> str:
    """What is stored of a secret that is handed out (a session's or an invitation's token): its SHA-256."""
    return hashlib.sha256(token.encode()).hexdigest()


def live_sessions(now: datetime) -> ColumnElement[bool]:
    """SQL: neither ended nor expired."""
    return and_(UserSession.revoked_at.is_(None), UserSession.expires_at > now)


def find_session(token: str, now: datetime) -> tuple[UserSession, User] | None:
    """The live session that `token` stands for and its account, which is not disabled."""
    found = db.session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .join(User.person)
        .options(contains_eager(User.person))
        .where(UserSession.token_hash == token_hash(token), live_sessions(now), User.disabled_at.is_(None))
        .execution_options(populate_existing=True)
    ).first()
    return None if found is None else (found[0], found[1])


def holding(day: date) -> ColumnElement[bool]:
    """SQL: the grant holds on `day`."""
    return and_(Grant.on(day), Grant.revoked_at.is_(None))


def active_grants(user_id: uuid.UUID, day: date) -> tuple[ActiveGrant, ...]:
    """The roles of an account that hold on `day`, each with its scope; oldest first."""
    rows = db.session.execute(
        select(Grant, Area.path)
        .outerjoin(Area, Area.id == Grant.area_id)
        .where(Grant.user_id == user_id, holding(day))
        .order_by(Grant.valid_from, Grant.id)
    )
    return tuple(
        ActiveGrant(Role(grant.role), grant.area_id, path or "", grant.organisation_id, grant.household_id)
        for grant, path in rows
    )


def actor_of(user: User, now: datetime) -> Actor:
    """The account as it may act at `now`."""
    return Actor(user.id, user.person_id, active_grants(user.id, local_date(now)), now)


def find_user_by_name(typed: str) -> User | None:
    """The account whose sign-in name, or whose person's telephone, was typed; None if none or several fit."""
    name = User.sign_in_name == normal_name(typed)
    telephone = and_(
        User.person_id == Person.id,
        Person.telephone_exact == Person.telephone.exact_index("people", typed),
        User.disabled_at.is_(None),
    )
    exact = db.session.scalars(select(User).where(name)).one_or_none()
    if exact is not None:
        return exact
    found = db.session.scalars(select(User).join(User.person).where(telephone).limit(2)).all()
    return found[0] if len(found) == 1 else None


def normal_name(typed: str) -> str:
    """Sign-in names are compared in lower case, half width, without spaces around."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def own_sessions(user_id: uuid.UUID, now: datetime) -> Sequence[UserSession]:
    """The browsers in which an account is signed in, last used first."""
    return db.session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, live_sessions(now))
        .order_by(UserSession.last_seen_at.desc())
    ).all()


def inbox(person_id: uuid.UUID, *, unread_only: bool = False) -> Select[InboxMessage]:
    """A person's messages, newest first."""
    found = select(InboxMessage).where(InboxMessage.person_id == person_id)
    if unread_only:
        found = found.where(InboxMessage.read_at.is_(None))
    return found.order_by(InboxMessage.created_at.desc(), InboxMessage.id)


def own_message(person_id: uuid.UUID, message_id: uuid.UUID) -> InboxMessage | None:
    """A message of this person; anybody else's looks absent."""
    row = db.session.get(InboxMessage, message_id)
    return row if row is not None and row.person_id == person_id else None


def unread_count(person_id: uuid.UUID) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(InboxMessage)
            .where(InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
        )
        or 0
    )


def scope_names(grants: Sequence[Grant]) -> dict[uuid.UUID, str]:
    """Where each grant holds, as a page shows it: the area's name of today, else the snapshot of the scope's name."""
    areas = {grant.area_id for grant in grants if grant.area_id is not None}
    names = {area.id: area.name for area in db.session.scalars(select(Area).where(Area.id.in_(areas)))}
    return {grant.id: names.get(grant.area_id or 0, grant.scope_name) for grant in grants}


def grants_of(user_id: uuid.UUID) -> Sequence[Grant]:
    """Every grant that an account has or had, the newest first."""
    return db.session.scalars(
        select(Grant).where(Grant.user_id == user_id).order_by(Grant.valid_from.desc(), Grant.id)
    ).all()
