"""What commands of the installation say and do about accounts; `linkage.cli` gives them their names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from linkage.accounts import demo, granting
from linkage.areas.models import Area
from linkage.core import events
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import rights
from linkage.core.privacy import PERSONAL_FIELDS
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
    return f"{base_url.rstrip('/')}/invitation/{granting.token_of(invitation)}"


def rights_lines() -> list[str]:
    """The rights table: one right a line, with the scope of each role."""
    return [
        f"{entry.name:32} {', '.join(f'{role}: {scope}' for role, scope in entry.scopes.items()):90} {entry.meaning}"
        for entry in rights()
    ]


def event_lines() -> list[str]:
    """Which room carries out what when an event is announced."""
    return [f"{event:20} {room:15} {handler}" for event, room, handler in events.table()]


def personal_field_lines() -> list[str]:
    """Every personal field: where it stands, how it is kept, what it is."""
    return [f"{entry.table}.{entry.column:28} {entry.storage:24} {entry.meaning}" for entry in PERSONAL_FIELDS]


def demo_account_list(now: datetime, per_role: int = 3) -> list[dict[str, Any]]:
    """The demo's accounts: role, sign-in name, password, first page.  Raises InvalidInput outside of demo mode."""
    if not demo.is_demo():
        raise InvalidInput("There are demo accounts only in demo mode.")
    return [
        {
            "role": account.role.value,
            "username": account.user.sign_in_name,
            "password": demo.PASSWORD,
            "name": account.user.person.name,
            "first_page": "/",
        }
        for account in demo.demo_accounts(now, per_role)
    ]
