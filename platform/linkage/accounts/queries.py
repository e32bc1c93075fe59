"""Reading accounts: who is signed in, with which grants; the inbox."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import contains_eager

from linkage.accounts.models import Grant, InboxMessage, Invitation, User, UserSession
from linkage.areas.models import Area
from linkage.core import veil
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.formats import mask_name
from linkage.core.permissions import ActiveGrant, Actor, Role, visible_rows
from linkage.people.models import Person
from linkage.people.queries import matches, search


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
    return {grant.id: names.get(grant.area_id or 0) or own_place(grant.role, grant.scope_name) for grant in grants}


def own_place(role: str, name: str) -> str:
    """The snapshot of a place's name; of a volunteer's or household's role it is somebody's name."""
    masked = veil.is_drawn() and role in (Role.VOLUNTEER, Role.HOUSEHOLD)
    return mask_name(name) if masked and name else name


def grants_of(user_id: uuid.UUID) -> Sequence[Grant]:
    """Every grant that an account has or had, the newest first."""
    return db.session.scalars(
        select(Grant).where(Grant.user_id == user_id).order_by(Grant.valid_from.desc(), Grant.id)
    ).all()


def account_of(person_id: uuid.UUID) -> User | None:
    """The account of a person; None where there is none."""
    return db.session.scalars(select(User).where(User.person_id == person_id).limit(1)).one_or_none()


def standing_grants(user_id: uuid.UUID, on: date) -> Sequence[Grant]:
    """The grants that hold on `on` or will hold later."""
    return db.session.scalars(
        select(Grant).where(
            Grant.user_id == user_id,
            Grant.revoked_at.is_(None),
            or_(Grant.valid_to.is_(None), Grant.valid_to >= on),
        )
    ).all()


def visible(actor: Actor) -> Select[User]:
    """The accounts that the actor may see, each with its person."""
    return visible_rows(actor, User).join(User.person).options(contains_eager(User.person))


def found(actor: Actor, text: str, on: date, *, masked: bool) -> Select[User]:
    """The visible accounts that fit `text`. `masked`: who has an account only as a household's member is shown as
    陈**, and found by no more than that.
    """
    rows = visible(actor)
    if not (masked and text.strip()):
        return search(rows, text)
    at_home = and_(_has_role(Grant.role == Role.HOUSEHOLD, on), ~_has_role(Grant.role != Role.HOUSEHOLD, on))
    fits = or_(and_(~at_home, matches(text)), matches(text, masked=True))
    return rows.where(Person.erased_at.is_(None), fits)


def _has_role(condition: ColumnElement[bool], on: date) -> ColumnElement[bool]:
    return exists().where(Grant.user_id == User.id, holding(on), condition)


def get_user(user_id: uuid.UUID) -> User | None:
    return db.session.get(User, user_id)


def with_role(rows: Select[User], role: str, on: date) -> Select[User]:
    """Narrow accounts to those that have a role on `on`."""
    return rows.where(User.id.in_(select(Grant.user_id).where(Grant.role == role, holding(on))))


def in_state(rows: Select[User], state: str) -> Select[User]:
    """Narrow accounts to one state: active, invited (no password yet) or disabled."""
    if state == "disabled":
        return rows.where(User.disabled_at.is_not(None))
    if state == "invited":
        return rows.where(User.disabled_at.is_(None), User.password_hash.is_(None))
    return rows.where(User.disabled_at.is_(None), User.password_hash.is_not(None)) if state == "active" else rows


def state_of(user: User) -> str:
    """active, invited (no password yet) or disabled: the same as `in_state`."""
    if user.disabled_at is not None:
        return "disabled"
    return "invited" if user.password_hash is None else "active"


def grants_on(user_ids: Collection[uuid.UUID], on: date) -> dict[uuid.UUID, list[Grant]]:
    """The grants of many accounts that hold on `on`."""
    found: dict[uuid.UUID, list[Grant]] = {user_id: [] for user_id in user_ids}
    for grant in db.session.scalars(select(Grant).where(Grant.user_id.in_(list(user_ids)), holding(on))):
        found[grant.user_id].append(grant)
    return found


def open_invitations(now: datetime) -> ColumnElement[bool]:
    """SQL: neither used nor withdrawn nor expired."""
    return and_(Invitation.used_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > now)


def find_invitation(token: str) -> Invitation | None:
    return db.session.scalars(select(Invitation).where(Invitation.token_hash == token_hash(token))).one_or_none()


def open_invitation_of(user_id: uuid.UUID, now: datetime) -> Invitation | None:
    """The link that the account's person may still use; None where there is none."""
    return db.session.scalars(
        select(Invitation).where(Invitation.user_id == user_id, open_invitations(now)).limit(1)
    ).one_or_none()


def administrators(now: datetime) -> Sequence[User]:
    """The accounts that administer something today and are not disabled."""
    return db.session.scalars(
        select(User)
        .distinct()
        .join(Grant, Grant.user_id == User.id)
        .where(Grant.role == Role.ADMINISTRATOR, holding(local_date(now)), User.disabled_at.is_(None))
    ).all()
