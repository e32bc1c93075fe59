"""One line on who a household is, for rows of lists: age, and what weighs most."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from linkage.core.permissions import Actor
from linkage.households.models import TAGS, Household
from linkage.households.permissions import names_in_full
from linkage.households.queries import tags_on
from linkage.households.words import CARE_WORDS, TAG_WORDS
from linkage.people.identity import mask_name
from linkage.people.models import Person


def shown_name(person: Person, actor: Actor) -> str:
    """In full, or 张** for the roles above the community."""
    return person.name if names_in_full(actor) else mask_name(person.name)


def about(household: Household, person: Person, today: date) -> str:
    """Age, and the care level, else living alone, else the tag that weighs most (the order of `TAGS`)."""
    parts = []
    age = person.age_on(today)
    if age is not None:
        parts.append(_("%(age)d years", age=age))
    tags = {tag.tag for tag in tags_on(household, today, person.id)}
    if household.care_level:
        parts.append(str(CARE_WORDS[household.care_level]))
    elif "living_alone" in tags:
        parts.append(str(TAG_WORDS["living_alone"]))
    elif tags:
        parts.append(str(TAG_WORDS[min(tags, key=TAGS.index)]))
    return " · ".join(parts)
