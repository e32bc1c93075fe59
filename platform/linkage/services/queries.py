"""Reading the catalogue, and who holds which qualification."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, select

from linkage.core.extensions import db
from linkage.services.models import HeldQualification, Qualification, Service

# Qualifications and papers are marked so many days before they end (90, 60, 30, 7).
WARN_DAYS = (90, 60, 30, 7)


def catalogue() -> Select[Service]:
    """Every service, in the catalogue's order. It has no scope: whoever may see the catalogue may see all of it."""
    return select(Service).order_by(Service.position, Service.code)


def rows(wanted: Select[Service]) -> list[Service]:
    return list(db.session.scalars(wanted))


def get_service(service_id: uuid.UUID) -> Service | None:
    return db.session.get(Service, service_id)


def by_code(code: str) -> Service | None:
    return db.session.scalars(select(Service).where(Service.code == code)).one_or_none()


def services_on(day: date) -> list[Service]:
    """The services that are offered on `day`, in the catalogue's order."""
    return list(db.session.scalars(select(Service).where(Service.on(day)).order_by(Service.position, Service.code)))


def qualifications() -> list[Qualification]:
    return list(db.session.scalars(select(Qualification).order_by(Qualification.code)))


def qualification_names() -> dict[str, Qualification]:
    """By code."""
    return {row.code: row for row in qualifications()}


def named_codes(codes: Iterable[str]) -> list[Qualification]:
    """The qualifications of these codes, in their order."""
    found = (db.session.get(Qualification, code) for code in codes)
    return [row for row in found if row is not None]


def services_needing() -> dict[str, list[Service]]:
    """Which services need each qualification, of anybody."""
    needing: dict[str, list[Service]] = {row.code: [] for row in qualifications()}
    for service in db.session.scalars(select(Service).order_by(Service.position)):
        for code in {*service.qualifications, *service.volunteer_qualifications}:
            needing.setdefault(code, []).append(service)
    return needing


def get_qualification(code: str) -> Qualification | None:
    return db.session.get(Qualification, code)


def held_by(person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[HeldQualification]]:
    """What each person holds or held, the latest to end first."""
    ids = list(person_ids)
    found: dict[uuid.UUID, list[HeldQualification]] = {person_id: [] for person_id in ids}
    rows = db.session.scalars(select(HeldQualification).where(HeldQualification.person_id.in_(ids)))
    for row in sorted(rows, key=lambda row: (row.valid_to or date.max, row.code), reverse=True):
        found[row.person_id].append(row)
    return found


def codes_held(person_id: uuid.UUID, day: date) -> set[str]:
    """The qualifications that are valid on `day`."""
    held = select(HeldQualification.code).where(HeldQualification.person_id == person_id, HeldQualification.on(day))
    return set(db.session.scalars(held))


def get_held(held_id: uuid.UUID) -> HeldQualification | None:
    return db.session.get(HeldQualification, held_id)


def expiring(today: date, days: int) -> ColumnElement[bool]:
    """SQL: the qualification ends within `days` from today (or ended at most that long ago)."""
    first, last = today - timedelta(days=days), today + timedelta(days=days)
    return HeldQualification.valid_to.between(first, last)


def paper_state(valid_from: date | None, valid_to: date | None, today: date) -> tuple[str, int | None]:
    """How a dated paper stands: (key of the "paper" look, days until it ends where that is within 90)."""
    if valid_from is not None and today < valid_from:
        return "future", None
    if valid_to is None:
        return "valid", None
    left = (valid_to - today).days
    if left < 0:
        return "expired", left
    return ("expiring", left) if left <= WARN_DAYS[0] else ("valid", None)
