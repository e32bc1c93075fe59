"""Messages leave after the commit, from an outbox row written in the transaction.

`tell` writes the row. `deliver` (a job, and once after each request that committed) moves what is waiting into
the in-app inbox; later channels take it from the same place. A room registers the sentences of its message
kinds; they are rendered when read, in the reader's language, from ids and times.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from linkage.core.extensions import db
from linkage.core.models import OutboxRow


@dataclass(frozen=True)
class Rendered:
    """A message as read: one sentence, and where it leads (a path or '')."""

    text: Any
    url: str = ""


Params = Mapping[str, Any]
Render = Callable[[Params], Rendered]


@dataclass(frozen=True)
class Kind:
    """How a kind of message reads: one of it, many of a day in one line; and which earlier ones it makes idle."""

    render: Render
    many: Callable[[int], Any] | None = None
    replaces: tuple[str, ...] = ()


_kinds: dict[str, Kind] = {}


def notice(
    kind: str, *, many: Callable[[int], Any] | None = None, replaces: tuple[str, ...] = ()
) -> Callable[[Render], Render]:
    """Decorator: how messages of `kind` read.  `render(params) -> Rendered`, `many(number)` for several of a day.

    `replaces`: kinds of which an unread message about the same visit says nothing more once this one arrives.
    """

    def register(render: Render) -> Render:
        _kinds[kind] = Kind(render, many, replaces)
        return render

    return register


def tell(person_id: uuid.UUID, kind: str, *, now: datetime, **params: Any) -> None:
    """Queue a message for a person.  `params`: ids, times and numbers only (never personal data)."""
    if kind not in _kinds:
        raise KeyError(f"no notice registered for {kind}")
    plain = {
        key: value.isoformat() if hasattr(value, "isoformat") else str(value) if isinstance(value, uuid.UUID) else value
        for key, value in params.items()
    }
    db.session.add(OutboxRow(person_id=person_id, kind=kind, params=plain, created_at=now, delivered_at=None))


def render(kind: str, params: Params) -> Rendered:
    return _kinds[kind].render(params)


def summary(kind: str, number: int) -> Any | None:
    """Many messages of one kind and day in one line; None where each stands for itself."""
    many = _kinds[kind].many
    return many(number) if many is not None and number > 1 else None


def replaced_by(kind: str) -> tuple[str, ...]:
    return _kinds[kind].replaces if kind in _kinds else ()


def kinds() -> list[str]:
    return sorted(_kinds)
