"""From the rows of a group to a plan, with every fault of the cells themselves. Nothing stored is asked here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from linkage.households.drafts import ConsentDraft, TagDraft
from linkage.households.models import CARE_LEVELS
from linkage.imports import values
from linkage.imports.cells import CellReader
from linkage.imports.kinds import Row, Scene
from linkage.imports.roster.columns import COLUMNS
from linkage.imports.roster.plans import MemberPlan, NeedPlan, RosterPlan
from linkage.needs.recurrence import weekly
from linkage.people.identity import birth_date_of, sex_of
from linkage.people.operations import PersonDraft

PERSON_FIELDS = ("relation", "id_number", "sex", "birth_date", "telephone", "languages")
NEED_FIELDS = (
    "starts_on", "recurrence", "ends_on", "window", "window_start", "window_end", "duration", "people", "preferred",
    "gender", "note",
)  # fmt: skip
# Facts of the household: said once, or joined where rows say different things.
JOINED = ("health", "hazard", "door_note")


class GroupReader(CellReader):
    """Reads the rows of one household; `faults` and `repairs` gather what was found on the way."""

    def __init__(self, rows: list[Row], scene: Scene) -> None:
        super().__init__(rows, scene, COLUMNS)

    def plan(self) -> RosterPlan:
        """The plan, as far as the rows give one; faults stand in `faults`."""
        members = self._members()
        plan = RosterPlan(
            area=self._area(),
            number=self._said_once("number"),
            facts=self._facts(members),
            members=members,
            actor=self.scene.actor,
        )
        plan.rows = {name: self._first_row(name) for name in ("number", "community", "address", "consent_on")}
        self._demand_members(plan)
        plan.tags = self._tags(members)
        plan.consents = self._consents()
        plan.needs = self._needs(members)
        return plan

    # The household

    def _area(self) -> Any:
        area = self._said_once("community") or self.scene.area
        if area.level not in ("community", "grid") and not self.is_faulty(self._first_row("community"), "community"):
            self.fault(
                0,
                "community",
                "required",
                _l("Which community?"),
                _l("Name the community of this household, or choose one community for the whole file."),
            )
        return area

    def _first_row(self, name: str) -> int:
        return next((place for place, row in enumerate(self.rows) if row.text(name)), 0)

    def _said_once(self, name: str, but: set[int] | None = None) -> Any:
        """The value that every row that states it agrees on; a row that differs is a fault."""
        first: Any = None
        first_place = 0
        for place, cells in enumerate(self.cells):
            if name not in cells or place in (but or set()):
                continue
            if first is None:
                first, first_place = cells[name], place
            elif cells[name] != first:
                self.fault(
                    place,
                    name,
                    "differs",
                    _l("Row %(row)s says something else", row=self.rows[first_place].number),
                    _l("One household has one: make the rows agree."),
                    self.rows[first_place].text(name),
                )
        return first

    def _facts(self, members: list[MemberPlan]) -> dict[str, str]:
        elsewhere = {row for member in members if member.relation == "contact" for row in member.rows}
        address = self._said_once("address", but=elsewhere)
        facts = {"address": address} if address else {}
        for name in JOINED:
            said = dict.fromkeys(cells[name] for cells in self.cells if name in cells)
            if said:
                facts[name] = "；".join(said)
        levels = [cells["care_level"] for cells in self.cells if "care_level" in cells]
        if levels:
            facts["care_level"] = max(levels, key=lambda level: ("", *CARE_LEVELS).index(level))
        return facts

    # People

    def _members(self) -> list[MemberPlan]:
        members: list[MemberPlan] = []
        for place, cells in enumerate(self.cells):
            name = cells.get("name")
            if name is None and not self.is_faulty(place, "name"):
                if members:
                    members[-1].rows.append(place)
                else:
                    self.fault(place, "name", "required", _l("The name is missing"), _l("Write the name."))
            elif name is not None:
                known = self._same_person(members, place, name)
                if known is None:
                    members.append(self._member(place, name, first=not members))
                else:
                    self._add_to(known, place)
        return members

    def _same_person(self, members: list[MemberPlan], place: int, name: str) -> MemberPlan | None:
        """Somebody named above: by ID number where both rows have one, else by name and birth date."""
        cells = self.cells[place]
        for member in members:
            both_numbers = member.draft.id_number and cells.get("id_number")
            if both_numbers:
                if member.draft.id_number == cells["id_number"]:
                    return member
            elif member.draft.name == name and cells.get("birth_date") in (None, member.draft.birth_date):
                return member
        return None

    def _member(self, place: int, name: str, *, first: bool) -> MemberPlan:
        cells = self.cells[place]
        draft = PersonDraft(
            name=name,
            birth_date=self._birth_date(place),
            sex=self._sex(place),
            telephone=cells.get("telephone"),
            id_number=cells.get("id_number"),
            languages=tuple(cells.get("languages", ("mandarin",))),
        )
        given = {field for field in PERSON_FIELDS if field in cells} | {"name"}
        if draft.birth_date:
            given.add("birth_date")
        if draft.sex:
            given.add("sex")
        return MemberPlan(draft, cells.get("relation", "self" if first else "other"), [place], given)

    def _add_to(self, member: MemberPlan, place: int) -> None:
        """A second row of the same person may add facts, not contradict them."""
        member.rows.append(place)
        cells = self.cells[place]
        for name in ("id_number", "sex", "birth_date", "telephone", "languages"):
            if name not in cells:
                continue
            value: Any = tuple(cells[name]) if name == "languages" else cells[name]
            if name not in member.given:
                facts: dict[str, Any] = {name: value}
                member.draft = replace(member.draft, **facts)
                member.given.add(name)
            elif getattr(member.draft, name) != value:
                first = self.rows[member.rows[0]]
                self.fault(
                    place,
                    name,
                    "differs",
                    _l("Row %(row)s says something else", row=first.number),
                    _l("It is the same person: make the rows agree."),
                    first.text(name) or None,
                )

    def _birth_date(self, place: int) -> date | None:
        """From the cell and from the ID number, which must agree; the ID number is the better witness."""
        cells = self.cells[place]
        number, said = cells.get("id_number"), cells.get("birth_date")
        proven = birth_date_of(number) if number else None
        if proven is not None and proven > self.scene.today:
            self.fault(place, "id_number", "future", _l("The birth date in it is still to come"), WRITE_CARD)
        if proven and self.is_faulty(place, "birth_date"):
            self.faults = [
                replace(fault, fix=proven.isoformat(), remedy=_l("The ID number says %(day)s.", day=proven.isoformat()))
                if fault.row == place and fault.field == "birth_date"
                else fault
                for fault in self.faults
            ]
        elif proven and said not in (None, proven):
            self.fault(
                place,
                "birth_date",
                "other_birth_date",
                _l("The ID number says another day"),
                _l("The ID number says %(day)s.", day=proven.isoformat()),
                proven.isoformat(),
            )
        elif said is not None and said > self.scene.today:
            self.fault(place, "birth_date", "future", _l("This day is still to come."), values.WRITE_DAY)
        return proven or said

    def _sex(self, place: int) -> str | None:
        cells = self.cells[place]
        number, said = cells.get("id_number"), cells.get("sex")
        proven = sex_of(number) if number else None
        if proven and said not in (None, proven):
            word = "女" if proven == "F" else "男"
            remedy = _l("The ID number says %(sex)s.", sex=word)
            self.fault(place, "sex", "other_sex", _l("The ID number says another sex"), remedy, word)
        return proven or said

    def _demand_members(self, plan: RosterPlan) -> None:
        served = [member for member in plan.members if member.relation != "contact"]
        if plan.members and not served:
            place = plan.members[0].rows[0]
            self.fault(place, "relation", "nobody", _l("Nobody of this household lives there"), WRITE_HEAD, "本人")

    # What hangs on the household

    def _tags(self, members: list[MemberPlan]) -> list[TagDraft]:
        """Tags in a row of the first member are the household's, in another row that person's."""
        tags: dict[tuple[str, int | None], TagDraft] = {}
        for place, cells in enumerate(self.cells):
            owner = next((number for number, member in enumerate(members) if place in member.rows), 0)
            for code in cells.get("tags", ()):
                until, source = cells.get("tags_until"), cells.get("tag_source", "")
                member = owner or None
                tags.setdefault((code, member), TagDraft(code, source, None, until, member))
                if until is not None and until < self.scene.today:
                    self.fault(place, "tags_until", "over", _l("This day has passed."), LEAVE_OUT)
        return list(tags.values())

    def _consents(self) -> list[ConsentDraft]:
        given: dict[str, ConsentDraft] = {}
        for place, cells in enumerate(self.cells):
            day = cells.get("consent_on")
            if day is None:
                continue
            if day > self.scene.today:
                self.fault(place, "consent_on", "future", _l("This day is still to come."), values.WRITE_DAY)
                continue
            for purpose in cells.get("consent_for", ("service",)):
                given.setdefault(purpose, ConsentDraft(purpose, day))
        return list(given.values())

    def _needs(self, members: list[MemberPlan]) -> list[NeedPlan]:
        needs: dict[Any, NeedPlan] = {}
        for place, cells in enumerate(self.cells):
            owner = next((number for number, member in enumerate(members) if place in member.rows), None)
            if "service" not in cells:
                self._demand_service(place, cells)
            elif owner is not None:
                need = self._need(place, cells, owner)
                if need is not None:
                    same = (need.member, need.service.id, need.facts["starts_on"], need.facts["recurrence"])
                    if same in needs:
                        self.repairs["twice"] += 1
                    needs.setdefault(same, need)
        return list(needs.values())

    def _demand_service(self, place: int, cells: dict[str, Any]) -> None:
        stray = [name for name in ("starts_on", "window", "window_start", "recurrence") if name in cells]
        if stray and not self.is_faulty(place, "service"):
            self.fault(
                place,
                "service",
                "required",
                _l("Which service?"),
                _l("Name the service, or empty the cells of the need."),
            )

    def _need(self, place: int, cells: dict[str, Any], owner: int) -> NeedPlan | None:
        service = cells["service"]
        window = self._window(place, cells)
        if "starts_on" not in cells and not self.is_faulty(place, "starts_on"):
            self.fault(place, "starts_on", "required", _l("The first day is missing"), values.WRITE_DAY)
        if window is None or "starts_on" not in cells:
            return None
        rule = cells.get("recurrence")
        if rule == "FREQ=WEEKLY" or rule == "FREQ=WEEKLY;INTERVAL=2":
            rule = weekly([cells["starts_on"].weekday()], every=2 if "INTERVAL" in rule else 1)
        facts = {
            "starts_on": cells["starts_on"],
            "recurrence": rule,
            "ends_on": cells.get("ends_on"),
            "window_start": window[0],
            "window_end": window[1],
            "duration_minutes": cells.get("duration", service.default_minutes),
            "people": cells.get("people"),
            "preferred_start": cells.get("preferred"),
            "wishes": {"gender": cells["gender"]} if "gender" in cells else {},
            "note": cells.get("note", ""),
        }
        return NeedPlan(owner, service, facts, place, {name for name in NEED_FIELDS if name in cells})

    def _window(self, place: int, cells: dict[str, Any]) -> tuple[int, int] | None:
        if "window" in cells:
            start, end = cells["window"]
            return start, end
        start, end = cells.get("window_start"), cells.get("window_end")
        if start is not None and end is not None:
            return start, end
        for name in ("window", "window_start", "window_end"):
            if self.is_faulty(place, name):
                return None
        name = "window" if start is None and end is None else "window_end" if end is None else "window_start"
        self.fault(place, name, "required", _l("The hours are missing"), _l("Write from and to: 08:30-11:30."))
        return None


WRITE_CARD = _l("Compare it with the card.")
WRITE_HEAD = _l("“Family elsewhere” are told, never served: name at least one person who lives there.")
LEAVE_OUT = _l("Leave the tag out, or write its new last day.")
