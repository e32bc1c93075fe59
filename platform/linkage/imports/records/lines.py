"""Contracts and their lines (购买服务合同) as a kind of file: the rows of one contract number are its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.areas.queries import by_words, is_under
from linkage.contracts import operations as contract_operations
from linkage.contracts import queries as contract_queries
from linkage.contracts.models import Contract, ContractLine
from linkage.contracts.operations import ContractDraft, LineDraft
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.formats import format_money
from linkage.core.permissions import Actor, may, right
from linkage.imports import values
from linkage.imports.kinds import Column, Examined, Kind, Row, Scene, register
from linkage.imports.records.carers import organisations_for
from linkage.imports.records.common import (
    RecordReader,
    Subject,
    accepted,
    chosen,
    differences,
    remember_agreed,
    show_plain,
)
from linkage.imports.roster.columns import TAGS
from linkage.services.models import Service
from linkage.services.queries import services_on
from linkage.services.words import named

may_import = right(
    "imports.lines",
    "bring in contracts with their lines as a file",
    coordinator="area",
    supervisor="area",
    administrator="area",
)
UNITS = {
    "分钟": "minutes", "小时": "minutes", "时": "minutes", "minutes": "minutes", "hours": "minutes",
    "次": "visits", "人次": "visits", "visits": "visits", "餐": "meals", "份": "meals", "meals": "meals",
}  # fmt: skip
HEAD = ("title", "signed_on", "ends_on", "value_fen")
LINE = ("name", "unit", "price_fen", "monthly_cap", "starts_on", "ends_on", "eligible_tags", "monthly_quota", "rank",
        "services", "areas")  # fmt: skip
COLUMN_OF = {
    "value_fen": "value", "price_fen": "price", "monthly_cap": "cap", "monthly_quota": "quota", "eligible_tags": "tags",
    "name": "line", "area_id": "areas", "buyer_area_id": "buyer", "organisation_id": "organisation",
}  # fmt: skip
MOST = 900_000_000


@dataclass(frozen=True)
class LookedUp:
    organisations: dict[str, Any]
    areas: dict[str, Area]
    services: dict[str, Service]


def look_up(scene: Scene) -> LookedUp:
    """Organisations that are seen, areas below the file's, services of the catalogue."""
    open_ones = db.session.scalars(select(Area).where(Area.closed_on.is_(None)).order_by(Area.code))
    areas = by_words((one for one in open_ones if is_under(one, scene.area.path)), ("社区", "街道"))
    services = {word: row for row in services_on(scene.today) for word in (row.name_zh, row.name_en, row.code)}
    return LookedUp(organisations_for(scene.actor, "organisations.see"), areas, services)


