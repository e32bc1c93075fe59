"""Column shorthands used by every room's models."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ColumnElement, ForeignKey, Integer, and_, or_
from sqlalchemy.orm import Mapped, mapped_column


class UuidKey:
    """A UUID primary key (made in Python, see `Base.__init__`)."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)


class Versioned:
    """`row_version` counts edits: a form that was opened on an older one is refused (412)."""

    row_version: Mapped[int] = mapped_column(Integer, default=1)


class Created:
    created_at: Mapped[datetime] = mapped_column()


class Dated:
    """A fact that holds from `valid_from` to `valid_to`, both days included; open when None."""

    valid_from: Mapped[date] = mapped_column()
    valid_to: Mapped[date | None] = mapped_column()

    @classmethod
    def on(cls, day: date) -> ColumnElement[bool]:
        """SQL: the fact holds on `day`."""
        return and_(cls.valid_from <= day, or_(cls.valid_to.is_(None), cls.valid_to >= day))

    @classmethod
    def not_over(cls, day: date) -> ColumnElement[bool]:
        """SQL: the fact holds on `day` or will hold later."""
        return or_(cls.valid_to.is_(None), cls.valid_to >= day)

    @classmethod
    def within(cls, first: date, last: date) -> ColumnElement[bool]:
        """SQL: the fact holds on some day of first..last."""
        return and_(cls.valid_from <= last, or_(cls.valid_to.is_(None), cls.valid_to >= first))

    def holds(self, day: date) -> bool:
        """The same in Python."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def ref(target: str, *, nullable: bool = False, index: bool = True) -> Mapped[uuid.UUID]:
    """A foreign key to another table's UUID."""
    return mapped_column(ForeignKey(target), nullable=nullable, index=index)
