"""Registering and changing households: the operations behind the form, the importer and the call desk."""

from __future__ import annotations

import secrets
import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.accounts import granting
from linkage.areas.models import Area, Place
from linkage.areas.operations import new_place, set_position
from linkage.core import audit, privacy
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.events import ConsentWithdrawn, HouseholdMoved, MemberLeft, PersonDied, announce
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.core.sequences import next_number
from linkage.households import queries, rhythm
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft, TagDraft
from linkage.households.models import (
    CARE_LEVELS,
    CONSENT_TEXT_VERSION,
    METHODS,
    PURPOSES,
    RELATIONS,
    TAGS,
    Consent,
    Household,
    Member,
    Residence,
    Tag,
)
from linkage.people import operations as people_operations
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.people.scopes import is_strange

# Easily said and told apart on the telephone; a visitor says the household's (口令).
PASSWORDS = [
    "木棉", "凤凰", "白鹭", "海堤", "榕树", "茉莉", "龙眼", "荔枝", "石榴", "芒果", "沙茶", "月亮",
    "灯塔", "小船", "海浪", "沙滩", "喜鹊", "燕子", "蜜蜂", "蝴蝶", "茶花", "桂花", "水仙", "芦荟",
    "竹子", "松树", "杨桃", "柚子", "花生", "红豆", "绿豆", "豆浆",
]  # fmt: skip
DOOR_CODE_DIGITS = 4
UNSET: Any = object()


class MemberRefused(InvalidInput):
    """A person of a draft cannot be taken in; `member` is their place among the draft's members."""

    def __init__(self, member: int, cause: InvalidInput | Conflict) -> None:
        errors = getattr(cause, "errors", None) or {cause.field or "name": [cause]}
        super().__init__(cause.message, field=cause.field, remedy=cause.remedy, errors=errors)
        self.member = member


def register_household(draft: HouseholdDraft, *, by: Actor, now: datetime) -> Household:
    """Store a household with its members, place, tags and consents; draw its door code and password.

    Raises
    ------
    InvalidInput
        nobody to serve, an unknown relation, tag or purpose, or the number is taken in its community.
    MemberRefused
        a fact of a member is wrong, or they are served in another household already.
    """
    today = local_date(now)
    if not any(member.relation != "contact" for member in draft.members):
        raise InvalidInput(_l("Name at least one person who lives there."), field="members")
    if draft.care_level and draft.care_level not in CARE_LEVELS:
        raise InvalidInput(_l("This care level is not known."), field="care_level")
    household = Household(
        key_id=privacy.new_key("household", now),
        area_id=draft.place.area.id,
        number=_free_number(draft.place.area, draft.number),
        care_level=draft.care_level,
        source=draft.source,
        created_at=now,
    )
    household.place = _place(draft.place, household.key_id, now)
    household.health, household.hazard = draft.health, draft.hazard
    household.registered_address, household.usual_address = draft.registered_address, draft.usual_address
    household.door_code = new_door_code()
    household.password = draft.password or secrets.choice(PASSWORDS)
    db.session.add(household)
    db.session.flush()
    db.session.add(Residence(household_id=household.id, place_id=household.place_id, valid_from=today, valid_to=None))
    members = []
    for position, member in enumerate(draft.members):
        try:
            members.append(_join(household, member, position, by=by, now=now))
        except (InvalidInput, Conflict) as error:
            raise MemberRefused(position, error) from error
    for tag in draft.tags:
        _tag(household, tag, members, now)
    for consent in draft.consents:
        _consent(household, consent, by=by, now=now)
    db.session.flush()
    rhythm.refresh(household, now=now)
    audit.record(
        "households.register",
        household,
        by=by.user_id,
        now=now,
        members=len(members),
        tags=len(draft.tags),
        source=draft.source,
    )
    return household


def new_door_code() -> str:
    """Four random digits, the first not 0, so that it is never shortened by a table."""
    return str(secrets.randbelow(9 * 10 ** (DOOR_CODE_DIGITS - 1)) + 10 ** (DOOR_CODE_DIGITS - 1))


def _free_number(area: Area, wanted: str | None) -> str:
    if wanted:
        if queries.by_number(area.id, wanted) is not None:
            raise InvalidInput(
                _l("Number %(number)s is taken in %(area)s.", number=wanted, area=area.name),
                field="number",
                remedy=_l("Leave it empty to get the next free one."),
            )
        return wanted
    while True:
        number = f"{next_number(f'household/{area.id}'):04d}"
        if queries.by_number(area.id, number) is None:
            return number


