"""The area tree: loading it, changing it, and what scopes make of it."""

from datetime import date

import pytest
from sqlalchemy import func, select

from linkage.areas import queries
from linkage.areas.models import Area
from linkage.areas.operations import (
    XIAMEN,
    AreaRow,
    add_area,
    change_area,
    close_area,
    load_tree,
    move_area,
    read_tree,
)
from linkage.core.errors import Conflict, InvalidInput, StaleVersion
from linkage.core.extensions import db

SINCE = date(2020, 1, 1)


@pytest.fixture
def admin(ctx, world):
    return world.actor("admin")


def area(area_id):
    return db.session.get(Area, area_id)


def names_under(path):
    return set(db.session.scalars(select(Area.name).where(Area.id.in_(queries.under(path)))))


def test_the_real_tree_loads_once(commit, now):
    rows = read_tree(XIAMEN)
    known = {row.code for row in rows} & set(db.session.scalars(select(Area.code)))
    assert commit(lambda: load_tree(rows, since=SINCE, now=now)) == 598 - len(known)
    assert commit(lambda: load_tree(rows, since=SINCE, now=now)) == 0


def test_a_loaded_street_is_planned_as_one_and_lies_in_its_district(commit, now):
    commit(lambda: load_tree(read_tree(XIAMEN), since=SINCE, now=now))
    street = queries.by_code("350206001", now.date())
    assert street.is_planning_area and street.lat is not None
    assert [row.level for row in queries.ancestors(street)] == ["city", "district", "street"]


def test_an_area_whose_parent_is_unknown_is_refused(ctx, now):
    with pytest.raises(InvalidInput):
        load_tree([AreaRow("999", "street", "某街道", "99")], since=SINCE, now=now)


def test_a_grid_gets_the_next_number_below_its_community(commit, admin, now):
    made = [commit(lambda n=n: add_area(area(4), "grid", f"第{n}网格", by=admin, now=now)) for n in (1, 2)]
    assert [grid.code for grid in made] == ["350203008001001", "350203008001002"]
    assert made[0].path == f"/1/2/3/4/{made[0].id}/"


@pytest.mark.parametrize("level", ["city", "street", "nonsense"])
def test_an_area_cannot_lie_below_one_of_its_own_level(ctx, admin, now, level):
    with pytest.raises(InvalidInput):
        add_area(area(3), level, "某地", by=admin, now=now)


def change(admin, now, area_id=4, **values):
    row = area(area_id)
    wanted = {"name": row.name, "code": row.code, "centre": (row.lat, row.lon), "is_planning_area": False}
    return change_area(row, **{**wanted, "row_version": row.row_version, **values}, by=admin, now=now)


def test_a_new_code_holds_from_today_and_the_old_one_is_still_found(commit, admin, now):
    commit(lambda: load_tree([AreaRow("350299", "district", "新区", "350200")], since=SINCE, now=now))
    new = queries.by_code("350299", now.date())
    assert commit(lambda: change(admin, now, new.id, code="350298", centre=None)) == ["code"]
    assert queries.by_code("350299", date(2026, 11, 23)).id == new.id
    assert queries.by_code("350299", date(2026, 11, 24)) is None
    assert queries.by_code("350298", date(2026, 11, 24)).id == new.id


def test_a_code_that_another_area_has_is_refused(ctx, admin, now):
    with pytest.raises(InvalidInput) as refused:
        change(admin, now, code="350203008002")
    assert refused.value.field == "code"


def test_a_planning_area_inside_another_is_refused(ctx, admin, now):
    with pytest.raises(InvalidInput) as refused:
        change(admin, now, is_planning_area=True)
    assert refused.value.field == "is_planning_area"


def test_a_form_opened_before_another_change_is_refused(ctx, admin, now):
    with pytest.raises(StaleVersion):
        change(admin, now, row_version=0)


def test_a_moved_street_takes_what_lies_below_it_along(commit, admin, now):
    commit(lambda: load_tree([AreaRow("350206", "district", "湖里区", "350200")], since=SINCE, now=now))
    target = queries.by_code("350206", now.date())
    commit(lambda: move_area(area(3), area(target.id), by=admin, now=now))
    db.session.expire_all()
    assert names_under(area(target.id).path) == {"湖里区", "嘉莲街道", "莲花北社区", "盈翠社区"}
    assert names_under(area(2).path) == {"思明区", "筼筜街道", "官任社区"}


def test_an_area_cannot_lie_in_itself(ctx, admin, now):
    with pytest.raises(InvalidInput):
        move_area(area(3), area(4), by=admin, now=now)


def test_an_area_with_others_below_it_stays_open(ctx, admin, now):
    with pytest.raises(Conflict):
        close_area(area(3), by=admin, now=now)


def test_a_closed_area_is_offered_nowhere(commit, admin, now):
    commit(lambda: close_area(area(5), by=admin, now=now))
    assert "盈翠社区" not in {row.name for row in db.session.scalars(queries.children([3]))}


def test_one_sees_ones_own_area_and_what_lies_below(ctx, world):
    def seen(name):
        return set(db.session.scalars(queries.visible(world.actor(name)).with_only_columns(Area.name)))

    assert seen("clerk") == {"莲花北社区"}
    assert seen("coordinator") == {"嘉莲街道", "莲花北社区", "盈翠社区"}
    assert len(seen("admin")) == db.session.scalar(select(func.count()).select_from(Area))
    assert [row.name for row in queries.roots(world.actor("supervisor"))] == ["思明区"]
