"""The first page: each role lands on its own today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from linkage.core.clock import local_date, week_start
from linkage.core.paging import page_of
from linkage.core.permissions import Actor, Role
from linkage.core.tasks import Reader
from linkage.core.web import SIGNED_IN, request_now, require_actor
from linkage.desk import checks, coverage, managing, todo, work
from linkage.desk.navigation import PHONE_HOMES, exists, main_role
from linkage.desk.room import room
from linkage.desk.values import common
from linkage.planning import queries as planning
from linkage.planning.models import Plan
from linkage.planning.wording import truth
from linkage.visits.models import Visit

MOST_STREETS = 10


@room.get("/", permission=SIGNED_IN)
def home() -> ResponseReturnValue:
    """Where one lands after signing in."""
    actor = require_actor()
    role = main_role(actor)
    target = PHONE_HOMES.get(role) if role else "accounts.account"
    if target is not None:
        return redirect(url_for(target if exists(target) else "accounts.account"))
    page = PAGES.get(role, staff_today) if role else staff_today
    return page(actor)


def staff_today(actor: Actor) -> str:
    """Community staff and coordinators: what must be done today, urgent first, and the day beside it."""
    now = request_now()
    day = work.day_of(actor, now)
    return render_template(
        "desk/today.html",
        todo=todo.todo_of(Reader(actor, now), folded=todo.folds(actor)),
        task_heads=todo.HEADS,
        folded=todo.folds(actor),
        day=day,
        outcomes=work.outcomes(actor, now),
        posts=actor.has(Role.COMMUNITY, Role.OPERATOR),
        answers_calls=main_role(actor) is Role.OPERATOR,
        plans=_plans(actor, local_date(now)),
        **common(actor),
    )


def _plans(actor: Actor, today: date) -> list[dict[str, Any]]:
    """For a coordinator: this week's plan of each street, its line of truth and what it is."""
    if main_role(actor) is not Role.COORDINATOR:
        return []
    monday = week_start(today)
    last = monday + timedelta(days=6)
    found = []
    for area in planning.planning_areas(actor)[:MOST_STREETS]:
        plan = planning.to_look_at(planning.plans_of(area, monday, last))
        buckets = _buckets(plan, actor) if plan else {}
        total = sum(map(len, buckets.values()))
        found.append({"area": area, "plan": plan, "truth": truth(buckets), "total": total})
    return found


def _buckets(plan: Plan, actor: Actor) -> dict[str, list[Visit]]:
    """The plan's line of truth, as its own page counts it."""
    visits = planning.visits_between(actor, plan.area_id, *planning.week_of(plan))
    return planning.buckets(plan, visits, planning.entries_of(plan, visits))


def supervisor_today(actor: Actor) -> str:
    """Where is somebody left without help: today, or this week."""
    now = request_now()
    today = local_date(now)
    span = "week" if request.args.get("span") == "week" else "day"
    first = week_start(today) if span == "week" else today
    last = first + timedelta(days=6) if span == "week" else today
    streets = coverage.table(actor, first, last, now, request.args.get("street", type=int))
    communities = [line for street in streets for line in street.communities if line.trouble]
    worst = max(communities, key=lambda line: line.trouble, default=None)
    tasks = todo.todo_of(Reader(actor, now), folded=True)
    values = {"streets": streets, "first": first, "last": last, "span": span, "worst": worst, "todo": tasks}
    return render_template("desk/coverage.html", task_heads=todo.HEADS, **values, **common(actor))


def manager_today(actor: Actor) -> str:
    """Who works where this week, and how many contract hours are left."""
    now = request_now()
    found = managing.management(actor, now)
    page = page_of(found.weeks)
    return render_template(
        "desk/manager.html",
        todo=todo.todo_of(Reader(actor, now), folded=False),
        task_heads=todo.HEADS,
        weeks=found.weeks,
        shown=page.rows,
        page=page.number,
        pages=page.pages,
        lines=found.lines,
        away=found.away,
        first=found.first,
        first_last=found.first + timedelta(days=6),
        **common(actor),
    )


def administrator_today(actor: Actor) -> str:
    """Is the installation healthy?"""
    return render_template("desk/checks.html", checks=checks.all_checks(request_now()), **common(actor))


PAGES: dict[Role, Any] = {
    Role.COMMUNITY: staff_today,
    Role.OPERATOR: staff_today,
    Role.COORDINATOR: staff_today,
    Role.MANAGER: manager_today,
    Role.SUPERVISOR: supervisor_today,
    Role.ADMINISTRATOR: administrator_today,
}
