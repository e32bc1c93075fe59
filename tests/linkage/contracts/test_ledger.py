"""The capacity ledger: sums equal entries, nothing is over the cap or the quota, entries stay as they are."""

import random
from datetime import date

import pytest
from conftest import make_app
from flask_migrate import upgrade
from sqlalchemy import func, select, text

from linkage.contracts import ledger
from linkage.contracts.capacity import capacity_snapshot, remaining
from linkage.contracts.ledger import CapacityConflict, Charge
from linkage.contracts.models import EFFECTS, Contract, ContractLine, LedgerEntry, LineMonth, PersonMonth
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.models import AuditRow

DAY = date(2026, 11, 25)
MONTH = "2026-11"


@pytest.fixture
def line(ctx, world):
    return db.session.get(ContractLine, world.key("line/lukang/bath"))


@pytest.fixture
def charge(world, line):
    def make(quantity, slot="slot", person="chen/head", day=DAY, **more):
        return Charge(
            line.id, day, quantity, world.key(person), visit_id=world.key("visit"), slot_id=world.key(slot), **more
        )

    return make


def limit(commit, line, now, *, cap=None, quota=None):
    """Give the test's line a cap and a quota before anything uses it."""

    def change():
        row = db.session.get(ContractLine, line.id)
        row.monthly_cap, row.monthly_quota = cap or row.monthly_cap, quota
        audit.record("test.limit", row, by=None, now=now)

    commit(change)


def month_row():
    return db.session.scalars(select(LineMonth).execution_options(populate_existing=True)).one()


def test_a_commitment_takes_minutes_and_leaves_an_entry(commit, charge, line, now, world):
    entry = commit(
        lambda: ledger.commit(charge(60, summary={"service": "bath"}), by=world.actor("coordinator"), now=now)
    )
    assert (month_row().committed, remaining(line, MONTH)) == (60, 5940)
    assert (entry.kind, entry.quantity, entry.by, entry.summary) == (
        "commit", 60, world.key("user/coordinator"), {"service": "bath"},
    )  # fmt: skip


def test_each_movement_has_its_audit_row(commit, charge, now):
    commit(lambda: ledger.reserve(charge(60), by=None, now=now))
    row = db.session.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
    assert (row.action, row.detail["quantity"]) == ("contracts.reserve", 60)


def test_what_exceeds_the_cap_is_refused_with_the_numbers(commit, charge, line, now, world):
    limit(commit, line, now, cap=100)
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    with pytest.raises(CapacityConflict) as refusal:
        commit(lambda: ledger.commit(charge(60, slot="other"), by=None, now=now))
    assert (refusal.value.reason, refusal.value.left, refusal.value.asked) == ("cap", 40, 60)
    assert remaining(line, MONTH) == 40


def test_what_exceeds_the_persons_quota_is_refused_though_the_line_has_room(commit, charge, line, now, world):
    limit(commit, line, now, quota=90)
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    with pytest.raises(CapacityConflict) as refusal:
        commit(lambda: ledger.commit(charge(60, slot="other"), by=None, now=now))
    assert (refusal.value.reason, refusal.value.left) == ("quota", 30)
    commit(lambda: ledger.commit(charge(60, slot="other", person="lin/head"), by=None, now=now))
    assert month_row().committed == 120


def test_a_fallback_turns_its_reservation_into_a_commitment_on_a_full_line(commit, charge, line, now, world):
    limit(commit, line, now, cap=60)
    commit(lambda: ledger.reserve(charge(60), by=None, now=now))
    commit(lambda: ledger.commit_reserved(charge(60), by=None, now=now))
    assert (month_row().reserved, month_row().committed) == (0, 60)


def test_a_delivery_frees_what_was_not_given(commit, charge, line, now):
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    commit(lambda: ledger.deliver(charge(60), by=None, now=now, delivered=45))
    assert (month_row().committed, month_row().delivered, remaining(line, MONTH)) == (0, 45, 5955)


def test_a_longer_delivery_must_still_fit(commit, charge, line, now, world):
    limit(commit, line, now, cap=70)
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    with pytest.raises(CapacityConflict):
        commit(lambda: ledger.deliver(charge(60), by=None, now=now, delivered=80))
    commit(lambda: ledger.deliver(charge(60), by=None, now=now, delivered=70))
    assert month_row().delivered == 70


def test_nothing_is_given_back_twice(commit, charge, now):
    commit(lambda: ledger.commit(charge(60, slot="one"), by=None, now=now))
    commit(lambda: ledger.commit(charge(60, slot="two"), by=None, now=now))
    commit(lambda: ledger.uncommit(charge(60, slot="one"), by=None, now=now))
    with pytest.raises(CapacityConflict) as refusal:
        commit(lambda: ledger.uncommit(charge(60, slot="one"), by=None, now=now))
    assert refusal.value.reason == "not-held"
    assert month_row().committed == 60


