"""Ability assessment of the elderly (老年人能力评估, GB/T 42195-2022): 26 items, 90 points, five levels.

Pure: points in, total and level out. Source: DOMAIN.md section 2 (items, sums and boundaries); the descriptions of the
points are shortened from the standard's tables, for somebody who asks at the kitchen table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

LEVELS = ("intact", "mild", "moderate", "severe", "total")
# A level holds from so many points on: 90 intact, 66-89 mild, 46-65 moderate, 30-45 severe, 0-29 total.
FLOORS = {"intact": 90, "mild": 66, "moderate": 46, "severe": 30, "total": 0}
EVENTS = ("fall", "lost", "choking", "self_harm", "other")
EVENTS_THAT_COUNT = 2  # so many within 30 days make it one level worse


@dataclass(frozen=True)
class Item:
    """One question. `points`: what each answer means, the best first; the last one is 0 points."""

    code: str
    name: Any
    answers: tuple[Any, ...]

    @property
    def top(self) -> int:
        return len(self.answers) - 1

    @property
    def options(self) -> list[tuple[int, Any]]:
        """(points, what it means), the best first."""
        return [(self.top - place, text) for place, text in enumerate(self.answers)]


@dataclass(frozen=True)
class Part:
    code: str
    name: Any
    items: tuple[Item, ...]

    @property
    def top(self) -> int:
        return sum(item.top for item in self.items)


ALONE = (
    _l("Alone, without help"),
    _l("When somebody tells or reminds them"),
    _l("With some help, but mostly by themselves"),
    _l("Mostly by somebody else; they help along"),
    _l("Entirely by somebody else"),
)
SELF_CARE = Part(
    "self_care",
    _l("Looking after oneself"),
    (
        Item(
            "eating",
            _l("Eating"),
            (
                _l("Eats alone, does not choke"),
                _l("Eats when told or reminded, or with an aid; does not choke"),
                _l("Needs a hand now and then, or chokes once a month or more"),
                _l("Needs much help, or chokes once a week or more"),
                _l("Is fed, can hardly swallow, or has a feeding tube"),
            ),
        ),
        Item("grooming", _l("Washing the face, teeth, hair, nails"), ALONE),
        Item("bathing", _l("Bathing"), ALONE),
        Item("upper_clothes", _l("Putting a top on and off"), ALONE),
        Item("lower_clothes", _l("Putting trousers, socks and shoes on and off"), ALONE),
        Item(
            "bladder",
            _l("Holding water"),
            (
                _l("Always, day and night"),
                _l("By day; at night sometimes not"),
                _l("By day mostly; it fails now and then"),
                _l("Fails often, by day too"),
                _l("Not at all, or has a catheter"),
            ),
        ),
        Item(
            "bowels",
            _l("Holding stool"),
            (
                _l("Always"),
                _l("Sometimes constipated or fails; manages alone with an aid"),
                _l("Often constipated or fails; needs a little help"),
                _l("Mostly constipated or fails; needs much help"),
                _l("Not at all; depends on others for it"),
            ),
        ),
        Item("toilet", _l("Using the toilet"), ALONE),
    ),
)
MOVEMENT = Part(
    "movement",
    _l("Moving"),
    (
        Item("bed_turning", _l("Turning and sitting up in bed"), ALONE),
        Item("bed_to_chair", _l("From bed to chair and back"), ALONE),
        Item(
            "walking",
            _l("Walking on level ground"),
            (
                _l("Some 50 metres alone, without a risk of falling"),
                _l("Some 50 metres, but could fall: with a stick, a frame or somebody beside"),
                _l("With a little support"),
                _l("With much support"),
                _l("Cannot walk"),
            ),
        ),
        Item(
            "stairs",
            _l("Stairs, 10 to 15 steps"),
            (
                _l("Alone"),
                _l("With a little support, or with an aid"),
                _l("With much support"),
                _l("Cannot climb stairs"),
            ),
        ),
    ),
)
MIND = Part(
    "mind",
    _l("State of mind"),
    (
        Item(
            "time",
            _l("Knows the time"),
            (
                _l("Knows year and month; the day may be off by one"),
                _l("Knows year and month; the day is off by two or more"),
                _l("Not year or month, but the season or half of the year"),
                _l("Only morning or afternoon, day or night"),
                _l("Has no sense of time"),
            ),
        ),
        Item(
            "space",
            _l("Knows the place"),
            (
                _l("Goes out alone in the neighbourhood"),
                _l("Does not go out alone, but knows exactly where home is"),
                _l("Does not go out alone; knows much of the address"),
                _l("Does not go out alone; knows little of the address"),
                _l("Has no sense of place"),
            ),
        ),
        Item(
            "people",
            _l("Knows people"),
            (
                _l("Knows those who live there, by name and relation"),
                _l("Knows most of them, by name or relation"),
                _l("Knows some of family or carers"),
                _l("Knows only themselves, or very few"),
                _l("Knows nobody, not even themselves"),
            ),
        ),
        Item(
            "memory",
            _l("Memory"),
            (
                _l("As good as at that age"),
                _l("Slightly confused: of three words one or none is left after five minutes"),
                _l("Forgets what has just been, such as the last meal"),
                _l("Forgets what was long ago, such as old friends"),
                _l("Remembers nothing rightly"),
            ),
        ),
        Item(
            "understanding",
            _l("Understanding"),
            (
                _l("Understands what is said"),
                _l("Understands, but needs time"),
                _l("Only when it is repeated or made simple"),
                _l("Hardly, with much help"),
                _l("Understands nothing of what is said"),
            ),
        ),
        Item(
            "speaking",
            _l("Making oneself understood"),
            (
                _l("Says what they think"),
                _l("Says what they need, but needs time"),
                _l("Only with repeating, or in simple words"),
                _l("Hardly, with much help"),
                _l("Cannot say what they need"),
            ),
        ),
        Item("aggression", _l("Attacks others"), (_l("No"), _l("Within the last month, by hand or with words"))),
        Item("depression", _l("Low spirits"), (_l("No"), _l("Within the last month"))),
        Item(
            "awareness",
            _l("Awareness"),
            (
                _l("Awake, and answers as one would expect"),
                _l("Drowsy or dazed: wakes when called or moved, then sleeps again"),
                _l("Wakes only when shaken hard, or not at all"),
            ),
        ),
    ),
)
TAKING_PART = Part(
    "taking_part",
    _l("Senses and taking part"),
    (
        Item(
            "sight",
            _l("Sight"),
            (
                _l("Reads the small print of a newspaper"),
                _l("Reads large print, or knows things apart"),
                _l("Sees only light and shapes, or nothing"),
            ),
        ),
        Item(
            "hearing",
            _l("Hearing"),
            (
                _l("Hears talk, and the television"),
                _l("Not when it is soft or two metres away; better in a quiet room"),
                _l("Only parts of what is said loud and slow, or nothing"),
            ),
        ),
        Item("errands", _l("Everyday matters: money, medicine, calls"), ALONE),
        Item(
            "transport",
            _l("Going out by bus or car"),
            (
                _l("Rides, or takes the bus alone"),
                _l("Takes a taxi alone, but no bus"),
                _l("Takes the bus when somebody comes along"),
                _l("Only by car with help, or does not go out"),
            ),
        ),
        Item(
            "company",
            _l("Being among people"),
            (
                _l("Takes part, and behaves as fits"),
                _l("Meets others of their own accord, in simple surroundings"),
                _l("Answers, but does not begin; is easily deceived"),
                _l("Can hardly be talked with"),
                _l("Cannot be with others"),
            ),
        ),
    ),
)
PARTS = (SELF_CARE, MOVEMENT, MIND, TAKING_PART)
ITEMS = {item.code: item for part in PARTS for item in part.items}
TOP = sum(part.top for part in PARTS)


@dataclass(frozen=True)
class Factors:
    """What weighs besides the points.

    Attributes
    ----------
    coma : unconscious (昏迷): total, whatever the points
    dementia : F00-F03
    disorder : F04-F99, diagnosed by a specialist
    events : risk events of the last 30 days by kind
    """

    coma: bool = False
    dementia: bool = False
    disorder: bool = False
    events: Mapping[str, int] | None = None

    @property
    def one_worse(self) -> bool:
        return self.dementia or self.disorder or sum((self.events or {}).values()) >= EVENTS_THAT_COUNT


def missing(scores: Mapping[str, int]) -> list[str]:
    """The items without an answer, or with one that does not exist."""
    return [code for code, item in ITEMS.items() if not 0 <= scores.get(code, -1) <= item.top]


def part_sums(scores: Mapping[str, int]) -> list[int]:
    return [sum(scores[item.code] for item in part.items) for part in PARTS]


def level_of(total: int) -> str:
    """The level by points alone."""
    return next(level for level, floor in FLOORS.items() if total >= floor)


def final_level(total: int, factors: Factors) -> str:
    """The level: total for a coma; one level worse, once, for a diagnosis or repeated risk events.  DOMAIN.md 2."""
    if factors.coma:
        return "total"
    place = LEVELS.index(level_of(total)) + factors.one_worse
    return LEVELS[min(place, len(LEVELS) - 1)]