def _place(draft: PlaceDraft, key_id: uuid.UUID, now: datetime) -> Place:
    return new_place(
        key_id=key_id,
        area_id=draft.area.id,
        address=draft.address,
        door_note=draft.door_note,
        position=draft.position,
        source=draft.position_source,
        access_minutes=draft.access_minutes,
        now=now,
    )


def pin_household(household: Household, position: tuple[float, float], *, by: Actor, now: datetime) -> None:
    """Staff says where the door is (WGS-84 degrees). Other approximate homes of the estate learn from it."""
    if household.place.position_source == "pin" and household.place.position == list(position):
        return
    set_position(household.place, position, source="pin", now=now)
    household.row_version += 1
    audit.record("households.pin", household, by=by.user_id, now=now)


def _join(household: Household, draft: MemberDraft, position: int, *, by: Actor, now: datetime) -> Member:
    today = local_date(now)
    if draft.relation not in RELATIONS:
        raise InvalidInput(_l("This relation is not known."), field="relation")
    person, linked = _person(draft, by, now)
    if draft.relation != "contact":
        # Two communities at once: the person's row is locked first, then their home is asked for.
        db.session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
        home = queries.home_of(person.id, today)
        if home is not None and home.id != household.id:
            raise Conflict(
                _l("This person is registered in another household."),
                field="id_number",
                remedy=_l("End the membership there first, or enter them as family who live elsewhere."),
            )
    member = Member(
        person_id=person.id, relation=draft.relation, position=position, linked=linked, valid_from=today, valid_to=None
    )
    member.person = person
    household.members.append(member)
    db.session.flush()
    return member


def add_member(household: Household, draft: MemberDraft, *, by: Actor, now: datetime) -> Member:
    """One more person of the household, from today."""
    _must_be_open(household, local_date(now))
    position = max((row.position for row in household.members), default=-1) + 1
    member = _join(household, draft, position, by=by, now=now)
    audit.record("households.add_member", household, by=by.user_id, now=now, person_id=member.person_id)
    return member


def end_membership(member: Member, *, by: Actor, now: datetime) -> None:
    """The person no longer lives there (or is no longer the family's contact), from tomorrow on; with it ends the
    role by which their account reads the household's page.

    Raises Conflict for the last one who lives there: then the household is closed instead.
    """
    today = local_date(now)
    household = member.household
    if member.relation != "contact" and not _others_live_there(member, today):
        raise Conflict(_l("Nobody would live there any more."), remedy=_l("Close the household instead."))
    member.valid_to = today
    household.row_version += 1
    db.session.flush()
    granting.end_household_roles(member.person_id, household.id, on=today, by=by, now=now)
    audit.record("households.end_membership", household, by=by.user_id, now=now, person_id=member.person_id)
    if member.relation != "contact":
        rhythm.follow_people(household, member.person_id, on=today + timedelta(days=1), now=now)
        announce(MemberLeft(by.user_id, now, household.id, member.person_id, today))


def change_household(
    household: Household,
    *,
    row_version: int,
    by: Actor,
    now: datetime,
    number: str = UNSET,
    care_level: str = UNSET,
    health: str | None = UNSET,
    hazard: str | None = UNSET,
    registered_address: str | None = UNSET,
    usual_address: str | None = UNSET,
    door_note: str | None = UNSET,
    password: str | None = UNSET,
    access_minutes: int = UNSET,
) -> None:
    """Change facts of the household; what is not given stays.  Raises StaleVersion, InvalidInput."""
    _same_version(household, row_version)
    changed = []
    if number is not UNSET and number != household.number:
        household.number = _free_number(household.area, number)
        changed.append("number")
    if care_level is not UNSET and care_level not in ("", *CARE_LEVELS):
        raise InvalidInput(_l("This care level is not known."), field="care_level")
    if (
        care_level is not UNSET
        and care_level != household.care_level
        and rhythm.is_assessed(household, local_date(now))
    ):
        raise InvalidInput(
            _l("The level follows from the ability assessment."),
            field="care_level",
            remedy=_l("Record a new assessment instead."),
        )
    facts = {
        (household, "care_level"): care_level,
        (household, "health"): health,
        (household, "hazard"): hazard,
        (household, "registered_address"): registered_address,
        (household, "usual_address"): usual_address,
        (household, "password"): password,
        (household.place, "door_note"): door_note,
        (household.place, "access_minutes"): access_minutes,
    }
    for (row, name), value in facts.items():
        if value is not UNSET and (value or None) != (getattr(row, name) or None):
            setattr(row, name, value if name in ("care_level", "access_minutes") else value or None)
            changed.append(name)
    if changed:
        household.row_version += 1
        rhythm.refresh(household, now=now)
        audit.record("households.change", household, by=by.user_id, now=now, fields=changed)


