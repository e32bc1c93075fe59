"""What somebody with an account and bad intentions tries: other scopes in hidden fields, and values that break things.

Each of these once worked.
"""

import io
import uuid
from datetime import date

import pytest
import xlsxwriter
from sqlalchemy import select
from stdnum.cn import uscc
from visiting import book_for, change, post_for, visits_of

from linkage.accounts.models import Grant, InboxMessage, User
from linkage.contracts.models import Contract
from linkage.core.extensions import db
from linkage.core.models import Job
from linkage.core.permissions import visible_rows
from linkage.core.transactions import unit_of_work
from linkage.households.models import Member
from linkage.imports import parse
from linkage.organisations.models import Organisation
from linkage.people.models import Person, WorkException
from linkage.visits.models import Attendance
from linkage.volunteers.models import Volunteer

LONG_AGO, YESTERDAY, TODAY = date(2025, 1, 1), date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def fresh(ctx):
    """``fresh(Model, id)``: the row as it stands now."""

    def read(model, key):
        db.session.rollback()
        return db.session.get(model, key, populate_existing=True)

    return read


@pytest.fixture
def also(ctx, world, now):
    """``also("clerk", "coordinator", area_id=6)``: one more role for an account."""

    def grant(name, role, **where):
        change(
            world,
            lambda: db.session.add(
                Grant(
                    user_id=world.key("user/" + name), role=role, valid_from=LONG_AGO, valid_to=None, created_at=now,
                    **{"area_id": None, "organisation_id": None, "household_id": None, **where},
                )
            ),
        )  # fmt: skip

    return grant


# --- other scopes -----------------------------------------------------------------------------------------------


def test_who_coordinates_another_street_does_not_plan_the_one_that_he_only_sees(ctx, sign_in, also):
    also("clerk", "coordinator", area_id=6)
    also("clerk", "supervisor", area_id=2)
    assert sign_in("clerk").post("/plans/street/3/solve").status_code == 403
    assert db.session.scalars(select(Job).where(Job.kind == "planning.solve")).all() == []


def test_nor_stops_its_runs(ctx, sign_in, also):
    sign_in("coordinator").post("/plans/street/3/solve")
    job = db.session.scalars(select(Job).where(Job.kind == "planning.solve")).one()
    also("clerk", "coordinator", area_id=6)
    also("clerk", "supervisor", area_id=2)
    assert sign_in("clerk").post(f"/plans/runs/{job.id}/cancel").status_code == 403


def test_a_volunteer_is_not_put_into_an_area_of_others(sign_in, world, fresh):
    clerk, key = sign_in("clerk"), world.key("volunteer/zhuang")
    row = fresh(Volunteer, key)
    sent = {
        "name": "庄文斌", "sex": "M", "birth_date": "1980-01-01", "languages": ["mandarin"], "area_id": "7",
        "row_version": row.row_version, "person_version": row.person.row_version,
    }  # fmt: skip
    assert clerk.post(f"/volunteers/{key}/edit", data=sent).status_code in (403, 422)
    assert fresh(Volunteer, key).area_id == 4
    assert clerk.post(f"/volunteers/{key}/edit", data={**sent, "area_id": "4"}).status_code == 303


def test_a_manager_does_not_move_the_own_organisation_out_of_the_street(sign_in, world, fresh):
    key = world.key("lukang")
    row, body = fresh(Organisation, key), "52350203MJB000001"
    sent = {
        "name": row.name, "short_name": row.short_name, "uscc": body + uscc.calc_check_digit(body), "area_id": "6",
        "row_version": row.row_version,
    }  # fmt: skip
    manager = sign_in("manager")
    assert manager.post(f"/organisations/{key}/edit", data=sent).status_code == 422
    assert fresh(Organisation, key).area_id == 3
    sent = {**sent, "area_id": "3", "short_name": "鹭康"}
    assert manager.post(f"/organisations/{key}/edit", data=sent).status_code == 303


@pytest.fixture
def contract_form(world):
    return {
        "organisation_id": world.key("lukang"), "number": "HT-X", "title": "助浴", "buyer_area_id": "3",
        "signed_on": "2026-11-01", "starts_on": "2026-11-01", "ends_on": "2027-11-30", "value": "1000",
        "l0-services": [world.key("service/bath")], "l0-areas": ["3"], "l0-unit": "minutes", "l0-price": "60",
        "l0-cap": "10",
    }  # fmt: skip


