"""Which offers conform, and their scores (价格分 and total)."""

from dataclasses import dataclass

from matching.awarding.model import Offer, Part, Tender


def price_score(lowest_fen: int, price_fen: int, weight: int) -> int:
    """(lowest conforming price / price) × weight, in hundredths of a point, half up.

    财政部令第87号《政府采购货物和服务招标投标管理办法》 article 55: the lowest price that meets the demands is the
    reference and has the full weight.
    """
    return (2 * lowest_fen * weight + price_fen) // (2 * price_fen)


@dataclass(frozen=True, slots=True)
class Scored:
    """An offer that conforms, with the total score of each of its parts (hundredths of a point)."""

    offer: Offer
    part_scores: tuple[int, ...]

    @property
    def score(self) -> int:
        return sum(self.part_scores)


@dataclass(frozen=True, slots=True)
class Excluded:
    """An offer that takes no part: ``above_ceiling``, ``below_quality`` or ``lot_failed``, on which lot."""

    offer: str
    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conformity:
    """What remains of the offers, and what fell out of it and why."""

    scored: tuple[Scored, ...]
    excluded: tuple[Excluded, ...]
    failed_lots: tuple[str, ...]


def conformity(tender: Tender) -> Conformity:
    """Judge every offer, fail lots with too few conforming bidders, and score what remains.

    The lowest price of a lot is sought among all conforming offers on it, combined ones included.
    """
    ceilings = {lot.id: lot.ceiling_fen for lot in tender.lots}
    excluded = [found for offer in tender.offers if (found := _fault(offer, ceilings, tender.least_quality))]
    out = {row.offer for row in excluded}
    conforming = [offer for offer in tender.offers if offer.id not in out]
    bidders: dict[str, set[str]] = {lot.id: set() for lot in tender.lots}
    lowest: dict[str, int] = {}
    for offer in conforming:
        for part in offer.parts:
            bidders[part.lot].add(offer.bidder)
            lowest[part.lot] = min(part.price_fen, lowest.get(part.lot, part.price_fen))
    failed = {lot for lot, names in bidders.items() if len(names) < tender.least_bidders}
    weights = {lot.id: lot.price_weight for lot in tender.lots}
    scored = []
    for offer in conforming:
        lost = next((part.lot for part in offer.parts if part.lot in failed), None)
        if lost is not None:
            excluded.append(Excluded(offer.id, lost, "lot_failed"))
            continue
        scores = (
            part.quality + price_score(lowest[part.lot], part.price_fen, weights[part.lot]) for part in offer.parts
        )
        scored.append(Scored(offer, tuple(scores)))
    return Conformity(tuple(scored), tuple(excluded), tuple(lot.id for lot in tender.lots if lot.id in failed))


def _fault(offer: Offer, ceilings: dict[str, int], least_quality: int) -> Excluded | None:
    def fault(part: Part) -> str:
        if part.price_fen > ceilings[part.lot]:
            return "above_ceiling"
        return "below_quality" if part.quality < least_quality else ""

    return next((Excluded(offer.id, part.lot, reason) for part in offer.parts if (reason := fault(part))), None)
