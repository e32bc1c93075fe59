"""Volunteers (志愿者) as a kind of file; the columns follow 民政部令67号."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.kept import kept
from linkage.core.permissions import Actor, may, right
from linkage.imports import values
from linkage.imports.kinds import Column, Examined, Kind, Row, Scene, register
from linkage.imports.records.carers import TRAVEL, group, group_key, prepare
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
from linkage.imports.roster import kind as roster
from linkage.imports.roster.known import Known
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.services.models import Service
from linkage.services.operations import add_held
from linkage.services.queries import codes_held, qualifications
from linkage.services.words import named
from linkage.volunteers import operations as volunteer_operations
from linkage.volunteers import queries as volunteer_queries
from linkage.volunteers.models import Volunteer
from linkage.volunteers.operations import OfferDraft, RecordDraft

may_import = right(
    "imports.volunteers",
    "bring in volunteers as a file",
    community="area",
    coordinator="area",
    administrator="area",
)


@dataclass(frozen=True)
class LookedUp:
    """Communities, services that volunteers may do, qualifications, and the people of the file."""

    communities: dict[str, Area]
    services: dict[str, Service]
    qualifications: dict[str, str]
    known: Known = field(default_factory=Known)


def look_up(scene: Scene) -> LookedUp:
    services = {
        word: row
        for row in volunteer_queries.open_to_volunteers(scene.today)
        for word in (row.name_zh, row.name_en, row.code)
    }
    codes = {word: row.code for row in qualifications() for word in (row.name_zh, row.name_en, row.code)}
    return LookedUp(roster.communities_below(scene.area), services, codes)


COLUMNS = (
    *PERSON_COLUMNS,
    Column("community", _l("Community"), ("居住区域", "社区", "所属社区", "居住地", "居住社区"), "household",
           options=lambda scene: scene.looked_up.communities, width=14,
           hint=_l("Where they live; may be left out where the file is of one community")),
    Column("home_address", _l("Address"), ("住址", "地址", "家庭住址", "居住地址"), "household", values.text(120),
           examples=("香莲里31号204室", ""), width=24),
    Column("services", _l("Services offered"), ("服务类型", "服务类别", "志愿服务类型", "可服务项目", "服务项目"),
           "need",
           options=lambda scene: scene.looked_up.services, several=True, examples=("陪伴、助洁", "陪伴"), width=20),
    Column("qualifications", _l("Skills with a certificate"), ("专业技能", "技能", "资质", "证书"), "need",
           several=True,
           options=lambda scene: scene.looked_up.qualifications, width=18),
    Column("papers_until", _l("Certificates until"), ("证书到期", "资质到期", "证书有效期"), "need", values.day,
           width=13),
    Column("insured_to", _l("Insured until"), ("保险到期", "保险有效期", "保险到期日"), "need", values.day, width=13,
           examples=("2027-11-30", "")),
    Column("weekly_hours", _l("Hours a week"), ("每周时长", "每周小时", "每周服务时长"), "need",
           values.amount(0.5, 40, 60), examples=("6", "4"), width=9),
    Column("radius", _l("Goes so many km"), ("服务半径", "范围公里", "距离"), "need", values.amount(0.1, 50, 1000),
           examples=("2", ""), width=9),
    Column("travel_mode", _l("How they travel"), ("出行方式", "交通方式"), "need", options=lambda _scene: TRAVEL,
           examples=("步行", ""), width=10),
    Column("guardian_consent_on", _l("Guardian's consent on"), ("监护人同意日期", "监护人同意"), "need", values.day,
           hint=_l("For minors only"), width=13),
)  # fmt: skip
COLUMN_OF = {
    "area_id": "community", "radius_metres": "radius", "weekly_minutes": "weekly_hours", "home_address": "home_address",
    "weekly_hours": "weekly_hours", "radius": "radius",
}  # fmt: skip
RECORD = ("area_id", "insured_to", "guardian_consent_on", "home_address")
OFFER = ("services", "radius_metres", "weekly_minutes", "travel_mode")


@dataclass
class Plan:
    """A row: who, what the record says, what is offered; `volunteer` where they are registered."""

    draft: PersonDraft
    record: RecordDraft
    offer: OfferDraft
    cells: dict[str, Any]
    person: Person | None
    volunteer: Volunteer | None
    new_codes: list[str]
    today: date


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a row, compare it with what is stored."""
    reader = RecordReader(rows, scene, COLUMNS)
    cells = reader.cells[0]
    examined = Examined(reader.faults, people=1, repairs=reader.repairs, title=rows[0].text("name"), keys=id_key(cells))
    person, volunteer = _who(reader)
    draft = person_draft(reader, 0, person)
    area = cells.get("community") or (volunteer.area if volunteer is not None else scene.area)
    if area.level not in ("community", "grid"):
        reader.demand(0, "community")
    elif not kept(("register", area.id), lambda: may(scene.actor, "volunteers.register", area)):
        reader.fault(0, "community", "elsewhere", _l("This community is not yours"), _l("Leave the row out."))
    if draft is None or reader.faults:
        return examined
    plan = _plan(reader, draft, area, person, volunteer)
    if plan is None:
        return examined
    examined.plan, examined.where = plan, area.name
    if volunteer is not None:
        examined.number = volunteer.number
        for subject in _subjects(plan):
            examined.changes += differences(subject, _label, _shown)
        examined.state = "changed" if examined.changes or plan.new_codes or volunteer.left_at else "same"
    return examined


