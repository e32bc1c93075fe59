"""Made-up tenders of any size, from a seed: for measuring and for tests against another solver."""

import random

from matching.awarding.model import Bidder, Lot, Offer, Part, Rule, Tender


def made_up(seed: int, lots: int, bidders: int, *, offers_per_lot: int = 20, combined: float = 0.25) -> Tender:
    """A tender under rule C: each lot with about `offers_per_lot` bidders, and a share of combined offers among them.

    A combined offer is cheaper than its parts alone, as bidders make them; bidders differ in what they can carry.
    """
    chance = random.Random(seed)
    rows = tuple(
        Lot(
            f"L{n}",
            chance.randrange(200_000_00, 3_000_000_00),
            chance.choice((1000, 2000, 3000)),
            chance.randrange(2_000, 90_000),
        )
        for n in range(lots)
    )
    people = tuple(
        Bidder(f"B{n}", chance.randrange(100_000, 400_000), chance.choice((None, 3, 5, 8))) for n in range(bidders)
    )
    offers: list[Offer] = []
    for bidder in people:
        wanted = [lot for lot in rows if chance.random() < offers_per_lot / bidders]
        level = chance.uniform(0.75, 0.98)
        parts = {lot.id: _part(chance, lot, level) for lot in wanted}
        offers += [Offer(f"{bidder.id}-{lot.id}", bidder.id, (parts[lot.id],)) for lot in wanted]
        for number in range(int(combined * len(wanted))):
            together = chance.sample(wanted, min(len(wanted), chance.choice((2, 2, 3))))
            if len(together) < 2:
                continue
            cheaper = chance.uniform(0.9, 0.99)
            cut = tuple(Part(lot.id, int(parts[lot.id].price_fen * cheaper), parts[lot.id].quality) for lot in together)
            offers.append(Offer(f"{bidder.id}-combined{number}", bidder.id, cut))
    draw = [offer.id for offer in offers]
    chance.shuffle(draw)
    return Tender(
        lots=rows,
        bidders=people,
        offers=tuple(offers),
        rule=Rule.OPTIMISED,
        least_quality=3_000,
        most_lots=8,
        most_share_permille=200,
        least_suppliers=min(5, bidders),
        draw=tuple(draw),
    )


def _part(chance: random.Random, lot: Lot, level: float) -> Part:
    price = int(lot.ceiling_fen * min(1.0, level * chance.uniform(0.9, 1.05)))
    return Part(lot.id, max(1, price), int((10_000 - lot.price_weight) * chance.uniform(0.5, 0.98)))
