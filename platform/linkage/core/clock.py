"""The clock. Times are stored and compared in UTC; people see Asia/Shanghai.

In demo and test mode the clock can be moved: `LINKAGE_NOW` (ISO date-time, Shanghai time when it names no
zone) sets the first reading, and ``clock.json`` in the data folder holds the offset that the server, the
worker and the ``clock`` command share. In production the file is never read.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, current_app

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock:
    """Ticks with the machine, shifted by the offset in the shared file (seconds)."""

    def __init__(self, path: Path | None, start: str = "") -> None:
        self.path = path
        self._seen: tuple[int, float] = (0, 0.0)
        if path is not None and start and not path.exists():
            self.move_to(parse_moment(start))

    def now(self) -> datetime:
        """Return the current moment, aware, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._offset())

    def move_to(self, moment: datetime) -> None:
        """Set the shared clock to `moment`; it goes on ticking from there."""
        if self.path is None:
            raise RuntimeError("the clock can only be moved in demo and test mode")
        offset = (moment - datetime.now(UTC)).total_seconds()
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"offset_seconds": offset}))
        fresh.replace(self.path)

    def _offset(self) -> float:
        if self.path is None:
            return 0.0
        try:
            stamp = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0.0
        if stamp != self._seen[0]:
            self._seen = (stamp, float(json.loads(self.path.read_text())["offset_seconds"]))
        return self._seen[1]


def init_app(app: Flask) -> None:
    settings = app.config["SETTINGS"]
    path = None if settings.mode == "production" else settings.data_dir / "clock.json"
    app.extensions["linkage-clock"] = Clock(path, settings.now)


def current_clock() -> Clock:
    clock: Clock = current_app.extensions["linkage-clock"]
    return clock


def now() -> datetime:
    """The current moment (aware, UTC). Only the edge calls it; operations receive `now`."""
    return current_clock().now()


def parse_moment(text: str) -> datetime:
    """Read an ISO date-time; without a zone it is Shanghai time.  Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def local(moment: datetime) -> datetime:
    """The same moment on a Shanghai wall clock."""
    return moment.astimezone(SHANGHAI)


def local_date(moment: datetime) -> date:
    """The date in Shanghai at `moment`."""
    return local(moment).date()


def at_minutes(day: date, minutes: int) -> datetime:
    """The moment `minutes` after local midnight of `day`, in UTC (minutes may exceed 1,440)."""
    return (datetime.combine(day, time.min, SHANGHAI) + timedelta(minutes=minutes)).astimezone(UTC)


def minutes_of_day(moment: datetime, day: date) -> int:
    """Whole minutes from local midnight of `day` to `moment`."""
    return int((moment - at_minutes(day, 0)).total_seconds() // 60)


def week_start(day: date) -> date:
    """The Monday of the week of `day`."""
    return day - timedelta(days=day.weekday())
