"""Each night: tags that have ended or begun change how often staff look in."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import or_, select

from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.periodic import periodic
from linkage.core.transactions import unit_of_work
from linkage.households import rhythm
from linkage.households.models import Household, Tag

AT_ONCE = 200
DAY, CATCH_UP = timedelta(days=1), timedelta(days=7)


@periodic("households.rhythm", daily_at_minutes=60)
def refresh_rhythm(now: datetime) -> None:
    """Class and due date where a tag began or ended lately, or nothing is computed yet; of all on the first of a month.

    In short transactions. A week back, so that an outage is caught up with.
    """
    today = local_date(now)
    since = today - CATCH_UP
    lately = select(Tag.household_id).where(
        or_(Tag.valid_from.between(since, today), Tag.valid_to.between(since - DAY, today - DAY))
    )
    wanted = select(Household.id).where(Household.closed_on.is_(None)).order_by(Household.id)
    if today.day > 1:
        wanted = wanted.where(or_(Household.visit_class.is_(None), Household.id.in_(lately)))
    ids = list(db.session.scalars(wanted))
    db.session.rollback()
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        unit_of_work(partial(rhythm.refresh_all, some, now=now))
