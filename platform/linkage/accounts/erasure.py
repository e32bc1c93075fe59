"""Forgetting a person's account: the name to sign in with, the messages, the browsers."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete

from linkage.accounts import operations, queries
from linkage.accounts.models import InboxMessage, UserSession
from linkage.core import privacy
from linkage.core.extensions import db


def erase(kind: str, subject_id: uuid.UUID, now: datetime) -> None:
    """Close the account of an erased person and overwrite what tells who it was; grants stay for the audit log."""
    user = queries.account_of(subject_id) if kind == "person" else None
    if user is None:
        return
    operations.end_sessions(user.id, now=now)
    user.sign_in_name, user.password_hash = f"erased-{user.id.hex[:16]}", None
    user.disabled_at = user.disabled_at or now
    db.session.execute(delete(InboxMessage).where(InboxMessage.person_id == subject_id))
    db.session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    for grant in queries.grants_of(user.id):
        grant.scope_name = ""


privacy.register_eraser("accounts", erase)
