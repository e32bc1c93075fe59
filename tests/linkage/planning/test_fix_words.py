"""Every kind of change that the engine can find is said in words, with who is asked and what it costs."""

from linkage.core.extensions import db
from linkage.people.models import Person
from linkage.planning.fix_words import ASKED, fix_effect, fix_text
from matching.changes import FixCode

PRICE = {"points": 1, "others_points": 0, "moved": 1, "people_told": 2, "travel_minutes": 7.0, "cost_fen": 2550}


def example(code, person_id):
    """The parameters of each kind, as stored."""
    whens = dict.fromkeys(("starts_at", "from", "to", "start", "end"), "2026-11-03T09:00:00+08:00")
    names = {"caregiver": person_id, "to_caregiver": person_id, "people": [person_id]}
    amounts = {"amount": 30, "unit": "minutes", "minutes": 30, "limit": 1, "days": 1}
    other = {"kind": "carer", "qualifications": "nurse", "line": person_id, "wish": "gender"}
    return {"code": code.value, "size": 1, "price": PRICE, **whens, **names, **amounts, **other}


def test_every_kind_of_change_has_words_and_someone_to_ask(ctx, world):
    person_id = str(db.session.query(Person).first().id)
    assert set(ASKED) == {code.value for code in FixCode}
    texts = {fix_text(example(code, person_id)) for code in FixCode}
    assert "" not in texts
    assert len(texts) == len(FixCode) - 1  # another hour and another day are both said as the new time


def test_the_price_names_money_the_road_and_how_many_hear_of_it(ctx, world):
    said = fix_effect(example(FixCode.HAND_OVER_VISIT, "00000000-0000-0000-0000-000000000000"))
    assert "25.5" in said
    assert "7" in said
    assert "另需告知 2 人" in said
