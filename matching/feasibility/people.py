"""May this person fill this slot at all? One booking at a time."""

from collections.abc import Iterator

from matching.feasibility.facts import Booking, Facts
from matching.feasibility.violations import EPSILON, Violation, ViolationCode, violation
from matching.instance import ProviderKind, Visit

_AT = "{caregiver} cannot take slot {slot} of visit {visit}: "


def person_violations(facts: Facts, bookings: list[Booking]) -> Iterator[Violation]:
    for booking in bookings:
        yield from _kind_and_service(facts, booking)
        yield from _qualifications(facts, booking)
        yield from _wishes(booking)
        yield from _protection(facts, booking)
        yield from _radius(facts, booking)


def allowed_mixes(facts: Facts, visit: Visit) -> list[set[tuple[ProviderKind, ProviderKind]]]:
    """The sets of combinations, in both orders, each of which must hold the visit's two people."""
    given = [facts.service(visit, k).mixes for k in range(len(visit.slots))] + [visit.mixes]
    return [{pair for a, b in mixes for pair in ((a, b), (b, a))} for mixes in given if mixes]


def _found(code: ViolationCode, booking: Booking, why: str, **more: str | float | None) -> Violation:
    return violation(
        code,
        _AT + why,
        caregiver=booking.caregiver.id,
        visit=booking.visit.id,
        slot=booking.slot,
        day=booking.day,
        **more,
    )


def _kind_and_service(facts: Facts, booking: Booking) -> Iterator[Violation]:
    visit, person = booking.visit, booking.caregiver
    service = facts.service(visit, booking.slot)
    allowed = set(service.provider_kinds)
    for narrower in (visit.provider_kinds, visit.slots[booking.slot].provider_kinds):
        if narrower:
            allowed &= set(narrower)
    if person.kind not in allowed:
        yield _found(ViolationCode.PROVIDER_KIND, booking, "a {kind} may not", kind=str(person.kind))
    mixes = allowed_mixes(facts, visit) if len(visit.slots) == 2 else []
    if mixes and not any(person.kind in pair for pair in set.intersection(*mixes)):
        # Someone who fits no combination cannot hold half of the visit either.
        yield _found(ViolationCode.MIX, booking, "a {kind} fits no allowed mix", kind=str(person.kind))
    if person.service_ids is not None and service.id not in person.service_ids:
        why = "does not offer {service}"
        yield _found(ViolationCode.SERVICE_NOT_OFFERED, booking, why, service=service.id)


def _qualifications(facts: Facts, booking: Booking) -> Iterator[Violation]:
    visit, day = booking.visit, booking.day
    needed = {
        *facts.service(visit, booking.slot).required_qualifications,
        *visit.required_qualifications,
        *visit.slots[booking.slot].required_qualifications,
    }
    for name in sorted(needed):
        held = [q for q in booking.caregiver.qualifications if q.id == name]
        if not held:
            why = "has no {qualification}"
            yield _found(ViolationCode.QUALIFICATION_MISSING, booking, why, qualification=name)
        elif not any(
            (q.valid_from_day is None or q.valid_from_day <= day)
            and (q.valid_until_day is None or day <= q.valid_until_day)
            for q in held
        ):
            why = "{qualification} is not valid on day {day}"
            yield _found(ViolationCode.QUALIFICATION_NOT_VALID, booking, why, qualification=name)


def _wishes(booking: Booking) -> Iterator[Violation]:
    gender, language = booking.visit.gender_wish, booking.visit.language_wish
    person = booking.caregiver
    if gender is not None and gender.hard and person.gender not in gender.values:
        why = "{gender} is not wanted"
        yield _found(ViolationCode.GENDER, booking, why, gender=str(person.gender))
    if language is not None and language.hard and not set(language.values) & set(person.languages):
        why = "speaks none of {wanted}"
        yield _found(ViolationCode.LANGUAGE, booking, why, wanted=",".join(language.values))
    if person.id in booking.visit.excluded_caregiver_ids:
        yield _found(ViolationCode.EXCLUDED, booking, "is excluded there")


def _protection(facts: Facts, booking: Booking) -> Iterator[Violation]:
    service, person = facts.service(booking.visit, booking.slot), booking.caregiver
    if person.minor and not service.minors_allowed:
        why = "minors may not give {service}"
        yield _found(ViolationCode.MINOR, booking, why, service=service.id)
    until = person.insured_until_day
    if service.insurance_required and until is not None and booking.day > until:
        why = "insured until day {insured_until_day}, not on day {day}"
        yield _found(ViolationCode.INSURANCE, booking, why, insured_until_day=until)


def _radius(facts: Facts, booking: Booking) -> Iterator[Violation]:
    person, there = booking.caregiver, booking.visit.location_id
    home = person.home_location_id
    if home is None:
        return
    if person.radius_minutes is not None:
        modes = {shift.mode_id for shift in facts.shifts_of[person.id]}
        minutes = min(facts.travel(mode, home, there) for mode in modes)
        if minutes > person.radius_minutes + EPSILON:
            why = "{minutes:g} minutes from home, at most {limit:g}"
            yield _found(ViolationCode.RADIUS, booking, why, minutes=minutes, limit=person.radius_minutes)
    if person.radius_metres is not None:
        metres = facts.metres(home, there)
        if metres > person.radius_metres + 1e-3:
            why = "{metres:.0f} metres from home, at most {limit:g}"
            yield _found(ViolationCode.RADIUS, booking, why, metres=metres, limit=person.radius_metres)
