"""Where and when the demo plays: the street, its estates, and the moments of its story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from linkage.core.clock import at_minutes, local_date, week_start

SEED = 20261124
STREET = "350203011"  # 嘉莲街道
CITY, DISTRICT = "350200", "350203"
OWN = "莲花北社区"  # the community of the demo's clerk

# community: estates with made-up doors; positions are plausible (WGS-84) but no survey.
ESTATES: dict[str, list[tuple[str, float, float]]] = {
    "莲花北社区": [("香莲里", 24.4895, 118.1210), ("莲花北里", 24.4903, 118.1190)],
    "盈翠社区": [("盈翠里", 24.4842, 118.1152), ("育秀里", 24.4850, 118.1133)],
    "莲坂社区": [("莲坂里", 24.4791, 118.1180), ("湖明路", 24.4801, 118.1165)],
    "莲西社区": [("莲花南路", 24.4836, 118.1203)],
    "莲兴社区": [("莲兴里", 24.4868, 118.1238)],
    "莲花五村社区": [("莲花五村", 24.4882, 118.1262)],
    "长青社区": [("长青里", 24.4823, 118.1246), ("长青北里", 24.4838, 118.1253)],
    "松柏社区": [("松柏里", 24.4938, 118.1203), ("屿后里", 24.4950, 118.1222)],
    "莲秀社区": [("莲秀里", 24.4857, 118.1276)],
    "华福社区": [("凌香里", 24.4911, 118.1247)],
    "龙山社区": [("龙山南里", 24.4802, 118.1291), ("龙山中路", 24.4812, 118.1273)],
}


@dataclass(frozen=True)
class Story:
    """The moments of the story, from `now` (a Monday morning by default)."""

    now: datetime

    @property
    def today(self) -> date:
        return local_date(self.now)

    @property
    def monday(self) -> date:
        """The Monday of this week."""
        return week_start(self.today)

    @property
    def last_monday(self) -> date:
        return self.monday - timedelta(days=7)

    @property
    def long_ago(self) -> date:
        """Since when contracts, papers and employments hold."""
        return date(self.last_monday.year - 1, 1, 1)

    def at(self, days: int, minutes: int) -> datetime:
        """`minutes` after midnight, `days` from this week's Monday."""
        return at_minutes(self.monday + timedelta(days=days), minutes)

    @property
    def setup(self) -> datetime:
        """The installation is set up, organisations and volunteers registered."""
        return self.at(-60, 9 * 60)

    @property
    def registering(self) -> datetime:
        """Households are registered."""
        return self.at(-45, 10 * 60)

    @property
    def posting(self) -> datetime:
        """The needs are posted."""
        return self.at(-11, 10 * 60)

    @property
    def planning(self) -> datetime:
        """Last week is planned and published, on the Friday before."""
        return self.at(-10, 15 * 60)
