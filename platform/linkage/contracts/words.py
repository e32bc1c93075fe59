"""How quantities, entries and states of contract lines read."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext, ngettext, npgettext

from linkage.contracts.models import LedgerEntry
from linkage.core.formats import format_duration

ENTRY_WORDS: dict[str, Any] = {
    "reserve": _l("reserved"),
    "unreserve": _l("reservation given back"),
    "commit": _l("committed"),
    "uncommit": _l("commitment given back"),
    "deliver": _l("delivered"),
    "undeliver": _l("delivery corrected"),
    "amend": _l("cap changed"),
    "accept": lazy_pgettext("ledger", "accepted"),
    "pay": lazy_pgettext("ledger", "paid"),
}
STATES = ("reserved", "committed", "delivered")
STATE_WORDS: dict[str, Any] = {
    "reserved": _l("reserved"),
    "committed": _l("committed"),
    "delivered": _l("delivered"),
}
# What a line is charged in: minutes are bought by the hour.
LINE_UNIT_WORDS: dict[str, Any] = {"minutes": _l("hours"), "visits": _l("visits"), "meals": _l("meals")}
PRICE_WORDS: dict[str, Any] = {"minutes": _l("an hour"), "visits": _l("a visit"), "meals": _l("a meal")}


def quantity(amount: int, unit: str) -> str:
    """90 → 1 小时 30 分; 12 visits; 30 meals."""
    if unit == "minutes":
        return format_duration(amount)
    if unit == "meals":
        return ngettext("%(num)d meal", "%(num)d meals", amount)
    return npgettext("quantity", "%(num)d visit", "%(num)d visits", amount)


def day_of(entry: LedgerEntry) -> date | None:
    """The day of the visit as the entry's snapshot has it."""
    return date.fromisoformat(entry.summary["day"]) if entry.summary.get("day") else None


def month_name(month: str) -> str:
    """2026-11 → 2026年11月."""
    year, number = month.split("-")
    return _("%(month)s/%(year)s", year=year, month=int(number))
