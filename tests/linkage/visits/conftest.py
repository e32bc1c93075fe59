"""Needs, visits and bookings in one line each."""

from datetime import date

import pytest
from flask import has_app_context
from visiting import book_for, post_for, visits_of

from linkage.core.clock import parse_moment
from linkage.core.extensions import db


@pytest.fixture
def post(ctx, commit, world):
    """``post("chen", "meal", starts_on=…)``: a need with its visits, posted by the clerk."""
    return lambda household="chen", service="meal", **values: commit(
        lambda: post_for(world, household, service, **values)
    )


@pytest.fixture
def visit(post):
    """``visit("lin", "chat")``: the first visit of a new need, on Thursday 09:00-12:00, one hour."""
    return lambda *names, **values: visits_of(post(*names, **values))[0]


@pytest.fixture
def booked(ctx, commit, world, visit):
    """``booked("wu", "lin", "clean", at="2026-11-26T09:00")``: an assignment of a carer or volunteer."""

    def make(who, household="lin", service="clean", *, at="2026-11-26T09:00", on=None, **values):
        target = on or visit(household, service)
        return commit(lambda: book_for(world, who, target.slots[values.pop("place", 0)].id, at, **values))

    return make


@pytest.fixture
def thursday():
    return date(2026, 11, 26)


@pytest.fixture
def at():
    """``at("09:30")`` on Thursday, or a whole date-time."""
    return lambda text: parse_moment(text if "T" in text else f"2026-11-26T{text}")


@pytest.fixture
def sign_in(sign_in):
    """As everywhere; what the test read before is let go, so that the first request sees the new session."""

    def client_for(name):
        client = sign_in(name)
        if has_app_context():
            db.session.rollback()
        return client

    return client_for
