"""The catalogue: what a new installation begins with, and how it is changed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.services import operations, queries
from linkage.services.catalogue import QUALIFICATIONS, SERVICES
from linkage.services.models import PROVIDER_KINDS, UNITS, HeldQualification, Service
from linkage.services.operations import ServiceDraft


@pytest.fixture
def admin(ctx, world):
    return world.actor("admin")


@pytest.fixture
def draft():
    return ServiceDraft(
        group="home", name_zh="夜间照看", name_en="Night watch", icon="heart", unit="visits", min_minutes=60,
        default_minutes=120, provider_kinds=["carer"], mixes=[], qualifications=["care_worker"],
        volunteer_qualifications=[], risk="low", two_people="never", charge_each_person=True,
        position_at_check_in=False, adults_only=False, position=5, valid_from=date(2026, 11, 1),
    )  # fmt: skip


def test_the_catalogue_holds_the_thirteen_kinds_of_help_of_the_domain():
    names = "助餐 助浴 助洁 助医 陪伴 照护 基础康复 家政代办 心理干预 日常护理 邻里沟通 信访代办 微需求"
    assert [row["name_zh"] for row in SERVICES] == names.split()


@pytest.mark.parametrize("values", SERVICES, ids=lambda values: values["code"])
def test_each_service_of_the_catalogue_makes_sense(values):
    kinds = {kind for pair in values["mixes"] for kind in pair} | set(values["provider_kinds"])
    assert kinds <= set(PROVIDER_KINDS)
    assert values["unit"] in UNITS
    assert 0 < values["min_minutes"] <= values["default_minutes"]
    assert values["mixes"] or values.get("two_people", "never") == "never"
    needed = {*values["qualifications"], *values["volunteer_qualifications"]}
    assert needed <= {code for code, _, _ in QUALIFICATIONS}
    assert not values["volunteer_qualifications"] or "volunteer" in kinds


def test_loading_twice_writes_once_and_keeps_what_was_changed(commit, now):
    written = commit(lambda: operations.load_catalogue(by=None, now=now))
    assert written > 10
    count = db.session.scalar(select(func.count()).select_from(Service))
    assert commit(lambda: operations.load_catalogue(by=None, now=now)) == 0
    assert db.session.scalar(select(func.count()).select_from(Service)) == count
    assert queries.by_code("bath").default_minutes == 60  # the street's own, not the catalogue's
    assert queries.by_code("petition").name_zh == "信访代办"


def test_a_service_is_added_and_leaves_its_audit_row(commit, admin, draft, now):
    service = commit(lambda: operations.add_service("night", draft, by=admin, now=now))
    assert queries.by_code("night").name_en == "Night watch"
    row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
    assert (row.action, row.subject_id) == ("services.add", str(service.id))


def test_two_services_never_share_a_code(commit, admin, draft, now):
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.add_service("bath", draft, by=admin, now=now))
    assert "code" in refusal.value.errors


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"default_minutes": 30}, "default_minutes"),
        ({"provider_kinds": []}, "provider_kinds"),
        ({"two_people": "always"}, "mixes"),
        ({"qualifications": ["wizard"]}, "qualifications"),
        ({"valid_to": date(2026, 10, 1)}, "valid_to"),
    ],
)
def test_what_contradicts_itself_is_refused_at_its_field(commit, admin, draft, now, change, field):
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.add_service("night", replace(draft, **change), by=admin, now=now))
    assert list(refusal.value.errors) == [field]


def test_of_two_editors_the_second_is_refused(commit, admin, draft, now, world):
    service = db.session.get(Service, world.key("service/clean"))
    commit(lambda: operations.change_service(service, draft, row_version=1, by=admin, now=now))
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_service(service, draft, row_version=1, by=admin, now=now))
    assert service.row_version == 2


def test_a_service_without_volunteers_asks_nothing_of_them(commit, admin, draft, now):
    asking = replace(draft, volunteer_qualifications=["counsellor"])
    service = commit(lambda: operations.add_service("night", asking, by=admin, now=now))
    assert service.volunteer_qualifications == []


def test_an_ended_service_is_no_longer_offered(commit, admin, draft, now):
    commit(lambda: operations.add_service("night", replace(draft, valid_to=date(2026, 11, 30)), by=admin, now=now))
    assert "night" in {row.code for row in queries.services_on(date(2026, 11, 30))}
    assert "night" not in {row.code for row in queries.services_on(date(2026, 12, 1))}


def test_a_qualification_holds_between_its_dates(commit, admin, now, world):
    person, first = world.key("guo"), date(2026, 11, 1)
    last = first + timedelta(days=29)
    held = commit(
        lambda: operations.add_held(person, "care_worker", valid_from=first, valid_to=last, by=admin, now=now)
    )
    assert queries.codes_held(person, last) == {"care_worker"}
    assert queries.codes_held(person, last + timedelta(days=1)) == set()
    commit(lambda: operations.end_held(held, on=date(2026, 11, 20), by=admin, now=now))
    assert queries.codes_held(person, date(2026, 11, 21)) == set()
    with pytest.raises(Conflict):
        commit(lambda: operations.end_held(held, on=date(2026, 11, 25), by=admin, now=now))
    assert db.session.get(HeldQualification, held.id).valid_to == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("valid_to", "state"),
    [
        (date(2026, 11, 23), ("expired", -1)),
        (date(2026, 11, 24), ("expiring", 0)),
        (date(2027, 2, 22), ("expiring", 90)),
        (date(2027, 2, 23), ("valid", None)),
        (None, ("valid", None)),
    ],
)
def test_a_paper_is_marked_from_90_days_before_it_ends(valid_to, state):
    assert queries.paper_state(date(2026, 1, 1), valid_to, date(2026, 11, 24)) == state
