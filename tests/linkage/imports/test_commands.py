import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402

from linkage.core.extensions import db  # noqa: E402
from linkage.households.models import Household  # noqa: E402
from linkage.imports.models import Upload  # noqa: E402
from linkage.imports.reading import read_sheets  # noqa: E402
from linkage.imports.roster.kind import ROSTER  # noqa: E402
from linkage.imports.understanding import find_headings  # noqa: E402


@pytest.fixture
def run(app, tmp_path):
    """``run(content, *options)``: exit status and the answer in JSON."""

    def call(content, *options, area="350203008001", who="clerk"):
        file = tmp_path / "roster.xlsx"
        file.write_bytes(content)
        arguments = ["import", "roster", str(file), "--area", area, "--as", who, "--json", *options]
        result = app.test_cli_runner().invoke(args=arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.output)

    return call


def test_a_dry_run_names_every_fault_and_writes_nothing(run, ctx):
    bad = [sheets.changed(sheets.GOOD[0], 身份证号=350203195303084065, 出生日期="1953.13.8"), *sheets.GOOD[1:]]
    status, answer = run(sheets.workbook(bad, title="名册"), "--dry-run")
    assert status == 1
    assert (answer["households"]["good"], answer["households"]["bad"], answer["written"]) == (1, 1, False)
    named = {
        (fault["sheet"], fault["row"], fault["column"], fault["field"], fault["code"]) for fault in answer["faults"]
    }
    assert named == {("11月", 3, "D", "id_number", "rounded"), ("11月", 3, "E", "birth_date", "month")}
    assert all(fault["remedy"] for fault in answer["faults"])
    assert db.session.scalar(select(func.count()).select_from(Upload)) == 0
    assert db.session.scalar(select(func.count()).where(Household.number == "008")) == 0


def test_a_good_roster_is_taken_in(run, ctx):
    status, answer = run(sheets.workbook(sheets.GOOD))
    assert (status, answer["households"]["taken"]) == (0, 2)
    assert db.session.scalar(select(func.count()).where(Household.number.in_(["007", "008"]))) == 2


@pytest.fixture
def bare(app, tmp_path):
    """``bare(file)``: a dry run as it is typed in a demo, without account and area."""

    def call(file, kind="roster"):
        result = app.test_cli_runner().invoke(args=["import", kind, str(file), "--dry-run", "--json"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.output)

    return call


def test_in_a_demo_the_account_may_be_left_out(bare, ctx, tmp_path):
    file = tmp_path / "roster.xlsx"
    file.write_bytes(sheets.workbook(sheets.GOOD))
    status, answer = bare(file)
    assert (status, answer["households"]["good"], answer["area"]) == (0, 2, "350203008001")


def test_what_cannot_be_opened_is_refused_like_any_file(bare, ctx, tmp_path):
    for file in (tmp_path, tmp_path / "none.xlsx", Path("/dev/zero")):
        status, answer = bare(file)
        assert (status, answer["refused"]) == (2, "unreadable")


def test_bad_households_stay_staged_for_the_page(run, ctx):
    status, answer = run(sheets.workbook([*sheets.GOOD[:2], sheets.changed(sheets.GOOD[2], 联系电话="1")]))
    assert (status, answer["households"]["taken"], answer["households"]["bad"]) == (1, 1, 1)
    assert db.session.scalar(select(func.count()).select_from(Upload)) == 1


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (sheets.with_macros(), {}, "macros"),
        (b"%PDF", {}, "type"),
        (sheets.workbook(sheets.GOOD), {"area": "350203008002"}, "invalid-input"),
        (sheets.workbook(sheets.GOOD), {"area": "1"}, "invalid-input"),
        (sheets.workbook(sheets.GOOD), {"who": "nobody"}, "invalid-input"),
        (sheets.workbook(sheets.GOOD), {"who": "wu"}, "invalid-input"),
    ],
)
def test_a_refused_file_has_status_two(run, content, options, reason):
    status, answer = run(content, **options)
    assert (status, answer["refused"]) == (2, reason)


def test_the_template_can_be_brought_in_as_it_is(app, run, ctx, tmp_path):
    out = tmp_path / "template.xlsx"
    result = app.test_cli_runner().invoke(args=["import-template", "roster", str(out)])
    assert result.exit_code == 0
    parsed = read_sheets(out.read_bytes())
    (heading,) = find_headings(ROSTER, parsed)
    assert [column[2] for column in heading.columns] == [column.name for column in ROSTER.columns]
    status, answer = run(out.read_bytes())
    assert (status, answer["refused"]) == (2, "no_rows")
