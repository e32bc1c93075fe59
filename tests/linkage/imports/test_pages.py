import io
import re
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402

from linkage.core import jobs  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.households import operations as household_operations  # noqa: E402
from linkage.households.models import Household  # noqa: E402
from linkage.imports.models import Upload, UploadGroup  # noqa: E402
from linkage.imports.periodic import take_upload  # noqa: E402
from linkage.imports.reading import read_sheets  # noqa: E402

BAD = [sheets.changed(sheets.GOOD[0], 出生日期="1953.13.8"), *sheets.GOOD[1:]]


def words_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.fixture
def clerk(sign_in):
    client = sign_in("clerk")
    client.set_cookie("lang", "en")
    return client


@pytest.fixture
def send(clerk):
    """``send(content)``: upload as the clerk; gives the address where it ended, or the answer."""

    def upload(content, name="名册.xlsx", to="/imports/"):
        data = {"file": (io.BytesIO(content), name), "kind": "roster", "area_id": "4"}
        answer = clerk.post(to, data=data, content_type="multipart/form-data")
        return answer.headers.get("Location") or answer

    return upload


@pytest.fixture
def run_job(ctx, commit, now):
    """What the worker does: claim, take in, finish."""

    def run():
        job_id = commit(lambda: jobs.claim("worker", now=now).id)
        with jobs.held_by("worker"):
            result = take_upload(job_id)
        commit(lambda: jobs.finish(job_id, "worker", now=now, result=result))
        db.session.expire_all()

    return run


def stored():
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Upload)).one()


def test_a_file_with_faults_leads_to_its_faults(clerk, send):
    page = clerk.get(send(sheets.workbook(BAD)), follow_redirects=True)
    words = words_of(page)
    assert "1 to correct, 1 without a fault" in words
    assert "Nothing has been written yet." in words
    assert "There is no month 13" in words and "Set to 1953-03-08" in words


def test_numbers_of_rows_that_need_no_correction_are_masked(clerk, send):
    page = clerk.get(send(sheets.workbook(BAD)), follow_redirects=True).get_data(as_text=True)
    assert sheets.ZHENG not in page and f"3502**********{sheets.ZHENG[-4:]}" in page
    assert "13850012217" not in page


def test_a_cell_is_corrected_on_the_page(clerk, send, ctx):
    location = send(sheets.workbook(BAD))
    page = clerk.get(location, follow_redirects=True).get_data(as_text=True)
    (cell,) = re.findall(r'name="(c\.[^"]+)"', page)
    answer = clerk.post(f"{location}/cells", data={cell: "1953-03-08"})
    assert answer.headers["Location"].endswith("/changes")
    assert "2 households can be taken in" in words_of(clerk.get(answer.headers["Location"]))


def test_the_known_answer_is_one_click(clerk, send, ctx):
    location = send(sheets.workbook(BAD))
    page = clerk.get(location, follow_redirects=True).get_data(as_text=True)
    (fix,) = re.findall(r'name="fix" value="([^"]+)"', page)
    assert clerk.post(f"{location}/cells", data={"fix": fix}).headers["Location"].endswith("/changes")
    page = clerk.get(f"{location}/faults?all=1").get_data(as_text=True)
    (back,) = re.findall(r'name="undo" value="([^"]+)"', page)
    assert clerk.post(f"{location}/cells", data={"undo": back}).headers["Location"].endswith("/faults")


def test_what_is_typed_is_kept_even_when_it_is_still_wrong(clerk, send):
    location = send(sheets.workbook(BAD))
    (cell,) = re.findall(r'name="(c\.[^"]+)"', clerk.get(f"{location}/faults").get_data(as_text=True))
    answer = clerk.post(f"{location}/cells", data={cell: "1953-02-31"})
    assert 'value="1953-02-31"' in clerk.get(answer.headers["Location"]).get_data(as_text=True)


def test_the_good_households_are_taken_in_by_a_job_and_the_bad_ones_wait(clerk, send, run_job):
    location = send(sheets.workbook(BAD))
    assert "1 household can be taken in" in words_of(clerk.get(f"{location}/changes"))
    answer = clerk.post(f"{location}/take")
    page = clerk.get(answer.headers["Location"])
    assert page.headers["Refresh"] == "2"
    run_job()
    words = words_of(clerk.get(answer.headers["Location"]))
    assert "1 household is taken in" in words and "1 household waits for a correction." in words
    assert db.session.scalar(select(func.count()).where(Household.number.in_(["007", "008"]))) == 1


