"""What commands of the installation say and do about accounts; `linkage.cli` gives them their names."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from linkage.accounts import granting, queries
from linkage.areas.models import Area
from linkage.core import events
from linkage.core.errors import Conflict, NotFound
from linkage.core.extensions import db
from linkage.core.permissions import models_with_scope, rights
from linkage.core.privacy import PERSONAL_FIELDS
from linkage.core.web import GUARDS
from linkage.people.operations import PersonDraft, register_person


def first_administrator(name: str, sign_in_name: str, *, telephone: str | None, base_url: str, now: datetime) -> str:
    """Make the account that administers everything; return the link with which its password is set.

    Runs in the caller's transaction.

    Raises
    ------
    Conflict
        there is no area tree yet.
    InvalidInput
        the name is taken, or the telephone is none.
    """
    root = db.session.scalars(select(Area).where(Area.parent_id.is_(None)).order_by(Area.id).limit(1)).one_or_none()
    if root is None:
        raise Conflict("There are no areas yet.", remedy="Load the area tree first.")
    person = register_person(PersonDraft(name, telephone=telephone), by=None, now=now)
    invitation = granting.register_first_administrator(person, root, sign_in_name=sign_in_name, now=now)
    return address(base_url, granting.token_of(invitation))


def rights_lines() -> list[str]:
    """The rights table: one right a line, with the scope of each role."""
    return [
        f"{entry.name:32} {', '.join(f'{role}: {scope}' for role, scope in entry.scopes.items()):90} {entry.meaning}"
        for entry in rights()
    ]


def seeing_lines() -> list[str]:
    """Each guarded kind of row, with the right without which it looks absent."""
    return [f"{model.__name__:32} {name}" for model, name in sorted(models_with_scope().items(), key=lambda p: p[1])]


def route_lines() -> list[str]:
    """Each route: the right that it needs, and what it loads before it is asked for that."""
    return [
        f"{endpoint:36} {guard.permission:24} {guard.subject.__name__ if guard.subject else '-'}"
        for endpoint, guard in sorted(GUARDS.items())
    ]


def event_lines() -> list[str]:
    """Which room carries out what when an event is announced."""
    return [f"{event:20} {room:15} {handler}" for event, room, handler in events.table()]


def personal_field_lines() -> list[str]:
    """Every personal field: where it stands, how it is kept, what it is."""
    return [f"{entry.table}.{entry.column:28} {entry.storage:24} {entry.meaning}" for entry in PERSONAL_FIELDS]


def has_administrator(now: datetime) -> bool:
    """Somebody administers the installation already."""
    return bool(queries.administrators(now))


def new_link(sign_in_name: str, *, base_url: str, now: datetime) -> str:
    """A new link for an account, from the server's own console: the way back in when nobody else can give one.

    Runs in the caller's transaction.  Raises NotFound, Conflict for a disabled account.
    """
    user = queries.find_user_by_name(sign_in_name)
    if user is None:
        raise NotFound("There is no such account.")
    return address(base_url, granting.token_of(granting.invite(user, by=None, now=now)))


def address(base_url: str, token: str) -> str:
    """The link to hand over."""
    return f"{base_url.rstrip('/')}/invitation/{token}"
