"""Who could come for what stands in the form: the answer of `planning.recommendation` as people read it.

Nothing here decides: rows, strip and refusals are the engine's; this module finds words, and the smallest change
of time that would help where nobody can come, which it asks the engine again before it is shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from linkage.contracts.models import ContractLine
from linkage.core.clock import local_date, minutes_of_day
from linkage.core.extensions import db
from linkage.core.formats import format_date, format_duration, format_near_day, format_time, format_times
from linkage.core.permissions import Actor
from linkage.households.models import Household
from linkage.needs import priority, recurrence
from linkage.needs.operations import NeedRequest
from linkage.offers.models import OfferRound
from linkage.offers.queries import open_offers
from linkage.people.words import LANGUAGE_WORDS, SEX_WORDS
from linkage.planning import recommendation
from linkage.planning.fix_words import fix_effect, fix_text
from linkage.planning.reasons import person_reason, reason_text
from linkage.planning.recommendation import Answer, Draft, Refusal, Row
from linkage.services.models import Service
from linkage.services.words import listed
from linkage.visits.generation import MINUTES_PER_DAY
from linkage.visits.models import Assignment, Visit

NOBODY_SHOWN: dict[str, Any] = {
    "consent": _l("The household has not consented to services on that day; record the consent first."),
    "passed": _l("This span has passed, or begins too soon to get there."),
    "area": _l("This community is not planned yet; the administrator sets its planning area."),
}
MOST_ROWS, MOST_ASKED, MOST_CHANGES = 5, 4, 2
ROUND = 5  # minutes to which a widened span is rounded outwards
GRID = 15  # the strip's step in minutes


@dataclass(frozen=True)
class Shown:
    """One row as it is read: title, who, reasons (kind, text), the key that chooses it, what choosing does."""

    key: str
    title: str
    who: str
    reasons: list[tuple[str, str]]
    effect: str


@dataclass(frozen=True)
class Change:
    """The smallest change of time with which somebody can come (asked of the engine)."""

    day: date
    start: int
    end: int
    title: str
    note: str
    label: str

    @property
    def value(self) -> str:
        """What the button sends: day, from, to."""
        return f"{self.day.isoformat()} {format_time(self.start)} {format_time(self.end)}"


@dataclass(frozen=True)
class Panel:
    """Everything beside the form."""

    rows: list[Shown]
    strip: list[dict[str, Any]]
    why: str
    others: list[tuple[str, str]]
    more: int  # people who could come as well and are not shown
    changes: list[Change]
    advice: str  # the engine's smallest change, where it lies in others' hands


def draft_of(household: Household, service: Service, asked: NeedRequest, now: datetime) -> Draft | None:
    """The first visit of what is asked for; None where it has none in the next weeks."""
    day = _first_day(asked, local_date(now))
    if day is None:
        return None
    tier = asked.priority or priority.suggest(household, asked.person_id, service, day)[0]
    return Draft(
        household=household,
        person_id=asked.person_id,
        service=service,
        day=day,
        windows=tuple(
            (asked.window_start + number * MINUTES_PER_DAY, asked.window_end + number * MINUTES_PER_DAY)
            for number in range(asked.flexible_days)
        ),
        duration_minutes=asked.duration_minutes,
        people=asked.people,
        preferred_start=asked.preferred_start,
        wishes=dict(asked.wishes),
        priority=tier,
    )


def _first_day(asked: NeedRequest, today: date) -> date | None:
    last = asked.ends_on or date.fromordinal(max(asked.starts_on, today).toordinal() + 60)
    days = recurrence.days(
        asked.starts_on, asked.recurrence, asked.ends_on, first=max(asked.starts_on, today), last=last
    )
    return days[0] if days else None


def panel(draft: Draft, asked: NeedRequest | None, now: datetime) -> Panel:
    """Ask the engine, and word its answer."""
    found = recommendation.answer(draft, now=now, limit=2 * MOST_ROWS if draft.people == 2 else MOST_ROWS)
    chosen = _different(found.rows)
    rows = [_shown(row, asked, now) for row in chosen]
    return Panel(
        rows=rows,
        strip=_strip(found, draft),
        why="" if rows else _why(found),
        others=[(refusal.name, _sentence(refusal)) for refusal in found.refusals],
        more=found.more + len(_people(found.rows) - _people(chosen)),
        changes=[] if rows else _changes(found, draft, now),
        advice="" if rows else _advice(found),
    )


def take(visit: Visit, draft: Draft, key: str, *, by: Actor, now: datetime) -> str:
    """Book and ask the people of the row `key`; what was done, in words.

    Raises Conflict where the row is no longer there, or what booking refuses.
    """
    done = recommendation.choose(visit, draft, key, by=by, now=now)
    booked = [one.person.name for one in done if isinstance(one, Assignment)]
    asked = [offer.person.name for one in done if isinstance(one, OfferRound) for offer in open_offers(one.id)]
    return _done(booked, asked)


def _done(booked: list[str], asked: list[str]) -> str:
    parts = []
    if booked:
        parts.append(_("%(names)s booked", names=listed(booked)))
    if asked:
        parts.append(_("%(names)s asked", names=listed(asked)))
    return "; ".join(parts)


def _different(rows: Iterable[Row]) -> list[Row]:
    """Two people who change places make no other row."""
    kept: dict[Any, Row] = {}
    for row in rows:
        kept.setdefault((row.starts_at, frozenset(comer.person_id for comer in row.comers)), row)
    return list(kept.values())[:MOST_ROWS]


def _people(rows: Iterable[Row]) -> set[uuid.UUID]:
    return {comer.person_id for row in rows for comer in row.comers}


# --- rows ----------------------------------------------------------------------------------------------------


def _shown(row: Row, asked: NeedRequest | None, now: datetime) -> Shown:
    names = listed(comer.name for comer in row.comers)
    employers = list(dict.fromkeys(comer.organisation_name for comer in row.comers if comer.organisation_name))
    who = f"{names} · {listed(employers)}" if employers else names
    return Shown(row.key, _title(row, asked, now), who, _reasons(row), effect_of(row))


def _title(row: Row, asked: NeedRequest | None, now: datetime) -> str:
    times = format_times(row.starts_at, row.ends_at)
    if asked is not None and asked.recurrence and len(recurrence.weekdays_of(asked.recurrence)) == 1:
        rhythm = recurrence.describe(asked.recurrence)
        return _("%(rhythm)s %(times)s", rhythm=rhythm[:1].upper() + rhythm[1:], times=times)
    return _("%(day)s %(times)s", day=near_day(row.starts_at, now), times=times)


def near_day(at: datetime, now: datetime) -> str:
    """Today, tomorrow, or the date, as a sentence begins."""
    text = format_near_day(at, now)
    return text[:1].upper() + text[1:]


def effect_of(row: Row) -> str:
    """What choosing the row does: carers are booked, volunteers are asked."""
    booked = [comer.name for comer in row.comers if comer.capacity == "carer"]
    asked = [comer.name for comer in row.comers if comer.capacity != "carer"]
    parts = []
    if booked:
        parts.append(_("books %(names)s", names=listed(booked)))
    if asked:
        parts.append(_("asks %(names)s, who then answers", names=listed(asked)))
    return "; ".join(parts)


def _reasons(row: Row) -> list[tuple[str, str]]:
    """Reasons for the row, then what it costs; the same about several people is said once."""
    for_it = [("paper" if note["code"] == "line_has_room" else "plus", worded(note)) for note in row.advantages]
    against = [("cost" if note["code"] in COSTS else "neutral", worded(note)) for note in row.drawbacks]
    sentences = [pair for pair in for_it + against if pair[1]]
    if row.travel_minutes > 0:
        sentences.append(("neutral", _("%(time)s more on the way", time=format_duration(row.travel_minutes))))
    return list(dict.fromkeys(sentences))


COSTS = ("late", "outside_preferred_time", "language_missed", "gender_missed", "no_fallback")


def worded(note: Mapping[str, Any]) -> str:
    """One note of the engine as a sentence; '' for what says nothing here."""
    name = note.get("caregiver", "")
    match note["code"]:
        case "standing":
            return _("%(name)s always comes", name=name)
        case "came_before":
            return _("%(name)s came for this before", name=name)
        case "known_to_household":
            return _("%(name)s knows the household", name=name)
        case "language":
            return _("%(name)s speaks %(language)s", name=name, language=_languages(note))
        case "gender":
            return _("as wished: %(sex)s", sex=_sex(note))
        case "preferred_time":
            return _("at the wished time")
        case "nobody_else_moves":
            return _("nobody else's plan changes")
        case "line_has_room":
            return _line(note)
        case "fallback_ready":
            return _("if %(name)s cannot, %(other)s goes", name=name, other=note.get("fallback", ""))
        case "new_face":
            return _("first time that %(name)s goes there", name=name)
        case "not_standing":
            return _("not %(name)s, who usually comes", name=note.get("standing", ""))
        case "language_missed":
            return _("%(name)s does not speak %(language)s", name=name, language=_languages(note))
        case "gender_missed":
            return _("not as wished: %(sex)s", sex=_sex(note))
        case "outside_preferred_time":
            return _("%(time)s away from the wished time", time=format_duration(round(float(note["minutes"]))))
        case "late":
            return _("%(time)s after the span", time=format_duration(round(float(note["minutes"]))))
        case "no_fallback":
            return _("nobody stands in if %(name)s says no", name=name)
    return ""


def _languages(note: Mapping[str, Any]) -> str:
    return listed(LANGUAGE_WORDS.get(code, code) for code in str(note.get("wanted", "")).split(","))


def _sex(note: Mapping[str, Any]) -> str:
    short = {"female": "F", "male": "M"}
    return listed(SEX_WORDS.get(short.get(code, code), code) for code in str(note.get("wanted", "")).split(","))


def _line(note: Mapping[str, Any]) -> str:
    line = db.session.get(ContractLine, note.get("line")) if note.get("line") else None
    if line is None:
        return ""
    left = int(float(note["left"]))
    shown = format_duration(left) if line.unit == "minutes" else _number(line.unit, left)
    return _("contract “%(line)s”: %(left)s left this month afterwards", line=line.name, left=shown)


def _number(unit: str, left: int) -> str:
    if unit == "meals":
        return ngettext("%(num)d meal", "%(num)d meals", left)
    return ngettext("%(num)d visit", "%(num)d visits", left)


# --- when there are people -----------------------------------------------------------------------------------


def _strip(found: Answer, draft: Draft) -> list[dict[str, Any]]:
    """The week for `ui.week_strip`: spans with enough people, with too few, and the time that is wanted."""
    wanted = {
        date.fromordinal(draft.day.toordinal() + start // MINUTES_PER_DAY): (
            start % MINUTES_PER_DAY,
            end - start + start % MINUTES_PER_DAY,
        )
        for start, end in draft.windows
    }
    days = []
    for day, spans in found.strip:
        shown = [(start, end, kind) for start, end, kind in spans]
        if day in wanted:
            shown.append((*wanted[day], "wanted"))
        days.append({"label": recurrence.weekday_name(day.weekday()), "strong": day in wanted, "spans": shown})
    return days


# --- when nobody can come --------------------------------------------------------------------------------------


def _sentence(refusal: Refusal) -> str:
    return person_reason(refusal.reasons[0]) if refusal.reasons else ""


def _why(found: Answer) -> str:
    """The reason for the group, in a sentence."""
    if found.reason in NOBODY_SHOWN:
        return str(NOBODY_SHOWN[found.reason])
    counts = list(found.counts.items())
    return reason_text({"code": found.reason or (counts[0][0] if counts else ""), "counts": counts})


def summary(others: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """How many people each reason keeps from coming, most first."""
    counted: dict[str, int] = {}
    for _name, sentence in others:
        counted[sentence] = counted.get(sentence, 0) + 1
    return sorted(counted.items(), key=lambda pair: -pair[1])


def _changes(found: Answer, draft: Draft, now: datetime) -> list[Change]:
    """Times at which somebody could come, nearest first: one a day, each asked of the engine again."""
    shown: dict[date, Change] = {}
    spans = _fixed(found, draft) + _near(found, draft)
    for day, start, end in spans[:MOST_ASKED]:
        if day in shown or len(shown) == MOST_CHANGES:
            continue
        moved = replace(draft, day=day, windows=((start, end),), preferred_start=None)
        answer = recommendation.answer(moved, now=now, limit=1)
        if answer.rows:
            shown[day] = _change(moved, answer.rows[0], draft)
    return list(shown.values())


OWN_FIXES = ("shift_window", "other_day")


def _advice(found: Answer) -> str:
    """What somebody else would have to change: a longer shift, minutes on a line, another household's hour."""
    if found.fix is None or found.fix["code"] in OWN_FIXES:
        return ""
    return _("%(fix)s: %(effect)s.", fix=fix_text(found.fix), effect=fix_effect(found.fix))


