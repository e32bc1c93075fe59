"""What the households need: about a hundred and fifty visits a week, and two that nobody can serve this week.

The two: a counselling on the one day on which the street's only counsellor does not work, and a rehabilitation on a
contract line that is used up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from linkage.contracts import ledger
from linkage.contracts.capacity import month_of, remaining
from linkage.contracts.models import ContractLine
from linkage.core.clock import local_date
from linkage.core.extensions import db
from linkage.core.permissions import Actor
from linkage.demo import accounts
from linkage.demo.contracts import REHAB_LINE
from linkage.demo.households import Home
from linkage.demo.setting import Story
from linkage.needs.models import Need
from linkage.needs.operations import NeedRequest, post_need
from linkage.needs.recurrence import weekly
from linkage.services.queries import by_code

WORKDAYS, EVERY_DAY = (0, 1, 2, 3, 4), tuple(range(7))
LUNCH, MORNING, AFTERNOON = (10 * 60 + 30, 12 * 60 + 45), (8 * 60 + 15, 12 * 60), (13 * 60 + 30, 17 * 60)
CHANNELS = ("counter", "hotline", "visit", "family")
WEDNESDAY, THURSDAY = 2, 3
REHAB_MINUTES = 45


@dataclass(frozen=True)
class Wanted:
    """A need of household number `home`. `days` (0 Monday): every week; else once, `once` days from this Monday."""

    home: int
    service: str
    window: tuple[int, int]
    minutes: int
    days: tuple[int, ...] = ()
    every: int = 1
    once: int | None = None
    flexible: int = 1
    people: int = 1
    wishes: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def _meals() -> list[Wanted]:
    """Twelve households get lunch on working days, two of them at the weekend, too."""
    soft = "软饭，少盐"
    homes = (0, 2, 5, 8, 12, 14, 17, 22, 29, 34, 40, 46)
    return [
        Wanted(
            home,
            "meal",
            LUNCH,
            15,
            EVERY_DAY if home in (0, 5) else WORKDAYS,
            note=soft if home % 4 == 0 else "",
        )
        for home in homes
    ]


WEEKLY = (
    *_meals(),
    Wanted(0, "bath", AFTERNOON, 60, (1, 4), people=2, wishes={"gender": "F"}, note="浴椅在阳台"),
    Wanted(11, "bath", MORNING, 60, (2,), people=2),
    Wanted(29, "bath", AFTERNOON, 60, (0, 3), people=2),
    Wanted(8, "bath", MORNING, 60, (1, 4)),
    Wanted(17, "bath", AFTERNOON, 50, (3,)),
    Wanted(23, "bath", MORNING, 60, (5,)),
    Wanted(5, "care", MORNING, 90, WORKDAYS, people=2, wishes={"language": "minnan"}),
    Wanted(6, "care", MORNING, 90, WORKDAYS),
    Wanted(16, "care", AFTERNOON, 60, (0, 2, 4)),
    Wanted(26, "care", MORNING, 60, (1, 3, 5)),
    Wanted(36, "care", AFTERNOON, 90, (0, 1, 2, 3)),
    Wanted(1, "nursing", MORNING, 30, (0, 2, 4), note="测血糖，送检结果告诉女儿"),
    Wanted(12, "nursing", AFTERNOON, 45, (1, 3, 5)),
    Wanted(33, "nursing", MORNING, 30, (1, 4)),
    Wanted(3, "clean", AFTERNOON, 90, (1,)),
    Wanted(19, "clean", MORNING, 90, (2, 5)),
    Wanted(24, "clean", AFTERNOON, 120, (4,)),
    Wanted(31, "clean", MORNING, 90, (0,)),
    Wanted(48, "clean", AFTERNOON, 90, (3,)),
    Wanted(2, "company", (9 * 60, 11 * 60 + 30), 60, (1, 3), wishes={"language": "minnan"}),
    Wanted(13, "company", (15 * 60, 18 * 60), 60, (0, 2)),
    Wanted(20, "company", (14 * 60, 17 * 60), 60, (2, 6)),
    Wanted(27, "company", (9 * 60, 12 * 60), 60, (4,)),
    Wanted(38, "company", (14 * 60, 18 * 60), 60, (1, 5)),
    Wanted(47, "company", (9 * 60 + 30, 12 * 60), 45, (0, 4)),
    Wanted(4, "errand", (9 * 60, 12 * 60), 45, (2,), note="代缴水电费"),
    Wanted(15, "errand", (13 * 60, 18 * 60), 45, (4,)),
    Wanted(42, "errand", (10 * 60, 17 * 60), 60, (1,)),
    Wanted(9, "counsel", (9 * 60, 12 * 60), 60, (1,)),
    Wanted(25, "counsel", (14 * 60, 17 * 60), 60, (4,)),
    Wanted(32, "petition", (9 * 60, 17 * 60), 45, (3,), every=2),
    Wanted(41, "clinic", (8 * 60, 12 * 60), 180, (2,)),
    Wanted(56, "clinic", (8 * 60 + 30, 17 * 60), 120, (4,)),
    Wanted(50, "rehab", (14 * 60, 17 * 60), REHAB_MINUTES, (WEDNESDAY,), note="步行训练"),
)
ONCE = (
    Wanted(18, "mediation", (14 * 60, 18 * 60), 60, once=-5, note="楼上漏水，双方都愿意谈"),
    Wanted(45, "micro", (9 * 60, 18 * 60), 30, once=-4, note="换灯泡"),
    Wanted(30, "micro", (9 * 60, 18 * 60), 30, once=1, flexible=3, note="教手机视频通话"),
    Wanted(51, "micro", (9 * 60, 18 * 60), 30, once=3, note="修水龙头"),
    Wanted(28, "clinic", (13 * 60 + 30, 17 * 60 + 30), 120, once=2, note="陪同到中山医院复诊"),
    Wanted(18, "mediation", (14 * 60, 18 * 60), 60, once=4, note="第二次调解"),
    Wanted(35, "counsel", (9 * 60, 11 * 60), 60, once=THURSDAY, note="老伴上月去世，睡不好"),
)


def post_all(homes: list[Home], story: Story) -> list[Need]:
    """Post the needs of both weeks: series on the Thursday before last week, single ones some days ahead."""
    operator, clerk = (accounts.actor(name, story.posting) for name in ("operator", "clerk"))
    return [
        _post(wanted, homes[wanted.home], story, by=operator if number % 3 == 1 else clerk, channel=number)
        for number, wanted in enumerate((*WEEKLY, *ONCE))
    ]


def _post(wanted: Wanted, home: Home, story: Story, *, by: Actor, channel: int) -> Need:
    household, service = home.household, by_code(wanted.service)
    assert service is not None
    first = story.last_monday if wanted.once is None else story.monday + timedelta(days=wanted.once)
    start, end = wanted.window
    request = NeedRequest(
        person_id=household.members[0].person_id,
        starts_on=first,
        window_start=start,
        window_end=end,
        duration_minutes=wanted.minutes,
        recurrence=weekly(wanted.days, every=wanted.every) if wanted.days else None,
        flexible_days=wanted.flexible,
        people=wanted.people,
        wishes=dict(wanted.wishes),
        channel="hotline" if channel % 3 == 1 else CHANNELS[channel % len(CHANNELS)],
        note=wanted.note,
    )
    return post_need(household, service, request, by=by, now=story.posting)


def use_up_rehab(story: Story) -> None:
    """The month's minutes of the rehabilitation line are as good as gone before this week's visit.

    What was given before the platform came is carried over from the paper book; in a month that has only begun,
    the buyer has cut the cap instead.
    """
    line = db.session.scalars(select(ContractLine).where(ContractLine.name == REHAB_LINE)).one()
    visit_day = story.monday + timedelta(days=WEDNESDAY)
    first = visit_day.replace(day=1)
    by, now = accounts.actor("coordinator", story.now), story.now
    spare = REHAB_MINUTES // 3
    if first > local_date(now):
        ledger.amend_cap(line, month_of(visit_day), spare, by=by, now=now)
        return
    person = _recipient(line)
    carried = remaining(line, month_of(visit_day)) - spare
    charge = ledger.Charge(line.id, max(first, date.min), carried, person)
    ledger.commit(charge, by=by, now=now)
    ledger.deliver(charge, by=by, now=now)


def _recipient(line: ContractLine) -> Any:
    service_ids = [row.service_id for row in line.services]
    return db.session.scalars(select(Need.person_id).where(Need.service_id.in_(service_ids)).limit(1)).one()
