"""What falls due in a household over time: look-ins, missing papers, assessments, support that ends, double records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Role
from linkage.core.tasks import Action, Found, Reader, Row, Urgency, dated_from_select, from_list, from_select, task
from linkage.households import due, duplicates, queries
from linkage.households.models import Household, Member, Paper
from linkage.households.tasks import row_of
from linkage.households.words import CLASS_WORDS, FOUND_WORDS, PAPER_WORDS
from linkage.people.models import Person

STAFF = (Role.COMMUNITY, Role.OPERATOR)


def _homes(reader: Reader, kind: str) -> Select[Household]:
    """The open households of the reader's scope that have this due, with what a row shows."""
    return (
        queries.listed(reader.actor)
        .where(queries.is_open(reader.today), due.KINDS[kind](reader.now))
        .options(
            selectinload(Household.members).joinedload(Member.person),
            selectinload(Household.tags),
            joinedload(Household.area),
        )
    )


@task("households.checks", _l("To look in on"), urgency=Urgency.ASK, icon="door-open-fill", roles=STAFF)
def checks(reader: Reader) -> Found:
    """Look-ins that are due by the end of today, the longest due first."""
    wanted = _homes(reader, "checks").order_by(Household.check_due_at, Household.id)
    return from_select(wanted, lambda rows: [_check_row(reader, home) for home in rows])


def _check_row(reader: Reader, home: Household) -> Row:
    late = home.check_due_at is not None and home.check_due_at < reader.now
    url = url_for("household_records.check", household_id=home.id)
    return row_of(
        reader,
        home,
        what=CLASS_WORDS.get(home.visit_class or "", ""),
        look=("paper", "expired" if late else "expiring"),
        word=_("Overdue") if late else _("Due today"),
        deadline=local_date(home.check_due_at - timedelta(minutes=1)) if home.check_due_at else None,
        action=Action(_("Looked in"), url, "pencil-square"),
    )


@task("households.papers", _l("Missing papers"), urgency=Urgency.SOON, icon="file-earmark-text-fill", roles=STAFF)
def papers(reader: Reader) -> Found:
    """Missing papers that are overdue or due within a week; the service goes on."""
    homes = _homes(reader, "papers").with_only_columns(Household.id)
    until = reader.today + due.PAPERS_AHEAD
    wanted = select(Paper).where(Paper.household_id.in_(homes), due.open_papers(), Paper.due_on <= until)
    return dated_from_select(wanted, Paper.due_on, lambda rows: _paper_rows(reader, rows))


def _paper_rows(reader: Reader, rows: Sequence[Paper]) -> Iterable[Row]:
    homes = _load(row.household_id for row in rows)
    for row in rows:
        over = row.due_on < reader.today
        yield row_of(
            reader,
            homes[row.household_id],
            what=PAPER_WORDS[row.kind],
            why=_("Serve first: the service goes on."),
            look=("paper", "expired" if over else "missing"),
            word=_("Overdue") if over else _("Missing"),
            deadline=row.due_on,
            action=Action(
                _("Ask for it"), url_for("household_records.papers", household_id=row.household_id), "file-earmark-text"
            ),
        )


def _load(ids: Iterable[Any]) -> dict[Any, Household]:
    wanted = select(Household).where(Household.id.in_(list(ids)))
    loaded = wanted.options(selectinload(Household.members).joinedload(Member.person), selectinload(Household.tags))
    return {row.id: row for row in db.session.scalars(loaded)}


@task(
    "households.assessments",
    _l("Ability assessments due"),
    urgency=Urgency.SOON,
    icon="clipboard2-check-fill",
    roles=(Role.COMMUNITY,),
)
def assessments(reader: Reader) -> Found:
    """Who is to be assessed again within 30 days, or was to be."""
    homes = _homes(reader, "assessments").with_only_columns(Household.id)
    until = reader.today + due.ASSESSMENTS_AHEAD
    wanted = (
        select(Member)
        .join(Person, Person.id == Member.person_id)
        .where(
            Member.household_id.in_(homes),
            Member.relation != "contact",
            Member.on(reader.today),
            Member.assess_due_on <= until,
            Person.died_on.is_(None),
        )
    )
    return dated_from_select(wanted, Member.assess_due_on, lambda rows: _assessment_rows(reader, rows))


def _assessment_rows(reader: Reader, rows: Sequence[Member]) -> Iterable[Row]:
    homes = _load(row.household_id for row in rows)
    for row in rows:
        over = row.assess_due_on is not None and row.assess_due_on < reader.today
        url = url_for("assessments.new", household_id=row.household_id, member_id=row.id)
        yield row_of(
            reader,
            homes[row.household_id],
            what=_("Ability assessment of %(name)s", name=row.person.name),
            look=("paper", "expired" if over else "expiring"),
            word=_("Overdue") if over else _("Due soon"),
            deadline=row.assess_due_on,
            action=Action(_("Assess"), url, "clipboard2-check"),
        )


@task(
    "households.taper", _l("Support that ends"), urgency=Urgency.SOON, icon="hourglass-split", roles=(Role.COMMUNITY,)
)
def taper(reader: Reader) -> Found:
    """Nothing entitles them any more, and the support after that ends within 30 days."""
    wanted = _homes(reader, "taper").order_by(Household.area_id, Household.number, Household.id)
    return from_select(wanted, lambda rows: [_taper_row(reader, home) for home in rows])


def _taper_row(reader: Reader, home: Household) -> Row:
    found = due.taper_of(home, reader.today)
    tags = url_for("household_forms.tags", household_id=home.id)
    return row_of(
        reader,
        home,
        what=_("Support after eligibility ends"),
        why=_("Review it: give a tag again, or let the support end."),
        look=("paper", "expiring"),
        deadline=found.until if found else None,
        action=Action(_("Review"), tags, "pencil"),
    )


@task(
    "households.duplicates",
    _l("Records that may be one household"),
    urgency=Urgency.SOON,
    icon="people-fill",
    roles=STAFF,
    bulk=True,
)
def doubles(reader: Reader) -> Found:
    return from_list(
        duplicates.pairs(reader.actor, reader.today), lambda rows: [_pair_row(reader, row) for row in rows]
    )


def _pair_row(reader: Reader, pair: duplicates.Pair) -> Row:
    url = url_for("merges.compare", household_id=pair.first.id, other_id=pair.second.id, way=pair.way)
    return row_of(
        reader,
        pair.first,
        what=FOUND_WORDS[pair.way],
        why=f"{pair.first.area.name} {pair.first.number} · {pair.second.area.name} {pair.second.number}",
        look=("paper", "missing"),
        word=_("To look at"),
        action=Action(_("Compare"), url, "layout-split"),
    )
