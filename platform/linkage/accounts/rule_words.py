"""What the rules are called and in which unit they count: one table for the administrator, tested to be whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_pgettext, npgettext

WORDS: dict[str, Any] = {
    "accounts.attempts_window_hours": lazy_pgettext("rule", "Wrong passwords are counted within"),
    "accounts.free_attempts_per_address": lazy_pgettext("rule", "Wrong passwords from one address before a wait"),
    "accounts.free_attempts_per_name": lazy_pgettext("rule", "Wrong passwords for one account before a wait"),
    "accounts.invitation_days": lazy_pgettext("rule", "An invitation is valid for"),
    "accounts.longest_wait_seconds": lazy_pgettext("rule", "Longest wait after wrong passwords"),
    "accounts.view_as_minutes": lazy_pgettext("rule", "Looking at the pages as another account ends after"),
    "accounts.session_days": lazy_pgettext("rule", "Signed in stays for"),
    "contracts.task_percent": lazy_pgettext("rule", "Contract line: task for the buyer at"),
    "contracts.warn_percent": lazy_pgettext("rule", "Contract line: warning at"),
    "households.assess_again_days": lazy_pgettext("rule", "Ability is assessed again after"),
    "households.class_of_level": lazy_pgettext("rule", "Class of look-ins by ability level"),
    "households.class_of_tags": lazy_pgettext("rule", "Class of look-ins by tag"),
    "households.paper_days": lazy_pgettext("rule", "A missing paper is due within"),
    "households.taper_days": lazy_pgettext("rule", "Support goes on after eligibility ends for"),
    "households.visit_after_change_hours": lazy_pgettext("rule", "High risk: seen after a change within"),
    "households.visit_days": lazy_pgettext("rule", "Staff look in every so many days, by class"),
    "households.warn_days": lazy_pgettext("rule", "What expires is told so many days before"),
    "imports.keep_days": lazy_pgettext("rule", "An unfinished upload is kept for"),
    "imports.undo_hours": lazy_pgettext("rule", "An import can be undone for"),
    "needs.ahead_days": lazy_pgettext("rule", "A need begins at most so far ahead"),
    "needs.flexible_days": lazy_pgettext("rule", "A one-off need may lie within"),
    "needs.longest_minutes": lazy_pgettext("rule", "Longest single visit"),
    "needs.vital_services": lazy_pgettext("rule", "Services nobody can go a day without"),
    "offers.answer_minutes": lazy_pgettext("rule", "Time to answer a question"),
    "offers.at_once": lazy_pgettext("rule", "Asked together after the deadline"),
    "offers.fallback_minutes": lazy_pgettext("rule", "The paid carer knows before the visit"),
    "offers.reopen_minutes": lazy_pgettext(
        "rule", "Given back later than this before the visit, staff rings people up"
    ),
    "offers.shown": lazy_pgettext("rule", "Offers shown to a volunteer at a time"),
    "offers.urgent_hours": lazy_pgettext("rule", "Urgent: begins within"),
    "planning.approximate_allowance_minutes": lazy_pgettext(
        "rule", "Extra time to find a door whose position is approximate"
    ),
    "planning.detour_factor": lazy_pgettext("rule", "Road distance over straight distance"),
    "planning.freeze_hours": lazy_pgettext("rule", "A paid booking no longer moves within"),
    "planning.instance_days": lazy_pgettext("rule", "What a plan was worked out from is kept for"),
    "planning.lead_minutes": lazy_pgettext("rule", "Nothing new is placed sooner than"),
    "planning.memory_megabytes": lazy_pgettext("rule", "A plan may use memory up to"),
    "planning.offer_candidates": lazy_pgettext("rule", "Others prepared behind each question"),
    "planning.seconds": lazy_pgettext("rule", "Search for a week's plan"),
    "planning.speed_metres_per_minute": lazy_pgettext("rule", "Speed door to door, metres a minute"),
    "planning.told_travel_minutes": lazy_pgettext("rule", "Nobody is moved to save less travel than"),
    "planning.weight_cost_per_fen_points": lazy_pgettext("rule", "Weight: a fen of paid service"),
    "planning.weight_max_tardiness_per_minute_points": lazy_pgettext("rule", "Weight: a minute of the latest visit"),
    "planning.weight_new_face_points": lazy_pgettext("rule", "Weight: a new face in a household"),
    "planning.weight_not_preferred_points": lazy_pgettext("rule", "Weight: somebody else than preferred"),
    "planning.weight_not_previous_points": lazy_pgettext("rule", "Weight: somebody else than the last times"),
    "planning.weight_outside_preferred_per_minute_points": lazy_pgettext(
        "rule", "Weight: a minute beside the preferred hours"
    ),
    "planning.weight_standing_broken_points": lazy_pgettext("rule", "Weight: a standing assignment is broken"),
    "planning.weight_tardiness_per_minute_points": lazy_pgettext("rule", "Weight: a minute after the wished hours"),
    "planning.weight_travel_per_minute_points": lazy_pgettext("rule", "Weight: a minute of travel"),
    "planning.weight_unfairness_per_minute_points": lazy_pgettext("rule", "Weight: a minute above an even share"),
    "planning.weight_wish_missed_points": lazy_pgettext("rule", "Weight: a wish that is not met"),
    "procurement.answer_working_days": lazy_pgettext("rule", "A challenge is answered within"),
    "procurement.bid_bond_permille": lazy_pgettext("rule", "Bid bond at most, of the budget"),
    "procurement.challenge_working_days": lazy_pgettext("rule", "Challenge after the notice's end, within"),
    "procurement.choose_working_days": lazy_pgettext("rule", "The buyer chooses within"),
    "procurement.clarification_days": lazy_pgettext(
        "rule", "Clarifications that touch bids: before the deadline at least"
    ),
    "procurement.complaint_working_days": lazy_pgettext("rule", "Complaint after the answer, within"),
    "procurement.contract_days": lazy_pgettext("rule", "Contract after the notice, within"),
    "procurement.contract_years": lazy_pgettext("rule", "Longest contract"),
    "procurement.decision_working_days": lazy_pgettext("rule", "A complaint is decided within"),
    "procurement.least_bidders.consultation": lazy_pgettext("rule", "Least conforming bidders: consultation"),
    "procurement.least_bidders.framework": lazy_pgettext("rule", "Least conforming bidders: framework"),
    "procurement.least_bidders.open": lazy_pgettext("rule", "Least conforming bidders: open tender"),
    "procurement.least_price_weight.consultation": lazy_pgettext(
        "rule", "Least weight of the price: consultation, hundredths of a point"
    ),
    "procurement.least_price_weight.framework": lazy_pgettext(
        "rule", "Least weight of the price: framework, hundredths of a point"
    ),
    "procurement.least_price_weight.open": lazy_pgettext(
        "rule", "Least weight of the price: open tender, hundredths of a point"
    ),
    "procurement.low_ceiling_permille": lazy_pgettext("rule", "Low price: below so much of the ceiling"),
    "procurement.low_mean_permille": lazy_pgettext("rule", "Low price: below so much of the mean"),
    "procurement.low_next_permille": lazy_pgettext("rule", "Low price: below so much of the next-lowest"),
    "procurement.most_price_weight.consultation": lazy_pgettext(
        "rule", "Largest weight of the price: consultation, hundredths of a point"
    ),
    "procurement.most_price_weight.framework": lazy_pgettext(
        "rule", "Largest weight of the price: framework, hundredths of a point"
    ),
    "procurement.most_price_weight.open": lazy_pgettext(
        "rule", "Largest weight of the price: open tender, hundredths of a point"
    ),
    "procurement.notice_days.consultation": lazy_pgettext("rule", "Notice to deadline: consultation, calendar days"),
    "procurement.notice_days.framework": lazy_pgettext("rule", "Notice to deadline: framework, calendar days"),
    "procurement.notice_days.open": lazy_pgettext("rule", "Notice to deadline: open tender, calendar days"),
    "procurement.notice_period_working_days": lazy_pgettext("rule", "The result notice stands for"),
    "procurement.notice_working_days": lazy_pgettext("rule", "The result is announced within"),
    "procurement.ocid_prefix": lazy_pgettext("rule", "Open data: the publisher's prefix"),
    "procurement.outlier_permille": lazy_pgettext("rule", "Points are flagged when they lie from the panel's mean by"),
    "procurement.panel_least": lazy_pgettext("rule", "Least members of a panel"),
    "procurement.performance_bond_permille": lazy_pgettext("rule", "Performance bond at most, of the contract"),
    "procurement.publish_contract_working_days": lazy_pgettext("rule", "A contract is published within"),
    "procurement.report_working_days": lazy_pgettext("rule", "The report goes to the buyer within"),
    "procurement.supplement_permille": lazy_pgettext("rule", "Supplements together at most, of the contract"),
    "upkeep.backup_keep_days": lazy_pgettext("rule", "Backups are kept for"),
    "upkeep.backup_late_hours": lazy_pgettext("rule", "A backup is late after"),
    "upkeep.disk_free_percent": lazy_pgettext("rule", "Warning when free disk is below"),
    "upkeep.holiday_notice_month": lazy_pgettext("rule", "Next year's holiday notice is expected from month"),
    "upkeep.drill_late_days": lazy_pgettext("rule", "A restore drill is due after"),
    "visits.ahead_days": lazy_pgettext("rule", "Visits are made ahead for"),
    "visits.alarm_minutes": lazy_pgettext("rule", "Late: the area's staff is told after"),
    "visits.confirm_days": lazy_pgettext("rule", "A visit is confirmed with the household within"),
    "visits.early_minutes": lazy_pgettext("rule", "Check-in opens before the visit"),
    "visits.late_minutes": lazy_pgettext("rule", "Late: the person is reminded after"),
    "visits.missed_minutes": lazy_pgettext("rule", "A visit counts as missed after"),
    "visits.open_after_minutes": lazy_pgettext("rule", "Name, address and door notes stay open after the end"),
    "visits.paid_fixed_hours": lazy_pgettext("rule", "A paid booking may be moved until"),
    "visits.wrong_codes": lazy_pgettext("rule", "Wrong codes before only the call desk can check in"),
    "volunteers.adult_years": lazy_pgettext("rule", "Age without a guardian's consent"),
    "volunteers.youngest_years": lazy_pgettext("rule", "Youngest volunteer"),
}
# The unit stands at the end of a rule's name; the longer ending first.
UNITS: tuple[tuple[str, Callable[[int | float], str]], ...] = (
    ("_working_days", lambda n: npgettext("rule", "%(num)s working day", "%(num)s working days", n)),
    ("_days", lambda n: npgettext("rule", "%(num)s day", "%(num)s days", n)),
    ("_hours", lambda n: npgettext("rule", "%(num)s hour", "%(num)s hours", n)),
    ("_minutes", lambda n: npgettext("rule", "%(num)s minute", "%(num)s minutes", n)),
    ("_seconds", lambda n: npgettext("rule", "%(num)s second", "%(num)s seconds", n)),
    ("_years", lambda n: npgettext("rule", "%(num)s year", "%(num)s years", n)),
    ("_percent", lambda n: f"{n} %"),
    ("_permille", lambda n: f"{n / 10:g} %"),
    ("_megabytes", lambda n: f"{n} MB"),
    ("_points", lambda n: npgettext("rule", "%(num)s point", "%(num)s points", n)),
)


def title(name: str) -> Any:
    """The rule in words; its own name where no words are known."""
    return WORDS.get(name, name)


def said(name: str, value: Any) -> str:
    """A value with its unit, as an administrator reads it; a table or a list as JSON, as it is typed in."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        for ending, words in UNITS:
            if name.endswith(ending):
                return words(value)
    return json.dumps(value, ensure_ascii=False)
