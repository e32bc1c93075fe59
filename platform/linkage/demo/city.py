"""A made-up city for measuring: 50,000 people in 20,000 households, with 200,000 visits in eight weeks, from a seed.

Staff, organisations and contracts come through the rooms' operations; people, households, needs and visits are
built like every other row (keys, seals, blind indexes, snapshots) and written in bulk (`demo.bulk`), in minutes.
A tenth of the households lives in the demo's street, so that one street's pages are heavy, too.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import select
from stdnum.iso7064 import mod_11_2

from linkage.accounts.models import User
from linkage.areas.models import Area, Estate, Place
from linkage.areas.operations import estate_name
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.ids import seeded_ids
from linkage.core.models import Sequence
from linkage.core.permissions import Role
from linkage.core.privacy import new_keys
from linkage.core.statistics import refresh_statistics
from linkage.core.transactions import unit_of_work
from linkage.demo import accounts, city_work, load
from linkage.demo.bulk import Bulk
from linkage.demo.inventing import COUNTY, OLD_NAMES, SURNAMES, YOUNG_NAMES, Inventor
from linkage.demo.setting import CITY, DISTRICT, SEED, STREET, Story
from linkage.households.models import CONSENT_TEXT_VERSION, PURPOSES, Consent, Household, Member, Residence, Tag
from linkage.households.operations import PASSWORDS
from linkage.people.identity import normalise_telephone
from linkage.people.models import Person
from linkage.people.names import name_keys
from linkage.visits.models import Visit

RARE_SURNAMES = "单解仇区曾查任盖朴乐尉缪翟覃欧阳"  # read otherwise, or of two characters
GIVEN = "秀英美珠丽华宝珍玉兰金枝素月秋菊淑贞碧霞惠月娥锦绣雪云桂香瑞春花明国栋建成德文斌清水天福永振声荣庆祥海生志强"
OWN_SHARE = 0.1
# The demo's supervisor looks after a street; a city has some of the district and of the whole, too.
MORE_STAFF = (
    ("supervisor-district", Role.SUPERVISOR, "吴建成", "M", DISTRICT),
    ("supervisor-city", Role.SUPERVISOR, "黄惠珍", "F", CITY),
)
ESTATE_ENDINGS = ("一里", "二里", "花园", "新村")
STREET_SPREAD, ESTATE_SPREAD, BUILDING_SPREAD = 0.012, 0.003, 0.0006
TAGS = ("minimum_living", "minimum_margin", "destitute", "severe_disability", "lost_only_child", "rigid_expense")


@dataclass(frozen=True)
class Size:
    people: int = 50_000
    households: int = 20_000
    visits: int = 200_000


@dataclass
class Home:
    """A household of the city, as far as its needs and visits ask for it."""

    household: Household
    place: Place
    address: str
    street: Area
    heads: list[Person]


@dataclass
class City:
    """What the making of the parts shares."""

    story: Story
    size: Size
    inventor: CityInventor
    recorder: uuid.UUID
    household_keys: list[uuid.UUID]
    person_keys: list[uuid.UUID]
    bulk: Bulk = field(default_factory=Bulk)
    homes: list[Home] = field(default_factory=list)
    estates: dict[tuple[int, str], Estate] = field(default_factory=dict)

    @property
    def random(self) -> random.Random:
        return self.inventor.random

    def new_person(self, sex: str, born: date, *, surname: str = "", telephone: bool = True) -> Person:
        """A person with sealed numbers and their indexes, taken into the bulk."""
        draft = self.inventor.person(sex, born, surname=surname, telephone=telephone)
        person = Person(
            key_id=self.person_keys.pop(),
            name=draft.name,
            name_keys=name_keys(draft.name),
            birth_date=born,
            sex=sex,
            languages=list(draft.languages),
            created_at=self.story.registering,
        )
        person.telephone = normalise_telephone(draft.telephone) if draft.telephone else None
        person.id_number = draft.id_number
        self.bulk.add(person)
        return person


class CityInventor(Inventor):
    """Names repeat in a city; numbers do not."""

    def telephone(self) -> str:
        self._telephones += 1
        return f"1390{self._telephones:07d}"

    def id_number(self, born: date, sex: str) -> str:
        day = f"{born:%Y%m%d}{sex}"
        self._serials[day] = self._serials.get(day, 0) + 1
        body = f"{COUNTY}{born:%Y%m%d}{2 * self._serials[day] + (sex == 'M'):03d}"
        return body + mod_11_2.calc_check_digit(body)

    def _name(self, sex: str, born: date, surname: str) -> str:
        pick = self.random
        surname = surname or (pick.choice(RARE_SURNAMES[:-2]) if pick.random() < 0.06 else pick.choice(SURNAMES))
        if pick.random() < 0.3:
            return surname + pick.choice((OLD_NAMES if born.year < 1975 else YOUNG_NAMES)[sex].split())
        return surname + "".join(pick.choices(GIVEN, k=1 if pick.random() < 0.12 else 2))


def make(story: Story, size: Size, *, seed: int = SEED) -> Size:
    """Fill an empty, migrated database; returns how much there is."""
    inventor = CityInventor(seed)
    with seeded_ids(seed):
        password_hash = load.make_basis(story, inventor)
        unit_of_work(lambda: accounts.open_staff(inventor, story, password_hash, MORE_STAFF))
        staff = unit_of_work(lambda: city_work.register_employers(inventor, story, password_hash))
        made = unit_of_work(lambda: _fill(_new_city(story, size, inventor), staff, password_hash))
    unit_of_work(refresh_statistics)
    return made


def _new_city(story: Story, size: Size, inventor: CityInventor) -> City:
    clerk = db.session.scalars(select(User.id).where(User.sign_in_name == "clerk")).one()
    homes = new_keys("household", size.households, story.registering)
    people = new_keys("person", size.people + city_work.HELPERS, story.registering)
    return City(story, size, inventor, clerk, homes, people)


def _fill(city: City, staff: list[city_work.Employer], password_hash: str) -> Size:
    _households(city)
    books = city_work.make_work(city, city_work.Supply(city, staff))
    _contacts(city)
    counted = Size(city.bulk.count(Person), city.bulk.count(Household), city.bulk.count(Visit))
    city.bulk.write()
    audit.record("demo.city", ("demo", "city"), by=None, now=city.story.setup, households=counted.households)
    city_work.open_accounts(city, books, password_hash)
    return counted


# --- people and their homes -----------------------------------------------------------------------------------


def _households(city: City) -> None:
    numbers: Counter[int] = Counter()
    communities = _communities(city)
    for _ in range(city.size.households):
        community, street = next(communities)
        numbers[community.id] += 1
        _household(city, community, street, numbers[community.id])
    for estate in city.estates.values():
        estate.lat, estate.lon = round(estate.lat / estate.pins, 4), round(estate.lon / estate.pins, 4)
        city.bulk.add(estate)
    for area_id, last in numbers.items():
        city.bulk.put(Sequence, name=f"household/{area_id}", last=last)


def _communities(city: City) -> Iterator[tuple[Area, Area]]:
    """Where one household after another lives: a tenth in the demo's street, the others all over the city."""
    rows = db.session.scalars(select(Area).where(Area.level == "community").order_by(Area.code)).all()
    streets = {row.id: row for row in db.session.scalars(select(Area).where(Area.level == "street"))}
    pairs = [(row, streets[row.parent_id]) for row in rows if row.parent_id in streets]
    own = [pair for pair in pairs if pair[1].code == STREET]
    place, mine = 0, 0
    while True:
        if city.random.random() < OWN_SHARE:
            yield own[mine % len(own)]
            mine += 1
        else:
            yield pairs[place % len(pairs)]
            place += 1


