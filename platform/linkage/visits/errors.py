"""Why a person could not be bound to a slot, or an attendance not recorded: a code, parameters, a sentence."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.core.errors import Conflict

SENTENCES = {
    "slot_taken": _l("Somebody else is already coming."),
    "cancelled": _l("This visit was cancelled."),
    "begun": _l("This visit has already begun."),
    "passed": _l("The time for this visit has passed."),
    "outside_window": _l("The visit does not lie within the hours that were asked for."),
    "overlap": _l("This person is already somewhere else at that time."),
    "kept_as_fallback": _l("This person is kept ready then, in case a volunteer says no to another visit."),
    "accepted": _l("This was accepted, and does not move without asking."),
    "too_late_to_move": _l("A booking moves only until a day before."),
    "released": _l("This booking no longer stands."),
    "person_gone": _l("This person can no longer come."),
    "household_closed": _l("This household is closed."),
    "household_nobody": _l("Nobody who could be helped lives there any more."),
    "household_consent": _l("The household no longer consents to services."),
    "consent_volunteers": _l("The household does not consent to volunteers."),
    "not_working_here": _l("This person does not work there on that day."),
    "paused": _l("This volunteer is taking a break on that day."),
    "guardian_consent": _l("A minor needs a guardian's consent."),
    "absent": _l("This person is away at that time."),
    "wrong_provider_kind": _l("This service is given by others."),
    "service_not_offered": _l("This person does not offer the service."),
    "missing_qualification": _l("A required qualification is missing."),
    "qualification_expired": _l("A required qualification has expired."),
    "qualification_not_yet_valid": _l("A required qualification is not valid yet."),
    "insurance_missing": _l("The accident insurance does not cover that day."),
    "minor": _l("This service is for adults."),
    "gender": _l("The household asked for a person of the other sex."),
    "language": _l("The household asked for somebody who speaks another language."),
    "too_early": _l("Check-in opens an hour before the visit."),
    "too_late": _l("This was too long ago; please call 12349 and say when you came and went."),
    "not_checked_in": _l("Nobody has checked in yet."),
    "already_checked_in": _l("This person has already checked in."),
    "already_checked_out": _l("This person has already checked out."),
    "did_not_come": _l("It is recorded that nobody came in; a correction can change that."),
    "code_locked": _l("The code was wrong too often; please call 12349 to check in."),
    "not_done": _l("The visit is not finished yet."),
    "already_confirmed": _l("This visit is already confirmed."),
}


class Refused(Conflict):
    """The world does not allow it (any more). `reason` is a key of SENTENCES; `params`: ids, times, numbers."""

    def __init__(self, reason: str, **params: Any) -> None:
        super().__init__(SENTENCES[reason])
        self.reason, self.params = reason, params