def _who(reader: RecordReader) -> tuple[Person | None, Volunteer | None]:
    """By ID number, else by name with telephone or birth date among the registered."""
    cells = reader.cells[0]
    number = cells.get("id_number")
    person = reader.scene.looked_up.known.person(number) if number else None
    if person is not None:
        return person, volunteer_queries.of_person(person.id)
    if number or not {"telephone", "birth_date"} & set(cells):
        return None, None
    found = select(Volunteer).join(Volunteer.person).where(Person.name == cells.get("name", ""))
    if "telephone" in cells:
        found = found.where(Person.telephone_exact == Person.telephone.exact_index("people", cells["telephone"]))
    if "birth_date" in cells:
        found = found.where(Person.birth_date == cells["birth_date"])
    same = db.session.scalars(found.limit(2)).all()
    return (same[0].person, same[0]) if len(same) == 1 else (None, None)


def _plan(
    reader: RecordReader, draft: PersonDraft, area: Area, person: Person | None, volunteer: Volunteer | None
) -> Plan | None:
    cells, today = reader.cells[0], reader.scene.today
    record = RecordDraft(
        area.id,
        cells.get("insured_to", volunteer.insured_to if volunteer else None),
        cells.get("guardian_consent_on", volunteer.guardian_consent_on if volunteer else None),
        cells.get("home_address", ""),
    )
    base = volunteer_operations.offer_of(volunteer, today) if volunteer is not None else OfferDraft(())
    given: dict[str, Any] = {}
    if "services" in cells:
        given["services"] = tuple(service.id for service in cells["services"])
    for name, column in (
        ("radius_metres", "radius"),
        ("weekly_minutes", "weekly_hours"),
        ("travel_mode", "travel_mode"),
    ):
        if column in cells:
            given[name] = cells[column]
    offer = replace(base, **given)
    shape = Person(name=draft.name, birth_date=draft.birth_date, sex=draft.sex, key_id=None)
    try:
        volunteer_operations.check_record(shape, record, offer, reader.scene.today, has_telephone=bool(draft.telephone))
    except InvalidInput as error:
        reader.note(error, 0, COLUMN_OF, "volunteer")
        return None
    held = codes_held(person.id, today) if person is not None else set()
    codes = [code for code in cells.get("qualifications", ()) if code not in held]
    return Plan(draft, record, offer, cells, person, volunteer, codes, today)


