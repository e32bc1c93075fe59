"""A small street for tests: 嘉莲街道 with two communities, and one account of every role.

Everything is built directly from the models, with keys made from names (`key("wu")`), so that a test can name
what it means. Monday is 2026-11-23; now is Tuesday 10:20.
"""

import hashlib
import secrets
import uuid
from datetime import date, timedelta

from itsdangerous import URLSafeTimedSerializer

from linkage.accounts.models import Grant, User, UserSession
from linkage.areas.models import Area, Place
from linkage.contracts.models import Contract, ContractLine, LineArea, LineService
from linkage.core import audit, privacy
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.permissions import ActiveGrant, Actor, Role
from linkage.core.transactions import unit_of_work
from linkage.households.models import PURPOSES, Consent, Household, Member, Tag
from linkage.organisations.models import Carer, Organisation
from linkage.people.models import Person, WorkPattern
from linkage.people.names import name_keys
from linkage.services.models import HeldQualification, Qualification, Service
from linkage.volunteers.models import Volunteer, VolunteerService

NOW = parse_moment("2026-11-24T10:20")
MONDAY = date(2026, 11, 23)
LONG_AGO = date(2025, 1, 1)
PASSWORD = "correct horse battery"  # noqa: S105

# id, level, name, code, parent, lat, lon
AREAS = [
    (1, "city", "厦门市", "350200", None, 24.48, 118.09),
    (2, "district", "思明区", "350203", 1, 24.45, 118.09),
    (3, "street", "嘉莲街道", "350203008", 2, 24.487, 118.122),
    (4, "community", "莲花北社区", "350203008001", 3, 24.489, 118.120),
    (5, "community", "盈翠社区", "350203008002", 3, 24.484, 118.125),
    (6, "street", "筼筜街道", "350203007", 2, 24.478, 118.100),
    (7, "community", "官任社区", "350203007001", 6, 24.477, 118.099),
]
# user: (role, person's name, sex, scope kind, scope)
USERS = {
    "clerk": (Role.COMMUNITY, "苏晓梅", "F", "area", 4),
    "clerk2": (Role.COMMUNITY, "林清水", "M", "area", 5),
    "stranger": (Role.COMMUNITY, "陈外街", "F", "area", 7),  # another street: sees nothing of this one
    "operator": (Role.OPERATOR, "庄话务", "F", "area", 1),
    "coordinator": (Role.COORDINATOR, "林志远", "M", "area", 3),
    "manager": (Role.MANAGER, "蔡经理", "F", "organisation", "lukang"),
    "manager2": (Role.MANAGER, "洪经理", "M", "organisation", "jiahe"),
    "wu": (Role.CARER, "吴丽珍", "F", "organisation", "lukang"),
    "xu": (Role.CARER, "许美玲", "F", "organisation", "lukang"),
    "guo": (Role.CARER, "郭建明", "M", "organisation", "jiahe"),
    "zhuang": (Role.VOLUNTEER, "庄文斌", "M", "self", None),
    "ye": (Role.VOLUNTEER, "叶晓彤", "F", "self", None),
    "hong": (Role.VOLUNTEER, "洪志明", "M", "self", None),
    "chen_home": (Role.HOUSEHOLD, "陈阿珠", "F", "household", "chen"),
    "supervisor": (Role.SUPERVISOR, "黄处长", "M", "area", 2),
    "admin": (Role.ADMINISTRATOR, "管理员", "F", "area", 1),
}
# household: (area, number, head's name, sex, birth, care level, tags, lat, lon, address, door code)
HOUSEHOLDS = {
    "chen": (
        4,
        "A001",
        "陈阿珠",
        "F",
        date(1945, 3, 2),
        "severe",
        ["aged_80", "living_alone"],
        24.4895,
        118.1205,
        "香莲里27号502室",
        "4711",
    ),
    "lin": (
        4,
        "A002",
        "林秀英",
        "F",
        date(1943, 7, 9),
        "moderate",
        ["minimum_living"],
        24.4888,
        118.1192,
        "凌香里8号301室",
        "2203",
    ),
    "huang": (
        5,
        "B001",
        "黄水源",
        "M",
        date(1950, 1, 15),
        "",
        ["minimum_margin"],
        24.4842,
        118.1251,
        "盈翠里3号102室",
        "9015",
    ),
    "far": (7, "C001", "王外人", "M", date(1948, 5, 5), "", ["aged_80"], 24.4771, 118.0991, "官任路9号601室", "3344"),
}
# code, zh, en, unit, minutes, kinds, mixes, qualifications, risk, two people
SERVICES = [
    ("meal", "助餐", "Meal delivery", "meals", 30, ["volunteer", "carer"], [], [], "low", "never"),
    ("bath", "助浴", "Bath help", "minutes", 60, ["carer"], [["carer", "carer"]], ["care_worker"], "raised", "severe"),
    ("clean", "助洁", "Cleaning", "minutes", 60, ["carer", "volunteer"], [], [], "low", "never"),
    ("chat", "陪伴", "Company", "minutes", 60, ["volunteer", "social_worker"], [], [], "low", "never"),
    ("counsel", "心理疏导", "Counselling", "minutes", 60, ["social_worker"], [], ["counsellor"], "low", "never"),
]
CARERS = {
    "wu": ("lukang", "carer", ["care_worker"]),
    "xu": ("lukang", "carer", ["care_worker"]),
    "guo": ("jiahe", "carer", []),
}
VOLUNTEERS = {"zhuang": (4, ["meal", "chat", "clean"]), "ye": (5, ["meal", "chat"]), "hong": (4, ["meal"])}
ORGANISATIONS = {
    "lukang": ("鹭康居家养老服务中心", "鹭康居家养老", "52350203MJB0000012"),
    "jiahe": ("嘉禾助老服务中心", "嘉禾助老", "52350203MJB0000020"),
}


