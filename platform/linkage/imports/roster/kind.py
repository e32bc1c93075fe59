"""The roster as a kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.areas.queries import is_under
from linkage.core.extensions import db
from linkage.core.permissions import Actor, right
from linkage.imports.kinds import Examined, Fault, Kind, Row, Scene, register
from linkage.imports.roster import comparing, taking
from linkage.imports.roster.columns import COLUMNS, EXAMPLES, RELATIONS
from linkage.imports.roster.matching import Matcher, check_needs
from linkage.imports.roster.plans import RosterPlan
from linkage.imports.roster.reading import GroupReader
from linkage.imports.values import folded
from linkage.services.models import Service
from linkage.services.queries import services_on

HEADS = {folded(word) for word, relation in RELATIONS.items() if relation == "self"}
may_import = right(
    "imports.roster",
    "bring in a roster of households, members and needs as a file",
    community="area",
    operator="area",
)


@dataclass(frozen=True)
class LookedUp:
    """Words of the catalogue and of the area tree."""

    services: dict[str, Service]
    communities: dict[str, Area]


def look_up(scene: Scene) -> LookedUp:
    """Services by both names and code; communities below the file's area by name and code."""
    services: dict[str, Service] = {}
    for service in services_on(scene.today):
        for word in (service.name_zh, service.name_en, service.code):
            services.setdefault(word, service)
    below = db.session.scalars(
        select(Area).where(Area.level.in_(("community", "grid")), Area.closed_on.is_(None)).order_by(Area.code)
    )
    communities: dict[str, Area] = {}
    for area in below:
        if is_under(area, scene.area.path):
            for word in (area.name, area.name.removesuffix("社区").removesuffix("居委会"), area.code):
                communities.setdefault(word, area)
    return LookedUp(services, communities)


def group(rows: list[Row]) -> list[list[Row]]:
    """Rows of one household: the same number (in the same community), wherever they stand in the file.

    A row without a number belongs to the one above, unless a new household begins with it: somebody is named who
    is a head, or (where the relation is not said) who lives at another address.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    key = ("", "")
    for place, row in enumerate(rows):
        community, number = row.text("community"), row.text("number")
        if number:
            key = (community or (key[0] if key[1] == number else ""), number)
        elif place == 0 or _begins(row, groups[key]):
            key = (community, f"#{row.sheet}/{row.number}")
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _begins(row: Row, above: list[Row]) -> bool:
    if not row.text("name"):
        return False
    if row.text("relation"):
        return folded(row.text("relation")) in HEADS
    address = row.text("address")
    return bool(address) and address != above[0].text("address")


def group_key(rows: Sequence[Row]) -> str:
    """What a corrected upload is matched by: the number, else the head's name."""
    first = rows[0]
    return f"{first.text('community')}|{first.text('number') or first.text('name')}"


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a group, compare it with what is stored, ask whether it could be taken in."""
    reader = GroupReader(rows, scene)
    plan = reader.plan()
    if plan.members and plan.area.level in ("community", "grid"):
        Matcher(plan, reader, scene.actor, scene.today).match()
        check_needs(plan, reader, scene.today)
    known = plan.household is not None
    changes = comparing.compare(plan, scene.today) if known and not reader.faults else []
    state = "new" if not known else "changed" if changes else "same"
    return Examined(reader.faults, state, len(plan.members), len(plan.needs), changes, reader.repairs, plan)


def cross_check(groups: list[Examined]) -> None:
    """An ID number stands in one household of the file only (family who live elsewhere apart)."""
    first: dict[str, Any] = {}
    for place, examined in enumerate(groups):
        plan: RosterPlan = examined.plan
        for member in plan.members:
            number = member.draft.id_number
            if not number or member.relation == "contact":
                continue
            if first.setdefault(number, place) != place:
                words = _l("This ID number stands in another household of the file, too")
                remedy = _l("Leave it in the household where the person lives.")
                examined.faults.append(Fault(member.rows[0], "id_number", "twice", words, remedy))


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    return taking.take(examined, ticked, by, now)


def example_rows(_today: date) -> list[dict[str, str]]:
    """Two households as the template shows them."""
    return [
        {column.name: column.examples[place] for column in COLUMNS if place < len(column.examples)}
        for place in range(EXAMPLES)
    ]


ROSTER = register(
    Kind(
        name="roster",
        title=_l("Households, members and needs"),
        right=may_import,
        columns=COLUMNS,
        look_up=look_up,
        group=group,
        group_key=group_key,
        examine=examine,
        cross_check=cross_check,
        take=take,
        example_rows=example_rows,
    )
)
