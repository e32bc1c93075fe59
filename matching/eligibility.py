"""Who may do what, and if not, why not: reasons with codes and parameters.

Everything here is static: it looks at one slot and one person (and day, and shift), never at what
else is planned. No text for people is made here; whoever shows a reason words it from its code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from matching.instance import Caregiver, ContractLine, LineRule, ProviderKind, Qualification, Shift, Visit
from matching.lookup import Lookup, days_of_window, slot_minutes


class ReasonCode(StrEnum):
    """Why a person cannot take a slot. Parameters of each are listed at its check."""

    WRONG_PROVIDER_KIND = "wrong_provider_kind"
    SERVICE_NOT_OFFERED = "service_not_offered"
    MISSING_QUALIFICATION = "missing_qualification"
    QUALIFICATION_EXPIRED = "qualification_expired"
    QUALIFICATION_NOT_YET_VALID = "qualification_not_yet_valid"
    GENDER = "gender"
    LANGUAGE = "language"
    EXCLUDED = "excluded"
    MINOR = "minor"
    INSURANCE_MISSING = "insurance_missing"
    BEYOND_RADIUS = "beyond_radius"
    PINNED_TO_OTHER = "pinned_to_other"
    CONTRACT_LINE_NOT_COVERING = "contract_line_not_covering"
    NO_SHIFT_THAT_DAY = "no_shift_that_day"
    WINDOW_OUTSIDE_SHIFT = "window_outside_shift"
    ABSENT = "absent"


Parameter = str | int | float | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One machine-readable reason: a code and its parameters in a fixed order."""

    code: ReasonCode
    parameters: tuple[tuple[str, Parameter], ...] = ()

    def get(self, name: str) -> Parameter:
        return dict(self.parameters).get(name)


def _reason(code: ReasonCode, **parameters: Parameter) -> Reason:
    return Reason(code, tuple(parameters.items()))


def person_reasons(
    lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver, *, ask_radius: bool = True
) -> tuple[Reason, ...]:
    """Why this person can never take this slot, whatever the day. Empty: nothing speaks against it."""
    found = tuple(_person(lookup, visit, slot, caregiver))
    return found + tuple(_radius(lookup, visit.location_id, caregiver)) if ask_radius else found


def within_radius(lookup: Lookup, caregiver: Caregiver, location_id: str) -> bool:
    """Whether the place lies within the radius that this person asked for."""
    return next(_radius(lookup, location_id, caregiver), None) is None


def day_reasons(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver, day: int) -> tuple[Reason, ...]:
    """Why this person cannot take this slot on that day (dates of papers and contract lines)."""
    return tuple(_day(lookup, visit, slot, caregiver, day))


def shift_reasons(lookup: Lookup, visit: Visit, slot: int, shift: Shift) -> tuple[Reason, ...]:
    """Why this slot does not fit into this shift even if nothing else were in it."""
    spans = start_spans(lookup, visit, slot, shift, with_absences=False)
    if not spans:
        earliest, latest = _shift_span(lookup, visit, slot, shift)
        return (
            _reason(
                ReasonCode.WINDOW_OUTSIDE_SHIFT,
                shift=shift.id,
                earliest_start_minutes=earliest,
                latest_start_minutes=latest,
            ),
        )
    if not start_spans(lookup, visit, slot, shift):
        return (_reason(ReasonCode.ABSENT, day=shift.day),)
    return ()


def reasons(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver) -> tuple[Reason, ...]:
    """Why this person cannot take this slot at all; empty if some shift could hold it.

    Reasons of the person come first and alone. Otherwise each day that the visit's windows touch
    gives its reasons, in order of days, each reason once.
    """
    personal = person_reasons(lookup, visit, slot, caregiver)
    if personal:
        return personal
    found: dict[Reason, None] = {}
    for day in window_days(visit):
        on_day = list(_reasons_on(lookup, visit, slot, caregiver, day))
        if not on_day:
            return ()
        found.update(dict.fromkeys(on_day))
    return tuple(found)


def possible_shifts(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver) -> list[Shift]:
    """The shifts of this person that could hold this slot, were nothing else in them."""
    if person_reasons(lookup, visit, slot, caregiver):
        return []
    return [
        shift
        for shift in lookup.shifts_of[caregiver.id]
        if not day_reasons(lookup, visit, slot, caregiver, shift.day) and not shift_reasons(lookup, visit, slot, shift)
    ]


