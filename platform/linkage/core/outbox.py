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


_kinds: dict[str, Callable[[Mapping[str, Any]], Rendered]] = {}


def notice(kind: str) -> Callable[[Callable[[Mapping[str, Any]], Rendered]], Callable[[Mapping[str, Any]], Rendered]]:
    """Decorator: how messages of `kind` read.  `render(params) -> Rendered`."""

    def register(render: Callable[[Mapping[str, Any]], Rendered]) -> Callable[[Mapping[str, Any]], Rendered]:
        _kinds[kind] = render
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


def render(kind: str, params: Mapping[str, Any]) -> Rendered:
    return _kinds[kind](params)


def kinds() -> list[str]:
    return sorted(_kinds)
