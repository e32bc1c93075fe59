"""An upload from the file to the registers: receive, correct, take in, drop. Rows are kept encrypted meanwhile."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.accounts.models import User
from linkage.accounts.queries import actor_of
from linkage.areas.models import Area
from linkage.areas.queries import is_under
from linkage.core import audit, jobs, privacy
from linkage.core.clock import local_date
from linkage.core.errors import Conflict, DomainError, InvalidInput
from linkage.core.extensions import db
from linkage.core.kept import keeping, kept
from linkage.core.models import Job
from linkage.core.permissions import Actor, get_right
from linkage.core.rulesets import rule
from linkage.imports import queries, understanding, undoing
from linkage.imports.kinds import KINDS, Examined, Fault, Kind, Row, Scene
from linkage.imports.models import Upload, UploadGroup
from linkage.imports.reading import FileRefused, Sheet
from linkage.imports.understanding import Heading

MOST_GROUPS = 20_000
CHUNK = 200  # groups that are looked up together
JOB = "imports.take"
READ_JOB = "imports.read"
UNDO_JOB = "imports.undo"
MOST_AT_ONCE = 800  # groups that are examined while somebody waits for the page


def demand_area(kind: Kind, area: Area, actor: Actor) -> None:
    """Raise InvalidInput unless the actor may bring in this kind of file for `area`.

    An organisation's manager brings in what is the organisation's, in the area where it is registered.
    """
    scopes = get_right(kind.right).scopes
    paths = [grant.area_path for grant in actor.grants if scopes.get(grant.role) == "area"]
    own = [grant.organisation_id for grant in actor.grants if scopes.get(grant.role) == "organisation"]
    if not any(is_under(area, path) for path in paths) and area.id not in queries.areas_of_organisations(own):
        raise InvalidInput(_l("You may not bring in files for this area."), field="area_id")


def receive(
    sheets: list[Sheet],
    content: bytes,
    file_name: str,
    kind: Kind,
    area: Area,
    *,
    by: Actor,
    now: datetime,
    later: bool = False,
    found: dict[uuid.UUID, Examined] | None = None,
) -> Upload:
    """Stage the rows of a file that was read, and examine every group. Nothing enters the registers.

    `later`: a large file is examined by a worker. `found`: is given what came of each group.

    Raises
    ------
    FileRefused
        no heading is recognised, there are no rows, or more than 20,000 groups.
    InvalidInput
        the area is not the actor's.
    """
    demand_area(kind, area, by)
    headings = understanding.find_headings(kind, sheets)
    rows = all_rows(headings, sheets)
    upload = Upload(
        key_id=privacy.new_key("upload", now),
        kind=kind.name,
        area_id=area.id,
        created_by=by.user_id,
        created_at=now,
        file_digest=hashlib.sha256(content).hexdigest(),
        columns=[heading.as_json() for heading in headings],
        summary={"repairs": _merged(headings, sheets) | _left_out(headings, sheets, rows)},
        expires_at=now + timedelta(days=rule("imports.keep_days", local_date(now))),
    )
    upload.file_name = file_name[:120]
    db.session.add(upload)
    db.session.flush()
    _stage(upload, rows)
    if later and len(upload.groups) > MOST_AT_ONCE:
        job = jobs.enqueue(READ_JOB, {"upload_id": str(upload.id)}, by=by.user_id, now=now)
        upload.summary = {**upload.summary, "reading": str(job.id)}
    else:
        examined = examine(upload, by=by, today=local_date(now))
        if found is not None:
            found.update(examined)
    audit.record("imports.receive", upload, by=by.user_id, now=now, file=kind.name, groups=len(upload.groups))
    return upload


def _merged(headings: list[Heading], sheets: list[Sheet]) -> dict[str, int]:
    named = {heading.sheet for heading in headings}
    merged = sum(sheet.merged for sheet in sheets if sheet.name in named)
    return {"merged": merged} if merged else {}


def _left_out(headings: list[Heading], sheets: list[Sheet], rows: list[dict[str, Any]]) -> dict[str, int]:
    """Lines below a heading that are no entries: sums, signatures, the heading once more, words across the table."""
    by_name = {sheet.name: sheet for sheet in sheets}
    below = sum(number > heading.row for heading in headings for number, _cells in by_name[heading.sheet].rows)
    return {"left_out": below - len(rows)} if below > len(rows) else {}


def all_rows(headings: list[Heading], sheets: list[Sheet]) -> list[dict[str, Any]]:
    by_name = {sheet.name: sheet for sheet in sheets}
    rows = [row for heading in headings for row in understanding.raw_rows(heading, by_name[heading.sheet])]
    if not rows:
        raise FileRefused("no_rows", _l("There are no rows below the heading."), _l("Fill in the template first."))
    return rows


def kind_of(upload: Upload) -> Kind:
    return KINDS[upload.kind]


def headings_of(upload: Upload) -> dict[str, Heading]:
    return {heading.sheet: heading for heading in map(Heading.from_json, upload.columns)}


def rows_of(group: UploadGroup, headings: dict[str, Heading]) -> list[Row]:
    return [understanding.row_of(stored, headings) for stored in group.rows or []]


def _stage(upload: Upload, stored: list[dict[str, Any]]) -> None:
    """Put rows into groups that wait (replacing whatever waits)."""
    headings = headings_of(upload)
    place = {(row["sheet"], row["row"]): row for row in stored}
    rows = [understanding.row_of(row, headings) for row in stored]
    groups = kind_of(upload).group(rows)
    _demand_size(len(groups))
    start = max((group.position for group in upload.groups), default=-1) + 1
    for position, members in enumerate(groups, start):
        _add_group(upload, position, [place[row.sheet, row.number] for row in members])
    db.session.flush()


def _demand_size(groups: int) -> None:
    if groups > MOST_GROUPS:
        raise FileRefused(
            "groups",
            _l("The file has more than %(number)s entries.", number=MOST_GROUPS),
            _l("Split it into several files."),
        )


def _add_group(upload: Upload, position: int, rows: list[dict[str, Any]]) -> None:
    group = UploadGroup(
        upload_id=upload.id, key_id=upload.key_id, position=position, faults=[], counts={}, ticked=[], taken={}
    )
    group.rows = rows
    upload.groups.append(group)


def scene_of(upload: Upload, by: Actor, today: date) -> Scene:
    area = db.session.get_one(Area, upload.area_id)
    return kind_of(upload).scene(area, by, today)


def examined_groups(upload: Upload, groups: Iterable[UploadGroup], *, by: Actor, today: date) -> list[Examined]:
    """Examine these groups now, with every message and fix (stored faults are codes only)."""
    kind, headings, scene = kind_of(upload), headings_of(upload), scene_of(upload, by, today)
    rows = [rows_of(group, headings) for group in groups]
    found = []
    with db.session.no_autoflush, keeping():
        for start in range(0, len(rows), CHUNK):
            kind.prepare(rows[start : start + CHUNK], scene)
            found += [kind.examine(one, scene) for one in rows[start : start + CHUNK]]
    return found


def _twice(keys: Iterable[tuple[uuid.UUID, Iterable[Any]]]) -> list[tuple[uuid.UUID, int, str]]:
    """(group, row, field) of what an earlier group of the file has already."""
    first: dict[str, uuid.UUID] = {}
    return [
        (group_id, row, name)
        for group_id, mine in keys
        for key, row, name in mine
        if first.setdefault(key, group_id) != group_id
    ]


def examine(
    upload: Upload, *, by: Actor, today: date, only: Iterable[UploadGroup] | None = None
) -> dict[uuid.UUID, Examined]:
    """Examine the groups that wait (or `only` these), and note what was found; it is given back by group, too.

    An ID number stands in one group of a file only: all that wait are compared.
    """
    waiting = [group for group in upload.groups if group.taken_at is None]
    chosen = waiting if only is None else list(only)
    found = {}
    for group, examined in zip(chosen, examined_groups(upload, chosen, by=by, today=today), strict=True):
        _note(group, examined)
        found[group.id] = examined
    by_id = {group.id: group for group in waiting}
    for group in waiting:
        if any(fault["code"] == "twice" for fault in group.faults):
            group.faults = [fault for fault in group.faults if fault["code"] != "twice"]
    for group_id, row, name in _twice((group.id, group.counts.get("keys", ())) for group in waiting):
        by_id[group_id].faults = [*by_id[group_id].faults, {"row": row, "field": name, "code": "twice"}]
        if group_id in found:
            found[group_id].faults.append(Fault(row, name, "twice", *TWICE))
    db.session.flush()
    return found


def examine_piece(upload: Upload, ids: Sequence[uuid.UUID], *, by: Actor, now: datetime, last: bool) -> None:
    """Examine some groups of a large upload; with the `last` piece, all are compared with each other."""
    piece = list(db.session.scalars(select(UploadGroup).where(UploadGroup.id.in_(ids)).order_by(UploadGroup.position)))
    for group, examined in zip(piece, examined_groups(upload, piece, by=by, today=local_date(now)), strict=True):
        _note(group, examined)
    db.session.flush()
    if last:
        examine(upload, by=by, today=local_date(now), only=[])
    audit.record("imports.examine", upload, by=by.user_id, now=now, groups=len(piece))


def _note(group: UploadGroup, examined: Examined) -> None:
    group.faults = [_stored_fault(fault) for fault in examined.faults]
    group.counts = {
        "state": examined.state,
        "rows": len(group.rows or []),
        "people": examined.people,
        "needs": examined.needs,
        "changes": len(examined.changes),
        "edited": sum(change.edited for change in examined.changes),
        "repairs": dict(examined.repairs),
        "keys": [list(key) for key in examined.keys],
    }


TWICE = (
    _l("This ID number stands in another entry of the file, too"),
    _l("Leave it where it belongs, and delete it in the other."),
)


def _stored_fault(fault: Fault) -> dict[str, Any]:
    return {"row": fault.row, "field": fault.field, "code": fault.code}


def set_columns(upload: Upload, chosen: Mapping[tuple[str, str], str], *, by: Actor, now: datetime) -> None:
    """Say what columns mean: (sheet, letter) → field or "". What waits is put into groups anew.

    Raises InvalidInput for a field that is chosen twice or a required one that is missing.
    """
    _must_be_waiting(upload)
    kind = kind_of(upload)
    known = {column.name for column in kind.columns}
    fresh = []
    for heading in headings_of(upload).values():
        columns = []
        for letter, words, name in heading.columns:
            wanted = chosen.get((heading.sheet, letter), name)
            columns.append((letter, words, wanted if wanted in known else ""))
        _demand_columns(kind, [name for _letter, _words, name in columns if name])
        fresh.append(Heading(heading.sheet, heading.row, columns))
    upload.columns = [heading.as_json() for heading in fresh]
    rows = [row for group in upload.groups if group.taken_at is None for row in group.rows or []]
    for group in [group for group in upload.groups if group.taken_at is None]:
        upload.groups.remove(group)
    db.session.flush()
    order = [heading.sheet for heading in fresh]
    _stage(upload, sorted(rows, key=lambda row: (order.index(row["sheet"]), row["row"])))
    examine(upload, by=by, today=local_date(now))
    audit.record("imports.columns", upload, by=by.user_id, now=now)


def _demand_columns(kind: Kind, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        label = kind.column(twice[0]).heading
        raise InvalidInput(_l("Two columns cannot both be “%(column)s”.", column=label), field="columns")
    for column in kind.columns:
        if column.required and column.name not in names:
            raise InvalidInput(_l("Which column is “%(column)s”?", column=column.heading), field="columns")


def _must_be_waiting(upload: Upload) -> None:
    if not any(group.taken_at is None for group in upload.groups):
        raise Conflict(_l("Everything in this file has been taken in."))


Edit = tuple[uuid.UUID, int, str]  # group, place of the row in it, letter (or "+field")


def set_cells(upload: Upload, edits: Mapping[Edit, str], *, by: Actor, now: datetime) -> int:
    """Correct cells in place, and examine everything again; returns how many cells changed.

    What stood there before is kept beside it until the group is taken in, for the way back.
    """
    changed, touched = 0, []
    by_group: dict[uuid.UUID, dict[tuple[int, str], str]] = {}
    for (group_id, place, letter), text in edits.items():
        by_group.setdefault(group_id, {})[place, letter] = text
    for group in upload.groups:
        mine = by_group.get(group.id)
        if mine and group.taken_at is None and (cells := _edit_group(group, mine, now)):
            changed += cells
            touched.append(group)
    if changed:
        # What is stored may have changed meanwhile: the faulty ones are asked again, too.
        faulty = [group for group in upload.groups if group.taken_at is None and group.faults and group not in touched]
        examine(upload, by=by, today=local_date(now), only=[*touched, *faulty[:CHUNK]])
        audit.record("imports.correct", upload, by=by.user_id, now=now, cells=changed)
    return changed


def _edit_group(group: UploadGroup, edits: Mapping[tuple[int, str], str], now: datetime) -> int:
    rows = [dict(row) for row in group.rows or []]
    changed = 0
    for (place, letter), text in edits.items():
        if not 0 <= place < len(rows):
            continue
        cells, was = dict(rows[place]["cells"]), dict(rows[place].get("was", {}))
        before = cells.get(letter, ["", ""])[1]
        if text.strip() == before:
            continue
        was.setdefault(letter, before)
        if was[letter] == text.strip():
            del was[letter]
        cells[letter] = ["t", text.strip()]
        rows[place] |= {"cells": cells, "was": was}
        changed += 1
    if changed:
        group.rows, group.edited_at = rows, now
    return changed


def undo_cell(upload: Upload, edit: Edit, *, by: Actor, now: datetime) -> None:
    """Put back what stood in a corrected cell."""
    group_id, place, letter = edit
    for group in upload.groups:
        rows = group.rows or []
        if group.id == group_id and place < len(rows) and letter in rows[place].get("was", {}):
            set_cells(upload, {edit: rows[place]["was"][letter]}, by=by, now=now)


def replace_rows(upload: Upload, sheets: list[Sheet], *, by: Actor, now: datetime) -> tuple[int, int]:
    """A corrected upload: its groups take the place of the faulty ones of the same number or name.

    Others are added. Returns (replaced, added).  Raises FileRefused beyond 3,000 groups in all.
    """
    kind = kind_of(upload)
    headings = understanding.find_headings(kind, sheets)
    stored = {(row["sheet"], row["row"]): row for row in all_rows(headings, sheets)}
    by_sheet = {heading.sheet: heading for heading in headings}
    rows = [understanding.row_of(row, by_sheet) for row in stored.values()]
    old_headings = headings_of(upload)
    waiting = {
        kind.group_key(rows_of(group, old_headings)): group
        for group in upload.groups
        if group.taken_at is None and group.faults
    }
    position = max((group.position for group in upload.groups), default=-1) + 1
    replaced = added = 0
    for members in kind.group(rows):
        fresh = [_under_columns(stored[row.sheet, row.number], row, old_headings) for row in members]
        old = waiting.pop(kind.group_key(members), None)
        if old is not None:
            old.rows, old.edited_at = fresh, now
            replaced += 1
        else:
            _add_group(upload, position + added, fresh)
            added += 1
    _demand_size(len(upload.groups))
    db.session.flush()
    examine(upload, by=by, today=local_date(now))
    audit.record("imports.again", upload, by=by.user_id, now=now, replaced=replaced, added=added)
    return replaced, added


def _under_columns(stored: dict[str, Any], row: Row, headings: dict[str, Heading]) -> dict[str, Any]:
    """The row as if it stood in the first upload's columns (the corrected file may have others)."""
    sheet = row.sheet if row.sheet in headings else next(iter(headings))
    letters = headings[sheet].letters()
    cells = {letters.get(name, f"+{name}"): cell for name, cell in row.cells.items()}
    return {"sheet": sheet, "row": stored["row"], "cells": cells}


