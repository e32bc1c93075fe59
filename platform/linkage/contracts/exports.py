"""Contracts, their lines with what is left this month, and a line's ledger as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from linkage.contracts import permissions, queries, words
from linkage.contracts.capacity import month_of
from linkage.contracts.models import Contract, ContractLine, LedgerEntry
from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, register
from linkage.core.extensions import db
from linkage.core.ids import uuid_or_none
from linkage.core.permissions import Actor, scoped
from linkage.services.words import UNIT_WORDS, named


def _contracts(actor: Actor, now: datetime) -> Select[Any]:
    args = request.args
    wanted = queries.find_contracts(
        actor,
        now,
        local_date(now),
        text=args.get("q", "")[:60],
        organisation_id=uuid_or_none(args.get("organisation", "")),
        state=args.get("state", "running"),
    )
    return wanted.order_by(Contract.ends_on, Contract.id)


def _lines(actor: Actor, now: datetime) -> Select[Any]:
    """The lines of the contracts on the list, as far as the actor sees their capacity."""
    inside = _contracts(actor, now).order_by(None).with_only_columns(Contract.id)
    wanted = queries.visible_lines(actor).where(ContractLine.contract_id.in_(inside))
    return wanted.order_by(Contract.number, ContractLine.position, ContractLine.id)


def _views(rows: Sequence[ContractLine], scene: Scene) -> Any:
    today = local_date(scene.now)
    return {view.line.id: view for view in queries.line_views(rows, month_of(today), today)}


def _ledger(actor: Actor, _now: datetime) -> Select[Any]:
    """The entries of one line (``?line=``) or of every line, in one month (``?month=2026-11``) or all."""
    lines = scoped(actor, permissions.may_see_ledger, ContractLine).with_only_columns(ContractLine.id)
    line_id = uuid_or_none(request.args.get("line", ""))
    if line_id is not None:
        lines = lines.where(ContractLine.id == line_id)
    wanted = select(LedgerEntry).where(LedgerEntry.line_id.in_(lines))
    month = request.args.get("month", "")[:7]
    return (wanted.where(LedgerEntry.month == month) if month else wanted).order_by(LedgerEntry.id)


def _lines_of(rows: Sequence[LedgerEntry], _scene: Scene) -> Any:
    found = select(ContractLine).where(ContractLine.id.in_({row.line_id for row in rows})).join(ContractLine.contract)
    return {line.id: (line, line.contract.number) for line in db.session.scalars(found)}


CONTRACTS = register(
    Export(
        name="contracts",
        title=_l("Contracts"),
        right=permissions.may_see,
        model=Contract,
        rows=_contracts,
        columns=(
            Column(_l("Contract number"), lambda row, _scene: row.number, width=18),
            Column(_l("Title"), lambda row, _scene: row.title, width=28),
            Column(_l("Organisation"), lambda row, _scene: row.organisation.name, width=24),
            Column(_l("Buyer"), lambda row, _scene: row.buyer.name),
            Column(_l("Signed on"), lambda row, _scene: row.signed_on),
            Column(_l("First day"), lambda row, _scene: row.starts_on),
            Column(_l("Last day"), lambda row, _scene: row.ends_on),
            Column(_l("Value in yuan"), lambda row, _scene: row.value_fen / 100),
            Column(_l("Lines"), lambda row, _scene: len(row.lines), width=8),
        ),
    )
)
LINES = register(
    Export(
        name="lines",
        title=_l("Contract lines"),
        right=permissions.may_see,
        model=ContractLine,
        rows=_lines,
        load=_views,
        columns=(
            Column(_l("Contract number"), lambda row, _scene: row.contract.number, width=18),
            Column(_l("Organisation"), lambda row, _scene: row.contract.organisation.name, width=24),
            Column(_l("Line"), lambda row, _scene: row.name, width=18),
            Column(_l("Services"), lambda row, scene: [named(one) for one in scene.looked_up[row.id].services]),
            Column(_l("Areas"), lambda row, scene: [one.name for one in scene.looked_up[row.id].areas], width=24),
            Column(_l("Unit"), lambda row, _scene: UNIT_WORDS[row.unit], width=8),
            Column(_l("Price in yuan"), lambda row, _scene: row.price_fen / 100),
            Column(_l("Month"), lambda _row, scene: month_of(local_date(scene.now))),
            Column(_l("Cap"), lambda row, scene: scene.looked_up[row.id].capacity.cap),
            Column(_l("Used"), lambda row, scene: scene.looked_up[row.id].capacity.used),
            Column(_l("Left"), lambda row, scene: scene.looked_up[row.id].capacity.left),
        ),
    )
)
LEDGER = register(
    Export(
        name="ledger",
        title=_l("Ledger"),
        right=permissions.may_see_ledger,
        model=LedgerEntry,
        rows=_ledger,
        load=_lines_of,
        columns=(
            Column(_l("Entry"), lambda row, _scene: row.id, width=8),
            Column(_l("When"), lambda row, _scene: row.at, width=18),
            Column(_l("Contract number"), lambda row, scene: scene.looked_up[row.line_id][1], width=18),
            Column(_l("Line"), lambda row, scene: scene.looked_up[row.line_id][0].name, width=18),
            Column(_l("Month"), lambda row, _scene: row.month, width=10),
            Column(_l("What happened"), lambda row, _scene: words.ENTRY_WORDS[row.kind]),
            Column(_l("Quantity"), lambda row, _scene: row.quantity, width=10),
            Column(_l("Unit"), lambda row, scene: UNIT_WORDS[scene.looked_up[row.line_id][0].unit], width=8),
        ),
    )
)
