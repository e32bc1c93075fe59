"""Entries of a household's line of time that are no visits or needs: who, where, entitled to what, seen when.

Each is a whole day. What is still to come (a paper that is due, a tag that ends, an assessment) stands ahead of now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from linkage.core.clock import at_minutes, local_date
from linkage.core.formats import format_duration
from linkage.core.permissions import Actor, may
from linkage.households import assessing, checks, merging, queries
from linkage.households.about import shown_name
from linkage.households.models import REACHED, Household
from linkage.households.permissions import may_ask_papers, may_check, may_merge, may_see_scores, names_in_full
from linkage.households.words import (
    ASSESSMENT_WORDS,
    CHECK_REASON_WORDS,
    LEVEL_WORDS,
    OUTCOME_WORDS,
    PAPER_WORDS,
    TAG_WORDS,
)
from linkage.needs.models import Need
from linkage.visits.models import Visit
from linkage.visits.status import Status

NIGHT = 1439  # what is due stands ahead until its day is over; what was noted lies behind
AHEAD = timedelta(days=90)  # what ends later is not shown yet


@dataclass(frozen=True)
class Event:
    """One entry of the line of time. `state`: a status of a visit, where it is one; `url`: where else it leads."""

    at: datetime
    kind: str
    title: str
    text: str
    icon: str
    tone: str
    state: Status | None = None
    visit: Visit | None = None
    need: Need | None = None
    whole_day: bool = False
    url: tuple[str, dict[str, Any]] | None = None


def _day(
    day: date, kind: str, title: str, text: str, icon: str, tone: str = "quiet", due: bool = False, **more: Any
) -> Event:
    return Event(at_minutes(day, NIGHT if due else 0), kind, title, text, icon, tone, whole_day=True, **more)


def facts(household: Household, actor: Actor, now: datetime) -> list[Event]:
    """Everything of the household itself that the actor may see, in no order."""
    today = local_date(now)
    found = [*_tags(household, actor), *_people(household, actor, today), *_moves(household, actor)]
    found += _assessments(household, actor, today)
    if may(actor, may_check, household):
        found += _checks(household, actor)
    if may(actor, may_ask_papers, household):
        found += _papers(household, today)
    if may(actor, may_merge, household):
        found += _merges(household)
    return [event for event in found if event.at < now + AHEAD]


def _whose(household: Household, person_id: Any, actor: Actor) -> str:
    person = next((row.person for row in household.members if row.person_id == person_id), None)
    return shown_name(person, actor) if person is not None else ""


def _tags(household: Household, actor: Actor) -> Iterable[Event]:
    for tag in household.tags:
        name = str(TAG_WORDS[tag.tag])
        text = " · ".join(part for part in (_whose(household, tag.person_id, actor), tag.source) if part)
        yield _day(tag.valid_from, "changes", _("Tag: %(tag)s", tag=name), text, "tag", "ok")
        if tag.valid_to is not None:
            yield _day(tag.valid_to, "changes", _("Tag ends: %(tag)s", tag=name), text, "tag", "warn", due=True)


def _people(household: Household, actor: Actor, today: date) -> Iterable[Event]:
    """Who joined after the household was registered, who left, who died."""
    registered = local_date(household.created_at)
    yield _day(registered, "changes", _("Registered"), household.number, "house-add")
    for row in household.members:
        name = shown_name(row.person, actor)
        if row.valid_from > registered:
            yield _day(row.valid_from, "changes", _("%(name)s joins", name=name), "", "person-plus", "ok")
        if row.person.died_on is not None and row.person.died_on <= today:
            yield _day(row.person.died_on, "changes", _("%(name)s has died", name=name), "", "flower1")
        elif row.valid_to is not None:
            yield _day(row.valid_to, "changes", _("%(name)s leaves", name=name), "", "person-dash")
    if household.closed_on is not None:
        yield _day(household.closed_on, "changes", _("The household is closed"), "", "slash-circle")


def _moves(household: Household, actor: Actor) -> Iterable[Event]:
    for row, place in queries.addresses(household)[1:]:
        text = place.address or "" if names_in_full(actor) else ""
        yield _day(row.valid_from, "changes", _("Moves"), text, "truck")


def _assessments(household: Household, actor: Actor, today: date) -> Iterable[Event]:
    latest = {row.id for row in assessing.latest(household, today)}
    opens = may(actor, may_see_scores, household)
    for row in assessing.of_household(household):
        text = f"{shown_name(row.person, actor)} · {LEVEL_WORDS[row.level]}"
        page = ("assessments.page", {"household_id": household.id, "assessment_id": row.id})
        where = page if opens else None
        yield _day(row.assessed_on, "checks", str(ASSESSMENT_WORDS[row.reason]), text, "clipboard2-check", url=where)
        if row.id in latest and household.closed_on is None:
            title = _("To be assessed again")
            yield _day(row.due_on, "checks", title, shown_name(row.person, actor), "clipboard2", "warn", due=True)


def _checks(household: Household, actor: Actor) -> Iterable[Event]:
    for row in checks.checks_of(household):
        spent = format_duration(row.minutes) if row.minutes else ""
        parts = [str(CHECK_REASON_WORDS.get(row.reason, "")), spent, row.note if names_in_full(actor) else ""]
        title = _("Looked in: %(outcome)s", outcome=OUTCOME_WORDS[row.outcome])
        tone = "ok" if row.outcome == "well" else "warn" if row.outcome in REACHED else "bad"
        yield _day(row.day, "checks", title, " · ".join(part for part in parts if part), "door-open", tone)


def _papers(household: Household, today: date) -> Iterable[Event]:
    for row in checks.papers_of(household):
        name = str(PAPER_WORDS[row.kind])
        where = ("household_records.papers", {"household_id": household.id})
        asked = _("Serve first: %(paper)s is missing", paper=name)
        yield _day(local_date(row.created_at), "papers", asked, "", "file-earmark-text", url=where)
        if row.is_open:
            tone, text = ("bad", _("overdue; the service goes on")) if row.due_on < today else ("warn", "")
            title = _("%(paper)s is due", paper=name)
            yield _day(row.due_on, "papers", title, text, "file-earmark-text", tone, due=True, url=where)
        elif row.received_on is not None:
            title = _("%(paper)s has come", paper=name)
            yield _day(row.received_on, "papers", title, "", "file-earmark-check", "ok", url=where)


def _merges(household: Household) -> Iterable[Event]:
    for row in merging.merges_of(household):
        where = ("merges.page", {"household_id": household.id, "merge_id": row.id})
        title = _("Merged with %(number)s", number=row.lost_number)
        yield _day(local_date(row.created_at), "changes", title, "", "union", url=where)
