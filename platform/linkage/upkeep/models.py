"""Requests of people for their data: what was asked, by whom it was done, and the proof of an erasure."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from linkage.core.columns import Created, UuidKey
from linkage.core.extensions import Model

# Why somebody's data were opened as a file, or erased.
FILE_REASONS = ("asked_by_person", "asked_by_relatives", "asked_by_authority")
ERASURE_REASONS = ("asked_by_person", "asked_by_relatives", "not_needed", "wrongly_recorded")


class DataRequest(UuidKey, Created, Model):
    """`kind`: file or erasure. `proof` of an erasure: tables and counts, no value; see `erasing.Proof`.

    (`subject_kind`, `subject_id`) name who it was about, without a foreign key: the row outlives the erased one.
    """

    __tablename__ = "data_requests"
    kind: Mapped[str] = mapped_column(String(10))
    subject_kind: Mapped[str] = mapped_column(String(12))
    subject_id: Mapped[uuid.UUID] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(30))
    done_by: Mapped[uuid.UUID | None] = mapped_column(index=True)
    proof: Mapped[dict[str, Any]]
