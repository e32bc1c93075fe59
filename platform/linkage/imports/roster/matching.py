"""A plan beside what is stored: who is meant, what would change, and whether the needs can be posted."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor, may
from linkage.households import permissions as household_permissions
from linkage.households import queries as household_queries
from linkage.households.models import Consent, Household, Member
from linkage.imports.roster.known import Known
from linkage.imports.roster.plans import MemberPlan, NeedPlan, RosterPlan
from linkage.imports.roster.reading import GroupReader
from linkage.needs import checks
from linkage.needs.operations import NeedRequest
from linkage.needs.queries import same_need
from linkage.needs.recurrence import normalise
from linkage.people.models import Person

# Where a fault of a need stands in the file.
COLUMN_OF = {
    "household_id": "consent_on",
    "person_id": "name",
    "service_id": "service",
    "duration_minutes": "duration",
    "window_start": "window",
    "window_end": "window",
    "preferred_start": "preferred",
    "flexible_days": "starts_on",
}
REGISTER_FIRST = _l("Compare number and name, or bring in the households first.")
SEE_CARD = _l("Compare number and name with the card.")


class Matcher:
    """Finds the stored household and people that a plan means."""

    def __init__(self, plan: RosterPlan, reader: GroupReader, actor: Actor, today: date, known: Known) -> None:
        self.plan, self.reader, self.actor, self.today, self.known = plan, reader, actor, today, known

    def match(self) -> None:
        """Set `plan.household` and each member's stored row; what cannot be is a fault."""
        for member in self.plan.members:
            self._by_id_number(member)
        homes = self._homes()
        by_number = self._by_number()
        if self.plan.only_needs and not homes and by_number is None:
            homes = self._by_name()
        if len({home.id for home in homes}) > 1:
            self._fault_at_person("two_homes", _l("These people are registered in different households"))
            return
        household = homes[0] if homes else by_number
        if household is None:
            self._demand_new()
            return
        if by_number is not None and by_number.id != household.id:
            self._fault("number", "number_taken", _l("Another household has this number"))
            return
        if not may(self.actor, household_permissions.may_change, household):
            self._fault_at_person("elsewhere", _l("Registered in a household outside your area"))
            return
        self._adopt(household)

    def _by_id_number(self, member: MemberPlan) -> None:
        number = member.draft.id_number
        person = self.known.person(number) if number else None
        if person is None:
            return
        if person.name != member.draft.name:
            place = member.rows[0]
            words = _l("This ID number belongs to somebody of another name.")
            self.reader.fault(place, "id_number", "other_name", words, SEE_CARD)
            return
        if person.died_on is not None:
            words = _l("This person has died, by our record")
            self.reader.fault(member.rows[0], "name", "died", words, _l("Leave the row out, or ask the office."))
        member.person = person

    def _homes(self) -> list[Household]:
        known = [member for member in self.plan.members if member.person and member.relation != "contact"]
        homes = [household_queries.home_of(member.person.id, self.today) for member in known if member.person]
        return [home for home in homes if home is not None]

    def _by_number(self) -> Household | None:
        """The household of that number, if its people are meant: by name and birth date."""
        number = self.plan.number
        found = self.known.household(self.plan.area.id, number) if number else None
        if found is None:
            return None
        stored = [member for member in found.members if member.holds(self.today)]
        if any(_means(member, planned) for member in stored for planned in self.plan.members):
            return found
        self._fault("number", "number_taken", _l("Another household has this number"))
        return None

    def _by_name(self) -> list[Household]:
        """Of needs: the one household of the community in which somebody of that name lives."""
        names = [member.draft.name for member in self.plan.members]
        if self.plan.number or not names:
            return []
        found = db.session.scalars(
            select(Household)
            .join(Member)
            .join(Person, Person.id == Member.person_id)
            .where(
                Household.area_id == self.plan.area.id,
                household_queries.is_open(self.today),
                Member.on(self.today),
                Member.relation != "contact",
                Person.name == names[0],
            )
            .limit(2)
        ).all()
        if len(found) > 1:
            self._fault("name", "several", _l("Several households have somebody of this name"))
        return list(found[:1])

    def _adopt(self, household: Household) -> None:
        if household.closed_on is not None and household.closed_on <= self.today:
            self._fault("number", "closed", _l("This household is closed."))
            return
        self.plan.household = household
        for planned in self.plan.members:
            for member in household.members:
                if member.holds(self.today) and planned.member is None and _means(member, planned):
                    planned.member, planned.person = member, member.person
        for planned in self.plan.members if self.plan.only_needs else ():
            if planned.member is None:
                words = _l("Nobody of this name lives in that household")
                self.reader.fault(planned.rows[0], "name", "not_member", words, REGISTER_FIRST)

    def _demand_new(self) -> None:
        if self.plan.only_needs:
            if not self.reader.faults:
                words = _l("This household is not registered")
                self.reader.fault(0, "number" if self.plan.number else "name", "not_registered", words, REGISTER_FIRST)
            return
        address_row = self.plan.rows["address"]
        if "address" not in self.plan.facts and not self.reader.is_faulty(address_row, "address"):
            words = _l("The address is missing")
            self.reader.fault(0, "address", "required", words, _l("Write estate, building and door."))

    def _fault(self, field: str, code: str, words: Any) -> None:
        place = self.plan.rows.get(field, 0)
        if not self.reader.is_faulty(place, field):
            self.reader.fault(place, field, code, words, _l("Compare number, name and birth date with the register."))

    def _fault_at_person(self, code: str, words: Any) -> None:
        member = next(row for row in self.plan.members if row.person is not None)
        self.reader.fault(member.rows[0], "id_number", code, words, _l("Ask the street's office to move them first."))


