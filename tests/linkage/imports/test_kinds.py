# ruff: noqa: E501
"""Each kind of file beside the roster: a messy one is understood, taken in by the rooms, taken in again as the same,
and taken back."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402

from linkage.areas.models import Area  # noqa: E402
from linkage.contracts.models import Contract  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.models import AuditRow  # noqa: E402
from linkage.core.transactions import unit_of_work  # noqa: E402
from linkage.households.models import Household  # noqa: E402
from linkage.imports import operations, queries, taking  # noqa: E402
from linkage.imports.kinds import KINDS  # noqa: E402
from linkage.imports.models import Upload  # noqa: E402
from linkage.imports.reading import FileRefused, read_sheets  # noqa: E402
from linkage.needs.models import Need  # noqa: E402
from linkage.organisations.models import Carer, Organisation  # noqa: E402
from linkage.people.models import Person, WorkPattern  # noqa: E402
from linkage.services.models import HeldQualification  # noqa: E402
from linkage.visits.models import Visit  # noqa: E402
from linkage.volunteers.models import Volunteer  # noqa: E402

LIN, SU = sheets.id_number("19830308", "106"), sheets.id_number("19700618", "135")
CARERS = (
    ["姓名", "公民身份号码", "手机", "岗位", "每周工时", "出行方式", "入职日期"],
    [["林 秀英", LIN, 13850012217, "护理员", "40小时", "电动车", "2026年12月1日"],
     ["苏建国", SU, "139-0012-0431", "社工", "20", "步行", "2026.12.1"]],
)  # fmt: skip
VOLUNTEERS = (
    ["姓名", "身份证号", "联系电话", "居住社区", "服务类型", "每周时长", "保险到期"],
    [["林秀英", LIN, "13850012217", "莲花北社区", "陪伴", "6", "2027-11-30"],
     ["苏建国", SU, "13900120431", "莲花北", "陪伴、助洁", "4", ""]],
)  # fmt: skip


def test_an_import_is_taken_back_whole_on_both_databases(any_app, world, now):
    content = sheets.workbook(sheets.GOOD)
    parsed = read_sheets(content)

    def receive():
        where = db.session.get(Area, 4)
        return operations.receive(
            parsed, content, "a.xlsx", KINDS["roster"], where, by=world.actor("clerk"), now=now
        ).id

    def counts():
        return [
            db.session.scalar(select(func.count()).select_from(model)) for model in (Household, Person, Need, Visit)
        ]

    with any_app.app_context():
        before = counts()
        upload = unit_of_work(receive)
        assert taking.take_ready(upload, now=now) == (2, 0)
        assert counts() > before
        assert taking.undo_all(upload, now=now) == (2, 0)
        assert counts() == before
        db.session.remove()


@pytest.fixture
def bring(commit, world, now):
    """``bring(kind, heading, rows, who, area)``: stage a file, take in what is good; gives the upload."""

    def run(kind, heading, rows, who, area=4):
        content = sheets.workbook(rows, heading=heading)
        parsed = read_sheets(content)

        def receive():
            where = db.session.get(Area, area)
            return operations.receive(parsed, content, "a.xlsx", KINDS[kind], where, by=world.actor(who), now=now)

        upload = commit(receive).id
        taking.take_ready(upload, now=now)
        db.session.expire_all()
        return db.session.get(Upload, upload)

    return run


def faults(upload):
    return {
        (group.rows[fault["row"]]["row"], fault["field"], fault["code"])
        for group in upload.groups
        for fault in group.faults
    }


def states(upload):
    return [group.counts["state"] for group in upload.groups]


def counted(*models):
    return [db.session.scalar(select(func.count()).select_from(model)) for model in models]


def home_area(world):
    """Where the manager's organisation is registered."""
    grant = next(one for one in world.actor("manager").grants if one.organisation_id)
    return db.session.get(Organisation, grant.organisation_id).area_id


