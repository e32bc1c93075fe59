"""Who helps: three organisations with their people, contracts with their lines, and the volunteers of the street."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from linkage.accounts.models import User
from linkage.areas.models import Area
from linkage.core.permissions import Role
from linkage.demo import accounts
from linkage.demo.inventing import Inventor
from linkage.demo.setting import STREET, Story
from linkage.organisations.models import Carer, Organisation
from linkage.organisations.operations import EmploymentDraft, OrganisationDraft, employ, register_organisation
from linkage.people.operations import WeekSpan, register_person, set_week_pattern
from linkage.services.operations import add_held

WEEKDAYS, EARLY_WEEK, LATE_WEEK = (0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (1, 2, 3, 4, 5)
NOT_THURSDAY = (0, 1, 2, 4)
CARE, NURSE, REHAB = ("care_worker", "health_check"), ("nurse", "health_check"), ("rehab_therapist", "health_check")
SOCIAL, COUNSEL = ("social_worker_cert",), ("social_worker_cert", "counsellor")


@dataclass(frozen=True)
class Worker:
    """A carer or social worker. `ends_soon`: a paper runs out in so many days; `week`: working days (0 Monday)."""

    name: str
    sex: str
    held: tuple[str, ...]
    week: tuple[int, ...] = WEEKDAYS
    hours: tuple[int, int] = (8, 17)
    mode: str = "ebike"
    account: str = ""
    ends_soon: int = 0


@dataclass(frozen=True)
class Employer:
    name: str
    short: str
    rating: str
    address: str
    at: tuple[float, float]
    manager: tuple[str, str, str]  # sign-in name, name, sex
    kind: str
    workers: tuple[Worker, ...]


EMPLOYERS = (
    Employer(
        "厦门市思明区鹭康居家养老服务中心", "鹭康养老", "5A", "嘉莲街道莲花北路 18 号", (24.4876, 118.1217),
        ("manager", "蔡惠玲", "F"), "carer",
        (
            Worker("吴丽珍", "F", CARE, account="carer"),
            Worker("许美玲", "F", CARE, account="carer2"),
            Worker("洪秋萍", "F", CARE, week=LATE_WEEK, ends_soon=12),
            Worker("黄艺红", "F", CARE, week=EARLY_WEEK),
            Worker("曾志强", "M", CARE, hours=(9, 18)),
            Worker("谢雪梅", "F", NURSE),
            Worker("邱慧敏", "F", (*NURSE, "care_worker"), week=LATE_WEEK),
            Worker("柯俊杰", "M", REHAB),
        ),
    ),
    Employer(
        "厦门市嘉和家政服务社", "嘉和家政", "3A", "嘉莲街道莲前西路 2 号", (24.4812, 118.1243),
        ("manager2", "洪永强", "M"), "carer",
        (
            Worker("郭建明", "M", CARE, mode="bike"),
            Worker("卢海霞", "F", ("health_check",), week=EARLY_WEEK),
            Worker("连燕红", "F", ("health_check",), hours=(9, 18), ends_soon=25),
            Worker("沈巧玲", "F", CARE, week=LATE_WEEK, mode="walk"),
            Worker("颜国平", "M", ("health_check",)),
        ),
    ),
    Employer(
        "厦门市心桥社会工作服务中心", "心桥社工", "4A", "嘉莲街道屿后里 201 号", (24.4941, 118.1215),
        ("manager3", "纪雅婷", "F"), "social_worker",
        (
            Worker("叶静怡", "F", COUNSEL, week=NOT_THURSDAY, account="social"),
            Worker("施文辉", "M", SOCIAL),
            Worker("吕思琪", "F", SOCIAL),
            Worker("高少华", "M", (*SOCIAL, "mediator"), hours=(9, 18)),
            Worker("杨晓燕", "F", SOCIAL, week=LATE_WEEK, ends_soon=20),
        ),
    ),
)  # fmt: skip


def register_all(inventor: Inventor, story: Story, password_hash: str) -> dict[str, Organisation]:
    """The organisations with their managers, workers, papers and shifts; by short name."""
    return {
        employer.short: register_employer(number, employer, employer.workers, inventor, story, password_hash)
        for number, employer in enumerate(EMPLOYERS, 1)
    }


def register_employer(
    number: int, employer: Employer, workers: tuple[Worker, ...], inventor: Inventor, story: Story, password_hash: str
) -> Organisation:
    """An organisation with its manager and these workers."""
    street = accounts.area_of(STREET)
    organisation = register_organisation(
        OrganisationDraft(
            name=employer.name,
            short_name=employer.short,
            uscc=inventor.credit_code(number),
            area_id=street.id,
            rating=employer.rating,
            rating_valid_to=date(story.today.year + 3, 6, 30),
            telephone=inventor.telephone(),
            address=employer.address,
            lat=employer.at[0],
            lon=employer.at[1],
        ),
        by=accounts.actor("supervisor", story.setup),
        now=story.setup,
    )
    name, full_name, sex = employer.manager
    admin = accounts.actor("admin", story.setup)
    draft = inventor.person(sex, inventor.born(32, 55, story.today), name=full_name)
    accounts.open_for_organisation(
        register_person(draft, by=admin, now=story.setup), name, Role.MANAGER, organisation,
        password_hash=password_hash, by=admin, now=story.setup,
    )  # fmt: skip
    for place, worker in enumerate(workers, 1):
        account = worker.account or made_up_account(number, place)
        _worker(organisation, employer.kind, worker, account, name, inventor, story, password_hash, street)
    return organisation


def made_up_account(number: int, place: int) -> str:
    """The sign-in name of the `place`th of the `number`th organisation; its figures alone are no telephone (110)."""
    return f"worker-{chr(ord('a') + number - 1)}{place}"


def _worker(
    organisation: Organisation, kind: str, worker: Worker, account: str, manager: str, inventor: Inventor,
    story: Story, password_hash: str, street: Area,
) -> User:  # fmt: skip
    now = story.setup
    by = accounts.actor(manager, now)
    draft = inventor.person(worker.sex, inventor.born(24, 56, story.today), name=worker.name)
    terms = EmploymentDraft(kind, 2400, worker.mode, story.long_ago)
    carer = employ(organisation, draft, terms, by=by, now=now)
    _papers(carer, worker, story)
    first, last = worker.hours
    week = [
        WeekSpan(day, first * 60, last * 60, street.id, break_from=12 * 60 + 30, break_minutes=45)
        for day in sorted(worker.week)
    ]
    set_week_pattern(
        carer.person, "shift", week, valid_from=story.long_ago, organisation_id=organisation.id, by=by, now=now
    )
    return accounts.open_for_organisation(
        carer.person, account, Role.CARER, organisation, password_hash=password_hash,
        by=accounts.actor("admin", now), now=now,
    )  # fmt: skip


def _papers(carer: Carer, worker: Worker, story: Story) -> None:
    by = accounts.actor("admin", story.setup)
    for number, code in enumerate(worker.held, 1):
        runs_out = worker.ends_soon and number == len(worker.held)
        until = story.today + timedelta(days=worker.ends_soon) if runs_out else date(story.today.year + 2, 5, 31)
        add_held(
            carer.person_id, code, number=f"{code[:2].upper()}-{story.long_ago:%Y}-{number:03d}",
            valid_from=story.long_ago, valid_to=until, by=by, now=story.setup,
        )  # fmt: skip
