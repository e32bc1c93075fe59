"""A new code, name or place in the tree from a date on (区划代码变更), as the yearly tables of 国家统计局 announce it.

What held before stays with its dates: an old code or name is still found, and a file that uses it is still understood.
A change of the future waits as a row; every night `apply_due` lets it hold.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.areas import operations, queries
from linkage.areas.models import LEVELS, Area, AreaCode, AreaParent
from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, InvalidInput
from linkage.core.extensions import db
from linkage.core.permissions import Actor

DIGITS = {"city": 6, "district": 6, "street": 9, "community": 12}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """What an area is called and where it lies from `valid_from` on; None: as before."""

    code: str
    valid_from: date
    name: str | None = None
    parent: Area | None = None


def normal_code(level: str, typed: str) -> str:
    """A code in the length of its level; the twelve figures of the published tables end in zeros above a community.

    Raises InvalidInput.
    """
    code, length = "".join(typed.split()), DIGITS.get(level)
    if length and len(code) == 12 and not code[length:].strip("0"):
        code = code[:length]
    if not code.isdigit() or (length is not None and len(code) != length) or (length is None and len(code) <= 12):
        sentence = _l("The code of such an area has %(number)s figures.", number=length or _l("more than 12"))
        raise InvalidInput(sentence, field="code")
    return code


def waiting(area_id: int, today: date) -> Sequence[AreaCode]:
    """The changes of an area that do not hold yet, the next one first."""
    rows = select(AreaCode).where(AreaCode.area_id == area_id, AreaCode.valid_from > today)
    return db.session.scalars(rows.order_by(AreaCode.valid_from)).all()


def announce(area: Area, change: Change, *, by: Actor | None, now: datetime) -> AreaCode:
    """Enter the change; one that begins today or earlier holds at once.

    Raises
    ------
    InvalidInput
        the code has the wrong form or belongs to another area by then, the day lies before the present code's, or the
        area cannot lie there.
    Conflict
        the area is closed, or another change waits already.
    """
    today = local_date(now)
    code = normal_code(area.level, change.code)
    held = _last(area, today)
    _check(area, change, code, held, today)
    if held is not None:
        held.valid_to = change.valid_from - ONE_DAY
        held.name = held.name or area.name
    row = AreaCode(
        area_id=area.id,
        code=code,
        name=" ".join((change.name or area.name).split()),
        valid_from=change.valid_from,
        valid_to=None,
    )
    db.session.add(row)
    if change.parent is not None and change.parent.id != area.parent_id:
        _enter_parent(area, change.parent, change.valid_from)
    db.session.flush()
    audit.record(
        "areas.recode", area, by=by.user_id if by else None, now=now, code=code, valid_from=change.valid_from,
        parent_id=change.parent.id if change.parent else None,
    )  # fmt: skip
    _let_hold(area, today)
    return row


def _last(area: Area, today: date) -> AreaCode | None:
    rows = select(AreaCode).where(AreaCode.area_id == area.id, AreaCode.valid_from <= today)
    return db.session.scalars(rows.order_by(AreaCode.valid_from.desc()).limit(1)).first()


def _check(area: Area, change: Change, code: str, held: AreaCode | None, today: date) -> None:
    if area.closed_on is not None:
        raise Conflict(_l("This area is closed."))
    if waiting(area.id, today):
        raise Conflict(_l("Another change of this area waits already."), remedy=_l("Take that one back first."))
    if held is not None and change.valid_from <= held.valid_from:
        raise InvalidInput(
            _l("The present code holds since %(day)s: choose a later day.", day=held.valid_from.isoformat()),
            field="valid_from",
        )
    others = select(Area).join(AreaCode, AreaCode.area_id == Area.id).where(
        AreaCode.code == code, Area.id != area.id, Area.closed_on.is_(None), AreaCode.not_over(change.valid_from)
    )  # fmt: skip
    other = db.session.scalars(others.limit(1)).first()
    if other is not None:
        raise InvalidInput(_l("%(name)s has this code by then.", name=other.name), field="code")
    parent = change.parent
    if parent is not None and (
        parent.path.startswith(area.path) or LEVELS.index(parent.level) >= LEVELS.index(area.level)
    ):
        raise InvalidInput(_l("An area can only lie in one of a higher level."), field="parent")


def _enter_parent(area: Area, parent: Area, valid_from: date) -> None:
    rows = select(AreaParent).where(AreaParent.area_id == area.id, AreaParent.valid_to.is_(None))
    for row in db.session.scalars(rows):
        row.valid_to = max(row.valid_from, valid_from - ONE_DAY)
    db.session.add(AreaParent(area_id=area.id, parent_id=parent.id, valid_from=valid_from, valid_to=None))


def withdraw(row: AreaCode, *, by: Actor, now: datetime) -> None:
    """Take back a change that does not hold yet; what held goes on.  Raises Conflict once it holds."""
    today = local_date(now)
    if row.valid_from <= today:
        raise Conflict(_l("This change holds already: enter the next one."))
    area, first = db.session.get_one(Area, row.area_id), row.valid_from
    before = _last(area, today)
    if before is not None:
        before.valid_to = None
    for parent in db.session.scalars(select(AreaParent).where(AreaParent.area_id == area.id)):
        if parent.valid_from == first:
            db.session.delete(parent)
        elif parent.valid_to == first - ONE_DAY:
            parent.valid_to = None
    db.session.delete(row)
    audit.record("areas.recode_withdraw", area, by=by.user_id, now=now, code=row.code, valid_from=first)


def _let_hold(area: Area, today: date) -> bool:
    """The row of the area says what holds on `today`; whether anything changed."""
    held = db.session.scalars(
        select(AreaCode).where(AreaCode.area_id == area.id, AreaCode.on(today)).order_by(AreaCode.valid_from.desc())
    ).first()
    parent_id = db.session.scalar(
        select(AreaParent.parent_id)
        .where(AreaParent.area_id == area.id, AreaParent.on(today))
        .order_by(AreaParent.valid_from.desc())
        .limit(1)
    )
    changed = held is not None and (held.code, held.name or area.name) != (area.code, area.name)
    if changed and held is not None:
        area.code, area.name = held.code, held.name or area.name
    if parent_id is not None and parent_id != area.parent_id:
        operations.lay_under(area, db.session.get_one(Area, parent_id))
        changed = True
    if changed:
        area.row_version += 1
    return changed


def apply_due(*, now: datetime) -> int:
    """Let hold what begins today or began while nobody looked; return how many areas changed."""
    today = local_date(now)
    rows = select(Area).join(AreaCode, AreaCode.area_id == Area.id).where(
        AreaCode.on(today), Area.closed_on.is_(None), AreaCode.name.is_not(None)
    )  # fmt: skip
    done = 0
    for area in db.session.scalars(rows.order_by(Area.id).distinct()).all():
        if _let_hold(area, today):
            audit.record("areas.recode_due", area, by=None, now=now, code=area.code)
            done += 1
    return done


def read_table(path: Path) -> list[dict[str, str]]:
    """A CSV with old_code, new_code, from and, if they change, name and parent (the new parent's code).

    Raises InvalidInput with the line.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for number, line in enumerate(lines, 2):
        if not all(line.get(name) for name in ("old_code", "new_code", "from")):
            raise InvalidInput(_l("Line %(number)d needs old_code, new_code and from.", number=number))
    return [{key: (value or "").strip() for key, value in line.items() if key} for line in lines]


def announce_all(lines: Sequence[dict[str, str]], *, now: datetime) -> int:
    """Enter every line of such a table, or none.  Raises InvalidInput, Conflict with the line's old code."""
    for line in lines:
        try:
            first = date.fromisoformat(line["from"])
        except ValueError as error:
            raise InvalidInput(_l("%(word)s is no date such as 2027-01-01.", word=line["from"])) from error
        area, parent = queries.by_any_code(line["old_code"]), None
        if line.get("parent"):
            parent = queries.by_any_code(line["parent"])
        if area is None or (line.get("parent") and parent is None):
            missing = line["old_code"] if area is None else line["parent"]
            raise InvalidInput(_l("No area has or had the code %(code)s.", code=missing))
        announce(area, Change(line["new_code"], first, line.get("name") or None, parent), by=None, now=now)
    return len(lines)
