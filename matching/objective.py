"""The objective: its tiers, its terms with their units, and the exchange rates between them.

Lexicographic: first the unserved mandatory visits, then the unserved visits of tier 0, tier 1, ...;
then one whole number, the weighted sum of the terms below. Strict tiers for all terms would need
numbers of about 10^40 and plan badly, so the terms trade against each other at stated rates.

The unit of the sum is the *point*: 100 points are one minute of travel, and one point is one fen.
So by default a minute on the road is worth one yuan, a coordinator moves nobody for less than twenty
minutes saved (2,000 points per person told), a household meets a new face only if that saves a
quarter of an hour, and a standing assignment is broken only for more than an hour.
"""

from dataclasses import dataclass

from matching.fields import bounded

TIERS = 10


def _points(default: int) -> int:
    return bounded(0, 10**9, default=default, unit="points")


@dataclass(frozen=True, slots=True)
class ObjectiveWeights:
    """Points per unit of each term (whole numbers >= 0)."""

    tardiness_per_minute: int = _points(300)
    max_tardiness_per_minute: int = _points(1_000)
    outside_preferred_per_minute: int = _points(30)
    new_face: int = _points(1_500)
    not_previous: int = _points(800)
    wish_missed: int = _points(1_000)
    not_preferred: int = _points(500)
    standing_broken: int = _points(6_000)
    unfairness_per_minute: int = _points(50)
    cost_per_fen: int = _points(1)
    travel_per_minute: int = _points(100)
    told_per_person: int = _points(2_000)


@dataclass(frozen=True, slots=True)
class ObjectiveVector:
    """How good a plan is, term by term, in the terms' own units; less is better throughout.

    Parameters
    ----------
    unserved_mandatory, unserved_by_tier
        Visits not fully staffed: the mandatory ones; the optional ones in each of the ten tiers.
    tardiness_minutes, max_tardiness_minutes
        Minutes by which slots start after the end of their window: the sum, and the largest.
    outside_preferred_minutes
        Sum over slots of minutes to the nearest preferred window (0 without one).
    new_faces
        Different pairs (household, caregiver) in the plan of whom the household does not know.
    not_previous, not_preferred
        Slots whose visit lists previous (preferred) caregivers and that got someone else.
    wishes_missed
        Soft gender and language wishes not met, counted per slot and wish.
    standing_broken
        Slots served by another than their standing caregiver.
    unfairness_minutes
        Sum over caregivers of floor(work^2 / capacity), work and capacity in minutes: least, for a
        given amount of work, when everyone carries the same share of their capacity.
    cost_fen
        Charged units * the line's price, plus service minutes * the caregiver's own cost per minute
        for slots without a line.
    travel_minutes
        Travel of all routes, access not included.
    people_told
        Different caregivers and households for whom something of the running plan changes.
    total
        The weighted sum of the terms, in points (unserved visits are not in it).
    """

    unserved_mandatory: int = 0
    unserved_by_tier: tuple[int, ...] = (0,) * TIERS
    tardiness_minutes: float = 0
    max_tardiness_minutes: float = 0
    outside_preferred_minutes: float = 0
    new_faces: int = 0
    not_previous: int = 0
    not_preferred: int = 0
    wishes_missed: int = 0
    standing_broken: int = 0
    unfairness_minutes: int = 0
    cost_fen: float = 0
    travel_minutes: float = 0
    people_told: int = 0
    total: float = 0

    @property
    def unserved(self) -> int:
        """All visits that are not fully staffed."""
        return self.unserved_mandatory + sum(self.unserved_by_tier)

    @property
    def key(self) -> tuple[float, ...]:
        """What plans are compared by: smaller is better."""
        return (self.unserved_mandatory, *self.unserved_by_tier, self.total)
