"""Carers and social workers of an organisation (护理员、社工) as a kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor, right, scoped
from linkage.imports import values
from linkage.imports.kinds import Column, Examined, Kind, Row, Scene, register
from linkage.imports.records.common import (
    PERSON_COLUMNS,
    RecordReader,
    Subject,
    accepted,
    chosen,
    differences,
    draft_of,
    id_key,
    person_draft,
    remember_agreed,
    show_plain,
    stored_person,
    wanted_person,
)
from linkage.imports.roster.known import Known
from linkage.imports.values import plain
from linkage.organisations import operations as organisation_operations
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.operations import EmploymentDraft
from linkage.people.identity import normalise_id_number
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.services.operations import add_held
from linkage.services.queries import codes_held, qualifications

may_import = right(
    "imports.carers",
    "bring in carers and their shifts as a file",
    manager="organisation",
    administrator="area",
)
KINDS_OF_CARER = {
    "护理员": "carer", "养老护理员": "carer", "护工": "carer", "carer": "carer",
    "社工": "social_worker", "社会工作者": "social_worker", "social worker": "social_worker",
}  # fmt: skip
TRAVEL = {
    "步行": "walk", "走路": "walk", "walk": "walk", "自行车": "bike", "单车": "bike", "bike": "bike",
    "电动车": "ebike", "电瓶车": "ebike", "电动自行车": "ebike", "ebike": "ebike", "公交": "bus", "公交车": "bus",
    "bus": "bus", "汽车": "car", "开车": "car", "car": "car",
}  # fmt: skip
TERMS = ("kind", "weekly_minutes", "travel_mode", "valid_from", "valid_to")
COLUMN_OF = {"weekly_minutes": "weekly_hours", "weekly_hours": "weekly_hours"}


@dataclass(frozen=True)
class LookedUp:
    """The organisations that the actor employs for, by their words; qualifications; people of the file."""

    organisations: dict[str, Organisation]
    qualifications: dict[str, str]
    known: Known = field(default_factory=Known)


def organisations_for(actor: Actor, right_name: str) -> dict[str, Organisation]:
    """Name, short name and credit code of each organisation on which the actor has the right."""
    words: dict[str, Organisation] = {}
    for row in db.session.scalars(scoped(actor, right_name, Organisation).where(Organisation.closed_on.is_(None))):
        for word in (row.name, row.short_name, row.uscc):
            words.setdefault(word, row)
    return words


def look_up(scene: Scene) -> LookedUp:
    codes = {word: row.code for row in qualifications() for word in (row.name_zh, row.name_en, row.code)}
    return LookedUp(organisations_for(scene.actor, "organisations.employ"), codes)


ORGANISATION = Column(
    "organisation", _l("Organisation"), ("机构", "所属机构", "社会组织", "单位", "承接机构", "服务机构"), "household",
    options=lambda scene: scene.looked_up.organisations, width=18,
    hint=_l("Name, short name or credit code; may be left out where you act for one only"),
)  # fmt: skip
COLUMNS = (
    ORGANISATION,
    *PERSON_COLUMNS,
    Column("kind", _l("Kind"), ("岗位", "工种", "职务", "人员类型", "类别"), "need",
           options=lambda _scene: KINDS_OF_CARER, examples=("护理员", "社工"), width=10),
    Column("weekly_hours", _l("Hours a week"), ("每周工时", "周工时", "每周小时", "工时"), "need",
           values.amount(1, 60, 60), examples=("40", "20"), width=9, hint=_l("Service and travel; empty: 40")),
    Column("travel_mode", _l("How they travel"), ("出行方式", "交通方式", "交通工具"), "need",
           options=lambda _scene: TRAVEL, examples=("电动车", "步行"), width=10),
    Column("valid_from", _l("Employed from"), ("入职日期", "聘用日期", "到岗日期", "上岗日期"), "need", values.day,
           examples=("2026-12-01", "2026-12-01"), width=13),
    Column("valid_to", _l("Employed until"), ("离职日期", "合同到期", "聘用到期"), "need", values.day, width=13),
    Column("qualifications", _l("Qualifications"), ("资质", "资格证", "证书", "持证"), "need", several=True,
           options=lambda scene: scene.looked_up.qualifications, examples=("养老护理员证", ""), width=18),
    Column("papers_until", _l("Qualifications until"), ("资质到期", "证书到期", "证书有效期", "资质有效期"), "need",
           values.day, examples=("2028-12-31", ""), width=13),
)  # fmt: skip


@dataclass
class Plan:
    """A row: who, for whom, on what terms; `carer` where they work there already."""

    organisation: Organisation
    draft: PersonDraft
    terms: EmploymentDraft
    cells: dict[str, Any]
    person: Person | None
    carer: Carer | None
    new_codes: list[str]


def group(rows: list[Row]) -> list[list[Row]]:
    return [[row] for row in rows]


def group_key(rows: Sequence[Row]) -> str:
    return rows[0].text("id_number") or rows[0].text("name")


def prepare(groups: Sequence[list[Row]], scene: Scene) -> None:
    """Look up the people of many rows by their ID numbers."""
    numbers = {
        normalise_id_number(plain(row.cells["id_number"])[0])
        for rows in groups
        for row in rows
        if row.text("id_number")
    }
    scene.looked_up.known.look_up(numbers, scene.area)


def organisation_of(reader: RecordReader, place: int = 0) -> Organisation | None:
    """The organisation of a row, or the only one for which the actor acts."""
    cells = reader.cells[place]
    if "organisation" in cells:
        found: Organisation = cells["organisation"]
        return found
    mine = {row.id: row for row in reader.scene.looked_up.organisations.values()}
    if len(mine) == 1 and not reader.is_faulty(place, "organisation"):
        return next(iter(mine.values()))
    reader.demand(place, "organisation")
    return None


def carer_of(organisation: Organisation, reader: RecordReader, place: int = 0) -> tuple[Person | None, Carer | None]:
    """Who is meant: by ID number, else by name and telephone or birth date among those who work there."""
    cells, today = reader.cells[place], reader.scene.today
    number = cells.get("id_number")
    person = reader.scene.looked_up.known.person(number) if number else None
    employed = select(Carer).where(Carer.organisation_id == organisation.id, Carer.not_over(today))
    if person is not None:
        return person, db.session.scalars(employed.where(Carer.person_id == person.id)).first()
    named = employed.join(Person, Person.id == Carer.person_id).where(Person.name == cells.get("name", ""))
    same = [row for row in db.session.scalars(named) if _means(row.person, cells)]
    if len(same) == 1:
        return same[0].person, same[0]
    return None, None


def _means(person: Person, cells: dict[str, Any]) -> bool:
    if "id_number" in cells and person.id_number:
        return False
    same_day = cells.get("birth_date") in (None, person.birth_date)
    return same_day and cells.get("telephone") in (None, person.telephone)


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a row, compare it with what is stored."""
    reader = RecordReader(rows, scene, COLUMNS)
    cells = reader.cells[0]
    examined = Examined(reader.faults, people=1, repairs=reader.repairs, title=rows[0].text("name"), keys=id_key(cells))
    organisation = organisation_of(reader)
    if organisation is None:
        return examined
    person, carer = carer_of(organisation, reader)
    draft = person_draft(reader, 0, person)
    terms = _terms(reader, carer)
    if draft is None or terms is None:
        return examined
    held = codes_held(person.id, scene.today) if person is not None else set()
    codes = [code for code in cells.get("qualifications", ()) if code not in held]
    examined.plan = plan = Plan(organisation, draft, terms, cells, person, carer, codes)
    examined.where = organisation.short_name
    if carer is not None and not reader.faults:
        for subject in _subjects(plan):
            examined.changes += differences(subject, _label, show_plain)
        examined.state = "changed" if examined.changes or codes else "same"
    return examined


