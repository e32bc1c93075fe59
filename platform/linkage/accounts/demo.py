"""The demo's accounts: one of each role on the sign-in page, each with the question that its first page answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.accounts.models import Grant, User
from linkage.accounts.queries import holding, scope_names
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Role

PASSWORD = "linkage-demo"  # noqa: S105
# In the order of DOMAIN.md; the icon, and what the role's first page answers.
QUESTIONS: dict[Role, tuple[str, Any]] = {
    Role.COMMUNITY: ("check2-square", _l("What must I do today?")),
    Role.OPERATOR: ("headset", _l("Who is calling, and what is open for them?")),
    Role.COORDINATOR: ("calendar-week", _l("Is this week's plan good, and what changed?")),
    Role.MANAGER: ("people", _l("Who works where this week, and how many contract hours are left?")),
    Role.CARER: ("person-badge", _l("Where do I go next?")),
    Role.VOLUNTEER: ("heart", _l("Where do I go next, and is there an offer for me?")),
    Role.HOUSEHOLD: ("house-heart", _l("Who comes, when, and how do I know it is them?")),
    Role.SUPERVISOR: ("binoculars", _l("Where is someone left without help?")),
    Role.ADMINISTRATOR: ("gear", _l("Is the installation healthy?")),
}


@dataclass(frozen=True)
class DemoAccount:
    """An account anyone may try in demo mode."""

    role: Role
    user: User
    scope_name: str
    icon: str
    question: Any


def is_demo() -> bool:
    return bool(current_app.config["SETTINGS"].mode == "demo")


def demo_accounts(now: datetime, per_role: int = 1) -> list[DemoAccount]:
    """The first accounts of each role (by name); none outside of demo mode."""
    if not is_demo():
        return []
    found = []
    for role, (icon, question) in QUESTIONS.items():
        rows = db.session.execute(
            select(User, Grant)
            .join(Grant, Grant.user_id == User.id)
            .where(
                Grant.role == role.value,
                holding(local_date(now)),
                User.disabled_at.is_(None),
                User.password_hash.is_not(None),
            )
            .order_by(User.created_at, User.sign_in_name)
            .limit(per_role)
        ).all()
        names = scope_names([grant for _, grant in rows])
        found += [DemoAccount(role, user, names[grant.id], icon, question) for user, grant in rows]
    return found
