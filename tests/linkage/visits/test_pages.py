"""The pages of visits and needs: what each role sees and can do, and nothing beyond its scope."""

import pytest
from visiting import visits_of

from linkage.core.extensions import db
from linkage.needs.models import Need
from linkage.visits import attendance, status
from linkage.visits.models import Visit
from linkage.visits.queries import get_assignment

DOOR = "凌香里8号301室"


def follow(response):
    assert response.status_code == 303, response.get_data(as_text=True)[:400]
    return response.location


def fresh(row):
    return db.session.get(type(row), row.id, populate_existing=True)


@pytest.fixture
def wu_at_lin(booked, visit):
    """吴丽珍 is booked at 林秀英 on Thursday at nine."""
    return booked("wu", on=visit("lin", "clean"))


@pytest.fixture
def thursday_at(move_clock):
    return lambda clock: move_clock(f"2026-11-26T{clock}")


@pytest.fixture
def serve(thursday_at, commit):
    """``serve(assignment, "09:50")``: from nine until then, on Thursday; the clock stands there afterwards."""

    def run(one, until):
        for act, clock in ((attendance.check_in, "09:00"), (attendance.check_out, until)):
            moment = thursday_at(clock)
            commit(lambda act=act, now=moment: act(get_assignment(one.id), method="staff", by=None, now=now))

    return run


def test_a_carer_sees_her_next_visit_with_door_password_and_route(sign_in, wu_at_lin, thursday_at):
    thursday_at("08:30")
    page = sign_in("wu").get("/me/").get_data(as_text=True)
    for words in ("林秀英", DOOR, "木棉", "左边的门", "09:00", 'name="code"'):
        assert words in page, words


def test_the_code_checks_in_and_the_button_checks_out(sign_in, wu_at_lin, thursday_at):
    thursday_at("08:58")
    client, url = sign_in("wu"), f"/me/visits/{wu_at_lin.id}"
    assert follow(client.post(url + "/check-in", data={"code": "0000"})).endswith("?wrong=1")
    assert "还可以试 4 次" in client.get(url + "?wrong=1").get_data(as_text=True)
    assert follow(client.post(url + "/check-in", data={"code": "2203"})) == url
    thursday_at("09:45")
    assert "做完了，签退" in client.get(url).get_data(as_text=True)
    follow(client.post(url + "/check-out"))
    assert fresh(get_assignment(wu_at_lin.id).attendance).minutes in (46, 47)


def test_a_wrong_code_is_counted_even_though_nothing_else_happens(sign_in, wu_at_lin, thursday_at):
    thursday_at("08:58")
    client = sign_in("wu")
    for _again in range(5):
        follow(client.post(f"/me/visits/{wu_at_lin.id}/check-in", data={"code": "1111"}))
    refused = client.post(f"/me/visits/{wu_at_lin.id}/check-in", data={"code": "2203"})
    assert refused.status_code == 409
    assert "12349" in refused.get_data(as_text=True)


def test_nobody_checks_in_for_a_colleague(sign_in, wu_at_lin, thursday_at):
    thursday_at("08:58")
    answer = sign_in("xu").post(f"/me/visits/{wu_at_lin.id}/check-in", data={"code": "2203"})
    assert answer.status_code == 404


def test_two_hours_after_the_end_name_and_door_are_folded_away(sign_in, wu_at_lin, thursday_at):
    thursday_at("11:59")
    client = sign_in("wu")
    assert DOOR in client.get(f"/me/visits/{wu_at_lin.id}").get_data(as_text=True)
    thursday_at("12:01")
    page = client.get(f"/me/visits/{wu_at_lin.id}").get_data(as_text=True)
    assert DOOR not in page and "木棉" not in page and "林秀英" not in page


def test_a_carer_gives_a_visit_back_and_the_staff_hears_of_it(sign_in, wu_at_lin, world):
    client = sign_in("wu")
    assert client.get(f"/me/visits/{wu_at_lin.id}/give-back").status_code == 200
    assert follow(client.post(f"/me/visits/{wu_at_lin.id}/give-back")) == "/me/visits"
    assert fresh(wu_at_lin).release_reason == "withdrew"
    assert "没有人去了" in sign_in("clerk").get("/inbox").get_data(as_text=True)


