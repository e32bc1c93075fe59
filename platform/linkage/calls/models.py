"""A call and what came of it; that an outcome was told."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted
from linkage.households.models import Household
from linkage.needs.models import Need

CALLERS = ("self", "family", "neighbour", "other")
ABOUT = ("who_comes", "need", "change", "complaint", "other")
OUTCOMES = ("arranged", "nobody")


class Call(UuidKey, Created, Model):
    """One call about a household. `earlier_id`: the call before it about the same (重复来电).

    `call_back_at`: when somebody promised to ring back; open until `called_back_at`. What was said and the number
    to ring are sealed under the household's key.
    """

    __tablename__ = "calls"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    household_id: Mapped[uuid.UUID] = ref("households.id")
    need_id: Mapped[uuid.UUID | None] = ref("needs.id", nullable=True)
    earlier_id: Mapped[uuid.UUID | None] = ref("calls.id", nullable=True)
    caller: Mapped[str] = mapped_column(String(12), default="self")
    about: Mapped[str] = mapped_column(String(12), default="other")
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    telephone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Encrypted("what a caller said")
    telephone = Encrypted("telephone to ring back")
    answered_by: Mapped[uuid.UUID | None]
    call_back_at: Mapped[datetime | None] = mapped_column(index=True)
    called_back_at: Mapped[datetime | None]
    called_back_by: Mapped[uuid.UUID | None]
    household: Mapped[Household] = relationship()
    need: Mapped[Need | None] = relationship()


class OutcomeTold(UuidKey, Model):
    """Whoever asked for something was told what became of it: what, when and by whom."""

    __tablename__ = "outcomes_told"
    need_id: Mapped[uuid.UUID] = ref("needs.id")
    outcome: Mapped[str] = mapped_column(String(12))
    told_at: Mapped[datetime]
    told_by: Mapped[uuid.UUID | None]
