"""What is due every minute, every hour and every night."""

from datetime import timedelta

import pytest

from linkage.core import periodic
from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.core.models import PeriodicRun
from linkage.core.periodic import Periodic, run_due

NIGHTLY = Periodic("nightly", lambda now: None, daily_at_minutes=120)
HOURLY = Periodic("hourly", lambda now: None, every=timedelta(hours=1))


@pytest.fixture
def register(monkeypatch):
    """Registers periodic work for this test only."""
    monkeypatch.setattr(periodic, "_registered", {})
    return periodic.periodic


def at(text):
    return parse_moment(f"2026-11-{text}")


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ("24T01:00", "24T01:59", False),
        ("24T01:00", "24T02:00", True),
        ("24T02:00", "24T23:59", False),
        ("24T02:00", "25T02:00", True),
        ("20T02:00", "24T01:00", True),  # after days of outage
        ("25T02:00", "24T10:00", True),  # the clock was moved back
    ],
)
def test_nightly_work_is_due_once_a_night(last, now, due):
    assert NIGHTLY.is_due(at(last), at(now)) == due


def test_hourly_work_is_due_an_hour_after_the_last():
    assert not HOURLY.is_due(at("24T01:00"), at("24T01:59"))
    assert HOURLY.is_due(at("24T01:00"), at("24T02:00"))


def test_what_never_ran_is_due():
    assert NIGHTLY.is_due(None, at("24T01:00"))


def test_each_runs_in_order_and_is_remembered(ctx, now, register):
    ran = []
    register("first")(lambda moment: ran.append("first"))
    register("second", every=timedelta(hours=1))(lambda moment: ran.append("second"))
    assert run_due(now) == []
    assert run_due(now + timedelta(minutes=1)) == []
    assert ran == ["first", "second", "first"]
    assert db.session.get(PeriodicRun, "second").last_due == now


def test_one_that_fails_stops_no_other_and_is_tried_again(ctx, now, register):
    ran = []
    register("bad", every=timedelta(hours=1))(lambda moment: ran.append("bad") or 1 / 0)
    register("good")(lambda moment: ran.append("good"))
    assert run_due(now) == ["bad"]
    assert run_due(now + timedelta(minutes=1)) == ["bad"]
    assert ran == ["bad", "good", "bad", "good"]
