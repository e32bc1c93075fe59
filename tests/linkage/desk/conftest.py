"""Signed-in clients that read English, and what their pages say."""

import re

import pytest


@pytest.fixture
def open_as(sign_in):
    """``open_as("clerk")``: a client that reads English."""

    def make(name):
        client = sign_in(name)
        client.set_cookie("lang", "en")
        return client

    return make


@pytest.fixture
def words():
    """The words of an answer, without markup."""

    def read(answer):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))

    return read
