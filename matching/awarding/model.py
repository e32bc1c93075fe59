"""The input of an award: lots, bidders, conforming or not yet judged offers, and the rules declared in the notice."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from matching.codec import check_bounds, decode
from matching.errors import InvalidInstance
from matching.fields import count, fen, minutes

POINTS = 10_000
"""A hundred points, in hundredths."""
MAX_LOTS, MAX_OFFERS = 2_000, 100_000


class Rule(StrEnum):
    """How lots are given (定标规则).

    ``by_rank`` (A): each lot to its best offer. ``by_rank_limited`` (B): the same lot by lot in their order, but a
    bidder who has the greatest number of lots is passed over. ``optimised`` (C): the best set over all lots.
    """

    BY_RANK = "by_rank"
    BY_RANK_LIMITED = "by_rank_limited"
    OPTIMISED = "optimised"


class Goal(StrEnum):
    """What the optimised rule wants, in the order that the notice declares."""

    LOTS = "lots"
    SCORE = "score"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot (包): what it may cost, what the price counts, and what it takes of its supplier's time."""

    id: str
    ceiling_fen: int = fen()
    price_weight: int = count(high=POINTS)
    service_minutes: int = minutes(default=0)


@dataclass(frozen=True, slots=True)
class Bidder:
    """An organisation that bids, with what it can carry at the most (None: as much as it gets)."""

    id: str
    capacity_minutes: int | None = minutes(default=None)
    most_lots: int | None = count(low=1, default=None)


@dataclass(frozen=True, slots=True)
class Part:
    """What an offer asks for one lot, and its points without the price (hundredths)."""

    lot: str
    price_fen: int = fen()
    quality: int = count(high=POINTS)


@dataclass(frozen=True, slots=True)
class Offer:
    """A bid on one lot, or on several together: all of them or none (组合报价)."""

    id: str
    bidder: str
    parts: tuple[Part, ...]

    @property
    def price_fen(self) -> int:
        return sum(part.price_fen for part in self.parts)

    @property
    def quality(self) -> int:
        return sum(part.quality for part in self.parts)


@dataclass(frozen=True, slots=True)
class Tender:
    """Everything that decides an award.

    Parameters
    ----------
    rule
        The rule declared in the notice; without a declaration the law's: each lot by rank.
    least_bidders
        A lot with fewer conforming bidders fails (废标): 3, or 2 where the method allows it.
    least_quality
        An offer with fewer points (hundredths, price left out) on a lot does not conform.
    most_lots
        Lots one bidder may get, for B and C.
    most_share_permille, least_suppliers, budget_fen
        For C: the greatest share of all ceilings for one bidder, the least number of winners, what all may cost.
    goals
        For C: compared in this order.
    draw
        Offers in the order of a recorded draw: decides what rank and goals leave open.
    """

    lots: tuple[Lot, ...]
    bidders: tuple[Bidder, ...]
    offers: tuple[Offer, ...]
    rule: Rule = Rule.BY_RANK
    least_bidders: int = count(low=1, high=20, default=3)
    least_quality: int = count(high=POINTS, default=0)
    most_lots: int | None = count(low=1, default=None)
    most_share_permille: int | None = count(low=1, high=1000, default=None)
    least_suppliers: int = count(default=0)
    budget_fen: int | None = fen(default=None)
    goals: tuple[Goal, ...] = (Goal.LOTS, Goal.SCORE, Goal.COST)
    draw: tuple[str, ...] = ()


def tender_from_json(text: str | bytes) -> Tender:
    """Read and check a tender. Raises `InvalidInstance`, naming the field."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidInstance("(file)", f"is not JSON: {problem}") from None
    return checked(decode(Tender, data, InvalidInstance))


def checked(tender: Tender) -> Tender:
    """The tender, if it does not contradict itself. Raises `InvalidInstance`, naming the field."""
    check_bounds(tender, InvalidInstance)
    for name, most in (("lots", MAX_LOTS), ("offers", MAX_OFFERS)):
        if len(getattr(tender, name)) > most:
            raise InvalidInstance(name, f"has {len(getattr(tender, name))} entries", f"at most {most}")
    for name in ("lots", "bidders", "offers"):
        _unique((row.id for row in getattr(tender, name)), name)
    _unique(tender.draw, "draw")
    _unique(tender.goals, "goals")
    lots = {lot.id: lot for lot in tender.lots}
    bidders = {bidder.id for bidder in tender.bidders}
    for place, offer in enumerate(tender.offers):
        if offer.bidder not in bidders:
            raise InvalidInstance(f"offers[{place}].bidder", f"{offer.bidder!r} is not among the bidders")
        if not offer.parts:
            raise InvalidInstance(f"offers[{place}].parts", "is empty", "an offer names at least one lot")
        _unique((part.lot for part in offer.parts), f"offers[{place}].parts")
        for number, part in enumerate(offer.parts):
            _check_part(part, lots, f"offers[{place}].parts[{number}]")
    known = {offer.id for offer in tender.offers}
    for place, drawn in enumerate(tender.draw):
        if drawn not in known:
            raise InvalidInstance(f"draw[{place}]", f"{drawn!r} is not among the offers")
    return tender


def _check_part(part: Part, lots: dict[str, Lot], path: str) -> None:
    if part.lot not in lots:
        raise InvalidInstance(f"{path}.lot", f"{part.lot!r} is not among the lots")
    if part.price_fen == 0:
        raise InvalidInstance(f"{path}.price_fen", "is 0", "a price is at least 1 fen")
    most = POINTS - lots[part.lot].price_weight
    if part.quality > most:
        raise InvalidInstance(
            f"{path}.quality", f"is {part.quality}", f"with the price it would pass 100: at most {most}"
        )


def _unique(ids: Iterable[str], path: str) -> None:
    twice = [name for name, times in Counter(ids).items() if times > 1]
    if twice:
        raise InvalidInstance(path, f"{twice[0]!r} stands in it twice")
