"""Why this volunteer is asked (为什么问您): codes with numbers, worded in the reader's language when shown."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from linkage.core.clock import local, local_date
from linkage.core.extensions import db
from linkage.core.formats import format_weekday
from linkage.people.models import Person, WorkPattern
from linkage.people.words import LANGUAGE_WORDS
from linkage.visits.models import Assignment, Attendance, Visit


def reasons_for(person_id: uuid.UUID, visit: Visit, starts_at: datetime) -> list[dict[str, Any]]:
    """What speaks for asking this person, strongest first; facts about the volunteer, none about the home."""
    found: list[dict[str, Any]] = []
    # Of the community, not of the household: "you have been there before" would give the home away.
    before = _done(Assignment.person_id == person_id, Visit.area_id == visit.area_id)
    if before:
        found.append({"code": "helped_there", "times": before})
    person = db.session.get(Person, person_id)
    wanted = visit.wishes.get("language")
    if person is not None and wanted and wanted in person.languages:
        found.append({"code": "speaks", "language": wanted})
    if _said_available(person_id, starts_at):
        found.append({"code": "available", "day": local_date(starts_at).isoformat()})
    done = _done(Assignment.person_id == person_id, Visit.service_id == visit.service_id)
    found.append({"code": "did_this", "times": done} if done else {"code": "offers_this"})
    return found


def _done(*conditions: Any) -> int:
    return (
        db.session.scalar(
            select(func.count(Assignment.id))
            .join(Visit, Visit.id == Assignment.visit_id)
            .join(Attendance, Attendance.assignment_id == Assignment.id)
            .where(Attendance.checked_out_at.is_not(None), *conditions)
        )
        or 0
    )


def _said_available(person_id: uuid.UUID, starts_at: datetime) -> bool:
    moment = local(starts_at)
    minute = moment.hour * 60 + moment.minute
    row = select(WorkPattern.id).where(
        WorkPattern.person_id == person_id,
        WorkPattern.kind == "available",
        WorkPattern.on(moment.date()),
        WorkPattern.weekday == moment.weekday(),
        WorkPattern.start_minute <= minute,
        WorkPattern.end_minute > minute,
    )
    return db.session.execute(row).first() is not None


def worded(reason: Mapping[str, Any]) -> str:
    """One reason as a sentence; '' for a code that is not known here."""
    match reason.get("code"):
        case "helped_there":
            return ngettext(
                "You have helped in this community once.",
                "You have helped in this community %(num)s times.",
                reason["times"],
            )
        case "speaks":
            return _("You speak %(language)s, which is wished for.", language=LANGUAGE_WORDS[reason["language"]])
        case "available":
            day = datetime.fromisoformat(reason["day"]).date()
            return _("You said that you have time on %(day)s.", day=format_weekday(day))
        case "did_this":
            return ngettext("You have done this once.", "You have done this %(num)s times.", reason["times"])
        case "offers_this":
            return _("You offered to do this.")
        case "near":
            return _("It is near you.")
    return ""
