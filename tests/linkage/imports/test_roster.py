import sys
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))
import sheets  # noqa: E402

from linkage.accounts.models import Grant  # noqa: E402
from linkage.areas.models import Area  # noqa: E402
from linkage.core import audit  # noqa: E402
from linkage.core.clock import local_date  # noqa: E402
from linkage.core.errors import Conflict, InvalidInput  # noqa: E402
from linkage.core.extensions import db  # noqa: E402
from linkage.core.transactions import armed  # noqa: E402
from linkage.households import operations as household_operations  # noqa: E402
from linkage.households.models import Household, Member  # noqa: E402
from linkage.imports import operations, queries, taking  # noqa: E402
from linkage.imports.erasure import erase  # noqa: E402
from linkage.imports.models import ImportedRow, Upload, UploadGroup  # noqa: E402
from linkage.imports.periodic import delete_expired  # noqa: E402
from linkage.imports.reading import FileRefused, read_sheets  # noqa: E402
from linkage.imports.roster.kind import ROSTER  # noqa: E402
from linkage.needs.models import Need  # noqa: E402
from linkage.people.models import Person  # noqa: E402


@pytest.fixture
def upload(commit, world, now):
    """``upload(content)``: staged by the clerk for 莲花北社区; gives the upload."""

    def stage(content, area_id=4, who="clerk"):
        parsed = read_sheets(content)

        def receive():
            area = db.session.get(Area, area_id)
            return operations.receive(parsed, content, "名册.xlsx", ROSTER, area, by=world.actor(who), now=now)

        return commit(receive)

    return stage


@pytest.fixture
def take(now):
    """``take(upload)``: take in what is good; gives (taken, refused)."""

    def run(upload):
        return taking.take_ready(upload.id, now=now)

    return run


def again(upload):
    """The same upload in a fresh session."""
    db.session.expire_all()
    return db.session.get(Upload, upload.id)


def faults(upload):
    return {
        (group.rows[fault["row"]]["row"], fault["field"], fault["code"])
        for group in upload.groups
        for fault in group.faults
    }


def edit(upload, row, letter, text):
    """The edit of the cell at a row of the sheet."""
    for group in upload.groups:
        for place, stored in enumerate(group.rows or []):
            if stored["row"] == row:
                return {(group.id, place, letter): text}
    raise AssertionError(row)


def household(number):
    return db.session.scalars(select(Household).where(Household.number == number, Household.area_id == 4)).one_or_none()


def test_a_good_roster_is_staged_and_nothing_is_written_yet(upload, ctx):
    staged = upload(sheets.workbook(sheets.GOOD, title="莲花北社区困难家庭"))
    counts = queries.counts_of(staged)
    assert (counts.total, counts.good, counts.new, counts.rows, counts.people, counts.needs) == (2, 2, 2, 3, 3, 2)
    assert faults(staged) == set()
    assert household("007") is None


def test_a_good_roster_enters_with_members_tags_consent_and_needs(upload, take, ctx):
    assert take(upload(sheets.workbook(sheets.GOOD))) == (2, 0)
    zheng = household("007")
    assert [(m.person.name, m.relation) for m in zheng.members] == [("郑桂花", "self"), ("黄水源", "spouse")]
    assert zheng.members[1].person.birth_date == date(1950, 6, 18)
    assert {tag.tag for tag in zheng.tags} == {"aged_80", "minimum_living"}
    assert [(c.purpose, c.given_on) for c in zheng.consents] == [("service", date(2026, 11, 2))]
    need = db.session.scalars(select(Need).where(Need.household_id == zheng.id)).one()
    assert (need.window_start, need.window_end, need.duration_minutes) == (660, 750, 30)
    assert (need.recurrence, need.channel, need.starts_on) == ("FREQ=WEEKLY;BYDAY=TU,TH", "import", date(2026, 12, 1))


def test_good_households_are_taken_while_bad_ones_wait(upload, take, ctx):
    bad = [sheets.changed(sheets.GOOD[0], 身份证号=350203195303084065), sheets.GOOD[1], sheets.GOOD[2]]
    staged = upload(sheets.workbook(bad))
    assert faults(staged) == {(2, "id_number", "rounded")}
    assert take(staged) == (1, 0)
    assert household("008") is not None and household("007") is None
    counts = queries.counts_of(again(staged))
    assert (counts.bad, counts.good, counts.taken) == (1, 0, 1)


