"""The front door: award a tender by its declared rule, and show the three rules side by side."""

from collections import Counter
from dataclasses import dataclass, replace

from matching.awarding.model import Rule, Tender
from matching.awarding.optimum import SECONDS, NoAward, optimum
from matching.awarding.ranking import by_rank
from matching.awarding.scores import Conformity, Excluded, Scored, conformity


@dataclass(frozen=True, slots=True)
class Won:
    """A lot that is given: to which offer, for how much, with how many points (hundredths)."""

    lot: str
    offer: str
    bidder: str
    price_fen: int
    score: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule gives.

    Parameters
    ----------
    unfilled
        Lots that nobody gets although enough bidders conform.
    failed
        Lots with too few conforming bidders.
    concentration
        Herfindahl-Hirschman index of the bidders' shares in the awarded money, in ten-thousandths.
    optimal
        Proven best under the rule (by rank: by definition).
    unique
        Nothing else is as good: rank, goals and draw left no choice.
    """

    rule: Rule
    won: tuple[Won, ...]
    unfilled: tuple[str, ...]
    failed: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    cost_fen: int
    score: int
    winners: int
    concentration: int
    optimal: bool
    unique: bool


def award(tender: Tender, rule: Rule | None = None, *, seed: int = 0, seconds: float = SECONDS) -> Outcome:
    """Who gets which lot under `rule` (None: the tender's own).

    Raises `NoAward` where a least number of winners cannot be had.
    """
    rule, judged = rule or tender.rule, conformity(tender)
    if rule is Rule.OPTIMISED:
        best = optimum(tender, judged.scored, seed=seed, seconds=seconds)
        return _outcome(tender, rule, judged, best.winners, best.optimal, best.unique)
    winners, decided = by_rank(tender, judged.scored, limited=rule is Rule.BY_RANK_LIMITED)
    return _outcome(tender, rule, judged, tuple(winners), True, decided)


def compare(tender: Tender) -> tuple[Outcome, ...]:
    """Every rule on the same offers; a rule that can give nothing is left out."""
    outcomes = []
    for rule in Rule:
        try:
            outcomes.append(award(replace(tender, rule=rule)))
        except NoAward:
            continue
    return tuple(outcomes)


def _outcome(
    tender: Tender, rule: Rule, judged: Conformity, winners: tuple[Scored, ...], optimal: bool, unique: bool
) -> Outcome:
    order = {lot.id: place for place, lot in enumerate(tender.lots)}
    won = sorted(
        (
            Won(part.lot, row.offer.id, row.offer.bidder, part.price_fen, score)
            for row in winners
            for part, score in zip(row.offer.parts, row.part_scores, strict=True)
        ),
        key=lambda row: order[row.lot],
    )
    given = {row.lot for row in won}
    shares: Counter[str] = Counter()
    for row in won:
        shares[row.bidder] += row.price_fen
    cost = sum(shares.values())
    return Outcome(
        rule=rule,
        won=tuple(won),
        unfilled=tuple(lot.id for lot in tender.lots if lot.id not in given and lot.id not in judged.failed_lots),
        failed=judged.failed_lots,
        excluded=judged.excluded,
        cost_fen=cost,
        score=sum(row.score for row in won),
        winners=len(shares),
        concentration=sum(10_000 * share * share for share in shares.values()) // (cost * cost) if cost else 0,
        optimal=optimal,
        unique=unique,
    )
