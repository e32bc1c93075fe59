"""The street's volunteers: what they offer, when, how far they go, and until when they are insured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from linkage.core.permissions import Actor
from linkage.demo import accounts
from linkage.demo.inventing import Inventor
from linkage.demo.setting import ESTATES, OWN, Story
from linkage.people.operations import WeekSpan, set_week_pattern
from linkage.services.operations import add_held
from linkage.services.queries import by_code
from linkage.volunteers.models import Volunteer
from linkage.volunteers.operations import OfferDraft, RecordDraft, register_volunteer

ALL_WEEK, WORKDAYS, WEEKEND = tuple(range(7)), tuple(range(5)), (5, 6)
HELP, MEALS, TALK = ("meal", "errand", "micro"), ("meal", "company"), ("company", "micro", "errand")
DOCTOR, PEACE = ("clinic", "errand", "company"), ("mediation", "company")


@dataclass(frozen=True)
class Helper:
    """A volunteer. `hours`: from and to; `insured`: days from today (below 0: it has run out)."""

    name: str
    sex: str
    community: str
    services: tuple[str, ...]
    days: tuple[int, ...] = WORKDAYS
    hours: tuple[int, int] = (9, 18)
    radius: int = 1500
    weekly: int = 360
    mode: str = "walk"
    insured: int = 200
    held: str = ""
    account: bool = True
    languages: tuple[str, ...] = ("mandarin", "minnan")


HELPERS = (
    Helper("谢明珠", "F", OWN, (*TALK, "meal"), ALL_WEEK, radius=2000, weekly=480),
    Helper("杨文斌", "M", OWN, (*TALK, "meal"), ALL_WEEK, radius=2000, weekly=480, mode="bike"),
    Helper("何雅婷", "F", OWN, HELP, hours=(10, 16)),
    Helper("陈伟杰", "M", OWN, MEALS, hours=(10, 13), mode="ebike", radius=3000),
    Helper("刘淑芬", "F", "盈翠社区", MEALS, hours=(9, 14)),
    Helper("张国栋", "M", "盈翠社区", HELP, hours=(10, 17), mode="bike", radius=2500),
    Helper("黄佳颖", "F", "莲坂社区", MEALS, hours=(10, 14), radius=1800),
    Helper("李建成", "M", "莲坂社区", DOCTOR, held="first_aid", radius=4000, mode="ebike", hours=(8, 18)),
    Helper("郑秋萍", "F", "莲西社区", MEALS, hours=(10, 13)),
    Helper("王家豪", "M", "莲西社区", HELP, WEEKEND, hours=(9, 18)),
    Helper("蔡宝珍", "F", "莲兴社区", (*MEALS, "micro"), ALL_WEEK, hours=(9, 17), account=False),
    Helper("许少华", "M", "莲兴社区", PEACE, held="mediator", radius=2500, hours=(14, 20)),
    Helper("苏丹丹", "F", "莲花五村社区", MEALS, hours=(10, 14)),
    Helper("叶永强", "M", "莲花五村社区", ("clean", "errand", "micro"), hours=(13, 18), mode="bike"),
    Helper("庄玉梅", "F", "长青社区", MEALS, ALL_WEEK, hours=(9, 15)),
    Helper("曾宏伟", "M", "长青社区", HELP, hours=(10, 18), mode="ebike", radius=3000),
    Helper("郭静怡", "F", "松柏社区", MEALS, hours=(10, 14)),
    Helper("施志成", "M", "松柏社区", (*TALK, "meal"), hours=(9, 17), account=False),
    Helper("林巧玲", "F", "松柏社区", DOCTOR, held="first_aid", radius=3500, mode="ebike", hours=(8, 12)),
    Helper("邱俊杰", "M", "莲秀社区", MEALS, hours=(10, 14), mode="bike", radius=2500),
    Helper("柯艺红", "F", "莲秀社区", (*TALK, "clean"), ALL_WEEK, hours=(14, 19)),
    Helper("卢海滨", "M", "华福社区", HELP, hours=(10, 15), insured=-20),
    Helper("沈欣怡", "F", "华福社区", MEALS, hours=(10, 14), languages=("mandarin", "minnan", "sign")),
    Helper("连振宇", "M", "龙山社区", (*MEALS, "errand"), hours=(10, 17), mode="bike", radius=2500),
    Helper("吕燕红", "F", "龙山社区", TALK, ALL_WEEK, hours=(9, 12), insured=18, account=False),
)


def register_all(inventor: Inventor, story: Story, password_hash: str) -> None:
    """Register the volunteers with their weeks, papers and accounts (volunteer, volunteer02 …)."""
    accounts_made = 0
    for helper in HELPERS:
        row = _register(helper, inventor, story)
        if helper.account:
            accounts_made += 1
            name = f"volunteer{accounts_made:02d}" if accounts_made > 1 else "volunteer"
            area = accounts.area_of(helper.community)
            admin = accounts.actor("admin", story.setup)
            accounts.open_for_volunteer(row.person, name, area, password_hash=password_hash, by=admin, now=story.setup)


def _register(helper: Helper, inventor: Inventor, story: Story) -> Volunteer:
    now, area = story.setup, accounts.area_of(helper.community)
    by = accounts.actor("coordinator", now)
    draft = inventor.person(
        helper.sex, inventor.born(19, 68, story.today), name=helper.name, languages=helper.languages
    )
    estate, lat, lon = ESTATES[helper.community][0]
    spread = inventor.random.uniform
    building, door = inventor.random.randrange(1, 90), inventor.random.randrange(101, 604)
    record = RecordDraft(
        area_id=area.id,
        insured_to=story.today + timedelta(days=helper.insured),
        home_address=f"{estate}{building}号{door}室",
        home_position=(lat + spread(-0.0012, 0.0012), lon + spread(-0.0012, 0.0012)),
    )
    services = tuple(by_code(code).id for code in helper.services)  # type: ignore[union-attr]
    offer = OfferDraft(services, helper.radius, helper.weekly, helper.mode)
    row = register_volunteer(draft, record, offer, by=by, now=now)
    _week(row, helper, story, by)
    return row


def _week(row: Volunteer, helper: Helper, story: Story, by: Actor) -> None:
    street = accounts.area_of(helper.community).parent_id
    first, last = helper.hours
    week = [WeekSpan(day, first * 60, last * 60, street or 0) for day in helper.days]
    since = story.today - timedelta(days=55)
    set_week_pattern(row.person, "available", week, valid_from=since, by=by, now=story.setup)
    if helper.held:
        add_held(
            row.person_id, helper.held, number=f"HQ-{row.number}", valid_from=since,
            valid_to=story.today + timedelta(days=700), by=by, now=story.setup,
        )  # fmt: skip
