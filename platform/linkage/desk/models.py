"""The month's certificate that no household was missed (不漏一户)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.areas.models import Area
from linkage.core.append_only import append_only
from linkage.core.columns import Created, UuidKey
from linkage.core.extensions import Model


class CoverageCertificate(UuidKey, Created, Model):
    """Every household of an area in a month, each in one bucket; never changed.

    `entries`: [[household id, bucket, reason], …] sorted; `digest`: SHA-256 of their text (`desk.certificates.text`):
    whoever has the list computes it again.
    """

    __tablename__ = "coverage_certificates"
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    month: Mapped[str] = mapped_column(String(7))
    counts: Mapped[dict[str, Any]]
    entries: Mapped[list[Any]]
    digest: Mapped[str] = mapped_column(String(64))
    issued_by: Mapped[uuid.UUID | None]
    area: Mapped[Area] = relationship()
    __table_args__ = (UniqueConstraint("area_id", "month"),)


append_only("coverage_certificates")
