"""Weekly shifts of carers (班次) as a kind of file: the rows of one person are their week."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.areas.models import Area
from linkage.areas.queries import by_words, planning_area_of, planning_areas
from linkage.core.errors import InvalidInput
from linkage.core.formats import WEEKDAYS_EN, WEEKDAYS_ZH, chinese, format_time
from linkage.core.permissions import Actor
from linkage.imports import values
from linkage.imports.kinds import Change, Column, Examined, Kind, Row, Scene, register
from linkage.imports.records.carers import (
    ORGANISATION,
    carer_of,
    may_import,
    organisation_of,
    organisations_for,
    prepare,
)
from linkage.imports.records.common import PERSON_COLUMNS, RecordReader
from linkage.imports.recurrences import ORDER, recurrence
from linkage.imports.roster.known import Known
from linkage.imports.traces import index_of, remember, trace_of
from linkage.imports.values import Cell, CellFault, Value, minutes_of, plain
from linkage.organisations.models import Carer
from linkage.people.operations import WeekSpan, check_week, set_week_pattern
from linkage.people.queries import week_pattern

DAY = 1440
RANGE = re.compile(r"(?:周|星期|礼拜)?([一二三四五六日天])(?:至|到|-|–|—|~|～)(?:周|星期|礼拜)?([一二三四五六日天])")
CHINESE = "一二三四五六日"


@dataclass(frozen=True)
class LookedUp:
    organisations: dict[str, Any]
    streets: dict[str, Area]
    known: Known = field(default_factory=Known)


def look_up(scene: Scene) -> LookedUp:
    """The organisations for which the actor sets weeks, and the planning areas."""
    streets = by_words(planning_areas(), ("街道", "镇"))
    return LookedUp(organisations_for(scene.actor, "organisations.week"), streets)


def weekdays(cell: Cell) -> Value:
    """Days of the week, 0 Monday: 周一、三, 周一至周五, 工作日, 每天, Mon Wed."""
    words, repair = plain(cell)
    typed = "".join(words.split())
    found = RANGE.fullmatch(typed)
    if found:
        first, last = (CHINESE.index(part.replace("天", "日")) for part in found.groups())
        if first <= last:
            return Value(tuple(range(first, last + 1)), repair)
    if typed in ("每天", "每日", "全周", "daily"):
        return Value(tuple(range(7)), repair)
    try:
        rule = recurrence(["t", typed if typed.startswith(("每", "工作日", "every")) else f"每周{typed}"]).meaning
    except CellFault:
        rule = None
    named = re.search(r"BYDAY=([A-Z,]+)", rule or "")
    if named is None:
        raise CellFault(
            "weekday", _l("This is no day of the week"), _l("Write for example: Mon, Wed; or every weekday.")
        )
    return Value(tuple(ORDER.index(day) for day in named[1].split(",")), repair)


def shift_span(cell: Cell) -> Value:
    """From–to; a night shift goes on past midnight: 20:00-08:00."""
    words, repair = plain(cell)
    ends = [minutes_of(part) for part in re.split(r"\s*(?:--?|–|—|~|～|至|到|次日)+\s*", words) if part]
    start, end = ends if len(ends) == 2 else (None, None)
    if start is None or end is None:
        raise CellFault("span", _l("This is no span of time"), _l("Write from and to: 08:00-17:00."))
    return Value((start, end if end > start else end + DAY), repair)


COLUMNS = (
    ORGANISATION,
    *(column for column in PERSON_COLUMNS if column.name in ("name", "id_number", "telephone")),
    Column("weekday", _l("Days of the week"), ("星期", "周几", "工作日", "排班日", "班次日期"), "need", weekdays,
           required=True, examples=("周一至周五", "周六"), width=14),
    Column("span", _l("Hours"), ("班次时间", "时间段", "工作时间", "上班时间", "时段"), "need", shift_span,
           examples=("08:00-17:00", "08:00-12:00"), width=14, required=True),
    Column("break_from", _l("Break not before"), ("休息开始", "午休开始"), "need", values.clock_time, width=12,
           examples=("12:00", "")),
    Column("break_minutes", _l("Minutes of break"), ("休息分钟", "午休分钟", "休息时长"), "need", values.whole(1, 180),
           width=10, examples=("60", "")),
    Column("street", _l("Works in"), ("工作街道", "服务街道", "街道", "片区", "服务区域"), "need",
           options=lambda scene: scene.looked_up.streets, width=14, examples=("嘉莲街道", "嘉莲街道"),
           hint=_l("The street that plans the day; empty: the one of the file")),
    Column("valid_from", _l("Holds from"), ("生效日期", "起始日期", "开始日期", "自"), "need", values.day, width=13,
           examples=("2026-12-07", "2026-12-07"), hint=_l("Today or later; before it, the week stays as it was")),
)  # fmt: skip


@dataclass
class Plan:
    """The week of one carer, from a day on."""

    carer: Carer
    week: list[WeekSpan]
    valid_from: date


def group(rows: list[Row]) -> list[list[Row]]:
    """The rows of one person, wherever they stand; a row without a name belongs to the one above."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    key: tuple[str, ...] = ("", "", "")
    for row in rows:
        if row.text("name") or row.text("id_number"):
            key = (row.text("organisation"), row.text("id_number") or row.text("name"), row.text("telephone"))
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def group_key(rows: Sequence[Row]) -> str:
    return rows[0].text("id_number") or rows[0].text("name")


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a person's week and compare it with what is stored."""
    reader = RecordReader(rows, scene, COLUMNS)
    examined = Examined(reader.faults, people=1, repairs=reader.repairs, title=rows[0].text("name"))
    organisation = organisation_of(reader)
    if organisation is None or not reader.demand(0, "name"):
        return examined
    examined.where = organisation.short_name
    _person, carer = carer_of(organisation, reader)
    if carer is None:
        words, remedy = _l("Nobody like this works for the organisation"), _l("Bring in the carers first.")
        reader.fault(0, "id_number" if "id_number" in reader.cells[0] else "name", "not_employed", words, remedy)
        return examined
    valid_from = reader.agreed("valid_from") or scene.today
    if valid_from < scene.today:
        reader.fault(0, "valid_from", "past", _l("What is past stays as it was"), _l("Write today or a later day."))
    week = _week(reader)
    if reader.faults:
        return examined
    examined.plan = plan = Plan(carer, week, valid_from)
    stored = _stored(plan)
    old, new = show_week(stored), show_week(week)
    edited = False
    if stored:
        index = index_of("carers", carer.id, "week", old)
        edited = trace_of("carers", carer.id).get("week") != index
        if old != new:
            examined.changes = [Change("week", carer.person.name, _l("Week"), old, new, edited, index)]
    examined.state = "changed" if old != new and stored else "same" if stored else "new"
    return examined