def window_days(visit: Visit) -> list[int]:
    """The day indices on which the visit may start."""
    late = visit.max_tardiness_minutes
    spans = [days_of_window(w.start_minutes, w.end_minutes + late) for w in visit.windows]
    return sorted({day for span in spans for day in span})


def slot_kinds(lookup: Lookup, visit: Visit, slot: int) -> set[ProviderKind]:
    """The kinds of provider that may fill this slot, mixes taken into account."""
    kinds = set(lookup.service_of(visit, slot).provider_kinds)
    for narrower in (visit.provider_kinds, visit.slots[slot].provider_kinds):
        if narrower:
            kinds &= set(narrower)
    if len(visit.slots) == 2:
        mixes = allowed_mixes(lookup, visit)
        if mixes is not None:
            kinds &= {kind for mix in mixes for kind in mix}
    return kinds


def allowed_mixes(lookup: Lookup, visit: Visit) -> set[tuple[ProviderKind, ProviderKind]] | None:
    """Allowed combinations of a two-person visit, in both orders; None: every combination.

    Every mix that is given (service of either slot, visit) must allow the combination.
    """
    allowed: set[tuple[ProviderKind, ProviderKind]] | None = None
    given = [lookup.service_of(visit, k).mixes for k in range(len(visit.slots))] + [visit.mixes]
    for mixes in given:
        if mixes:
            both = {(a, b) for a, b in mixes} | {(b, a) for a, b in mixes}
            allowed = both if allowed is None else allowed & both
    return allowed


def required_qualifications(lookup: Lookup, visit: Visit, slot: int) -> list[str]:
    """What the service, the visit and the slot ask for together, each once."""
    service = lookup.service_of(visit, slot)
    own = visit.slots[slot].required_qualifications
    return list(dict.fromkeys((*service.required_qualifications, *visit.required_qualifications, *own)))


def eligible_lines(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver, day: int) -> list[ContractLine]:
    """The contract lines that may pay this person for this slot on that day, in the visit's order."""
    service = visit.slots[slot].service_id or visit.service_id
    found = [
        line
        for line in map(lookup.lines.__getitem__, visit.contract_line_ids)
        if line.organisation_id == caregiver.organisation_id
        and service in line.service_ids
        and line.first_day <= day <= line.last_day
    ]
    return found[:1] if visit.line_rule is LineRule.FIRST else found


def start_spans(
    lookup: Lookup, visit: Visit, slot: int, shift: Shift, *, with_absences: bool = True
) -> list[tuple[float, float]]:
    """Spans [earliest, latest] of starts, one or more per window, that an empty shift could hold."""
    low, high = _shift_span(lookup, visit, slot, shift)
    spans = [(max(low, w.start_minutes), min(high, w.end_minutes + visit.max_tardiness_minutes)) for w in visit.windows]
    pin = visit.slots[slot].pin
    if pin is not None and pin.start_minutes is not None:
        spans = [(max(a, pin.start_minutes), min(b, pin.start_minutes)) for a, b in spans]
    spans = [(a, b) for a, b in spans if a <= b]
    if with_absences:
        for absence in lookup.caregivers[shift.caregiver_id].absences:
            before = absence.start_minutes - slot_minutes(visit, slot)
            after = absence.end_minutes + visit.access_minutes
            cut = [((a, min(b, before)), (max(a, after), b)) for a, b in spans]
            spans = [(a, b) for pair in cut for a, b in pair if a <= b]
    return spans


def _person(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver) -> Iterator[Reason]:
    service = lookup.service_of(visit, slot)
    kinds = slot_kinds(lookup, visit, slot)
    if caregiver.kind not in kinds:
        yield _reason(ReasonCode.WRONG_PROVIDER_KIND, kind=caregiver.kind, allowed=",".join(sorted(kinds)))
    if caregiver.service_ids is not None and service.id not in caregiver.service_ids:
        yield _reason(ReasonCode.SERVICE_NOT_OFFERED, service=service.id)
    held = {q.id for q in caregiver.qualifications}
    for name in required_qualifications(lookup, visit, slot):
        if name not in held:
            yield _reason(ReasonCode.MISSING_QUALIFICATION, qualification=name)
    if caregiver.minor and not service.minors_allowed:
        yield _reason(ReasonCode.MINOR, service=service.id)
    yield from _wishes(visit, caregiver)
    if caregiver.id in visit.excluded_caregiver_ids:
        yield _reason(ReasonCode.EXCLUDED)
    pin = visit.slots[slot].pin
    if pin is not None and pin.caregiver_id is not None and pin.caregiver_id != caregiver.id:
        yield _reason(ReasonCode.PINNED_TO_OTHER, caregiver=pin.caregiver_id)


