"""The day board (当日调度板): today's visits by state as time passes, each with its one action."""

from __future__ import annotations

from flask import render_template, request

from linkage.core.tasks import Reader
from linkage.core.web import request_now, require_actor
from linkage.desk.room import room
from linkage.desk.values import common
from linkage.visits.board import SECTIONS, board_of
from linkage.visits.permissions import may_attend_for


@room.get("/board", permission=may_attend_for)
def board() -> str:
    """Drawn again every minute while it is open; ?section= shows one of its sections whole."""
    actor = require_actor()
    asked = request.args.get("section")
    only = asked if asked in {kind for kind, *_look in SECTIONS} else None
    found = board_of(Reader(actor, request_now()), only)
    return render_template("desk/board.html", board=found, only=only, **common(actor))
