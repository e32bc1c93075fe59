"""Asking volunteers: the planned one first, then others, first acceptance wins, else the paid carer."""

from datetime import timedelta

import pytest
from visiting import book_for, change

from linkage.contracts.capacity import capacity_snapshot
from linkage.contracts.ledger import CapacityConflict
from linkage.contracts.models import ContractLine
from linkage.core.events import AbsenceRecorded, ConsentWithdrawn, announce
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.needs.models import Need
from linkage.needs.operations import withdraw_need
from linkage.offers import operations, periodic
from linkage.offers.errors import OfferClosed
from linkage.offers.models import Offer, OfferRound
from linkage.organisations.models import Carer
from linkage.visits import booking, status
from linkage.visits import operations as visiting
from linkage.visits.errors import Refused
from linkage.visits.models import Assignment, Visit
from linkage.visits.operations import cancel_visit

MINUTES = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def open_to(world):
    rows = db.session.query(Offer).filter(operations.queries.unanswered()).populate_existing()
    names = {world.key(name): name for name in world.USERS}
    return sorted(names[row.person_id] for row in rows)


def held(world, name="lukang/meal"):
    line = db.session.get(ContractLine, world.key("line/" + name))
    found = capacity_snapshot([line], ["2026-11"])[line.id, "2026-11"]
    return found.reserved, found.committed, found.delivered


def told(kind, world, name):
    return db.session.query(OutboxRow).filter_by(kind=kind, person_id=world.key(name)).count()


def outcome(row):
    return db.session.get(OfferRound, row.id, populate_existing=True).outcome


def state(row, moment):
    return status.status_of(db.session.get(Visit, row.slot.visit_id, populate_existing=True), moment).value


def standing(row):
    found = db.session.query(Assignment).filter_by(slot_id=row.slot_id, released_at=None).one()
    return found.person_id, found.capacity


def closed(make):
    with pytest.raises(OfferClosed) as refused:
        make()
    return refused.value.reason


def test_the_planned_volunteer_is_asked_first_with_four_hours_to_answer(asking, offer_to, world, now):
    row = asking("zhuang", "ye", "hong", fallback="wu")
    assert open_to(world) == ["zhuang"]
    assert offer_to("zhuang").answer_by == now + 240 * MINUTES
    assert told("offers.asked", world, "zhuang") == 1
    assert (state(row, now), held(world)) == ("asked", (1, 0, 0))


def test_what_begins_within_a_day_is_asked_of_several_at_once(asking, world, at):
    asking("zhuang", "ye", "hong", fallback="wu", now=at("2026-11-25T10:00"))
    assert open_to(world) == ["hong", "ye", "zhuang"]


def test_asking_never_goes_on_after_the_carer_must_be_told(asking, offer_to, at):
    asking("zhuang", fallback="wu", now=at("2026-11-26T05:00"))
    assert offer_to("zhuang").answer_by == at("06:00")


def test_an_acceptance_books_the_volunteer_gives_back_the_reserve_and_is_told(asking, say, world, now):
    row = asking("zhuang", "ye", fallback="wu")
    say("zhuang", "accept")
    assert standing(row) == (world.key("zhuang"), "volunteer")
    assert (outcome(row), held(world), state(row, now)) == ("accepted", (0, 0, 0), "accepted")
    assert told("offers.somebody_comes", world, "clerk") == 1


def test_the_first_acceptance_wins_and_the_second_is_told_kindly(asking, say, world, at):
    row = asking("zhuang", "ye", "hong", now=at("2026-11-25T12:00"))
    moment = at("2026-11-25T12:05")
    say("ye", "accept", moment)
    assert closed(lambda: say("zhuang", "accept", moment)) == "taken"
    assert standing(row) == (world.key("ye"), "volunteer")
    assert told("offers.taken", world, "zhuang") == told("offers.taken", world, "hong") == 1
    assert told("offers.taken", world, "ye") == 0


def test_a_decline_asks_the_next_ones_at_once_and_leaves_no_mark(asking, say, world):
    asking("zhuang", "ye", "hong", fallback="wu")
    say("zhuang", "decline")
    assert open_to(world) == ["hong", "ye"]
    assert closed(lambda: say("zhuang", "accept")) == "answered"
    assert not any("declin" in column.name for column in Assignment.__table__.columns)


def test_an_unanswered_question_passes_on_to_up_to_three_others_together(asking, world, now, tick):
    asking("zhuang", "ye", "hong", fallback="wu")
    tick(now + 239 * MINUTES)
    assert open_to(world) == ["zhuang"]
    tick(now + 240 * MINUTES)
    assert open_to(world) == ["hong", "ye"]


def test_a_rank_decides_anew_who_is_asked_next(asking, world, now, tick):
    row = asking("zhuang", "ye", "hong", fallback="wu")
    candidates = [operations.Candidate.from_json(data) for data in row.candidates]
    tick(now + 240 * MINUTES, rank=lambda found: [candidates[2]])
    assert open_to(world) == ["hong"]


