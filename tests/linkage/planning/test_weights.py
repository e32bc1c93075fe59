"""What planning weighs against what: every term of the objective, from a date on, within bounds."""

from dataclasses import asdict, fields
from datetime import date

from linkage.core import rulesets
from linkage.planning import weights
from matching.objective import ObjectiveWeights

TODAY, MONDAY = date(2026, 11, 24), date(2026, 11, 30)
NEW_FACE = "planning.weight_new_face_points"


def test_as_delivered_the_weights_are_those_of_the_engine(ctx):
    assert weights.weights_on(TODAY) == ObjectiveWeights()


def test_every_term_of_the_engine_has_a_rule_with_words_and_bounds(ctx):
    terms = {field.name for field in fields(ObjectiveWeights)} - {weights.TOLD}
    assert terms == set(weights.MEANINGS)
    assert all(weights.name_of(term) in rulesets.BOUNDS for term in terms)


def test_a_changed_weight_holds_for_plans_that_begin_on_its_day_or_later(commit, now):
    commit(lambda: rulesets.add_value(NEW_FACE, 4000, valid_from=MONDAY, source="decision", by=None, now=now))
    before, after = weights.weights_on(TODAY), weights.weights_on(MONDAY)
    assert (before.new_face, after.new_face) == (1500, 4000)
    assert asdict(after) | {"new_face": 1500} == asdict(before)


def test_nobody_is_moved_for_less_travel_than_the_rule_says_at_the_price_of_travel(commit, now):
    name = weights.name_of("travel_per_minute")
    commit(lambda: rulesets.add_value(name, 50, valid_from=MONDAY, source="decision", by=None, now=now))
    assert weights.weights_on(MONDAY).told_per_person == 50 * 20


def test_the_page_shows_the_exchange_and_a_wrong_number_is_refused_at_its_field(sign_in):
    admin = sign_in("admin")
    admin.set_cookie("lang", "en")
    page = admin.get("/administration/weights/").text
    assert "15 min" in page and "0 to 100000" in page and NEW_FACE in page
    sent = {"valid_from": "2026-11-30", "source": "decision"}
    for value in ("-1", "100001", "1.5", "many"):
        answer = admin.post(f"/administration/rules/{NEW_FACE}", data={**sent, "value": value})
        assert answer.status_code == 422, value
    assert (
        "Write a number from 0 to 100000."
        in admin.post(f"/administration/rules/{NEW_FACE}", data={**sent, "value": "100001"}).text
    )
    assert admin.post(f"/administration/rules/{NEW_FACE}", data={**sent, "value": "4000"}).status_code == 303
    assert "4000 from" in admin.get("/administration/weights/").text
    assert sign_in("coordinator").get("/administration/weights/").status_code == 403
