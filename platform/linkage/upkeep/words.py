"""How tables, fields and reasons are named for people, in the file of their data and in the proof of an erasure."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

REASONS: dict[str, Any] = {
    "asked_by_person": _l("the person asked for it"),
    "asked_by_relatives": _l("relatives of a person who died asked for it"),
    "asked_by_authority": _l("an authority asked for it by law"),
    "not_needed": _l("no longer needed for the purpose"),
    "wrongly_recorded": _l("wrongly recorded"),
}
TABLES: dict[str, Any] = {
    "people": _l("Person"),
    "person_keys": _l("Search keys of the name"),
    "places": _l("Addresses and positions"),
    "calls": _l("Telephone calls"),
    "assessments": _l("Ability assessments"),
    "papers": _l("Missing papers"),
    "households": _l("Household"),
    "members": _l("Membership of a household"),
    "tags": _l("Entitlements (tags)"),
    "consents": _l("Consent"),
    "residences": _l("Moves"),
    "needs": _l("Needs"),
    "visits": _l("Visits"),
    "assignments": _l("Visits carried out or booked"),
    "offers": _l("Questions asked to a volunteer"),
    "offer_rounds": _l("Kept in reserve"),
    "hours_entries": _l("Volunteer hours"),
    "carers": _l("Employment as a carer"),
    "volunteers": _l("Volunteer"),
    "held_qualifications": _l("Qualifications"),
    "work_patterns": _l("Hours of work"),
    "work_exceptions": _l("Absences"),
    "users": _l("Account"),
    "grants": _l("Roles"),
    "inbox_messages": _l("Messages"),
    "outbox": _l("Messages on their way"),
    "ledger_entries": _l("Minutes on contract lines"),
    "person_months": _l("Monthly quota used"),
    "plan_stops": _l("Places in plans"),
    "imported_rows": _l("What an import wrote"),
    "uploads": _l("Uploaded files"),
    "upload_groups": _l("Rows of uploaded files"),
    "data_requests": _l("Data requests"),
}
FIELDS: dict[str, Any] = {
    "name": _l("Name"),
    "birth_date": _l("Birth date"),
    "sex": _l("Sex"),
    "languages": _l("Languages"),
    "telephone": _l("Telephone"),
    "id_number": _l("Resident ID number"),
    "address": _l("Address"),
    "position": _l("Position"),
    "door_note": _l("Door note"),
    "health": _l("Health"),
    "hazard": _l("What to mind in the home"),
    "door_code": _l("Door code"),
    "password": _l("Password a visitor says"),
    "registered_address": _l("Registered address"),
    "care_level": _l("Care level"),
    "number": _l("Number"),
    "valid_from": _l("From"),
    "valid_to": _l("Until"),
    "created_at": _l("Recorded"),
    "source": _l("Source"),
    "tag": _l("Tag"),
    "purpose": _l("Purpose"),
    "given_on": _l("Given on"),
    "withdrawn_at": _l("Withdrawn"),
    "text_version": _l("Version of the text"),
    "method": _l("How"),
    "relation": _l("Relation"),
    "day": _l("Day"),
    "starts_on": _l("First day"),
    "ends_on": _l("Last day"),
    "starts_at": _l("Begins"),
    "ends_at": _l("Ends"),
    "duration_minutes": _l("Minutes"),
    "minutes": _l("Minutes"),
    "note": _l("Note"),
    "reason": _l("Reason"),
    "role": _l("Role"),
    "sign_in_name": _l("Sign-in name"),
    "died_on": _l("Died on"),
    "wishes": _l("Wishes"),
    "channel": _l("Channel"),
    "kind": _l("Kind"),
}


def table(name: str) -> Any:
    """A table in people's words; its own name where nobody has given one."""
    return TABLES.get(name, name)


def field(name: str) -> Any:
    return FIELDS.get(name, name.replace("_", " "))


def reason(code: str) -> Any:
    return REASONS.get(code, code)
