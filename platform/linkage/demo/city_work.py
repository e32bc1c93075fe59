"""Who helps in the made-up city, what is needed there, and what became of it: employers, carers, needs, visits.

The eight weeks lie four behind and four before the week's Monday. What lies behind was carried out (nine of ten),
this week and the next are booked, the rest waits for its plan.
"""

from __future__ import annotations

import heapq
import itertools
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from linkage.accounts.models import User
from linkage.areas.models import Area
from linkage.contracts.capacity import month_of, quantity_for
from linkage.contracts.models import ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.contracts.operations import ContractDraft, LineDraft, enter_contract
from linkage.core import audit
from linkage.core.clock import at_minutes, local_date, minutes_of_day
from linkage.core.extensions import db
from linkage.core.models import Sequence
from linkage.core.permissions import Role
from linkage.demo import accounts
from linkage.demo.inventing import Inventor
from linkage.demo.setting import STREET, Story
from linkage.households.models import Household
from linkage.needs import recurrence
from linkage.needs.models import Need
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.operations import OrganisationDraft, register_organisation
from linkage.people.models import Person, WorkPattern
from linkage.people.operations import register_person
from linkage.services.models import Service
from linkage.services.queries import services_on
from linkage.visits.generation import Where, follow_need, horizon, key_of, place_at
from linkage.visits.models import Assignment, Attendance, HoursEntry, Slot, Visit
from linkage.volunteers.models import Volunteer, VolunteerService

if TYPE_CHECKING:
    from linkage.demo.city import City, Home

WEEKS_BEHIND, WEEKS = 4, 8
CARER_VISITS_A_WEEK, VOLUNTEERS, HELPERS = 28, 2_000, 4_000
MIX = {
    "meal": (20, 15), "clean": (15, 60), "care": (16, 60), "bath": (5, 50), "company": (14, 45), "clinic": (3, 90),
    "nursing": (9, 30), "counsel": (3, 45), "errand": (15, 30),
}  # fmt: skip
WINDOWS = {"meal": ((630, 780),), "nursing": ((480, 660), (840, 1020))}
ANY_HOURS = ((480, 720), (540, 780), (780, 1020), (840, 1080))
BY_VOLUNTEERS = ("company", "errand")
DAY_START, DAY_END, WAY = 8 * 60, 18 * 60, 8


@dataclass(frozen=True)
class Employer:
    """An organisation with the lines on which its visits are charged, by unit."""

    organisation: Organisation
    lines: dict[str, ContractLine]
    district: Area


def register_employers(inventor: Inventor, story: Story, password_hash: str) -> list[Employer]:
    """One organisation in each district, with its manager and its contract."""
    districts = db.session.scalars(select(Area).where(Area.level == "district").order_by(Area.code)).all()
    return [_employer(number, row, inventor, story, password_hash) for number, row in enumerate(districts, 1)]


def _employer(number: int, district: Area, inventor: Inventor, story: Story, password_hash: str) -> Employer:
    admin = accounts.actor("admin", story.setup)
    city_wide = accounts.actor("supervisor-city", story.setup)
    organisation = register_organisation(
        OrganisationDraft(
            name=f"厦门市{district.name}颐康居家养老服务中心", short_name=f"{district.name}颐康",
            uscc=inventor.credit_code(number), area_id=district.id, rating="4A",
            rating_valid_to=date(story.today.year + 3, 6, 30), lat=24.48, lon=118.12,
        ),
        by=city_wide, now=story.setup,
    )  # fmt: skip
    person = register_person(inventor.person("F", inventor.born(32, 55, story.today)), by=admin, now=story.setup)
    accounts.open_for_organisation(
        person, f"manager-{number}", Role.MANAGER, organisation, password_hash=password_hash, by=admin, now=story.setup
    )
    starts, ends = story.long_ago, date(story.today.year + 1, 12, 31)
    head = ContractDraft(
        organisation.id, f"XM-{number}", "居家养老服务采购", district.id, starts, starts, ends, 900_000_000
    )
    services = [row for row in services_on(story.today) if row.code in MIX]
    lines = [
        LineDraft(
            tuple(row.id for row in services if row.unit == unit), (district.id,), unit, price, cap, starts, ends, name
        )
        for unit, price, cap, name in (("minutes", 6000, 3_000_000, "居家养老"), ("meals", 900, 100_000, "助餐"))
    ]
    contract = enter_contract(head, lines, by=city_wide, now=story.setup)
    return Employer(organisation, {line.unit: line for line in contract.lines}, district)