def test_carers_come_in_by_their_manager_and_once_more_as_the_same(bring, world, ctx):
    area = home_area(world)
    upload = bring("carers", *CARERS, "manager", area)
    assert faults(upload) == set() and queries.counts_of(upload).taken == 2
    carer = db.session.scalars(select(Carer).join(Person).where(Person.name == "林秀英")).one()
    assert (carer.kind, carer.weekly_minutes, carer.travel_mode) == ("carer", 2400, "ebike")
    assert carer.person.telephone == "+8613850012217" and str(carer.valid_from) == "2026-12-01"
    assert states(bring("carers", *CARERS, "manager", area)) == ["same", "same"]
    changed = [CARERS[1][0][:4] + ["30", "步行", ""]]
    assert states(bring("carers", CARERS[0], changed, "manager", area)) == ["changed"]
    db.session.expire_all()
    carer = db.session.scalars(select(Carer).join(Person).where(Person.name == "林秀英")).one()
    assert (carer.weekly_minutes, carer.travel_mode) == (1800, "walk")


def test_faults_of_carers_name_their_cells(bring, world, ctx):
    rows = [["林秀英", LIN[:-1], "1", "厨师", "90", "飞机", "x"], ["", SU, "", "", "", "", ""]]
    upload = bring("carers", CARERS[0], rows, "manager", home_area(world))
    assert {name for row, name, _code in faults(upload) if row == 2} == {
        "id_number", "telephone", "kind", "weekly_hours", "travel_mode", "valid_from",
    }  # fmt: skip
    assert (3, "name", "required") in faults(upload)


def test_volunteers_come_in_and_what_the_record_needs_is_asked(bring, ctx):
    rows = [*VOLUNTEERS[1], ["张小明", sheets.id_number("20120618", "135"), "", "莲花北社区", "陪伴", "", ""]]
    upload = bring("volunteers", VOLUNTEERS[0], rows, "clerk")
    assert queries.counts_of(upload).taken == 2
    assert {name for _row, name, _code in faults(upload)} >= {"telephone"}
    one = db.session.scalars(select(Volunteer).join(Person).where(Person.name == "苏建国")).one()
    assert len(one.services) == 2 and one.weekly_minutes == 240 and one.area_id == 4
    assert states(bring("volunteers", *VOLUNTEERS, "clerk")) == ["same", "same"]


def test_shifts_are_the_week_of_a_carer(bring, world, ctx):
    area = home_area(world)
    bring("carers", *CARERS, "manager", area)
    heading = ["姓名", "身份证", "星期", "班次时间", "午休分钟", "街道", "生效日期"]
    rows = [
        ["林秀英", LIN, "周一至周五", "8:00-17:00", "60", "嘉莲街道", "2026-12-07"],
        ["", "", "周六", "20:00—6:00", "", "嘉莲街道", ""],
        ["无此人", "", "周一", "8:00-9:00", "", "", ""],
    ]
    upload = bring("shifts", heading, rows, "manager", area)
    assert faults(upload) == {(4, "name", "not_employed")}
    carer = db.session.scalars(select(Carer).join(Person).where(Person.name == "林秀英")).one()
    week = db.session.scalars(select(WorkPattern).where(WorkPattern.person_id == carer.person_id)).all()
    spans = {(row.weekday, row.start_minute, row.end_minute, row.break_minutes) for row in week}
    assert (0, 480, 1020, 60) in spans and (5, 1200, 1800, 0) in spans and len(spans) == 6
    assert states(bring("shifts", heading, rows[:2], "manager", area)) == ["same"]


def test_contracts_come_in_with_their_lines(bring, world, ctx):
    organisation = db.session.scalars(select(Organisation).limit(1)).one()
    heading = ["合同编号", "机构", "项目名称", "签订日期", "开始日期", "结束日期", "合同金额", "分项", "服务项目", "服务区域",
               "计量单位", "单价", "每月上限"]  # fmt: skip
    rows = [
        ["HT-9", organisation.short_name, "居家养老", "2026-11-20", "2026-12-01", "2027-11-30", "48万元", "助洁", "助洁",
         "嘉莲街道", "小时", "38.5", "600"],
        ["", "", "", "", "", "", "", "陪伴", "陪伴", "莲花北社区", "小时", "30", "100"],
    ]  # fmt: skip
    upload = bring("lines", heading, rows, "coordinator", 3)
    assert faults(upload) == set()
    contract = db.session.scalars(select(Contract).where(Contract.number == "HT-9")).one()
    assert contract.value_fen == 48_000_000
    assert [(line.name, line.price_fen, line.monthly_cap, line.unit) for line in contract.lines] == [
        ("助洁", 3850, 36_000, "minutes"), ("陪伴", 3000, 6_000, "minutes"),
    ]  # fmt: skip
    assert states(bring("lines", heading, rows, "coordinator", 3)) == ["same"]
    rows[1][11] = "32"
    assert states(bring("lines", heading, rows, "coordinator", 3)) == ["changed"]
    db.session.expire_all()
    assert db.session.scalars(select(Contract).where(Contract.number == "HT-9")).one().lines[1].price_fen == 3200


