"""Working days: the notices of two years by hand, what is provisional, and tables that contradict themselves."""

from datetime import date

import pytest
from sqlalchemy import select

from linkage.core import workdays
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.core.workdays import Due, ProvisionalDate, Span, add_working_days

NATIONAL = [
    Span("元旦", date(2027, 1, 1), date(2027, 1, 3), "off"),
    Span("劳动节", date(2027, 5, 1), date(2027, 5, 5), "off"),
    Span("国庆节", date(2027, 10, 1), date(2027, 10, 7), "off"),
]


@pytest.fixture
def shipped(commit, now):
    assert commit(lambda: workdays.load_shipped(now=now)) == 2
    assert commit(lambda: workdays.load_shipped(now=now)) == 0


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),  # a Saturday that is worked
        (date(2026, 2, 16), False),  # a Monday in the Spring Festival
        (date(2026, 2, 24), True),
        (date(2026, 10, 10), True),
        (date(2026, 10, 11), False),
        (date(2026, 11, 24), True),
        (date(2025, 1, 26), True),  # a Sunday that is worked
        (date(2025, 10, 8), False),
    ],
)
def test_the_notices_decide_and_not_the_weekday(shipped, ctx, day, works):
    assert workdays.is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 11, 24), 7, date(2026, 12, 3)),
        (date(2026, 10, 3), 0, date(2026, 10, 8)),
        (date(2026, 11, 24), 0, date(2026, 11, 24)),
    ],
)
def test_a_clock_runs_from_the_next_day_over_working_days_only(shipped, ctx, start, days, end):
    assert add_working_days(start, days) == Due(end, provisional=False)


def test_a_clock_that_reaches_into_a_year_without_table_is_provisional_and_makes_nobody_late(shipped, ctx):
    due = add_working_days(date(2026, 12, 28), 7)
    assert due == Due(date(2027, 1, 6), provisional=True)
    with pytest.raises(ProvisionalDate):
        workdays.is_after(date(2027, 3, 1), due)
    assert workdays.is_after(date(2026, 12, 29), add_working_days(date(2026, 12, 18), 5))


def test_once_the_table_is_loaded_the_same_clock_is_decided(shipped, commit, now):
    commit(lambda: workdays.store(2027, NATIONAL, source="国办发明电〔2026〕1号", by=None, now=now))
    due = add_working_days(date(2026, 12, 28), 7)
    assert due == Due(date(2027, 1, 7), provisional=False)
    assert workdays.is_after(date(2027, 1, 8), due)


def test_days_of_a_span_are_counted_with_both_ends(shipped, ctx):
    assert workdays.count_working_days(date(2026, 9, 28), date(2026, 10, 11)) == (6, False)


def test_a_corrected_table_replaces_and_the_first_one_stays(shipped, commit, now):
    commit(lambda: workdays.store(2027, NATIONAL, source="a", by=None, now=now))
    more = [*NATIONAL, Span("国庆节", date(2027, 10, 9), date(2027, 10, 9), "work")]
    commit(lambda: workdays.store(2027, more, source="b", by=None, now=now))
    assert workdays.is_working_day(date(2027, 10, 9))
    assert [table.source for table in workdays.all_tables() if table.year == 2027] == ["b", "a"]
    rows = db.session.scalars(select(AuditRow).where(AuditRow.action == "calendar.load")).all()
    assert [row.detail["version"] for row in rows if row.detail["year"] == 2027] == [1, 2]


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([], [(None, "missing")] * 6),
        (NATIONAL[1:], [(None, "missing")]),
        ([*NATIONAL, Span("x", date(2027, 6, 2), date(2027, 6, 1), "off")], [(3, "turned")]),
        ([*NATIONAL, Span("x", date(2027, 6, 1), date(2027, 6, 30), "off")], [(3, "long")]),
        ([*NATIONAL, Span("x", date(2028, 2, 1), date(2028, 2, 1), "off")], [(3, "year")]),
        ([*NATIONAL, Span("x", date(2027, 10, 7), date(2027, 10, 8), "off")], [(3, "twice")]),
        ([*NATIONAL, Span("x", date(2027, 10, 12), date(2027, 10, 12), "work")], [(3, "weekday")]),
        ([*NATIONAL, Span("x", date(2026, 12, 31), date(2026, 12, 31), "off")], []),
    ],
)
def test_a_table_that_cannot_be_is_refused(ctx, now, spans, found):
    assert [(place, code) for place, code, _values in workdays.faults(2027, spans)] == found
    if found:
        with pytest.raises(InvalidInput):
            workdays.store(2027, spans, source="notice", by=None, now=now)
