"""The edge commits; reading never writes; every change has its audit row."""

import threading

import pytest

from linkage.areas.models import Area
from linkage.core import audit
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.transactions import WroteWhileReading, unit_of_work


def rename(name, now):
    area = db.session.get(Area, 4)
    area.name = name
    audit.record("areas.rename", area, by=None, now=now)


def test_a_change_is_committed_with_its_audit_row(ctx, now):
    unit_of_work(lambda: rename("新名", now))
    assert db.session.get(Area, 4).name == "新名"
    assert db.session.query(AuditRow).order_by(AuditRow.number.desc()).first().action == "areas.rename"


def test_a_change_without_an_audit_row_is_refused(ctx):
    def silent():
        db.session.get(Area, 4).name = "悄悄"

    with pytest.raises(audit.Unaudited, match="areas"):
        unit_of_work(silent)
    assert db.session.get(Area, 4).name == "莲花北社区"


def test_outside_a_unit_of_work_nothing_is_written(ctx):
    db.session.get(Area, 4).name = "偷写"
    with pytest.raises(WroteWhileReading):
        db.session.flush()
    db.session.rollback()


def test_an_exception_rolls_everything_back(ctx, now):
    def fail():
        rename("半途", now)
        db.session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        unit_of_work(fail)
    assert db.session.get(Area, 4).name == "莲花北社区"


def test_concurrent_writers_number_audit_rows_without_gaps(app, now):
    def work(n):
        with app.app_context():
            unit_of_work(lambda: rename(f"第{n}", now))
            db.session.remove()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    with app.app_context():
        numbers = [row.number for row in db.session.query(AuditRow).order_by(AuditRow.number)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == 13
        assert audit.broken_at(db.session) is None


def test_an_altered_audit_row_is_found(ctx, now):
    unit_of_work(lambda: rename("改", now))
    with db.engine.connect() as raw:
        raw.exec_driver_sql("ROLLBACK")
        raw.exec_driver_sql("UPDATE audit_rows SET action = 'areas.see' WHERE number = 2")
    db.session.expire_all()
    assert audit.broken_at(db.session) == 2