COLUMNS = (
    Column("number", _l("Contract number"), ("合同编号", "合同号", "编号"), "household", values.number_text(40),
           required=True, examples=("HT-2026-018", "HT-2026-018"), width=16),
    Column("organisation", _l("Organisation"), ("机构", "承接机构", "社会组织", "承接单位", "服务机构", "乙方"),
           "household", options=lambda scene: scene.looked_up.organisations, width=18, examples=("邻里社工", "")),
    Column("title", _l("Title"), ("合同名称", "项目名称", "项目"), "household", values.text(120), width=24,
           examples=("居家养老服务", "")),
    Column("buyer", _l("Buyer"), ("购买方", "购买主体", "甲方", "采购单位"), "household",
           options=lambda scene: scene.looked_up.areas, width=14, examples=("嘉莲街道", ""),
           hint=_l("The area that buys; empty: the one of the file")),
    Column("signed_on", _l("Signed on"), ("签订日期", "签约日期"), "household", values.day, width=13,
           examples=("2026-11-20", "")),
    Column("starts_on", _l("First day"), ("开始日期", "起始日期", "服务开始", "合同开始"), "household", values.day,
           width=13, examples=("2026-12-01", "2026-12-01")),
    Column("ends_on", _l("Last day"), ("结束日期", "终止日期", "截止日期", "合同结束"), "household", values.day,
           width=13, examples=("2027-11-30", "2027-11-30")),
    Column("value", _l("Value in yuan"), ("合同金额", "金额", "总金额", "合同金额元"), "household",
           values.amount(0, MOST, 100), width=14, examples=("480000", "")),
    Column("line", _l("Line"), ("标的名称", "分项", "分项名称", "服务内容", "线路名称"), "need",
           values.text(80), width=16, examples=("助洁", "助餐")),
    Column("services", _l("Services"), ("服务项目", "服务", "服务类别"), "need", several=True, required=True,
           options=lambda scene: scene.looked_up.services, width=18, examples=("助洁", "助餐")),
    Column("areas", _l("Areas"), ("服务区域", "服务范围", "覆盖社区", "区域"), "need", several=True,
           options=lambda scene: scene.looked_up.areas, width=18, examples=("嘉莲街道", "嘉莲街道"),
           hint=_l("Streets or communities; empty: the one of the file")),
    Column("unit", _l("Unit"), ("计量单位", "单位"), "need", options=lambda _scene: UNITS, width=9,
           examples=("小时", "餐"), hint=_l("Empty: as usual for the service")),
    Column("price", _l("Price in yuan"), ("单价", "单价元", "价格"), "need", values.amount(0, 100_000, 100), width=10,
           examples=("38", "15"), hint=_l("A unit; of minutes: an hour")),
    Column("cap", _l("A month at most"), ("每月上限", "月上限", "每月容量", "月服务量"), "need",
           values.amount(0, 10_000_000, 1), width=11, examples=("600", "900"),
           hint=_l("In its unit; hours where the unit says hours")),
    Column("tags", _l("Only for"), ("服务对象", "适用对象", "对象类别"), "need", several=True,
           options=lambda _scene: TAGS, width=18, examples=("特困、失能", "")),
    Column("quota", _l("A person a month"), ("每人每月", "人均上限", "每人上限"), "need", values.amount(0, 100_000, 1),
           width=11, examples=("30", "")),
    Column("rank", _l("Rank"), ("优先级", "顺序"), "need", values.whole(0, 99), width=8),
)  # fmt: skip


@dataclass
class Plan:
    """The contract of a number with its lines; `contract` and each line's stored row where they are known."""

    head: dict[str, Any]
    drafts: list[LineDraft]
    given: list[set[str]]
    contract: Contract | None = None
    lines: list[ContractLine | None] = field(default_factory=list)


def group(rows: list[Row]) -> list[list[Row]]:
    """The rows of one contract number; a row without one belongs to the one above."""
    groups: dict[str, list[Row]] = {}
    number = ""
    for row in rows:
        number = row.text("number") or number
        groups.setdefault(number, []).append(row)
    return list(groups.values())