def _subjects(plan: Plan) -> list[Subject]:
    volunteer = plan.volunteer
    assert volunteer is not None
    home = volunteer.home.address or "" if volunteer.home is not None else ""
    stored = {name: getattr(volunteer, name) for name in ("area_id", "insured_to", "guardian_consent_on")}
    offer = volunteer_operations.offer_of(volunteer, plan.today)
    stored |= {"home_address": home, "services": tuple(sorted(offer.services, key=str))}
    stored |= {name: getattr(volunteer, name) for name in OFFER[1:]}
    wanted: dict[str, Any] = {name: getattr(plan.record, name) for name in RECORD}
    wanted |= {name: getattr(plan.offer, name) for name in OFFER}
    wanted["services"] = tuple(sorted(plan.offer.services, key=str))
    given = {name for name in wanted if COLUMN_OF.get(name, name) in plan.cells}
    about, person = plan.draft.name, volunteer.person
    return [
        Subject("person", "people", person.id, about, stored_person(person), wanted_person(plan.draft, plan.cells)),
        Subject(
            "volunteer", "volunteers", volunteer.id, about, stored, {n: v for n, v in wanted.items() if n in given}
        ),
    ]


def _label(name: str) -> str:
    return next(column.heading for column in COLUMNS if column.name == COLUMN_OF.get(name, name))


def _shown(name: str, value: Any) -> str:
    if name == "services":
        rows = [db.session.get(Service, key) for key in value]
        return "、".join(named(row) for row in rows if row is not None)
    if name == "area_id":
        area = db.session.get(Area, value)
        return area.name if area is not None else ""
    return show_plain(name, value)


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    """Register, or make the accepted changes; then the certificates that are not held yet."""
    plan: Plan = examined.plan
    new = plan.volunteer is None or plan.volunteer.left_at is not None
    changed: set[str] = set()
    if plan.volunteer is None or new:
        plan.volunteer = volunteer_operations.register_volunteer(plan.draft, plan.record, plan.offer, by=by, now=now)
    else:
        changed = accepted(examined.changes, ticked)
        _change(plan, changed, by, now)
    for code in plan.new_codes:
        start, until = examined.plan.volunteer.joined_on, plan.cells.get("papers_until")
        add_held(plan.volunteer.person_id, code, valid_from=start, valid_to=until, by=by, now=now)
    remember_agreed(_subjects(plan), now)
    return {"volunteer_id": str(plan.volunteer.id), "new": new, "changed": len(changed), "papers": len(plan.new_codes)}


def _change(plan: Plan, keys: set[str], by: Actor, now: datetime) -> None:
    volunteer = plan.volunteer
    assert volunteer is not None
    person, subject = _subjects(plan)
    values_ = chosen(subject, keys)
    record = {name: values_.get(name, subject.stored[name]) for name in RECORD}
    record["home_address"] = values_.get("home_address", "")
    if chosen(person, keys) or set(values_) & set(RECORD):
        volunteer_operations.change_record(
            volunteer,
            replace(draft_of(volunteer.person), **chosen(person, keys)),
            RecordDraft(**record),
            row_version=volunteer.row_version,
            person_version=volunteer.person.row_version,
            by=by,
            now=now,
        )
    if set(values_) & set(OFFER):
        offer = OfferDraft(**{name: values_.get(name, subject.stored[name]) for name in OFFER})
        volunteer_operations.change_offer(volunteer, offer, row_version=volunteer.row_version, by=by, now=now)


VOLUNTEERS = register(
    Kind(
        name="volunteers",
        title=_l("Volunteers"),
        right=may_import,
        columns=COLUMNS,
        look_up=look_up,
        group=group,
        group_key=group_key,
        examine=examine,
        take=take,
        count=lambda number: ngettext("%(num)d volunteer", "%(num)d volunteers", number),
        lead=_l("Volunteers with what they offer, their insurance and their certificates."),
        rules=(_l("One row for each person; the ID number, else name and telephone, tell who is meant."),),
        listing="volunteers.listing",
        prepare=prepare,
    )
)
