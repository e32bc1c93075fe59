"""What is stored of the people and numbers of a file, looked up for many groups at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.core.privacy import warm_keys
from linkage.households import queries as household_queries
from linkage.households.models import Household
from linkage.people.models import Person
from linkage.people.queries import find_by_id_number

PIECE = 400


class Known:
    """People by ID number and taken numbers; what was not looked up before is asked for one by one."""

    def __init__(self) -> None:
        self._people: dict[str, uuid.UUID | None] = {}
        self._numbers: set[tuple[int, str]] | None = None

    def look_up(self, id_numbers: Iterable[str], area: Area) -> None:
        """One query for the people, one for the numbers of the area's households."""
        by_index = {Person.id_number.exact_index("people", number): number for number in id_numbers}
        self._people |= dict.fromkeys(by_index.values())
        indexes, keys = list(by_index), set()
        for start in range(0, len(indexes), PIECE):
            found = select(Person).where(Person.id_number_exact.in_(indexes[start : start + PIECE]))
            for person in db.session.scalars(found):
                self._people[by_index[person.id_number_exact]] = person.id
                keys.add(person.key_id)
        warm_keys(keys)
        if self._numbers is None:
            taken = select(Household.area_id, Household.number).join(Household.area)
            below = taken.where(Area.path.startswith(area.path, autoescape=True))
            self._numbers = {(area_id, number) for area_id, number in db.session.execute(below)}

    def person(self, id_number: str) -> Person | None:
        """The person with this ID number."""
        if id_number not in self._people:
            return find_by_id_number(id_number)
        person_id = self._people[id_number]
        return None if person_id is None else db.session.get(Person, person_id)

    def household(self, area_id: int, number: str) -> Household | None:
        """The household with this number in its community."""
        if self._numbers is not None and (area_id, number) not in self._numbers:
            return None
        return household_queries.by_number(area_id, number)