@dataclass
class Helper:
    """Somebody who can go: a carer with an employer, or a volunteer without one."""

    person: Person
    days: tuple[int, ...]
    employer: Employer | None = None


@dataclass
class Supply:
    """Helpers by street, made as the street's visits ask for them."""

    city: City
    employers: list[Employer]
    carers: dict[int, list[Helper]] = field(default_factory=lambda: defaultdict(list))
    volunteers: dict[int, list[Helper]] = field(default_factory=lambda: defaultdict(list))

    def hire(self, street: Area, number: int) -> None:
        """So many carers for the street, at work five days a week."""
        employer = next(one for one in self.employers if street.path.startswith(one.district.path))
        for place in range(number):
            days = tuple(sorted((place + day) % 7 for day in range(5)))
            self.carers[street.id].append(self._carer(employer, street, days))

    def _carer(self, employer: Employer, street: Area, days: tuple[int, ...]) -> Helper:
        person = _new_person(self.city, "F" if self.city.random.random() < 0.8 else "M", 24, 58)
        since = self.city.story.long_ago
        self.city.bulk.add(
            Carer(
                person_id=person.id, organisation_id=employer.organisation.id, kind="carer", weekly_minutes=2400,
                travel_mode="ebike", valid_from=since, valid_to=None, created_at=self.city.story.setup,
            )
        )  # fmt: skip
        for day in days:
            self.city.bulk.add(
                WorkPattern(
                    person_id=person.id, kind="shift", organisation_id=employer.organisation.id, area_id=street.id,
                    weekday=day, start_minute=DAY_START, end_minute=DAY_END, break_minutes=0, valid_from=since,
                    valid_to=None,
                )
            )  # fmt: skip
        return Helper(person, days, employer)

    def enlist(self, communities: list[tuple[int, Area]], services: list[Service]) -> None:
        """The city's volunteers, spread over its communities."""
        story, bulk = self.city.story, self.city.bulk
        for number, (area_id, street) in zip(range(1, VOLUNTEERS + 1), itertools.cycle(communities), strict=False):
            person = _new_person(self.city, "F" if number % 3 else "M", 20, 68)
            row = Volunteer(
                person_id=person.id, number=f"V{number:06d}", area_id=area_id, radius_metres=2500, weekly_minutes=360,
                travel_mode="bike", insured_to=story.today + timedelta(days=20 + number % 300),
                joined_on=local_date(story.setup), created_at=story.setup,
            )  # fmt: skip
            bulk.add(row)
            for service in services:
                bulk.add(VolunteerService(volunteer_id=row.id, service_id=service.id))
            self.volunteers[street.id].append(Helper(person, tuple(sorted({number % 7, (number + 3) % 7}))))
        bulk.put(Sequence, name="volunteer", last=VOLUNTEERS)


def _new_person(city: City, sex: str, youngest: int, oldest: int) -> Person:
    return city.new_person(sex, city.inventor.born(youngest, oldest, city.story.today))


# --- needs and visits --------------------------------------------------------------------------------------------


@dataclass
class Wanted:
    """A visit that is to be carried out, and where it begins and ends to count."""

    visit: Visit
    home: Home
    service: Service
    slots: list[uuid.UUID]


