"""What is the same for every row of a long work is read once: rules, the catalogue, who may do what in an area.

Inside `keeping`, and while a page is only shown, such answers are kept; whoever writes asks anew each time. So nothing
that they are about may be changed inside `keeping`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from flask import g, has_request_context, request

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
    """What `read` gives; inside `keeping` and on one page, what it gave for this key the first time."""
    known = _kept.get()
    if known is None and has_request_context() and request.method == "GET":
        known = g.setdefault("kept", {})
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    found: T = known[key]
    return found
