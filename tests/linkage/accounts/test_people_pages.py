"""Accounts on pages: lists, new accounts with their link, roles, disabling; and what stays closed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from linkage.accounts import granting, queries
from linkage.accounts.models import Grant, Invitation, User
from linkage.core.extensions import db
from linkage.core.models import AuditRow

NEW = {
    "name": "许多福",
    "telephone": "13800138000",
    "role": "community",
    "place": "莲花北社区 (4)",
    "valid_from": "2026-11-24",
}


def page(client, path):
    return client.get(path).get_data(as_text=True)


def user_path(world, name, tail=""):
    return f"/users/{world.key('user/' + name)}{tail}"


def test_a_new_account_with_role_and_link_is_one_form(app, sign_in):
    admin = sign_in("admin")
    answer = admin.post("/users/new", data=NEW)
    assert answer.status_code == 303
    shown = page(admin, answer.headers["Location"])
    assert "许多福" in shown and "<svg" in shown and "http://localhost/invitation/" in shown


def test_the_invited_person_sets_a_password_and_is_in(app, sign_in):
    admin = sign_in("admin")
    shown = page(admin, admin.post("/users/new", data=NEW).headers["Location"])
    path = re.search(r"http://localhost(/invitation/\w+)", shown)[1]
    phone = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page(phone, path))[1]
    form = {"csrf_token": token, "new_password": "four words to remember", "again": "four words to remember"}
    assert phone.post(path, data=form).status_code == 303
    assert "许多福" in page(phone, "/account")
    assert app.test_client().get(path).status_code == 409


def test_a_wrong_field_keeps_what_was_typed_and_stores_nothing(app, sign_in):
    answer = sign_in("admin").post("/users/new", data=NEW | {"telephone": "12"})
    shown = answer.get_data(as_text=True)
    assert (answer.status_code, 'value="许多福"' in shown) == (422, True)
    with app.app_context():
        assert queries.find_user_by_name("xuduofu") is None


@pytest.mark.parametrize("place", ["官任社区 (7)", "官任社区", "厦门市 (1)", "", "nowhere"])
def test_a_place_outside_of_ones_own_is_not_offered_and_not_taken(app, sign_in, place):
    coordinator = sign_in("coordinator")
    assert "官任社区" not in page(coordinator, "/users/new")
    assert coordinator.post("/users/new", data=NEW | {"place": place}).status_code == 422


def test_a_role_that_one_may_not_give_is_refused_even_when_sent(app, sign_in):
    answer = sign_in("coordinator").post("/users/new", data=NEW | {"role": "administrator"})
    assert answer.status_code == 403


@pytest.mark.parametrize("who", ["clerk", "operator", "wu", "zhuang", "chen_home", "manager"])
def test_who_gives_no_area_role_has_no_form_for_new_people(sign_in, who):
    assert sign_in(who).get("/users/new").status_code == 403


def test_the_list_holds_only_accounts_in_ones_scope(sign_in):
    coordinator = page(sign_in("coordinator"), "/users/")
    assert "苏晓梅" in coordinator and "陈外街" not in coordinator and "庄话务" not in coordinator
    manager = page(sign_in("manager"), "/users/")
    assert "吴丽珍" in manager and "郭建明" not in manager and "苏晓梅" not in manager


def test_the_list_is_searched_by_pinyin_role_and_state(sign_in):
    admin = sign_in("admin")
    assert "苏晓梅" in page(admin, "/users/?q=sxm") and "吴丽珍" not in page(admin, "/users/?q=sxm")
    assert "吴丽珍" in page(admin, "/users/?role=carer") and "苏晓梅" not in page(admin, "/users/?role=carer")
    assert "苏晓梅" in page(admin, "/users/?state=invited") and "苏晓梅" not in page(admin, "/users/?state=active")


def test_members_of_households_are_masked_to_those_who_do_not_serve_them(sign_in):
    assert "陈阿珠" not in page(sign_in("coordinator"), "/users/")
    assert "陈阿珠" in page(sign_in("clerk"), "/users/")


def test_an_account_outside_of_ones_scope_looks_absent(sign_in, world):
    assert sign_in("coordinator").get(user_path(world, "stranger")).status_code == 404
    assert sign_in("coordinator").post(user_path(world, "stranger", "/disable")).status_code == 404


def test_disabling_takes_effect_at_the_next_request_and_can_be_undone(sign_in, world):
    admin, clerk = sign_in("admin"), sign_in("clerk")
    assert clerk.get("/account").status_code == 200
    admin.post(user_path(world, "clerk", "/disable"))
    assert clerk.get("/account").status_code == 303
    assert admin.post(user_path(world, "clerk", "/enable")).status_code == 303


def test_a_role_ended_takes_effect_at_the_next_request(app, sign_in, world):
    admin, clerk = sign_in("admin"), sign_in("clerk")
    assert clerk.get("/users/").status_code == 200
    with app.app_context():
        grant = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/clerk"))).one()
    admin.post(user_path(world, "clerk", f"/roles/{grant.id}/end"))
    assert clerk.get("/users/").status_code == 403


def test_a_role_of_another_account_is_not_ended_through_this_one(app, sign_in, world):
    with app.app_context():
        grant = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/coordinator"))).one()
    assert sign_in("admin").post(user_path(world, "clerk", f"/roles/{grant.id}/end")).status_code == 404


def test_one_who_may_not_give_all_its_roles_cannot_take_an_account_over(app, sign_in, world):
    colleague = sign_in("clerk")
    shown = page(colleague, user_path(world, "clerk"))
    assert "/link" not in shown
    for deed in ("/link", "/disable", "/name"):
        assert colleague.post(user_path(world, "clerk", deed), data={"sign_in_name": "mine"}).status_code == 403
    with app.app_context():
        assert db.session.scalars(select(Invitation)).all() == []


def test_a_carers_account_comes_from_their_own_record(app, sign_in, world, commit, now):
    with app.app_context():
        commit(lambda: _forget_account(world, "xu"))
    manager = sign_in("manager")
    path = f"/users/of/{world.key('xu')}"
    assert "鹭康居家养老" in page(manager, path)
    answer = manager.post(path, data={"choice": "0"})
    assert answer.status_code == 303
    with app.app_context():
        user = queries.account_of(world.key("xu"))
        (grant,) = queries.grants_of(user.id)
        assert (grant.role, grant.organisation_id) == ("carer", world.key("lukang"))
    assert sign_in("manager2").get(path).status_code == 404


def _forget_account(world, name):
    user_id = world.key("user/" + name)
    granting.audit.record("test.forget", ("users", user_id), by=None, now=world.NOW)
    db.session.execute(Grant.__table__.delete().where(Grant.user_id == user_id))
    db.session.execute(User.__table__.delete().where(User.id == user_id))


def test_a_household_gets_its_account_from_community_staff(app, sign_in, world, commit):
    with app.app_context():
        commit(lambda: _forget_account(world, "chen_home"))
    clerk = sign_in("clerk")
    path = f"/users/of/{world.key('chen/head')}"
    assert clerk.post(path, data={"choice": "0"}).status_code == 303
    assert sign_in("stranger").get(path).status_code == 404


def test_the_telephone_opens_with_a_reason_and_leaves_a_trace(app, sign_in, world):
    admin = sign_in("admin")
    with app.app_context():
        telephone = db.session.get(User, world.key("user/clerk")).person.telephone.removeprefix("+86")
    assert telephone not in page(admin, user_path(world, "clerk"))
    asked = {"field": "telephone", "purpose": "call"}
    assert telephone in admin.post(user_path(world, "clerk", "/reveal"), data=asked).get_data(as_text=True)
    with app.app_context():
        row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc()).limit(1)).one()
    assert (row.action, row.detail["purpose"]) == ("people.reveal", "call")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"field": "id_number", "purpose": "call"}, 404),
        ({"field": "telephone", "purpose": "curiosity"}, 422),
        ({"field": "telephone"}, 422),
    ],
)
def test_nothing_opens_without_a_reason_or_beyond_the_page(sign_in, world, asked, status):
    assert sign_in("admin").post(user_path(world, "clerk", "/reveal"), data=asked).status_code == status


def test_the_picture_of_the_link_is_there_as_long_as_the_link(sign_in, world, move_clock):
    admin = sign_in("admin")
    path = user_path(world, "clerk", "/link.png")
    assert admin.get(path).status_code == 404
    admin.post(user_path(world, "clerk", "/link"))
    assert admin.get(path).data.startswith(b"\x89PNG")
    move_clock((world.NOW + timedelta(days=8)).isoformat())
    assert admin.get(path).status_code == 404


def test_who_may_give_no_account_does_not_learn_the_name(sign_in, world):
    shown = page(sign_in("coordinator"), f"/users/of/{world.key('lin/head')}")
    assert "林**" in shown and "林秀英" not in shown
    assert "林秀英" in page(sign_in("clerk"), f"/users/of/{world.key('lin/head')}")


def test_a_households_page_leads_to_the_account_of_each_member(sign_in, world):
    path = f"/households/{world.key('household/chen')}"
    link = f"/users/of/{world.key('chen/head')}"
    assert link in page(sign_in("clerk"), path)
    assert link not in page(sign_in("coordinator"), path)


def test_who_makes_somebody_manager_sees_the_account_afterwards(sign_in, world):
    assert sign_in("admin").get(user_path(world, "manager")).status_code == 200
    assert sign_in("stranger").get(user_path(world, "manager")).status_code == 404