def _stored(plan: Plan) -> list[WeekSpan]:
    organisation_id = plan.carer.organisation_id
    rows = week_pattern(plan.carer.person_id, "shift", plan.valid_from, organisation_id=organisation_id)
    return [
        WeekSpan(row.weekday, row.start_minute, row.end_minute, row.area_id, row.break_from, row.break_minutes)
        for row in rows
    ]


def _week(reader: RecordReader) -> list[WeekSpan]:
    week = []
    for place, cells in enumerate(reader.cells):
        if not reader.demand(place, "weekday", "span"):
            continue
        area = cells.get("street") or planning_area_of(reader.scene.area)
        if area is None:
            reader.demand(place, "street")
            continue
        start, end = cells["span"]
        length = cells.get("break_minutes", 0)
        begins = cells.get("break_from", 720 if start <= 720 and 720 + length <= end else start + (end - start) // 2)
        for day in cells["weekday"]:
            week.append(WeekSpan(day, start, end, area.id, begins if length else None, length))
    try:
        check_week(week)
    except InvalidInput as error:
        for sentences in error.errors.values():
            reader.fault(0, "span", "week", sentences[0], _l("Correct the hours of this person."))
    return sorted(week, key=lambda span: (span.weekday, span.start_minute))


def show_week(week: Sequence[WeekSpan]) -> str:
    """周一 08:00-17:00, 周二 …"""
    names = WEEKDAYS_ZH if chinese() else WEEKDAYS_EN
    parts = [
        f"{names[one.weekday]} {format_time(one.start_minute)}–{format_time(one.end_minute % DAY)}" for one in week
    ]
    return "，".join(parts) if chinese() else ", ".join(parts)


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    """Set the week, unless it was edited since and is not ticked."""
    plan: Plan = examined.plan
    kept = any(one.edited and f"{one.key}|{one.seen}" not in ticked for one in examined.changes)
    if examined.state != "same" and not kept:
        set_week_pattern(
            plan.carer.person,
            "shift",
            plan.week,
            valid_from=plan.valid_from,
            organisation_id=plan.carer.organisation_id,
            by=by,
            now=now,
        )
    if not kept:
        remember("carers", plan.carer.id, {"week": show_week(plan.week)}, now=now)
    return {"carer_id": str(plan.carer.id), "new": examined.state == "new", "changed": int(not kept)}


SHIFTS = register(
    Kind(
        name="shifts",
        title=_l("Weekly shifts of carers"),
        right=may_import,
        columns=COLUMNS,
        look_up=look_up,
        group=group,
        group_key=group_key,
        examine=examine,
        take=take,
        count=lambda number: ngettext("%(num)d week", "%(num)d weeks", number),
        lead=_l("Who works when, week by week."),
        rules=(_l("The rows of one person are their whole week: it takes the place of the one before."),),
        listing="carers.listing",
        prepare=prepare,
    )
)
