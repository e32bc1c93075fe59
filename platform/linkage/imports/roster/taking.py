"""Taking a group in: a new household as a whole, or the accepted differences of one that is known."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.transactions import failpoint
from linkage.households import operations as household_operations
from linkage.households.drafts import HouseholdDraft, MemberDraft, PlaceDraft
from linkage.households.models import Household, Tag
from linkage.imports import traces
from linkage.imports.kinds import Change, Examined
from linkage.imports.roster import comparing
from linkage.imports.roster.plans import MemberPlan, NeedPlan, RosterPlan
from linkage.needs import operations as need_operations
from linkage.needs.models import Need
from linkage.people import operations as people_operations
from linkage.people.operations import PersonDraft


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    """Write the household of an examined group; the caller's transaction makes it whole or nothing.

    `ticked`: ``key|seen`` of the edited values that may be overwritten (a tick holds while `seen` is stored).
    Gives what was made: {"household_id", "new", "members", "needs", "changed"}.
    """
    plan: RosterPlan = examined.plan
    if plan.household is None:
        household, accepted = _register(plan, by, now), []
    else:
        household = plan.household
        accepted = [change for change in examined.changes if is_accepted(change, ticked)]
        _Changes(plan, accepted, by, now).apply()
    failpoint("imports.after_household")
    posted = _post_needs(plan, household, by, now)
    failpoint("imports.after_needs")
    _remember(plan, household, {change.key for change in accepted}, now)
    return {
        "household_id": str(household.id),
        "new": examined.plan.household is None,
        "members": len(plan.members),
        "needs": posted,
        "changed": len(accepted),
    }


def is_accepted(change: Change, ticked: set[str]) -> bool:
    return not change.edited or f"{change.key}|{change.seen}" in ticked


def _register(plan: RosterPlan, by: Actor, now: datetime) -> Household:
    facts = plan.facts
    draft = HouseholdDraft(
        place=PlaceDraft(plan.area, facts["address"], facts.get("door_note")),
        members=tuple(MemberDraft(member.draft, member.relation) for member in plan.members),
        number=plan.number,
        care_level=facts.get("care_level", ""),
        health=facts.get("health"),
        hazard=facts.get("hazard"),
        tags=tuple(plan.tags),
        consents=tuple(plan.consents),
        source="import",
    )
    household = household_operations.register_household(draft, by=by, now=now)
    for planned, member in zip(plan.members, household.members, strict=True):
        planned.member, planned.person = member, member.person
    return household


class _Changes:
    """Applies the accepted differences of a known household."""

    def __init__(self, plan: RosterPlan, accepted: list[Change], by: Actor, now: datetime) -> None:
        assert plan.household is not None
        self.plan, self.household, self.by, self.now = plan, plan.household, by, now
        self.keys = {change.key for change in accepted}

    def apply(self) -> None:
        self._facts()
        for place, member in enumerate(self.plan.members):
            if f"member.{place}" in self.keys:
                self._join(member)
            elif member.person is not None:
                self._person(place, member)
        self._tags()
        for consent in self.plan.consents:
            if f"consent.{consent.purpose}" in self.keys:
                household_operations.record_consent(self.household, consent, by=self.by, now=self.now)
        for place, need in enumerate(self.plan.needs):
            if need.need is not None:
                self._need(place, need.need, need)

    def _accepted(self, prefix: str, wanted: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in wanted.items() if f"{prefix}.{name}" in self.keys}

    def _facts(self) -> None:
        facts = self._accepted("household", comparing.wanted_household(self.plan))
        address = facts.pop("address", None)
        if facts:
            household_operations.change_household(
                self.household, row_version=self.household.row_version, by=self.by, now=self.now, **facts
            )
        if address is not None:
            place = self.household.place
            draft = PlaceDraft(self.household.area, address, place.door_note, access_minutes=place.access_minutes)
            if comparing.is_correction(place.address or "", address):
                household_operations.correct_address(
                    self.household, address, row_version=self.household.row_version, by=self.by, now=self.now
                )
                return
            household_operations.move_household(
                self.household, draft, row_version=self.household.row_version, by=self.by, now=self.now
            )

    def _join(self, planned: MemberPlan) -> None:
        draft = MemberDraft(planned.draft, planned.relation)
        planned.member = household_operations.add_member(self.household, draft, by=self.by, now=self.now)
        planned.person = planned.member.person

    def _person(self, place: int, planned: MemberPlan) -> None:
        changes = self._accepted(f"person.{place}", comparing.wanted_person(planned))
        person = planned.person
        if changes and person is not None:
            stored = PersonDraft(
                person.name, person.birth_date, person.sex, person.telephone, person.id_number, tuple(person.languages)
            )
            draft = replace(stored, **changes)
            people_operations.change_person(person, draft, row_version=person.row_version, by=self.by, now=self.now)

    def _tags(self) -> None:
        for draft in self.plan.tags:
            key = f"tag.{draft.tag}.{draft.member}"
            owner = None if draft.member is None else self.plan.members[draft.member].person
            if key in self.keys:
                # The draft counts members as the file does; the household may have them in another order.
                position = None
                if owner is not None:
                    position = next(
                        i for i, member in enumerate(self.household.members) if member.person_id == owner.id
                    )
                household_operations.add_tag(self.household, replace(draft, member=position), by=self.by, now=self.now)
            elif f"{key}.tags_until" in self.keys:
                self._prolong(draft.tag, owner.id if owner else None, draft.valid_to)

    def _prolong(self, code: str, person_id: uuid.UUID | None, until: Any) -> None:
        tag: Tag = next(row for row in self.household.tags if row.tag == code and row.person_id == person_id)
        household_operations.change_tag(
            tag,
            self.household,
            source=tag.source,
            valid_from=tag.valid_from,
            valid_to=until,
            by=self.by,
            now=self.now,
        )

    def _need(self, place: int, need: Need, planned: NeedPlan) -> None:
        changes = self._accepted(f"need.{place}", comparing.wanted_need(planned))
        if not changes:
            return
        window = changes.pop("window", (need.window_start, need.window_end))
        request = need_operations.NeedRequest(
            person_id=need.person_id,
            starts_on=need.starts_on,
            recurrence=need.recurrence,
            ends_on=need.ends_on,
            flexible_days=need.flexible_days,
            window_start=window[0],
            window_end=window[1],
            duration_minutes=changes.get("duration_minutes", need.duration_minutes),
            people=changes.get("people", need.people),
            preferred_start=changes.get("preferred_start", need.preferred_start),
            wishes=need.wishes,
            priority=need.priority,
            priority_reason=need.priority_reason,
            channel=need.channel,
            note=need.note or "",
        )
        need_operations.change_need(need, request, row_version=need.row_version, by=self.by, now=self.now)


def _post_needs(plan: RosterPlan, household: Household, by: Actor, now: datetime) -> int:
    posted = 0
    for need in plan.needs:
        if need.need is not None:
            continue
        person = plan.members[need.member].person
        assert person is not None and need.request is not None
        request = replace(need.request, person_id=person.id)
        db.session.flush()
        need.need = need_operations.post_need(household, need.service, request, by=by, now=now, check_past=False)
        posted += 1
    return posted


def _remember(plan: RosterPlan, household: Household, accepted: set[str], now: datetime) -> None:
    """Note what this import wrote, and what it found as the file says; values that stayed edited keep their trace."""
    new = plan.household is None
    plan.household = household
    subjects: list[tuple[str, str, uuid.UUID, dict[str, Any], dict[str, Any]]] = [
        ("household", "households", household.id, comparing.stored_household(plan), comparing.wanted_household(plan))
    ]
    for place, member in enumerate(plan.members):
        if member.person is not None:
            stored, wanted = comparing.stored_person(member), comparing.wanted_person(member)
            subjects.append((f"person.{place}", "people", member.person.id, stored, wanted))
    for place, need in enumerate(plan.needs):
        if need.need is not None:
            stored, wanted = comparing.stored_need(need.need), comparing.wanted_need(need)
            subjects.append((f"need.{place}", "needs", need.need.id, stored, wanted))
    for _key, kind, subject_id, stored, wanted in subjects:
        agreed = {name: stored[name] for name in wanted if new or stored[name] == wanted[name]}
        traces.remember(kind, subject_id, agreed, now=now, new=new and kind != "people")
    for draft in plan.tags:
        owner = None if draft.member is None else plan.members[draft.member].person
        for tag in household.tags:
            if (tag.tag, tag.person_id) == (draft.tag, owner.id if owner else None) and tag.valid_to == draft.valid_to:
                traces.remember("tags", tag.id, {"tags_until": tag.valid_to}, now=now)
