"""Dates, durations, money and masks, in both languages."""

from datetime import UTC, date, datetime, time

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel, force_locale

from linkage.core import formats
from linkage.core.formats import ZONE

TUESDAY = datetime(2026, 11, 24, 9, 30, tzinfo=ZONE)
ELEVEN = datetime(2026, 11, 24, 11, 0, tzinfo=ZONE)
THURSDAY = datetime(2026, 11, 26, 15, 0, tzinfo=ZONE)


@pytest.fixture
def page():
    """`page("{{ x|dt }}", "zh", x=…)` renders a template as the house would."""
    app = Flask(__name__)
    Babel(app)
    formats.init_app(app)

    def render(template, language, **values):
        with app.test_request_context(), force_locale(language):
            return render_template_string(template, **values)

    return render


CASES = [
    ("{{ a|dt }}", "11月24日 周二 09:30", "Tue 24 Nov 09:30"),
    ("{{ a|d }}", "11月24日 周二", "Tue 24 Nov"),
    ("{{ a|day }}", "11月24日", "24 Nov"),
    ("{{ a|long_d }}", "2026年11月24日", "24 Nov 2026"),
    ("{{ a|t }}", "09:30", "09:30"),
    ("{{ 570|t }}", "09:30", "09:30"),
    ("{{ a|span(b) }}", "11月24日 周二 09:30–11:00", "Tue 24 Nov 09:30–11:00"),
    ("{{ a|times(b) }}", "09:30–11:00", "09:30–11:00"),
    ("{{ a|days(c) }}", "11月24日–26日", "24–26 Nov"),
    ("{{ 30|duration }}", "30 分", "30 min"),
    ("{{ 60|duration }}", "1 小时", "1 h"),
    ("{{ 90|duration }}", "1 小时 30 分", "1 h 30 min"),
    ("{{ 0|duration }}", "0 分", "0 min"),
    ("{{ (-90)|duration }}", "−1 小时 30 分", "−1 h 30 min"),
    ("{{ 128000|money }}", "¥1,280.00", "¥1,280.00"),
    ("{{ (-5)|money }}", "−¥0.05", "−¥0.05"),
    ("{{ a|weekday }}", "周二", "Tue"),
]


def words(markup):
    """The text of the one element that a filter gives."""
    return markup.split(">", 1)[1].rsplit("<", 1)[0] if markup.startswith("<") else markup


@pytest.mark.parametrize(("template", "chinese", "english"), CASES)
def test_a_filter_reads_well_in_both_languages(page, template, chinese, english):
    values = {"a": TUESDAY, "b": ELEVEN, "c": THURSDAY}
    assert words(page(template, "zh", **values)) == chinese
    assert words(page(template, "en", **values)) == english


def test_dates_are_time_elements_that_machines_read(page):
    assert page("{{ a|dt }}", "zh", a=TUESDAY).startswith('<time datetime="2026-11-24T09:30+08:00">')
    assert page("{{ a|d }}", "zh", a=date(2026, 11, 24)).startswith('<time datetime="2026-11-24">')
    assert page("{{ a|t }}", "zh", a=time(9, 30)) == '<time datetime="09:30">09:30</time>'


def test_a_moment_in_another_zone_is_shown_in_the_house_s_own(page):
    assert words(page("{{ a|dt }}", "zh", a=datetime(2026, 11, 24, 1, 30, tzinfo=UTC))) == "11月24日 周二 09:30"
    assert words(page("{{ a|d }}", "en", a=datetime(2026, 11, 24, 16, 0, tzinfo=UTC))) == "Wed 25 Nov"


def test_no_date_shows_nothing_and_a_naive_one_is_refused(page):
    assert page("{{ a|dt }}{{ a|d }}{{ a|duration }}", "zh", a=None) == ""
    with pytest.raises(ValueError, match="naive"):
        page("{{ a|dt }}", "zh", a=datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize(("days", "word"), [(-1, "yesterday"), (0, "today"), (1, "tomorrow"), (2, "Thu 26 Nov")])
def test_near_days_have_names(page, days, word):
    shown = page("{{ a|when(now) }}", "en", a=TUESDAY.replace(day=24 + days), now=TUESDAY)
    assert words(shown) == f"{word} 09:30"


def test_near_spans_name_the_day_once(page):
    assert words(page("{{ a|when_span(b, a) }}", "en", a=TUESDAY, b=ELEVEN)) == "today 09:30–11:00"


def test_days_of_two_months_name_both(page):
    first, last = date(2026, 11, 30), date(2026, 12, 6)
    assert words(page("{{ a|days(b) }}", "zh", a=first, b=last)) == "11月30日–12月6日"
    assert words(page("{{ a|days(b) }}", "en", a=first, b=last)) == "30 Nov–6 Dec"


def test_masks_keep_what_helps_and_hide_the_rest():
    assert formats.mask_name("张小明") == "张**"
    assert formats.mask_name("林芳") == "林**"
    assert formats.mask_name("") == ""
    assert formats.mask_phone("13812348000") == "138****8000"
    assert formats.mask_phone("12349") == "****49"
    assert formats.mask_id_number("350203194306150028") == "3502**********0028"
    assert "1234" not in formats.mask_id_number("12345678")
