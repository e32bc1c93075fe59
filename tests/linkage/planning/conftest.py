"""A street with needs, its snapshot, and planning runs carried out in this process."""

from datetime import date

import pytest
from visiting import book_for, post_for, visits_of

from linkage.areas.models import Area
from linkage.core.extensions import db
from linkage.planning.horizon import Horizon
from linkage.planning.snapshot import take


@pytest.fixture
def post(ctx, commit, world):
    """``post("chen", "meal", starts_on=…)``: a need with its visits."""
    return lambda household="chen", service="meal", **values: commit(
        lambda: post_for(world, household, service, **values)
    )


@pytest.fixture
def visit(post):
    return lambda *names, **values: visits_of(post(*names, **values))[0]


@pytest.fixture
def booked(ctx, commit, world):
    """``booked("wu", on=visit, at="2026-11-26T09:00")``"""
    return lambda who, *, on, at, **values: commit(
        lambda: book_for(world, who, on.slots[values.pop("place", 0)].id, at, **values)
    )


@pytest.fixture
def street(ctx):
    return db.session.get(Area, 3)


@pytest.fixture
def week(now):
    """The rest of this week, from Tuesday to Sunday."""
    return Horizon(date(2026, 11, 24), date(2026, 11, 29), now)


@pytest.fixture
def snapshot(street, week):
    def read(**values):
        found = take(street, week, **values)
        db.session.rollback()
        return found

    return read
