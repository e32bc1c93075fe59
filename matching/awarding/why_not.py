"""What would have changed the result for an offer that lost (我为什么没中标), each answer verified by solving again."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from matching.awarding.award import award
from matching.awarding.model import POINTS, Offer, Part, Tender
from matching.awarding.optimum import NoAward
from matching.awarding.ranking import ranking
from matching.awarding.scores import conformity
from matching.errors import InvalidInstance


@dataclass(frozen=True, slots=True)
class WhyNot:
    """A losing offer's own figures and what it would have taken.

    Parameters
    ----------
    excluded
        Why it took no part, else empty.
    scores, ranks
        Per lot of the offer: total score (hundredths), and place among the single offers (None: no ranking).
    winning_price_fen
        The highest total price at which it would have won with its quality; None: price alone could not.
    winning_quality
        The least points without price (hundredths, over its lots) at which it would have won at its price; None:
        points alone could not.
    """

    offer: str
    excluded: str
    scores: tuple[int, ...]
    ranks: tuple[int | None, ...]
    winning_price_fen: int | None
    winning_quality: int | None


def why_not(tender: Tender, offer_id: str) -> WhyNot:
    """Explain why `offer_id` lost under the tender's rule.

    Raises `InvalidInstance` for an offer that is not there, or that won.
    """
    offer = next((row for row in tender.offers if row.id == offer_id), None)
    if offer is None:
        raise InvalidInstance("offers", f"{offer_id!r} is not among them")
    if _wins(tender, offer):
        raise InvalidInstance("offers", f"{offer_id!r} won")
    judged = conformity(tender)
    scored = next((row for row in judged.scored if row.offer.id == offer_id), None)
    gone = next((row.reason for row in judged.excluded if row.offer == offer_id), "")
    return WhyNot(
        offer=offer_id,
        excluded=gone,
        scores=scored.part_scores if scored else (),
        ranks=tuple(_rank(tender, part.lot, offer_id) for part in offer.parts),
        winning_price_fen=_highest_price(tender, offer),
        winning_quality=_least_quality(tender, offer),
    )


def _wins(tender: Tender, offer: Offer) -> bool:
    """Whether the offer wins when it is as given here."""
    offers = tuple(offer if row.id == offer.id else row for row in tender.offers)
    try:
        return any(row.offer == offer.id for row in award(replace(tender, offers=offers)).won)
    except NoAward:
        return False


def _rank(tender: Tender, lot: str, offer_id: str) -> int | None:
    ranked = next(row for row in ranking(tender, conformity(tender).scored) if row.lot == lot)
    return next((place for place, row in enumerate(ranked.offers, 1) if row.offer.id == offer_id), None)


def _highest_price(tender: Tender, offer: Offer) -> int | None:
    """Cheaper is never worse for the offer's own score, so a bisection finds the edge; it is tried on both sides."""
    least = len(offer.parts)
    return _edge(lambda price: _wins(tender, _priced(offer, price)), least, offer.price_fen - 1, down=True)


def _least_quality(tender: Tender, offer: Offer) -> int | None:
    weights = {lot.id: lot.price_weight for lot in tender.lots}
    most = sum(POINTS - weights[part.lot] for part in offer.parts)
    return _edge(lambda quality: _wins(tender, _better(offer, quality, weights)), offer.quality + 1, most, down=False)


def _edge(wins: Callable[[int], bool], low: int, high: int, *, down: bool) -> int | None:
    """The value in [low, high] nearest to today's that wins (`down`: today's lies above); None if not even the best."""
    best = low if down else high
    if low > high or not wins(best):
        return None
    while low < high:
        middle = (low + high + 1) // 2 if down else (low + high) // 2
        if wins(middle) == down:
            low = middle if down else middle + 1
        else:
            high = middle - 1 if down else middle
    return low


def _priced(offer: Offer, total: int) -> Offer:
    """The offer at a lower total, each part cut in proportion (what rounding leaves goes to the first part)."""
    before = offer.price_fen
    prices = [max(1, part.price_fen * total // before) for part in offer.parts]
    prices[0] = max(1, prices[0] + total - sum(prices))
    return replace(offer, parts=_with(offer, prices, lambda part, price: replace(part, price_fen=price)))


def _better(offer: Offer, total: int, weights: dict[str, int]) -> Offer:
    """The offer with more points: given to its parts in their order, each up to its greatest."""
    left, qualities = total - offer.quality, []
    for part in offer.parts:
        more = min(left, POINTS - weights[part.lot] - part.quality)
        qualities.append(part.quality + more)
        left -= more
    return replace(offer, parts=_with(offer, qualities, lambda part, quality: replace(part, quality=quality)))


def _with(offer: Offer, values: list[int], change: Callable[[Part, int], Part]) -> tuple[Part, ...]:
    return tuple(change(part, value) for part, value in zip(offer.parts, values, strict=True))
