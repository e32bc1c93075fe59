"""Reading offers and rounds. What a volunteer sees before accepting is made here: never a name, never a door."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, or_, select, union
from sqlalchemy.orm import joinedload

from linkage.areas.models import Area, Place
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor, scoped
from linkage.needs.models import Need
from linkage.offers.models import Offer, OfferRound
from linkage.services.models import Service
from linkage.visits.models import Assignment, Slot, Visit
from linkage.volunteers.models import Volunteer

EARTH_METRES = 6_371_008.8
COARSE_METRES = 100
LONGEST = timedelta(days=1)  # no visit and no way is longer
GIVEN_BACK = (
    "withdrew",
    "absent",
    "died",
    "papers",
)  # why a booking is released so that others are asked by themselves


def get_offer(offer_id: uuid.UUID) -> Offer | None:
    return db.session.get(Offer, offer_id)


def unanswered() -> ColumnElement[bool]:
    """SQL: asked, and neither answered nor run out nor withdrawn."""
    return and_(
        Offer.accepted_at.is_(None),
        Offer.declined_at.is_(None),
        Offer.expired_at.is_(None),
        Offer.withdrawn_at.is_(None),
    )


def slot_is_asked() -> ColumnElement[bool]:
    """SQL over `Slot`: somebody has been asked and has not answered."""
    return exists().where(Offer.slot_id == Slot.id, unanswered())


def open_round(slot_id: uuid.UUID) -> OfferRound | None:
    return db.session.scalars(
        select(OfferRound).where(OfferRound.slot_id == slot_id, OfferRound.closed_at.is_(None))
    ).one_or_none()


class Kept(NamedTuple):
    """A paid carer's time behind an open question: the way there, the visit, until its end."""

    person_id: uuid.UUID
    busy_from: datetime
    starts_at: datetime
    ends_at: datetime


def kept_ready(
    start: datetime, end: datetime, person_id: uuid.UUID | None = None, but: uuid.UUID | None = None
) -> list[Kept]:
    """The time of the paid carers who stand behind open questions within start..end.

    `person_id`: hers alone; `but`: not behind the question about this slot.
    """
    rows = (
        select(OfferRound, Visit.duration_minutes)
        .join(Slot, Slot.id == OfferRound.slot_id)
        .join(Visit, Visit.id == Slot.visit_id)
        .where(OfferRound.closed_at.is_(None), OfferRound.fallback_person_id.is_not(None))
        .where(OfferRound.fallback_starts_at < end + LONGEST, OfferRound.fallback_starts_at > start - LONGEST)
    )
    if person_id is not None:
        rows = rows.where(OfferRound.fallback_person_id == person_id)
    found = []
    for row, minutes in db.session.execute(rows):
        if row.slot_id != but and row.fallback_starts_at is not None and row.fallback_person_id is not None:
            from_at = row.fallback_starts_at - timedelta(minutes=row.fallback_travel_minutes)
            until = row.fallback_starts_at + timedelta(minutes=minutes)
            found.append(Kept(row.fallback_person_id, from_at, row.fallback_starts_at, until))
    return [span for span in found if span.busy_from < end and span.ends_at > start]


def open_rounds_of_visit(visit_id: uuid.UUID) -> Sequence[OfferRound]:
    return db.session.scalars(
        select(OfferRound)
        .join(Slot, Slot.id == OfferRound.slot_id)
        .where(Slot.visit_id == visit_id, OfferRound.closed_at.is_(None))
        .order_by(OfferRound.id)
    ).all()


def open_offers(round_id: uuid.UUID) -> Sequence[Offer]:
    return db.session.scalars(
        select(Offer).where(Offer.round_id == round_id, unanswered()).order_by(Offer.asked_at, Offer.id)
    ).all()


def open_offers_of(person_id: uuid.UUID) -> Sequence[Offer]:
    return db.session.scalars(select(Offer).where(Offer.person_id == person_id, unanswered()).order_by(Offer.id)).all()


def asked_people(round_id: uuid.UUID) -> set[uuid.UUID]:
    return set(db.session.scalars(select(Offer.person_id).where(Offer.round_id == round_id)))