def test_a_line_is_not_drawn_on_outside_its_dates_or_when_suspended(commit, charge, line, now, world):
    def suspend():
        contract = db.session.get(Contract, line.contract_id)
        contract.suspended_at = now
        audit.record("test.suspend", contract, by=None, now=now)

    with pytest.raises(CapacityConflict, match="bath") as refusal:
        commit(lambda: ledger.commit(charge(60, day=date(2027, 1, 1)), by=None, now=now))
    assert refusal.value.reason == "closed"
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    commit(suspend)
    with pytest.raises(CapacityConflict):
        commit(lambda: ledger.commit(charge(60, slot="other"), by=None, now=now))
    commit(lambda: ledger.uncommit(charge(60), by=None, now=now))
    assert month_row().committed == 0


def test_each_month_has_its_own_cap(commit, charge, line, now, world):
    limit(commit, line, now, cap=60)
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    commit(lambda: ledger.commit(charge(60, slot="december", day=date(2026, 12, 1)), by=None, now=now))
    assert (remaining(line, "2026-11"), remaining(line, "2026-12")) == (0, 0)


def test_a_months_cap_cannot_fall_below_what_is_used(commit, charge, line, now, world):
    by = world.actor("admin")
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    with pytest.raises(CapacityConflict, match="1 (小时|h)"):
        commit(lambda: ledger.amend_cap(line, MONTH, 59, by=by, now=now))
    entry = commit(lambda: ledger.amend_cap(line, MONTH, 60, by=by, now=now))
    assert (month_row().cap, entry.kind, entry.summary) == (60, "amend", {"from": 6000, "to": 60})


def test_a_snapshot_shows_cap_used_and_what_each_person_used(commit, charge, line, now, world):
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    commit(lambda: ledger.reserve(charge(30, slot="two", person="lin/head"), by=None, now=now))
    taken = capacity_snapshot([line], [MONTH, "2026-12"])
    november, december = taken[line.id, MONTH], taken[line.id, "2026-12"]
    assert (november.used, november.left) == (90, 5910)
    assert november.by_person == {world.key("chen/head"): 60, world.key("lin/head"): 30}
    assert (december.used, december.cap) == (0, 6000)


def test_a_snapshot_can_leave_out_the_visits_that_are_planned_again(commit, charge, line, now, world):
    limit(commit, line, now, quota=100)
    commit(lambda: ledger.commit(charge(60), by=None, now=now))
    commit(lambda: ledger.deliver(charge(60), by=None, now=now, delivered=50))
    commit(lambda: ledger.commit(charge(30, slot="two"), by=None, now=now))
    taken = capacity_snapshot([line], [MONTH], without_visits={world.key("visit")})[line.id, MONTH]
    assert (taken.committed, taken.delivered) == (0, 50)
    assert taken.left_for(world.key("chen/head")) == 50


def test_sums_equal_entries_after_a_long_walk(commit, charge, line, now, world):
    limit(commit, line, now, cap=400, quota=200)
    walk = random.Random(4)
    kinds = [ledger.reserve, ledger.unreserve, ledger.commit, ledger.uncommit, ledger.commit_reserved, ledger.deliver]
    refused = 0
    for _ in range(150):
        move = walk.choice(kinds)
        one = charge(walk.choice([30, 60]), slot=f"s{walk.randrange(8)}", person=walk.choice(["chen/head", "lin/head"]))
        try:
            commit(lambda move=move, one=one: move(one, by=None, now=now))
        except CapacityConflict:
            refused += 1
    assert 0 < refused < 150
    assert_sums_equal_entries()


def assert_sums_equal_entries():
    db.session.rollback()
    for row in db.session.scalars(select(LineMonth).execution_options(populate_existing=True)):
        sums = [0, 0, 0]
        for entry in db.session.scalars(select(LedgerEntry).filter_by(line_id=row.line_id, month=row.month)):
            for state, sign in enumerate(EFFECTS[entry.kind]):
                sums[state] += sign * entry.quantity
        assert [row.reserved, row.committed, row.delivered] == sums
        assert sum(sums) <= row.cap
        used = db.session.scalar(select(func.sum(PersonMonth.used)).filter_by(line_id=row.line_id, month=row.month))
        assert used == sum(sums)


def test_the_migration_guards_the_entries_too(tmp_path):
    app = make_app(tmp_path)
    with app.app_context():
        upgrade()
        names = db.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        assert {"ledger_entries_no_UPDATE", "ledger_entries_no_DELETE"} <= set(names)
        db.session.remove()
        db.engine.dispose()


def test_a_snapshot_of_an_entry_holds_no_name(commit, charge, now):
    with pytest.raises(ValueError, match="names"):
        commit(lambda: ledger.commit(charge(60, summary={"name": "陈阿珠"}), by=None, now=now))


def test_a_movement_of_nothing_is_a_mistake(commit, charge, now):
    with pytest.raises(ValueError, match="above 0"):
        commit(lambda: ledger.commit(charge(0), by=None, now=now))
