"""The inbox as it is read: by day, and on a day by kind, so that the same thing is one line however often it came."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from linkage.accounts.models import InboxMessage
from linkage.core import outbox
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.outbox import Rendered

MOST = 2000  # messages looked at, the newest
LINES = 50  # lines on a page


@dataclass(frozen=True)
class Line:
    """Messages of one kind and day (or one alone). `ids`: newest first; `text` is of many, else the newest's."""

    day: date
    kind: str
    at: datetime
    ids: tuple[uuid.UUID, ...]
    unread: int
    words: Rendered

    @property
    def many(self) -> bool:
        return len(self.ids) > 1


def lines(person_id: uuid.UUID, *, unread_only: bool = False) -> list[tuple[date, str, list[InboxMessage]]]:
    """(day, kind, messages) of the newest messages, newest first; kinds that stand for themselves come singly."""
    wanted = select(InboxMessage).where(InboxMessage.person_id == person_id)
    if unread_only:
        wanted = wanted.where(InboxMessage.read_at.is_(None))
    rows = db.session.scalars(wanted.order_by(InboxMessage.created_at.desc(), InboxMessage.id).limit(MOST)).all()
    found: dict[tuple[date, str, uuid.UUID | None], list[InboxMessage]] = {}
    for row in rows:
        alone = None if outbox.summary(row.kind, 2) is not None else row.id
        found.setdefault((local_date(row.created_at), row.kind, alone), []).append(row)
    ordered = sorted(found.items(), key=lambda pair: pair[0][0], reverse=True)
    return [(day, kind, messages) for (day, kind, _alone), messages in ordered]


def worded(part: Sequence[tuple[date, str, list[InboxMessage]]]) -> list[Line]:
    """Those lines in the reader's language."""
    return [
        Line(
            day,
            kind,
            messages[0].created_at,
            tuple(message.id for message in messages),
            sum(message.read_at is None for message in messages),
            _words(kind, messages),
        )
        for day, kind, messages in part
    ]


def _words(kind: str, messages: Sequence[InboxMessage]) -> Rendered:
    text = outbox.summary(kind, len(messages))
    return Rendered(text) if text is not None else outbox.render(kind, messages[0].params)


def of_kind(person_id: uuid.UUID, kind: str, day: date) -> list[InboxMessage]:
    """The messages behind one line."""
    rows = db.session.scalars(
        select(InboxMessage)
        .where(InboxMessage.person_id == person_id, InboxMessage.kind == kind)
        .order_by(InboxMessage.created_at.desc(), InboxMessage.id)
        .limit(MOST)
    )
    return [row for row in rows if local_date(row.created_at) == day]
