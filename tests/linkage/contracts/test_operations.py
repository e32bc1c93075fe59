"""Contracts are entered by hand, changed with dates, suspended and ended."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from linkage.contracts import ledger, operations, queries
from linkage.contracts.ledger import CapacityConflict, Charge
from linkage.contracts.models import Contract, ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.contracts.operations import ContractDraft, LineDraft, LineFault
from linkage.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from linkage.core.extensions import db

DAY = date(2026, 11, 25)


@pytest.fixture
def head(world):
    return ContractDraft(
        organisation_id=world.key("jiahe"), number="HT-2026-9", title="助浴", buyer_area_id=3,
        signed_on=date(2026, 11, 1), starts_on=date(2026, 12, 1), ends_on=date(2027, 11, 30), value_fen=128_000_00,
    )  # fmt: skip


@pytest.fixture
def draft(world):
    return LineDraft(
        services=(world.key("service/bath"),), areas=(3,), unit="minutes", price_fen=8000, monthly_cap=6000,
        starts_on=date(2026, 12, 1), ends_on=date(2027, 11, 30), eligible_tags=("destitute",), monthly_quota=1800,
    )  # fmt: skip


@pytest.fixture
def line(ctx, world):
    return db.session.get(ContractLine, world.key("line/lukang/bath"))


def as_draft(line, **changes):
    """The line as it stands, for a change."""
    draft = LineDraft(
        services=tuple(row.service_id for row in line.services), areas=tuple(row.area_id for row in line.areas),
        unit=line.unit, price_fen=line.price_fen, monthly_cap=line.monthly_cap, starts_on=line.starts_on,
        ends_on=line.ends_on, monthly_quota=line.monthly_quota,
    )  # fmt: skip
    return replace(draft, **changes)


def test_a_contract_is_entered_with_its_lines(commit, head, draft, now, world):
    contract = commit(lambda: operations.enter_contract(head, [draft], by=world.actor("coordinator"), now=now))
    line = contract.lines[0]
    assert (line.name, line.monthly_quota, line.organisation_id) == ("助浴", 1800, world.key("jiahe"))
    assert queries.by_number("HT-2026-9").value_fen == 12_800_000


def test_a_contract_is_entered_only_where_the_own_area_buys(commit, head, draft, now, world):
    with pytest.raises(NotAllowed):
        foreign = replace(head, buyer_area_id=6)
        commit(lambda: operations.enter_contract(foreign, [draft], by=world.actor("coordinator"), now=now))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"services": ()}, "services"),
        ({"areas": ()}, "areas"),
        ({"unit": "meals"}, "unit"),
        ({"monthly_cap": 0}, "cap"),
        ({"monthly_quota": 6001}, "quota"),
        ({"ends_on": date(2027, 12, 1)}, "starts_on"),
        ({"eligible_tags": ("rich",)}, "tags"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_its_place(commit, head, draft, now, world, change, field):
    wrong = replace(draft, **change)
    with pytest.raises(LineFault) as refusal:
        commit(lambda: operations.enter_contract(head, [draft, wrong], by=world.actor("coordinator"), now=now))
    assert (refusal.value.place, list(refusal.value.errors)) == (1, [field])
    assert queries.by_number("HT-2026-9") is None


def test_two_contracts_never_share_a_number(commit, head, draft, now, world):
    by = world.actor("coordinator")
    commit(lambda: operations.enter_contract(head, [draft], by=by, now=now))
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.enter_contract(head, [draft], by=by, now=now))
    assert refusal.value.field == "number"


def test_a_new_cap_and_quota_hold_from_this_month_on(commit, line, now, world):
    charge = Charge(line.id, DAY, 60, world.key("chen/head"))
    october = replace(charge, day=date(2026, 10, 20))
    commit(lambda: [ledger.commit(charge, by=None, now=now), ledger.commit(october, by=None, now=now)])
    changed = as_draft(line, monthly_cap=120, monthly_quota=100)
    commit(lambda: operations.change_line(line, changed, row_version=1, by=world.actor("coordinator"), now=now))
    caps = dict(db.session.execute(select(LineMonth.month, LineMonth.cap)).all())
    assert caps == {"2026-10": 6000, "2026-11": 120}
    quotas = dict(db.session.execute(select(PersonMonth.month, PersonMonth.quota)).all())
    assert quotas == {"2026-10": None, "2026-11": 100}
    assert db.session.scalars(select(LedgerEntry).filter_by(kind="amend")).one().summary == {"from": 6000, "to": 120}
    with pytest.raises(CapacityConflict, match="40"):
        commit(lambda: ledger.commit(charge, by=None, now=now))


def test_a_cap_below_what_is_used_is_refused_whole(commit, line, now, world):
    commit(lambda: ledger.commit(Charge(line.id, DAY, 60, world.key("chen/head")), by=None, now=now))
    lower = as_draft(line, monthly_cap=59, price_fen=1)
    with pytest.raises(CapacityConflict):
        commit(lambda: operations.change_line(line, lower, row_version=1, by=world.actor("coordinator"), now=now))
    db.session.expire_all()
    assert (line.price_fen, line.monthly_cap, line.row_version) == (6000, 6000, 1)


def test_the_unit_of_a_line_that_was_used_stays(commit, line, now, world):
    commit(lambda: ledger.commit(Charge(line.id, DAY, 60, world.key("chen/head")), by=None, now=now))
    meals = as_draft(line, services=(world.key("service/meal"),), unit="meals")
    with pytest.raises(InvalidInput) as refusal:
        commit(lambda: operations.change_line(line, meals, row_version=1, by=world.actor("coordinator"), now=now))
    assert refusal.value.field == "unit"


def test_services_and_areas_of_a_line_change_and_what_stays_stays(commit, line, now, world):
    wider = as_draft(line, services=(world.key("service/bath"), world.key("service/clean")), areas=(4, 5))
    commit(lambda: operations.change_line(line, wider, row_version=1, by=world.actor("coordinator"), now=now))
    assert {row.service_id for row in line.services} == set(wider.services)
    assert {row.area_id for row in line.areas} == {4, 5}
    with pytest.raises(StaleVersion):
        commit(lambda: operations.change_line(line, wider, row_version=1, by=world.actor("coordinator"), now=now))


def test_a_contract_is_suspended_resumed_and_ended(commit, now, world):
    contract, by = db.session.get(Contract, world.key("contract/lukang")), world.actor("coordinator")
    today = date(2026, 11, 24)
    commit(lambda: operations.suspend(contract, by=by, now=now))
    assert queries.state_of(contract, now, today) == "suspended"
    commit(lambda: operations.resume(contract, by=by, now=now))
    assert queries.state_of(contract, now, today) == "running"
    commit(lambda: operations.terminate(contract, by=by, now=now))
    assert queries.state_of(contract, now, today) == "ended"
    with pytest.raises(Conflict):
        commit(lambda: operations.resume(contract, by=by, now=now))


def test_a_contract_does_not_end_before_its_lines(commit, now, world):
    contract = db.session.get(Contract, world.key("contract/lukang"))
    with pytest.raises(InvalidInput) as refusal:
        commit(
            lambda: operations.change_contract(
                contract, title="x", signed_on=date(2026, 1, 1), ends_on=date(2026, 6, 30), value_fen=1, row_version=1,
                by=world.actor("coordinator"), now=now,
            )
        )  # fmt: skip
    assert refusal.value.field == "ends_on"


@pytest.mark.parametrize(
    ("used", "state"),
    [(0, "enough"), (4799, "enough"), (4800, "tight"), (5699, "tight"), (5700, "critical"), (6000, "used_up")],
)
def test_a_line_is_marked_at_80_95_and_100_percent(commit, line, now, world, used, state):
    if used:
        commit(lambda: ledger.commit(Charge(line.id, DAY, used, world.key("chen/head")), by=None, now=now))
    assert queries.line_views([line], "2026-11", date(2026, 11, 24))[0].state == state


def test_the_list_finds_running_future_suspended_and_ended_contracts(commit, head, draft, now, world):
    by, today = world.actor("coordinator"), date(2026, 11, 24)

    def numbers(state, at=today):
        return {row.number for row in db.session.scalars(queries.find_contracts(by, now, at, state=state)).unique()}

    commit(lambda: operations.enter_contract(head, [draft], by=by, now=now))
    commit(lambda: operations.suspend(db.session.get(Contract, world.key("contract/jiahe")), by=by, now=now))
    assert numbers("running") == {"HT-lukang"}
    assert numbers("future") == {"HT-2026-9"}
    assert numbers("suspended") == {"HT-jiahe"}
    assert numbers("ended") == set()
    assert numbers("ended", date(2027, 6, 1)) == {"HT-lukang", "HT-jiahe"}
    assert len(numbers("")) == 3
