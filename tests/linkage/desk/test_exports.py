"""Every list leaves as a file: its rows under its filters, numbers as text, personal facts with right and reason."""

import csv
import io

import pytest
import world as street
from sqlalchemy import select

from linkage.core.exports import EXPORTS, as_csv, as_xlsx, cell_text, plain_text
from linkage.core.extensions import db
from linkage.core.models import AuditRow
from linkage.imports.reading import read_sheets

WHO = {
    "audit": "admin",
    "carers": "coordinator",
    "contracts": "coordinator",
    "ledger": "coordinator",
    "lines": "coordinator",
    "users": "admin",
}


@pytest.fixture
def take(sign_in):
    """``take("households", "clerk", "?q=…", personal="1", purpose="call")``: the file that comes of it."""

    def fetch(name, who, query="", kind="csv", **form):
        client = sign_in(who)
        client.set_cookie("lang", "en")
        asked = client.post(f"/exports/{name}{query}", data={"format": kind, **form})
        assert asked.status_code == 303, asked.get_data(as_text=True)
        return client.get(asked.headers["Location"])

    return fetch


def rows_of(answer):
    assert answer.status_code == 200 and answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


NAMES = ("audit", "carers", "contracts", "hours", "households", "ledger", "lines", "needs", "offers", "organisations",
         "people", "users", "visits", "volunteers")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_list_leaves_as_both_kinds_of_file(take, name, ctx):
    assert set(NAMES) == set(EXPORTS)
    who = WHO.get(name, "clerk")
    heading, *rows = rows_of(take(name, who, "?state=all" if name in ("contracts", "needs") else ""))
    assert len(heading) == len(EXPORTS[name].columns) and all(len(row) == len(heading) for row in rows)
    answer = take(name, who, kind="xlsx")
    (sheet,) = read_sheets(answer.data)
    assert [cell[1] for cell in sheet.rows[0][1]] == heading
    noted = db.session.scalars(select(AuditRow).where(AuditRow.action == "exports.make")).all()
    assert [row.detail["personal"] for row in noted] == [False, False]


def test_every_list_leaves_from_both_databases_under_its_chinese_name(any_app):
    for name in NAMES:
        client = any_app.test_client()
        street.sign_in(client, WHO.get(name, "clerk"))
        asked = client.post(f"/exports/{name}?q=a&page=1", data={"format": "csv"})
        answer = client.get(asked.headers["Location"])
        assert rows_of(answer)
        said = answer.headers["Content-Disposition"]
        assert said.encode("latin-1") and "filename*=UTF-8''%" in said


def test_the_filters_that_are_on_are_on_in_the_file(take, ctx):
    _heading, *every = rows_of(take("households", "clerk"))
    _heading, *some = rows_of(take("households", "clerk", f"?q={every[0][1]}"))
    assert 0 < len(some) < len(every)


def test_personal_facts_leave_masked_or_with_a_reason(take, sign_in, ctx):
    heading, *rows = rows_of(take("people", "clerk"))
    numbers = [row[heading.index("Telephone")] for row in rows if row[heading.index("Telephone")]]
    assert numbers and all("****" in number for number in numbers)
    heading, *rows = rows_of(take("people", "clerk", personal="1", purpose="call"))
    numbers = [row[heading.index("Telephone")] for row in rows if row[heading.index("Telephone")]]
    assert numbers and not any("****" in number for number in numbers)
    noted = db.session.scalars(select(AuditRow).where(AuditRow.action == "exports.make")).all()
    assert [(row.detail["personal"], row.detail["purpose"]) for row in noted] == [(False, None), (True, "call")]
    refused = sign_in("clerk").post("/exports/people", data={"format": "csv", "personal": "1"})
    assert refused.status_code == 422


def test_who_may_not_open_a_fact_gets_it_masked_even_when_asking(take, ctx):
    heading, *rows = rows_of(take("households", "supervisor", personal="1", purpose="call"))
    names = [row[heading.index("Head")] for row in rows]
    assert names and all("*" in name for name in names)
    assert not any(row[heading.index("Address")] for row in rows)


def test_a_file_is_for_who_asked_for_it_under_the_same_filters(sign_in, ctx):
    clerk = sign_in("clerk")
    location = clerk.post("/exports/people", data={"format": "csv"}).headers["Location"]
    assert sign_in("operator").get(location).status_code == 303
    assert clerk.get(location + "&q=x").status_code == 303
    assert clerk.get("/exports/people/file?format=csv&token=x").status_code == 303
    assert sign_in("wu").get("/exports/households").status_code == 403


def test_numbers_of_eighteen_digits_stay_whole_and_no_cell_is_a_formula():
    rows = [["h"], ["350203195303084062"], ["=1+1"], ["+8613850012217"], ["@x"], [-5]]
    said = b"".join(as_csv(rows)).decode("utf-8-sig").splitlines()
    assert said == ["h", "\t350203195303084062", "'=1+1", "+8613850012217", "'@x", "-5"]
    (sheet,) = read_sheets(as_xlsx(rows, "a", [9]))
    assert [cells[0] for _number, cells in sheet.rows][1:3] == [["t", "350203195303084062"], ["t", "=1+1"]]
    assert plain_text("-1+2") == "'-1+2" and cell_text(["a", "b"]) == "a、b"


def test_the_record_of_volunteers_has_the_fields_of_the_decree(take, ctx):
    heading, *_rows = rows_of(take("volunteers", "clerk"))
    assert set(heading) >= {"Name", "Sex", "Birth date", "ID number", "Area of residence", "Telephone", "Skills",
                            "Service types"}  # fmt: skip
    heading, *_rows = rows_of(take("hours", "clerk"))
    assert set(heading) >= {"Activity", "Day", "Place", "Content", "Time", "Minutes given", "Organising unit",
                            "Person in charge"}  # fmt: skip
