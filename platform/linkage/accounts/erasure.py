"""Forgetting a person's account: the name to sign in with, the messages, the browsers."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from linkage.accounts import operations, queries
from linkage.accounts.models import Grant, InboxMessage, Invitation, UserSession
from linkage.core import privacy
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.core.permissions import Role


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Close the account of an erased person and overwrite what tells who it was; grants stay for the audit log."""
    if kind == "person":
        db.session.execute(delete(InboxMessage).where(InboxMessage.person_id == subject_id))
        db.session.execute(delete(OutboxRow).where(OutboxRow.person_id == subject_id))
    else:
        named = select(Grant).where(Grant.household_id == subject_id)
        for grant in db.session.scalars(named):
            grant.scope_name, grant.revoked_at = "", grant.revoked_at or now
    user = queries.account_of(subject_id) if kind == "person" else None
    if user is None:
        return
    operations.end_sessions(user.id, now=now)
    user.sign_in_name, user.password_hash = f"erased-{user.id.hex[:16]}", None
    user.disabled_at = user.disabled_at or now
    db.session.execute(delete(Invitation).where(Invitation.user_id == user.id))
    db.session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    for grant in queries.grants_of(user.id):
        grant.scope_name = ""


def holds(kind: str, subject_id: uuid.UUID, now: datetime) -> list[privacy.Hold]:
    """The last administrator of the installation is not erased."""
    user = queries.account_of(subject_id) if kind == "person" else None
    if user is None or user.disabled_at is not None:
        return []
    administers = any(grant.role is Role.ADMINISTRATOR for grant in queries.active_grants(user.id, local_date(now)))
    if not administers:
        return []
    return [
        privacy.Hold(
            _l("This person is an administrator."), _l("Take the role away first; another administrator must remain.")
        )
    ]


privacy.register_eraser(
    "accounts",
    erase,
    overwrites=("users", "user_sessions", "invitations", "inbox_messages", "outbox", "grants"),
    holds=holds,
)
