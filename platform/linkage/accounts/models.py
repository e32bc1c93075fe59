"""User accounts, role grants, server-side sessions, sign-in attempts, invitations and the in-app inbox."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, Dated, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.people.models import Person


class User(UuidKey, Created, Versioned, Model):
    """An account of a person. Disabled from `disabled_at` on, effective with the next request."""

    __tablename__ = "users"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    sign_in_name: Mapped[str] = mapped_column(String(60), unique=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(String(5), default="zh")
    disabled_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def name(self) -> str:
        """The person's name, for the page's head."""
        return self.person.name

    def get_id(self) -> str:
        return str(self.id)


class Grant(UuidKey, Created, Dated, Model):
    """A role with its dates and its scope: an area, an organisation or a household (kind by role).

    `linked`: whoever gave it did not register the person, who is known from elsewhere: it lets the person work here,
    and opens nothing of theirs (see people.scopes.is_strange).
    """

    __tablename__ = "grants"
    user_id: Mapped[uuid.UUID] = ref("users.id")
    role: Mapped[str] = mapped_column(String(20), index=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("areas.id"), index=True)
    organisation_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    household_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    scope_name: Mapped[str] = mapped_column(String(120), default="")  # snapshot of what its page shows
    granted_by: Mapped[uuid.UUID | None]
    linked: Mapped[bool] = mapped_column(default=False)
    revoked_at: Mapped[datetime | None]


class UserSession(UuidKey, Created, Model):
    """A signed-in browser. The cookie holds a random token, this row only its hash: revocable at once."""

    __tablename__ = "user_sessions"
    user_id: Mapped[uuid.UUID] = ref("users.id")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(String(120), default="")


class ViewAs(UuidKey, Created, Model):
    """The session `session_id` of `by_id` looks at the pages as `user_id`, from `created_at` to `ends_at` at most."""

    __tablename__ = "views_as"
    session_id: Mapped[uuid.UUID] = mapped_column(index=True)
    by_id: Mapped[uuid.UUID] = mapped_column(index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(20))
    ends_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class SignInAttempt(UuidKey, Model):
    """A failed or successful attempt, by blind indexes: limits guessing, not the owner (see `accounts.attempts`).

    `bucket` is what the attempt is counted in: a browser or an address that the account knows, else all strangers.
    """

    __tablename__ = "sign_in_attempts"
    at: Mapped[datetime] = mapped_column(index=True)
    name_index: Mapped[str] = mapped_column(String(32), index=True)
    address_index: Mapped[str] = mapped_column(String(32), index=True)
    bucket: Mapped[str] = mapped_column(String(32), index=True)
    succeeded: Mapped[bool]


class Invitation(UuidKey, Created, Model):
    """A link to hand over (also as a QR code): whoever opens it sets a password for this person's account."""

    __tablename__ = "invitations"
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[uuid.UUID] = ref("users.id")
    created_by: Mapped[uuid.UUID | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class InboxMessage(UuidKey, Created, Model):
    """A delivered message: rendered from ids and times when it is read."""

    __tablename__ = "inbox_messages"
    person_id: Mapped[uuid.UUID] = ref("people.id")
    outbox_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    params: Mapped[dict[str, Any]]
    read_at: Mapped[datetime | None]
