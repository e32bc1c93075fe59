"""One human being is one Person, whoever registered them first: who adds a role to somebody of another street by ID
number and name neither reads nor changes what others wrote down. And: a masked name is not found out by searching.
"""

import re
import sys
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from visiting import change

from linkage.accounts.models import User
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.transactions import unit_of_work
from linkage.households import operations as households
from linkage.households.drafts import MemberDraft
from linkage.households.models import Household
from linkage.organisations.models import Carer
from linkage.people.models import Person
from linkage.people.operations import PersonDraft
from linkage.volunteers.models import Volunteer

sys.path.insert(0, str(Path(__file__).parents[1] / "imports"))
import sheets  # noqa: E402

NUMBER, TELEPHONE = sheets.id_number("19700917", "288"), "13977664521"
CALL = {"field": "telephone", "purpose": "call"}


@pytest.fixture
def stranger_id(ctx, world):
    """王外人 of the other street, with an ID number and a telephone."""

    def give():
        person = db.session.get(Person, world.key("far/head"))
        person.sex, person.birth_date = "F", date(1970, 9, 17)
        person.id_number, person.telephone = NUMBER, "+86" + TELEPHONE
        return person.id

    return change(world, give)


def employ(sign_in, world, **sent):
    form = {
        "name": "王外人", "sex": "F", "birth_date": "1970-09-17", "id_number": NUMBER, "telephone": "",
        "languages": ["mandarin"], "kind": "carer", "weekly_hours": "40", "travel_mode": "ebike",
        "valid_from": "2026-11-24", **sent,
    }  # fmt: skip
    answer = sign_in("manager").post(f"/carers/new/{world.key('lukang')}", data=form)
    db.session.rollback()
    return answer


def the(model, person_id):
    db.session.rollback()
    return db.session.scalars(select(model).where(model.person_id == person_id)).one()


@pytest.fixture
def employed(sign_in, world, stranger_id):
    assert employ(sign_in, world, telephone="13800138000").status_code == 303
    return the(Carer, stranger_id)


def test_an_organisation_employs_somebody_of_another_street_without_opening_their_numbers(employed, sign_in):
    manager, path = sign_in("manager"), f"/carers/{employed.id}"
    page = manager.get(path)
    assert page.status_code == 200 and path + "/reveal" not in page.text
    for field in ("telephone", "id_number"):
        assert manager.post(path + "/reveal", data={**CALL, "field": field}).status_code == 403


def test_nor_by_any_other_way(employed, sign_in, stranger_id, world):
    manager = sign_in("manager")
    shown = [manager.get(f"/users/of/{stranger_id}").text, manager.get(f"/carers/{employed.id}/edit").text]
    assert not any(TELEPHONE in page or NUMBER in page for page in shown)
    assert sign_in("coordinator").post(f"/carers/{employed.id}/reveal", data=CALL).status_code == 403
    assert world.key("far/head") == stranger_id


def test_nor_by_a_role_that_the_reader_gives(employed, sign_in, stranger_id):
    manager = sign_in("manager")
    assert manager.post(f"/users/of/{stranger_id}", data={"choice": "0"}).status_code == 303
    user = db.session.scalars(select(User).where(User.person_id == stranger_id)).one()
    page = manager.get(f"/users/{user.id}")
    assert page.status_code == 200 and "/reveal" not in page.text
    answer = manager.post(f"/users/{user.id}/reveal", data={**CALL, "field": "telephone"})
    assert answer.status_code == 403 and TELEPHONE not in answer.text


def test_nor_by_a_second_role_on_the_strength_of_the_first(sign_in, world, now, stranger_id):
    """Once linked they are seen; whoever sees them has not registered them for that."""
    for home in ("lin", "chen"):
        draft = MemberDraft(PersonDraft("王外人", id_number=NUMBER), "contact")

        def add(draft=draft, home=home):
            household = db.session.get(Household, world.key("household/" + home))
            return households.add_member(household, draft, by=world.actor("clerk"), now=now).linked

        assert unit_of_work(add) is True


def test_what_others_wrote_is_not_filled_in_or_changed(employed, sign_in, stranger_id):
    manager = sign_in("manager")
    version = db.session.get(Person, stranger_id).row_version
    form = {
        "name": "王外人", "sex": "F", "birth_date": "1970-09-17", "telephone": "13800138000", "languages": ["mandarin"],
        "kind": "carer", "weekly_hours": "30", "travel_mode": "ebike", "valid_from": "2026-11-24",
        "row_version": employed.row_version, "person_version": version,
    }  # fmt: skip
    assert manager.post(f"/carers/{employed.id}/edit", data=form).status_code == 422
    person = db.session.get(Person, stranger_id, populate_existing=True)
    assert person.telephone == "+86" + TELEPHONE and person.row_version == version
    kept = {**form, "telephone": "", "sex": person.sex, "languages": person.languages}
    assert manager.post(f"/carers/{employed.id}/edit", data=kept).status_code == 303