def test_a_contract_line_does_not_reach_into_another_street(sign_in, ctx, contract_form):
    coordinator = sign_in("coordinator")
    assert coordinator.post("/contracts/new", data={**contract_form, "l0-areas": ["6"]}).status_code == 422
    assert coordinator.post("/contracts/new", data=contract_form).status_code == 303


def test_a_contract_does_not_open_the_carers_of_an_organisation_that_one_cannot_see(
    ctx, sign_in, world, contract_form, now
):
    far = Organisation(
        name="筼筜养老", short_name="筼筜", name_keys="", uscc="52350203MJB0000099", area_id=6, created_at=now
    )
    change(world, lambda: db.session.add(far))
    answer = sign_in("coordinator").post("/contracts/new", data={**contract_form, "organisation_id": far.id})
    assert answer.status_code == 422
    db.session.rollback()
    assert db.session.scalars(select(Contract).where(Contract.number == "HT-X")).all() == []


@pytest.fixture
def moved_away(ctx, world, now):
    """王外人 once lived with 林秀英, and lives in another street today."""
    member = Member(
        household_id=world.key("household/lin"), person_id=world.key("far/head"), relation="other", position=1,
        valid_from=LONG_AGO, valid_to=YESTERDAY,
    )  # fmt: skip
    change(world, lambda: db.session.add(member))
    return member.id


def test_who_has_moved_away_is_no_longer_opened_by_the_old_community(sign_in, world, moved_away):
    path = f"/households/{world.key('household/lin')}/reveal"
    sent = {"field": f"telephone.{moved_away}", "purpose": "call"}
    assert sign_in("clerk").post(path, data=sent).status_code == 404


def test_nor_is_their_death_recorded_there(sign_in, world, moved_away, fresh):
    path = f"/households/{world.key('household/lin')}/members/{moved_away}/death"
    assert sign_in("clerk").post(path, data={"died_on": "2026-11-20"}).status_code == 404
    assert fresh(Person, world.key("far/head")).died_on is None


def test_nor_are_they_seen_as_people_of_the_community(ctx, world, moved_away):
    rows = db.session.scalars(visible_rows(world.actor("clerk"), Person))
    assert world.key("far/head") not in {person.id for person in rows}


def test_who_no_longer_belongs_to_a_household_no_longer_reads_its_page(ctx, sign_in, world, now, move_clock):
    home, person = world.key("household/chen"), world.key("lin/head")
    own = sign_in("chen_home")
    assert own.get("/home/").status_code == 200
    other = Member(
        household_id=home, person_id=person, relation="other", position=1, valid_from=LONG_AGO, valid_to=None
    )
    change(world, lambda: db.session.add(other))
    head = db.session.scalars(select(Member).where(Member.household_id == home, Member.relation == "self")).one()
    assert sign_in("clerk").post(f"/households/{home}/members/{head.id}/leave").status_code == 303
    move_clock("2026-11-25T09:00")
    assert own.get("/home/").status_code == 403
    assert own.get(f"/households/{home}").status_code == 404


# --- accounts ---------------------------------------------------------------------------------------------------


def test_opening_a_telephone_does_not_open_the_page_of_the_account(sign_in, world):
    path = f"/users/{world.key('user/clerk')}"
    operator = sign_in("operator")
    assert operator.get(path).status_code in (403, 404)
    answer = operator.post(path + "/reveal", data={"field": "telephone", "purpose": "call"})
    assert answer.status_code in (403, 404)


def test_a_carer_whom_nobody_has_entered_gets_no_account(sign_in, ctx):
    sent = {"name": "假护工", "role": "carer", "place": "鹭康居家养老", "valid_from": "2026-11-24"}
    assert sign_in("manager").post("/users/new", data=sent).status_code in (403, 422)
    assert db.session.scalars(select(Person).where(Person.name == "假护工")).all() == []


