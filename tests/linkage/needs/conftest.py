"""Requests that tests post, in one line."""

from datetime import date

import pytest

from linkage.core.extensions import db
from linkage.households.models import Household
from linkage.needs.operations import NeedRequest, post_need
from linkage.services.models import Service


@pytest.fixture
def post(ctx, commit, world, now):
    """``post("chen", "bath", people=2)``: a need of the household, posted by the clerk (or ``by="operator"``)."""

    def make(household="chen", service="meal", *, by="clerk", at=None, check_past=True, **values):
        moment = at or now
        found = {
            "person_id": world.key(household + "/head"),
            "starts_on": date(2026, 11, 26),
            "window_start": 9 * 60,
            "window_end": 12 * 60,
            "duration_minutes": 60,
        }
        request = NeedRequest(**{**found, **values})
        return commit(
            lambda: post_need(
                db.session.get(Household, world.key("household/" + household)),
                db.session.get(Service, world.key("service/" + service)),
                request,
                by=world.actor(by),
                now=moment,
                check_past=check_past,
            )
        )

    return make
