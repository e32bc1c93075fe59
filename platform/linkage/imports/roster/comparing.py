"""The differences between a plan and what is stored: what a re-import would change."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterator
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from flask_babel import gettext as _

from linkage.core.formats import format_day, format_long_date, format_times
from linkage.households import words
from linkage.households.queries import tags_on
from linkage.imports.kinds import Change
from linkage.imports.roster.columns import COLUMNS
from linkage.imports.roster.plans import MemberPlan, NeedPlan, RosterPlan
from linkage.imports.traces import index_of, trace_of
from linkage.needs.models import Need
from linkage.needs.recurrence import describe
from linkage.people.identity import mask_id_number, mask_telephone, normalise_telephone
from linkage.services.words import named

COLUMN = {column.name: column for column in COLUMNS}
COLUMN_OF = {"duration_minutes": "duration", "preferred_start": "preferred"}
HOUSEHOLD_FIELDS = ("address", "door_note", "care_level", "health", "hazard")
PERSON_FIELDS = ("id_number", "sex", "birth_date", "telephone", "languages")
NEED_FIELDS = ("window", "duration_minutes", "people", "preferred_start")


def stored_household(plan: RosterPlan) -> dict[str, Any]:
    household = plan.household
    assert household is not None
    facts = {name: getattr(household, name) or "" for name in ("care_level", "health", "hazard")}
    return facts | {"address": household.place.address or "", "door_note": household.place.door_note or ""}


def stored_person(member: MemberPlan) -> dict[str, Any]:
    person = member.person
    assert person is not None
    return {
        "id_number": person.id_number,
        "sex": person.sex,
        "birth_date": person.birth_date,
        "telephone": normalise_telephone(person.telephone) if person.telephone else None,
        "languages": tuple(person.languages),
    }


def stored_need(need: Need) -> dict[str, Any]:
    return {
        "window": (need.window_start, need.window_end),
        "duration_minutes": need.duration_minutes,
        "people": need.people,
        "preferred_start": need.preferred_start,
    }


def wanted_household(plan: RosterPlan) -> dict[str, Any]:
    return {name: plan.facts[name] for name in HOUSEHOLD_FIELDS if name in plan.facts}


def wanted_person(member: MemberPlan) -> dict[str, Any]:
    return {name: getattr(member.draft, name) for name in PERSON_FIELDS if name in member.given}


def wanted_need(plan: NeedPlan) -> dict[str, Any]:
    """Only what the file states: an empty cell changes nothing."""
    stated = {
        "window": bool({"window", "window_start"} & plan.given),
        "duration_minutes": "duration" in plan.given,
        "people": "people" in plan.given,
        "preferred_start": "preferred" in plan.given,
    }
    facts = {**plan.facts, "window": (plan.facts["window_start"], plan.facts["window_end"])}
    return {name: facts[name] for name in NEED_FIELDS if stated[name]}


def is_correction(old: str, new: str) -> bool:
    """Another spelling of the same door, not a move: the same digits in the same order, and most of the words.

    香莲里31号204室 and 香莲里31-204 are one door; 香莲里31号204室 and 香莲里33号204室 are two.
    """
    digits = [re.findall(r"\d+", unicodedata.normalize("NFKC", text)) for text in (old, new)]
    likeness = SequenceMatcher(None, _letters(old), _letters(new)).ratio()
    return bool(digits[0]) and digits[0] == digits[1] and likeness >= 0.6


def _letters(address: str) -> str:
    return re.sub(r"[\W\d_号室栋幢座单元楼]", "", unicodedata.normalize("NFKC", address))


def compare(plan: RosterPlan, today: date) -> list[Change]:
    """Every difference, first of the household, then of its people, then of its needs."""
    return [*_household_changes(plan, today), *_member_changes(plan), *_need_changes(plan)]


def _household_changes(plan: RosterPlan, today: date) -> Iterator[Change]:
    household = plan.household
    assert household is not None
    stored = stored_household(plan)
    yield from _differences("household", "households", household.id, "", stored, wanted_household(plan))
    for tag in plan.tags:
        owner = None if tag.member is None else plan.members[tag.member].person
        held = [
            row
            for row in tags_on(household, today)
            if row.tag == tag.tag and row.person_id == (owner.id if owner else None)
        ]
        if not held:
            yield Change(f"tag.{tag.tag}.{tag.member}", "", COLUMN["tags"].heading, "", str(words.TAG_WORDS[tag.tag]))
        elif tag.valid_to is not None and held[0].valid_to != tag.valid_to:
            old = {"tags_until": held[0].valid_to}
            new = {"tags_until": tag.valid_to}
            about = str(words.TAG_WORDS[tag.tag])
            yield from _differences(f"tag.{tag.tag}.{tag.member}", "tags", held[0].id, about, old, new)
    for consent in plan.consents:
        newest = max((row.given_on for row in household.consents if row.purpose == consent.purpose), default=None)
        if newest is None or newest < consent.given_on:
            word = f"{words.PURPOSE_WORDS[consent.purpose]}, {format_long_date(consent.given_on)}"
            yield Change(f"consent.{consent.purpose}", "", COLUMN["consent_for"].heading, "", word)


def _member_changes(plan: RosterPlan) -> Iterator[Change]:
    for place, member in enumerate(plan.members):
        if member.member is None:  # of who is known elsewhere nothing is shown, as nothing changes
            yield Change(f"member.{place}", "", COLUMN["name"].heading, "", member.draft.name)
        elif member.person is not None and not member.member.linked:
            stored, wanted = stored_person(member), wanted_person(member)
            yield from _differences(f"person.{place}", "people", member.person.id, member.draft.name, stored, wanted)


def _need_changes(plan: RosterPlan) -> Iterator[Change]:
    for place, need in enumerate(plan.needs):
        title = f"{named(need.service)} {format_day(need.facts['starts_on'])} {describe(need.facts['recurrence'])}"
        if need.need is None:
            yield Change(f"need.{place}", plan.members[need.member].draft.name, COLUMN["service"].heading, "", title)
        else:
            stored, wanted = stored_need(need.need), wanted_need(need)
            yield from _differences(f"need.{place}", "needs", need.need.id, title, stored, wanted)


def _differences(
    key: str, kind: str, subject_id: uuid.UUID, about: str, stored: dict[str, Any], wanted: dict[str, Any]
) -> Iterator[Change]:
    """Fields whose stored value is another. An empty one is filled; one that was edited since stays unless ticked."""
    trace = trace_of(kind, subject_id)
    for name, new in wanted.items():
        old = stored[name]
        if old == new:
            continue
        index = index_of(kind, subject_id, name, old)
        edited = old not in (None, "", ()) and trace.get(name) != index
        label = COLUMN[COLUMN_OF.get(name, name)].heading
        if name == "address":
            label = _("Address (correction)") if is_correction(old, new) else _("Address (a move)")
        yield Change(f"{key}.{name}", about, label, shown(name, old), shown(name, new), edited, index)


def shown(name: str, value: Any) -> str:
    """A value as people read it; numbers masked."""
    if value in (None, "", ()):
        return ""
    if name == "id_number":
        return mask_id_number(value)
    if name == "telephone":
        return mask_telephone(value)
    if name in ("birth_date", "tags_until"):
        return format_long_date(value)
    if name == "window":
        return format_times(*value)
    if name == "preferred_start":
        return f"{value // 60:02d}:{value % 60:02d}"
    tables = {"care_level": words.CARE_WORDS, "sex": words.SEX_WORDS}
    if name in tables:
        return str(tables[name].get(value, value))
    if name == "languages":
        return "、".join(str(words.LANGUAGE_WORDS[code]) for code in value)
    return str(value)
