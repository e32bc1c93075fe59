"""An uploaded file while it is being brought in. Its rows are personal data: kept encrypted, and not for long."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from linkage.core.columns import Created, UuidKey, Versioned, ref
from linkage.core.extensions import Model
from linkage.core.privacy import Encrypted


class Upload(UuidKey, Created, Versioned, Model):
    """One file of one kind. `columns`: what was understood of each sheet's heading; `summary`: the file's counts."""

    __tablename__ = "uploads"
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    kind: Mapped[str] = mapped_column(String(20))
    area_id: Mapped[int] = mapped_column(ForeignKey("areas.id"), index=True)
    created_by: Mapped[uuid.UUID | None] = mapped_column(index=True)
    file_name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_name = Encrypted("name of the uploaded file")
    file_digest: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[Any]]
    summary: Mapped[dict[str, Any]]
    finished_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    groups: Mapped[list[UploadGroup]] = relationship(
        back_populates="upload", order_by="UploadGroup.position", cascade="all, delete-orphan"
    )


class UploadGroup(UuidKey, Model):
    """A row group: one household with its members and needs, one carer … Enters whole or not at all.

    `rows` (encrypted): [{"sheet", "row", "cells": {letter: [kind, text]}, "was": {letter: text}}]; `faults`:
    [{"row", "field", "code"}] without personal data; `counts`: {"state", "people", "needs", "changes", "edited",
    "repairs"}. `ticked`: the edited values that may be overwritten. `taken_at`: it is in the registers, `taken`
    names what was made, and `undo` (for a day) is what `imports.undoing` needs to take it back: {"label", "record"},
    and {"stays": code} where it could not be.
    """

    __tablename__ = "upload_groups"
    upload_id: Mapped[uuid.UUID] = ref("uploads.id")
    key_id: Mapped[uuid.UUID] = ref("data_keys.id")
    position: Mapped[int]
    rows_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    undo_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    rows = Encrypted("rows of an uploaded file", json=True)
    undo = Encrypted("what an import changed, to take it back", json=True)
    faults: Mapped[list[Any]]
    counts: Mapped[dict[str, Any]]
    ticked: Mapped[list[Any]]
    edited_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    taken: Mapped[dict[str, Any]]
    upload: Mapped[Upload] = relationship(back_populates="groups")
    __table_args__ = (UniqueConstraint("upload_id", "position"),)


class ImportedRow(UuidKey, Model):
    """What the last import wrote into one row of the registers, per field, as blind indexes (no value in clear).

    A field whose value today still has that index was not edited since, and a re-import may change it.
    """

    __tablename__ = "imported_rows"
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[uuid.UUID]
    indexes: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id"),)