def _household(city: City, community: Area, street: Area, number: int) -> None:
    pick, story = city.random, city.story
    key_id = city.household_keys.pop()
    place, address = _place(city, key_id, community, street, number)
    level = pick.choices(("", "mild", "moderate", "severe", "total"), (70, 14, 9, 5, 2))[0]
    household = Household(
        key_id=key_id, number=f"{number:04d}", area_id=community.id, place_id=place.id, care_level=level,
        source=pick.choice(("counter", "visit", "import")), created_at=story.registering,
    )  # fmt: skip
    household.door_code, household.password = str(pick.randrange(1000, 10_000)), pick.choice(PASSWORDS)
    household.health = "高血压" if level else None
    city.bulk.add(household)
    heads = _heads(city)
    for position, person in enumerate(heads):
        _member(city, household, person, "spouse" if position else "self", position)
    _tags(city, household, heads)
    _consents(city, household)
    city.bulk.add(Residence(household_id=household.id, place_id=place.id, valid_from=story.long_ago, valid_to=None))
    city.homes.append(Home(household, place, address, street, heads))


def _heads(city: City) -> list[Person]:
    """Somebody old, for some with their spouse."""
    born, today = city.inventor.born, city.story.today
    sex, other = ("F", "M") if city.random.random() < 0.6 else ("M", "F")
    heads = [city.new_person(sex, born(62, 95, today))]
    if city.random.random() < 0.45:
        heads.append(city.new_person(other, born(60, 90, today), telephone=False))
    return heads