def _wishes(visit: Visit, caregiver: Caregiver) -> Iterator[Reason]:
    wish = visit.gender_wish
    if wish is not None and wish.hard and caregiver.gender not in wish.values:
        yield _reason(ReasonCode.GENDER, gender=caregiver.gender, wanted=",".join(wish.values))
    wish = visit.language_wish
    if wish is not None and wish.hard and not set(wish.values) & set(caregiver.languages):
        yield _reason(ReasonCode.LANGUAGE, wanted=",".join(wish.values))


def _radius(lookup: Lookup, location_id: str, caregiver: Caregiver) -> Iterator[Reason]:
    home = caregiver.home_location_id
    if home is None:
        return
    if caregiver.radius_metres is not None:
        metres = lookup.metres(home, location_id)
        if metres > caregiver.radius_metres:
            yield _reason(ReasonCode.BEYOND_RADIUS, metres=round(metres), radius_metres=caregiver.radius_metres)
    if caregiver.radius_minutes is not None:
        modes = {shift.mode_id for shift in lookup.shifts_of[caregiver.id]}
        nearest = min((lookup.travel_minutes(m, home, location_id) for m in modes), default=0.0)
        if nearest > caregiver.radius_minutes:
            yield _reason(ReasonCode.BEYOND_RADIUS, minutes=nearest, radius_minutes=caregiver.radius_minutes)


def _day(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver, day: int) -> Iterator[Reason]:
    for name in required_qualifications(lookup, visit, slot):
        papers = [q for q in caregiver.qualifications if q.id == name]
        if papers and not any(_valid(paper, day) for paper in papers):
            yield _paper_reason(papers[-1], day)
    insured = caregiver.insured_until_day
    if lookup.service_of(visit, slot).insurance_required and insured is not None and insured < day:
        yield _reason(ReasonCode.INSURANCE_MISSING, insured_until_day=insured, day=day)
    if caregiver.needs_contract_line and not eligible_lines(lookup, visit, slot, caregiver, day):
        yield _reason(ReasonCode.CONTRACT_LINE_NOT_COVERING, organisation=caregiver.organisation_id, day=day)


def _valid(paper: Qualification, day: int) -> bool:
    begun = paper.valid_from_day is None or paper.valid_from_day <= day
    return begun and (paper.valid_until_day is None or day <= paper.valid_until_day)


def _paper_reason(paper: Qualification, day: int) -> Reason:
    name, until = paper.id, paper.valid_until_day
    if until is not None and until < day:
        return _reason(ReasonCode.QUALIFICATION_EXPIRED, qualification=name, valid_until_day=until, day=day)
    return _reason(
        ReasonCode.QUALIFICATION_NOT_YET_VALID, qualification=name, valid_from_day=paper.valid_from_day, day=day
    )


def _reasons_on(lookup: Lookup, visit: Visit, slot: int, caregiver: Caregiver, day: int) -> Iterator[Reason]:
    yield from _day(lookup, visit, slot, caregiver, day)
    shifts = [s for s in lookup.shifts_of[caregiver.id] if s.day == day]
    if not shifts:
        yield _reason(ReasonCode.NO_SHIFT_THAT_DAY, day=day)
        return
    of_shifts = [shift_reasons(lookup, visit, slot, shift) for shift in shifts]
    if all(of_shifts):
        for found in of_shifts:
            yield from found


def _shift_span(lookup: Lookup, visit: Visit, slot: int, shift: Shift) -> tuple[float, float]:
    """Earliest and latest start of the slot as the only stop of the shift."""
    to = lookup.travel_minutes(shift.mode_id, shift.start_location_id, visit.location_id)
    back = lookup.travel_minutes(shift.mode_id, visit.location_id, shift.end_location_id)
    access = 0.0 if shift.start_location_id == visit.location_id else visit.access_minutes
    earliest = shift.start_minutes + to + access
    return earliest, shift.end_minutes - back - slot_minutes(visit, slot)