def _fixed(found: Answer, draft: Draft) -> list[tuple[date, int, int]]:
    """The engine's own smallest change of time, as a span: the old one widened, or another day's hour."""
    if found.fix is None or found.fix["code"] not in OWN_FIXES:
        return []
    starts_at = datetime.fromisoformat(found.fix["starts_at"])
    day = local_date(starts_at)
    start = minutes_of_day(starts_at, day)
    end = start + draft.duration_minutes
    if day == draft.day:
        early, late = start - start % ROUND, end + -end % ROUND
        return [(day, min(early, draft.windows[0][0]), max(late, draft.windows[0][1]))]
    return [(day, start, end)]


def _near(found: Answer, draft: Draft) -> list[tuple[date, int, int]]:
    """Spans (day, from, to) to ask about: today's span widened first, then other days, the nearest first."""
    first, last = draft.windows[0][0], draft.windows[0][1]
    wished = draft.preferred_start or first
    spans = []
    for day, marks in found.strip:
        for start, end, kind in marks:
            latest = end - GRID
            if kind != "enough":
                continue
            at = min(max(wished, start), latest)
            if day == draft.day:
                whole = (min(first, at), max(last, at + draft.duration_minutes))
                spans.append((abs(at - wished), day, *whole))
            elif day >= draft.day:
                days = (day - draft.day).days
                spans.append((days * MINUTES_PER_DAY + abs(at - wished), day, at, at + draft.duration_minutes))
    return [(day, start, end) for _distance, day, start, end in sorted(spans)]


def _change(moved: Draft, row: Row, draft: Draft) -> Change:
    start, end = moved.windows[0]
    who = _(
        "%(names)s, %(times)s", names=listed(c.name for c in row.comers), times=format_times(row.starts_at, row.ends_at)
    )
    if moved.day == draft.day:
        title = _("The smallest change: %(times)s instead", times=format_times(start, end))
        return Change(moved.day, start, end, title, who, _("Widen to %(times)s", times=format_times(start, end)))
    day = format_date(moved.day)
    title = _("On another day: %(day)s", day=day)
    label = _("Change to %(day)s %(time)s", day=format_date(moved.day), time=format_time(start))
    return Change(moved.day, start, end, title, who, label)
