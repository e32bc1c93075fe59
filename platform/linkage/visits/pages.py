"""Visits for the staff: the list by state, community and day; one visit, its outcome, what to do for a caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, flash, render_template, request
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from linkage.areas.models import Area
from linkage.areas.queries import under
from linkage.core.clock import SHANGHAI, local_date
from linkage.core.errors import DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.models import AuditRow
from linkage.core.paging import PER_PAGE, Page, place
from linkage.core.permissions import Actor, Role, may
from linkage.core.rulesets import rule
from linkage.core.web import Room, go, request_now, require_actor
from linkage.households.permissions import names_in_full
from linkage.services.words import named
from linkage.visits import attendance, operations, permissions, queries, status, words
from linkage.visits.models import Assignment, AttendanceCorrection, Visit
from linkage.visits.queries import get_visit
from linkage.visits.schemas import CorrectionForm
from linkage.visits.status import Status

room = Room("visits", __name__, url_prefix="/visits", template_folder="templates")
GROUPS = {
    "trouble": status.TROUBLE,
    "ahead": status.AHEAD,
    "confirm": (Status.DONE,),
    "over": status.OVER,
}


@room.get("/", permission=permissions.may_see)
def listing() -> str:
    actor, now = require_actor(), request_now()
    first, last = _days(now)
    wanted = in_area_and_days(actor, now)
    numbers = status.tally(wanted, now, "day")
    found = _page_of(wanted, numbers, now)
    return render_template(
        "visits/listing.html",
        found=found,
        first=first,
        last=last,
        week=_week(first),
        counts=_sums((state, number) for _day, state, number in numbers),
        states=status.statuses(found.rows, now),
        coming=queries.active_of([visit.id for visit in found.rows]),
        areas=_areas(queries.visible(actor).where(Visit.day.between(first, last))),
        shown=request.args.get("state", ""),
        area_names=_area_names(found.rows),
        **_common(),
    )


def in_area_and_days(actor: Actor, now: datetime) -> Select[Visit]:
    """The visits of the days and the area of the address bar."""
    return _in_area(queries.visible(actor).where(Visit.day.between(*_days(now))))


def _days(now: datetime) -> tuple[date, date]:
    """The span asked for by ?day= (one day), or ?week= (its Monday); today at first."""
    day = _date("day")
    if day is not None:
        return day, day
    monday = _date("week")
    if monday is not None:
        return monday, monday + timedelta(days=6)
    return local_date(now), local_date(now)


def _date(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _week(first: date) -> list[date]:
    monday = first - timedelta(days=first.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def _in_area(wanted: Select[Visit]) -> Select[Visit]:
    area = db.session.get(Area, request.args.get("area", 0, type=int))
    return wanted if area is None else wanted.where(Visit.area_id.in_(under(area.path)))


def in_state(wanted: Select[Visit], now: datetime) -> Select[Visit]:
    """Those in the state of the address bar, in SQL (for files of the whole list)."""
    states = _asked_states()
    return wanted.where(status.column(now).in_([one.value for one in states])) if states else wanted


def _asked_states() -> Iterable[Status]:
    shown = request.args.get("state", "")
    return GROUPS.get(shown) or [one for one in Status if one.value == shown]


def _sums(numbers: Iterable[tuple[Any, int]]) -> Counter[Any]:
    sums: Counter[Any] = Counter()
    for key, number in numbers:
        sums[key] += number
    return sums


def _page_of(wanted: Select[Visit], numbers: list[tuple[Any, ...]], now: datetime) -> Page[Visit]:
    """The page that the address asks for, as the visits begin; only the days on which it lies are sorted."""
    states = [one.value for one in _asked_states() or Status]
    days = _sums((day, number) for day, state, number in numbers if state in states)
    total = sum(days.values())
    page, pages, skipped = place(total)
    shown, offset = _days_of(days, skipped)
    of = status.reckoned(wanted.where(Visit.day.in_(shown)), now, all_starts=True).c
    begins = func.coalesce(of.starts_at, of.earliest_at)
    ids = db.session.scalars(
        select(of.id).where(of.state.in_(states)).order_by(of.day, begins, of.id).limit(PER_PAGE).offset(offset)
    ).all()
    loaded = select(Visit).where(Visit.id.in_(ids)).options(joinedload(Visit.person), joinedload(Visit.service))
    rows = {row.id: row for row in db.session.scalars(loaded)}
    return Page([rows[one] for one in ids], page, pages, total)


def _days_of(days: Counter[date], skipped: int) -> tuple[list[date], int]:
    """The days on which a page lies that begins after `skipped` visits, and how many of theirs it skips."""
    ordered = sorted(days)
    while ordered and days[ordered[0]] <= skipped:
        skipped -= days[ordered.pop(0)]
    shown: list[date] = []
    for day in ordered:
        if sum(days[one] for one in shown) >= skipped + PER_PAGE:
            break
        shown.append(day)
    return shown, skipped


def _areas(wanted: Select[Visit]) -> list[Area]:
    ids = wanted.with_only_columns(Visit.area_id)
    return list(db.session.scalars(select(Area).where(Area.id.in_(ids)).order_by(Area.code)))


def _area_names(visits: list[Visit]) -> dict[int, str]:
    ids = {visit.area_id for visit in visits}
    return {area.id: area.name for area in db.session.scalars(select(Area).where(Area.id.in_(ids)))}


def _common() -> dict[str, Any]:
    return {
        "words": words,
        "named": named,
        "full_names": names_in_full(require_actor()),
        "looks": words.LOOKS,
        "deeds": words.DEEDS,
        "area_choices": words.area_choices,
        "state_options": list(words.STATE_WORDS.items()),
        "early": timedelta(minutes=rule("visits.early_minutes", local_date(request_now()))),
        "Status": Status,
        "groups": GROUPS,
    }


@room.get("/<uuid:visit_id>", permission=permissions.may_see, subject=get_visit)
def page(visit: Visit) -> str:
    return _page(visit, Form())


def _page(visit: Visit, form: Form) -> str:
    actor, now = require_actor(), request_now()
    booked = queries.active_of([visit.id])[visit.id]
    return render_template(
        "visits/page.html",
        visit=visit,
        form=form,
        state=status.status_of(visit, now),
        booked=booked,
        area=db.session.get(Area, visit.area_id),
        corrections=_corrections(booked),
        history=_history(visit),
        own=next((one for one in booked if one.person_id == actor.person_id), None),
        can=_can(visit, actor),
        **_common(),
    )


def _can(visit: Visit, actor: Actor) -> dict[str, bool]:
    return {
        name: may(actor, right, visit)
        for name, right in (
            ("attend", permissions.may_attend_for),
            ("confirm", permissions.may_confirm),
            ("cancel", permissions.may_cancel),
            ("correct", permissions.may_correct),
            ("release", permissions.may_release_for),
        )
    }


def _corrections(booked: list[Assignment]) -> dict[Any, list[AttendanceCorrection]]:
    found: dict[Any, list[AttendanceCorrection]] = {}
    rows = [one.attendance.id for one in booked if one.attendance is not None]
    for row in db.session.scalars(
        select(AttendanceCorrection)
        .where(AttendanceCorrection.attendance_id.in_(rows))
        .order_by(AttendanceCorrection.corrected_at)
    ):
        found.setdefault(row.attendance_id, []).append(row)
    return found


def _history(visit: Visit) -> list[AuditRow]:
    """What was done to the visit: deeds and times, no names."""
    return list(
        db.session.scalars(
            select(AuditRow)
            .where(AuditRow.subject_kind == "visits", AuditRow.subject_id == str(visit.id))
            .order_by(AuditRow.number.desc())
            .limit(30)
        )
    )


def _assignment(visit_id: Any, assignment_id: Any) -> Assignment | None:
    """The visit's own assignment, or None: an id of another visit is nobody's."""
    found = queries.get_assignment(assignment_id)
    return found if found is not None and found.visit_id == visit_id else None


def _do(visit: Visit, assignment_id: Any, act: Callable[[Assignment], Any], done: str) -> Any:
    one = _assignment(visit.id, assignment_id)
    if one is None:
        raise InvalidInput(_("This booking no longer stands."))
    act(one)
    flash(done, "ok")
    return go("visits.page", visit_id=visit.id)


def _method() -> str:
    return "call_desk" if require_actor().has(Role.OPERATOR) else "staff"


@room.post("/<uuid:visit_id>/<uuid:assignment_id>/check-in", permission=permissions.may_attend_for, subject=get_visit)
def check_in(visit: Visit, assignment_id: Any) -> Any:
    return _do(
        visit,
        assignment_id,
        lambda one: attendance.check_in(one, method=_method(), by=require_actor(), now=request_now()),
        _("Checked in."),
    )


@room.post("/<uuid:visit_id>/<uuid:assignment_id>/check-out", permission=permissions.may_attend_for, subject=get_visit)
def check_out(visit: Visit, assignment_id: Any) -> Any:
    return _do(
        visit,
        assignment_id,
        lambda one: attendance.check_out(one, method=_method(), by=require_actor(), now=request_now()),
        _("Checked out."),
    )


@room.post("/<uuid:visit_id>/<uuid:assignment_id>/no-show", permission=permissions.may_attend_for, subject=get_visit)
def no_show(visit: Visit, assignment_id: Any) -> Any:
    return _do(
        visit,
        assignment_id,
        lambda one: attendance.record_no_show(one, by=require_actor(), now=request_now()),
        _("Recorded: nobody came."),
    )


@room.post("/<uuid:visit_id>/<uuid:assignment_id>/release", permission=permissions.may_release_for, subject=get_visit)
def release(visit: Visit, assignment_id: Any) -> Any:
    return _do(
        visit,
        assignment_id,
        lambda one: operations.give_back(one, by=require_actor(), now=request_now(), reason="replaced"),
        _("This person no longer goes and has been told."),
    )


@room.post("/<uuid:visit_id>/confirm", permission=permissions.may_confirm, subject=get_visit)
def confirm(visit: Visit) -> Any:
    form = Form(None, request.form)
    try:
        rating = request.form.get("rating", 0, type=int)
        attendance.confirm_with_household(visit, rating, by=require_actor(), now=request_now())
    except InvalidInput as error:
        form.add(error)
        return Response(_page(visit, form), status=422)
    flash(_("Confirmed with the household."), "ok")
    return go("visits.page", visit_id=visit.id)


@room.get("/<uuid:visit_id>/cancel", permission=permissions.may_cancel, subject=get_visit)
def cancelling(visit: Visit) -> str:
    return _cancel_page(visit, Form())


def _cancel_page(visit: Visit, form: Form) -> str:
    return render_template(
        "visits/cancel.html",
        visit=visit,
        form=form,
        booked=queries.active_of([visit.id])[visit.id],
        **_common(),
    )


@room.post("/<uuid:visit_id>/cancel", permission=permissions.may_cancel, subject=get_visit)
def cancel(visit: Visit) -> Any:
    form, reason = Form(None, request.form), request.form.get("reason", "")
    try:
        if reason not in words.CANCEL_WORDS:
            raise InvalidInput(_("Please choose a reason."), field="reason")
        operations.cancel_visit(visit, reason, by=require_actor(), now=request_now())
    except InvalidInput as error:
        form.add(error)
        return Response(_cancel_page(visit, form), status=422)
    flash(_("The visit was cancelled; whoever would have come is told."), "ok")
    return go("visits.page", visit_id=visit.id)


@room.get("/<uuid:visit_id>/<uuid:assignment_id>/correct", permission=permissions.may_correct, subject=get_visit)
def correcting(visit: Visit, assignment_id: Any) -> str:
    one = _assignment(visit.id, assignment_id)
    row = one.attendance if one else None
    times = (row.checked_in_at, row.checked_out_at) if row else (None, None)
    return _correct_page(visit, assignment_id, Form(initial={"from": _clock(times[0]), "to": _clock(times[1])}))


def _clock(moment: datetime | None) -> str:
    return moment.astimezone(SHANGHAI).strftime("%H:%M") if moment else ""


def _correct_page(visit: Visit, assignment_id: Any, form: Form) -> str:
    one = _assignment(visit.id, assignment_id)
    if one is None:
        raise InvalidInput(_("This booking no longer stands."))
    return render_template("visits/correct.html", visit=visit, one=one, form=form, **_common())


@room.post("/<uuid:visit_id>/<uuid:assignment_id>/correct", permission=permissions.may_correct, subject=get_visit)
def correct(visit: Visit, assignment_id: Any) -> Any:
    one, form = _assignment(visit.id, assignment_id), Form(CorrectionForm(), request.form)
    if one is None:
        raise InvalidInput(_("This booking no longer stands."))
    if form.valid:
        day = local_date(one.starts_at)
        try:
            attendance.correct_times(
                one,
                checked_in_at=_at(day, form.data["start"]),
                checked_out_at=_at(day, form.data["end"]),
                reason=form.data["reason"],
                by=require_actor(),
                now=request_now(),
            )
            flash(_("Corrected; what was recorded first stays beside it."), "ok")
            return go("visits.page", visit_id=visit.id)
        except DomainError as error:
            form.add(InvalidInput(error.message, field={"checked_out_at": "to"}.get(error.field or "", error.field)))
    return Response(_correct_page(visit, assignment_id, form), status=422)


def _at(day: date, at: Any) -> datetime | None:
    return None if at is None else datetime.combine(day, at, SHANGHAI)
