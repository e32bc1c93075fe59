"""Changing the catalogue and what people hold."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.events import QualificationEnded, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.rulesets import FIRST_DAY
from linkage.services import catalogue, queries
from linkage.services.models import PROVIDER_KINDS, HeldQualification, Qualification, Service


@dataclass(frozen=True)
class ServiceDraft:
    """What the catalogue's form says of a service; meanings as in `models.Service`."""

    group: str
    name_zh: str
    name_en: str
    icon: str
    unit: str
    min_minutes: int
    default_minutes: int
    provider_kinds: list[str]
    mixes: list[list[str]]
    qualifications: list[str]
    volunteer_qualifications: list[str]
    risk: str
    two_people: str
    charge_each_person: bool
    position_at_check_in: bool
    adults_only: bool
    position: int
    valid_from: date
    valid_to: date | None = None
    hint_zh: str = ""
    hint_en: str = ""


def load_catalogue(*, by: uuid.UUID | None, now: datetime) -> int:
    """Write the qualifications and services of `catalogue` that are not there yet; return how many were written.

    What an administrator changed stays as it is: a second run writes nothing.
    """
    known = {row.code for row in queries.qualifications()}
    fresh: list[Any] = [
        Qualification(code=code, name_zh=zh, name_en=en)
        for code, zh, en in catalogue.QUALIFICATIONS
        if code not in known
    ]
    for place, values in enumerate(catalogue.SERVICES):
        if queries.by_code(values["code"]) is None:
            fresh.append(Service(**values, position=place * 10, valid_from=FIRST_DAY, valid_to=None))
    db.session.add_all(fresh)
    if fresh:
        audit.record("services.load", ("catalogue", "services"), by=by, now=now, written=len(fresh))
    return len(fresh)


def add_service(code: str, draft: ServiceDraft, *, by: Actor, now: datetime) -> Service:
    """A new kind of help in the catalogue.  Raises InvalidInput."""
    if queries.by_code(code) is not None:
        raise InvalidInput(_l("There is a service with this code already."), field="code")
    _check(draft)
    service = Service(code=code, **_values(draft))
    db.session.add(service)
    db.session.flush()
    audit.record("services.add", service, by=by.user_id, now=now, code=code)
    return service


def change_service(service: Service, draft: ServiceDraft, *, row_version: int, by: Actor, now: datetime) -> None:
    """Change a service from now on; visits already made keep their length.  Raises InvalidInput, StaleVersion."""
    if service.row_version != row_version:
        raise StaleVersion(_l("Somebody else changed this service in the meantime."))
    _check(draft)
    values = _values(draft)
    changed = [name for name, value in values.items() if getattr(service, name) != value]
    for name in changed:
        setattr(service, name, values[name])
    if changed:
        service.row_version += 1
        audit.record("services.change", service, by=by.user_id, now=now, fields=changed)


def _values(draft: ServiceDraft) -> dict[str, Any]:
    values = asdict(draft)
    if not any("volunteer" in kinds for kinds in (draft.provider_kinds, *draft.mixes)):
        values["volunteer_qualifications"] = []
    return values


def _check(draft: ServiceDraft) -> None:
    faults = {}
    if draft.default_minutes < draft.min_minutes:
        faults["default_minutes"] = [_l("The usual length lies below the shortest.")]
    if not draft.provider_kinds and draft.two_people != "always":
        faults["provider_kinds"] = [_l("Choose who may provide it.")]
    if draft.two_people != "never" and not draft.mixes:
        faults["mixes"] = [_l("Choose who may go together.")]
    if any(kind not in PROVIDER_KINDS for pair in draft.mixes for kind in pair):
        faults["mixes"] = [_l("This value is not possible.")]
    unknown = {*draft.qualifications, *draft.volunteer_qualifications} - set(queries.qualification_names())
    if unknown:
        faults["qualifications"] = [_l("This qualification is not known.")]
    if draft.valid_to is not None and draft.valid_to < draft.valid_from:
        faults["valid_to"] = [_l("The last day lies before the first.")]
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)


def save_qualification(code: str, name_zh: str, name_en: str, *, by: Actor, now: datetime) -> Qualification:
    """Add a qualification to the list, or rename it."""
    row = queries.get_qualification(code)
    if row is None:
        row = Qualification(code=code, name_zh=name_zh, name_en=name_en)
        db.session.add(row)
    row.name_zh, row.name_en = name_zh, name_en
    audit.record("services.qualification", ("qualification", code), by=by.user_id, now=now)
    return row


def add_held(
    person_id: uuid.UUID,
    code: str,
    *,
    number: str = "",
    valid_from: date,
    valid_to: date | None,
    by: Actor,
    now: datetime,
) -> HeldQualification:
    """A person holds a qualification, with its dates.  Raises InvalidInput."""
    if queries.get_qualification(code) is None:
        raise InvalidInput(_l("This qualification is not known."), field="code")
    if valid_to is not None and valid_to < valid_from:
        raise InvalidInput(_l("The last day lies before the first."), field="valid_to")
    held = HeldQualification(
        person_id=person_id, code=code, number=number, valid_from=valid_from, valid_to=valid_to, created_at=now
    )
    db.session.add(held)
    db.session.flush()
    audit.record("services.hold", held, by=by.user_id, now=now, person_id=person_id, code=code)
    return held


def end_held(held: HeldQualification, *, on: date, by: Actor, now: datetime) -> None:
    """The qualification holds until `on` and no longer: withdrawn, or entered by mistake.  Raises Conflict."""
    if held.valid_to is not None and held.valid_to <= on:
        raise Conflict(_l("This qualification has ended already."))
    held.valid_to = max(on, held.valid_from)
    audit.record("services.end_hold", held, by=by.user_id, now=now, person_id=held.person_id, code=held.code)
    db.session.flush()
    announce(QualificationEnded(by=by.user_id, now=now, person_id=held.person_id))