def test_a_volunteers_hours_show_the_same_day(sign_in, booked, serve):
    one = booked("zhuang", "lin", "chat")
    serve(one, "10:10")
    page = sign_in("zhuang").get("/me/hours").get_data(as_text=True)
    assert "1 小时 10 分" in page and "陪伴" in page


def test_a_household_sees_who_comes_when_and_how_to_know_them(sign_in, booked, visit, thursday_at):
    booked("ye", on=visit("chen", "chat"), at="2026-11-26T10:30")
    page = sign_in("chen_home").get("/home/").get_data(as_text=True)
    for words in ("后天", "10:30", "上午十点半", "叶晓彤", "XM00002", "木棉", "12349"):
        assert words in page, words


def test_a_household_cancels_one_visit_and_the_community_hears_of_it(sign_in, post):
    first, second = visits_of(post("chen", "chat", recurrence="FREQ=WEEKLY;BYDAY=TH"))[:2]
    follow(sign_in("chen_home").post(f"/home/{first.id}/not-convenient"))
    assert fresh(first).cancel_reason == "not_convenient" and fresh(second).cancelled_at is None
    assert "家里取消了" in sign_in("clerk").get("/inbox").get_data(as_text=True)


def test_a_household_asks_for_help_and_hears_its_number(sign_in, world, ctx):
    client = sign_in("chen_home")
    assert client.get("/home/ask").status_code == 200
    sent = {"service": "bath", "day": "2026-11-26", "part": "afternoon", "note": "膝盖疼"}
    assert follow(client.post("/home/ask", data=sent)) == "/home/"
    need = db.session.query(Need).one()
    assert (need.channel, need.people, need.window_start, need.note) == ("online", 2, 14 * 60, "膝盖疼")
    assert need.number in client.get("/home/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"day": "2026-11-20"}, "day"), ({"service": "nothing"}, "service"), ({"day": ""}, "day")],
)
def test_a_household_that_mistypes_loses_nothing(sign_in, sent, field, ctx):
    given = {"service": "meal", "day": "2026-11-26", "part": "any", "note": "软一点"}
    answer = sign_in("chen_home").post("/home/ask", data={**given, **sent})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and f'href="#f-{field}"' in page and "软一点" in page


def test_three_faces_confirm_a_finished_visit(sign_in, booked, visit, serve):
    one = booked("wu", on=visit("chen", "clean"))
    serve(one, "10:00")
    client = sign_in("chen_home")
    assert "好不好" in client.get("/home/").get_data(as_text=True)
    assert client.post(f"/home/{one.visit_id}/rate", data={}).status_code == 422
    follow(client.post(f"/home/{one.visit_id}/rate", data={"rating": "3"}))
    assert db.session.get(Visit, one.visit_id, populate_existing=True).rating == 3
    assert "好" in sign_in("clerk").get("/inbox").get_data(as_text=True)


def test_a_household_sees_and_touches_only_its_own(sign_in, visit):
    other = visit("lin", "meal")
    client = sign_in("chen_home")
    assert client.get(f"/visits/{other.id}").status_code == 404
    assert client.post(f"/home/{other.id}/not-convenient").status_code == 404
    assert client.post(f"/home/{other.id}/rate", data={"rating": "3"}).status_code == 404


def test_the_call_desk_checks_in_and_out_for_who_calls(sign_in, wu_at_lin, thursday_at):
    thursday_at("09:02")
    client, url = sign_in("operator"), f"/visits/{wu_at_lin.visit_id}"
    assert "签到" in client.get(url).get_data(as_text=True)
    follow(client.post(f"{url}/{wu_at_lin.id}/check-in"))
    thursday_at("09:58")
    follow(client.post(f"{url}/{wu_at_lin.id}/check-out"))
    row = fresh(get_assignment(wu_at_lin.id).attendance)
    assert (row.check_in_method, row.minutes) in (("call_desk", 55), ("call_desk", 56))


def test_an_assignment_of_another_visit_is_not_touched(sign_in, wu_at_lin, booked, visit, thursday_at):
    elsewhere = booked("xu", on=visit("chen", "clean"))
    thursday_at("09:02")
    answer = sign_in("clerk").post(f"/visits/{wu_at_lin.visit_id}/{elsewhere.id}/check-in")
    assert answer.status_code == 422
    assert fresh(elsewhere).attendance is None


