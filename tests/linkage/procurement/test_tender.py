"""A tender from its draft to the deadline: what is demanded, what is frozen, what moves the deadline."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
import tendering
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from linkage.core import audit
from linkage.core.clock import parse_moment
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.extensions import db
from linkage.core.models import OutboxRow
from linkage.core.transactions import unit_of_work, writing
from linkage.organisations.models import Organisation
from linkage.procurement import operations, publication, queries
from linkage.procurement.models import Bid, Criterion, Tender
from linkage.procurement.operations import CriterionDraft
from linkage.procurement.sealing import chain
from linkage.procurement.states import ALL_STATES, state_of, state_sql

DAY = timedelta(days=1)


@pytest.fixture
def by(ctx, world):
    return world.actor("supervisor")


@pytest.fixture
def tender(ctx):
    return tendering.keep(tendering.published)


def sealed(tender, organisation, now, place=1, version=1):
    """A sealed bid's row; what is in it does not matter here."""
    bid = Bid(
        tender_id=tender.id, organisation_id=organisation, version=version, place=place, manifest=b"{}", envelope=b"x",
        parts=[], commitment="c" * 64, created_at=now,
    )  # fmt: skip
    db.session.add(bid)
    db.session.flush()
    return bid


def missing(tender, now):
    return [demand.key for demand in publication.demands(tender, now) if not demand.holds]


def test_a_whole_draft_lacks_nothing_and_is_published_with_the_hash_of_its_frozen_text(tender, now):
    assert state_of(tender, now) == "published" and missing(tender, now) == []
    assert publication.frozen_hash(tender.frozen) == tender.criteria_hash
    assert tender.chain_head == chain.start_of(str(tender.id), tender.criteria_hash)
    assert publication.is_as_published(tender)
    assert tender.number == "ZC-2026-0001"


def test_a_weight_changed_behind_the_application_shows(tender, commit):
    commit(lambda: _change_a_weight(tender))
    assert not publication.is_as_published(tendering.stored(tender.id))


def _change_a_weight(tender):
    db.session.execute(update(Criterion).where(Criterion.tender_id == tender.id, Criterion.position == 2)
                       .values(weight=5001))  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"deadline_at": parse_moment("2026-12-13T23:59")}, "deadline"),
        ({"bid_bond_fen": 600_001}, "bid_bond"),
        ({"performance_bond_fen": 3_000_001}, "performance_bond"),
        ({"budget_fen": 29_999_999}, "ceilings"),
        ({"contract_ends_on": date(2030, 2, 1)}, "length"),
        ({"least_quality": 8001}, "quality"),
    ],
)
def test_a_draft_that_breaks_a_limit_by_the_least_is_not_published(ctx, commit, by, now, terms, says):
    broken = replace(tendering.TERMS, **terms)
    tender = tendering.keep(lambda: tendering.draft(terms=broken))
    assert missing(tender, now) == [says]
    with pytest.raises(InvalidInput):
        commit(lambda: publication.publish(tender, by=by, now=now))


@pytest.mark.parametrize(
    "terms",
    [
        {"deadline_at": parse_moment("2026-12-14T00:00"), "bid_bond_fen": 600_000},
        {"performance_bond_fen": 3_000_000, "contract_ends_on": date(2030, 1, 31), "least_quality": 8000},
        {"method": "consultation", "deadline_at": parse_moment("2026-12-04T00:00")},
    ],
)
def test_a_draft_at_the_limit_is_published(ctx, terms):
    assert tendering.keep(lambda: tendering.published(terms=replace(tendering.TERMS, **terms))).published_at


def test_the_price_counts_at_most_30_points_in_a_consultation(ctx, commit):
    terms = replace(tendering.TERMS, method="consultation")
    criteria = (CriterionDraft("price", "价格", 3001), CriterionDraft("quality", "方案", 6999))
    with pytest.raises(InvalidInput):
        commit(lambda: tendering.published(terms=terms, criteria=criteria))
    assert tendering.keep(lambda: tendering.published(criteria=criteria)).published_at


@pytest.mark.parametrize("weights", [(2000, 5000, 2999), (2000, 5000, 3001)])
def test_criteria_that_do_not_make_100_points_are_refused(ctx, commit, by, now, weights):
    criteria = [replace(row, weight=weight) for row, weight in zip(tendering.CRITERIA, weights, strict=True)]
    with pytest.raises(InvalidInput):
        commit(lambda: tendering.draft(criteria=criteria))


def test_without_the_third_officers_drill_nothing_is_published(ctx, commit, by, now):
    tender = tendering.keep(tendering.draft)

    def forget():
        third = queries.officers_of(tender.id)[2]
        third.drilled_at = None
        operations.change_tender(tender, replace(tendering.TERMS, title="x"), row_version=tender.row_version,
                                 by=by, now=now)  # fmt: skip

    commit(forget)
    assert missing(tendering.stored(tender.id), now) == ["officers"]


def test_after_the_publication_nothing_of_it_changes(tender, commit, by, now):
    lot, terms = tender.lots[0], tendering.TERMS
    for change in (
        lambda: operations.change_tender(tender, terms, row_version=tender.row_version, by=by, now=now),
        lambda: operations.add_lot(tender, tendering.LOTS[0], by=by, now=now),
        lambda: operations.change_lot(lot, tendering.LOTS[1], by=by, now=now),
        lambda: operations.remove_lot(lot, by=by, now=now),
        lambda: operations.set_criteria(tender, tendering.CRITERIA, by=by, now=now),
        lambda: operations.add_document(tender, "a.pdf", "application/pdf", b"x", by=by, now=now),
        lambda: operations.withdraw(tender, by=by, now=now),
    ):
        with pytest.raises(Conflict):
            commit(change)


