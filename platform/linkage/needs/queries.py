"""Reading needs."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from linkage.core.extensions import db
from linkage.core.permissions import Actor, visible_rows
from linkage.needs import recurrence
from linkage.needs.models import Need


def visible(actor: Actor) -> Select[Need]:
    """The needs that `actor` may see: where every list begins."""
    return visible_rows(actor, Need)


def get_need(need_id: uuid.UUID) -> Need | None:
    return db.session.get(Need, need_id)


def may_be_open(on: date) -> ColumnElement[bool]:
    """SQL: not withdrawn and not certainly over on `on` (a rule with COUNT is asked in Python: `is_open`)."""
    return and_(
        Need.withdrawn_at.is_(None),
        or_(Need.ends_on.is_(None), Need.ends_on >= on),
        or_(Need.recurrence.is_not(None), Need.starts_on >= on, Need.flexible_days > 1),
    )


def is_open(need: Need, on: date) -> bool:
    """Not withdrawn, and one of its days is `on` or later."""
    over = recurrence.is_over(need.starts_on, need.recurrence, need.ends_on, need.flexible_days, on=on)
    return need.withdrawn_at is None and not over


def first_open(household_id: uuid.UUID, service_id: uuid.UUID, on: date) -> Need | None:
    """The first need of this household for this service that is still open on `on`, or was repeated by one.

    A repeated request links to the very first of its chain, so that escalations are counted in one place.
    """
    rows = db.session.scalars(
        select(Need)
        .where(Need.household_id == household_id, Need.service_id == service_id, may_be_open(on))
        .order_by(Need.created_at, Need.number)
    )
    found = next((need for need in rows if is_open(need, on)), None)
    if found is None or found.repeats_id is None:
        return found
    return db.session.get(Need, found.repeats_id)


def repeats(need: Need) -> list[Need]:
    """Later requests that repeat `need`: each a possible escalation."""
    return list(db.session.scalars(select(Need).where(Need.repeats_id == need.id).order_by(Need.created_at)))


def count_repeats(need_id: uuid.UUID) -> int:
    return db.session.scalar(select(func.count()).where(Need.repeats_id == need_id)) or 0


def same_need(household_id: uuid.UUID, service_id: uuid.UUID, starts_on: date, rule: str | None) -> Need | None:
    """The need that an imported row means: by household, service, start and recurrence."""
    rule = recurrence.normalise(rule)
    return db.session.scalars(
        select(Need)
        .where(
            Need.household_id == household_id,
            Need.service_id == service_id,
            Need.starts_on == starts_on,
            Need.recurrence.is_(None) if rule is None else Need.recurrence == rule,
            Need.withdrawn_at.is_(None),
        )
        .order_by(Need.created_at)
    ).first()