def test_a_bad_cell_is_corrected_in_place_and_the_household_taken(upload, take, commit, world, now):
    bad = [sheets.changed(sheets.GOOD[0], 身份证号=350203195303084065), *sheets.GOOD[1:]]
    staged = upload(sheets.workbook(bad))
    correction = edit(staged, 2, "D", sheets.ZHENG)
    commit(lambda: operations.set_cells(again(staged), correction, by=world.actor("clerk"), now=now))
    staged = again(staged)
    assert faults(staged) == set()
    assert staged.groups[0].rows[0]["was"] == {"D": "350203195303084000"}
    assert take(staged) == (2, 0)
    assert household("007").members[0].person.id_number == sheets.ZHENG


def test_a_correction_can_be_taken_back(upload, commit, world, now):
    staged = upload(sheets.workbook([sheets.changed(sheets.GOOD[2], 出生日期="1946.13.5")]))
    by = world.actor("clerk")
    ((key, _text),) = edit(staged, 2, "E", "").items()
    commit(lambda: operations.set_cells(again(staged), {key: "1946-03-15"}, by=by, now=now))
    assert faults(again(staged)) == set()
    commit(lambda: operations.undo_cell(again(staged), key, by=by, now=now))
    assert faults(again(staged)) == {(2, "birth_date", "month")}
    assert again(staged).groups[0].rows[0]["was"] == {}


def test_the_birth_date_of_the_id_number_is_offered(upload, world, now):
    staged = upload(sheets.workbook([sheets.changed(sheets.GOOD[2], 出生日期="1946.13.5")]))
    (examined,) = operations.examined_groups(staged, staged.groups, by=world.actor("clerk"), today=local_date(now))
    assert [(fault.field, fault.fix) for fault in examined.faults] == [("birth_date", "1946-03-15")]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"姓名": ""}, ("name", "required")),
        ({"住址": ""}, ("address", "required")),
        ({"关系": "邻居"}, ("relation", "choice")),
        ({"联系电话": "1385921"}, ("telephone", "telephone")),
        ({"出生日期": "1946-03-16"}, ("birth_date", "other_birth_date")),
        ({"困难类别": "有钱"}, ("tags", "choice")),
        ({"同意书日期": ""}, ("consent_on", "need_household_id")),
        ({"同意书日期": "2027-11-03"}, ("consent_on", "future")),
        ({"需求": "助飞"}, ("service", "choice")),
        ({"需求": ""}, ("service", "required")),
        ({"开始日期": ""}, ("starts_on", "required")),
        ({"开始日期": "2026-11-01", "重复": ""}, ("starts_on", "need_starts_on")),
        ({"时间段": ""}, ("window", "required")),
        ({"时间段": "09:00-09:30"}, ("window", "need_window_end")),
        ({"时长": "0"}, ("duration", "whole")),
        ({"重复": "常常"}, ("recurrence", "recurrence")),
        ({"户号": "A001"}, ("number", "number_taken")),
    ],
)
def test_every_kind_of_fault_is_named_at_its_cell(upload, cells, fault):
    staged = upload(sheets.workbook([sheets.changed(sheets.GOOD[2], **cells)]))
    assert (2, *fault) in faults(staged)


def test_all_faults_of_a_household_are_shown_at_once(upload):
    row = sheets.changed(sheets.GOOD[2], 联系电话="1", 出生日期="1946.13.5", 需求="助飞", 时间段="x")
    found = {field for _row, field, _code in faults(upload(sheets.workbook([row])))}
    assert {"telephone", "birth_date", "service", "window"} <= found


def test_rows_of_one_household_belong_together_wherever_they_stand(upload):
    rows = [sheets.GOOD[0], sheets.GOOD[2], sheets.GOOD[1]]
    staged = upload(sheets.workbook(rows))
    assert [[row["row"] for row in group.rows] for group in staged.groups] == [[2, 4], [3]]


def test_a_second_row_of_the_same_person_is_a_second_need(upload, take, ctx):
    second = sheets.changed(
        sheets.GOOD[0], 需求="助洁", 开始日期="2026-12-02", 重复="一次", 时间段="14:00-16:00", 时长="60"
    )
    assert take(upload(sheets.workbook([*sheets.GOOD[:2], second]))) == (1, 0)
    stored = household("007")
    assert len(stored.members) == 2
    assert db.session.scalar(select(func.count()).where(Need.household_id == stored.id)) == 2


