"""Rules A and B: each lot to its best single offer, with or without a limit of lots per bidder."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from matching.awarding.model import Tender
from matching.awarding.scores import Scored


@dataclass(frozen=True, slots=True)
class Ranked:
    """The single offers on one lot, best first; `tied`: the first two differ neither in rank nor by the draw."""

    lot: str
    offers: tuple[Scored, ...]


def ranking(tender: Tender, scored: Sequence[Scored]) -> list[Ranked]:
    """Single offers of each lot: score down, then price up, then the recorded draw.

    财政部令第87号 article 57: by score from high to low; equal scores by price from low to high; equal in both, side
    by side, which the draw declared in the notice decides. Combined offers have no place in a ranking per lot.
    """
    drawn = {name: place for place, name in enumerate(tender.draw)}
    by_lot: dict[str, list[Scored]] = {lot.id: [] for lot in tender.lots}
    for row in scored:
        if len(row.offer.parts) == 1:
            by_lot[row.offer.parts[0].lot].append(row)

    def place(row: Scored) -> tuple[int, int, int, str]:
        return -row.score, row.offer.price_fen, drawn.get(row.offer.id, len(drawn)), row.offer.id

    return [Ranked(lot, tuple(sorted(rows, key=place))) for lot, rows in by_lot.items()]


def by_rank(tender: Tender, scored: Sequence[Scored], *, limited: bool) -> tuple[list[Scored], bool]:
    """The winning offers, and whether rank and draw decided every lot.

    With `limited`, lots are given in their order, and a bidder with `most_lots` is passed over for the next in rank.
    """
    own = {bidder.id: bidder.most_lots for bidder in tender.bidders}
    has: Counter[str] = Counter()
    winners, decided = [], True
    for lot in ranking(tender, scored):
        open_to = [
            row for row in lot.offers if not limited or _room(tender, own[row.offer.bidder], has[row.offer.bidder])
        ]
        if not open_to:
            continue
        winners.append(open_to[0])
        has[open_to[0].offer.bidder] += 1
        decided = decided and not (len(open_to) > 1 and _side_by_side(tender, open_to[0], open_to[1]))
    return winners, decided


def _room(tender: Tender, own: int | None, has: int) -> bool:
    return all(most is None or has < most for most in (tender.most_lots, own))


def _side_by_side(tender: Tender, one: Scored, other: Scored) -> bool:
    same = (one.score, one.offer.price_fen) == (other.score, other.offer.price_fen)
    return same and one.offer.id not in tender.draw
