"""What accounts do: start and end sessions, count attempts, deliver messages."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from linkage.accounts import attempts
from linkage.accounts.models import InboxMessage, SignInAttempt, User, UserSession
from linkage.accounts.queries import live_sessions, token_hash
from linkage.core import audit, outbox
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.models import IdempotencyKey, OutboxRow
from linkage.core.rulesets import rule

SEEN_EVERY = timedelta(minutes=5)


def start_session(user: User, *, browser: str, now: datetime) -> str:
    """Open a session; return its token, which only the browser keeps."""
    token = secrets.token_urlsafe(32)
    days = rule("accounts.session_days", local_date(now))
    db.session.add(
        UserSession(
            user_id=user.id,
            token_hash=token_hash(token),
            browser=browser[:120],
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    audit.record("accounts.sign_in", user, by=user.id, now=now)
    return token


def sign_in(
    user_id: uuid.UUID, attempt_id: uuid.UUID, *, new_hash: str | None, browser: str, now: datetime
) -> str | None:
    """After the right password: open a session and return its token; None if the account was disabled meanwhile.

    `new_hash` replaces a hash that was made with older parameters.
    """
    user = db.session.get(User, user_id)
    if user is None or user.disabled_at is not None:
        return None
    attempts.succeed(attempt_id)
    if new_hash is not None:
        user.password_hash = new_hash
    return start_session(user, browser=browser, now=now)


def set_password(user: User, password_hash: str, *, keep: uuid.UUID | None, now: datetime) -> int:
    """Store a new password and end every session but `keep`; return how many ended."""
    user.password_hash = password_hash
    user.row_version += 1
    ended = end_sessions(user.id, now=now, but=keep)
    audit.record("accounts.password", user, by=user.id, now=now, sessions_ended=ended)
    return ended


def set_locale(user: User, locale: str, *, now: datetime) -> None:
    """The language in which the account reads pages and messages where its browser does not say otherwise."""
    user.locale = locale
    audit.record("accounts.locale", user, by=user.id, now=now, locale=locale)


def end_session(session_id: uuid.UUID, user: User, *, now: datetime) -> bool:
    """End one session of `user`; False if it had ended already."""
    done = db.session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if done.rowcount:  # type: ignore[attr-defined]
        audit.record("accounts.end_session", user, by=user.id, now=now)
    return bool(done.rowcount)  # type: ignore[attr-defined]


def end_sessions(user_id: uuid.UUID, *, now: datetime, but: uuid.UUID | None = None) -> int:
    """End every live session of an account (but one); return how many."""
    ending = update(UserSession).where(UserSession.user_id == user_id, live_sessions(now)).values(revoked_at=now)
    if but is not None:
        ending = ending.where(UserSession.id != but)
    return int(db.session.execute(ending).rowcount)  # type: ignore[attr-defined]


def note_seen(session_id: uuid.UUID, user_id: uuid.UUID, *, now: datetime) -> None:
    """Remember when the account was last used; no audit row, since it is not a deed."""
    db.session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=now))
    db.session.execute(update(User).where(User.id == user_id).values(last_seen_at=now))


def deliver_waiting(*, now: datetime, limit: int = 500) -> int:
    """Move waiting messages from the outbox into the inboxes, oldest first; return how many.

    Two that deliver at once do not meet on PostgreSQL (rows held by the other are skipped); the unique
    `outbox_id` holds in any case.
    """
    waiting = db.session.scalars(
        select(OutboxRow)
        .where(OutboxRow.delivered_at.is_(None))
        .order_by(OutboxRow.created_at, OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in waiting:
        db.session.add(
            InboxMessage(
                person_id=row.person_id, outbox_id=row.id, kind=row.kind, params=row.params, created_at=row.created_at
            )
        )
        row.delivered_at = now
        _read_what_it_replaces(row, now)
    return len(waiting)


def _read_what_it_replaces(row: OutboxRow, now: datetime) -> None:
    """News of a visit makes earlier news of it idle: whoever has not read that need not read it any more."""
    visit = row.params.get("visit_id")
    for kind in outbox.replaced_by(row.kind) if visit else ():
        db.session.flush()
        earlier = db.session.scalars(
            select(InboxMessage).where(
                InboxMessage.person_id == row.person_id, InboxMessage.kind == kind, InboxMessage.read_at.is_(None)
            )
        )
        for message in earlier:
            if message.params.get("visit_id") == visit:
                message.read_at = now


def mark_read(
    person_id: uuid.UUID,
    *,
    now: datetime,
    message_id: uuid.UUID | None = None,
    only: Collection[uuid.UUID] | None = None,
) -> int:
    """Mark one message of a person, some of them, or all, as read; return how many were unread."""
    marking = (
        update(InboxMessage)
        .where(InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
        .values(read_at=now)
    )
    if message_id is not None:
        marking = marking.where(InboxMessage.id == message_id)
    if only is not None:
        marking = marking.where(InboxMessage.id.in_(only))
    return int(db.session.execute(marking).rowcount)  # type: ignore[attr-defined]


def forget_older_than(moment: datetime) -> None:
    """Delete attempts, ended sessions and keys of requests from before `moment`: bookkeeping, not records."""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.at < moment))
    db.session.execute(delete(UserSession).where(or_(UserSession.expires_at < moment, UserSession.revoked_at < moment)))
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < moment))