def add_tag(household: Household, draft: TagDraft, *, by: Actor, now: datetime) -> Tag:
    """Entitle the household (or one member, by its place among the members) to help, with dates and a source."""
    tag = _tag(household, draft, household.members, now)
    household.row_version += 1
    db.session.flush()
    rhythm.refresh(household, now=now)
    audit.record("households.add_tag", household, by=by.user_id, now=now, tag=draft.tag)
    return tag


def change_tag(
    tag: Tag, household: Household, *, source: str, valid_from: date, valid_to: date | None, by: Actor, now: datetime
) -> None:
    """Correct a tag's source or dates; ending it is giving it a last day."""
    _check_dates(valid_from, valid_to)
    tag.source, tag.valid_from, tag.valid_to = source, valid_from, valid_to
    household.row_version += 1
    rhythm.refresh(household, now=now)
    audit.record("households.change_tag", household, by=by.user_id, now=now, tag=tag.tag)


def _tag(household: Household, draft: TagDraft, members: list[Member], now: datetime) -> Tag:
    if draft.tag not in TAGS:
        raise InvalidInput(_l("This tag is not known."), field="tag")
    starts = draft.valid_from or local_date(now)
    _check_dates(starts, draft.valid_to)
    person_id = None if draft.member is None else members[draft.member].person_id
    for row in household.tags:
        overlaps = row.valid_to is None or row.valid_to >= starts
        if row.tag == draft.tag and row.person_id == person_id and overlaps and _begins_before(row, draft.valid_to):
            raise InvalidInput(
                _l("The household has this tag in that time already."),
                field="tag",
                remedy=_l("Change the dates of the one it has."),
            )
    tag = Tag(
        person_id=person_id,
        tag=draft.tag,
        source=draft.source,
        valid_from=starts,
        valid_to=draft.valid_to,
        created_at=now,
    )
    household.tags.append(tag)
    return tag


def _begins_before(row: Tag, end: date | None) -> bool:
    return end is None or row.valid_from <= end


