"""The administrator loads a year's holiday notice: as a table, as a file of Excel, or pasted as it was published."""

import io
from datetime import date

import openpyxl
import pytest

from linkage.core import workdays
from linkage.core.workdays import Span
from linkage.upkeep import health, holiday_notice

PATH = "/administration/working-days/"
# The notice for 2026 in the words of the State Council.
PUBLISHED = """国务院办公厅关于2026年部分节假日安排的通知
国办发明电〔2025〕7号
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。"""
TABLE = "节日,开始日期,结束日期,安排\n元旦,2027-01-01,2027-01-03,放假\n,2027年1月9日,,上班\n劳动节,2027/5/1,2027/5/5,放假\n国庆节,20271001,20271007,放假\n"  # noqa: E501


@pytest.fixture
def admin(sign_in):
    client = sign_in("admin")
    client.set_cookie("lang", "en")
    return client


def kinds(spans):
    return {day: span.kind for span in spans for day in span.days()}


def test_the_published_words_give_the_table_that_ships(ctx):
    notice = holiday_notice.read_text(enumerate(PUBLISHED.splitlines(), 1), 2026)
    shipped = next(spans for (year, _source), spans in workdays.read_shipped().items() if year == 2026)
    assert not notice.mistakes and notice.source == "国办发明电〔2025〕7号"
    assert kinds(notice.spans) == kinds(shipped)


def test_a_holiday_over_new_year_begins_in_the_year_before(ctx):
    line = "一、元旦：2026年12月31日至2027年1月2日放假调休，共3天。"
    notice = holiday_notice.read_text([(1, line)], 2027)
    assert notice.spans == [Span("元旦", date(2026, 12, 31), date(2027, 1, 2), "off")]


def test_a_table_is_checked_shown_and_only_then_stored(admin, ctx):
    sent = {"year": "2027", "file": (io.BytesIO(TABLE.encode("gb18030")), "放假.csv")}
    page = admin.post(PATH + "check", data=sent)
    assert page.status_code == 200 and "9 days become free and 1 are worked" in page.text
    assert not workdays.is_official(date(2027, 1, 1))
    spans = holiday_notice.packed(holiday_notice.read_file(TABLE.encode(), "a.csv", 2027).spans)
    assert admin.post(PATH, data={"year": "2027", "spans": spans, "source": ""}).status_code == 422
    assert admin.post(PATH, data={"year": "2027", "spans": spans, "source": "国办发明电〔2026〕1号"}).status_code == 303
    assert workdays.is_official(date(2027, 1, 1)) and workdays.is_working_day(date(2027, 1, 9))
    assert "国办发明电〔2026〕1号" in admin.get(PATH).text


def test_excel_dates_are_understood_too(ctx):
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["放假安排"], ["日期", "至", "类型"], [date(2027, 5, 1), date(2027, 5, 5), "休"]):
        book.active.append(row)
    book.save(file)
    notice = holiday_notice.read_file(file.getvalue(), "a.xlsx", 2027)
    assert [span[1:] for span in notice.spans] == [(date(2027, 5, 1), date(2027, 5, 5), "off")]
    assert {str(mistake.message)[:10] for mistake in notice.mistakes} == {
        "2027-01-01",
        "2027-10-01",
        "2027-10-02",
        "2027-10-03",
    }  # noqa: E501


@pytest.mark.parametrize(
    ("line", "row", "words"),
    [
        (",2027-01-12,,上班", 6, "it is a weekday"),
        (",2027-02-30,,放假", 6, "no day 30"),
        (",2027-02-03,,也许", 6, "neither off nor worked"),
        (",2027-05-05,2027-05-06,放假", 6, "in an earlier row already"),
        (",2028-02-05,,放假", 6, "no day of 2027"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(admin, line, row, words):
    sent = {"year": "2027", "file": (io.BytesIO((TABLE + line).encode()), "a.csv")}
    page = admin.post(PATH + "check", data=sent)
    assert page.status_code == 422 and words in page.text and f">{row}<" in page.text


def test_a_page_that_was_changed_on_the_way_stores_nothing(admin, ctx):
    for spans in ("nonsense", "2027-01-01|2027-01-01|maybe|x", "2027-01-01|2027-01-03|off|x"):
        assert admin.post(PATH, data={"year": "2027", "spans": spans, "source": "x"}).status_code == 422
    assert not workdays.is_official(date(2027, 1, 1))


@pytest.mark.parametrize(("loaded", "state"), [((), "failed"), ((2026,), "warning"), ((2026, 2027), "passed")])
def test_the_first_page_says_from_which_day_on_deadlines_are_provisional(commit, now, loaded, state):
    always = [Span("x", date(2000, m, 1), date(2000, m, last), "off") for m, last in ((1, 1), (5, 5), (10, 7))]
    for year in loaded:
        spans = [Span(s.name, s.first.replace(year=year), s.last.replace(year=year), s.kind) for s in always]
        commit(lambda year=year, spans=spans: workdays.store(year, spans, source="x", by=None, now=now))
    check = health.working_days(now)
    assert check.state == state
    assert {"failed": "2026", "warning": "2027", "passed": "2027"}[state] in check.text


def test_nobody_else_loads_a_calendar(sign_in):
    assert sign_in("supervisor").get(PATH).status_code == 403
