"""How a plan reads: the line of truth, gaps with reason and fix, lanes, and who must be told."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.core import clock
from linkage.core.extensions import db
from linkage.core.formats import format_datetime, format_duration, format_span, format_time, format_times
from linkage.core.models import Job
from linkage.core.permissions import Actor, Role
from linkage.people.identity import mask_name
from linkage.people.models import Person
from linkage.planning.diff import Change
from linkage.planning.fix_links import fix_link
from linkage.planning.fix_words import fix_effect, fix_text
from linkage.planning.models import PlanUnserved
from linkage.planning.queries import Entry, Lane
from linkage.planning.reasons import can_apply, person_reason, reason_text, service_name
from linkage.planning.repairing import losses
from linkage.services.words import listed
from linkage.visits.models import Assignment, Visit

# The line of truth in its order: (state, tone, icon).
TRUTH = (
    ("staffed", "ok", "check-circle-fill"),
    ("asked", "info", "hourglass-split"),
    ("half", "warn", "circle-half"),
    ("late", "warn", "clock-fill"),
    ("without", "bad", "person-x-fill"),
)


def truth(buckets: dict[str, list[Visit]]) -> list[dict[str, Any]]:
    """The numbers that add up to the first; a zero is left out."""
    return [
        {"state": state, "tone": tone, "icon": icon, "text": _truth_text(state, len(buckets[state]))}
        for state, tone, icon in TRUTH
        if buckets.get(state)
    ]


def _truth_text(state: str, count: int) -> str:
    texts = {
        "staffed": ngettext("%(num)d staffed", "%(num)d staffed", count),
        "asked": ngettext("%(num)d waiting for an answer", "%(num)d waiting for an answer", count),
        "half": ngettext("%(num)d with one of two missing", "%(num)d with one of two missing", count),
        "late": ngettext("%(num)d late", "%(num)d late", count),
        "without": ngettext("%(num)d without anyone", "%(num)d without anyone", count),
    }
    return texts[state]


AWAY = {
    "absent": _l("%(names)s cannot come (away)"),
    "died": _l("%(names)s no longer comes"),
    "withdrew": _l("%(names)s gave it back"),
    "papers": _l("the papers of %(names)s have run out"),
    "replaced": _l("%(names)s was taken off it"),
    "consent": _l("the household no longer wants volunteers (%(names)s)"),
    "need_changed": _l("the request was changed (%(names)s was to come)"),
}


def whose_place(lost: Iterable[Assignment]) -> str:
    """Who would have come and no longer does, and why: "Qiu Huimin cannot come (away)"; '' for nobody."""
    names: dict[str, dict[uuid.UUID, str]] = {}
    for row in lost:
        names.setdefault(row.release_reason or "", {})[row.person_id] = row.person.name
    parts = [str(AWAY[reason]) % {"names": listed(people.values())} for reason, people in names.items()]
    return _("; ").join(parts)


@dataclass(frozen=True)
class Broken:
    """A visit that needs somebody else: who, what, when, and why."""

    visit: Visit
    who: str
    what: str
    why: str


def broken(visits: list[Visit], actor: Actor) -> list[Broken]:
    lost: dict[uuid.UUID, list[Assignment]] = {}
    for row in losses([visit.id for visit in visits]).values():
        lost.setdefault(row.visit_id, []).append(row)
    return [
        Broken(
            visit=visit,
            who=household_name(visit, actor),
            what=_visit_text(visit),
            why=whose_place(lost.get(visit.id, ())) or _("It cannot wait for the next plan."),
        )
        for visit in visits
    ]


def _visit_text(visit: Visit) -> str:
    return f"{service_name(visit.service)} {format_span(visit.earliest_at, visit.latest_at)}"


def household_name(visit: Visit, actor: Actor) -> str:
    """Full for the household's own staff, masked above them (PAGES.md)."""
    return visit.person.name if actor.has(Role.COMMUNITY) else mask_name(visit.person.name)


