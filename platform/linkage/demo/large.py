"""A large street for measuring: 300 visits a day in a fresh database, from a seed, through the rooms' operations.

The people are as made up as the demo's. Every day of the week has the same number of visits, as the benchmark of
the issue wants it.
"""

from __future__ import annotations

from datetime import date, timedelta

from linkage.core.ids import seeded_ids
from linkage.core.permissions import Actor
from linkage.core.transactions import unit_of_work
from linkage.demo import accounts, load
from linkage.demo.contracts import enter_all
from linkage.demo.households import Home
from linkage.demo.inventing import Inventor
from linkage.demo.providers import EMPLOYERS, Worker, register_employer
from linkage.demo.setting import ESTATES, SEED, Story
from linkage.households.drafts import ConsentDraft, HouseholdDraft, MemberDraft, PlaceDraft
from linkage.households.models import PURPOSES
from linkage.households.operations import register_household
from linkage.needs.checks import needed_people
from linkage.needs.operations import NeedRequest, post_need
from linkage.needs.recurrence import weekly
from linkage.people.operations import WeekSpan, set_week_pattern
from linkage.services.models import Service
from linkage.services.queries import by_code
from linkage.volunteers.operations import OfferDraft, RecordDraft, register_volunteer

HOUSEHOLDS, CARERS, SOCIAL_WORKERS, VOLUNTEERS = 480, 60, 10, 70
DAYS_A_WEEK = (7, 5, 5, 3, 3, 3, 2, 2, 1)
# service, share, minutes; the hours in which the whole visit must lie follow from the service
MIX = (
    ("meal", 22, 15), ("clean", 15, 60), ("care", 16, 60), ("bath", 5, 50), ("company", 14, 45), ("clinic", 3, 90),
    ("nursing", 9, 30), ("counsel", 3, 45), ("errand", 13, 30),
)  # fmt: skip
WINDOWS = {"meal": ((630, 780),), "nursing": ((480, 660), (840, 1020))}
ANY_HOURS = ((495, 720), (540, 780), (780, 1020), (840, 1080))
HELD = (("care_worker", "nurse"), ("care_worker",), ("care_worker",), ("health_check",))


def make(story: Story, *, visits_per_day: int = 300, seed: int = SEED) -> int:
    """Fill an empty, migrated database; returns the number of visits in the week from `story.monday` on."""
    inventor = Inventor(seed)
    with seeded_ids(seed):
        password_hash = load.make_basis(story, inventor)
        unit_of_work(lambda: _helpers(inventor, story, password_hash))
        homes = unit_of_work(lambda: _households(inventor, story))
        return unit_of_work(lambda: _needs(homes, inventor, story, 7 * visits_per_day))


def _helpers(inventor: Inventor, story: Story, password_hash: str) -> None:
    organisations = {}
    for number, employer in enumerate(EMPLOYERS, 1):
        social = employer.kind == "social_worker"
        staff = SOCIAL_WORKERS if social else CARERS // 2
        workers = tuple(_worker(inventor, place, social) for place in range(staff))
        organisations[employer.short] = register_employer(number, employer, workers, inventor, story, password_hash)
    enter_all(organisations, story, times=12)
    by = accounts.actor("coordinator", story.setup)
    for number in range(VOLUNTEERS):
        _volunteer(number, inventor, story, by)


def _worker(inventor: Inventor, place: int, social: bool) -> Worker:
    held = ("social_worker_cert", "counsellor") if social and place % 2 == 0 else ("social_worker_cert",)
    week = tuple(sorted((place + day) % 7 for day in range(5)))
    hours = (8, 17) if place % 3 else (9, 18)
    return Worker("", "M" if place % 5 == 4 else "F", held if social else HELD[place % len(HELD)], week, hours)


def _volunteer(number: int, inventor: Inventor, story: Story, by: Actor) -> None:
    community = list(ESTATES)[number % len(ESTATES)]
    area = accounts.area_of(community)
    _, lat, lon = ESTATES[community][0]
    draft = inventor.person("F" if number % 3 else "M", inventor.born(20, 68, story.today))
    codes = ("meal", "company", "errand") if number % 2 else ("company", "errand", "clean")
    row = register_volunteer(
        draft,
        RecordDraft(area.id, insured_to=story.today + timedelta(days=300), home_position=(lat, lon)),
        OfferDraft(tuple(_service(code).id for code in codes), 2500, 360, "bike" if number % 2 else "walk"),
        by=by,
        now=story.setup,
    )
    first = 8 + number % 5
    week = [WeekSpan((number + day) % 7, first * 60, (first + 6) * 60, area.parent_id or 0) for day in range(4)]
    set_week_pattern(row.person, "available", week, valid_from=date(story.today.year, 1, 1), by=by, now=story.setup)


def _service(code: str) -> Service:
    service = by_code(code)
    assert service is not None
    return service


def _households(inventor: Inventor, story: Story) -> list[Home]:
    by = accounts.actor("admin", story.registering)
    homes = []
    for number in range(HOUSEHOLDS):
        community = list(ESTATES)[number % len(ESTATES)]
        estate, lat, lon = ESTATES[community][number % len(ESTATES[community])]
        spread = inventor.random.uniform
        level = "severe" if number % 12 == 5 else "moderate" if number % 5 == 2 else ""
        place = PlaceDraft(
            accounts.area_of(community),
            f"{estate}{number % 97 + 1}号{number % 6 + 1}0{number % 4 + 1}室",
            position=(lat + spread(-0.002, 0.002), lon + spread(-0.002, 0.002)),
        )
        head = inventor.person("F" if number % 5 < 3 else "M", inventor.born(66, 92, story.today))
        consents = tuple(ConsentDraft(purpose, story.long_ago) for purpose in PURPOSES)
        draft = HouseholdDraft(place, (MemberDraft(head),), care_level=level, consents=consents)
        household = register_household(draft, by=by, now=story.registering)
        homes.append(Home(household, community, level, 1))
    return homes


def _needs(homes: list[Home], inventor: Inventor, story: Story, total: int) -> int:
    """Post weekly needs until the week has `total` visits, each on the days that have the fewest so far."""
    random, by = inventor.random, accounts.actor("operator", story.posting)
    loads, made, asked = [0] * 7, 0, set()
    codes, shares = [row[0] for row in MIX], [row[1] for row in MIX]
    minutes = {row[0]: row[2] for row in MIX}
    while made < total:
        home, code = random.choice(homes), random.choices(codes, shares)[0]
        if (home.household.id, code) in asked:
            continue
        asked.add((home.household.id, code))
        number = min(random.choice(DAYS_A_WEEK), total - made)
        days = sorted(range(7), key=lambda day: (loads[day], random.random()))[:number]
        for day in days:
            loads[day] += 1
        made += number
        service = _service(code)
        start, end = random.choice(WINDOWS.get(code, ANY_HOURS))
        request = NeedRequest(
            home.household.members[0].person_id, story.monday, start, end, minutes[code],
            recurrence=weekly(days), ends_on=story.monday + timedelta(days=6),
            people=needed_people(home.household, service),
        )  # fmt: skip
        post_need(home.household, service, request, by=by, now=story.posting)
    return made