def _label(name: str) -> str:
    return next(column.heading for column in COLUMNS if column.name == COLUMN_OF.get(name, name))


def _terms(reader: RecordReader, carer: Carer | None) -> EmploymentDraft | None:
    cells = reader.cells[0]
    base = (
        EmploymentDraft(**{name: getattr(carer, name) for name in TERMS})
        if carer is not None
        else EmploymentDraft("carer", 2400, "ebike", reader.scene.today)
    )
    given: dict[str, Any] = {
        name: cells[name] for name in ("kind", "travel_mode", "valid_from", "valid_to") if name in cells
    }
    if "weekly_hours" in cells:
        given["weekly_minutes"] = cells["weekly_hours"]
    terms = replace(base, **given)
    try:
        organisation_operations.check_terms(terms)
    except InvalidInput as error:
        reader.note(error, 0, COLUMN_OF, "terms")
        return None
    return terms


def _subjects(plan: Plan) -> list[Subject]:
    assert plan.carer is not None
    names = {"weekly_minutes": "weekly_hours"}
    wanted = {name: getattr(plan.terms, name) for name in TERMS if names.get(name, name) in plan.cells}
    person = plan.carer.person
    about = person.name
    stored = {name: getattr(plan.carer, name) for name in TERMS}
    return [
        Subject("person", "people", person.id, about, stored_person(person), wanted_person(plan.draft, plan.cells)),
        Subject("carer", "carers", plan.carer.id, about, stored, wanted),
    ]


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    """Employ, or make the accepted changes; then the qualifications that are not held yet."""
    plan: Plan = examined.plan
    new = plan.carer is None
    changed: set[str] = set()
    if plan.carer is None:
        plan.carer = organisation_operations.employ(plan.organisation, plan.draft, plan.terms, by=by, now=now)
    else:
        changed = accepted(examined.changes, ticked)
        _change(plan, changed, by, now)
    for code in plan.new_codes:
        until = plan.cells.get("papers_until")
        add_held(plan.carer.person_id, code, valid_from=plan.terms.valid_from, valid_to=until, by=by, now=now)
    remember_agreed(_subjects(plan), now)
    return {"carer_id": str(plan.carer.id), "new": new, "changed": len(changed), "papers": len(plan.new_codes)}


def _change(plan: Plan, keys: set[str], by: Actor, now: datetime) -> None:
    carer = plan.carer
    assert carer is not None
    person, terms = _subjects(plan)
    draft = replace(draft_of(carer.person), **chosen(person, keys))
    kept = EmploymentDraft(**{name: getattr(carer, name) for name in TERMS})
    if keys:
        organisation_operations.change_carer(
            carer,
            draft,
            replace(kept, **chosen(terms, keys)),
            row_version=carer.row_version,
            person_version=carer.person.row_version,
            by=by,
            now=now,
        )


CARERS = register(
    Kind(
        name="carers",
        title=_l("Carers and social workers"),
        right=may_import,
        columns=COLUMNS,
        look_up=look_up,
        group=group,
        group_key=group_key,
        examine=examine,
        take=take,
        count=lambda number: ngettext("%(num)d carer", "%(num)d carers", number),
        lead=_l("Who works for the organisation, with terms and qualifications."),
        rules=(_l("One row for each person; the ID number, else name and telephone, tell who is meant."),),
        listing="carers.listing",
        prepare=prepare,
    )
)
