"""Needs, visits, and the service record of volunteers (民政部令67号) as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from linkage.accounts.models import User
from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.exports import Column, Export, Scene, register
from linkage.core.extensions import db
from linkage.core.formats import format_times
from linkage.core.permissions import Actor
from linkage.core.privacy import warm_keys
from linkage.households.exports import shown_name
from linkage.households.permissions import may_reveal
from linkage.needs import permissions as need_permissions
from linkage.needs import queries as need_queries
from linkage.needs.models import Need
from linkage.needs.recurrence import describe
from linkage.people.models import Person
from linkage.services.words import GROUP_WORDS, named
from linkage.visits import need_pages, permissions, queries, status, words
from linkage.visits import pages as visit_pages
from linkage.visits.models import Assignment, HoursEntry, Visit
from linkage.volunteers.models import Volunteer
from linkage.volunteers.pages import filtered as filtered_volunteers
from linkage.volunteers.permissions import may_list as may_list_volunteers


def _needs(actor: Actor, now: datetime) -> Select[Any]:
    return need_pages.filtered(need_queries.visible(actor), local_date(now))


def _visits(actor: Actor, now: datetime) -> Select[Any]:
    inside = visit_pages.in_state(visit_pages.in_area_and_days(actor, now), now)
    return inside.order_by(Visit.day, Visit.earliest_at, Visit.id)


def _area_names(rows: Sequence[Any]) -> dict[int, str]:
    wanted = select(Area.id, Area.name).where(Area.id.in_({row.area_id for row in rows}))
    return dict(db.session.execute(wanted).tuples().all())


def _load_needs(rows: Sequence[Need], _scene: Scene) -> Any:
    warm_keys({row.key_id for row in rows})
    homes = db.session.scalars(select(Person).where(Person.id.in_({row.person_id for row in rows}))).all()
    return _area_names(rows), len(homes)


def _load_visits(rows: Sequence[Visit], scene: Scene) -> Any:
    warm_keys({row.key_id for row in rows})
    db.session.scalars(select(Person).where(Person.id.in_({row.person_id for row in rows}))).all()
    return _area_names(rows), status.statuses(rows, scene.now), queries.active_of([row.id for row in rows])


def _coming(row: Visit, scene: Scene) -> list[str]:
    return [one.person.name for one in scene.looked_up[2].get(row.id, [])]


def _hours(actor: Actor, now: datetime) -> Select[Any]:
    """The entries of the volunteers on the list."""
    people = filtered_volunteers(actor, local_date(now)).order_by(None).with_only_columns(Volunteer.person_id)
    return select(HoursEntry).where(HoursEntry.person_id.in_(people)).order_by(HoursEntry.recorded_at, HoursEntry.id)


def _load_hours(rows: Sequence[HoursEntry], scene: Scene) -> Any:
    """By entry: the volunteer, the visit, its area, who recorded it."""
    people = {row.person_id for row in rows}
    volunteers = {
        one.person_id: one
        for one in db.session.scalars(
            select(Volunteer).where(Volunteer.person_id.in_(people)).options(joinedload(Volunteer.person))
        )
    }
    given = {row.assignment_id for row in rows if row.assignment_id}
    bookings = db.session.scalars(
        select(Assignment)
        .where(Assignment.id.in_(given))
        .options(
            joinedload(Assignment.visit).joinedload(Visit.service), joinedload(Assignment.visit).joinedload(Visit.need)
        )
    ).all()
    visits = {one.id: one.visit for one in bookings}
    posters = {visit.need.posted_by for visit in visits.values()} | {row.recorded_by for row in rows}
    users = db.session.execute(
        select(User.id, Person.name).join(Person, Person.id == User.person_id).where(User.id.in_(posters - {None}))
    )
    return {
        "volunteers": volunteers,
        "visits": visits,
        "starts": {one.id: one for one in bookings},
        "names": dict(users.tuples().all()),
        "areas": _area_names([*visits.values()]),
    }


def _visit(row: HoursEntry, scene: Scene) -> Visit | None:
    found: Visit | None = scene.looked_up["visits"].get(row.assignment_id)
    return found


def _of_visit(say: Any) -> Any:
    """A column that is empty where an entry has no visit."""

    def value(row: HoursEntry, scene: Scene) -> Any:
        visit = _visit(row, scene)
        return None if visit is None else say(visit, row, scene)

    return value


def _in_charge(visit: Visit, row: HoursEntry, scene: Scene) -> str:
    """Who posted the need, else who recorded the hours."""
    names = scene.looked_up["names"]
    return str(names.get(visit.need.posted_by) or names.get(row.recorded_by) or "")


def _time(visit: Visit, row: HoursEntry, scene: Scene) -> str:
    booking = scene.looked_up["starts"][row.assignment_id]
    return format_times(booking.starts_at, booking.ends_at)


def _volunteer(row: HoursEntry, scene: Scene) -> Volunteer:
    found: Volunteer = scene.looked_up["volunteers"][row.person_id]
    return found


NEEDS = register(
    Export(
        name="needs",
        title=_l("Needs"),
        right=need_permissions.may_see,
        model=Need,
        rows=_needs,
        load=_load_needs,
        columns=(
            Column(_l("Number"), lambda row, _scene: row.number, width=18),
            Column(_l("Community"), lambda row, scene: scene.looked_up[0].get(row.area_id, "")),
            Column(_l("For whom"), lambda row, scene: shown_name(row.person.name, scene.actor)),
            Column(_l("Service"), lambda row, _scene: named(row.service)),
            Column(_l("First day"), lambda row, _scene: row.starts_on),
            Column(_l("Repeats"), lambda row, _scene: describe(row.recurrence), width=18),
            Column(_l("Last day"), lambda row, _scene: row.ends_on),
            Column(_l("Hours"), lambda row, _scene: format_times(row.window_start, row.window_end)),
            Column(_l("Minutes"), lambda row, _scene: row.duration_minutes, width=9),
            Column(_l("People"), lambda row, _scene: row.people, width=8),
            Column(_l("Priority"), lambda row, _scene: words.PRIORITY_WORDS[row.priority]),
            Column(_l("Came by"), lambda row, _scene: words.CHANNEL_WORDS.get(row.channel, row.channel)),
            Column(_l("Posted at"), lambda row, _scene: row.created_at, width=18),
            Column(_l("Withdrawn at"), lambda row, _scene: row.withdrawn_at, width=18),
        ),
    )
)
VISITS = register(
    Export(
        name="visits",
        title=_l("Visits"),
        right=permissions.may_see,
        model=Visit,
        rows=_visits,
        load=_load_visits,
        personal_right=may_reveal,
        columns=(
            Column(_l("Number"), lambda row, _scene: row.number, width=20),
            Column(_l("Day"), lambda row, _scene: row.day),
            Column(_l("Community"), lambda row, scene: scene.looked_up[0].get(row.area_id, "")),
            Column(_l("For whom"), lambda row, _scene: row.person.name,
                   lambda row, scene: shown_name(row.person.name, scene.actor)),
            Column(_l("Address"), lambda row, _scene: row.address, lambda _row, _scene: "", width=26),
            Column(_l("Service"), lambda row, _scene: named(row.service)),
            Column(_l("Minutes"), lambda row, _scene: row.duration_minutes, width=9),
            Column(_l("People"), lambda row, _scene: row.people, width=8),
            Column(_l("State"), lambda row, scene: words.STATE_WORDS.get(scene.looked_up[1][row.id].value, "")),
            Column(_l("Who comes"), _coming, width=18),
            Column(_l("Rated"), lambda row, _scene: words.FACE_WORDS.get(row.rating or 0, "")),
        ),
    )
)  # fmt: skip
HOURS = register(
    Export(
        name="hours",
        title=_l("Service records of volunteers"),
        right=may_list_volunteers,
        model=HoursEntry,
        rows=_hours,
        load=_load_hours,
        columns=(
            Column(_l("Volunteer number"), lambda row, scene: _volunteer(row, scene).number),
            Column(_l("Name"), lambda row, scene: _volunteer(row, scene).person.name),
            Column(_l("Activity"), _of_visit(lambda visit, _row, _scene: named(visit.service))),
            Column(_l("Day"), _of_visit(lambda visit, _row, _scene: visit.day)),
            Column(_l("Place"), _of_visit(lambda visit, _row, scene: scene.looked_up["areas"].get(visit.area_id, ""))),
            Column(_l("Content"), _of_visit(lambda visit, _row, _scene: GROUP_WORDS.get(visit.service.group, "")),
                   width=18),
            Column(_l("Time"), _of_visit(_time)),
            Column(_l("Minutes given"), lambda row, _scene: row.minutes, width=10),
            Column(_l("Organising unit"), _of_visit(
                lambda visit, _row, scene: scene.looked_up["areas"].get(visit.area_id, "")), width=18),
            Column(_l("Person in charge"), _of_visit(_in_charge)),
            Column(_l("Recorded at"), lambda row, _scene: row.recorded_at, width=18),
            Column(_l("Corrects an earlier entry"), lambda row, _scene: row.corrects_id is not None, width=10),
        ),
    )
)  # fmt: skip