def test_an_edited_value_is_offered_with_a_box_and_kept_without_it(clerk, send, commit, world, now, run_job):
    content = sheets.workbook(sheets.GOOD[2:])
    clerk.post(f"{send(content)}/take")
    run_job()
    home = db.session.scalars(select(Household).where(Household.number == "008")).one()
    draft = household_operations.PlaceDraft(home.area, "香莲里99号101室")
    version = home.row_version
    by = world.actor("clerk")
    commit(lambda: household_operations.move_household(home, draft, row_version=version, by=by, now=now))
    location = send(content)
    page = clerk.get(f"{location}/changes").get_data(as_text=True)
    ((name, value),) = re.findall(r'name="(t\.[^"]+)" value="([^"]+)"', page)
    clerk.post(f"{location}/take", data={name: value})
    run_job()
    db.session.expire_all()
    home = db.session.scalars(select(Household).where(Household.number == "008")).one()
    assert home.place.address == "凌香里3号601室"


def test_unknown_headings_are_asked_about_first(clerk, send, ctx):
    heading = ["档案编码" if name == "户号" else name for name in sheets.HEADING]
    location = send(sheets.workbook(sheets.GOOD, heading=heading))
    assert location.endswith("/columns")
    assert "1 column is not understood" in words_of(clerk.get(location))
    answer = clerk.post(location, data={"column.A.11月": "number"})
    assert answer.status_code == 303
    assert stored().columns[0]["columns"][0][2] == "number"
    assert clerk.post(location, data={"column.A.11月": "name"}).status_code == 422


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (sheets.with_macros(), "The file contains macros"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"", "The file is empty"),
        (sheets.workbook([["1"]], heading=["x"]), "looks like the heading"),
    ],
)
def test_a_refused_file_is_said_on_the_form(send, content, sentence):
    answer = send(content)
    assert answer.status_code == 422 and sentence in words_of(answer)


def test_the_faulty_rows_go_out_as_a_file_and_come_back_corrected(clerk, send, ctx):
    location = send(sheets.workbook(BAD))
    answer = clerk.get(f"{location}/rows.xlsx")
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    assert answer.headers["Content-Disposition"].encode("latin-1")
    (sheet,) = read_sheets(answer.data)
    assert [cells[2][1] for _number, cells in sheet.rows[1:]] == ["郑桂花", "黄水源"]
    assert sheet.rows[1][1][4][1] == sheets.ZHENG
    back = send(sheets.workbook(sheets.GOOD[:2]), to=f"{location}/again")
    assert clerk.get(back).headers["Location"].endswith("/changes")


def test_the_template_is_offered(clerk):
    answer = clerk.get("/imports/template/roster.xlsx")
    assert answer.status_code == 200 and answer.data.startswith(b"PK")
    assert clerk.get("/imports/template/unknown.xlsx").status_code == 404


def test_an_upload_is_its_owners_alone(send, sign_in, clerk):
    location = send(sheets.workbook(BAD))
    for step in ("", "/faults", "/changes", "/columns", "/done", "/rows.xlsx"):
        assert sign_in("operator").get(location + step).status_code == 404
    assert sign_in("operator").post(f"{location}/take").status_code == 404
    assert sign_in("wu").get("/imports/").status_code == 403


def test_what_waits_can_be_deleted(clerk, send, ctx):
    location = send(sheets.workbook(BAD))
    assert clerk.post(f"{location}/drop").headers["Location"].endswith("/imports/")
    assert clerk.get(location).status_code == 404
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(UploadGroup)) == 0


def test_a_double_click_reads_the_file_once(clerk, ctx):
    for _time in range(2):
        data = {"file": (io.BytesIO(sheets.workbook(BAD)), "a.xlsx"), "area_id": "4", "_idem": "same"}
        assert clerk.post("/imports/", data=data, content_type="multipart/form-data").status_code == 303
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Upload)) == 1
