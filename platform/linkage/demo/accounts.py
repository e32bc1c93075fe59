"""Accounts of the demo: staff, carers, volunteers and households, all with the one password of the demo."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from linkage.accounts import granting, operations
from linkage.accounts.models import User
from linkage.accounts.queries import actor_of
from linkage.accounts.scopes import Target
from linkage.areas.models import Area
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor, Role
from linkage.demo.inventing import Inventor
from linkage.demo.setting import CITY, OWN, STREET, Story
from linkage.households.models import Household
from linkage.organisations.models import Organisation
from linkage.people.models import Person
from linkage.people.operations import register_person

Staff = tuple[str, Role, str, str, str]
# sign-in name, role, name, sex, where it holds (an area's code or name)
STAFF: tuple[Staff, ...] = (
    ("clerk", Role.COMMUNITY, "苏晓梅", "F", OWN),
    ("clerk2", Role.COMMUNITY, "林清水", "M", "盈翠社区"),
    ("clerk3", Role.COMMUNITY, "叶美华", "F", "松柏社区"),
    ("operator", Role.OPERATOR, "庄静怡", "F", CITY),
    ("coordinator", Role.COORDINATOR, "林志远", "M", STREET),
    ("supervisor", Role.SUPERVISOR, "郑国平", "M", STREET),
    ("admin", Role.ADMINISTRATOR, "高文辉", "M", CITY),
)


def area_of(name: str) -> Area:
    """An area by its code, or a community of the street by its name."""
    street = select(Area.id).where(Area.code == STREET).scalar_subquery()
    named = (Area.name == name) & (Area.parent_id == street)
    return db.session.scalars(select(Area).where((Area.code == name) | named)).one()


def open_account(
    person: Person, name: str, role: Role, target: Target, *, password_hash: str, by: Actor | None, now: datetime
) -> User:
    """An account with a role and the demo's password."""
    user = granting.create_account(person, sign_in_name=name, by=by, now=now)
    operations.set_password(user, password_hash, keep=None, now=now)
    granting.grant_role(user, role, target, valid_from=local_date(now), by=by, now=now)
    return user


def open_staff(inventor: Inventor, story: Story, password_hash: str, staff: Iterable[Staff] = STAFF) -> None:
    """The staff's accounts, opened by the set-up itself; the administrator comes as with a new installation."""
    for name, role, full_name, sex, where in staff:
        born = inventor.born(28, 52, story.today)
        draft = inventor.person(sex, born, name=full_name)
        person = register_person(draft, by=None, now=story.setup)
        area = area_of(where)
        target = Target("area", area.id, area.name, area.path)
        open_account(person, name, role, target, password_hash=password_hash, by=None, now=story.setup)


def open_for_organisation(
    person: Person, name: str, role: Role, organisation: Organisation, *, password_hash: str, by: Actor, now: datetime
) -> User:
    target = Target("organisation", organisation.id, organisation.short_name, organisation.area.path)
    return open_account(person, name, role, target, password_hash=password_hash, by=by, now=now)


def open_for_volunteer(person: Person, name: str, area: Area, *, password_hash: str, by: Actor, now: datetime) -> User:
    target = Target("self", None, person.name, area.path)
    return open_account(person, name, Role.VOLUNTEER, target, password_hash=password_hash, by=by, now=now)


def open_for_household(
    person: Person, name: str, household: Household, *, password_hash: str, by: Actor, now: datetime
) -> User:
    target = Target("household", household.id, household.number, household.area.path)
    return open_account(person, name, Role.HOUSEHOLD, target, password_hash=password_hash, by=by, now=now)


def actor(name: str, now: datetime) -> Actor:
    """The account `name`, as it may act at `now`."""
    return actor_of(db.session.scalars(select(User).where(User.sign_in_name == name)).one(), now)
