"""Reading uploads and their groups."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import Actor, get_right, visible_rows
from linkage.households.queries import communities
from linkage.imports.models import Upload, UploadGroup
from linkage.organisations.models import Organisation


def visible(actor: Actor) -> Select[Upload]:
    """The uploads that the actor may see: their own."""
    return visible_rows(actor, Upload)


def get_upload(upload_id: uuid.UUID) -> Upload | None:
    """An upload that is still there (dropped and expired ones are gone)."""
    upload = db.session.get(Upload, upload_id)
    return None if upload is None or upload.dropped_at is not None else upload


def open_uploads(actor: Actor, now: datetime, limit: int = 20) -> list[Upload]:
    """One's own uploads, newest first."""
    return list(
        db.session.scalars(
            visible(actor)
            .where(Upload.dropped_at.is_(None), Upload.expires_at > now)
            .order_by(Upload.created_at.desc())
            .limit(limit)
        )
    )


def areas_for(actor: Actor, right_name: str) -> list[Area]:
    """Where a file may be brought in: the areas of one's grants first, then the communities below them."""
    scopes = get_right(right_name).scopes
    own = [grant.area_id for grant in actor.grants if scopes.get(grant.role) == "area" and grant.area_id]
    homes = [grant.organisation_id for grant in actor.grants if scopes.get(grant.role) == "organisation"]
    own += areas_of_organisations(homes)
    heads = list(db.session.scalars(select(Area).where(Area.id.in_(own)).order_by(Area.code)))
    return heads + [area for area in communities(actor, right_name) if area.id not in own]


def areas_of_organisations(organisation_ids: Iterable[uuid.UUID | None]) -> list[int]:
    """Where these organisations are registered."""
    wanted = select(Organisation.area_id).where(Organisation.id.in_([one for one in organisation_ids if one]))
    return list(db.session.scalars(wanted))


@dataclass(frozen=True)
class Counts:
    """How the groups of an upload stand. Their sum is `total`."""

    bad: int
    good: int
    taken: int
    undone: int
    rows: int
    people: int
    needs: int
    new: int
    changed: int
    same: int

    @property
    def total(self) -> int:
        return self.bad + self.good + self.taken


def counts_of(upload: Upload) -> Counts:
    """The numbers of the headline; `new`, `changed`, `same`, `people`, `needs` are of the good groups."""
    good = [group for group in upload.groups if group.taken_at is None and group.counts and not group.faults]
    states = Counter(group.counts["state"] for group in good)
    return Counts(
        bad=sum(1 for group in upload.groups if group.taken_at is None and group.faults),
        good=len(good),
        taken=sum(1 for group in upload.groups if group.taken_at is not None and group.undone_at is None),
        undone=sum(1 for group in upload.groups if group.undone_at is not None),
        rows=sum(group.counts.get("rows", 0) for group in upload.groups),
        people=sum(group.counts["people"] for group in good),
        needs=sum(group.counts["needs"] for group in good),
        new=states["new"],
        changed=states["changed"],
        same=states["same"],
    )


def repairs_of(upload: Upload) -> Counter[str]:
    """What was put right silently, by what it was."""
    total: Counter[str] = Counter(upload.summary.get("repairs", {}))
    for group in upload.groups:
        total.update(group.counts.get("repairs", {}))
    return total


def bad_groups(upload: Upload) -> list[UploadGroup]:
    return [group for group in upload.groups if group.taken_at is None and group.faults]


def waiting_groups(upload: Upload) -> list[UploadGroup]:
    return [group for group in upload.groups if group.taken_at is None]


def undoable(upload: Upload) -> list[UploadGroup]:
    """The groups that are in, and whose way back is kept."""
    return [group for group in upload.groups if group.undo_sealed is not None and group.undone_at is None]


def stays(upload: Upload) -> list[tuple[str, str]]:
    """What could not be taken back: what it is, and why."""
    kept = [group.undo or {} for group in undoable(upload)]
    return [(one.get("label", ""), one["stays"]) for one in kept if "stays" in one]


def undo_over(before: datetime) -> list[uuid.UUID]:
    """Uploads that hold ways back of groups taken in before then."""
    wanted = (
        select(UploadGroup.upload_id)
        .where(UploadGroup.undo_sealed.is_not(None))
        .group_by(UploadGroup.upload_id)
        .having(func.max(UploadGroup.taken_at) <= before)
    )
    return list(db.session.scalars(wanted.limit(50)))


def count_waiting(upload_id: uuid.UUID) -> int:
    """How many groups are not taken in yet."""
    waiting = select(func.count()).where(UploadGroup.upload_id == upload_id, UploadGroup.taken_at.is_(None))
    return db.session.scalar(waiting) or 0


def job_of(upload: Upload) -> Job | None:
    """The latest job that reads this upload, takes it in or takes it back."""
    job_id = upload.summary.get("undoing") or upload.summary.get("job") or upload.summary.get("reading")
    return db.session.get(Job, uuid.UUID(job_id)) if job_id else None


def expired(now: datetime) -> list[uuid.UUID]:
    """Uploads whose rows are to be deleted."""
    return list(
        db.session.scalars(select(Upload.id).where(Upload.expires_at <= now, Upload.dropped_at.is_(None)).limit(50))
    )