def test_who_is_late_with_yes_still_comes_while_nobody_else_does(asking, say, world, now, tick):
    row = asking("zhuang", "ye", fallback="wu")
    tick(now + 240 * MINUTES)
    say("zhuang", "accept", now + 250 * MINUTES)
    assert standing(row)[0] == world.key("zhuang") and told("offers.taken", world, "ye") == 1


def test_when_nobody_answers_the_paid_carer_goes_from_the_reserve(asking, world, now, tick):
    row = asking("zhuang", fallback="wu")
    tick(now + 240 * MINUTES)
    assert standing(row) == (world.key("wu"), "carer")
    assert (outcome(row), held(world), state(row, now)) == ("fallback", (0, 1, 0), "booked")
    assert told("offers.you_go", world, "wu") == told("offers.somebody_comes", world, "clerk") == 1


def test_the_carer_takes_over_in_time_even_while_somebody_is_still_asked(asking, say, world, at, tick):
    row = asking("zhuang", fallback="wu", now=at("2026-11-26T04:00"))
    tick(at("05:59"))
    assert outcome(row) is None
    tick(at("06:00"))
    assert standing(row)[0] == world.key("wu")
    assert closed(lambda: say("zhuang", "accept", at("06:01"))) == "taken"
    assert held(world) == (0, 1, 0)


def test_a_fallback_that_is_no_longer_possible_is_said_and_the_reserve_given_back(asking, world, now, tick):
    row = asking("zhuang", fallback="wu")
    change(world, lambda: setattr(db.session.get(Carer, world.key("carer/wu")), "valid_to", world.MONDAY))
    tick(now + 240 * MINUTES)
    assert (outcome(row), held(world), state(row, now)) == ("nobody", (0, 0, 0), "open")
    assert told("offers.nobody", world, "clerk") == told("offers.nobody", world, "coordinator") == 1


def test_without_a_carer_behind_it_the_last_no_closes_the_round_and_the_staff_hears(asking, say, world, now, tick):
    row = asking("zhuang")
    say("zhuang", "decline")
    tick(now + 6 * MINUTES)
    assert outcome(row) == "nobody" and told("offers.nobody", world, "clerk") == 1


def test_a_minute_that_is_worked_twice_changes_nothing(asking, world, now, tick):
    row = asking("zhuang", fallback="wu")
    for _again in range(3):
        tick(now + 240 * MINUTES)
    assert standing(row)[0] == world.key("wu") and told("offers.you_go", world, "wu") == 1


def test_after_a_days_outage_nothing_is_asked_about_the_past(asking, world, at, tick):
    row = asking("zhuang", "ye")
    tick(at("2026-11-27T08:00"))
    assert (outcome(row), open_to(world)) == ("nobody", [])


def test_when_somebody_is_booked_by_hand_the_question_ends_and_the_reserve_is_given_back(
    asking, commit, world, now, tick
):
    row = asking("zhuang", fallback="wu")
    commit(lambda: book_for(world, "ye", row.slot_id, "2026-11-26T09:00"))
    tick(now + MINUTES)
    assert (standing(row)[0], held(world), open_to(world)) == (world.key("ye"), (0, 0, 0), [])
    assert told("offers.taken", world, "zhuang") == 1 and told("offers.nobody", world, "clerk") == 0


def test_a_slot_has_one_open_round(asking, visit, commit, world):
    target = visit()
    asking("zhuang", on=target)
    with pytest.raises(Refused):
        asking("ye", on=target)


def test_without_room_to_reserve_no_round_is_opened(asking, world):
    change(world, lambda: setattr(db.session.get(ContractLine, world.key("line/lukang/meal")), "monthly_cap", 0))
    with pytest.raises(CapacityConflict):
        asking("zhuang", fallback="wu")
    assert db.session.query(OfferRound).count() == 0


def test_accepting_ends_other_questions_about_the_same_hours_and_asks_the_next(asking, say, world, visit):
    asking("zhuang")
    other = asking("zhuang", "ye", on=visit("chen"), hour="09:30")
    later = asking("zhuang", on=visit("huang", by="clerk2"), hour="10:30")
    first = db.session.query(Offer).filter_by(person_id=world.key("zhuang")).order_by(Offer.starts_at).first()
    assert first is not None
    operations_accept(world, first.id)
    open_now = {row.round_id for row in db.session.query(Offer).filter(operations.queries.unanswered())}
    assert open_now == {other.id, later.id} and "ye" in open_to(world)


def operations_accept(world, offer_id):
    change(world, lambda: operations.accept_offer(
        db.session.get(Offer, offer_id), by=world.actor("zhuang"), now=world.NOW + 5 * MINUTES))  # fmt: skip


def test_a_volunteer_who_is_no_longer_insured_for_it_cannot_accept(asking, say, world):
    asking("zhuang")
    change(world, lambda: _raise_risk(world))
    with pytest.raises(Refused) as refused:
        say("zhuang", "accept")
    assert refused.value.reason == "insurance_missing"


