"""What the register of households asks of its staff: consents and tags that end, places and consents that lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import pgettext
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from linkage.core.extensions import db
from linkage.core.permissions import Role, holds
from linkage.core.tasks import WARN_DAYS, Action, Found, Reader, Row, Urgency, dated_from_select, from_select, task
from linkage.households import queries
from linkage.households.about import about, shown_name
from linkage.households.models import Consent, Household, Member, Tag
from linkage.households.words import TAG_WORDS

LONGEST = timedelta(days=WARN_DAYS[0])
PAST = timedelta(days=30)  # so long after its end a tag that was not renewed is still worth a look
STAFF = (Role.COMMUNITY, Role.OPERATOR)


def _listed(reader: Reader) -> Any:
    return queries.listed(reader.actor).where(queries.is_open(reader.today)).with_only_columns(Household.id)


@task(
    "households.consents",
    _l("Consents that end"),
    urgency=Urgency.SOON,
    icon="file-earmark-text-fill",
    roles=STAFF,
    dated=True,
)
def consents(reader: Reader) -> Found:
    """Consents to services that end and are not followed by a later one."""
    later = aliased(Consent)
    followed = exists().where(
        later.household_id == Consent.household_id,
        later.purpose == "service",
        later.withdrawn_at.is_(None),
        or_(later.expires_on.is_(None), later.expires_on > Consent.expires_on),
    )
    wanted = select(Consent).where(
        Consent.household_id.in_(_listed(reader)),
        Consent.purpose == "service",
        Consent.withdrawn_at.is_(None),
        Consent.expires_on.between(reader.today, reader.today + LONGEST),
        ~followed,
    )
    return dated_from_select(wanted, Consent.expires_on, lambda rows: _consent_rows(reader, rows))


def _consent_rows(reader: Reader, rows: Sequence[Consent]) -> Iterable[Row]:
    homes = _homes(row.household_id for row in rows)
    may = holds(reader.actor, "households.consent")
    for row in rows:
        yield row_of(
            reader,
            homes[row.household_id],
            what=_("The consent to services ends"),
            why=_("Afterwards nothing may be planned for this household."),
            look=("paper", "expiring"),
            deadline=row.expires_on,
            action=_renew(row.household_id) if may else see_household(row.household_id),
        )


def _renew(household_id: Any) -> Action:
    return Action(_("Renew it"), url_for("household_forms.consent", household_id=household_id), "pencil")


def see_household(household_id: Any) -> Action:
    return Action(_("See the household"), url_for("households.page", household_id=household_id), "house")


def _homes(ids: Iterable[Any]) -> dict[Any, Household]:
    rows = db.session.scalars(
        select(Household)
        .where(Household.id.in_(list(ids)))
        .options(selectinload(Household.members).joinedload(Member.person), selectinload(Household.tags))
    )
    return {row.id: row for row in rows}


def row_of(reader: Reader, home: Household, **values: Any) -> Row:
    """A row about a household: its head's name and what weighs most."""
    person = queries.head_of(home, reader.today).person
    return Row(
        who=shown_name(person, reader.actor),
        who_note=about(home, person, reader.today),
        url=url_for("households.page", household_id=home.id),
        **values,
    )


@task(
    "households.tags",
    _l("Tags that end"),
    urgency=Urgency.SOON,
    icon="tag-fill",
    roles=(Role.COMMUNITY,),
    dated=True,
)
def tags(reader: Reader) -> Found:
    """Tags that end, or ended lately, and are not followed by a later one of the same kind."""
    later = aliased(Tag)
    followed = exists().where(
        later.household_id == Tag.household_id,
        later.tag == Tag.tag,
        or_(later.valid_to.is_(None), later.valid_to > Tag.valid_to),
    )
    wanted = select(Tag).where(
        Tag.household_id.in_(_listed(reader)),
        Tag.valid_to.between(reader.today - PAST, reader.today + LONGEST),
        Tag.valid_from <= Tag.valid_to,
        ~followed,
    )
    return dated_from_select(wanted, Tag.valid_to, lambda rows: _tag_rows(reader, rows))


def _tag_rows(reader: Reader, rows: Sequence[Tag]) -> Iterable[Row]:
    homes = _homes(row.household_id for row in rows)
    for row in rows:
        over = row.valid_to is not None and row.valid_to < reader.today
        yield row_of(
            reader,
            homes[row.household_id],
            what=TAG_WORDS[row.tag],
            why=_("Ask whether it still holds; it decides what the household is entitled to."),
            look=("paper", "expired" if over else "expiring"),
            deadline=row.valid_to,
            action=Action(
                _("Renew or end it"), url_for("household_forms.tags", household_id=row.household_id), "pencil"
            ),
        )


@task(
    "households.no_consent",
    _l("Households without a valid consent"),
    urgency=Urgency.SOON,
    icon="file-earmark-x-fill",
    roles=STAFF,
    bulk=True,
)
def no_consent(reader: Reader) -> Found:
    return _register_gap(reader, queries.Filters(no_consent=True), _no_consent_row)


def _no_consent_row(reader: Reader, home: Household) -> Row:
    may = holds(reader.actor, "households.consent")
    return row_of(
        reader,
        home,
        what=_("No valid consent"),
        why=_("Nothing may be planned for them."),
        look=("paper", "missing"),
        action=Action(_("Ask for it"), _renew(home.id).url, "pencil") if may else see_household(home.id),
    )


@task(
    "households.approximate",
    _l("Places that are only approximate"),
    urgency=Urgency.SOON,
    icon="geo-alt-fill",
    roles=STAFF,
    bulk=True,
)
def approximate(reader: Reader) -> Found:
    return _register_gap(reader, queries.Filters(approximate=True), _place_row)


def _place_row(reader: Reader, home: Household) -> Row:
    may = holds(reader.actor, "households.change")
    move = url_for("household_forms.edit", household_id=home.id)
    return row_of(
        reader,
        home,
        what=_("The place is only approximate"),
        why=_("Ways and arrival times are guesses until somebody sets the pin."),
        look=("paper", "missing"),
        word=pgettext("place", "Place unclear"),
        action=Action(_("Set the pin"), move, "geo-alt") if may else see_household(home.id),
    )


def _register_gap(reader: Reader, filters: queries.Filters, row: Any) -> Found:
    """The households of the list with this filter on."""
    wanted = queries.found(reader.actor, filters, reader.today).order_by(
        Household.area_id, Household.number, Household.id
    )
    loaded = wanted.options(
        selectinload(Household.members).joinedload(Member.person),
        selectinload(Household.tags),
        joinedload(Household.area),
    )
    return from_select(loaded, lambda rows: [row(reader, home) for home in rows])
