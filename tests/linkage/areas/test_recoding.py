"""A new code, name or place from a date on; what was before is found, and understood in files."""

from datetime import date, timedelta

import pytest

from linkage.areas import queries, recoding
from linkage.areas.models import Area, AreaCode, AreaParent
from linkage.areas.recoding import Change
from linkage.core import audit
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.imports.roster.kind import communities_below

TODAY, NEW_YEAR = date(2026, 11, 24), date(2027, 1, 1)
STREET, OTHER_STREET, NORTH, SPRING = 3, 6, 4, 5
OLD, NEW = "350203008001", "350203008021"


@pytest.fixture
def coded(commit, world, now):
    """The street's areas with their codes since 2020."""

    def enter():
        audit.record("test.codes", ("areas", "tree"), by=None, now=now)
        for area in db.session.query(Area):
            db.session.add(AreaCode(area_id=area.id, code=area.code, valid_from=date(2020, 1, 1), valid_to=None))
            if area.parent_id:
                db.session.add(
                    AreaParent(area_id=area.id, parent_id=area.parent_id, valid_from=date(2020, 1, 1), valid_to=None)
                )

    commit(enter)


@pytest.fixture
def announce(coded, commit, world, now):
    def enter(change, area_id=NORTH):
        return commit(
            lambda: recoding.announce(db.session.get(Area, area_id), change, by=world.actor("admin"), now=now)
        )

    return enter


def area(area_id=NORTH):
    return db.session.get(Area, area_id, populate_existing=True)


def test_a_code_of_next_year_waits_and_then_holds_with_its_name(announce, commit, now):
    announce(Change(NEW, NEW_YEAR, "莲花社区"))
    assert (area().code, area().name) == (OLD, "莲花北社区")
    assert commit(lambda: recoding.apply_due(now=now)) == 0
    later = now + timedelta(days=40)
    assert commit(lambda: recoding.apply_due(now=later)) == 1
    assert commit(lambda: recoding.apply_due(now=later)) == 0
    assert (area().code, area().name) == (NEW, "莲花社区")
    assert queries.by_code(OLD, TODAY).id == queries.by_code(NEW, NEW_YEAR).id == NORTH
    assert queries.by_code(OLD, NEW_YEAR) is None and queries.by_any_code(OLD).id == NORTH


def test_files_with_the_old_code_or_name_are_still_understood(announce):
    announce(Change(NEW, TODAY, "莲花社区"))
    words = communities_below(area(STREET))
    assert {words[word].id for word in (OLD, NEW, "莲花北社区", "莲花社区")} == {NORTH}


def test_an_old_code_that_another_area_has_now_means_that_one(announce, commit, world, now):
    announce(Change(NEW, TODAY))
    commit(lambda: recoding.announce(area(SPRING), Change(OLD, TODAY), by=world.actor("admin"), now=now))
    assert communities_below(area(STREET))[OLD].id == queries.by_any_code(OLD).id == SPRING


def test_a_community_goes_over_to_another_street_on_its_day_and_scopes_follow(announce, commit, world, now):
    announce(Change("350203007009", NEW_YEAR, parent=area(OTHER_STREET)))
    assert area().path == "/1/2/3/4/"
    commit(lambda: recoding.apply_due(now=now + timedelta(days=40)))
    assert (area().path, area().parent_id) == ("/1/2/6/4/", OTHER_STREET)


def test_a_change_that_waits_is_taken_back_and_all_is_as_before(announce, commit, world, now):
    row = announce(Change("350203007009", NEW_YEAR, parent=area(OTHER_STREET)))
    commit(lambda: recoding.withdraw(db.session.get(AreaCode, row.id), by=world.actor("admin"), now=now))
    assert commit(lambda: recoding.apply_due(now=now + timedelta(days=40))) == 0
    assert queries.by_code(OLD, NEW_YEAR).id == NORTH and area().parent_id == STREET


def test_the_twelve_figures_of_the_published_table_are_cut_to_the_level(ctx):
    assert recoding.normal_code("street", "350203008000") == "350203008"
    assert recoding.normal_code("district", "350203000000") == "350203"
    assert recoding.normal_code("community", " 350203008001 ") == OLD
    for level, typed in (("street", "350203008001"), ("community", "350203008"), ("grid", OLD), ("city", "xm")):
        with pytest.raises(InvalidInput):
            recoding.normal_code(level, typed)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (Change("350203008002", NEW_YEAR), InvalidInput),  # another area's
        (Change(NEW, date(2019, 12, 31)), InvalidInput),  # before the present one began
        (Change("12", NEW_YEAR), InvalidInput),
    ],
)
def test_what_cannot_be_is_refused(announce, change, kind):
    with pytest.raises(kind):
        announce(change)


def test_one_change_waits_at_a_time(announce):
    announce(Change(NEW, NEW_YEAR))
    with pytest.raises(Conflict):
        announce(Change("350203008022", date(2027, 6, 1)))


def test_the_command_takes_a_table_whole_or_not_at_all(coded, app, tmp_path):
    file = tmp_path / "codes.csv"
    file.write_text(f"old_code,new_code,from,name\n{OLD},{NEW},2026-11-01,莲花社区\n999,998,2026-11-01,\n")
    run = app.test_cli_runner()
    answer = run.invoke(args=["areas-recode", str(file)])
    assert answer.exit_code == 1 and "999" in answer.output and area().code == OLD
    file.write_text(f"old_code,new_code,from,name\n{OLD},{NEW},2026-11-01,莲花社区\n")
    assert "would change" in run.invoke(args=["areas-recode", str(file), "--dry-run"]).output and area().code == OLD
    assert run.invoke(args=["areas-recode", str(file)]).exit_code == 0 and area().name == "莲花社区"


def test_the_page_enters_shows_and_takes_back(coded, sign_in, ctx):
    admin = sign_in("admin")
    admin.set_cookie("lang", "en")
    sent = {"code": NEW, "name": "莲花社区", "valid_from": "2027-01-01"}
    assert admin.post(f"/areas/{NORTH}/recode", data=sent).status_code == 303
    page = admin.get(f"/areas/{NORTH}").text
    assert NEW in page and "Take it back" in page
    assert admin.post(f"/areas/{NORTH}/recode/withdraw").status_code == 303
    assert admin.post(f"/areas/{NORTH}/recode/withdraw").status_code == 409
    assert admin.post(f"/areas/{NORTH}/recode", data={**sent, "code": "12"}).status_code == 422
    assert admin.get(f"/areas/find?code={OLD}").headers["Location"].endswith(f"/areas/{NORTH}")
    assert sign_in("supervisor").post(f"/areas/{NORTH}/recode", data=sent).status_code == 403
