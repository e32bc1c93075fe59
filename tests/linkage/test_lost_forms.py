"""A form that arrives after the session is over leads to the sign-in page and back; one that is done says so."""

from urllib.parse import parse_qs, urlsplit

import pytest

PAGE = "http://localhost/households/new"


@pytest.mark.parametrize(
    ("headers", "back"),
    [
        ({"Referer": PAGE}, ["/households/new"]),
        ({"Referer": PAGE + "?area=4"}, ["/households/new?area=4"]),
        ({"Referer": "http://elsewhere.invalid/households/new"}, None),
        ({"Referer": "http://localhost/logout"}, None),  # a page that cannot be opened
        ({"Referer": "http://localhost//elsewhere.invalid/x"}, None),
        ({}, None),
    ],
)
def test_after_signing_in_one_is_back_at_the_form(app, headers, back):
    answer = app.test_client().post("/households/new", data={"address": "x", "_idem": "k" * 20}, headers=headers)
    target = urlsplit(answer.headers["Location"])
    assert (answer.status_code, target.path) == (303, "/login")
    assert parse_qs(target.query).get("next") == back
    assert "done=" not in str(answer.headers.getlist("Set-Cookie"))


def test_a_form_that_is_done_says_its_key_and_a_refused_one_does_not(sign_in):
    clerk = sign_in("clerk")
    form = {
        "area_id": "4",
        "address": "香莲里88号1001室",
        "m-0-name": "柯守望",
        "m-0-relation": "self",
        "_idem": "k" * 20,
    }
    refused = clerk.post("/households/new", data={**form, "address": ""})
    assert refused.status_code == 422 and "done=" not in str(refused.headers.getlist("Set-Cookie"))
    for _time in range(2):  # the second is answered as the first
        answer = clerk.post("/households/new", data=form)
        assert answer.status_code == 303
        assert f"done={'k' * 20}" in str(answer.headers.getlist("Set-Cookie"))


def test_the_key_that_seals_what_was_typed_is_each_accounts_own(sign_in):
    def key(who):
        page = sign_in(who).get("/households/").get_data(as_text=True)
        return page.partition('data-seal="')[2].partition('"')[0]

    assert len(key("clerk")) == 44 and key("clerk") == key("clerk") != key("clerk2")
    assert "data-seal" not in sign_in("clerk").application.test_client().get("/login").get_data(as_text=True)