def test_an_account_between_two_roles_is_not_taken_over_from_below(sign_in, ctx, world, now):
    """The clerk of a community may not make community staff: so she hands out no link for a former colleague."""
    rows = select(Grant).where(Grant.user_id == world.key("user/clerk2"))
    change(world, lambda: setattr(db.session.scalars(rows).one(), "area_id", 4))
    change(world, lambda: setattr(db.session.scalars(rows).one(), "revoked_at", now))
    path = f"/users/{world.key('user/clerk2')}"
    assert sign_in("clerk").post(path + "/link").status_code == 403
    assert sign_in("coordinator").post(path + "/link").status_code == 303


def test_a_sign_in_name_that_is_somebodys_telephone_is_refused(sign_in, world, fresh):
    """Else whoever signs in with that telephone would knock at the other account."""
    path = f"/users/{world.key('user/zhuang')}/name"
    assert sign_in("clerk").post(path, data={"sign_in_name": "13850012217"}).status_code == 422
    assert fresh(User, world.key("user/zhuang")).sign_in_name == "zhuang"


def test_a_name_holds_no_invisible_characters(sign_in, ctx):
    sent = {"name": "管\u202e理\u200b张", "role": "community", "place": "莲花北社区", "valid_from": "2026-11-24"}
    assert sign_in("coordinator").post("/users/new", data=sent).status_code == 303
    assert db.session.scalars(select(Person).where(Person.name == "管理张")).all() != []


# --- visits -----------------------------------------------------------------------------------------------------


def test_hours_do_not_grow_by_checking_out_the_next_day(ctx, sign_in, world, move_clock):
    def book():
        visit = visits_of(post_for(world, "lin", "chat"))[0]
        return book_for(world, "zhuang", visit.slots[0].id, "2026-11-26T09:00").id

    assignment_id, volunteer = unit_of_work(book), sign_in("zhuang")
    move_clock("2026-11-26T09:00")
    path = f"/me/visits/{assignment_id}"
    assert volunteer.post(path + "/check-in", data={"code": "2203"}).status_code == 303
    move_clock("2026-11-27T09:00")
    assert volunteer.post(path + "/check-out").status_code == 409
    db.session.rollback()
    row = db.session.scalars(select(Attendance).where(Attendance.assignment_id == assignment_id)).one()
    assert row.checked_out_at is None


# --- values that break things -----------------------------------------------------------------------------------


def test_an_absence_of_eight_thousand_years_is_refused(sign_in, world, ctx):
    path = f"/carers/{world.key('carer/wu')}/absence"
    sent = {"first": "2026-11-24", "last": "9999-12-31", "reason": "ill"}
    carer = sign_in("wu")
    assert carer.post(path, data=sent).status_code == 422
    assert carer.post(path, data={**sent, "last": "2400-01-01", "start": "09:00", "end": "10:00"}).status_code == 422
    assert db.session.scalars(select(WorkException)).all() == []


@pytest.mark.parametrize("adjust", ["", "x", "2026-11-26", "9999-99-99 08:00 09:00"])
@pytest.mark.parametrize("repeats", ["once", "weekly"])
def test_a_made_up_change_of_time_breaks_no_form(sign_in, world, adjust, repeats):
    sent = {
        "household": world.key("household/lin"), "service": world.key("service/chat"), "starts_on": "2026-11-26",
        "from": "08:00", "to": "18:00", "repeats": repeats, "adjust": adjust,
    }  # fmt: skip
    assert sign_in("clerk").post("/needs/new/adjust", data=sent).status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/inbox?page=" + "9" * 30,
        "/visits/?area=" + "9" * 30,
        "/visits/?week=9999-12-31",
        "/needs/?area=" + "9" * 30,
        "/areas/" + "9" * 30,
        "/plans/street/" + "9" * 30,
        "/plans/street/3?day=9999-12-31",
        "/carers/?expiring=" + "9" * 30,
        "/households/?q=%00",
    ],
)
def test_absurd_addresses_are_the_callers_fault(sign_in, path):
    assert sign_in("coordinator").get(path).status_code < 500


def test_a_number_that_no_database_keeps_is_told_at_its_field(sign_in, world, contract_form):
    coordinator = sign_in("coordinator")
    for name, value in (("l0-cap", "1e999999"), ("l0-areas", "9" * 40), ("buyer_area_id", "9" * 40)):
        assert coordinator.post("/contracts/new", data={**contract_form, name: value}).status_code == 422, name


