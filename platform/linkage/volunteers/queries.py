"""Reading volunteers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, selectinload

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.kept import kept
from linkage.core.permissions import Actor, scoped
from linkage.people.queries import matches
from linkage.services.models import Service
from linkage.services.queries import WARN_DAYS, services_on
from linkage.volunteers.models import Volunteer, VolunteerService


def listed(actor: Actor) -> Select[Volunteer]:
    """The volunteers whom the actor may list, with person and area."""
    return (
        scoped(actor, "volunteers.list", Volunteer)
        .join(Volunteer.person)
        .join(Volunteer.area)
        .options(contains_eager(Volunteer.person), contains_eager(Volunteer.area), selectinload(Volunteer.services))
    )


def get_volunteer(volunteer_id: uuid.UUID) -> Volunteer | None:
    return db.session.get(Volunteer, volunteer_id)


def of_person(person_id: uuid.UUID) -> Volunteer | None:
    return db.session.scalars(select(Volunteer).where(Volunteer.person_id == person_id)).one_or_none()


def paused_on(day: date) -> ColumnElement[bool]:
    """SQL: the volunteer is paused on `day`."""
    return and_(
        func.coalesce(Volunteer.paused_from <= day, False),
        or_(Volunteer.paused_to.is_(None), Volunteer.paused_to >= day),
    )


def status(volunteer: Volunteer, day: date) -> str:
    """active, paused or left: derived from the dates, as `with_status` does in SQL."""
    if volunteer.left_at is not None:
        return "left"
    begun = volunteer.paused_from is not None and volunteer.paused_from <= day
    return "paused" if begun and (volunteer.paused_to is None or day <= volunteer.paused_to) else "active"


def with_status(key: str, day: date) -> ColumnElement[bool]:
    """SQL: the volunteer is active, paused or left on `day`."""
    if key == "left":
        return Volunteer.left_at.is_not(None)
    return and_(Volunteer.left_at.is_(None), paused_on(day) if key == "paused" else ~paused_on(day))


def find(
    actor: Actor,
    today: date,
    *,
    text: str = "",
    area_path: str = "",
    service_id: uuid.UUID | None = None,
    state: str = "active",
    insurance: str = "",
) -> Select[Volunteer]:
    """Volunteers by name, pinyin, number or telephone.

    `state`: active, paused, left or all (''); `insurance`: none (ended or never), or the days within which it ends.
    """
    wanted = listed(actor)
    if text.strip():
        wanted = wanted.where(or_(matches(text), Volunteer.number == text.strip().upper()))
    if area_path:
        wanted = wanted.where(Area.path.startswith(area_path, autoescape=True))
    if service_id is not None:
        offering = select(VolunteerService.volunteer_id).where(VolunteerService.service_id == service_id)
        wanted = wanted.where(Volunteer.id.in_(offering))
    if state in ("active", "paused", "left"):
        wanted = wanted.where(with_status(state, today))
    if insurance == "none":
        wanted = wanted.where(or_(Volunteer.insured_to.is_(None), Volunteer.insured_to < today))
    elif insurance.isdigit():
        last = today + timedelta(days=int(insurance))
        wanted = wanted.where(Volunteer.insured_to.between(today, last))
    return wanted


def insurance_counts(actor: Actor, today: date) -> dict[str, int]:
    """How many active volunteers have no insurance, or one that ends within 90, 60, 30 and 7 days."""
    keys = ["none", *map(str, WARN_DAYS)]
    return {key: count(find(actor, today, insurance=key)) for key in keys}


def count(wanted: Select[Volunteer]) -> int:
    return db.session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0


def offered_services(volunteers: Sequence[Volunteer]) -> dict[uuid.UUID, list[Service]]:
    """By volunteer: the services that they offer, in the catalogue's order."""
    ids = {row.service_id for volunteer in volunteers for row in volunteer.services}
    services = db.session.scalars(select(Service).where(Service.id.in_(ids)).order_by(Service.position)).all()
    return {
        volunteer.id: [one for one in services if one.id in {row.service_id for row in volunteer.services}]
        for volunteer in volunteers
    }


def open_to_volunteers(day: date) -> Sequence[Service]:
    """The services that a volunteer can offer, alone or beside somebody."""
    rows = kept(("services", day), lambda: services_on(day))
    return [row for row in rows if any("volunteer" in kinds for kinds in (row.provider_kinds, *row.mixes))]