def test_one_of_two_editors_of_a_draft_wins(ctx, commit, by, now):
    tender = tendering.keep(tendering.draft)
    version = tender.row_version
    commit(lambda: operations.change_tender(tender, replace(tendering.TERMS, title="一"), row_version=version,
                                            by=by, now=now))  # fmt: skip
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_tender(tender, replace(tendering.TERMS, title="二"), row_version=version,
                                                by=by, now=now))  # fmt: skip


def test_it_closes_at_the_deadline_to_the_second(tender):
    assert state_of(tender, tendering.DEADLINE - timedelta(seconds=1)) == "published"
    assert state_of(tender, tendering.DEADLINE) == "closed"


@pytest.mark.parametrize(
    ("on", "touches", "deadline"),
    [
        ("2026-12-01T10:00", True, "2026-12-16T09:00"),  # 15 days before: in time
        ("2026-12-02T00:00", True, "2026-12-17T09:00"),
        ("2026-12-15T23:00", True, "2026-12-30T09:00"),
        ("2026-12-15T23:00", False, "2026-12-16T09:00"),
    ],
)
def test_a_clarification_that_touches_bids_moves_a_deadline_nearer_than_15_days(
    tender, commit, world, on, touches, deadline
):
    now = parse_moment(on)
    by = world.actor("supervisor", now)
    commit(lambda: publication.clarify(tender, "报价含税", touches, by=by, now=now))
    assert tendering.stored(tender.id).deadline_at == parse_moment(deadline)


def test_a_bid_sealed_before_such_a_clarification_needs_reconfirming_and_its_manager_is_told(
    tender, commit, world, by, now
):
    commit(lambda: _sealed_and_audited(tender, world, now))
    later = now + DAY
    commit(lambda: publication.clarify(tender, "更正", True, by=by, now=later))
    bid = db.session.scalars(select(Bid)).one()
    assert bid.needs_reconfirming and not bid.takes_part
    told = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "procurement.reconfirm")).all()
    assert [row.person_id for row in told] == [world.key("manager")]
    bid.reconfirmed_at = later
    assert bid.takes_part


def _sealed_and_audited(tender, world, now):
    bid = sealed(tender, world.key("lukang"), now)
    publication.ask(tender, db.session.get(Organisation, world.key("lukang")), "?", by=world.actor("manager"), now=now)
    return bid


def test_a_second_live_bid_of_an_organisation_is_refused_by_the_database(tender, world, now):
    with writing(), pytest.raises(IntegrityError):
        sealed(tender, world.key("lukang"), now)
        sealed(tender, world.key("lukang"), now, place=2, version=2)


def test_an_answer_is_given_once_and_the_asker_is_told(tender, commit, world, by, now):
    lukang = db.session.get(Organisation, world.key("lukang"))
    question = commit(lambda: publication.ask(tender, lukang, "含税吗？", by=world.actor("manager"), now=now))
    commit(lambda: publication.answer(question, "含税。", by=by, now=now))
    with pytest.raises(Conflict):
        commit(lambda: publication.answer(question, "不含。", by=by, now=now))
    assert db.session.scalars(select(OutboxRow.kind)).all() == ["procurement.answered"]
    with pytest.raises(Conflict):
        commit(lambda: publication.ask(tender, lukang, "晚了？", by=by, now=tendering.DEADLINE))


def test_a_suspension_moves_the_deadline_by_its_length_and_ends_by_itself(tender, commit, by, now):
    commit(lambda: publication.suspend(tender, now + 3 * DAY, "投诉", by=by, now=now))
    tender = tendering.stored(tender.id)
    assert tender.deadline_at == tendering.DEADLINE + 3 * DAY
    assert state_of(tender, now + 2 * DAY) == "suspended"
    assert state_of(tender, now + 3 * DAY) == "published"
    commit(lambda: publication.resume(tender, by=by, now=now + DAY))
    assert state_of(tendering.stored(tender.id), now + DAY) == "published"


def test_a_cancelled_tender_stays_cancelled(tender, commit, by, now):
    commit(lambda: publication.cancel(tender, "预算取消", by=by, now=now))
    with pytest.raises(Conflict):
        commit(lambda: publication.cancel(tender, "again", by=by, now=now))
    with pytest.raises(Conflict):
        commit(lambda: publication.suspend(tender, now + DAY, "again", by=by, now=now))


STAMPS = ("opened_at", "evaluated_at", "decided_at", "noticed_at", "done_at", "withdrawn_at", "cancelled_at")


def test_the_state_in_python_and_in_sql_agree(any_app, now):
    stamps = [{}, *({name: now} for name in STAMPS)]
    suspensions = [(None, None), (now - DAY, None), (now - DAY, now), (now - DAY, now + DAY), (now + DAY, None)]
    phases = [(None, now + DAY), (now - DAY, now + DAY), (now - DAY, now)]

    def build():
        audit.record("test", ("t", "1"), by=None, now=now)
        for number, (stamp, (start, until), (published, deadline)) in enumerate(product(stamps, suspensions, phases)):
            db.session.add(
                Tender(
                    number=str(number), title="t", buyer_area_id=2, method="open", budget_fen=1, deadline_at=deadline,
                    contract_starts_on=date(2027, 1, 1), contract_ends_on=date(2027, 1, 1), created_at=now,
                    published_at=published, suspended_at=start, suspended_until=until, **stamp,
                )
            )  # fmt: skip

    with any_app.app_context():
        unit_of_work(build)
        rows = db.session.execute(select(Tender, state_sql(now))).all()
        assert [(tender.number, state) for tender, state in rows if state_of(tender, now) != state] == []
        assert {state for _tender, state in rows} == set(ALL_STATES)
        db.session.remove()
