"""Reading sealed bids, officers, the chain and what was released."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import undefer

from linkage.accounts.models import Grant, User
from linkage.areas.models import Area
from linkage.areas.queries import lies_under
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.procurement.models import Bid, BidContent, BidEntry, Closing, OpeningOfficer, PartRelease, Tender
from linkage.procurement.queries import live

OFFICER_ROLES = (Role.SUPERVISOR, Role.COORDINATOR, Role.COMMUNITY, Role.OPERATOR)


def entries_of(tender_id: uuid.UUID) -> Sequence[BidEntry]:
    """The chain, in its order."""
    return db.session.scalars(select(BidEntry).where(BidEntry.tender_id == tender_id).order_by(BidEntry.place)).all()


def last_entry(tender_id: uuid.UUID) -> BidEntry | None:
    wanted = select(BidEntry).where(BidEntry.tender_id == tender_id).order_by(BidEntry.place.desc())
    return db.session.scalars(wanted.limit(1)).first()


def get_bid(bid_id: uuid.UUID) -> Bid | None:
    return db.session.get(Bid, bid_id)


def get_entry(tender_id: uuid.UUID, place: int) -> BidEntry | None:
    return db.session.scalars(
        select(BidEntry).where(BidEntry.tender_id == tender_id, BidEntry.place == place)
    ).one_or_none()


def live_bid(tender_id: uuid.UUID, organisation_id: uuid.UUID) -> Bid | None:
    """The organisation's last version, unless withdrawn."""
    return db.session.scalars(live(tender_id).where(Bid.organisation_id == organisation_id)).one_or_none()


def last_version(tender_id: uuid.UUID, organisation_id: uuid.UUID) -> int:
    """The number of the organisation's last version, withdrawn or not; 0 before the first."""
    wanted = select(func.max(Bid.version)).where(Bid.tender_id == tender_id, Bid.organisation_id == organisation_id)
    return db.session.scalar(wanted) or 0


def own_entries(tender_id: uuid.UUID, organisation_id: uuid.UUID) -> Sequence[BidEntry]:
    """What an organisation did: its receipts, the last first."""
    wanted = select(BidEntry).join(Bid).where(BidEntry.tender_id == tender_id, Bid.organisation_id == organisation_id)
    return db.session.scalars(wanted.order_by(BidEntry.place.desc())).all()


def counted_bids(tender_id: uuid.UUID, *, whole: bool = False) -> list[Bid]:
    """The bids that take part in the opening, by place; `whole`: with ciphertext, manifest and parts."""
    wanted = live(tender_id)
    if whole:
        wanted = wanted.options(undefer(Bid.manifest), undefer(Bid.envelope), undefer(Bid.parts))
    return [bid for bid in db.session.scalars(wanted) if bid.takes_part]


def all_bids(tender_id: uuid.UUID) -> Sequence[Bid]:
    """Every version ever sealed."""
    return db.session.scalars(select(Bid).where(Bid.tender_id == tender_id).order_by(Bid.place)).all()


def bidders(tender_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The organisations that sealed a bid, also those that withdrew it."""
    return db.session.scalars(
        select(Bid.organisation_id).where(Bid.tender_id == tender_id).distinct().order_by(Bid.organisation_id)
    ).all()


def past_their_deadline(now: datetime) -> Sequence[uuid.UUID]:
    """Tenders whose deadline has passed and whose list is not published yet."""
    closed = select(Closing.tender_id)
    wanted = select(Tender.id).where(
        Tender.published_at.is_not(None),
        Tender.deadline_at <= now,
        Tender.opened_at.is_(None),
        Tender.id.not_in(closed),
    )
    return db.session.scalars(wanted.order_by(Tender.deadline_at)).all()


def closing_of(tender_id: uuid.UUID) -> Closing | None:
    return db.session.scalars(select(Closing).where(Closing.tender_id == tender_id)).one_or_none()


def releases_of(tender_id: uuid.UUID) -> Sequence[PartRelease]:
    """What officers released, by seat and place."""
    wanted = select(PartRelease).join(OpeningOfficer).join(Bid, Bid.id == PartRelease.bid_id)
    wanted = wanted.where(OpeningOfficer.tender_id == tender_id).order_by(OpeningOfficer.position, Bid.place)
    return db.session.scalars(wanted).all()


def contents_of(tender_id: uuid.UUID) -> dict[uuid.UUID, BidContent]:
    """Opened contents by bid (without the payload's bytes)."""
    wanted = select(BidContent).join(Bid).where(Bid.tender_id == tender_id)
    return {content.bid_id: content for content in db.session.scalars(wanted)}


def officer_of(tender_id: uuid.UUID, person_id: uuid.UUID) -> OpeningOfficer | None:
    """The person's seat, while in office."""
    return db.session.scalars(
        select(OpeningOfficer).where(
            OpeningOfficer.tender_id == tender_id,
            OpeningOfficer.person_id == person_id,
            OpeningOfficer.replaced_at.is_(None),
        )
    ).one_or_none()


def own_organisations(actor: Actor) -> Sequence[Organisation]:
    """The organisations for which the actor bids."""
    ids = {grant.organisation_id for grant in actor.grants if grant.role == Role.MANAGER and grant.organisation_id}
    return db.session.scalars(select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.name)).all()


def candidates(tender: Tender, actor: Actor) -> Sequence[Person]:
    """Who can be an opening officer: staff whose area is the buyer's, lies above or below it. Never an administrator
    of the installation, who keeps the machine on which the ciphertexts lie."""
    path = tender.buyer.path
    above = [int(step) for step in path.strip("/").split("/")]
    chosen = (
        select(User.person_id)
        .join(Grant, Grant.user_id == User.id)
        .join(Area, Area.id == Grant.area_id)
        .where(
            Grant.role.in_([role.value for role in OFFICER_ROLES]),
            Grant.on(local_date(actor.at)),
            Grant.revoked_at.is_(None),
            User.disabled_at.is_(None),
            or_(lies_under(Area.id, path), Area.id.in_(above)),
        )
    )
    keepers = (
        select(User.person_id)
        .join(Grant, Grant.user_id == User.id)
        .where(Grant.role == Role.ADMINISTRATOR.value, Grant.on(local_date(actor.at)), Grant.revoked_at.is_(None))
    )
    wanted = select(Person).where(Person.id.in_(chosen), Person.id.not_in(keepers))
    return db.session.scalars(wanted.order_by(Person.name_keys, Person.id)).all()
