"""What is the same for every row of a long work is read once: rules, the catalogue, who may do what in an area.

Inside `keeping` such answers are kept, so nothing that they are about may be changed there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("kept", default=None)


@contextmanager
def keeping() -> Iterator[None]:
    """Inside (within one transaction), `kept` reads each thing once."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def kept(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives; inside `keeping`, what it gave for this key the first time."""
    known = _kept.get()
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    found: T = known[key]
    return found
