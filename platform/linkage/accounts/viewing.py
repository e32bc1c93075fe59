"""Looking at the pages as somebody else, to check their rights (以他人身份查看): read only, for a while, written down.

The administrator's own session stays; beside it stands a row that says as whom it looks, why and until when. Every
request asks anew whether that still may be: the other account works, lies in the administrator's scope, and has no
role that the administrator could not give. `core.web` refuses whatever writes; `core.veil` masks personal values.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.accounts import granting, permissions, queries
from linkage.accounts.models import User, ViewAs
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, NotAllowed
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.core.rulesets import rule

REASONS = {
    "rights": _l("check what this account may see"),
    "help": _l("its owner asked for help with a page"),
    "complaint": _l("look into a complaint"),
}


def may_view(by: Actor, user: User) -> bool:
    """`by` may look at the pages as this account: within scope, and no role that `by` could not give."""
    return (
        user.id != by.user_id
        and user.disabled_at is None
        and may(by, permissions.may_view_as, user)
        and granting.is_whole(by, user, by.at)
    )


def start(user: User, *, session_id: uuid.UUID, reason: str, by: Actor, now: datetime) -> ViewAs:
    """From now on the session `session_id` of `by` shows the pages as `user`; one at a time.

    Raises
    ------
    InvalidInput
        no reason of the list.
    Conflict
        the account is disabled or has no role today.
    NotAllowed
        it is one's own, lies outside one's scope, or has a role that one may not give.
    """
    if reason not in REASONS:
        raise InvalidInput(_l("Choose a reason."), field="reason")
    if user.disabled_at is not None or not queries.active_grants(user.id, local_date(now)):
        raise Conflict(_l("This account sees nothing today: it is disabled or has no role."))
    if not may_view(by, user):
        raise NotAllowed(
            _l("You may not look at the pages as this account."),
            remedy=_l("It is your own, or has a role that you may not give."),
        )
    for row in db.session.scalars(_open().where(ViewAs.session_id == session_id)):
        end(row, now=now)
    minutes = rule("accounts.view_as_minutes", local_date(now))
    row = ViewAs(
        session_id=session_id,
        by_id=by.user_id,
        user_id=user.id,
        reason=reason,
        created_at=now,
        ends_at=now + timedelta(minutes=minutes),
    )
    db.session.add(row)
    audit.record("accounts.view_as", user, by=by.user_id, now=now, reason=reason, minutes=minutes)
    return row


def end(row: ViewAs, *, now: datetime) -> None:
    """The pages are one's own again. Once: what has ended stays as it was."""
    if row.ended_at is not None:
        return
    row.ended_at = min(now, row.ends_at)
    how = "by hand" if now < row.ends_at else "time"
    audit.record("accounts.view_as_end", ("users", row.user_id), by=row.by_id, now=now, how=how)


def _open() -> Select[ViewAs]:
    return select(ViewAs).where(ViewAs.ended_at.is_(None)).order_by(ViewAs.id)


def own_row(view_id: str, session_id: uuid.UUID) -> ViewAs | None:
    """The row that the browser names, if it is of this very session."""
    row = db.session.get(ViewAs, uuid.UUID(view_id))
    return row if row is not None and row.session_id == session_id else None


def found(view_id: str, session_id: uuid.UUID, by: Actor, now: datetime) -> tuple[ViewAs, User] | None:
    """The view that holds now, and as whom; None where it is over or may be no longer."""
    row = own_row(view_id, session_id)
    if row is None or row.by_id != by.user_id or row.ended_at is not None or row.ends_at <= now:
        return None
    user = db.session.get(User, row.user_id, populate_existing=True)
    return (row, user) if user is not None and may_view(by, user) else None


def end_of_session(session_id: uuid.UUID, *, now: datetime) -> None:
    """What the session looks at ends with it."""
    for row in db.session.scalars(_open().where(ViewAs.session_id == session_id)):
        end(row, now=now)


def end_expired(*, now: datetime) -> int:
    """Close what has run out; return how many."""
    rows = db.session.scalars(_open().where(ViewAs.ends_at <= now)).all()
    for row in rows:
        end(row, now=now)
    return len(rows)
