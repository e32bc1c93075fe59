"""The lists of carers and of organisations as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select

from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, key_ids, register
from linkage.core.permissions import Actor
from linkage.core.privacy import warm_keys
from linkage.organisations import permissions, queries, words
from linkage.organisations.carer_pages import filtered
from linkage.organisations.models import Carer, Organisation
from linkage.people.identity import mask_id_number, mask_telephone, show_telephone
from linkage.people.models import Person
from linkage.people.words import SEX_WORDS, TRAVEL_WORDS
from linkage.services.words import named


def _carers(actor: Actor, now: datetime) -> Select[Any]:
    return filtered(actor, local_date(now)).order_by(Person.name_keys, Carer.id)


def _load(rows: Sequence[Carer], scene: Scene) -> Any:
    warm_keys(key_ids(row.person for row in rows))
    return queries.papers_of([row.person_id for row in rows], local_date(scene.now))


def _organisations(actor: Actor, _now: datetime) -> Select[Any]:
    return queries.find_organisations(actor, request.args.get("q", "")[:60])


CARERS = register(
    Export(
        name="carers",
        title=_l("Carers and social workers"),
        right=permissions.may_see_carers,
        model=Carer,
        rows=_carers,
        load=_load,
        personal_right=permissions.may_reveal,
        columns=(
            Column(_l("Organisation"), lambda row, _scene: row.organisation.name, width=24),
            Column(_l("Name"), lambda row, _scene: row.person.name),
            Column(_l("Kind"), lambda row, _scene: words.CARER_KIND_WORDS[row.kind]),
            Column(_l("Sex"), lambda row, _scene: SEX_WORDS.get(row.person.sex or "", "")),
            Column(_l("ID number"), lambda row, _scene: row.person.id_number,
                   lambda row, _scene: mask_id_number(row.person.id_number), width=22),
            Column(_l("Telephone"),
                   lambda row, _scene: show_telephone(row.person.telephone) if row.person.telephone else "",
                   lambda row, _scene: mask_telephone(row.person.telephone)),
            Column(_l("Hours a week"), lambda row, _scene: row.weekly_minutes / 60, width=10),
            Column(_l("How they travel"), lambda row, _scene: TRAVEL_WORDS[row.travel_mode]),
            Column(_l("Employed from"), lambda row, _scene: row.valid_from),
            Column(_l("Employed until"), lambda row, _scene: row.valid_to),
            Column(_l("Qualifications"), lambda row, scene: [named(one) for one in scene.looked_up[row.person_id].valid]
                   if row.person_id in scene.looked_up else [], width=26),
        ),
    )
)  # fmt: skip
ORGANISATIONS = register(
    Export(
        name="organisations",
        title=_l("Organisations"),
        right=permissions.may_see,
        model=Organisation,
        rows=_organisations,
        columns=(
            Column(_l("Name"), lambda row, _scene: row.name, width=28),
            Column(_l("Short name"), lambda row, _scene: row.short_name),
            Column(_l("Credit code"), lambda row, _scene: row.uscc, width=22),
            Column(_l("Rating"), lambda row, _scene: row.rating, width=8),
            Column(_l("Rating until"), lambda row, _scene: row.rating_valid_to),
            Column(_l("Telephone"), lambda row, _scene: row.telephone),
            Column(_l("Address"), lambda row, _scene: row.address, width=28),
            Column(_l("Area"), lambda row, _scene: row.area.name),
            Column(_l("Closed on"), lambda row, _scene: row.closed_on),
        ),
    )
)
