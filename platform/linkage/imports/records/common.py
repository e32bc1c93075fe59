"""What the kinds of one thing a row have in common: reading cells, telling faults, differences to what is stored."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.core.crypto import blind
from linkage.core.errors import InvalidInput
from linkage.core.formats import format_long_date
from linkage.imports import values
from linkage.imports.cells import CellReader
from linkage.imports.kinds import Change, Column
from linkage.imports.roster.columns import LANGUAGES, SEXES
from linkage.imports.traces import index_of, remember, trace_of
from linkage.people.identity import (
    birth_date_of,
    mask_id_number,
    mask_telephone,
    normalise_telephone,
    sex_of,
)
from linkage.people.models import Person
from linkage.people.operations import PersonDraft, checked

COMPARE_CARD = _l("Compare number and name with the card.")
PERSON_COLUMNS = (
    Column("name", _l("Name"), ("姓名", "名字", "人员姓名", "护理员姓名", "志愿者姓名", "员工姓名"), "person",
           values.person_name, required=True, examples=("郑桂花", "黄水源"), width=11),
    Column("id_number", _l("ID number"), ("身份证号", "身份证", "身份证号码", "公民身份号码", "证件号码", "idno"),
           "person", values.id_number, hint=_l("18 characters, as text"), private=mask_id_number, width=23,
           examples=("350203198303084062", "")),
    Column("sex", _l("Sex"), ("性别",), "person", options=lambda _scene: SEXES, width=7,
           hint=_l("May be left empty where the ID number is given"), examples=("", "男")),
    Column("birth_date", _l("Birth date"), ("出生日期", "生日", "出生年月日", "出生年月", "出生"), "person", values.day,
           hint=_l("May be left empty where the ID number is given"), width=13, examples=("", "1970-06-18")),
    Column("telephone", _l("Telephone"), ("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "phone"),
           "person", values.telephone, private=mask_telephone, examples=("13850012217", "13900120431"), width=15),
    Column("languages", _l("Speaks"), ("语言", "方言", "languages"), "person", options=lambda _scene: LANGUAGES,
           several=True, examples=("闽南话、普通话",), width=16),
)  # fmt: skip
PERSON_FIELDS = ("id_number", "sex", "birth_date", "telephone", "languages")
Shown = Callable[[str, Any], str]


class RecordReader(CellReader):
    """Reads the rows of one record; a cell is at fault once."""

    def fault(self, row: int, field: str, code: str, message: Any, remedy: Any = None, fix: str | None = None) -> None:
        """Note a fault, unless that cell has one."""
        if not self.is_faulty(row, field):
            super().fault(row, field, code, message, remedy, fix)

    def note(self, error: InvalidInput, place: int, names: Mapping[str, str], code: str) -> None:
        """What a room says against a draft, at the cells it means (`names`: the room's field → column)."""
        known = {column.name for column in self.columns}
        for name, sentences in error.errors.items():
            field = names.get(name, name)
            self.fault(place, field if field in known else "name", f"{code}_{name}", sentences[0], error.remedy)

    def demand(self, place: int, *names: str) -> bool:
        """Every one of these cells is filled; an empty one is a fault."""
        for name in names:
            if name not in self.cells[place] and not self.is_faulty(place, name):
                label = next(column.heading for column in self.columns if column.name == name)
                self.fault(place, name, "required", _("“%(column)s” is missing", column=label), _("Fill it in."))
        return all(name in self.cells[place] for name in names)

    def agreed(self, name: str) -> Any:
        """The value on which every row that states it agrees; a row that differs is a fault."""
        first: Any = None
        for place, cells in enumerate(self.cells):
            if name not in cells:
                continue
            if first is None:
                first = cells[name]
            elif cells[name] != first:
                words, remedy = _("Row %(row)s says something else", row=self.rows[0].number), _("Make the rows agree.")
                self.fault(place, name, "differs", words, remedy)
        return first


def person_draft(reader: RecordReader, place: int, stored: Person | None) -> PersonDraft | None:
    """The person of a row over what is stored of them; None where a fault is noted."""
    cells = reader.cells[place]
    if not reader.demand(place, "name"):
        return None
    number = cells.get("id_number")
    if stored is not None and stored.name != cells["name"]:
        words = _l("This ID number belongs to somebody of another name.")
        reader.fault(place, "id_number", "other_name", words, COMPARE_CARD)
        return None
    if stored is not None and stored.died_on is not None:
        reader.fault(place, "name", "died", _l("This person has died, by our record"), _l("Leave the row out."))
    base = draft_of(stored) if stored is not None else PersonDraft(cells["name"])
    given = {name: cells[name] for name in PERSON_FIELDS if name in cells}
    if number:  # a birth date or a sex that differs is told by `checked`, below
        given.setdefault("birth_date", birth_date_of(number))
        given.setdefault("sex", sex_of(number))
    try:
        draft = checked(replace(base, **given))
    except InvalidInput as error:
        reader.note(error, place, {}, "person")
        return None
    if draft.birth_date is not None and draft.birth_date > reader.scene.today:
        reader.fault(place, "birth_date", "future", _l("This day is still to come."), values.WRITE_DAY)
    return draft


def draft_of(person: Person) -> PersonDraft:
    return PersonDraft(
        person.name, person.birth_date, person.sex, person.telephone, person.id_number, tuple(person.languages)
    )


def stored_person(person: Person) -> dict[str, Any]:
    return {
        "id_number": person.id_number,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "telephone": normalise_telephone(person.telephone) if person.telephone else None,
        "languages": tuple(person.languages),
    }


def wanted_person(draft: PersonDraft, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the file states: an empty cell changes nothing."""
    given = {name for name in PERSON_FIELDS if name in cells}
    if "id_number" in given:
        given |= {"birth_date", "sex"}
    return {name: getattr(draft, name) for name in PERSON_FIELDS if name in given}


def id_key(cells: Mapping[str, Any], row: int = 0) -> list[tuple[str, int, str]]:
    """What only one entry of a file may have."""
    number = cells.get("id_number")
    return [(blind("imports.once", number), row, "id_number")] if number else []


@dataclass(frozen=True)
class Subject:
    """A stored row and what the file wants of it. `key` is how its changes are named; `table` where traces stand."""

    key: str
    table: str
    id: uuid.UUID
    about: str
    stored: Mapping[str, Any]
    wanted: Mapping[str, Any]


def differences(subject: Subject, label: Callable[[str], str], show: Shown) -> Iterator[Change]:
    """Fields whose stored value is another. An empty one is filled; one that was edited since stays unless ticked."""
    trace = trace_of(subject.table, subject.id)
    for name, new in subject.wanted.items():
        old = subject.stored[name]
        if old == new:
            continue
        index = index_of(subject.table, subject.id, name, old)
        edited = old not in (None, "", ()) and trace.get(name) != index
        key = f"{subject.key}.{name}"
        yield Change(key, subject.about, label(name), show(name, old), show(name, new), edited, index)


def accepted(changes: Sequence[Change], ticked: set[str]) -> set[str]:
    """The keys of the changes that are to be made."""
    return {one.key for one in changes if not one.edited or f"{one.key}|{one.seen}" in ticked}


def chosen(subject: Subject, keys: set[str]) -> dict[str, Any]:
    """The wanted values of a subject's accepted changes."""
    return {name: value for name, value in subject.wanted.items() if f"{subject.key}.{name}" in keys}


def remember_agreed(subjects: Iterable[Subject], now: datetime) -> None:
    """Note which values the file and the register agree on now: what differs later was edited since."""
    for subject in subjects:
        agreed = {name: subject.stored[name] for name in subject.wanted if subject.stored[name] == subject.wanted[name]}
        remember(subject.table, subject.id, agreed, now=now)


def show_plain(name: str, value: Any) -> str:
    """A value as people read it; numbers masked."""
    if value in (None, "", ()):
        return ""
    if name == "id_number":
        return mask_id_number(value)
    if name == "telephone":
        return mask_telephone(value)
    if isinstance(value, date):
        return format_long_date(value)
    if isinstance(value, (tuple, list)):
        return "、".join(str(one) for one in value)
    return str(value)
