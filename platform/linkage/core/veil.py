"""While an administrator looks at the pages as somebody else, personal values leave the database masked.

Here and nowhere else: a page cannot forget it. Names read 陈**, telephones and ID numbers with their middle left out,
every other sealed text not at all, a position to about a kilometre, a birth date to its year.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g, has_request_context
from sqlalchemy import Date, String, TypeDecorator

from linkage.core.formats import mask_id_number, mask_name, mask_phone

HIDDEN = "•••"
POSITION_DIGITS = 2


def is_drawn() -> bool:
    """Somebody looks at this page as somebody else (`g.viewing`, set with the actor)."""
    return has_request_context() and g.get("viewing") is not None


def veiled(name: str, value: Any) -> Any:
    """What is shown of the sealed field `name`."""
    if isinstance(value, list):
        return [round(part, POSITION_DIGITS) if isinstance(part, float) else part for part in value]
    if not isinstance(value, str):
        return None
    return {"telephone": mask_phone, "id_number": mask_id_number}.get(name, lambda _text: HIDDEN)(value)


class Name(TypeDecorator[str]):
    """A column with somebody's name."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        return mask_name(value) if value and is_drawn() else value


class BirthDate(TypeDecorator[date]):
    """A column with somebody's birth date."""

    impl = Date
    cache_ok = True

    def process_result_value(self, value: date | None, _dialect: Any) -> date | None:
        return value.replace(month=1, day=1) if value and is_drawn() else value
