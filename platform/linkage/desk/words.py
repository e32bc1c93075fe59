"""How states of visits look (keys of `core/look.py`), and whose name is shown in full."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _

from linkage.core.permissions import Actor
from linkage.households.models import Household
from linkage.households.permissions import names_in_full
from linkage.households.queries import tag_codes
from linkage.households.words import CARE_WORDS, TAG_WORDS
from linkage.people.identity import mask_name
from linkage.people.models import Person
from linkage.services.words import named
from linkage.visits.models import Visit
from linkage.visits.words import LOOKS


def full(actor: Actor) -> bool:
    """Whether names and addresses are shown in full: to the household's own staff and the operator."""
    return names_in_full(actor)


def shown_name(person: Person, actor: Actor) -> str:
    """In full, or 张** for the roles above the community."""
    return person.name if full(actor) else mask_name(person.name)


def about(household: Household, person: Person, today: date) -> str:
    """One line on who it is: age, and what weighs most (care level, else living alone, else the first tag)."""
    parts = []
    age = person.age_on(today)
    if age is not None:
        parts.append(_("%(age)d years", age=age))
    tags = tag_codes(household, today)
    if household.care_level:
        parts.append(str(CARE_WORDS[household.care_level]))
    elif "living_alone" in tags:
        parts.append(str(TAG_WORDS["living_alone"]))
    elif tags:
        parts.append(str(TAG_WORDS[sorted(tags)[0]]))
    return " · ".join(parts)


def service_of(visit: Visit) -> str:
    """The service, and that two people go."""
    name: Any = named(visit.service)
    return _("%(service)s (two people)", service=name) if visit.people == 2 else str(name)


__all__ = ["LOOKS", "about", "full", "service_of", "shown_name"]
