"""How times and days read to people who read slowly."""

from datetime import date

import pytest

from linkage.core.clock import parse_moment
from linkage.visits import words


@pytest.mark.parametrize(
    ("clock", "said"),
    [("14:30", "下午两点半"), ("11:09", "上午十一点零九分"), ("09:23", "上午九点二十三分"), ("12:00", "中午十二点"),
     ("08:15", "早上八点一刻"), ("19:45", "晚上七点三刻"), ("10:20", "上午十点二十分"), ("00:05", "凌晨零点零五分")],
)  # fmt: skip
def test_a_time_is_said_as_people_say_it(ctx, clock, said):
    with ctx.test_request_context(headers={"Cookie": "lang=zh"}):
        assert words.spoken_time(parse_moment(f"2026-11-26T{clock}")) == said


@pytest.mark.parametrize(
    ("clock", "said"),
    [("14:30", "half past two in the afternoon"), ("09:00", "nine o'clock in the morning"),
     ("11:45", "a quarter to twelve in the morning"), ("18:05", "5 minutes past six in the evening")],
)  # fmt: skip
def test_and_in_english(ctx, clock, said):
    with ctx.test_request_context(headers={"Cookie": "lang=en"}):
        assert words.spoken_time(parse_moment(f"2026-11-26T{clock}")) == said


def test_the_day_is_near_or_far(ctx):
    today = date(2026, 11, 24)
    with ctx.test_request_context(headers={"Cookie": "lang=zh"}):
        assert words.near_day(date(2026, 11, 26), today) == "后天，11月26日，星期四"
        assert words.near_day(date(2026, 12, 1), today) == "12月1日，星期二"
