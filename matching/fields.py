"""How the frozen classes of the model describe their fields.

`bounded` writes a field's bounds into its metadata. The JSON codec, the published JSON schema and
the validation all read them from there, so a bound stands in one place.
"""

from dataclasses import MISSING, field
from typing import Any

MAX_DAYS = 366
MAX_MINUTES = MAX_DAYS * 24 * 60
MAX_FEN = 10**12
MAX_COUNT = 10**9


def bounded(low: float | None = None, high: float | None = None, *, default: Any = MISSING, unit: str = "") -> Any:
    """A dataclass field whose number (or None, where the type allows it) lies in [low, high]."""
    metadata = {"minimum": low, "maximum": high, "unit": unit}
    return field(default=default, metadata=metadata)


def minutes(*, default: Any = MISSING, low: float = 0) -> Any:
    """A duration or an instant in minutes; whole numbers unless travel itself is fractional."""
    return bounded(low, MAX_MINUTES, default=default, unit="minutes")


def day(*, default: Any = MISSING, low: int = 0) -> Any:
    """A day index: 0 is the first day of the horizon."""
    return bounded(low, MAX_DAYS, default=default, unit="day")


def fen(*, default: Any = MISSING) -> Any:
    """An amount of money in integer fen (分)."""
    return bounded(0, MAX_FEN, default=default, unit="fen")


def count(*, default: Any = MISSING, low: int = 0, high: int = MAX_COUNT) -> Any:
    """A whole number of things."""
    return bounded(low, high, default=default, unit="count")
