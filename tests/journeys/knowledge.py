"""What a tester may look up behind the pages: who is booked, which code hangs inside the door, what was counted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from linkage.accounts.models import User
from linkage.application import create_app
from linkage.areas.models import Area
from linkage.contracts.models import LedgerEntry
from linkage.core.clock import local
from linkage.core.config import load_settings
from linkage.core.extensions import db
from linkage.offers.models import OfferRound
from linkage.visits.models import Assignment, Visit
from tests.journeys.site import Site


@dataclass(frozen=True)
class Booked:
    """One booking: whose account to sign in with, when to be there, and the code inside the door."""

    assignment_id: uuid.UUID
    visit_id: uuid.UUID
    username: str
    person: str
    household: str
    starts_at: str
    ends_at: str
    code: str
    line_id: uuid.UUID | None


class Knowledge:
    """Reads the database of a running site."""

    def __init__(self, site: Site) -> None:
        self.app = create_app(load_settings(site.env()))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self.app.app_context():
            try:
                yield
            finally:
                db.session.remove()

    def next_booking(self, capacity: str, *, community: str | None = None, username: str | None = None) -> Booked:
        """The first booking ahead of somebody who has an account, within a community or of one person."""
        query = (
            select(Assignment, User)
            .join(User, User.person_id == Assignment.person_id)
            .join(Visit, Visit.id == Assignment.visit_id)
            .join(Area, Area.id == Visit.area_id)
            .where(Assignment.released_at.is_(None), Assignment.capacity == capacity, Visit.people == 1)
            .order_by(Assignment.starts_at)
        )
        if community:
            query = query.where(Area.name == community)
        if username:
            query = query.where(User.sign_in_name == username)
        with self._reading():
            now = self.app.extensions["linkage-clock"].now()
            row, user = db.session.execute(query.where(Assignment.starts_at > now)).first()
            return Booked(
                row.id,
                row.visit_id,
                user.sign_in_name,
                row.person.name,
                row.visit.person.name,
                _text(row.starts_at),
                _text(row.ends_at),
                row.visit.household.door_code,
                row.line_id,
            )

    def delivered(self, visit_id: uuid.UUID) -> int:
        """What the ledger says was delivered for a visit."""
        with self._reading():
            entries = db.session.scalars(
                select(LedgerEntry).where(LedgerEntry.visit_id == visit_id, LedgerEntry.kind == "deliver")
            )
            return sum(entry.quantity for entry in entries)

    def question_with_a_carer_behind(self) -> tuple[uuid.UUID, str]:
        """(slot, moment of the fallback) of a round in which one volunteer is asked and a carer is kept ready.

        The latest such visit, so that nothing else of the story is in its way.
        """
        with self._reading():
            rows = db.session.scalars(
                select(OfferRound)
                .where(OfferRound.closed_at.is_(None), OfferRound.fallback_person_id.is_not(None))
                .order_by(OfferRound.starts_at.desc())
            )
            row = next(row for row in rows if len(row.offers) == 1 and row.fallback_at is not None)
            return row.slot_id, _text(row.fallback_at)  # type: ignore[arg-type]

    def asked(self, slot_id: uuid.UUID) -> int:
        """How many people were asked about a slot."""
        with self._reading():
            rounds = db.session.scalars(select(OfferRound).where(OfferRound.slot_id == slot_id))
            return sum(len(row.offers) for row in rounds)

    def capacity_of(self, slot_id: uuid.UUID) -> str | None:
        """ "carer" or "volunteer": who is booked for the slot now."""
        with self._reading():
            active = select(Assignment.capacity).where(Assignment.slot_id == slot_id, Assignment.released_at.is_(None))
            return db.session.scalars(active).one_or_none()


def _text(moment: datetime) -> str:
    return local(moment).strftime("%Y-%m-%dT%H:%M")
