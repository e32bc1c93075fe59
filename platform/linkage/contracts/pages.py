"""Contracts: list, page with each line's month, entering one by hand, the ledger of a line, what is left here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from flask import flash, render_template, request, url_for
from flask_babel import gettext as _

from linkage.areas.models import Area
from linkage.areas.queries import areas_where
from linkage.contracts import links, operations, permissions, queries, words
from linkage.contracts.capacity import month_days, month_of
from linkage.contracts.models import Contract, ContractLine
from linkage.contracts.operations import LineFault
from linkage.contracts.queries import get_contract, get_line
from linkage.contracts.schemas import (
    MOST_LINES,
    NO_LINE,
    ContractChangeForm,
    ContractForm,
    LineForm,
    add_line_fault,
    filled_lines,
    line_draft,
    line_initial,
    prefix,
    read_lines,
)
from linkage.core.clock import local_date
from linkage.core.errors import DomainError
from linkage.core.forms import Form, shown_money
from linkage.core.ids import uuid_or_none
from linkage.core.look import look, with_args
from linkage.core.paging import order, paginate
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.words import TAG_WORDS
from linkage.organisations.models import Organisation
from linkage.organisations.queries import organisation_choices
from linkage.services.queries import services_on
from linkage.services.words import named

room = Room("contracts", __name__, url_prefix="/contracts", template_folder="templates")
room.add_app_template_filter(words.quantity, "quantity")
room.add_app_template_filter(words.month_name, "month_name")
room.add_app_template_filter(TAG_WORDS.__getitem__, "tag_word")


def _today() -> date:
    return local_date(request_now())


def _month() -> str:
    """The month of the address (``?month=2026-11``), else this one."""
    asked = request.args.get("month", "")
    try:
        return month_of(month_days(asked)[0])
    except ValueError:
        return month_of(_today())


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    actor, now, today = require_actor(), request_now(), _today()
    state = request.args.get("state", "running")
    organisation_id = uuid_or_none(request.args.get("organisation", ""))
    wanted = queries.find_contracts(
        actor, now, today, text=request.args.get("q", "")[:60], organisation_id=organisation_id, state=state
    )
    columns = {"number": Contract.number, "organisation": Organisation.name_keys, "ends": Contract.ends_on}
    page = paginate(wanted.order_by(*order(columns, "ends", Contract.id)))
    lines = [line for contract in page.rows for line in contract.lines]
    views = queries.line_views(lines, month_of(today), today)
    return render_template(
        "contracts/listing.html",
        page=page,
        state=state,
        state_of=lambda contract: queries.state_of(contract, now, today),
        worst=queries.worst_states(views),
        organisations=[(row.id, row.short_name) for row in organisation_choices(actor)],
        spent_on=_spent_on(lines),
    )


def _spent_on(lines: Sequence[ContractLine]) -> Callable[[Contract], int]:
    """What a contract has delivered so far, in fen, read once for the page."""
    spent = queries.delivered_fen(lines)
    return lambda contract: sum(spent[line.id] for line in contract.lines)


@room.get("/<uuid:contract_id>", permission=permissions.may_see, subject=get_contract)
def page(contract: Contract) -> str:
    now, today, month = request_now(), _today(), _month()
    spent = queries.delivered_fen(contract.lines)
    return render_template(
        "contracts/page.html",
        contract=contract,
        state=queries.state_of(contract, now, today),
        views=queries.line_views(contract.lines, month, today),
        month=month,
        months=queries.months_of(contract, month),
        spent=spent,
        spent_total=sum(spent.values()),
        words=words,
        ledger_url=lambda line: lambda state: url_for("contracts.ledger", line_id=line.id, month=month, state=state),
    )


@room.get("/lines", permission=permissions.may_see_line)
def lines() -> str:
    """What is left this month of every line that serves here."""
    actor, today, month = require_actor(), _today(), _month()
    found = queries.find_lines(
        actor,
        month,
        organisation_id=uuid_or_none(request.args.get("organisation", "")),
        service_id=uuid_or_none(request.args.get("service", "")),
    )
    views = queries.line_views(found, month, today)
    state = request.args.get("state", "")
    return render_template(
        "contracts/lines.html",
        views=[view for view in views if not state or view.state == state],
        counts=queries.counts_by_state(views),
        total=len(views),
        state=state,
        month=month,
        organisations=[(row.id, row.short_name) for row in organisation_choices(actor)],
        services=[(service.id, named(service)) for service in services_on(today)],
        words=words,
        pill_states=lambda: _state_pills(queries.counts_by_state(views), state),
    )


def _state_pills(counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    """A pill for each state that some line is in."""
    return [
        {"label": look("line", key).word, "url": with_args(state=key), "active": key == chosen, "count": counts[key]}
        for key in ("used_up", "critical", "tight", "enough")
        if counts.get(key)
    ]


@room.get("/lines/<uuid:line_id>/ledger", permission=permissions.may_see_ledger, subject=get_line)
def ledger(line: ContractLine) -> str:
    today, month = _today(), _month()
    state = request.args.get("state", "")
    wanted = queries.entries(line.id, month, state, uuid_or_none(request.args.get("visit", "")))
    view = queries.line_views([line], month, today)[0]
    page = paginate(wanted)
    return render_template(
        "contracts/ledger.html",
        line=line,
        view=view,
        page=page,
        visit_urls=links.addresses(require_actor(), {row.visit_id for row in page.rows if row.visit_id}),
        day_of=words.day_of,
        month=month,
        months=queries.months_of(line.contract, month),
        state=state,
        words=words,
        effect_on=queries.effect_on,
        people=queries.people_named(line, month),
    )


@room.get("/new", permission=permissions.may_enter)
def new() -> str:
    today = _today()
    first = date(today.year, 1, 1)
    return _entry_page(
        Form(initial={"starts_on": first, "ends_on": date(today.year, 12, 31), "l0-unit": "minutes", "l0-rank": 0})
    )


@room.post("/new", permission=permissions.may_enter)
def enter() -> Any:
    form = Form(ContractForm(), request.form)
    drafts = read_lines(form, request.form, form.data.get("draft"))
    if not filled_lines(request.form):
        form.errors["l0-services"] = [NO_LINE]
    if form.valid:
        try:
            contract = operations.enter_contract(
                form.data["draft"], [draft for _place, draft in drafts], by=require_actor(), now=request_now()
            )
        except LineFault as fault:
            add_line_fault(form, fault, drafts[fault.place][0])
        except DomainError as error:
            form.add(error)
        else:
            flash(_("The contract is entered; its minutes can be planned from now on."), "ok")
            return go("contracts.page", contract_id=contract.id)
    return _entry_page(form), form.status


def _entry_page(form: Form) -> str:
    actor = require_actor()
    shown = filled_lines(request.form) if form.sent is not None else [0]
    return render_template(
        "contracts/form.html",
        form=form,
        places=range(MOST_LINES),
        opened=set(shown) | {0},
        prefix=prefix,
        organisations=[(row.id, row.name) for row in organisation_choices(actor)],
        buyers=[
            (area.id, area.name) for area in areas_where(actor, permissions.may_enter, ("city", "district", "street"))
        ],
        **_choices(),
    )


def _choices(line: ContractLine | None = None) -> dict[str, Any]:
    """What a line's fields offer; a line's own areas are always among them."""
    areas = list(_line_areas())
    known = {area.id for area in areas}
    if line is not None:
        areas += [area for area in queries.areas_of(line) if area.id not in known]
    return {
        "services": [(service.id, named(service), service.icon) for service in services_on(_today())],
        "units": list(words.LINE_UNIT_WORDS.items()),
        "areas": [(area.id, area.name) for area in areas],
        "tags": list(TAG_WORDS.items()),
    }


def _line_areas() -> list[Area]:
    """Districts and streets for a wide scope; for the scope of one street its communities, too."""
    actor = require_actor()
    wide = list(areas_where(actor, permissions.may_enter, ("district", "street")))
    streets = [area for area in wide if area.level == "street"]
    return wide if len(streets) > 1 else list(areas_where(actor, permissions.may_enter, ("street", "community")))


@room.get("/<uuid:contract_id>/edit", permission=permissions.may_change, subject=get_contract)
def edit(contract: Contract) -> str:
    initial = {name: getattr(contract, name) for name in ("title", "signed_on", "ends_on", "row_version")}
    return _change_page(Form(initial={**initial, "value": shown_money(contract.value_fen)}), contract)


@room.post("/<uuid:contract_id>/edit", permission=permissions.may_change, subject=get_contract)
def change(contract: Contract) -> Any:
    form = Form(ContractChangeForm(), request.form)
    if form.passes(lambda data: operations.change_contract(contract, **data, by=require_actor(), now=request_now())):
        flash(_("The change is saved."), "ok")
        return go("contracts.page", contract_id=contract.id)
    return _change_page(form, contract), form.status


def _change_page(form: Form, contract: Contract) -> str:
    return render_template("contracts/edit.html", form=form, contract=contract)


@room.get("/<uuid:contract_id>/lines/new", permission=permissions.may_change, subject=get_contract)
def new_line(contract: Contract) -> str:
    return _line_page(Form(initial={"unit": "minutes", "rank": 0}), contract, None)


@room.post("/<uuid:contract_id>/lines/new", permission=permissions.may_change, subject=get_contract)
def add_line(contract: Contract) -> Any:
    form = Form(LineForm(), request.form)
    if form.passes(
        lambda data: operations.add_line(contract, line_draft(data, contract), by=require_actor(), now=request_now())
    ):
        flash(_("The line is added."), "ok")
        return go("contracts.page", contract_id=contract.id)
    return _line_page(form, contract, None), form.status


@room.get("/lines/<uuid:line_id>/edit", permission=permissions.may_change, subject=get_line)
def edit_line(line: ContractLine) -> str:
    return _line_page(Form(initial=line_initial(line)), line.contract, line)


@room.post("/lines/<uuid:line_id>/edit", permission=permissions.may_change, subject=get_line)
def change_line(line: ContractLine) -> Any:
    form = Form(LineForm(), request.form)
    actor, now = require_actor(), request_now()

    def store(data: dict[str, Any]) -> None:
        draft = line_draft(data, line.contract)
        operations.change_line(line, draft, row_version=data["row_version"], by=actor, now=now)

    if form.passes(store):
        flash(_("The change is saved."), "ok")
        return go("contracts.page", contract_id=line.contract_id)
    return _line_page(form, line.contract, line), form.status


def _line_page(form: Form, contract: Contract, line: ContractLine | None) -> str:
    return render_template("contracts/line.html", form=form, contract=contract, line=line, **_choices(line))


@room.post("/<uuid:contract_id>/suspend", permission=permissions.may_change, subject=get_contract)
def suspend(contract: Contract) -> Any:
    operations.suspend(contract, by=require_actor(), now=request_now())
    flash(_("Nothing new is booked on this contract until it is resumed."), "ok")
    return go("contracts.page", contract_id=contract.id)


@room.post("/<uuid:contract_id>/resume", permission=permissions.may_change, subject=get_contract)
def resume(contract: Contract) -> Any:
    operations.resume(contract, by=require_actor(), now=request_now())
    flash(_("The contract goes on."), "ok")
    return go("contracts.page", contract_id=contract.id)


@room.post("/<uuid:contract_id>/terminate", permission=permissions.may_change, subject=get_contract)
def terminate(contract: Contract) -> Any:
    operations.terminate(contract, by=require_actor(), now=request_now())
    flash(_("The contract has ended; nothing new is booked on it."), "ok")
    return go("contracts.page", contract_id=contract.id)