def test_the_same_need_twice_in_a_file_is_one_request(upload, take, ctx):
    assert take(upload(sheets.workbook([*sheets.GOOD, sheets.GOOD[0]]))) == (2, 0)
    assert db.session.scalar(select(func.count()).where(Need.household_id == household("007").id)) == 1


def test_rows_that_contradict_each_other_are_named(upload):
    rows = [sheets.GOOD[0], sheets.changed(sheets.GOOD[1], 住址="凌香里9号")]
    assert faults(upload(sheets.workbook(rows))) == {(3, "address", "differs")}


def test_an_id_number_in_two_households_of_the_file_is_refused_in_the_second(upload):
    rows = [*sheets.GOOD[:2], sheets.changed(sheets.GOOD[2], 身份证号=sheets.HUANG, 出生日期="", 姓名="黄水源")]
    assert faults(upload(sheets.workbook(rows))) == {(4, "id_number", "twice")}


def test_a_person_of_a_household_elsewhere_is_refused_without_saying_where(upload, take, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    staged = upload(sheets.workbook(sheets.GOOD[2:]), area_id=5, who="clerk2")
    assert faults(staged) == {(2, "id_number", "elsewhere")}


def test_a_household_enters_whole_or_not_at_all(upload, now, ctx):
    staged = upload(sheets.workbook(sheets.GOOD))

    def strike():
        raise RuntimeError("power cut")

    with armed("imports.after_needs", strike), pytest.raises(RuntimeError):
        taking.take_ready(staged.id, now=now)
    db.session.rollback()
    assert household("007") is None and household("008") is None
    assert db.session.scalar(select(func.count()).select_from(Need)) == 0
    assert db.session.scalar(select(func.count()).where(Person.name == "郑桂花")) == 0
    assert taking.take_ready(staged.id, now=now) == (2, 0)


def test_a_household_that_the_registers_refuse_leaves_the_others_of_its_batch_in(upload, now, ctx):
    third = sheets.changed(sheets.GOOD[2], 户号="009", 姓名="吕秀鸾", 身份证号="", 出生日期="1940-01-02")
    staged = upload(sheets.workbook([*sheets.GOOD, third]))
    calls = []

    def refuse():
        calls.append(1)
        if len(calls) == 2:
            raise Conflict("taken meanwhile")

    with armed("imports.after_needs", refuse):
        assert taking.take_ready(staged.id, now=now) == (2, 1)
    assert household("007") is not None and household("008") is None and household("009") is not None
    (waiting,) = queries.waiting_groups(db.session.get(Upload, staged.id))
    assert [fault["code"] for fault in waiting.faults] == ["conflict"]
    assert db.session.scalar(select(func.count()).where(Person.name == "许天来")) == 0


def test_taking_goes_on_where_it_was_cut_off(upload, now, ctx):
    staged = upload(sheets.workbook(sheets.GOOD))
    calls = []

    def strike():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("kill -9")

    with armed("imports.after_household", strike), pytest.raises(RuntimeError):
        taking.take_ready(staged.id, now=now)
    db.session.rollback()
    assert household("007") is not None and household("008") is None
    assert taking.take_ready(staged.id, now=now) == (1, 0)
    assert db.session.scalar(select(func.count()).where(Member.relation == "spouse")) == 1


def test_the_same_file_again_changes_nothing(upload, take, ctx):
    content = sheets.workbook(sheets.GOOD)
    take(upload(content))
    versions = {row.id: row.row_version for row in db.session.scalars(select(Household))}
    staged = upload(content)
    counts = queries.counts_of(staged)
    assert (counts.same, counts.new, counts.changed) == (2, 0, 0)
    assert take(staged) == (2, 0)
    db.session.expire_all()
    assert {row.id: row.row_version for row in db.session.scalars(select(Household))} == versions
    assert db.session.scalar(select(func.count()).select_from(Need)) == 2


def test_a_difference_is_shown_and_taken_where_nobody_edited_the_value(upload, take, world, now, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    rows = [sheets.changed(sheets.GOOD[0], 联系电话="13850019999"), *sheets.GOOD[1:]]
    staged = upload(sheets.workbook(rows))
    examined = operations.examined_groups(staged, staged.groups, by=world.actor("clerk"), today=local_date(now))
    assert [(change.old, change.new, change.edited) for change in examined[0].changes] == [
        ("138****2217", "138****9999", False)
    ]
    take(staged)
    db.session.expire_all()
    assert household("007").members[0].person.telephone == "+8613850019999"


def test_an_edited_value_is_never_overwritten_unless_it_is_ticked(upload, take, commit, world, now, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    by = world.actor("clerk")
    stored = household("008")
    commit(
        lambda: household_operations.move_household(
            stored,
            household_operations.PlaceDraft(stored.area, "香莲里99号101室"),
            row_version=stored.row_version,
            by=by,
            now=now,
        )
    )
    content = sheets.workbook(sheets.GOOD)
    staged = upload(content)
    assert staged.groups[1].counts["edited"] == 1
    take(staged)
    db.session.expire_all()
    assert household("008").place.address == "香莲里99号101室"

    staged = upload(content)
    examined = operations.examined_groups(staged, staged.groups, by=by, today=local_date(now))
    change = examined[1].changes[0]
    ticks = {staged.groups[1].id: {f"{change.key}|{change.seen}"}}
    commit(lambda: operations.tick(again(staged), ticks, by=by, now=now))
    take(staged)
    db.session.expire_all()
    assert household("008").place.address == "凌香里3号601室"


def test_a_tick_is_void_once_the_value_was_edited_again(upload, take, commit, world, now, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    by = world.actor("clerk")

    def mind(words):
        stored = household("008")
        household_operations.change_household(stored, row_version=stored.row_version, by=by, now=now, care_level=words)

    heading = [*sheets.HEADING, "失能等级"]
    commit(lambda: mind("mild"))
    staged = upload(sheets.workbook([[*sheets.GOOD[2], "重度"]], heading=heading))
    (examined,) = operations.examined_groups(staged, staged.groups, by=by, today=local_date(now))
    ticks = {staged.groups[0].id: {f"{examined.changes[0].key}|{examined.changes[0].seen}"}}
    commit(lambda: operations.tick(again(staged), ticks, by=by, now=now))
    commit(lambda: mind("moderate"))
    take(staged)
    db.session.expire_all()
    assert household("008").care_level == "moderate"


def test_an_empty_value_is_filled_and_an_empty_cell_erases_nothing(upload, take, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    rows = [sheets.changed(sheets.GOOD[2], 联系电话="13860013434", 住址="")]
    take(upload(sheets.workbook(rows)))
    db.session.expire_all()
    assert household("008").members[0].person.telephone == "+8613860013434"
    assert household("008").place.address == "凌香里3号601室"


def test_a_known_household_gains_a_member_and_a_need(upload, take, ctx):
    take(upload(sheets.workbook(sheets.GOOD[:1])))
    more = sheets.changed(
        sheets.GOOD[1], 需求="助洁", 开始日期="2026-12-04", 重复="每周五", 时间段="14:00-16:00", 时长="60"
    )
    staged = upload(sheets.workbook([sheets.GOOD[0], more]))
    assert queries.counts_of(staged).changed == 1
    take(staged)
    db.session.expire_all()
    assert [member.person.name for member in household("007").members] == ["郑桂花", "黄水源"]
    assert db.session.scalar(select(func.count()).where(Need.household_id == household("007").id)) == 2


def test_a_household_without_id_numbers_is_known_by_number_name_and_birth_date(upload, take, ctx):
    row = sheets.changed(sheets.GOOD[2], 身份证号="")
    take(upload(sheets.workbook([row])))
    assert queries.counts_of(upload(sheets.workbook([row]))).same == 1
    other = sheets.changed(row, 出生日期="1947-01-01")
    assert faults(upload(sheets.workbook([other]))) == {(2, "number", "number_taken")}


def test_changed_hours_of_a_need_are_a_difference(upload, take, ctx):
    take(upload(sheets.workbook(sheets.GOOD[2:])))
    take(upload(sheets.workbook([sheets.changed(sheets.GOOD[2], 时间段="13:00-16:00")])))
    need = db.session.scalars(select(Need)).one()
    db.session.refresh(need)
    assert (need.window_start, need.window_end) == (780, 960)


def test_a_corrected_file_takes_the_place_of_the_faulty_households(upload, commit, world, now):
    bad = [sheets.changed(sheets.GOOD[0], 联系电话="1385"), *sheets.GOOD[1:]]
    staged = upload(sheets.workbook(bad))
    parsed = read_sheets(sheets.text_table([sheets.GOOD[0], sheets.GOOD[1]]))
    result = commit(lambda: operations.replace_rows(again(staged), parsed, by=world.actor("clerk"), now=now))
    assert result == (1, 0)
    assert faults(again(staged)) == set()
    assert queries.counts_of(again(staged)).good == 2


def test_an_unknown_heading_can_be_said_what_it_is(upload, commit, world, now):
    heading = ["档案编码" if name == "户号" else name for name in sheets.HEADING]
    staged = upload(sheets.workbook(sheets.GOOD, heading=heading))
    assert [column[2] for column in staged.columns[0]["columns"]][:2] == ["", "name"]
    chosen = {("11月", "A"): "number"}
    commit(lambda: operations.set_columns(again(staged), chosen, by=world.actor("clerk"), now=now))
    assert queries.counts_of(again(staged)).total == 2
    with pytest.raises(InvalidInput):
        operations.set_columns(again(staged), {("11月", "A"): "name"}, by=world.actor("clerk"), now=now)


def test_a_file_without_a_heading_is_refused(upload):
    with pytest.raises(FileRefused) as refused:
        upload(sheets.workbook([["a", "b"]], heading=["x", "y"]))
    assert refused.value.reason == "heading"


def test_an_area_that_is_not_ones_own_is_refused(upload):
    with pytest.raises(InvalidInput):
        upload(sheets.workbook(sheets.GOOD), area_id=5)


def test_a_file_of_a_street_names_the_community_in_a_column(upload, ctx):
    heading = [*sheets.HEADING, "社区"]
    rows = [[*sheets.GOOD[0], "莲花北"], [*sheets.GOOD[1], ""], [*sheets.GOOD[2], ""]]
    staged = upload(sheets.workbook(rows, heading=heading), area_id=1, who="operator")
    assert faults(staged) == {(4, "community", "required")}


def test_staged_rows_and_the_database_hold_nothing_sensitive_in_clear(upload, take, ctx):
    bad = sheets.changed(sheets.GOOD[2], 联系电话="1385921", 住址="凌香里3号601室")
    take(upload(sheets.workbook([*sheets.GOOD[:2], bad])))
    db.session.remove()
    folder = ctx.config["SETTINGS"].data_dir
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for canary in (sheets.ZHENG, sheets.XU, "13850012217", "凌香里3号601室", "香莲里31号204室", "名册.xlsx"):
        assert canary.encode() not in stored
        assert canary.encode("utf-16-le") not in stored


def test_an_upload_that_nobody_finished_is_deleted_with_its_key(upload, commit, now, move_clock, ctx):
    staged = upload(sheets.workbook(sheets.GOOD))
    delete_expired(now)
    assert queries.get_upload(staged.id) is not None
    db.session.rollback()
    delete_expired(move_clock("2026-12-09T03:00"))
    db.session.expire_all()
    assert queries.get_upload(staged.id) is None
    assert db.session.scalar(select(func.count()).select_from(UploadGroup)) == 0


def test_a_file_is_not_taken_in_by_somebody_whose_grant_has_ended(upload, take, commit, world, now, ctx):
    staged = upload(sheets.workbook(sheets.GOOD))

    def end():
        grant = db.session.scalars(select(Grant).where(Grant.user_id == world.key("user/clerk"))).one()
        grant.revoked_at = now
        audit.record("test.revoke", grant, by=None, now=now)

    commit(end)
    assert take(staged) == (0, 2)
    assert household("007") is None


def test_erasing_a_person_forgets_what_the_import_wrote_of_them(upload, take, commit, now, ctx):
    take(upload(sheets.workbook(sheets.GOOD)))
    person = household("007").members[0].person
    traces = select(func.count()).where(ImportedRow.subject_id == person.id)
    assert db.session.scalar(traces) == 1

    def forget():
        erase("person", person.id, now)
        audit.record("test.erase", person, by=None, now=now)

    commit(forget)
    assert db.session.scalar(traces) == 0


def test_a_job_takes_the_file_in_once(upload, commit, world, now):
    staged = upload(sheets.workbook(sheets.GOOD))
    by = world.actor("clerk")
    commit(lambda: operations.take_later(again(staged), by=by, now=now))
    with pytest.raises(Conflict):
        commit(lambda: operations.take_later(again(staged), by=by, now=now))