def _means(member: Member, planned: MemberPlan) -> bool:
    """By ID number where both have one, else by name and birth date (where both are known)."""
    person, draft = member.person, planned.draft
    if planned.person is not None:
        return person.id == planned.person.id
    if draft.id_number and person.id_number:
        return bool(draft.id_number == person.id_number)
    same_day = draft.birth_date is None or person.birth_date is None or draft.birth_date == person.birth_date
    return bool(person.name == draft.name and same_day)


def check_needs(plan: RosterPlan, reader: GroupReader, today: date) -> None:
    """Ask the needs room whether each need could be posted for the household as it will be."""
    shape = _as_it_will_be(plan, today)
    for need in plan.needs:
        facts = dict(need.facts)
        facts["people"] = facts["people"] or checks.needed_people(shape, need.service)
        try:
            facts["recurrence"] = normalise(facts["recurrence"])
            need.facts = facts
            need.request = NeedRequest(person_id=shape.members[need.member].person_id, channel="import", **facts)
            need.need = _stored_need(plan, need)
            if need.need is None:
                checks.demand(shape, need.service, need.request, today=today, past_ok=True)
        except InvalidInput as error:
            _note(reader, need, error)


def _note(reader: GroupReader, need: NeedPlan, error: InvalidInput) -> None:
    for name, sentences in error.errors.items():
        field = COLUMN_OF.get(name, name)
        if not reader.is_faulty(need.row, field):
            reader.fault(need.row, field, f"need_{name}", sentences[0], error.remedy if name == error.field else None)


def _stored_need(plan: RosterPlan, need: NeedPlan) -> Any:
    if plan.household is None:
        return None
    return same_need(plan.household.id, need.service.id, need.facts["starts_on"], need.facts["recurrence"])


def _as_it_will_be(plan: RosterPlan, today: date) -> Household:
    """The household after the import, as an object that no session knows: what the needs room looks at."""
    stored = plan.household
    shape = Household(
        area_id=plan.area.id,
        number=plan.number or "",
        care_level=plan.facts.get("care_level", stored.care_level if stored else ""),
        closed_on=None,
    )
    consents = (
        [(row.purpose, row.given_on, row.expires_on) for row in stored.consents if row.holds(today)] if stored else []
    )
    consents += [(draft.purpose, draft.given_on, draft.expires_on) for draft in plan.consents]
    shape.consents = [
        Consent(purpose=purpose, given_on=given, expires_on=expires, withdrawn_at=None)
        for purpose, given, expires in consents
    ]
    shape.members = [_member_shape(member, position) for position, member in enumerate(plan.members)]
    return shape


def _member_shape(planned: MemberPlan, position: int) -> Member:
    person = Person(name=planned.draft.name, birth_date=planned.draft.birth_date)
    if planned.person is not None:
        person.id = planned.person.id
    since = date.min
    relation = planned.member.relation if planned.member else planned.relation
    return Member(
        person_id=person.id, relation=relation, position=position, valid_from=since, valid_to=None, person=person
    )
