"""Sixty households of the street: members, doors, tags, consents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from linkage.accounts.models import User
from linkage.core.clock import local_date
from linkage.demo import accounts
from linkage.demo.inventing import Inventor
from linkage.demo.setting import ESTATES, OWN, Story
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft, TagDraft
from linkage.households.models import PURPOSES, Household
from linkage.households.operations import register_household
from linkage.people.operations import PersonDraft

NUMBER_OF_HOUSEHOLDS = 60
DOOR_NOTES = (
    "左边的门，门铃坏了，请敲门", "先打电话，老人耳背，等一会儿", "电梯到 5 楼，右转第二间", "钥匙在门卫处登记后领取",
    "家里有只小狗，不咬人", "楼道灯坏了，带手电", "走后门，前门台阶高", "单元门密码请问门卫",
)  # fmt: skip
HAZARDS = ("地面湿滑，进门请铺垫子", "老人半夜会起来走动", "煤气用完请关总阀", "对青霉素过敏")
HEALTH = (
    "高血压",
    "2 型糖尿病",
    "脑梗后遗症，右侧肢体无力",
    "帕金森病",
    "髋关节置换术后",
    "慢阻肺",
    "阿尔茨海默病早期",
    "白内障",
)
SOURCES = ("counter", "visit", "hotline", "neighbour")


@dataclass
class Home:
    """A registered household, and what the story needs to know of it."""

    household: Household
    community: str
    care_level: str
    size: int


def register_all(inventor: Inventor, story: Story, password_hash: str) -> list[Home]:
    """Register the households in the order of their numbers; the demo's own community has twice as many."""
    communities = [OWN, *ESTATES]
    homes = [
        _register(number, communities[number % len(communities)], inventor, story)
        for number in range(NUMBER_OF_HOUSEHOLDS)
    ]
    _accounts(homes, password_hash, story)
    return homes


def _accounts(homes: list[Home], password_hash: str, story: Story) -> list[User]:
    """The first two households have an account; where a daughter is known, it is hers."""
    admin, made = accounts.actor("admin", story.registering), []
    for name, home in zip(("household", "household2"), homes, strict=False):
        person = home.household.members[-1].person
        made.append(
            accounts.open_for_household(
                person, name, home.household, password_hash=password_hash, by=admin, now=story.registering
            )
        )
    return made


def _register(number: int, community: str, inventor: Inventor, story: Story) -> Home:
    care_level = _care_level(number)
    members = _members(number, inventor, story.today)
    health = inventor.random.choice(HEALTH) if care_level else None
    draft = HouseholdDraft(
        place=_place(number, community, inventor),
        members=tuple(members),
        care_level=care_level,
        health=health,
        hazard=inventor.random.choice(HAZARDS) if number % 4 == 1 else None,
        registered_address="福建省泉州市安溪县城厢镇" if number % 15 == 7 else None,
        tags=tuple(_tags(number, care_level, members, story)),
        consents=tuple(_consents(number, story)),
        source=SOURCES[number % len(SOURCES)],
    )
    by = accounts.actor("clerk", story.registering)
    household = register_household(draft, by=by, now=story.registering)
    return Home(household, community, care_level, len(members))


def _care_level(number: int) -> str:
    """As in a street's register: most are able, a few severely disabled. The first needs two people for a bath."""
    levels = {0: "severe", 5: "total", 11: "severe", 23: "moderate", 29: "severe", 8: "moderate", 17: "moderate"}
    return levels.get(number, "moderate" if number % 10 == 6 else "mild" if number % 3 == 2 else "")


def _place(number: int, community: str, inventor: Inventor) -> PlaceDraft:
    estates = ESTATES[community]
    estate, lat, lon = estates[number % len(estates)]
    spread = inventor.random.uniform
    position = None if number % 12 == 10 else (lat + spread(-0.0016, 0.0016), lon + spread(-0.0016, 0.0016))
    building, floor, door = inventor.random.randrange(1, 96), inventor.random.randrange(1, 8), number % 4 + 1
    return PlaceDraft(
        area=accounts.area_of(community),
        address=f"{estate}{building}号{floor}0{door}室",
        door_note=DOOR_NOTES[number % len(DOOR_NOTES)] if number % 3 else None,
        position=position,
        access_minutes=2 + floor // 2,
    )


def _members(number: int, inventor: Inventor, today: date) -> list[MemberDraft]:
    """Old people alone or as couples; every seventh a family with a child; a daughter elsewhere for some."""
    if number % 20 == 13:
        return _with_child(inventor, today)
    sex = "F" if number % 5 in (0, 1, 3) else "M"
    born = inventor.born(80, 92, today) if number % 2 == 0 else inventor.born(66, 79, today)
    head = inventor.person(sex, born)
    members = [MemberDraft(head)]
    if number % 4 == 3:
        other = "M" if sex == "F" else "F"
        members.append(MemberDraft(inventor.person(other, inventor.born(66, 82, today), telephone=False), "spouse"))
    if number % 3 == 0:
        surname = head.name[0] if sex == "M" else ""
        members.append(MemberDraft(inventor.person("F", inventor.born(38, 52, today), surname=surname), "contact"))
    return members


def _with_child(inventor: Inventor, today: date) -> list[MemberDraft]:
    grandmother = inventor.person("F", inventor.born(62, 70, today))
    child = inventor.person("M", inventor.born(8, 13, today), telephone=False, languages=("mandarin",))
    return [MemberDraft(grandmother), MemberDraft(child, "grandchild")]


def _age(draft: PersonDraft, today: date) -> int:
    born = draft.birth_date
    assert born is not None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _tags(number: int, care_level: str, members: list[MemberDraft], story: Story) -> list[TagDraft]:
    since = story.today - timedelta(days=300)
    named: list[tuple[str, str]] = []
    living = [member for member in members if member.relation != "contact"]
    if len(living) == 1:
        named.append(("living_alone", "社区走访"))
    if any(_age(member.person, story.today) >= 80 for member in living):
        named.append(("aged_80", "公安户籍"))
    if care_level in ("severe", "total"):
        named.append(("disabled_elder", "能力评估"))
    elif care_level == "moderate":
        named.append(("semi_disabled_elder", "能力评估"))
    if any(member.relation == "grandchild" for member in living):
        named.append(("child_in_need", "街道民政办"))
    official = {0: "destitute", 1: "minimum_living", 4: "minimum_margin", 7: "severe_disability", 9: "lost_only_child"}
    if number % 11 in official:
        named.append((official[number % 11], "区民政局"))
    return [TagDraft(tag, source, valid_from=since) for tag, source in named]


def _consents(number: int, story: Story) -> list[ConsentDraft]:
    """All purposes, but two households would rather have no volunteers, and one has not agreed to health facts."""
    left_out = {"volunteers"} if number in (21, 44) else {"health"} if number == 37 else set()
    given = local_date(story.registering)
    return [
        ConsentDraft(purpose, given, method="spoken" if number % 6 == 5 else "signed")
        for purpose in PURPOSES
        if purpose not in left_out
    ]