def make_work(city: City, supply: Supply) -> Books:
    """Needs, visits, and what became of them."""
    services = {row.code: row for row in services_on(city.story.today) if row.code in MIX}
    wanted = _visits(city, services)
    by_street: dict[int, list[Wanted]] = defaultdict(list)
    for one in wanted:
        by_street[one.visit.planning_area_id].append(one)
    streets = {home.street.id: home.street for home in city.homes}
    for street_id, visits in by_street.items():
        supply.hire(streets[street_id], max(2, len(visits) // WEEKS // CARER_VISITS_A_WEEK))
    communities = list({home.household.area_id: home.street for home in city.homes}.items())
    supply.enlist(communities, [services[code] for code in BY_VOLUNTEERS])
    books = Books(city)
    for street_id, visits in by_street.items():
        _staff(city, supply, street_id, visits, books)
    books.close()
    return books


def _visits(city: City, services: dict[str, Service]) -> list[Wanted]:
    """Needs of one household after another, chosen at random, until the city has its number of visits."""
    pick = city.random
    found: list[Wanted] = []
    posted: Counter[date] = Counter()
    codes, shares = list(MIX), [share for share, _minutes in MIX.values()]
    posters = list(db.session.scalars(select(User.id).where(User.sign_in_name.in_(("clerk", "operator")))))
    until = horizon(city.story.now)
    while len(found) < city.size.visits:
        home, code = pick.choice(city.homes), pick.choices(codes, shares)[0]
        need = _need(city, home, services[code], posted)
        need.posted_by, need.visits_until = pick.choice(posters), until
        city.bulk.add(need)
        days = recurrence.days(need.starts_on, need.recurrence, need.ends_on, first=need.starts_on, last=until)
        for day in days[: city.size.visits - len(found)]:
            found.append(_visit(city, need, home, services[code], day))
    for day, last in posted.items():
        city.bulk.put(Sequence, name=f"needs {day:%Y%m%d}", last=last)
    return found


def _need(city: City, home: Home, service: Service, posted: Counter[date]) -> Need:
    pick, story = city.random, city.story
    start, end = pick.choice(WINDOWS.get(service.code, ANY_HOURS))
    first = story.monday - timedelta(weeks=WEEKS_BEHIND)
    once = pick.random() < 0.35
    starts_on = first + timedelta(days=pick.randrange(7 * WEEKS)) if once else first
    asked_on = min(starts_on, story.today) - timedelta(days=1 + pick.randrange(20))
    posted[asked_on] += 1
    days = pick.sample(range(7), pick.choice((1, 1, 2, 3, 5)))
    return Need(
        number=f"X{asked_on:%Y%m%d}-{posted[asked_on]:04d}",
        key_id=home.household.key_id,
        household_id=home.household.id,
        person_id=pick.choice(home.heads).id,
        service_id=service.id,
        area_id=home.household.area_id,
        starts_on=starts_on,
        recurrence=None if once else recurrence.weekly(days),
        flexible_days=1,
        window_start=start,
        window_end=end,
        duration_minutes=MIX[service.code][1],
        people=2 if service.code == "bath" and home.household.care_level in ("severe", "total") else 1,
        wishes={},
        priority=2 if service.code in ("meal", "care") else 3,
        priority_reason="basic_need" if service.code in ("meal", "care") else "wish",
        channel=pick.choice(("counter", "hotline", "visit")),
        created_at=at_minutes(asked_on, 600),
    )


def _visit(city: City, need: Need, home: Home, service: Service, day: date) -> Wanted:
    visit = Visit(
        number=key_of(need, day), key=key_of(need, day), key_id=need.key_id, need_id=need.id,
        household_id=need.household_id, service_id=need.service_id, day=day, created_at=need.created_at,
    )  # fmt: skip
    follow_need(visit, need)
    place_at(visit, Where(home.place, need.area_id, home.street.id, home.address))
    slots = []
    for position in range(need.people):
        slot = Slot(visit_id=visit.id, position=position)
        city.bulk.add(slot)
        slots.append(slot.id)
    return Wanted(visit, home, service, slots)


def _staff(city: City, supply: Supply, street_id: int, visits: list[Wanted], books: Books) -> None:
    """Send the street's helpers out, day by day, each to one visit after the other."""
    by_day: dict[date, list[Wanted]] = defaultdict(list)
    for one in visits:
        by_day[one.visit.day].append(one)
    planned_until = city.story.monday + timedelta(days=13)
    for day, rows in by_day.items():
        carers = [(DAY_START, n) for n, one in enumerate(supply.carers[street_id]) if day.weekday() in one.days]
        helpers = [(DAY_START, n) for n, one in enumerate(supply.volunteers[street_id]) if day.weekday() in one.days]
        heapq.heapify(carers)
        heapq.heapify(helpers)
        for one in sorted(rows, key=lambda row: (row.visit.windows[0][0], row.visit.windows[0][1])):
            sent: list[tuple[Helper, int]] = []
            if day <= planned_until and city.random.random() > 0.02:
                by_volunteer = one.service.code in BY_VOLUNTEERS and city.random.random() < 0.25
                pool, of = (helpers, supply.volunteers) if by_volunteer else (carers, supply.carers)
                sent = _send(one.visit, pool, of[street_id])
            books.enter(one, sent)


def _send(visit: Visit, pool: list[tuple[int, int]], people: list[Helper]) -> list[tuple[Helper, int]]:
    """Who goes and when (minutes from midnight): those who are free first; nobody where they come too late."""
    if len(pool) < visit.people:
        return []
    chosen = [heapq.heappop(pool) for _ in range(visit.people)]
    start = max(visit.windows[0][0], *(free + WAY for free, _number in chosen))
    fits = start + visit.duration_minutes <= visit.windows[0][1]
    for free, number in chosen:
        heapq.heappush(pool, (start + visit.duration_minutes if fits else free, number))
    return [(people[number], start) for _free, number in chosen] if fits else []


class Books:
    """What became of each visit: bookings, attendance, hours, and the minutes of the contract lines."""

    def __init__(self, city: City) -> None:
        self.city, self.bulk, self.now = city, city.bulk, city.story.now
        self.months: dict[tuple[uuid.UUID, str], list[int]] = defaultdict(lambda: [0, 0])
        self.persons: Counter[tuple[uuid.UUID, uuid.UUID, str]] = Counter()
        self.lines: dict[uuid.UUID, ContractLine] = {}
        self.first: dict[str, tuple[Helper, Visit]] = {}

    def enter(self, one: Wanted, sent: list[tuple[Helper, int]]) -> None:
        """Write the visit with its end, and what each helper did."""
        visit, luck = one.visit, self.city.random.random()
        past = visit.latest_at < self.now
        if not sent and past:
            visit.closed_unmet_at = visit.latest_at
        if sent and luck < 0.03:
            visit.cancelled_at, visit.cancel_reason, sent = visit.earliest_at - timedelta(days=1), "not_needed", []
        for slot_id, (helper, start) in zip(one.slots, sent, strict=False):
            self._booking(one, slot_id, helper, at_minutes(visit.day, start), missed=luck > 0.985)
        over = sent and at_minutes(visit.day, sent[0][1] + visit.duration_minutes) < self.now
        if over and 0.1 < luck <= 0.985:
            visit.confirmed_at, visit.rating = visit.latest_at + timedelta(minutes=30), 3
            if visit.confirmed_at > self.now:
                visit.confirmed_at = visit.rating = None
        self.bulk.add(visit)

    def _booking(self, one: Wanted, slot_id: uuid.UUID, helper: Helper, start: datetime, *, missed: bool) -> None:
        visit, employer = one.visit, helper.employer
        line = employer.lines[one.service.unit] if employer else None
        booked_at = visit.earliest_at - timedelta(days=4)
        row = Assignment(
            slot_id=slot_id, visit_id=visit.id, person_id=helper.person.id, starts_at=start,
            capacity="carer" if employer else "volunteer", ends_at=start + timedelta(minutes=visit.duration_minutes),
            organisation_id=employer.organisation.id if employer else None,
            organisation_name=employer.organisation.short_name if employer else "",
            line_id=line.id if line else None, charge=quantity_for(line.unit, visit.duration_minutes) if line else 0,
            travel_minutes=WAY, busy_from=start - timedelta(minutes=WAY), booked_at=booked_at,
            accepted_at=booked_at if employer is None or self.city.random.random() < 0.5 else None,
        )  # fmt: skip
        self.bulk.add(row)
        if self._is_own(one):
            self.first.setdefault(row.capacity, (helper, visit))
        came = row.ends_at < self.now and not missed
        if came:
            self._attendance(row)
        if line is not None:
            self._charge(line, one, row, delivered=came)

    def _is_own(self, one: Wanted) -> bool:
        """A visit of today in the demo's street: its helper gets an account."""
        return one.home.street.code == STREET and one.visit.day == self.city.story.today

    def _attendance(self, row: Assignment) -> None:
        shift = timedelta(minutes=self.city.random.randrange(0, 6))
        minutes = int((row.ends_at - row.starts_at).total_seconds() // 60)
        self.bulk.add(
            Attendance(
                assignment_id=row.id, checked_in_at=row.starts_at + shift, check_in_method="code",
                checked_out_at=row.ends_at + shift, check_out_method="code", minutes=minutes, delivered=row.charge,
            )
        )  # fmt: skip
        if row.capacity == "volunteer":
            self.bulk.add(
                HoursEntry(person_id=row.person_id, assignment_id=row.id, minutes=minutes, recorded_at=row.ends_at)
            )

    def _charge(self, line: ContractLine, one: Wanted, row: Assignment, *, delivered: bool) -> None:
        month = month_of(one.visit.day)
        self.lines[line.id] = line
        self.months[line.id, month][delivered] += row.charge
        self.persons[line.id, one.visit.person_id, month] += row.charge
        for kind, at in (("commit", row.booked_at), ("deliver", row.ends_at))[: 1 + delivered]:
            self.bulk.put(
                LedgerEntry, line_id=line.id, month=month, kind=kind, quantity=row.charge,
                person_id=one.visit.person_id, visit_id=one.visit.id, slot_id=row.slot_id,
                summary={
                    "service": one.service.code, "day": one.visit.day.isoformat(), "visit": one.visit.number,
                    "start_minute": minutes_of_day(row.starts_at, one.visit.day), "minutes": one.visit.duration_minutes,
                },
                at=at, by=None,
            )  # fmt: skip

    def close(self) -> None:
        """The guarded sums of what was entered."""
        for (line_id, month), (committed, delivered) in self.months.items():
            row = LineMonth(line_id=line_id, month=month, cap=self.lines[line_id].monthly_cap, reserved=0)
            row.committed, row.delivered = committed, delivered
            self.bulk.add(row)
        for (line_id, person_id, month), used in self.persons.items():
            self.bulk.add(PersonMonth(line_id=line_id, person_id=person_id, month=month, quota=None, used=used))


def open_accounts(city: City, books: Books, password_hash: str) -> None:
    """Accounts for a carer, a volunteer and a household of the demo's street, each with a visit today."""
    story, admin = city.story, accounts.actor("admin", city.story.setup)
    carer, visit = books.first["carer"]
    assert carer.employer is not None
    accounts.open_for_organisation(
        db.session.get_one(Person, carer.person.id), "carer", Role.CARER, carer.employer.organisation,
        password_hash=password_hash, by=admin, now=story.setup,
    )  # fmt: skip
    helper, _visit = books.first["volunteer"]
    person = db.session.get_one(Person, helper.person.id)
    area = db.session.scalars(select(Area).join(Volunteer).where(Volunteer.person_id == person.id)).one()
    accounts.open_for_volunteer(person, "volunteer", area, password_hash=password_hash, by=admin, now=story.setup)
    home = db.session.get_one(Household, visit.household_id)
    accounts.open_for_household(
        db.session.get_one(Person, visit.person_id), "household", home, password_hash=password_hash, by=admin,
        now=story.setup,
    )  # fmt: skip
    audit.record("demo.accounts", ("demo", "city"), by=None, now=story.setup)
