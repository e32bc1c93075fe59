"""Working days by year (工作日历): what is loaded, what is missing, and a new notice, looked at before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from linkage.core import workdays
from linkage.core.clock import local_date
from linkage.core.errors import DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.models import HolidayTable
from linkage.core.web import Room, go, request_now, require_actor
from linkage.core.workdays import Span
from linkage.upkeep import holiday_notice, permissions
from linkage.upkeep.schemas import NoticeSchema, TableSchema

room = Room("working_days", __name__, url_prefix="/administration/working-days", template_folder="templates")


@room.get("/", permission=permissions.may_load_calendar)
def page() -> str:
    """Each year with its notice; from which day on clocks are provisional; the form for the next notice."""
    return _page(Form(None, None, {"year": _next_year()}))


def _page(form: Form, notice: holiday_notice.Notice | None = None) -> str:
    today = local_date(request_now())
    tables = workdays.all_tables()
    current = {table.year: table for table in reversed(tables)}
    missing = workdays.missing_years(today, date(today.year + 1, 12, 31), current)
    return render_template(
        "upkeep/working_days.html",
        years=[_year(table) for table in sorted(current.values(), key=lambda table: -table.year)],
        earlier=[table for table in tables if current[table.year] is not table],
        missing=[date(year, 1, 1) for year in missing],
        form=form,
        mistakes=notice.mistakes if notice else [],
    )


def _next_year() -> int:
    """The first year, from this one on, that has no table."""
    this = local_date(request_now()).year
    return min(workdays.missing_years(date(this, 1, 1), date(this + 5, 1, 1)) or [this + 1])


def _year(table: HolidayTable) -> dict[str, Any]:
    first, last = date(table.year, 1, 1), date(table.year, 12, 31)
    spans = sorted(workdays.spans_of(table), key=lambda span: span.first)
    return {
        "table": table,
        "working": workdays.count_working_days(first, last)[0],
        "off": [span for span in spans if span.kind == workdays.OFF],
        "worked": [span for span in spans if span.kind == workdays.WORK],
    }


@room.post("/check", permission=permissions.may_load_calendar)
def check() -> ResponseReturnValue:
    """Read the file or the pasted notice and show what would change; nothing is stored."""
    form, notice = Form(NoticeSchema(), request.form), None
    try:
        data = form.demand()
        notice = _read(data)
        if not notice.mistakes:
            return _check_page(data["year"], data.get("source") or notice.source, notice.spans, Form())
    except DomainError as error:
        if form.valid:
            form.add(error)
    return _page(form, notice), 422


def _read(data: dict[str, Any]) -> holiday_notice.Notice:
    file = request.files.get("file")
    if file is not None and file.filename:
        return holiday_notice.read_file(file.read(), file.filename, data["year"])
    if not data.get("text"):
        raise InvalidInput(_("Choose a file, or paste the notice."), field="file")
    return holiday_notice.read_text(enumerate(data["text"].splitlines(), 1), data["year"])


def _check_page(year: int, source: str, spans: Sequence[Span], form: Form) -> str:
    held = workdays.calendar()
    kinds = {day: span.kind for span in spans for day in span.days()}
    whole = Span("", date(year, 1, 1), date(year, 12, 31), workdays.OFF)
    days = sorted({*whole.days(), *kinds})
    will = {day: kinds.get(day, "work" if day.weekday() < 5 else "off") == "work" for day in days}
    changed = [day for day in days if will[day] != held.is_working(day)]
    return render_template(
        "upkeep/working_days_check.html",
        year=year,
        spans=sorted(spans, key=lambda span: span.first),
        working=sum(works for day, works in will.items() if day.year == year),
        becomes_off=sum(not will[day] for day in changed),
        becomes_worked=sum(will[day] for day in changed),
        replaces=next((table for table in workdays.current_tables() if table.year == year), None),
        form=form if form.sent is not None else Form(None, None, {"source": source}),
        packed=holiday_notice.packed(spans),
    )


@room.post("/", permission=permissions.may_load_calendar)
def load() -> ResponseReturnValue:
    """The year has this table from now on."""
    form = Form(TableSchema(), request.form)
    spans: list[Span] = []
    try:
        spans = holiday_notice.unpacked(form.value("spans"))
        data = form.demand()
        year = data["year"]
        workdays.store(year, spans, source=data["source"], by=require_actor().user_id, now=request_now())
    except DomainError as error:
        if form.valid:
            form.add(error)
        db.session.rollback()
        year = form.sent.get("year", "0") if form.sent is not None else "0"
        if not spans or not year.isdigit() or workdays.faults(int(year), spans):
            raise
        return _check_page(int(year), "", spans, form), 422
    flash(_("The working days of %(year)s are loaded.", year=year), "ok")
    return go("working_days.page")
