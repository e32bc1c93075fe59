"""No household missed: the month's buckets by community, the rows behind each number, the certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from linkage.areas.models import Area
from linkage.areas.queries import areas_where, get_area
from linkage.contracts.words import month_name
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.paging import page_of, paginate
from linkage.core.permissions import Actor, holds
from linkage.core.web import Room, go, request_now, require_actor
from linkage.desk import buckets, certificates, permissions, words
from linkage.desk.buckets import BUCKETS, Month
from linkage.desk.home import common
from linkage.desk.models import CoverageCertificate
from linkage.households.models import Household, Member
from linkage.households.permissions import may_check
from linkage.households.queries import communities, head_of

room = Room("coverage", __name__, url_prefix="/coverage", template_folder="templates")
MONTHS_BACK = 12
CERTIFIED = ("street", "community", "grid")


@dataclass
class Line:
    """One community (or a street's sum) with its number of households in each bucket."""

    area: Area
    numbers: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.numbers[name] for name in BUCKETS)

    @property
    def missing(self) -> int:
        return self.numbers["missing"]

    def add(self, bucket: str, reason: str, number: int) -> None:
        self.numbers[bucket] += number
        if reason == buckets.NOTHING:
            self.numbers["missing"] += number


@room.get("/", permission=permissions.may_see_coverage)
def listing() -> str:
    """By community, those with missing households first."""
    actor, now = require_actor(), request_now()
    month = Month.of(request.args.get("month"), local_date(now))
    seen = communities(actor, permissions.may_see_coverage)
    streets = {row.parent.id: row.parent for row in seen if row.level == "community" and row.parent is not None}
    street = streets.get(request.args.get("street", 0, type=int)) or (_only(streets) if len(streets) == 1 else None)
    lines = _lines(buckets.tally(buckets.rows(actor, month, street), month, now))
    total = Line(street or Area(name=""))
    for line in lines:
        total.numbers.update(line.numbers)
    page = page_of(lines)
    whole = street and street.id in {row.id for row in areas_where(actor, permissions.may_see_coverage, ("street",))}
    issued = certificates.issued([line.area.id for line in (*lines, *([total] if whole else []))], month)
    over = month.last <= local_date(now)
    return render_template(
        "desk/buckets.html",
        lines=page.rows,
        page=page.number,
        pages=page.pages,
        number=page.total,
        total=total,
        street=street,
        streets=sorted(streets.values(), key=lambda row: row.code),
        ready=[line for line in lines if line.area.id not in issued and not line.missing],
        month=month,
        months=_months(local_date(now)),
        issued=issued,
        certifiable=_certifiable(actor) if over else set(),
        **_words(actor),
    )


def _only(streets: dict[int, Area]) -> Area:
    return next(iter(streets.values()))


def _lines(found: Sequence[tuple[int, str, str, int]]) -> list[Line]:
    areas = {row.id: row for row in db.session.scalars(select(Area).where(Area.id.in_({one[0] for one in found})))}
    lines: dict[int, Line] = {}
    for area_id, bucket, reason, number in found:
        community = areas[area_id]
        while community.level == "grid" and community.parent is not None:
            community = community.parent
        lines.setdefault(community.id, Line(community)).add(bucket, reason, number)
    return sorted(lines.values(), key=lambda line: (-line.missing, line.area.code))


def _months(today: Any) -> list[tuple[str, Any]]:
    """This month and those before it, the latest first."""
    found, day = [], today.replace(day=1)
    for _number in range(MONTHS_BACK):
        found.append((f"{day:%Y-%m}", day))
        day = (day - timedelta(days=1)).replace(day=1)
    return found


def _certifiable(actor: Actor) -> set[int]:
    if not holds(actor, permissions.may_certify):
        return set()
    return {area.id for area in areas_where(actor, permissions.may_certify, CERTIFIED)}


def _words(actor: Actor) -> dict[str, Any]:
    return {
        **common(actor),
        "bucket_words": words.BUCKET_WORDS,
        "reason_words": words.REASON_WORDS,
        "names": BUCKETS,
        "month_name": month_name,
    }


@room.get("/households", permission=permissions.may_see_coverage)
def rows() -> str:
    """The households behind one number: each with its reason and its one next action."""
    actor, now = require_actor(), request_now()
    month = Month.of(request.args.get("month"), local_date(now))
    area = get_area(request.args.get("area", 0, int))
    wanted = buckets.rows(actor, month, area)
    asked = request.args.get("bucket", "")
    if asked in BUCKETS:
        wanted = wanted.where(buckets.in_bucket(month, now, asked))
    elif asked == "missing":
        wanted = wanted.where(buckets.code(month, now) == f"{buckets.NOT_REACHED}/{buckets.NOTHING}")
    page = paginate(
        wanted.order_by(Household.area_id, Household.number, Household.id).options(
            selectinload(Household.members).joinedload(Member.person),
            selectinload(Household.tags),
            joinedload(Household.area),
        )
    )
    shown = select(Household).where(Household.id.in_([row.id for row in page.rows]))
    return render_template(
        "desk/bucket_rows.html",
        page=page,
        places={entry.household_id: entry for entry in buckets.entries(shown, month, now)},
        month=month,
        area=area,
        bucket=asked,
        head_of=lambda row: head_of(row, local_date(now)),
        notes=holds(actor, may_check),
        **_words(actor),
    )


@room.post("/certificate", permission=permissions.may_certify)
def issue() -> Any:
    actor, now = require_actor(), request_now()
    month = Month.of(request.form.get("month"), local_date(now))
    wanted = request.form.get("area")
    areas = areas_where(actor, permissions.may_certify, CERTIFIED)
    area = next((row for row in areas if str(row.id) == wanted), None)
    if area is None:
        raise InvalidInput(_("Choose a community."), field="area")
    if request.form.get("each"):
        inside = [row for row in areas if row.level == "community" and row.parent_id == area.id]
        made = certificates.issue_each(inside, month, by=actor, now=now)
        flash(ngettext("%(num)d certificate is issued.", "%(num)d certificates are issued.", len(made)), "ok")
        return go("coverage.listing", street=area.id, month=month.text)
    certificate = certificates.issue(area, month, by=actor, now=now)
    flash(_("The certificate is issued."), "ok")
    return go("coverage.certificate", certificate_id=certificate.id)


@room.get(
    "/certificates/<uuid:certificate_id>",
    permission=permissions.may_see_coverage,
    subject=certificates.get_certificate,
)
def certificate(certificate: CoverageCertificate) -> str:
    actor = require_actor()
    return render_template(
        "desk/certificate.html",
        certificate=certificate,
        whole=certificates.is_whole(certificate),
        month=Month.of(certificate.month, local_date(request_now())),
        **_words(actor),
    )


@room.get(
    "/certificates/<uuid:certificate_id>.txt",
    permission=permissions.may_see_coverage,
    subject=certificates.get_certificate,
)
def certificate_text(certificate: CoverageCertificate) -> Response:
    """The list as it was hashed: no names, one line per household."""
    body = certificates.text(certificate.area, certificate.month, certificate.entries)
    answer = Response(body, mimetype="text/plain")
    name = f"coverage-{certificate.area.code}-{certificate.month}.txt"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
