"""The clocks of a tender in 2026, across the National Day holidays (1 to 7 October; 10 October is worked)."""

from datetime import date

import pytest
import tendering

from linkage.core import workdays
from linkage.core.clock import parse_moment
from linkage.core.workdays import Due
from linkage.procurement import clocks
from linkage.procurement.models import Challenge

SEPTEMBER = parse_moment("2026-09-28T09:00")


@pytest.fixture
def tender(ctx, commit):
    commit(lambda: workdays.load_shipped(now=tendering.NOW))
    return tendering.keep(tendering.published)


def at(tender, **moments):
    """The tender as it would stand with these timestamps (only looked at, never stored)."""
    for name, value in moments.items():
        tender.__dict__[name] = parse_moment(value)
    return tender


def test_the_result_can_be_challenged_until_the_seventh_working_day_after_the_notice(tender):
    at(tender, noticed_at="2026-09-28T16:00")  # Monday; the notice stands for the 29th
    assert clocks.notice_ends(tender, SEPTEMBER) == Due(date(2026, 9, 29), False)
    # 30 September, 8, 9, 10 (a worked Saturday), 12, 13, 14 October
    assert clocks.challenge_ends(tender, SEPTEMBER) == Due(date(2026, 10, 14), False)


def test_a_clock_that_reaches_into_2027_is_provisional(tender):
    at(tender, noticed_at="2026-12-22T16:00")
    due = clocks.challenge_ends(tender, tendering.NOW)
    assert due.provisional
    with pytest.raises(workdays.ProvisionalDate):
        workdays.is_after(date(2027, 3, 1), due)


@pytest.mark.parametrize(
    ("moments", "key", "who", "day"),
    [
        ({}, "bids", "bidders", date(2026, 12, 16)),
        ({"deadline_at": "2026-09-28T09:00"}, "open", "officers", date(2026, 9, 28)),
        ({"opened_at": "2026-09-29T10:00"}, "evaluate", "panel", date(2026, 10, 8)),
        ({"evaluated_at": "2026-09-29T10:00"}, "decide", "buyer", date(2026, 10, 12)),
        ({"decided_at": "2026-09-30T10:00"}, "notice", "buyer", date(2026, 10, 9)),
    ],
)
def test_what_is_due_in_each_state_and_by_whom(tender, moments, key, who, day):
    found = clocks.duties(at(tender, **moments), SEPTEMBER)
    assert [(duty.key, duty.who, duty.due) for duty in found] == [(key, who, Due(day, False))]


def test_a_challenge_is_answered_in_7_working_days_and_then_complained_about_in_15(tender):
    challenge = Challenge(created_at=parse_moment("2026-09-29T11:00"))
    challenge.tender = tender
    assert clocks.answer_due(challenge, SEPTEMBER).day == date(2026, 10, 14)
    assert clocks.complaint_ends(challenge, SEPTEMBER).day == date(2026, 11, 4)
    challenge.answered_at = parse_moment("2026-10-09T11:00")
    # 10, 12-16, 19-23, 26-29 October
    assert clocks.complaint_ends(challenge, SEPTEMBER).day == date(2026, 10, 29)
