"""A visit that volunteers are asked about, with a paid carer behind it."""

from datetime import timedelta

import pytest
from flask import has_app_context
from visiting import open_for, post_for, visits_of

from linkage.core.clock import parse_moment
from linkage.core.extensions import db
from linkage.offers import operations, periodic
from linkage.offers.models import Offer


@pytest.fixture
def at():
    """``at("09:30")`` on Thursday, or a whole date-time."""
    return lambda text: parse_moment(text if "T" in text else f"2026-11-26T{text}")


@pytest.fixture
def visit(ctx, commit, world):
    def make(household="lin", service="meal", **values):
        return visits_of(commit(lambda: post_for(world, household, service, **values)))[0]

    return make


@pytest.fixture
def asking(ctx, commit, world, visit):
    """``asking("zhuang", "ye", "hong", fallback="wu")``: an open round about a meal at nine on Thursday."""

    def make(*names, fallback=None, on=None, now=None, hour="09:00", **values):
        slot_id = (on or visit()).slots[0].id
        return commit(lambda: open_for(world, slot_id, names, fallback=fallback, now=now, hour=hour, **values))

    return make


@pytest.fixture
def offer_to(world):
    """The question that somebody was asked last."""

    def find(name):
        rows = db.session.query(Offer).filter_by(person_id=world.key(name)).order_by(Offer.asked_at.desc())
        return rows.populate_existing().first()

    return find


@pytest.fixture
def say(commit, world, offer_to, now):
    """``say("zhuang", "accept")`` or "decline", at a moment."""

    def answer(name, what, at=None):
        offer = offer_to(name)
        act = getattr(operations, f"{what}_offer")
        moment = at or now + timedelta(minutes=5)
        return commit(lambda: act(db.session.get(Offer, offer.id), by=world.actor(name), now=moment))

    return answer


@pytest.fixture
def tick(ctx):
    """What the worker does each minute."""
    return periodic.expire_and_ask_next


@pytest.fixture
def sign_in(sign_in):
    """As everywhere; what the test read before is let go, so that the first request sees the new session."""

    def client_for(name):
        client = sign_in(name)
        if has_app_context():
            db.session.rollback()
        return client

    return client_for
