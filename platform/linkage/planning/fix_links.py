"""Where the smallest change is made that others must agree to: the page of the person, the line or the other visit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import url_for

from linkage.contracts.models import ContractLine
from linkage.core.extensions import db
from linkage.core.permissions import Actor, holds, visible_rows
from linkage.organisations.models import Carer
from linkage.visits.models import Visit
from linkage.volunteers.models import Volunteer

PERSON = ("extend_shift", "widen_radius", "more_hours", "take_on_household")
LINE = ("borrow_on_line", "raise_quota")
OTHER_VISIT = ("move_other_visit", "hand_over_visit", "release_pin")


def fix_link(fix: Mapping[str, Any], actor: Actor, today: date) -> str:
    """The address of the page on which this change is made; '' where the reader does not get there."""
    code = fix["code"]
    if code in PERSON:
        return _person(fix.get("caregiver"), actor, today)
    if code in LINE:
        return _line(fix.get("line"), actor)
    if code in OTHER_VISIT:
        return _visit(fix.get("visit"), actor)
    if code == "add_caregiver":
        kind = "volunteers" if fix.get("kind") == "volunteer" else "carers"
        right = "volunteers.list" if kind == "volunteers" else "organisations.see_carer"
        return url_for(f"{kind}.listing") if holds(actor, right) else ""
    return ""


def _person(person_id: Any, actor: Actor, today: date) -> str:
    key = _key(person_id)
    carer = db.session.scalars(visible_rows(actor, Carer).where(Carer.person_id == key, Carer.on(today))).first()
    if carer is not None:
        return url_for("carers.page", carer_id=carer.id)
    found = db.session.scalars(visible_rows(actor, Volunteer).where(Volunteer.person_id == key)).first()
    return url_for("volunteers.page", volunteer_id=found.id) if found is not None else ""


def _line(line_id: Any, actor: Actor) -> str:
    seen = visible_rows(actor, ContractLine).where(ContractLine.id == _key(line_id))
    row = db.session.scalars(seen).first()
    if row is None:
        return ""
    if holds(actor, "contracts.change"):
        return url_for("contracts.edit_line", line_id=row.id)
    return url_for("contracts.page", contract_id=row.contract_id)


def _visit(visit_id: Any, actor: Actor) -> str:
    seen = visible_rows(actor, Visit).where(Visit.id == _key(visit_id))
    return url_for("visits.page", visit_id=visit_id) if db.session.scalars(seen).first() is not None else ""


def _key(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None
