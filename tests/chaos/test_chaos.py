"""A chaos round: whatever the pages offer, done at random by every role, while time passes; then what must hold.

No list of operations: links and forms are read off the pages, filled in from their own controls and sent, so that a
new room takes part by itself. Refusals (4xx) are right answers and do not count; a 5xx or an exception fails. The
seed stands in the test's name and in every failure: `LINKAGE_CHAOS_SEED=… pytest tests/chaos`.
"""

import os
import random
import sys
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
import world as street
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))
from forms import Page, fill  # noqa: E402

from linkage.contracts.models import EFFECTS, LedgerEntry, LineMonth
from linkage.core import audit, audit_verify, checkpoints
from linkage.core.clock import current_clock, local_date
from linkage.core.extensions import db
from linkage.core.models import AuditRow, DataKey
from linkage.core.outside import ERASURES
from linkage.jobs import run_due
from linkage.offers.models import Offer
from linkage.people.models import Person
from linkage.visits.models import Assignment, Attendance
from linkage.worker import Runner

SEED = int(os.environ.get("LINKAGE_CHAOS_SEED", "20261124"))
# These end the browser's session, or start long work of their own.
NOT_OURS = ("/logout", "/sign-out", "/password", "/end", "/upkeep/", "/language", "/plans/", "/static", "/readyz")
STEPS_PER_DEED = 60


class Chaos:
    """Everybody at once, by dice."""

    def __init__(self, app, seed):
        self.app, self.dice, self.now = app, random.Random(seed), street.NOW
        self.done, self.refused, self.history = Counter(), Counter(), []
        self.clients = {name: self._sign_in(name) for name in street.USERS}
        with app.test_request_context():
            rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
            self.doors = [rule.rule for rule in rules if not any(word in rule.rule for word in NOT_OURS)]
        self.pages = defaultdict(lambda: ["/", *self.doors])

    def _sign_in(self, name):
        client = self.app.test_client()
        street.give_token(client)
        street.sign_in(client, name)
        return client

    def round(self, deeds):
        """Go on until so many operations were carried out."""
        for _ in range(deeds * STEPS_PER_DEED):
            if sum(self.done.values()) >= deeds:
                return
            self.step()
            if self.dice.random() < 0.02:
                self.pass_time()
        raise AssertionError(f"only {sum(self.done.values())} operations: {self.done}; refused {self.refused}")

    def step(self):
        name = self.dice.choice(sorted(self.clients))
        answer = self.ask(name, "get", self.dice.choice(self.pages[name][-400:]))
        if answer.status_code != 200 or answer.mimetype != "text/html":
            return
        page = Page(answer.text)
        self.pages[name] += [link for link in page.links if not any(word in link for word in NOT_OURS)][:60]
        forms = [form for form in page.forms if not any(word in form.action for word in NOT_OURS)]
        if forms:
            form = self.dice.choice(forms)
            url = form.action or answer.request.path
            sent = self.ask(name, "post", url, data=_as_form(fill(form, self.dice, local_date(self.now))))
            (self.done if sent.status_code < 400 else self.refused)[self.endpoint(url)] += 1

    def ask(self, name, method, url, **sent):
        self.history.append(f"{name} {method} {url}")
        answer = getattr(self.clients[name], method)(url, **sent)
        assert answer.status_code < 500, f"seed {SEED}: {self.history[-5:]}: {answer.status_code}"
        return answer

    def endpoint(self, url):
        try:
            return self.app.url_map.bind("localhost").match(url.split("?")[0], method="POST")[0]
        except Exception:  # noqa: BLE001 (an address that only says where to)
            return url

    def pass_time(self):
        """Some time goes by; what is due is done, and what waits is carried out."""
        self.now += timedelta(minutes=self.dice.choice((10, 40, 90, 240)))
        with self.app.app_context():
            current_clock().move_to(self.now)
            assert run_due(self.now) == [], f"seed {SEED}: {self.history[-5:]}"
            db.session.remove()
        runner = Runner(self.app)
        while runner.run_one():
            pass