def days_of(first: date, last: date, unserved: list[PlanUnserved]) -> list[dict[str, Any]]:
    """The days of the page with their gaps."""
    gaps = Counter(row.visit.day for row in unserved)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [{"day": day, "gaps": gaps[day]} for day in days]


@dataclass(frozen=True)
class Gap:
    """An unmet visit to show: who, what, when; the reason; the smallest change and whether it is proven.

    `link`: where others make that change, if the reader gets there.
    """

    row: PlanUnserved
    who: str
    what: str
    why: str
    fix: str | None
    effect: str | None
    can_apply: bool
    link: str
    per_person: list[tuple[str, str]]


def gaps(rows: list[PlanUnserved], actor: Actor) -> list[Gap]:
    return [
        Gap(
            row=row,
            who=household_name(row.visit, actor),
            what=f"{service_name(row.visit.service)} {format_datetime(_from(row.visit))}",
            why=reason_text(row.reason),
            fix=fix_text(row.fix) if row.fix else None,
            effect=fix_effect(row.fix) if row.fix else None,
            can_apply=can_apply(row) and row.applied_at is None,
            link=fix_link(row.fix, actor, clock.local_date(actor.at)) if row.fix else "",
            per_person=[(name, person_reason(entry)) for name, entry in _per_person(row)],
        )
        for row in rows
    ]


def _from(visit: Visit) -> datetime:
    """The first moment at which the visit may begin."""
    return clock.at_minutes(visit.day, visit.windows[0][0])