def said_no(slot_id: uuid.UUID) -> set[uuid.UUID]:
    """Who declined this slot, or gave it back: they are not asked about it again."""
    declined = select(Offer.person_id).where(
        Offer.slot_id == slot_id, or_(Offer.declined_at.is_not(None), Offer.accepted_at.is_not(None))
    )
    released = select(Assignment.person_id).where(
        Assignment.slot_id == slot_id, Assignment.release_reason.in_(GIVEN_BACK)
    )
    return set(db.session.scalars(union(declined, released)))


def waiting_for(actor: Actor, now: datetime) -> Sequence[Offer]:
    """The questions that `actor` can still answer, soonest deadline first."""
    return db.session.scalars(
        scoped(actor, "offers.answer", Offer)
        .where(unanswered(), Offer.ends_at > now)
        .order_by(Offer.answer_by, Offer.id)
        .options(joinedload(Offer.slot).joinedload(Slot.visit))
    ).all()


def state_of(offer: Offer) -> str:
    """open, accepted, declined, expired, taken or withdrawn (the keys of `core/look.py`)."""
    if offer.accepted_at is not None and offer.withdrawn_at is None:
        return "accepted"
    if offer.declined_at is not None:
        return "declined"
    if offer.round.outcome in ("accepted", "fallback"):
        return "taken"
    if offer.withdrawn_at is not None or offer.round.closed_at is not None:
        return "withdrawn"
    return "expired" if offer.expired_at is not None else "open"


def assignment_of(offer: Offer) -> Assignment | None:
    """The booking that followed from accepting it, while it stands."""
    return db.session.scalars(
        select(Assignment).where(
            Assignment.slot_id == offer.slot_id,
            Assignment.person_id == offer.person_id,
            Assignment.released_at.is_(None),
        )
    ).one_or_none()


@dataclass(frozen=True)
class Preview:
    """All that a volunteer learns before saying yes (progressive disclosure)."""

    offer: Offer
    service: Service
    community: str
    community_metres: int | None  # from the volunteer's home to the centre of the community, to 100 m
    repeats: str | None
    people: int
    risk: str
    insured: bool

    @property
    def minutes(self) -> int:
        return int((self.offer.ends_at - self.offer.starts_at).total_seconds() // 60)


def preview(offer: Offer) -> Preview:
    """The preview of one offer. Takes nothing from the visit but service, community, time and number of people."""
    visit = db.session.execute(
        select(Visit.area_id, Visit.service_id, Visit.people, Need.recurrence)
        .join(Slot, Slot.visit_id == Visit.id)
        .join(Need, Need.id == Visit.need_id)
        .where(Slot.id == offer.slot_id)
    ).one()
    community = _community(visit.area_id)
    service = db.session.get(Service, visit.service_id)
    volunteer = db.session.scalars(select(Volunteer).where(Volunteer.person_id == offer.person_id)).one_or_none()
    assert service is not None
    return Preview(
        offer=offer,
        service=service,
        community=community.name,
        community_metres=_coarse(volunteer, community),
        repeats=visit.recurrence,
        people=visit.people,
        risk=service.risk,
        insured=_is_insured(volunteer, offer),
    )


def _is_insured(volunteer: Volunteer | None, offer: Offer) -> bool:
    day = local_date(offer.ends_at)
    return volunteer is not None and volunteer.insured_to is not None and volunteer.insured_to >= day


def _community(area_id: int) -> Area:
    """The community that an area is or lies in: a grid would say too much."""
    area = db.session.get(Area, area_id)
    assert area is not None
    while area.level == "grid" and area.parent is not None:
        area = area.parent
    return area


def _coarse(volunteer: Volunteer | None, community: Area) -> int | None:
    """Metres to the community's centre, rounded up to 100: an exact distance would give a home away."""
    place = db.session.get(Place, volunteer.home_place_id) if volunteer and volunteer.home_place_id else None
    position = place.position if place else None
    if position is None or community.lat is None or community.lon is None:
        return None
    metres = great_circle(position[0], position[1], community.lat, community.lon)
    return max(1, math.ceil(metres / COARSE_METRES)) * COARSE_METRES


def great_circle(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two points in WGS-84 degrees (haversine)."""
    a, b = math.radians(lat1), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(half))
