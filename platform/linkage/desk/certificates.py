"""The certificate that no household of an area was missed in a month: issued when that is so, checkable by anyone."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.areas.models import Area
from linkage.areas.queries import lies_under
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.desk import buckets
from linkage.desk.buckets import Entry, Month
from linkage.desk.models import CoverageCertificate
from linkage.households.models import Household


def of_area(area: Area, month: Month) -> Select[Household]:
    """Every household of the area that counts in the month."""
    return select(Household).where(lies_under(Household.area_id, area.path), buckets.on_record(month))


def missing(found: Iterable[Entry]) -> list[uuid.UUID]:
    """The households about which nothing is known in the month."""
    return [row.household_id for row in found if row.reason == buckets.NOTHING]


def issue(area: Area, month: Month, *, by: Actor, now: datetime) -> CoverageCertificate:
    """Store the month's certificate of the area.

    Raises
    ------
    Conflict
        the month is not over but for its last day, a household is missing, there is none at all, or the certificate
        was issued before (a unique row decides).
    """
    if local_date(now) < month.last:
        raise Conflict(_l("The month is not over: the certificate can be issued from its last day on."))
    if certificate_of(area, month) is not None:
        raise Conflict(_l("This certificate was issued already."))
    found = buckets.entries(of_area(area, month), month, now)
    left = len(missing(found))
    if not found:
        raise Conflict(_l("There is no household in this area."))
    if left:
        raise Conflict(
            _l("%(number)d households are missing: nothing is noted about them in this month.", number=left),
            remedy=_l("Look in on them, or note why they could not be reached."),
        )
    rows = sorted([str(row.household_id), row.bucket, row.reason] for row in found)
    certificate = CoverageCertificate(
        area_id=area.id,
        month=month.text,
        counts=counts(rows),
        entries=rows,
        digest=digest(area, month.text, rows),
        issued_by=by.user_id,
        created_at=now,
    )
    db.session.add(certificate)
    db.session.flush()
    audit.record("coverage.certify", certificate, by=by.user_id, now=now, month=month.text, households=len(rows))
    return certificate


def issue_each(areas: Iterable[Area], month: Month, *, by: Actor, now: datetime) -> list[CoverageCertificate]:
    """One for each of the areas that has households, misses none and has no certificate of the month yet.

    Raises Conflict where there is nothing left to issue.
    """
    made = []
    for area in areas:
        found = buckets.entries(of_area(area, month), month, now)
        if found and not missing(found) and certificate_of(area, month) is None:
            made.append(issue(area, month, by=by, now=now))
    if not made:
        raise Conflict(_l("No community is ready for a certificate that has none yet."))
    return made


def counts(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Bucket → number of households, every bucket named."""
    found = Counter(row[1] for row in rows)
    return {name: found[name] for name in buckets.BUCKETS}


def text(area: Area, month: str, rows: Sequence[Sequence[str]]) -> str:
    """What is hashed: a head line, then one line per household, each ended by a line feed; no names."""
    head = f"linkage coverage {area.code} {month} {len(rows)}"
    return "".join(f"{line}\n" for line in (head, *(",".join(row) for row in rows)))


def digest(area: Area, month: str, rows: Sequence[Sequence[str]]) -> str:
    """SHA-256 of `text` in UTF-8: `sha256sum` over the downloaded file says the same."""
    return hashlib.sha256(text(area, month, rows).encode()).hexdigest()


def is_whole(certificate: CoverageCertificate) -> bool:
    """List, counts and hash still fit each other."""
    rows = certificate.entries
    fits = digest(certificate.area, certificate.month, rows) == certificate.digest
    return fits and counts(rows) == certificate.counts


def certificate_of(area: Area, month: Month) -> CoverageCertificate | None:
    return db.session.scalars(
        select(CoverageCertificate).where(
            CoverageCertificate.area_id == area.id, CoverageCertificate.month == month.text
        )
    ).one_or_none()


def issued(area_ids: Iterable[int], month: Month) -> dict[int, CoverageCertificate]:
    """The month's certificates of these areas, by area."""
    wanted = select(CoverageCertificate).where(
        CoverageCertificate.area_id.in_(list(area_ids)), CoverageCertificate.month == month.text
    )
    return {row.area_id: row for row in db.session.scalars(wanted)}


def get_certificate(certificate_id: uuid.UUID) -> CoverageCertificate | None:
    return db.session.get(CoverageCertificate, certificate_id)