def key(name):
    """The id of everything that is called `name` here (one namespace per test street)."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


def build(now):
    """Fill an empty database; one audit row says so."""
    audit.record("test.build", ("street", "3"), by=None, now=now)
    _areas()
    db.session.add_all(
        [
            Qualification(code="care_worker", name_zh="护理员证", name_en="Care worker"),
            Qualification(code="counsellor", name_zh="心理咨询师", name_en="Counsellor"),
        ]
    )
    _services()
    _organisations(now)
    for name, (role, person_name, sex, kind, where) in USERS.items():
        person = None if name == "chen_home" else _person(name, person_name, sex, now)
        if person is not None:
            _user(name, person.id, role, kind, where, now)
    for name in HOUSEHOLDS:
        _household(name, now)
    _user("chen_home", key("chen/head"), Role.HOUSEHOLD, "household", "chen", now)
    _workers(now)
    _contracts(now)


def _areas():
    paths = {}
    for area_id, level, name, code, parent, lat, lon in AREAS:
        paths[area_id] = f"{paths.get(parent, '/')}{area_id}/"
        db.session.add(
            Area(
                id=area_id,
                level=level,
                name=name,
                code=code,
                parent_id=parent,
                path=paths[area_id],
                lat=lat,
                lon=lon,
                is_planning_area=level == "street",
            )
        )
        db.session.flush()


def _services():
    for place, (code, zh, en, unit, minutes, kinds, mixes, qualifications, risk, two) in enumerate(SERVICES):
        db.session.add(
            Service(
                id=key("service/" + code),
                code=code,
                group="elderly",
                name_zh=zh,
                name_en=en,
                icon="heart",
                position=place,
                unit=unit,
                min_minutes=min(30, minutes),
                default_minutes=minutes,
                provider_kinds=kinds,
                mixes=mixes,
                qualifications=qualifications,
                volunteer_qualifications=[],
                risk=risk,
                two_people=two,
                valid_from=LONG_AGO,
                valid_to=None,
            )
        )


def _organisations(now):
    for name, (full, short, uscc) in ORGANISATIONS.items():
        db.session.add(
            Organisation(
                id=key(name),
                name=full,
                short_name=short,
                name_keys=name_keys(full),
                uscc=uscc,
                rating="4A",
                area_id=3,
                lat=24.487,
                lon=118.122,
                created_at=now,
            )
        )


def _person(name, full_name, sex, now, birth=date(1980, 1, 1)):
    person = Person(
        id=key(name),
        key_id=privacy.new_key("person", now),
        name=full_name,
        name_keys=name_keys(full_name),
        birth_date=birth,
        sex=sex,
        languages=["mandarin", "minnan"],
        created_at=now,
    )
    person.telephone = "138" + f"{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**8:08d}"
    db.session.add(person)
    db.session.flush()
    return person


def _user(name, person_id, role, kind, where, now):
    db.session.add(
        User(id=key("user/" + name), person_id=person_id, sign_in_name=name, password_hash=None, created_at=now)
    )
    db.session.flush()
    db.session.add(
        Grant(
            user_id=key("user/" + name),
            role=role.value,
            area_id=where if kind == "area" else None,
            organisation_id=key(where) if kind == "organisation" else None,
            household_id=key("household/" + where) if kind == "household" else None,
            valid_from=LONG_AGO,
            valid_to=None,
            created_at=now,
        )
    )


def _household(name, now):
    area, number, head, sex, birth, level, tags, lat, lon, address, code = HOUSEHOLDS[name]
    own_key = privacy.new_key("household", now)
    place = Place(id=key("place/" + name), key_id=own_key, area_id=area, position_source="pin", created_at=now)
    place.address, place.position, place.door_note = address, [lat, lon], "左边的门，门铃坏了，请敲门"
    db.session.add(place)
    household = Household(
        id=key("household/" + name),
        key_id=own_key,
        number=number,
        area_id=area,
        place_id=place.id,
        care_level=level,
        created_at=now,
    )
    household.door_code, household.password, household.health = code, "木棉", "高血压"
    db.session.add(household)
    person = _person(name + "/head", head, sex, now, birth)
    db.session.flush()
    db.session.add(
        Member(household_id=household.id, person_id=person.id, relation="self", valid_from=LONG_AGO, valid_to=None)
    )
    db.session.add_all(
        [
            Tag(
                household_id=household.id,
                tag=tag,
                source="区民政局",
                valid_from=LONG_AGO,
                valid_to=None,
                created_at=now,
            )
            for tag in tags
        ]
    )
    db.session.add_all(
        [
            Consent(
                household_id=household.id,
                purpose=purpose,
                given_on=LONG_AGO,
                text_version="2026-11",
                method="signed",
                created_at=now,
            )
            for purpose in PURPOSES
        ]
    )


def _workers(now):
    for name, (organisation, kind, held) in CARERS.items():
        db.session.add(
            Carer(
                id=key("carer/" + name),
                person_id=key(name),
                organisation_id=key(organisation),
                kind=kind,
                valid_from=LONG_AGO,
                valid_to=None,
                created_at=now,
            )
        )
        db.session.add_all(
            [
                HeldQualification(
                    person_id=key(name), code=code, valid_from=LONG_AGO, valid_to=date(2027, 12, 31), created_at=now
                )
                for code in held
            ]
        )
        _week(name, "shift", key(organisation), range(5), 8 * 60, 17 * 60)
    for number, (name, (area, offered)) in enumerate(VOLUNTEERS.items(), 1):
        home = Place(
            id=key("place/" + name),
            key_id=db.session.get(Person, key(name)).key_id,
            area_id=area,
            position_source="pin",
            created_at=now,
        )
        home.position = [24.4890 + number / 10000, 118.1200]
        db.session.add(home)
        db.session.flush()
        db.session.add(
            Volunteer(
                id=key("volunteer/" + name),
                person_id=key(name),
                number=f"XM{number:05d}",
                area_id=area,
                home_place_id=home.id,
                insured_to=date(2027, 6, 30),
                joined_on=LONG_AGO,
                radius_metres=3000,
                created_at=now,
                services=[VolunteerService(service_id=key("service/" + code)) for code in offered],
            )
        )
        _week(name, "available", None, range(7), 9 * 60, 18 * 60)


def _week(name, kind, organisation_id, weekdays, start, end):
    db.session.add_all(
        [
            WorkPattern(
                person_id=key(name),
                kind=kind,
                organisation_id=organisation_id,
                area_id=3,
                weekday=day,
                start_minute=start,
                end_minute=end,
                valid_from=LONG_AGO,
                valid_to=None,
            )
            for day in weekdays
        ]
    )


def _contracts(now):
    for name, services in (("lukang", ["bath", "clean", "meal"]), ("jiahe", ["clean", "meal"])):
        db.session.add(
            Contract(
                id=key("contract/" + name),
                organisation_id=key(name),
                number="HT-" + name,
                title="居家养老服务",
                buyer_area_id=3,
                signed_on=LONG_AGO,
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
                value_fen=50_000_000,
                created_at=now,
            )
        )
        for place, code in enumerate(services):
            unit = "meals" if code == "meal" else "minutes"
            db.session.add(
                ContractLine(
                    id=key(f"line/{name}/{code}"),
                    contract_id=key("contract/" + name),
                    organisation_id=key(name),
                    position=place,
                    name=code,
                    unit=unit,
                    price_fen=1500 if unit == "meals" else 6000,
                    starts_on=date(2026, 1, 1),
                    ends_on=date(2026, 12, 31),
                    monthly_cap=300 if unit == "meals" else 6000,
                    eligible_tags=[],
                    monthly_quota=None,
                    created_at=now,
                    services=[LineService(service_id=key("service/" + code))],
                    areas=[LineArea(area_id=3)],
                )
            )


def actor(name, at=NOW):
    """The actor that `name`'s account has, without going through a request."""
    role, _, _, kind, where = USERS[name]
    area = db.session.get(Area, where) if kind == "area" else None
    person_id = key("chen/head") if name == "chen_home" else key(name)
    return Actor(
        key("user/" + name),
        person_id,
        (
            ActiveGrant(
                role=role,
                area_id=area and area.id,
                area_path=area.path if area else "",
                organisation_id=key(where) if kind == "organisation" else None,
                household_id=key("household/" + where) if kind == "household" else None,
            ),
        ),
        at,
    )


def sign_in(client, name):
    """Give `client` a signed-in session of `name` without the sign-in page (which has its own tests)."""
    token = secrets.token_urlsafe(32)
    with client.application.app_context():
        unit_of_work(
            lambda: db.session.add(
                UserSession(
                    user_id=key("user/" + name),
                    token_hash=hashlib.sha256(token.encode()).hexdigest(),
                    created_at=NOW,
                    last_seen_at=NOW,
                    expires_at=NOW + timedelta(days=400),
                )
            )
        )
    with client.session_transaction() as cookie:
        cookie["sid"] = token
    give_token(client)


def give_token(client):
    """Let `client` send forms: the token against forged requests, as a page that was opened first brings it."""
    raw = secrets.token_hex(20)
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = raw
    signer = URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token")
    client.environ_base["HTTP_X_CSRFTOKEN"] = signer.dumps(raw)  # as htmx sends it; forms carry it as a field
