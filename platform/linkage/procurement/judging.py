"""The formulas of an evaluation that need no database: low prices, outliers, supplements. Integers only.

Price scores, ranking and the award rules are `matching.awarding`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K")


@dataclass(frozen=True)
class LowPriceLimits:
    """Permille of the mean, of the next-lowest price, of the ceiling; a price must be strictly below to be low."""

    mean: int = 500
    next_lowest: int = 500
    ceiling: int = 450


def low_price_clauses(
    prices: Mapping[K, int], ceiling_fen: int, limits: LowPriceLimits | None = None
) -> dict[K, list[int]]:
    """Which clauses each conforming price of a lot falls under (异常低价审查): 1 mean, 2 next-lowest, 3 ceiling.

    Prices under none are left out. The next-lowest is the second price from below; with one price there is none.
    """
    limits = limits or LowPriceLimits()
    ordered = sorted(prices.values())
    total, count = sum(ordered), len(ordered)
    found: dict[K, list[int]] = {}
    for key, price in prices.items():
        clauses = []
        if price * count * 1000 < total * limits.mean:
            clauses.append(1)
        if count > 1 and price * 1000 < ordered[1] * limits.next_lowest:
            clauses.append(2)
        if price * 1000 < ceiling_fen * limits.ceiling:
            clauses.append(3)
        if clauses:
            found[key] = clauses
    return found


def outliers(points: Mapping[K, int], permille: int) -> list[K]:
    """Who lies further than `permille` of the panel's mean from that mean (of one criterion of one bid)."""
    total, count = sum(points.values()), len(points)
    return [key for key, given in points.items() if abs(given * count - total) * 1000 > total * permille]


def mean_points(points: Sequence[int]) -> int:
    """The mean of hundredths of a point, half up."""
    return (2 * sum(points) + len(points)) // (2 * len(points))


def supplement_fits(value_fen: int, before_fen: int, more_fen: int, permille: int) -> bool:
    """All supplements together stay within `permille` of the contract's value (政府采购法 article 49)."""
    return more_fen > 0 and (before_fen + more_fen) * 1000 <= value_fen * permille
