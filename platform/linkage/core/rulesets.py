"""Clocks, thresholds and parameters are rows with dates (DOMAIN.md), never constants in code.

A room declares the rules it reads with their default and source; the setup command writes the defaults, an
administrator adds later ones from a date. `rule(name, on)` gives the value that holds on a day.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.core import audit
from linkage.core.clock import local_date
from linkage.core.errors import InvalidInput
from linkage.core.extensions import db
from linkage.core.kept import kept
from linkage.core.models import Rule

DEFAULTS: dict[str, tuple[Any, str]] = {}
BOUNDS: dict[str, tuple[int, int]] = {}
FIRST_DAY = date(2000, 1, 1)
LARGEST = 1_000_000  # days, minutes or seconds that can still be added to a date


def declare(name: str, default: Any, source: str, *, bounds: tuple[int, int] | None = None) -> None:
    """A room says which rule it reads: dotted name with its unit (``offers.deadline_minutes``), default, source, and
    for a number the smallest and the largest that make sense.
    """
    DEFAULTS[name] = (default, source)
    if bounds is not None:
        BOUNDS[name] = bounds


def rule(name: str, on: date) -> Any:
    """The value of rule `name` on the day `on`.  Raises KeyError for an undeclared rule."""
    default, _ = DEFAULTS[name]
    return kept(("rule", name, on), lambda: _read(name, on, default))


def _read(name: str, on: date, default: Any) -> Any:
    row = db.session.scalars(
        select(Rule).where(Rule.name == name, Rule.on(on)).order_by(Rule.valid_from.desc()).limit(1)
    ).one_or_none()
    return default if row is None else row.value


def load_defaults(*, now: datetime) -> int:
    """Write the default of each declared rule that has no row yet; return how many were written."""
    known = set(db.session.scalars(select(Rule.name)))
    fresh = [name for name in sorted(DEFAULTS) if name not in known]
    for name in fresh:
        value, source = DEFAULTS[name]
        db.session.add(Rule(name=name, value=value, source=source, valid_from=FIRST_DAY, valid_to=None))
    if fresh:
        audit.record("rules.load", ("rules", "defaults"), by=None, now=now, added=len(fresh))
    return len(fresh)


def history(name: str) -> Sequence[Rule]:
    """The stored values of a rule with their dates, the latest first."""
    return db.session.scalars(select(Rule).where(Rule.name == name).order_by(Rule.valid_from.desc())).all()


def histories() -> dict[str, list[Rule]]:
    """The stored values of every rule, the latest first, with one query."""
    found: dict[str, list[Rule]] = {name: [] for name in sorted(DEFAULTS)}
    for row in db.session.scalars(select(Rule).order_by(Rule.valid_from.desc())):
        found.setdefault(row.name, []).append(row)
    return found


def add_value(name: str, value: Any, *, valid_from: date, source: str, by: uuid.UUID | None, now: datetime) -> Rule:
    """From `valid_from` on the rule has this value, until a later one that is stored already. The past stays.

    Raises
    ------
    InvalidInput
        the value is of another kind than the default or out of its bounds, or the day lies before today.
    """
    if not _is_like(value, DEFAULTS[name][0]):
        raise InvalidInput(_l("The value must be of the same kind as the one that holds now."), field="value")
    low, high = BOUNDS.get(name, (value, value))
    if name in BOUNDS and not low <= value <= high:
        raise InvalidInput(_l("Write a number from %(low)s to %(high)s.", low=low, high=high), field="value")
    if valid_from < local_date(now):
        raise InvalidInput(_l("What is past stays as it was: choose today or later."), field="valid_from")
    later = [row.valid_from for row in history(name) if row.valid_from > valid_from]
    for row in history(name):
        if row.valid_from == valid_from:
            db.session.delete(row)
        elif row.valid_from < valid_from and (row.valid_to is None or row.valid_to >= valid_from):
            row.valid_to = valid_from - timedelta(days=1)
    db.session.flush()
    added = Rule(
        name=name,
        value=value,
        source=source,
        valid_from=valid_from,
        valid_to=min(later) - timedelta(days=1) if later else None,
    )
    db.session.add(added)
    audit.record("rules.add", added, by=by, now=now, name=name, valid_from=valid_from)
    return added


def _is_like(value: Any, default: Any) -> bool:
    """The same kind of JSON: a number for a number (not negative), the same names in a table."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int | float):
        whole = isinstance(value, int) or not isinstance(default, int)
        return isinstance(value, int | float) and whole and abs(value) <= LARGEST and (value >= 0 or default < 0)
    if isinstance(default, dict):
        return (
            isinstance(value, dict)
            and value.keys() == default.keys()
            and all(_is_like(value[key], default[key]) for key in default)
        )
    if isinstance(default, list):
        return isinstance(value, list) and all(_is_like(entry, default[0]) for entry in value if default)
    return isinstance(value, type(default))
