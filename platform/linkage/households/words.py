"""How tags, relations and the like read (困难类别、关系、同意范围 …)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from linkage.people.words import LANGUAGE_WORDS as LANGUAGE_WORDS
from linkage.people.words import SEX_WORDS as SEX_WORDS

TAG_WORDS: dict[str, Any] = {
    "destitute": _l("Destitute"),
    "minimum_living": _l("Minimum living allowance"),
    "minimum_margin": _l("Just above the minimum"),
    "rigid_expense": _l("Heavy fixed expenses"),
    "severe_disability": _l("Severe disability"),
    "aged_80": _l("Aged 80 and over"),
    "living_alone": _l("Living alone"),
    "disabled_elder": _l("Elder needing full care"),
    "semi_disabled_elder": _l("Elder needing some care"),
    "orphan": _l("Orphan"),
    "child_in_need": _l("Child in need"),
    "lost_only_child": _l("Lost the only child"),
    "homeless": _l("Homeless"),
}
RELATION_WORDS: dict[str, Any] = {
    "self": _l("Head of the household"),
    "spouse": _l("Husband or wife"),
    "child": _l("Son or daughter"),
    "parent": _l("Father or mother"),
    "grandchild": _l("Grandchild"),
    "other": lazy_pgettext("relation", "Other"),
    "contact": _l("Family elsewhere"),
}
CARE_WORDS: dict[str, Any] = {
    "mild": _l("Mildly impaired"),
    "moderate": _l("Moderately impaired"),
    "severe": _l("Severely impaired"),
    "total": _l("Totally impaired"),
}
PURPOSE_WORDS: dict[str, Any] = {
    "service": _l("Plan and deliver services"),
    "health": _l("Use health facts"),
    "volunteers": _l("Tell volunteers who come what they need to know"),
}
METHOD_WORDS: dict[str, Any] = {
    "signed": _l("Signed"),
    "spoken": _l("Spoken"),
    "guardian": _l("By the guardian"),
}
FIELD_WORDS: dict[str, Any] = {
    "telephone": _l("telephone"),
    "id_number": _l("ID number"),
    "health": _l("health"),
    "door_code": _l("door code"),
    "password": _l("password"),
    "address": _l("address"),
}
# Why a sealed fact is opened; the family reads it, too.
REVEAL_WORDS: dict[str, Any] = {
    "call": _l("A call before the visit"),
    "check": _l("Checking who it is"),
    "urgent": _l("An emergency"),
}
UNSERVABLE_WORDS: dict[str, Any] = {
    "closed": _l("The household is closed."),
    "nobody": _l("Nobody lives there any more."),
    "consent": _l("There is no valid consent: nothing may be planned for this household."),
}
CONSENT_TEXTS: dict[str, dict[str, Any]] = {
    "2026-11": {
        "service": _l(
            "We may keep the facts of your household and use them to arrange services for you. Only those who arrange "
            "or carry out a service see them. You may look at them, have them corrected or deleted."
        ),
        "health": _l(
            "We may use what you tell us about your health to choose the right help and to keep you and the helpers "
            "safe. Without this we do not ask about it."
        ),
        "volunteers": _l(
            "A volunteer who has agreed to come sees your name, address and door note until two hours after the visit."
        ),
    }
}

CLASS_WORDS: dict[str, Any] = {
    "high": _l("High risk · looked in on weekly"),
    "key": _l("Key · looked in on monthly"),
    "general": _l("General · looked in on quarterly"),
}
LEVEL_WORDS: dict[str, Any] = {"intact": _l("Not impaired"), **CARE_WORDS}
LEVEL_RANGES: dict[str, str] = {
    "intact": "90",
    "mild": "66–89",
    "moderate": "46–65",
    "severe": "30–45",
    "total": "0–29",
}
ASSESSMENT_WORDS: dict[str, Any] = {
    "first": _l("First assessment"),
    "regular": _l("Regular assessment"),
    "immediate": _l("Assessment after a change"),
    "review": _l("Review on request"),
}
EVENT_WORDS: dict[str, Any] = {
    "fall": _l("Falls"),
    "lost": _l("Got lost"),
    "choking": _l("Choked"),
    "self_harm": _l("Harmed themselves"),
    "other": lazy_pgettext("risk event", "Other"),
}
OUTCOME_WORDS: dict[str, Any] = {
    "well": _l("All is well"),
    "worse": _l("Somebody is worse"),
    "needs_help": _l("Something is needed"),
    "declined": _l("They declined"),
    "referred": _l("Referred elsewhere"),
    "not_reached": _l("Nobody was reached"),
}
WAY_WORDS: dict[str, Any] = {"visit": _l("At the door"), "telephone": _l("By telephone")}
CHECK_REASON_WORDS: dict[str, Any] = {
    "not_needed": _l("they need nothing"),
    "family_cares": _l("the family cares for them"),
    "other_help": _l("somebody else helps already"),
    "distrust": _l("they do not want strangers"),
    "hospital": _l("to a hospital"),
    "care_home": _l("to a care home"),
    "other_community": _l("to another community"),
    "department": _l("to another department"),
    "nobody_home": _l("nobody was at home"),
    "no_answer": _l("nobody answered the telephone"),
    "moved_away": _l("moved away"),
    "wrong_address": _l("the address is wrong"),
    "other": lazy_pgettext("reason", "another reason"),
}
PAPER_WORDS: dict[str, Any] = {
    "id_card": _l("Copy of the ID card"),
    "residence_booklet": _l("Copy of the residence booklet"),
    "disability": _l("Copy of the disability certificate"),
    "income": _l("Proof of income"),
    "medical": _l("Medical certificate"),
    "guardianship": _l("Proof of guardianship"),
    "other": lazy_pgettext("paper", "Another paper"),
}
DUE_WORDS: dict[str, Any] = {
    "papers": _l("Papers overdue or due within a week"),
    "assessments": _l("Assessment due within 30 days"),
    "checks": _l("To be looked in on today"),
    "tags7": _l("A tag ends within 7 days"),
    "tags30": _l("A tag ends within 30 days"),
    "tags60": _l("A tag ends within 60 days"),
    "tags90": _l("A tag ends within 90 days"),
    "taper": _l("Support after eligibility ends within 30 days"),
}
FOUND_WORDS: dict[str, Any] = {
    "id": _l("The same person in both"),
    "birth": _l("Same name and birth date"),
    "telephone": _l("Same telephone"),
    "staff": _l("Found by staff"),
}
