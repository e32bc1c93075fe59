"""What a request must fulfil before it is a need; every fault is named at its field, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import InvalidInput
from linkage.core.rulesets import rule
from linkage.households.models import Household
from linkage.households.queries import consent_for, served_members
from linkage.needs import recurrence
from linkage.needs.models import CHANNELS, PRIORITIES, PRIORITY_REASONS
from linkage.people.models import LANGUAGES, SEXES
from linkage.services.models import Service

if TYPE_CHECKING:
    from linkage.needs.operations import NeedRequest

Fault = tuple[str, Any]
MINUTES_PER_DAY = 1440


def demand(household: Household, service: Service, request: NeedRequest, *, today: date, past_ok: bool = False) -> None:
    """Raise InvalidInput with every fault of the request (`past_ok`: a series may have begun before today)."""
    faults: dict[str, list[Any]] = {}
    for name, sentence in (
        *_who(household, request, today),
        *_what(household, service, request, today),
        *_when(request, today, past_ok),
        *_how(request),
    ):
        faults.setdefault(name, []).append(sentence)
    if faults:
        raise InvalidInput(_l("Please check what you entered."), errors=faults)


def needed_people(household: Household, service: Service) -> int:
    """How many people the service needs at this household: 2 always, or for severely disabled recipients."""
    severe = household.care_level in ("severe", "total")
    return 2 if service.two_people == "always" or (service.two_people == "severe" and severe) else 1


def _who(household: Household, request: NeedRequest, today: date) -> Iterator[Fault]:
    served = served_members(household, max(today, request.starts_on))
    if household.closed_on is not None and household.closed_on <= today:
        yield "household_id", _l("This household is closed.")
    elif request.person_id not in {member.person_id for member in served}:
        yield "person_id", _l("This person does not live in the household.")
    if consent_for(household, "service", today) is None:
        yield "household_id", _l("The household has not consented to services; record the consent first.")


def _what(household: Household, service: Service, request: NeedRequest, today: date) -> Iterator[Fault]:
    if not service.holds(max(today, request.starts_on)):
        yield "service_id", _l("This service is not offered on that day.")
    if request.duration_minutes < service.min_minutes:
        yield (
            "duration_minutes",
            _l("This service takes at least %(n)s minutes.", n=service.min_minutes),
        )
    if request.duration_minutes > rule("needs.longest_minutes", today):
        yield "duration_minutes", _l("A visit cannot be this long; post two needs.")
    least = needed_people(household, service)
    if request.people not in (1, 2):
        yield "people", _l("One or two people can come.")
    elif request.people < least:
        yield "people", _l("This service needs two people at this household.")
    elif request.people == 2 and not service.mixes:
        yield "people", _l("This service is done by one person.")


def _when(request: NeedRequest, today: date, past_ok: bool) -> Iterator[Fault]:
    longest = rule("needs.flexible_days", today)
    if request.starts_on < today and not (past_ok and request.recurrence):
        yield "starts_on", _l("This day has passed.")
    if request.starts_on > today + timedelta(days=rule("needs.ahead_days", today)):
        yield "starts_on", _l("This day is more than a year ahead.")
    if request.ends_on is not None and request.ends_on < request.starts_on:
        yield "ends_on", _l("The last day lies before the first.")
    if not 1 <= request.flexible_days <= longest:
        yield "flexible_days", _l("It may lie on any of at most %(n)s days.", n=longest)
    elif request.flexible_days > 1 and request.recurrence:
        yield "flexible_days", _l("Only a need that does not repeat may lie on any of several days.")
    yield from _hours(request)
    if request.recurrence and recurrence.is_over(
        request.starts_on, request.recurrence, request.ends_on, 1, on=min(today, request.starts_on)
    ):
        yield "recurrence", _l("This repetition has no day at all.")


def _hours(request: NeedRequest) -> Iterator[Fault]:
    start, end, wished = request.window_start, request.window_end, request.preferred_start
    if not (0 <= start < end <= MINUTES_PER_DAY):
        yield "window_end", _l("The end lies before the beginning.")
    elif end - start < request.duration_minutes:
        yield "window_end", _l("The visit does not fit between these hours.")
    elif wished is not None and not start <= wished <= end - request.duration_minutes:
        yield "preferred_start", _l("A visit that begins at this time does not lie within the hours.")


def _how(request: NeedRequest) -> Iterator[Fault]:
    if request.priority is not None and request.priority not in PRIORITIES:
        yield "priority", _l("This value is not possible.")
    if request.priority_reason is not None and request.priority_reason not in PRIORITY_REASONS:
        yield "priority_reason", _l("This value is not possible.")
    if request.channel not in CHANNELS:
        yield "channel", _l("This value is not possible.")
    wishes = request.wishes
    if wishes.get("gender") not in (None, *SEXES):
        yield "gender", _l("This value is not possible.")
    if wishes.get("language") not in (None, *LANGUAGES):
        yield "language", _l("This value is not possible.")
