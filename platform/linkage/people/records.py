"""What the pages of a carer's and of a volunteer's record share: the form's draft, sealed numbers, the week."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date
from typing import Any

from flask import flash
from flask_babel import gettext as _

from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.errors import NotFound
from linkage.core.forms import Form
from linkage.core.web import request_now, require_actor
from linkage.people import week
from linkage.people.identity import show_telephone
from linkage.people.models import Person, WorkException
from linkage.people.operations import PersonDraft, cancel_exception
from linkage.people.queries import exceptions_from, get_exception, week_pattern
from linkage.people.revealing import open_asked
from linkage.people.words import ABSENCE_WORDS, EXCEPTION_WORDS, LANGUAGE_WORDS, REVEAL_WORDS, SEX_WORDS, TRAVEL_WORDS

NUMBERS = ("telephone", "id_number")


def record_values(person: Person, kind: str, today: date, organisation_id: uuid.UUID | None = None) -> dict[str, Any]:
    """What a record's template shows of a person; `kind` of the week: "shift" or "available"."""
    return {
        "pattern": week_pattern(person.id, kind, today, organisation_id=organisation_id),
        "languages": [LANGUAGE_WORDS[language] for language in person.languages],
        "travel_words": TRAVEL_WORDS,
        "sex_words": SEX_WORDS,
        "reveal_words": list(REVEAL_WORDS.items()),
        **week_values(person.id, today),
    }


def week_values(person_id: uuid.UUID, today: date) -> dict[str, Any]:
    """What the macros of `people/_week.html` need besides the form."""
    return {
        "week": week,
        "exceptions": exceptions_from(person_id, today),
        "today": today,
        "exception_words": EXCEPTION_WORDS,
        "absence_words": ABSENCE_WORDS,
    }


def person_draft(data: dict[str, Any], known: Person | None = None) -> PersonDraft:
    """Numbers that were left empty stay as they are: they are not shown in clear on the form."""
    return PersonDraft(
        name=data["name"],
        birth_date=data["birth_date"],
        sex=data["sex"],
        telephone=data["telephone"] or (known.telephone if known else None),
        id_number=data["id_number"] or (known.id_number if known else None),
        languages=tuple(data["languages"]),
    )


def person_initial(person: Person) -> dict[str, Any]:
    """The first values of the fields that `person_draft` reads."""
    return {
        "name": person.name,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "languages": person.languages,
        "person_version": person.row_version,
    }


def person_choices() -> dict[str, Any]:
    """What those fields offer."""
    return {"sexes": list(SEX_WORDS.items()), "languages": list(LANGUAGE_WORDS.items())}


def opened_number(person: Person) -> dict[str, Any]:
    """The telephone or ID number that the form asks for; who, when and why is written down. The route says who may."""
    opened = open_asked(person, NUMBERS)
    if opened.get("telephone"):
        opened["telephone"] = show_telephone(opened["telephone"])
    return opened


def save_week(
    form: Form, person: Person, kind: str, areas: Collection[Area], organisation_id: uuid.UUID | None = None
) -> bool:
    """Store the week that the form says, and say whether anything changed; False where it must be shown again."""
    actor, now = require_actor(), request_now()
    saved = form.passes(
        lambda data: week.save_week(
            person,
            kind,
            data,
            areas=[area.id for area in areas],
            organisation_id=organisation_id,
            by=actor,
            today=local_date(now),
            now=now,
        )
    )
    if saved:
        flash(_("The times are saved.") if form.result else _("Nothing was changed."), "ok" if form.result else "info")
    return saved


def own_exception(person: Person, exception_id: uuid.UUID) -> WorkException:
    """An exception of this person's week; NotFound for another's."""
    row = get_exception(exception_id)
    if row is None or row.person_id != person.id:
        raise NotFound("")
    return row


def cancel(row: WorkException, person: Person) -> None:
    """Cancel it in the name of who asks."""
    cancel_exception(row, person, by=require_actor(), now=request_now())
    flash(_("It is cancelled."), "ok")