def test_households_alone_then_their_needs(bring, ctx):
    part = [[row[place] for place in range(9)] for row in sheets.GOOD]
    upload = bring("households", sheets.HEADING[:9], part, "clerk")
    assert queries.counts_of(upload).taken == 2 and not any(row.needs for row in map(queries.counts_of, [upload]))
    heading = ["户号", "姓名", "需求", "开始日期", "重复", "时间段", "时长"]
    rows = [
        ["007", "郑桂花", "助餐", "2026-12-01", "每周二、四", "11:00-12:30", "30"],
        ["", "许天来", "助洁", "2026-12-03", "每周四", "09:00-11:30", "60"],
        ["099", "无此人", "助洁", "2026-12-03", "", "09:00-11:30", "60"],
    ]
    before = counted(Need)[0]
    upload = bring("needs", heading, rows, "clerk")
    assert faults(upload) == {(4, "number", "not_registered")}
    assert counted(Need)[0] == before + 2
    assert states(bring("needs", heading, rows[:2], "clerk")) == ["same", "same"]


def test_a_file_of_another_kind_is_named(ctx, bring, world):
    with pytest.raises(FileRefused) as refused:
        bring("volunteers", *CARERS, "clerk")
    assert refused.value.reason == "other_kind"


REGISTERS = (Household, Person, Need, Visit, Volunteer, HeldQualification)


def test_an_import_is_taken_back_exactly(bring, ctx, now):
    before = counted(*REGISTERS)
    upload = bring("roster", sheets.HEADING, sheets.GOOD, "clerk")
    assert counted(*REGISTERS) > before
    assert taking.undo_all(upload.id, now=now) == (2, 0)
    db.session.expire_all()
    assert counted(*REGISTERS) == before
    upload = db.session.get(Upload, upload.id)
    assert (queries.counts_of(upload).undone, queries.counts_of(upload).taken) == (2, 0)
    again = bring("roster", sheets.HEADING, sheets.GOOD, "clerk")
    assert states(again) == ["new", "new"] and queries.counts_of(again).taken == 2


def test_what_somebody_touched_since_stays_and_is_named(bring, ctx, now, commit):
    upload = bring("roster", sheets.HEADING, sheets.GOOD, "clerk")
    home = db.session.scalars(select(Household).where(Household.number == "008")).one()

    def touch():
        home.care_level = "severe"
        home.row_version += 1
        operations.audit.record("test.touch", home, by=None, now=now)

    commit(touch)
    assert taking.undo_all(upload.id, now=now) == (1, 1)
    db.session.expire_all()
    left = {row.number for row in db.session.scalars(select(Household).where(Household.number.in_(["007", "008"])))}
    assert left == {"008"}
    ((name, why),) = queries.stays(db.session.get(Upload, upload.id))
    assert name == "008 许天来" and why


def test_changed_values_become_what_they_were(bring, ctx, now):
    bring("volunteers", *VOLUNTEERS, "clerk")
    rows = [["林秀英", LIN, "13850012218", "莲花北社区", "助洁", "9", "2028-01-31"]]
    upload = bring("volunteers", VOLUNTEERS[0], rows, "clerk")
    one = db.session.scalars(select(Volunteer).join(Person).where(Person.name == "林秀英")).one()
    assert (one.weekly_minutes, one.person.telephone[-1]) == (540, "8")
    assert taking.undo_all(upload.id, now=now) == (1, 0)
    db.session.expire_all()
    one = db.session.scalars(select(Volunteer).join(Person).where(Person.name == "林秀英")).one()
    assert (one.weekly_minutes, one.person.telephone[-1], str(one.insured_to)) == (360, "7", "2027-11-30")
    assert [row.service_id for row in one.services] != []
    assert db.session.scalar(select(func.count()).where(AuditRow.action == "imports.undo_group")) == 1