def test_staff_confirms_corrects_and_sees_the_original_beside_it(sign_in, wu_at_lin, thursday_at, serve):
    serve(wu_at_lin, "09:50")
    thursday_at("11:00")
    client, url = sign_in("clerk"), f"/visits/{wu_at_lin.visit_id}"
    times = {"from": "09:00", "to": "10:05", "reason": "forgot_check_out"}
    follow(client.post(f"{url}/{wu_at_lin.id}/correct", data=times))
    assert client.post(f"{url}/{wu_at_lin.id}/correct", data={**times, "to": "08:00"}).status_code == 422
    follow(client.post(url + "/confirm", data={"rating": "2"}))
    page = client.get(url).get_data(as_text=True)
    assert "1 小时 5 分" in page and "更正前" in page and "50 分" in page and "一般" in page


def test_a_visit_is_cancelled_with_a_reason_only(sign_in, wu_at_lin):
    client, url = sign_in("clerk"), f"/visits/{wu_at_lin.visit_id}/cancel"
    assert client.get(url).status_code == 200
    assert client.post(url, data={"reason": "because"}).status_code == 422
    follow(client.post(url, data={"reason": "hospital"}))
    assert fresh(wu_at_lin).release_reason == "visit_cancelled"


def test_no_show_and_release_are_for_the_areas_staff(sign_in, booked, visit, thursday_at):
    one, two = booked("wu", on=visit("lin", "clean")), booked("xu", on=visit("chen", "clean"))
    thursday_at("09:20")
    clerk = sign_in("clerk")
    follow(clerk.post(f"/visits/{one.visit_id}/{one.id}/no-show"))
    follow(clerk.post(f"/visits/{two.visit_id}/{two.id}/release"))
    assert fresh(one).attendance.no_show_at and fresh(two).release_reason == "replaced"
    assert sign_in("manager").post(f"/visits/{one.visit_id}/{one.id}/no-show").status_code == 403


@pytest.mark.parametrize(
    ("who", "names"),
    [("clerk", ["林秀英"]), ("coordinator", ["林**", "黄**"]), ("supervisor", ["林**", "黄**", "王**"]),
     ("operator", ["林秀英", "黄水源", "王外人"]), ("stranger", ["王外人"]), ("manager", ["林**"]), ("chen_home", [])],
)  # fmt: skip
def test_the_list_shows_each_role_its_scope_with_names_as_it_may(sign_in, visit, booked, who, names):
    booked("wu", on=visit("lin", "clean"))
    visit("huang", "clean", by="clerk2"), visit("far", "clean", by="stranger")
    page = sign_in(who).get("/visits/?day=2026-11-26").get_data(as_text=True)
    every = ["林秀英", "黄水源", "王外人", "林**", "黄**", "王**"]
    assert sorted(name for name in every if name in page) == sorted(names)


def test_the_list_is_filtered_by_state_community_and_day(sign_in, visit, booked, thursday_at):
    booked("wu", on=visit("lin", "clean"))
    visit("huang", "clean", by="clerk2")
    client = sign_in("coordinator")

    def listed(query):
        page = client.get(f"/visits/?{query}").get_data(as_text=True)
        return [name for name in ("林**", "黄**") if name in page]

    assert listed("day=2026-11-26") == ["林**", "黄**"]
    assert listed("day=2026-11-25") == []
    assert listed("week=2026-11-23") == ["林**", "黄**"]
    assert listed("day=2026-11-26&state=trouble") == ["黄**"]
    assert listed("day=2026-11-26&state=booked") == ["林**"]
    assert listed("day=2026-11-26&area=5") == ["黄**"]
    assert listed("day=nonsense&state=nonsense&area=x&page=99") == []


def test_the_list_of_needs_finds_by_state_service_name_and_number(sign_in, post, commit, world, now):
    first, again, other = post("lin", "meal"), post("lin", "meal"), post("chen", "chat")
    client = sign_in("clerk")

    def listed(query):
        page = client.get(f"/needs/?{query}").get_data(as_text=True)
        return [need for need in (first, again, other) if need.number in page]

    assert listed("") == [first, again, other]
    assert listed("state=repeated") == [again]
    assert listed("state=withdrawn") == []
    assert listed("service=chat") == [other]
    assert listed("q=lxy") == [first, again]
    assert listed(f"q={first.number}") == [first]


