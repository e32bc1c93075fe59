"""Recurrence: bounded rules, expanded by a library."""

from datetime import date

import pytest

from linkage.core.errors import InvalidInput
from linkage.needs import recurrence

TUESDAY = date(2026, 11, 24)


def days(rule, first, last, ends_on=None):
    return recurrence.days(TUESDAY, rule, ends_on, first=first, last=last)


def test_a_need_without_a_rule_happens_once_on_its_first_day():
    assert days(None, TUESDAY, date(2026, 12, 24)) == [TUESDAY]


def test_a_weekly_rule_gives_its_weekdays_from_the_first_day_on():
    found = days(recurrence.weekly([1, 3]), date(2026, 11, 23), date(2026, 12, 3))
    assert found == [TUESDAY, date(2026, 11, 26), date(2026, 12, 1), date(2026, 12, 3)]


def test_every_second_week_is_counted_from_the_first_day_and_not_from_the_day_asked():
    rule = recurrence.weekly([1], every=2)
    assert days(rule, date(2026, 12, 1), date(2026, 12, 22)) == [date(2026, 12, 8), date(2026, 12, 22)]


def test_the_last_day_of_the_need_ends_the_series():
    assert days("FREQ=DAILY", TUESDAY, date(2026, 12, 24), ends_on=date(2026, 11, 25)) == [TUESDAY, date(2026, 11, 25)]


def test_an_expansion_is_bounded_whatever_is_asked():
    assert len(days("FREQ=DAILY", TUESDAY, date(9999, 1, 1))) == recurrence.LONGEST_EXPANSION_DAYS + 1


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2", "DTSTART:20200101", "FREQ=DAILY;UNTIL=20270101",
     "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=99", "FREQ=DAILY;COUNT=100000", "FREQ=WEEKLY;BYDAY=XX", "nonsense"],
)  # fmt: skip
def test_a_rule_that_is_not_understood_or_not_bounded_is_refused_at_its_field(ctx, rule):
    with pytest.raises(InvalidInput) as refused:
        recurrence.normalise(rule)
    assert refused.value.field == "recurrence"


def test_a_rule_has_one_spelling():
    assert recurrence.normalise("rrule: byday=TU; freq=weekly;") == "FREQ=WEEKLY;BYDAY=TU"
    assert recurrence.normalise("  ") is None


def test_a_rule_that_counted_out_is_over():
    assert recurrence.is_over(TUESDAY, "FREQ=DAILY;COUNT=2", None, 1, on=date(2026, 11, 26))
    assert not recurrence.is_over(TUESDAY, "FREQ=DAILY;COUNT=2", None, 1, on=date(2026, 11, 25))


def test_a_rule_is_described_in_words(ctx):
    with ctx.test_request_context(headers={"Cookie": "lang=en"}):
        assert recurrence.describe("FREQ=WEEKLY;BYDAY=TU,TH") == "every week on Tue, Thu"
        assert recurrence.describe("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO") == "every 2 weeks on Mon"
        assert recurrence.describe(None) == "once"
        assert recurrence.describe(recurrence.weekly(range(5))) == "every week on Mon to Fri"
        assert recurrence.describe(recurrence.weekly(range(7))) == recurrence.describe("FREQ=DAILY") == "every day"