def _check_dates(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise InvalidInput(_l("The last day lies before the first."), field="valid_to")


def record_consent(household: Household, draft: ConsentDraft, *, by: Actor, now: datetime) -> Consent:
    """The household agrees to a purpose; an earlier consent to the same purpose ends the day before."""
    _must_be_open(household, local_date(now))
    for earlier in household.consents:
        if earlier.purpose == draft.purpose and earlier.holds(draft.given_on):
            earlier.expires_on = max(earlier.given_on, draft.given_on - timedelta(days=1))
    consent = _consent(household, draft, by=by, now=now)
    audit.record("households.consent", household, by=by.user_id, now=now, purpose=draft.purpose, method=draft.method)
    return consent


def _consent(household: Household, draft: ConsentDraft, *, by: Actor, now: datetime) -> Consent:
    if draft.purpose not in PURPOSES or draft.method not in METHODS:
        raise InvalidInput(_l("This purpose is not known."), field="purpose")
    _check_dates(draft.given_on, draft.expires_on)
    if draft.given_on > local_date(now):
        raise InvalidInput(_l("This day is still to come."), field="given_on")
    consent = Consent(
        purpose=draft.purpose,
        given_on=draft.given_on,
        expires_on=draft.expires_on,
        text_version=draft.text_version or CONSENT_TEXT_VERSION,
        method=draft.method,
        recorded_by=by.user_id,
        created_at=now,
    )
    household.consents.append(consent)
    return consent


def withdraw_consent(household: Household, purpose: str, *, by: Actor, now: datetime) -> None:
    """The household no longer agrees, from this moment.  Announces ConsentWithdrawn.  Raises Conflict."""
    today = local_date(now)
    valid = [row for row in household.consents if row.purpose == purpose and row.holds(today)]
    if not valid:
        raise Conflict(_l("There is no consent to withdraw."))
    for consent in valid:
        consent.withdrawn_at = now
    audit.record("households.withdraw_consent", household, by=by.user_id, now=now, purpose=purpose)
    db.session.flush()
    announce(ConsentWithdrawn(by.user_id, now, household.id, purpose))


def move_household(household: Household, draft: PlaceDraft, *, row_version: int, by: Actor, now: datetime) -> None:
    """The household lives elsewhere from today; the old address stays on record.  Announces HouseholdMoved.

    In another community it keeps its number where that is free, else it gets the next one there.
    """
    _same_version(household, row_version)
    today = local_date(now)
    for row in queries.residences(household):
        if row.valid_to is None:
            row.valid_to = max(row.valid_from, today - timedelta(days=1))
    if not queries.residences(household):
        db.session.add(_first_residence(household, today))
    if draft.area.id != household.area_id:
        taken = queries.by_number(draft.area.id, household.number) is not None
        household.number = _free_number(draft.area, None if taken else household.number)
        household.area_id, household.area = draft.area.id, draft.area
    household.place = _place(draft, household.key_id, now)
    household.row_version += 1
    db.session.flush()
    db.session.add(Residence(household_id=household.id, place_id=household.place_id, valid_from=today, valid_to=None))
    audit.record("households.move", household, by=by.user_id, now=now, area_id=draft.area.id)
    db.session.flush()
    announce(HouseholdMoved(by.user_id, now, household.id))


def correct_address(household: Household, address: str, *, row_version: int, by: Actor, now: datetime) -> None:
    """The address was written wrongly: the door stays where it is, with its position.  Raises StaleVersion."""
    _same_version(household, row_version)
    if household.place.address == address:
        return
    household.place.address = address
    household.row_version += 1
    audit.record("households.correct_address", household, by=by.user_id, now=now)


def _first_residence(household: Household, today: date) -> Residence:
    since = min(local_date(household.created_at), today - timedelta(days=1))
    return Residence(
        household_id=household.id, place_id=household.place_id, valid_from=since, valid_to=today - timedelta(days=1)
    )


def record_death(person: Person, household: Household, *, on: date, by: Actor, now: datetime) -> None:
    """A member has died.  Announces PersonDied: every room ends what it holds of that person (see `effects`)."""
    if on > local_date(now):
        raise InvalidInput(_l("This day is still to come."), field="died_on")
    if person.died_on is not None:
        raise Conflict(_l("This is recorded already."))
    person.died_on = on
    person.row_version += 1
    audit.record("households.death", household, by=by.user_id, now=now, person_id=person.id, on=on)
    db.session.flush()
    announce(PersonDied(by.user_id, now, person.id, on))


def close_household(household: Household, *, by: uuid.UUID | None, now: datetime, on: date, reason: str) -> None:
    """No more service from `on`: every consent ends with it.  Announces ConsentWithdrawn for what was held."""
    if household.closed_on is not None:
        return
    household.closed_on = on
    household.row_version += 1
    audit.record("households.close", household, by=by, now=now, reason=reason)
    db.session.flush()
    announce(ConsentWithdrawn(by, now, household.id, "service"))


def _must_be_open(household: Household, today: date) -> None:
    if household.closed_on is not None and household.closed_on <= today:
        raise Conflict(_l("This household is closed."))


def _same_version(household: Household, row_version: int) -> None:
    """Lock the row, then compare: one editor wins, the rest are told."""
    db.session.refresh(household, ["row_version"], with_for_update=True)
    if household.row_version != row_version:
        raise StaleVersion(
            _l("Somebody else changed this household in the meantime."),
            remedy=_l("Open it again: what is there now may be what you wanted."),
        )


def change_member(
    member: Member,
    draft: PersonDraft,
    *,
    relation: str,
    row_version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Correct what is known of a member, and how they belong.  Raises InvalidInput, StaleVersion."""
    if relation not in RELATIONS:
        raise InvalidInput(_l("This relation is not known."), field="relation")
    people_operations.change_person(member.person, draft, row_version=row_version, linked=member.linked, by=by, now=now)
    if relation != member.relation:
        if relation == "contact" and not _others_live_there(member, local_date(now)):
            raise Conflict(_l("Nobody would live there any more."), remedy=_l("Close the household instead."))
        member.relation = relation
        member.household.row_version += 1
        audit.record("households.change_member", member.household, by=by.user_id, now=now, person_id=member.person_id)


def _others_live_there(member: Member, today: date) -> bool:
    return any(row is not member for row in queries.served_members(member.household, today))


def _person(draft: MemberDraft, by: Actor, now: datetime) -> people_operations.Found:
    """The person that is meant: by id, by ID number (one human being is one Person), else a new one."""
    if draft.person_id is None:
        return people_operations.find_or_register(draft.person, by=by, now=now)
    person = db.session.get(Person, draft.person_id)
    if person is None:
        raise InvalidInput(_l("This person is not known."), field="person_id")
    return people_operations.Found(person, is_strange(person, by))
