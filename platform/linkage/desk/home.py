"""The first page: each role lands on its own today."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from linkage.core.clock import local_date
from linkage.core.permissions import Actor, Role
from linkage.core.web import SIGNED_IN, request_now, require_actor
from linkage.desk import words, work
from linkage.desk.navigation import PHONE_HOMES, exists, main_role
from linkage.desk.room import room


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
    todo, day = work.work_of(actor, now), work.day_of(actor, now)
    before, after, more = work.around_now(day, now)
    return render_template(
        "desk/today.html",
        work=todo,
        day=day,
        before=before,
        after=after,
        more=more,
        outcomes=work.outcomes(actor, now),
        homes=work.households_of(todo.consents),
        posts=actor.has(Role.COMMUNITY, Role.OPERATOR),
        **common(actor),
    )


def common(actor: Actor) -> dict[str, Any]:
    """What every template of the desk reads."""
    return {"actor": actor, "today": local_date(request_now()), "words": words, "exists": exists}


PAGES: dict[Role, Any] = {Role.COMMUNITY: staff_today, Role.COORDINATOR: staff_today}
