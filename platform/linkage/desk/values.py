"""What every template of the desk reads."""

from __future__ import annotations

from typing import Any

from linkage.core.clock import local_date
from linkage.core.permissions import Actor
from linkage.core.web import request_now
from linkage.desk import words
from linkage.desk.navigation import exists


def common(actor: Actor) -> dict[str, Any]:
    return {"actor": actor, "today": local_date(request_now()), "words": words, "exists": exists}