def tick(upload: Upload, ticks: Mapping[uuid.UUID, set[str]], *, by: Actor, now: datetime) -> None:
    """Say which edited values may be overwritten: group → ``key|seen``."""
    for group in upload.groups:
        if group.taken_at is None and group.counts.get("edited"):
            group.ticked = sorted(ticks.get(group.id, set()))
    audit.record("imports.tick", upload, by=by.user_id, now=now, ticks=sum(map(len, ticks.values())))


def take_later(upload: Upload, *, by: Actor, now: datetime) -> Job:
    """Have a worker take in every group without a fault, each in a transaction of its own.

    Raises Conflict where none is ready, or while a job is at it.
    """
    if not any(group.taken_at is None and group.counts and not group.faults for group in upload.groups):
        raise Conflict(_l("There is nothing that could be taken in."))
    demand_idle(upload)
    job = jobs.enqueue(JOB, {"upload_id": str(upload.id)}, by=by.user_id, now=now)
    upload.summary = {**upload.summary, "job": str(job.id), "undoing": None}
    audit.record("imports.take", upload, by=by.user_id, now=now)
    return job


def take_group(group: UploadGroup, *, by: Actor, now: datetime) -> bool:
    """Take in one group, whole or not at all (the caller's transaction); False where it has a fault by now."""
    upload = group.upload
    if group.taken_at is not None:
        return True
    examined = _examined_again(group, by, now)
    if examined.faults:
        group.faults = [_stored_fault(fault) for fault in examined.faults]
        audit.record("imports.refuse", upload, by=by.user_id, now=now, group=group.position)
        return False
    with undoing.recording() as record:
        group.taken = kind_of(upload).take(examined, set(group.ticked), by, now)
    group.undo = {"label": f"{examined.number} {examined.title}".strip(), "record": record.finish()}
    group.taken_at = now
    group.rows = None  # it is in the registers; the staged copy goes
    audit.record("imports.take_group", upload, by=by.user_id, now=now, group=group.position)
    db.session.flush()
    if not queries.count_waiting(upload.id):
        upload.finished_at = now
    return True


