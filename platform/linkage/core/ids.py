"""New keys: random UUIDs, or, while the demo is made, UUIDs from its seed, so that it is the same every time."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_source: ContextVar[random.Random | None] = ContextVar("id source", default=None)


def new_id() -> uuid.UUID:
    """A fresh version 4 UUID."""
    source = _source.get()
    return uuid.uuid4() if source is None else uuid.UUID(int=source.getrandbits(128), version=4)


def uuid_or_none(text: object) -> uuid.UUID | None:
    """The key that a text from outside names; None for what is no key."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


@contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """In the block, keys follow from `seed` and the order of their making. Only for made-up data."""
    token = _source.set(random.Random(seed))  # noqa: S311
    try:
        yield
    finally:
        _source.reset(token)