def group_key(rows: Sequence[Row]) -> str:
    return rows[0].text("number")


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a contract and compare it with what is stored."""
    reader = RecordReader(rows, scene, COLUMNS)
    examined = Examined(reader.faults, needs=len(rows), repairs=reader.repairs, number=rows[0].text("number"))
    if not reader.demand(0, "number"):
        return examined
    contract = contract_queries.by_number(reader.cells[0]["number"])
    examined.title = contract.title if contract is not None else rows[0].text("title") or rows[0].text("number")
    if contract is not None and not may(scene.actor, "contracts.change", contract):
        words = _l("Another area has a contract with this number"), _l("Compare the number.")
        reader.fault(0, "number", "number_taken", *words)
    head = _head(reader, contract)
    if head is None:
        return examined
    examined.plan = plan = Plan(head, [], [], contract)
    _lines(reader, plan)
    if reader.faults:
        examined.plan = None
        return examined
    if contract is not None:
        for subject in _subjects(plan):
            examined.changes += differences(subject, _label, _shown)
        grown = any(line is None for line in plan.lines)
        examined.state = "changed" if examined.changes or grown else "same"
    return examined


def _head(reader: RecordReader, contract: Contract | None) -> dict[str, Any] | None:
    if contract is None and not reader.demand(0, "organisation", "starts_on", "ends_on", "value"):
        return None
    cells, area = reader.cells[0], reader.scene.area
    first = min((one["starts_on"] for one in reader.cells if "starts_on" in one), default=None)
    last = max((one["ends_on"] for one in reader.cells if "ends_on" in one), default=None)
    if contract is not None:
        return {
            "title": reader.agreed("title") or contract.title,
            "signed_on": cells.get("signed_on", contract.signed_on),
            "starts_on": contract.starts_on,
            "ends_on": max(last or contract.ends_on, contract.ends_on),
            "value_fen": cells.get("value", contract.value_fen),
        }
    return {
        "organisation_id": cells["organisation"].id,
        "number": cells["number"],
        "title": cells.get("title", cells["number"]),
        "buyer_area_id": (cells.get("buyer") or area).id,
        "signed_on": cells.get("signed_on", min(first or reader.scene.today, reader.scene.today)),
        "starts_on": first,
        "ends_on": last,
        "value_fen": cells["value"],
    }


def _lines(reader: RecordReader, plan: Plan) -> None:
    shape = Contract(starts_on=plan.head["starts_on"], ends_on=plan.head["ends_on"])
    for place, cells in enumerate(reader.cells):
        if not reader.demand(place, "services"):
            continue
        services: tuple[Service, ...] = cells["services"]
        areas = tuple(area.id for area in cells.get("areas", (reader.scene.area,)))
        stored = _stored(plan.contract, cells.get("line"), services, areas)
        if stored is None and not reader.demand(place, "price", "cap"):
            continue
        draft = _draft(cells, services, areas, plan, stored, reader.rows[place].text("unit"))
        try:
            known = [row.area_id for row in stored.areas] if stored is not None else []
            contract_operations.check_line(shape, draft, reader.scene.actor, known)
        except InvalidInput as error:
            reader.note(error, place, COLUMN_OF, "line")
            continue
        plan.drafts.append(draft)
        plan.lines.append(stored)
        plan.given.append({name for name in LINE if COLUMN_OF.get(name, name) in cells})


def _stored(
    contract: Contract | None, name: str | None, services: Sequence[Service], areas: Sequence[int]
) -> ContractLine | None:
    """The line that is meant: of this name, else of the same services and areas."""
    lines = contract.lines if contract is not None else []
    named_so = [line for line in lines if name and line.name == name]
    wanted = {service.id for service in services}, set(areas)
    same = [
        line
        for line in lines
        if ({row.service_id for row in line.services}, {row.area_id for row in line.areas}) == wanted
    ]
    return next(iter(named_so or same), None)


def _draft(
    cells: dict[str, Any],
    services: Sequence[Service],
    areas: tuple[int, ...],
    plan: Plan,
    stored: ContractLine | None,
    unit_word: str,
) -> LineDraft:
    times = 60 if unit_word.strip() in ("小时", "时", "hours") else 1
    unit = cells.get("unit") or (stored.unit if stored is not None else services[0].unit)
    quota = cells["quota"] * times if "quota" in cells else stored.monthly_quota if stored is not None else None
    start, end = (stored.starts_on, stored.ends_on) if stored else (plan.head["starts_on"], plan.head["ends_on"])
    return LineDraft(
        services=tuple(service.id for service in services),
        areas=areas,
        unit=unit,
        price_fen=cells.get("price", stored.price_fen if stored else 0),
        monthly_cap=cells["cap"] * times if "cap" in cells else stored.monthly_cap if stored else 0,
        starts_on=cells.get("starts_on", start),
        ends_on=cells.get("ends_on", end),
        name=cells.get("line", stored.name if stored else ""),
        eligible_tags=tuple(cells.get("tags", stored.eligible_tags if stored else ())),
        monthly_quota=quota,
        rank=cells.get("rank", stored.rank if stored else 0),
    )


def _subjects(plan: Plan) -> list[Subject]:
    contract = plan.contract
    assert contract is not None
    head = {name: getattr(contract, name) for name in HEAD}
    subjects = [Subject("contract", "contracts", contract.id, contract.number, head, {n: plan.head[n] for n in HEAD})]
    for place, (line, draft, given) in enumerate(zip(plan.lines, plan.drafts, plan.given, strict=True)):
        if line is not None:
            wanted = {name: _plain(draft, name) for name in given}
            stored = {name: _of_line(line, name) for name in LINE}
            subjects.append(Subject(f"line.{place}", "contract_lines", line.id, line.name, stored, wanted))
    return subjects


def _plain(draft: LineDraft, name: str) -> Any:
    value = getattr(draft, name)
    return tuple(sorted(value, key=str)) if isinstance(value, tuple) else value


def _of_line(line: ContractLine, name: str) -> Any:
    if name == "services":
        return tuple(sorted((row.service_id for row in line.services), key=str))
    if name == "areas":
        return tuple(sorted((row.area_id for row in line.areas), key=str))
    value = getattr(line, name)
    return tuple(sorted(value)) if isinstance(value, list) else value


def _label(name: str) -> str:
    return next(column.heading for column in COLUMNS if column.name == COLUMN_OF.get(name, name))


def _shown(name: str, value: Any) -> str:
    if name in ("value_fen", "price_fen"):
        return format_money(value)
    if name == "services":
        return "、".join(named(row) for key in value if (row := db.session.get(Service, key)) is not None)
    if name == "areas":
        return "、".join(area.name for key in value if (area := db.session.get(Area, key)) is not None)
    return show_plain(name, value)


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    """Enter the contract, or make the accepted changes and add the lines that are new."""
    plan: Plan = examined.plan
    contract, new = plan.contract, plan.contract is None
    keys = accepted(examined.changes, ticked)
    if contract is None:
        contract = contract_operations.enter_contract(ContractDraft(**plan.head), plan.drafts, by=by, now=now)
        plan.contract, plan.lines = contract, list(contract.lines)
    else:
        _change(plan, contract, keys, by, now)
    remember_agreed(_subjects(plan), now)
    return {"contract_id": str(contract.id), "new": new, "changed": len(keys), "lines": len(plan.drafts)}


def _change(plan: Plan, contract: Contract, keys: set[str], by: Actor, now: datetime) -> None:
    head, *lines = _subjects(plan)
    facts = chosen(head, keys)
    if facts:
        values_ = {name: facts.get(name, head.stored[name]) for name in HEAD}
        contract_operations.change_contract(contract, **values_, row_version=contract.row_version, by=by, now=now)
    by_id = {subject.id: subject for subject in lines}
    for place, (line, draft) in enumerate(zip(plan.lines, plan.drafts, strict=True)):
        if line is None:
            plan.lines[place] = contract_operations.add_line(contract, draft, by=by, now=now)
            continue
        subject = by_id[line.id]
        facts = chosen(subject, keys)
        if facts:
            wanted = LineDraft(**{name: facts.get(name, subject.stored[name]) for name in LINE})
            contract_operations.change_line(line, wanted, row_version=line.row_version, by=by, now=now)


LINES = register(
    Kind(
        name="lines",
        title=_l("Contracts and their lines"),
        right=may_import,
        columns=COLUMNS,
        look_up=look_up,
        group=group,
        group_key=group_key,
        examine=examine,
        take=take,
        count=lambda number: ngettext("%(num)d contract", "%(num)d contracts", number),
        lead=_l("Signed contracts, a row for each line with its services, areas, price and cap."),
        rules=(_l("Rows with the same contract number are one contract: it enters whole or not at all."),),
        listing="contracts.listing",
    )
)
