"""The register of volunteers as a file, with the fields of 民政部令67号."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select

from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, key_ids, register
from linkage.core.permissions import Actor
from linkage.core.privacy import warm_keys
from linkage.people.identity import mask_id_number, mask_telephone, show_telephone
from linkage.people.models import Person
from linkage.people.words import SEX_WORDS
from linkage.services.queries import held_by, named_codes
from linkage.services.words import named
from linkage.volunteers import permissions, queries
from linkage.volunteers.models import Volunteer
from linkage.volunteers.pages import filtered


def _rows(actor: Actor, now: datetime) -> Select[Any]:
    return filtered(actor, local_date(now)).order_by(Person.name_keys, Volunteer.id)


def _load(rows: Sequence[Volunteer], scene: Scene) -> dict[Any, dict[str, list[str]]]:
    warm_keys(key_ids(row.person for row in rows))
    offered, held = queries.offered_services(rows), held_by([row.person_id for row in rows])
    day = local_date(scene.now)
    return {
        row.id: {
            "services": [named(one) for one in offered[row.id]],
            "skills": [
                named(one) for one in named_codes(paper.code for paper in held[row.person_id] if paper.holds(day))
            ],
        }
        for row in rows
    }


VOLUNTEERS = register(
    Export(
        name="volunteers",
        title=_l("Volunteers"),
        right=permissions.may_list,
        model=Volunteer,
        rows=_rows,
        load=_load,
        personal_right=permissions.may_reveal,
        columns=(
            Column(_l("Volunteer number"), lambda row, _scene: row.number),
            Column(_l("Name"), lambda row, _scene: row.person.name),
            Column(_l("Sex"), lambda row, _scene: SEX_WORDS.get(row.person.sex or "", "")),
            Column(_l("Birth date"), lambda row, _scene: row.person.birth_date,
                   lambda row, _scene: row.person.birth_date.year if row.person.birth_date else None),
            Column(_l("ID number"), lambda row, _scene: row.person.id_number,
                   lambda row, _scene: mask_id_number(row.person.id_number), width=22),
            Column(_l("Area of residence"), lambda row, _scene: row.area.name),
            Column(_l("Telephone"),
                   lambda row, _scene: show_telephone(row.person.telephone) if row.person.telephone else "",
                   lambda row, _scene: mask_telephone(row.person.telephone)),
            Column(_l("Skills"), lambda row, scene: scene.looked_up[row.id]["skills"], width=22),
            Column(_l("Service types"), lambda row, scene: scene.looked_up[row.id]["services"], width=26),
            Column(_l("Insured until"), lambda row, _scene: row.insured_to),
            Column(_l("Joined on"), lambda row, _scene: row.joined_on),
            Column(_l("Left on"), lambda row, _scene: local_date(row.left_at) if row.left_at else None),
        ),
    )
)  # fmt: skip