def _per_person(row: PlanUnserved) -> list[tuple[str, dict[str, Any]]]:
    """Each person once, by name, those who come closest first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in row.reason.get("people", []):
        found.setdefault(entry["caregiver_id"], entry)
    people = {person_id: db.session.get(Person, uuid.UUID(person_id)) for person_id in found}
    return [(person.name, found[key]) for key, person in people.items() if person is not None]


Groups = tuple[list[dict[str, Any]], list[tuple[str, str]]]


def groups(lanes: list[Lane], actor: Actor, day: date) -> Groups:
    """Lanes of those who have a visit (or are away), by organisation, for `ui.lanes`; and who is free until when."""
    found: dict[str, list[dict[str, Any]]] = {}
    free = []
    for lane in lanes:
        name = lane.organisation.short_name if lane.organisation else _("Volunteers")
        if lane.entries or not lane.shifts:
            found.setdefault(name, []).append(_lane(lane, actor, day))
        else:
            hours = listed(format_times(start, end) for start, end in lane.shifts)
            free.append((f"{lane.person.name} · {name}", hours))
    return [{"name": name, "lanes": rows} for name, rows in found.items()], free


def _lane(lane: Lane, actor: Actor, day: date) -> dict[str, Any]:
    busy = sum(int((e.ends_at - e.starts_at).total_seconds() // 60) for e in lane.entries)
    return {
        "name": lane.person.name,
        "note": format_duration(busy) if busy else _("free"),
        "away": None if lane.shifts or lane.entries else _("away today"),
        "shifts": lane.shifts,
        "bars": [_bar(entry, actor, day) for entry in lane.entries],
    }


def _bar(entry: Entry, actor: Actor, day: date) -> dict[str, Any]:
    start, end = clock.minutes_of_day(entry.starts_at, day), clock.minutes_of_day(entry.ends_at, day)
    word, who = service_name(entry.visit.service), household_name(entry.visit, actor)
    return {
        "start": start,
        "end": end,
        "word": word,
        "who": who,
        "state": entry.state,
        "two": entry.two,
        "travel": entry.travel_minutes,
        "href": url_for("visits.page", visit_id=entry.visit.id),
        "label": f"{format_time(entry.starts_at)}–{format_time(entry.ends_at)} {word} {who}",
    }


def visit_rows(visits: list[Visit], entries: list[Entry], actor: Actor) -> list[dict[str, Any]]:
    """One row per visit: when, who needs it, what, who goes, state."""
    people = {entry.person_id: db.session.get(Person, entry.person_id) for entry in entries}
    by_visit: dict[uuid.UUID, list[Entry]] = {}
    for entry in entries:
        by_visit.setdefault(entry.visit.id, []).append(entry)
    return [_visit_row(visit, by_visit.get(visit.id, []), people, actor) for visit in sorted(visits, key=_order)]


def _order(visit: Visit) -> tuple[date, int, str]:
    return visit.day, int(visit.windows[0][0]), visit.number


def _visit_row(
    visit: Visit, entries: list[Entry], people: dict[uuid.UUID, Person | None], actor: Actor
) -> dict[str, Any]:
    short = "half_staffed" if entries else "open"
    return {
        "starts_at": min((entry.starts_at for entry in entries), default=_from(visit)),
        "visit": visit,
        "household": household_name(visit, actor),
        "service": service_name(visit.service),
        "people": [person.name for entry in entries if (person := people[entry.person_id]) is not None],
        "state": short if len(entries) < visit.people else worst([entry.state for entry in entries]),
    }


def worst(states: list[str]) -> str:
    """The state of a visit by its slots: the first of this order that any has."""
    order = ("asked", "late", "will_be_late", "half_staffed", "draft", "booked", "locked", "under_way", "done")
    return min(states, key=lambda state: order.index(state) if state in order else len(order))


def told(by_person: dict[uuid.UUID, list[Change]], actor: Actor) -> list[dict[str, Any]]:
    """Who must be told what, person by person."""
    rows = []
    for person_id, changes in by_person.items():
        person = db.session.get(Person, person_id)
        if person is not None:
            rows.append({"name": person.name, "changes": [_change(c, person_id, actor) for c in changes]})
    return sorted(rows, key=lambda row: str(row["name"]))


def _change(change: Change, person_id: uuid.UUID, actor: Actor) -> dict[str, Any]:
    comes = change.stop is not None and change.stop.person_id == person_id
    came = change.held is not None and change.held.person_id == person_id
    new = format_datetime(change.stop.starts_at) if comes and change.stop else None
    old = format_datetime(change.held.starts_at) if came and change.held else None
    kind = "moved" if comes and came else "added" if comes else "removed"
    question = comes and change.stop is not None and change.stop.capacity == "volunteer"
    return {
        "what": f"{service_name(change.visit.service)} {household_name(change.visit, actor)}",
        "old": old,
        "new": new,
        "kind": kind,
        "note": "; ".join(
            part for part in (_instead(change, person_id), _("will be asked") if question else "") if part
        ),
    }


def _instead(change: Change, person_id: uuid.UUID) -> str:
    """For who comes newly: whose place it is, and why that one does not come."""
    before = change.lost if change.held is None else change.held
    if change.stop is None or change.stop.person_id != person_id or before is None or before.person_id == person_id:
        return ""
    if change.held is None:
        return whose_place([before])
    return _("instead of %(name)s", name=before.person.name)


def homes(found: list[Change], actor: Actor) -> list[str]:
    """One line for each household that is told: who, what, who comes now and when."""
    lines = []
    for change in found:
        if change.home_told and change.stop is not None:
            person = db.session.get(Person, change.stop.person_id)
            lines.append(
                _(
                    "%(household)s, %(service)s: %(name)s, %(when)s",
                    household=household_name(change.visit, actor),
                    service=service_name(change.visit.service),
                    name=person.name if person else "",
                    when=format_span(change.stop.starts_at, change.stop.ends_at),
                )
            )
    return lines


def failure(job: Job) -> str:
    """Why a run ended without a plan, in words."""
    if job.status != "failed":
        return ""
    return _("No plan came out of this run; the plan in force stays as it is. You can start it again.")
