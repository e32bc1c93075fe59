"""Qualifications on the record of a person: what its page shows, entering one, ending one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import flash, request
from flask_babel import gettext as _

from linkage.core.clock import local_date
from linkage.core.errors import NotFound
from linkage.core.forms import Form
from linkage.core.web import request_now, require_actor
from linkage.services import operations
from linkage.services.models import HeldQualification
from linkage.services.queries import get_held, held_by, paper_state, qualification_names, qualifications
from linkage.services.schemas import HeldForm
from linkage.services.words import named


def held_values(person_id: uuid.UUID, end_url: Callable[[HeldQualification], str]) -> dict[str, Any]:
    """What the macros of `services/_held.html` need besides the form."""
    return {
        "held": held_by([person_id])[person_id],
        "names": qualification_names(),
        "choices": [(row.code, named(row)) for row in qualifications()],
        "paper_state": paper_state,
        "end_url": end_url,
    }


def enter_held(person_id: uuid.UUID) -> Form:
    """Enter what the form says; its `result` is None where it must be shown again."""
    form, actor, now = Form(HeldForm(), request.form), require_actor(), request_now()
    if form.passes(lambda data: operations.add_held(person_id, **data, by=actor, now=now)):
        flash(_("The qualification is entered."), "ok")
    return form


def end_held(person_id: uuid.UUID, held_id: uuid.UUID) -> None:
    """End one of this person's today; NotFound for another's."""
    held, now = get_held(held_id), request_now()
    if held is None or held.person_id != person_id:
        raise NotFound("")
    operations.end_held(held, on=local_date(now), by=require_actor(), now=now)
    flash(_("The qualification ends today."), "ok")
