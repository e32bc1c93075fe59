"""Why a visit is without anyone, and the smallest change that would serve it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from linkage.planning.models import PlanUnserved
from linkage.services.models import Service

# A person's reason, as it stands beside the name.
PERSON = {
    "wrong_provider_kind": _l("this service is given by others"),
    "service_not_offered": _l("does not offer this service"),
    "pinned_to_other": _l("somebody else is already agreed"),
    "excluded": _l("is not to come to this household"),
    "minor": _l("this service is for adults"),
    "missing_qualification": _l("has no papers for it"),
    "qualification_expired": _l("the papers have run out"),
    "qualification_not_yet_valid": _l("the papers are not valid yet"),
    "gender": _l("a person of the other sex is wanted"),
    "language": _l("another language is wanted"),
    "beyond_radius": _l("lives too far away"),
    "insurance_missing": _l("is not insured on that day"),
    "contract_line_not_covering": _l("no contract of the organisation covers it"),
    "no_shift_that_day": _l("does not work on that day"),
    "window_outside_shift": _l("works at other hours"),
    "absent": _l("is away"),
    "household_new_faces": _l("would be one new face too many for the household"),
    "person_new_households": _l("takes on no more new households"),
    "line_full": _l("the contract line is used up this month"),
    "quota_full": _l("the person's monthly quota is used up"),
    "work_minutes_full": _l("the weekly hours are full"),
    "work_visits_full": _l("the visits of the week are full"),
    "route_broken": _l("the day's route no longer fits"),
    "busy": _l("is somewhere else then"),
    "travel_too_long": _l("could not get there in time"),
    "kept_as_fallback": _l("is kept ready behind a volunteer"),
    "no_fallback": _l("is free, but nobody paid could stand behind"),
    "not_together": _l("is free, but there is no second person at that time"),
}


def person_reason(reason: Mapping[str, Any]) -> str:
    """One person's reason, as words after the name."""
    return str(PERSON.get(str(reason.get("code")), _l("cannot come then")))


def reason_text(reason: Mapping[str, Any]) -> str:
    """The group's deciding reason in a sentence, with how many people it keeps back."""
    code = str(reason.get("code"))
    counts = {str(key): int(number) for key, number in reason.get("counts", [])}
    return _group(code, counts.get(code, 0))


def _group(code: str, number: int) -> str:
    sentences = {
        "missing_qualification": _("Nobody who works there has the papers for it."),
        "qualification_expired": ngettext(
            "The papers of %(num)d person have run out.", "The papers of %(num)d people have run out.", number
        ),
        "no_shift_that_day": ngettext(
            "%(num)d person could do it, but does not work that day.",
            "%(num)d people could do it, but none works that day.",
            number,
        ),
        "window_outside_shift": ngettext(
            "%(num)d person could do it, but at other hours.",
            "%(num)d people could do it, but at other hours.",
            number,
        ),
        "line_full": _("The contract line has too little left this month."),
        "quota_full": _("The monthly quota of the person is used up."),
        "beyond_radius": ngettext(
            "%(num)d person could do it, but lives too far away.",
            "%(num)d people could do it, but live too far away.",
            number,
        ),
        "busy": ngettext(
            "%(num)d person could do it, but is somewhere else then.",
            "%(num)d people could do it, but are somewhere else then.",
            number,
        ),
        "travel_too_long": _("Those who could do it would not get there in time."),
        "work_minutes_full": _("The weekly hours of those who could do it are full."),
        "not_together": _("There are never two people free at the same time."),
        "kept_as_fallback": _("Those who could do it are kept ready behind volunteers."),
        "insurance_missing": _("The volunteers who could do it are not insured on that day."),
        "contract_line_not_covering": _("No contract covers this service here."),
        "absent": _("Those who could do it are away."),
        "gender": _("Only people of the other sex could come."),
        "language": _("Nobody who speaks the language could come."),
        "wrong_provider_kind": _("Nobody who may give this service works here."),
        "service_not_offered": _("Nobody here offers this service."),
        "room_after_all": _("There is room after all: work the plan out again."),
        "no_second_person": _("Only one of the two people can come."),
        "not_served": _("The household has not consented to services on that day, or is closed."),
        "no_room": _("Everybody who could come is busy then."),
    }
    return sentences.get(code, _("Nobody with the right papers and hours works then."))


def service_name(service: Service) -> str:
    return service.name_en if str(get_locale()).startswith("en") else service.name_zh


def can_apply(row: PlanUnserved) -> bool:
    """The change concerns this visit alone: one button makes it, once the household has agreed."""
    return bool(row.fix) and row.fix["code"] in ("shift_window", "other_day", "relax_wish")  # type: ignore[index]
