"""Questions to volunteers as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.areas.models import Area
from linkage.core.exports import Column, Export, Scene, register
from linkage.core.extensions import db
from linkage.core.look import look
from linkage.core.permissions import Actor, visible_rows
from linkage.offers import permissions
from linkage.offers.models import Offer
from linkage.services.words import named
from linkage.visits.models import Visit


def _rows(actor: Actor, _now: datetime) -> Select[Any]:
    return visible_rows(actor, Offer).order_by(Offer.asked_at.desc(), Offer.id)


def _load(rows: Sequence[Offer], _scene: Scene) -> dict[int, str]:
    ids = {row.slot.visit.area_id for row in rows}
    return dict(db.session.execute(select(Area.id, Area.name).where(Area.id.in_(ids))).tuples().all())


def _visit(row: Offer) -> Visit:
    return row.slot.visit


def _answer(row: Offer, _scene: Scene) -> str:
    for name in ("accepted", "declined", "expired", "withdrawn"):
        if getattr(row, f"{name}_at") is not None:
            return str(look("offer", name).word)
    return str(look("offer", "asked").word)


OFFERS = register(
    Export(
        name="offers",
        title=_l("Questions to volunteers"),
        right=permissions.may_see,
        model=Offer,
        rows=_rows,
        load=_load,
        columns=(
            Column(_l("Asked at"), lambda row, _scene: row.asked_at, width=18),
            Column(_l("Volunteer"), lambda row, _scene: row.person.name),
            Column(_l("Visit"), lambda row, _scene: _visit(row).number, width=20),
            Column(_l("Service"), lambda row, _scene: named(_visit(row).service)),
            Column(_l("Community"), lambda row, scene: scene.looked_up.get(_visit(row).area_id, "")),
            Column(_l("Starts"), lambda row, _scene: row.starts_at, width=18),
            Column(_l("Answer by"), lambda row, _scene: row.answer_by, width=18),
            Column(_l("Answer"), _answer),
        ),
    )
)