def _raise_risk(world):
    db.session.get(operations.Slot, db.session.query(Offer).first().slot_id).visit.service.risk = "raised"
    volunteer = db.session.query(operations.queries.Volunteer).filter_by(person_id=world.key("zhuang")).one()
    volunteer.insured_to = world.MONDAY


def test_a_cancelled_visit_withdraws_its_questions_and_gives_back_the_reserve(asking, say, commit, world, now):
    row = asking("zhuang", fallback="wu")
    visit_id = row.slot.visit_id
    commit(lambda: cancel_visit(db.session.get(Visit, visit_id), "hospital", by=world.actor("clerk"), now=now))
    assert (outcome(row), held(world)) == ("withdrawn", (0, 0, 0))
    assert told("offers.withdrawn", world, "zhuang") == 1
    assert closed(lambda: say("zhuang", "accept")) == "withdrawn"


def test_a_withdrawn_need_withdraws_its_questions(asking, commit, world, now):
    row = asking("zhuang", fallback="wu")
    need_id = row.slot.visit.need_id
    commit(lambda: withdraw_need(db.session.get(Need, need_id), "moved", by=world.actor("clerk"), now=now))
    assert outcome(row) == "withdrawn"


def test_who_is_away_is_no_longer_asked_and_the_next_one_is(asking, world, now, at):
    asking("zhuang", "ye")
    event = AbsenceRecorded(by=None, now=now, person_id=world.key("zhuang"), starts_at=at("00:00"), ends_at=at("23:00"))
    change(world, lambda: announce(event))
    assert open_to(world) == ["ye"]


def test_without_consent_to_volunteers_the_paid_carer_takes_over(asking, world, now, tick):
    row = asking("zhuang", "ye", fallback="wu")
    event = ConsentWithdrawn(by=None, now=now, household_id=world.key("household/lin"), purpose="volunteers")
    change(world, lambda: announce(event))
    assert open_to(world) == []
    tick(now + MINUTES)
    assert standing(row)[0] == world.key("wu")


def test_who_gives_an_accepted_visit_back_can_be_followed_by_another(asking, say, commit, world, now):
    row = asking("zhuang")
    say("zhuang", "accept")
    one = db.session.query(Assignment).one()
    commit(lambda: booking.release(db.session.get(Assignment, one.id), "withdrew", by=None, now=now))
    asking("ye", on=row.slot.visit)
    say("ye", "accept")
    assert standing(row) == (world.key("ye"), "volunteer")


def test_why_somebody_is_asked_is_found_from_facts(asking, offer_to, visit, ctx):
    asking("zhuang", on=visit(wishes={"language": "minnan"}))
    codes = [reason["code"] for reason in offer_to("zhuang").reasons]
    assert codes == ["speaks", "available", "offers_this"]
    with ctx.test_request_context(headers={"Cookie": "lang=en"}):
        words = [operations.why.worded(reason) for reason in offer_to("zhuang").reasons]
    assert words[0] == "You speak Minnan, which is wished for." and all(words)


def give_back(world, commit, who, at):
    """The volunteer gives the accepted visit back at a moment."""

    def do():
        one = db.session.query(Assignment).filter_by(person_id=world.key(who), released_at=None).one()
        visiting.give_back(one, by=world.actor(who), now=at)

    commit(do)


def test_what_is_given_back_is_asked_about_anew_by_itself_but_not_of_who_said_no(asking, say, commit, world, now):
    asking("zhuang", "ye", "hong", fallback="wu")
    say("zhuang", "decline")
    say("ye", "accept", now + timedelta(minutes=10))
    give_back(world, commit, "ye", now + timedelta(hours=1))
    (again,) = db.session.query(OfferRound).filter_by(closed_at=None).all()
    assert again.fallback_person_id == world.key("wu") and held(world)[0] > 0
    left = [operations.Candidate(world.key(name), again.starts_at, again.ends_at) for name in ("zhuang", "ye", "hong")]
    periodic.expire_and_ask_next(now + HOUR + MINUTES, lambda _round: left)
    asked = db.session.query(Offer).filter_by(round_id=again.id).all()
    assert [offer.person_id for offer in asked] == [world.key("hong")]


def test_given_back_too_late_to_ask_the_paid_carer_goes(asking, say, commit, world, at, tick):
    asking("zhuang", fallback="wu")
    say("zhuang", "accept")
    give_back(world, commit, "zhuang", at("08:00"))
    tick(at("08:01"))
    (booked,) = db.session.query(Assignment).filter_by(released_at=None).all()
    assert booked.person_id == world.key("wu")


def test_given_back_too_late_with_nobody_behind_it_stands_on_the_staffs_board(asking, say, commit, world, at):
    asking("zhuang")
    say("zhuang", "accept")
    give_back(world, commit, "zhuang", at("08:00"))
    assert db.session.query(OfferRound).filter_by(closed_at=None).count() == 0
    assert "visits.dropped" in {row.kind for row in db.session.query(OutboxRow)}
