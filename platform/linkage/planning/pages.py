"""The pages of a planning area's week: run, look, compare, publish."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from linkage.areas.models import Area
from linkage.areas.queries import get_area
from linkage.core import clock, permissions
from linkage.core.errors import NotAllowed
from linkage.core.extensions import db
from linkage.core.forms import Form
from linkage.core.models import Job
from linkage.core.web import Room, go, request_now, require_actor
from linkage.planning import diff, fixing, operations, publishing, queries, repairing, wording
from linkage.planning.models import Plan, PlanUnserved
from linkage.planning.permissions import may_fix, may_publish, may_see, may_solve
from linkage.planning.queries import get_plan
from linkage.planning.schemas import SolveSchema
from linkage.visits.models import Visit

room = Room("planning", __name__, url_prefix="/plans", template_folder="templates")
VIEWS = ("timeline", "people", "visits", "changes")


@room.get("/", permission=may_see)
def home() -> ResponseReturnValue:
    """Straight to the one street, or the list of streets."""
    areas = queries.planning_areas(require_actor())
    if len(areas) == 1:
        return redirect(url_for("planning.week", area_id=areas[0].id))
    return render_template("planning/areas.html", areas=areas)


@room.get("/street/<int:area_id>", permission=may_see)
def week(area_id: int) -> ResponseReturnValue:
    """The newest plan of one week of a street; what is running; or how to begin."""
    area = _area(area_id)
    day = _day(request.args.get("day")) or clock.local_date(request_now())
    monday = clock.week_start(day)
    plans = queries.plans_of(area, monday, monday + timedelta(days=6))
    plan = queries.to_look_at(plans)
    running = queries.running_job(area.id)
    if plan is not None and running is None:
        return redirect(url_for("planning.page", plan_id=plan.id, day=request.args.get("day")))
    return render_template(
        "planning/week.html", area=area, monday=monday, plan=plan, job=running, last=queries.last_job(area.id),
        waiting=_to_place(area, monday), may_solve=permissions.may(require_actor(), may_solve, area),
    )  # fmt: skip


def _to_place(area: Area, monday: date) -> int:
    first = max(monday, clock.local_date(request_now()))
    return len(queries.visits_between(require_actor(), area.id, first, monday + timedelta(days=6)))


def _area(area_id: int) -> Area:
    area = get_area(area_id)
    if area is None or area not in queries.planning_areas(require_actor()):
        abort(404)
    return area


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


@room.post("/street/<int:area_id>/solve", permission=may_solve)
def solve(area_id: int) -> ResponseReturnValue:
    """Queue a run for the week of `day`."""
    area = _area(area_id)
    _demand_solve(area)
    form = Form(SolveSchema(), request.form)
    day = form.demand().get("day") or clock.local_date(request_now())
    monday = clock.week_start(day)
    job = operations.request_plan(
        area, first_day=monday, last_day=monday + timedelta(days=6), by=require_actor(), now=request_now(),
        seconds=form.data.get("seconds"),
    )  # fmt: skip
    return go("planning.run", job_id=job.id)


@room.post("/street/<int:area_id>/repair", permission=may_solve)
def repair(area_id: int) -> ResponseReturnValue:
    """Queue a repair of what stands in the week of `day`; its draft is looked at before anything changes."""
    area = _area(area_id)
    _demand_solve(area)
    now = request_now()
    day = Form(SolveSchema(), request.form).demand().get("day") or clock.local_date(now)
    monday = clock.week_start(day)
    broken = repairing.to_repair(area.id, monday, monday + timedelta(days=6), now)
    if not broken:
        flash(_("Nothing needs to be repaired any more."), "ok")
        return go("planning.week", area_id=area.id, day=day.isoformat())
    last = max(visit.day for visit in broken)  # later days are planned as usual
    job = operations.request_plan(area, first_day=monday, last_day=last, by=require_actor(), now=now, repair=True)
    return go("planning.run", job_id=job.id)


def _demand_solve(area: Area) -> None:
    """Coordinating somewhere is not enough: it must be this street."""
    if not permissions.may(require_actor(), may_solve, area):
        raise NotAllowed("", remedy=may_solve)


def get_run(job_id: uuid.UUID) -> Area | None:
    """The area that a planning job works for: who may see its plans may see its progress."""
    job = db.session.get(Job, job_id)
    return get_area(job.params["area_id"]) if job is not None and job.kind == "planning.solve" else None


@room.get("/runs/<uuid:job_id>", permission=may_see)
def run(job_id: uuid.UUID) -> ResponseReturnValue:
    """Progress; the part in the middle refreshes itself, and leads to the plan when it is there."""
    job, area = _run(job_id)
    if job.status == "done":
        target = url_for("planning.page", plan_id=job.result["plan_id"])
        return ("", 204, {"HX-Redirect": target}) if request.headers.get("HX-Request") else redirect(target)
    template = "planning/_progress.html" if request.headers.get("HX-Request") else "planning/run.html"
    return render_template(template, job=job, area=area, failure=wording.failure(job))


def _run(job_id: uuid.UUID) -> tuple[Job, Area]:
    area = get_run(job_id)
    if area is None or area not in queries.planning_areas(require_actor()):
        abort(404)
    return db.session.get_one(Job, job_id), area


@room.post("/runs/<uuid:job_id>/cancel", permission=may_solve)
def cancel(job_id: uuid.UUID) -> ResponseReturnValue:
    job, area = _run(job_id)
    _demand_solve(area)
    operations.cancel_run(job, by=require_actor(), now=request_now())
    flash(_("The run is being stopped; the plan in force stays as it is."), "ok")
    return go("planning.week", area_id=area.id)


@room.get("/<uuid:plan_id>", permission=may_see, subject=get_plan)
def page(plan: Plan) -> ResponseReturnValue:
    """One plan in one of its views."""
    actor, now = require_actor(), request_now()
    usual = "changes" if plan.cause == "repair" and plan.status == "draft" else "timeline"
    view = request.args.get("view", usual)
    view = view if view in VIEWS else usual
    first, last = queries.week_of(plan)
    day = _day(request.args.get("day")) or min(max(clock.local_date(now), plan.first_day), plan.last_day)
    visits = queries.visits_between(actor, plan.area_id, first, last)
    entries, unserved = queries.entries_of(plan, visits), queries.unserved_of(plan, visits)
    buckets = queries.buckets(plan, visits, entries)
    found = diff.changes(plan, now=now) if plan.status == "draft" else []
    context: dict[str, Any] = {
        "plan": plan, "area": db.session.get(Area, plan.area_id), "view": view, "day": day,
        "days": wording.days_of(first, last, unserved), "unserved": wording.gaps(unserved, actor),
        "changes": [change for change in found if change.kind != "keep"],
        "total": sum(map(len, buckets.values())), "truth": wording.truth(buckets),
        "open": len(buckets["without"] + buckets["half"]),
        "broken": wording.broken(_broken(plan, now), actor),
        "publishing": queries.publishing_job(plan), "may_publish": permissions.holds(actor, may_publish),
    }  # fmt: skip
    if view == "changes":
        context["told"] = wording.told(diff.by_person(found), actor)
        context["homes"] = wording.homes(found, actor)
    elif view == "visits":
        wanted = _of_state(request.args.get("state", ""), buckets)
        context["rows"] = wording.visit_rows(visits if wanted is None else wanted, entries, actor)
    else:
        lanes = queries.lanes(entries, plan.area_id, day)
        context |= {"groups": wording.groups(lanes, actor, day), "lanes": lanes}
    return render_template("planning/plan.html", **context)


def _of_state(state: str, buckets: dict[str, list[Visit]]) -> list[Visit] | None:
    """The visits of one part of the line of truth ("open": those without or with half of the people); None for all."""
    if state == "open":
        return buckets["without"] + buckets["half"]
    return buckets.get(state, []) if state else None


def _broken(plan: Plan, now: datetime) -> list[Visit]:
    """What of the running days needs somebody else, and this draft does not answer."""
    first, last = queries.week_of(plan)
    found = repairing.to_repair(plan.area_id, first, last, now)
    return repairing.not_in(plan, found) if plan.status == "draft" else found


@room.post("/<uuid:plan_id>/publish", permission=may_publish, subject=get_plan)
def publish(plan: Plan) -> ResponseReturnValue:
    publishing.request_publish(plan, by=require_actor(), now=request_now())
    flash(_("The plan is published; people are being told."), "ok")
    return go("planning.page", plan_id=plan.id)


@room.post("/<uuid:plan_id>/discard", permission=may_publish, subject=get_plan)
def discard(plan: Plan) -> ResponseReturnValue:
    operations.discard(plan, by=require_actor(), now=request_now())
    flash(_("The draft is discarded; the plan in force stays as it is."), "ok")
    return go("planning.week", area_id=plan.area_id)


@room.get("/<uuid:plan_id>/publishing", permission=may_see, subject=get_plan)
def publishing_progress(plan: Plan) -> ResponseReturnValue:
    """The part of the page that says how far publishing is."""
    job = queries.publishing_job(plan)
    if job is not None and job.status not in ("waiting", "running"):
        return "", 204, {"HX-Redirect": url_for("planning.page", plan_id=plan.id)}
    return render_template("planning/_publishing.html", plan=plan, publishing=job)


@room.post("/unserved/<uuid:unserved_id>/fix", permission=may_fix, subject=queries.get_unserved)
def fix(row: PlanUnserved) -> ResponseReturnValue:
    """Make the smallest change; the household has agreed."""
    fixing.apply_fix(row, by=require_actor(), now=request_now())
    flash(_("The visit is changed. Work the plan out again to place it."), "ok")
    return go("planning.page", plan_id=row.plan_id)