def _place(city: City, key_id: uuid.UUID, community: Area, street: Area, number: int) -> tuple[Place, str]:
    """A door in one of the community's estates; every 25th has not been pinned."""
    pick, now = city.random, city.story.registering
    estate = community.name.removesuffix("社区").removesuffix("村") + ESTATE_ENDINGS[number % len(ESTATE_ENDINGS)]
    building = number // len(ESTATE_ENDINGS) % 24 + 1
    address = f"{estate}{building}号{pick.randrange(1, 8)}0{pick.randrange(1, 5)}室"
    place = Place(key_id=key_id, area_id=community.id, access_minutes=3, position_source="area", created_at=now)
    place.address = address
    if number % 25:
        place.position = _position(community, street, estate, building, pick)
        place.position_source, place.positioned_at = "pin", now
        place.estate_id = _learn(city, place, address)
    city.bulk.add(place)
    return place, address


def _learn(city: City, place: Place, address: str) -> uuid.UUID | None:
    """The estate that the pin teaches, whose position is the mean of its pins."""
    name = estate_name(address)
    if name is None:
        return None
    lat, lon = place.position
    fresh = Estate(area_id=place.area_id, name=name, lat=0.0, lon=0.0, pins=0, created_at=city.story.registering)
    estate = city.estates.setdefault((place.area_id, name), fresh)
    estate.lat, estate.lon, estate.pins = estate.lat + lat, estate.lon + lon, estate.pins + 1
    return estate.id


def _position(community: Area, street: Area, estate: str, building: int, pick: random.Random) -> list[float]:
    """Near the street's centre: each community, estate and building at a spot of its own, always the same."""
    lat, lon = street.lat or 24.48, street.lon or 118.1
    names = (community.code, estate, f"{estate}{building}")
    for spread, name in zip((STREET_SPREAD, ESTATE_SPREAD, BUILDING_SPREAD), names, strict=True):
        spot = random.Random(name)  # noqa: S311
        lat, lon = lat + spot.uniform(-spread, spread), lon + spot.uniform(-spread, spread)
    return [round(lat + pick.uniform(-1e-4, 1e-4), 6), round(lon + pick.uniform(-1e-4, 1e-4), 6)]


def _member(city: City, household: Household, person: Person, relation: str, position: int) -> None:
    city.bulk.add(
        Member(
            household_id=household.id, person_id=person.id, relation=relation, position=position,
            valid_from=local_date(city.story.registering), valid_to=None,
        )
    )  # fmt: skip


def _tags(city: City, household: Household, heads: list[Person]) -> None:
    pick, today = city.random, city.story.today
    tags = {"living_alone"} if len(heads) == 1 else set()
    tags |= {"aged_80"} if any((person.age_on(today) or 0) >= 80 for person in heads) else set()
    tags |= {"disabled_elder"} if household.care_level in ("severe", "total") else set()
    tags |= {pick.choice(TAGS)} if pick.random() < 0.25 else set()
    for tag in sorted(tags):
        city.bulk.add(
            Tag(
                household_id=household.id, tag=tag, source="区民政局", valid_from=today - timedelta(days=300),
                valid_to=None, created_at=city.story.registering,
            )
        )  # fmt: skip


def _consents(city: City, household: Household) -> None:
    """Three in a hundred have not agreed yet, and as many consents end soon."""
    pick, story = city.random, city.story
    ends = story.today + timedelta(days=pick.randrange(5, 60)) if pick.random() < 0.03 else None
    for purpose in PURPOSES if pick.random() > 0.03 else PURPOSES[1:]:
        city.bulk.add(
            Consent(
                household_id=household.id, purpose=purpose, given_on=local_date(story.registering), expires_on=ends,
                text_version=CONSENT_TEXT_VERSION, method="signed", recorded_by=city.recorder,
                created_at=story.registering,
            )
        )  # fmt: skip


def _contacts(city: City) -> None:
    """Family who live elsewhere, until the city has its number of people."""
    born, today = city.inventor.born, city.story.today
    for number in range(max(0, city.size.people - city.bulk.count(Person))):
        home = city.homes[number % len(city.homes)]
        person = city.new_person("F" if number % 3 else "M", born(30, 58, today))
        _member(city, home.household, person, "contact", len(home.heads) + number // len(city.homes))