def test_a_rule_is_no_number_without_bounds(sign_in):
    path, sent = "/administration/rules/accounts.session_days", {"valid_from": "2026-11-24", "source": "x"}
    assert sign_in("admin").post(path, data={**sent, "value": "1" + "0" * 30}).status_code == 422
    path = "/administration/rules/planning.detour_factor"
    assert sign_in("admin").post(path, data={**sent, "value": "Infinity"}).status_code == 422


# --- files ------------------------------------------------------------------------------------------------------


def test_a_text_table_has_no_more_cells_than_a_workbook():
    with pytest.raises(parse.Refused) as refused:
        list(parse.parse(("1," * 150 + "1\n").encode() * 8000))
    assert refused.value.answer["refused"] == "rows"


def test_a_small_workbook_that_says_the_same_long_word_everywhere_is_refused():
    """One shared string of 2,000 characters in each of 300,000 cells would be 600 MB of answer."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet("a")
    for row in range(600):
        for column in range(40):
            page.write_string(row, column, "长" * 2000)
    book.close()
    assert len(file.getvalue()) < 300_000
    with pytest.raises(parse.Refused) as refused:
        list(parse.parse(file.getvalue()))
    assert refused.value.answer["refused"] == "unpacked"


def test_being_somebodys_family_unmasks_no_other_household(sign_in, world, also):
    also("supervisor", "household", household_id=world.key("household/chen"))
    page = sign_in("supervisor").get(f"/households/{world.key('household/lin')}").text
    assert "林秀英" not in page
    assert "凌香里" not in page


# --- who may what, over the whole installation -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["supervisor", "coordinator", "admin"])
def test_nobody_gives_themselves_another_role(sign_in, world, ctx, name):
    path, place = f"/users/{world.key('user/' + name)}", "嘉莲街道 (3)" if name != "coordinator" else "莲花北社区 (4)"
    role = "community" if name == "coordinator" else "coordinator"
    client = sign_in(name)
    answer = client.post(path + "/roles", data={"role": role, "place": place, "valid_from": "2026-11-24"})
    assert answer.status_code == 403
    assert path + '/roles"' not in client.get(path).text
    db.session.rollback()
    assert len(db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/" + name))).all()) == 1


def test_an_administrator_of_one_district_changes_nothing_that_is_everybodys(ctx, sign_in, world, also):
    """The catalogue, the rules and the audit log know no areas."""
    rows = select(Grant).where(Grant.user_id == world.key("user/admin"))
    change(world, lambda: setattr(db.session.scalars(rows).one(), "area_id", 2))
    admin = sign_in("admin")
    service = f"/services/{world.key('service/meal')}/edit"
    for path in (
        "/services/new",
        service,
        "/services/qualifications",
        "/administration/audit",
        "/administration/rules",
    ):
        answer = admin.get(path)
        assert answer.status_code == 403, path
        assert "全平台" in answer.text
    assert admin.get("/services/").status_code == 200
    home = admin.get("/").text
    assert "/administration/audit" not in home and "/administration/rules" not in home


# --- small things -----------------------------------------------------------------------------------------------


def test_a_malformed_message_id_marks_nothing_as_read(sign_in, ctx, world, now):
    kept = InboxMessage(
        person_id=world.key("clerk"), outbox_id=uuid.uuid4(), kind="needs.posted", params={}, created_at=now
    )
    change(world, lambda: db.session.add(kept))
    clerk = sign_in("clerk")
    for sent in ("not-an-id", "1", "' OR 1=1"):
        assert clerk.post("/inbox/read", data={"message": sent}).status_code == 404
    db.session.rollback()
    assert db.session.scalars(select(InboxMessage.read_at)).all() == [None]


@pytest.mark.parametrize("version", ["x" * 5000, "2020-01", ""])
def test_a_consent_is_to_a_text_that_exists(sign_in, world, version):
    path = f"/households/{world.key('household/lin')}/consent"
    sent = {"purposes": ["service"], "method": "signed", "given_on": "2026-11-24", "text_version": version}
    assert sign_in("clerk").post(path, data=sent).status_code == 422


def test_an_error_page_does_not_repeat_what_was_asked(sign_in):
    for client in (sign_in("clerk"), sign_in("operator")):
        answer = client.get("/households/13977664521/350203194109172881?q=13977664521")
        assert answer.status_code == 404
        assert "13977664521" not in answer.text and "350203194109172881" not in answer.text