def test_a_need_is_changed_on_its_page_and_faults_stand_at_their_fields(sign_in, post):
    need = post("lin", "clean", recurrence="FREQ=WEEKLY;BYDAY=TH")
    client, url = sign_in("clerk"), f"/needs/{need.id}/edit"
    sent = {"row_version": "1", "repeats": "weekly", "days": ["3", "4"], "starts_on": "2026-11-26", "from": "09:00",
            "to": "13:00", "minutes": "60", "people": "1", "channel": "counter"}  # fmt: skip
    wrong = client.post(url, data={**sent, "to": "09:30"})
    assert wrong.status_code == 422 and 'href="#f-to"' in wrong.get_data(as_text=True)
    assert follow(client.post(url, data=sent)) == f"/needs/{need.id}"
    assert fresh(need).recurrence == "FREQ=WEEKLY;BYDAY=TH,FR" and len(visits_of(need)) == 8
    assert client.post(url, data=sent).status_code == 412


def test_the_edit_form_shows_what_the_need_says(sign_in, post):
    need = post("lin", "clean", recurrence="FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", preferred_start=600, note="请带围裙")
    page = sign_in("clerk").get(f"/needs/{need.id}/edit").get_data(as_text=True)
    for words in ('value="fortnightly" selected', 'value="09:00"', 'value="10:00"', "请带围裙"):
        assert words in page, words


def test_a_need_is_withdrawn_with_a_reason_only(sign_in, post):
    need = post("lin", "clean")
    client, url = sign_in("clerk"), f"/needs/{need.id}/withdraw"
    assert client.get(url).status_code == 200
    assert client.post(url, data={}).status_code == 422
    follow(client.post(url, data={"reason": "moved"}))
    assert fresh(need).withdrawn_reason == "moved"
    assert "已撤回" in client.get(f"/needs/{need.id}").get_data(as_text=True)


def test_what_was_said_is_shown_to_the_households_own_staff_only(sign_in, post):
    need = post("lin", "clean", note="上周摔过")
    assert "上周摔过" in sign_in("clerk").get(f"/needs/{need.id}").get_data(as_text=True)
    assert "上周摔过" not in sign_in("coordinator").get(f"/needs/{need.id}").get_data(as_text=True)


@pytest.mark.parametrize("who", ["clerk2", "stranger", "manager2", "guo", "hong"])
def test_outside_the_scope_need_and_visit_look_absent(sign_in, post, who):
    need = post("lin", "clean")
    client, (visit,) = sign_in(who), visits_of(need)
    paths = [f"/needs/{need.id}", f"/needs/{need.id}/edit", f"/visits/{visit.id}", f"/visits/{visit.id}/cancel"]
    assert [client.get(path).status_code for path in paths] == [404] * 4
    assert client.post(f"/visits/{visit.id}/cancel", data={"reason": "hospital"}).status_code == 404


def test_pages_have_no_untranslated_word_in_english(sign_in, wu_at_lin, thursday_at):
    thursday_at("08:30")
    client = sign_in("wu")
    client.set_cookie("lang", "en")
    page = client.get("/me/").get_data(as_text=True)
    assert "I am here, check in" in page and "签到" not in page


def test_the_status_that_a_page_shows_follows_the_clock(sign_in, wu_at_lin, thursday_at):
    client, url = sign_in("clerk"), f"/visits/{wu_at_lin.visit_id}"
    seen = []
    for clock in ("08:00", "09:16", "10:01"):
        at = thursday_at(clock)
        seen.append(status.status_of(db.session.get(Visit, wu_at_lin.visit_id), at).value)
        assert client.get(url).status_code == 200
    assert seen == ["booked", "late", "missed"]


def test_an_earlier_stop_of_the_day_is_folded_away_two_hours_later(sign_in, booked, visit, thursday_at):
    booked("wu", on=visit("lin", "clean"), at="2026-11-26T09:00")
    booked("wu", on=visit("chen", "clean"), at="2026-11-26T11:00")
    client = sign_in("wu")
    thursday_at("11:30")
    assert "林秀英" in client.get("/me/").get_data(as_text=True)
    thursday_at("12:30")
    page = client.get("/me/").get_data(as_text=True)
    assert "林秀英" not in page and "陈阿珠" in page


def test_a_manager_opens_no_page_of_a_carer(sign_in, wu_at_lin):
    client = sign_in("manager")
    assert client.get(f"/me/visits/{wu_at_lin.id}").status_code == 404
    assert client.get("/me/").status_code == 403