def _as_form(pairs):
    sent = defaultdict(list)
    for name, value in pairs:
        sent[name].append(value)
    return sent


def what_must_hold(tmp_path):
    """The invariants of SAFETY.md that exist so far."""
    assert overlapping() == []
    assert ledger_differences() == {}
    twice = select(Offer.slot_id).where(Offer.accepted_at.is_not(None), Offer.withdrawn_at.is_(None))
    assert db.session.execute(twice.group_by(Offer.slot_id).having(func.count() > 1)).all() == []
    assert db.session.scalars(select(Attendance.id).where(Attendance.minutes < 0)).all() == []
    for entry in ERASURES.read():
        key = db.session.scalars(select(DataKey).where(DataKey.id == _uuid(entry["key"]))).one()
        assert key.wrapped is None
    named = db.session.scalars(select(Person.name).where(Person.erased_at.is_not(None), Person.name != ""))
    assert named.all() == []
    assert audit.broken_at(db.session()) is None
    checkpoints.write(street.NOW)
    checkpoints.export_log(tmp_path / "log.jsonl")
    keep = checkpoints.outside.keep_dir()
    given = ["--checkpoints", str(keep / "checkpoints.jsonl"), "--key", str(keep / "signing.pub")]
    assert audit_verify.main([str(tmp_path / "log.jsonl"), *given]) == 0


def _uuid(text):
    return DataKey.id.type.python_type(text)


def overlapping():
    """Pairs of active assignments in which one person would be in two places at once."""
    rows = db.session.scalars(
        select(Assignment).where(Assignment.released_at.is_(None)).order_by(Assignment.person_id, Assignment.starts_at)
    ).all()
    return [
        (one.id, two.id)
        for one, two in zip(rows, rows[1:], strict=False)
        if one.person_id == two.person_id and two.starts_at < one.ends_at
    ]


def ledger_differences():
    """Months whose guarded sums are not the sums of the ledger, or exceed the cap."""
    sums = defaultdict(lambda: [0, 0, 0])
    for entry in db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind.in_(EFFECTS))):
        for place, factor in enumerate(EFFECTS[entry.kind]):
            sums[entry.line_id, entry.month][place] += factor * entry.quantity
    months = {(row.line_id, row.month): row for row in db.session.scalars(select(LineMonth))}
    told = {key: [row.reserved, row.committed, row.delivered] for key, row in months.items()}
    wrong = {key: (told.get(key), found) for key, found in sums.items() if told.get(key, [0, 0, 0]) != found}
    return wrong | {key: row.cap for key, row in months.items() if sum(told[key]) > row.cap}


def play(app, deeds, tmp_path):
    with app.app_context():
        for path in app.config["SETTINGS"].keep_dir.glob("*.jsonl"):
            path.unlink()
    chaos = Chaos(app, SEED)
    chaos.round(deeds)
    with app.app_context():
        what_must_hold(tmp_path)
        rows = db.session.scalar(select(func.count()).select_from(AuditRow))
        db.session.remove()
    print(f"seed {SEED}: {deeds} operations of {len(chaos.done)} kinds, {rows} audit rows; {chaos.done.most_common(8)}")
    return chaos


def test_a_short_round(app, tmp_path):
    assert len(play(app, 60, tmp_path).done) >= 8


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_thousand_operations_by_everybody(any_app, tmp_path):
    assert len(play(any_app, 2000, tmp_path).done) >= 30


def test_the_invariants_find_what_is_broken(ctx, world, commit):
    """The bad twin: a ledger sum that nobody booked."""
    assert ledger_differences() == {}

    def break_it():
        month = LineMonth(line_id=world.key("line/lukang/meal"), month="2026-11", cap=10, committed=7)
        db.session.add(month)
        db.session.add(
            LedgerEntry(line_id=month.line_id, month="2026-11", kind="commit", quantity=5, summary={}, at=world.NOW)
        )
        audit.record("test.break", ("test", "1"), by=None, now=world.NOW)

    commit(break_it)
    assert list(ledger_differences().values()) == [([0, 7, 0], [0, 5, 0])]
