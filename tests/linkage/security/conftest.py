"""Clients beside an open session of the test's own."""

import pytest

from linkage.core.extensions import db


@pytest.fixture
def sign_in(sign_in, ctx):
    """As everywhere, and the test's own session lets go of what it has read so far."""

    def client_for(name):
        client = sign_in(name)
        db.session.rollback()
        return client

    return client_for