def test_the_link_stands_in_the_audit_log(employed, stranger_id):
    row = db.session.scalars(select(AuditRow).where(AuditRow.action == "people.link")).one()
    assert row.subject_id == str(stranger_id)


def test_the_street_that_registered_them_opens_and_changes_as_before(employed, sign_in, world):
    home = f"/households/{world.key('household/far')}"
    member = db.session.get(Household, world.key("household/far")).members[0].id
    answer = sign_in("stranger").post(home + "/reveal", data={**CALL, "field": f"telephone.{member}"})
    assert answer.status_code == 200 and TELEPHONE in answer.text


def test_who_types_another_name_learns_only_that_it_does_not_fit(sign_in, world, stranger_id):
    answer = employ(sign_in, world, name="王内人")
    assert answer.status_code == 422 and "王外人" not in answer.text and TELEPHONE not in answer.text


def test_family_elsewhere_is_linked_without_opening_their_numbers(sign_in, world, now, stranger_id):
    draft = MemberDraft(PersonDraft("王外人", id_number=NUMBER), "contact")
    lin = world.key("household/lin")
    change(
        world, lambda: households.add_member(db.session.get(Household, lin), draft, by=world.actor("clerk"), now=now)
    )
    member = next(row for row in db.session.get(Household, lin).members if row.relation == "contact")
    clerk = sign_in("clerk")
    page = clerk.get(f"/households/{lin}").text
    assert "王外人" in page and f"telephone.{member.id}" not in page
    answer = clerk.post(f"/households/{lin}/reveal", data={**CALL, "field": f"telephone.{member.id}"})
    assert answer.status_code == 403


def test_a_volunteer_of_another_street_is_linked_too(sign_in, world, stranger_id):
    form = {
        "name": "王外人", "sex": "F", "birth_date": "1970-09-17", "id_number": NUMBER, "telephone": "13800138000",
        "languages": ["mandarin"], "area_id": "4", "services": [world.key("service/chat")], "radius": "2",
        "weekly_hours": "8", "travel_mode": "walk",
    }  # fmt: skip
    clerk = sign_in("clerk")
    assert clerk.post("/volunteers/new", data=form).status_code == 303
    volunteer = the(Volunteer, stranger_id)
    assert volunteer.linked
    assert clerk.post(f"/volunteers/{volunteer.id}/reveal", data=CALL).status_code == 403
    assert db.session.get(Person, stranger_id).telephone == "+86" + TELEPHONE


def test_who_sees_the_person_already_adds_a_role_as_before(sign_in, world, ctx, now):
    """The bad twin: within one's own street a role opens what it needs."""

    def give():
        db.session.get(Person, world.key("lin/head")).id_number = sheets.id_number("19400808", "288")

    change(world, give)
    person = db.session.get(Person, world.key("lin/head"))
    draft = MemberDraft(PersonDraft(person.name, id_number=person.id_number), "contact")
    home = world.key("household/chen")

    def add():
        return households.add_member(db.session.get(Household, home), draft, by=world.actor("clerk"), now=now).linked

    assert unit_of_work(add) is False


# --- masked names ---------------------------------------------------------------------------------------------------


def hits(answer, name="陈"):
    return len(re.findall(name + r"\*+", answer.text))


@pytest.mark.parametrize("path", ["/households/?q={}", "/needs/new/find?q={}", "/calls/find?q={}"])
@pytest.mark.parametrize(
    ("typed", "fits"),
    [("陈阿珠", False), ("阿珠", False), ("cheazh", False), ("chenazhu", False), ("caz", False), ("陈", True),
     ("陈**", True), ("A001", True)],
)  # fmt: skip
def test_a_masked_name_is_found_by_its_mask_and_the_number_alone(sign_in, path, typed, fits):
    assert bool(hits(sign_in("coordinator").get(path.format(typed)))) is fits


@pytest.mark.parametrize("typed", ["陈阿珠", "阿珠", "caz"])
def test_who_reads_the_name_finds_by_it(sign_in, typed):
    assert "陈阿珠" in sign_in("clerk").get(f"/households/?q={typed}").text


def test_the_search_of_the_head_confirms_no_masked_name(sign_in):
    coordinator = sign_in("coordinator")
    assert not hits(coordinator.get("/search?q=陈阿珠")) and hits(coordinator.get("/search?q=陈"))


def test_nor_does_the_list_of_accounts(sign_in):
    coordinator = sign_in("coordinator")
    assert not hits(coordinator.get("/users/?q=陈阿珠")) and hits(coordinator.get("/users/?q=陈"))
    assert "苏晓梅" in coordinator.get("/users/?q=苏晓").text
