"""Clocks, thresholds and parameters are rows with dates (DOMAIN.md), never constants in code.

A room declares the rules it reads with their default and source; the setup command writes the defaults, an
administrator adds later ones from a date. `rule(name, on)` gives the value that holds on a day.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from linkage.core.extensions import db
from linkage.core.models import Rule

DEFAULTS: dict[str, tuple[Any, str]] = {}
FIRST_DAY = date(2000, 1, 1)


def declare(name: str, default: Any, source: str) -> None:
    """A room says which rule it reads: dotted name with its unit (``offers.deadline_minutes``), default, source."""
    DEFAULTS[name] = (default, source)


def rule(name: str, on: date) -> Any:
    """The value of rule `name` on the day `on`.  Raises KeyError for an undeclared rule."""
    default, _ = DEFAULTS[name]
    row = db.session.scalars(
        select(Rule).where(Rule.name == name, Rule.on(on)).order_by(Rule.valid_from.desc()).limit(1)
    ).one_or_none()
    return default if row is None else row.value


def load_defaults() -> int:
    """Write the default of each declared rule that has no row yet; return how many were written."""
    known = set(db.session.scalars(select(Rule.name)))
    fresh = [name for name in sorted(DEFAULTS) if name not in known]
    for name in fresh:
        value, source = DEFAULTS[name]
        db.session.add(Rule(name=name, value=value, source=source, valid_from=FIRST_DAY, valid_to=None))
    return len(fresh)
