"""The roster as a kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from linkage.areas.models import Area
from linkage.areas.queries import by_words, is_under
from linkage.core.crypto import blind
from linkage.core.extensions import db
from linkage.core.permissions import Actor, right
from linkage.imports.kinds import Examined, Kind, Row, Scene, register
from linkage.imports.roster import comparing, taking
from linkage.imports.roster.columns import COLUMNS, RELATIONS
from linkage.imports.roster.known import Known
from linkage.imports.roster.matching import Matcher, check_needs
from linkage.imports.roster.reading import GroupReader
from linkage.imports.values import folded, plain
from linkage.people.identity import normalise_id_number
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
    known: Known = field(default_factory=Known)


def look_up(scene: Scene) -> LookedUp:
    """Services by both names and code; communities below the file's area by name and code."""
    services: dict[str, Service] = {}
    for service in services_on(scene.today):
        for word in (service.name_zh, service.name_en, service.code):
            services.setdefault(word, service)
    return LookedUp(services, communities_below(scene.area))


def communities_below(area: Area) -> dict[str, Area]:
    """The communities and grids below an area, by name (with and without its last word) and code."""
    below = db.session.scalars(
        select(Area).where(Area.level.in_(("community", "grid")), Area.closed_on.is_(None)).order_by(Area.code)
    )
    return by_words((row for row in below if is_under(row, area.path)), ("社区", "居委会"))


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


def group_of_needs(rows: list[Row]) -> list[list[Row]]:
    """Rows of one household: the same number, else the same ID number, else the same name."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        community, number = row.text("community"), row.text("number")
        person = row.text("id_number") or row.text("name")
        groups.setdefault((community, number) if number else (community, "", person), []).append(row)
    return list(groups.values())


def prepare(groups: Sequence[list[Row]], scene: Scene) -> None:
    """Look up the people of many groups by their ID numbers, and which household numbers are taken."""
    numbers = set()
    for rows in groups:
        for row in rows:
            if row.text("id_number"):
                numbers.add(normalise_id_number(plain(row.cells["id_number"])[0]))
    scene.looked_up.known.look_up(numbers, scene.area)


def examine(rows: list[Row], scene: Scene) -> Examined:
    """Read a group, compare it with what is stored, ask whether it could be taken in."""
    return _examine(rows, scene, only_known=False)


def examine_needs(rows: list[Row], scene: Scene) -> Examined:
    """The same for needs alone: their household must be registered."""
    return _examine(rows, scene, only_known=True)


def _examine(rows: list[Row], scene: Scene, *, only_known: bool) -> Examined:
    reader = GroupReader(rows, scene)
    plan = reader.plan()
    plan.only_needs = only_known
    if plan.members and plan.area.level in ("community", "grid"):
        Matcher(plan, reader, scene.actor, scene.today, scene.looked_up.known).match()
        if plan.household is not None or not only_known:
            check_needs(plan, reader, scene.today)
    known = plan.household is not None
    changes = comparing.compare(plan, scene.today) if known and not reader.faults else []
    state = "new" if not known else "changed" if changes else "same"
    examined = Examined(reader.faults, state, len(plan.members), len(plan.needs), changes, reader.repairs, plan)
    examined.title = plan.members[0].draft.name if plan.members else rows[0].text("name")
    examined.number = plan.number or (plan.household.number if plan.household else "")
    examined.where = plan.facts.get("address", "")
    if not only_known:
        examined.keys = [
            (blind("imports.once", member.draft.id_number), member.rows[0], "id_number")
            for member in plan.members
            if member.draft.id_number and member.relation != "contact"
        ]
    return examined


def take(examined: Examined, ticked: set[str], by: Actor, now: datetime) -> dict[str, Any]:
    return taking.take(examined, ticked, by, now)


def count(number: int) -> str:
    return ngettext("%(num)d household", "%(num)d households", number)


RULES = (
    _l("Rows with the same household number are one household: it enters whole or not at all."),
    _l("One row for each person; a second row of the same person for a second need."),
)
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
        take=take,
        count=count,
        lead=_l("Households, members and needs from an Excel or CSV file."),
        rules=RULES,
        listing="households.listing",
        prepare=prepare,
    )
)
HOUSEHOLD_COLUMNS = tuple(column for column in COLUMNS if column.part != "need")
HOUSEHOLDS = register(
    replace(
        ROSTER,
        name="households",
        title=_l("Households and members"),
        columns=HOUSEHOLD_COLUMNS,
        lead=_l("Households and who lives in them, without needs."),
        rules=RULES[:1],
    )
)
NEED_COLUMNS = tuple(
    replace(column, required=column.name in ("name", "service", "starts_on"))
    for column in COLUMNS
    if column.part == "need" or column.name in ("number", "community", "name", "id_number")
)
NEEDS = register(
    replace(
        ROSTER,
        name="needs",
        title=_l("Needs of registered households"),
        columns=NEED_COLUMNS,
        group=group_of_needs,
        examine=examine_needs,
        lead=_l("What households that are registered ask for: a row for each need."),
        rules=(_l("A household is found by its number and a name, or by the ID number of somebody who lives there."),),
        listing="needs.listing",
    )
)
