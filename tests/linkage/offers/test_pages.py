"""A volunteer's pages: at most three questions, two equal answers, kind words when somebody was quicker."""

from datetime import timedelta

import pytest
from visiting import open_for, post_for, visits_of

from linkage.core.extensions import db
from linkage.core.transactions import unit_of_work
from linkage.offers.models import Offer
from linkage.visits.models import Assignment

SECRETS = ("林秀英", "凌香里", "301", "左边的门", "木棉", "2203")


def test_a_question_shows_what_why_how_far_and_never_who_or_where(asking, offer_to, sign_in):
    asking("zhuang", fallback="wu")
    client, offer = sign_in("zhuang"), offer_to("zhuang")
    for path in ("/offers/", f"/offers/{offer.id}", "/inbox", "/me/", "/me/visits"):
        page = client.get(path).get_data(as_text=True)
        assert not [secret for secret in SECRETS if secret in page], path
    page = client.get(f"/offers/{offer.id}").get_data(as_text=True)
    for words in ("助餐", "莲花北社区", "约 100 米", "1 小时", "为什么问您", "不会记在您名下"):
        assert words in page, words


def test_yes_leads_to_the_door_and_no_back_to_today(asking, offer_to, sign_in, visit):
    asking("zhuang"), asking("ye", on=visit("chen", "chat"))
    yes = sign_in("zhuang").post(f"/offers/{offer_to('zhuang').id}/accept")
    assert yes.status_code == 303 and yes.location.startswith("/me/visits/")
    page = sign_in("zhuang").get(yes.location).get_data(as_text=True)
    assert "林秀英" in page and "凌香里8号301室" in page
    no = sign_in("ye").post(f"/offers/{offer_to('ye').id}/decline")
    assert no.location == "/offers/"


def test_who_is_second_is_told_kindly(asking, offer_to, sign_in, at):
    asking("zhuang", "ye", now=at("2026-11-26T03:00"))
    first, second = offer_to("zhuang"), offer_to("ye")
    assert sign_in("zhuang").post(f"/offers/{first.id}/accept").status_code == 303
    answer = sign_in("ye").post(f"/offers/{second.id}/accept")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "谢谢您愿意来" in page and "不会记在您名下" in page


def test_a_double_click_answers_once_and_the_same(asking, offer_to, sign_in):
    asking("zhuang")
    client, url = sign_in("zhuang"), f"/offers/{offer_to('zhuang').id}/accept"
    answers = [client.post(url, data={"_idem": "one"}) for _twice in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location


def test_at_most_three_questions_are_shown(asking, sign_in, visit):
    for hour, service in (("09:00", "chat"), ("10:00", "meal"), ("11:00", "chat"), ("09:30", "meal")):
        asking("zhuang", on=visit("lin", service), hour=hour)
    page = sign_in("zhuang").get("/offers/").get_data(as_text=True)
    assert page.count("看看再答复") == 3 and "4 个邀请" in page


def test_another_volunteers_question_looks_absent(asking, offer_to, sign_in):
    asking("zhuang")
    offer = offer_to("zhuang")
    client = sign_in("ye")
    assert client.get(f"/offers/{offer.id}").status_code == 404
    assert client.post(f"/offers/{offer.id}/accept").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("clerk", 200), ("coordinator", 200), ("clerk2", 404), ("manager", 404)])
def test_staff_sees_who_is_asked_and_cannot_answer_for_them(asking, offer_to, sign_in, who, status):
    asking("zhuang")
    offer = offer_to("zhuang")
    client = sign_in(who)
    assert client.get(f"/offers/{offer.id}").status_code == status
    assert client.post(f"/offers/{offer.id}/accept").status_code == (403 if status == 200 else 404)


def test_with_nothing_to_answer_the_page_says_what_will_come(sign_in):
    page = sign_in("hong").get("/offers/").get_data(as_text=True)
    assert "今天没有邀请" in page


def test_today_shows_the_next_commitment_first(asking, say, sign_in, now):
    asking("zhuang")
    say("zhuang", "accept", now + timedelta(minutes=1))
    page = sign_in("zhuang").get("/offers/").get_data(as_text=True)
    assert "您的下一次服务" in page and "林秀英" in page and "09:00" in page


def test_a_declined_question_is_gone_from_today(asking, say, sign_in):
    asking("zhuang")
    say("zhuang", "decline")
    assert "看看再答复" not in sign_in("zhuang").get("/offers/").get_data(as_text=True)


def test_posting_a_need_and_asking_leaves_everything_in_one_place(world, commit, ctx):
    slot_id = visits_of(commit(lambda: post_for(world, "lin", "meal")))[0].slots[0].id
    unit_of_work(lambda: open_for(world, slot_id, ["zhuang"]))
    assert db.session.query(Offer).count() == 1 and db.session.query(Assignment).count() == 0