def _examined_again(group: UploadGroup, by: Actor, now: datetime) -> Examined:
    """As the registers are now; whether and where the actor may bring in is asked once for the groups of a batch."""
    upload, kind = group.upload, kind_of(group.upload)

    def scene() -> Scene:
        demand_area(kind, db.session.get_one(Area, upload.area_id), by)
        return scene_of(upload, by, local_date(now))

    with db.session.no_autoflush:
        return kind.examine(rows_of(group, headings_of(upload)), kept(("scene", upload.id), scene))


def demand_idle(upload: Upload) -> None:
    """Raise Conflict while a worker is at this upload."""
    job = queries.job_of(upload)
    if job is not None and job.status in ("waiting", "running"):
        raise Conflict(_l("This file is being worked on already."))


def note_refusal(group: UploadGroup, error: DomainError, *, by: Actor, now: datetime) -> None:
    """The registers refused a group that had looked good: it waits with that fault at its first row."""
    group.faults = [{"row": 0, "field": "name", "code": error.code}]
    audit.record("imports.refuse", group.upload, by=by.user_id, now=now, group=group.position, reason=error.code)


def actor_for(upload: Upload, now: datetime) -> Actor:
    """Who uploaded it, with the rights that hold now.  Raises Conflict when the account is gone."""
    user = db.session.get(User, upload.created_by) if upload.created_by else None
    if user is None or user.disabled_at is not None:
        raise Conflict(_l("The account that uploaded the file is disabled."))
    return actor_of(user, now)


def stop(upload: Upload, *, by: Actor, now: datetime) -> bool:
    """Ask the worker to stop; True where the file was only being read, and is dropped.  Raises Conflict."""
    job = queries.job_of(upload)
    if job is None or job.status not in ("waiting", "running"):
        raise Conflict(_l("Nothing is being done with this file any more."))
    jobs.ask_cancel(job, now=now)
    audit.record("imports.stop", upload, by=by.user_id, now=now)
    if job.kind == READ_JOB:
        drop(upload, by=by.user_id, now=now)
        return True
    return False


def drop(upload: Upload, *, by: uuid.UUID | None, now: datetime) -> None:
    """Delete the staged rows and forget their key (and with it the way back). What was taken in stays."""
    for group in list(upload.groups):
        if group.taken_at is None:
            upload.groups.remove(group)
        else:
            group.undo = None
    upload.file_name = None
    upload.dropped_at = now
    privacy.forget_key(upload.key_id, now)
    audit.record("imports.drop", upload, by=by, now=now)
