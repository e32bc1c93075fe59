"""When the search ends, as objects: by time, by iterations, by a proven gap, when told to, or what comes first.

A stopping rule is asked between short chunks of work (well under a second). `fraction` is how much of
its budget is used, in [0, 1]; the search cools down by it. An iteration budget is repeatable: the same
input, seed and budget give the same plan.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol


class Stop(Protocol):
    """A stopping rule: what it says nothing about never stops the search. `begin` is called once, at the start."""

    def begin(self) -> None:
        """Nothing to note, unless a rule does."""
        return

    def fraction(self, iterations: int) -> float:
        return 0.0

    def cancelled(self) -> bool:
        return False

    @property
    def repeatable(self) -> bool:
        return True

    def iterations_left(self, iterations: int) -> int | None:
        return None

    def seconds_left(self) -> float | None:
        return None

    @property
    def gap(self) -> float:
        return 0.0


@dataclass
class MaxRuntime(Stop):
    """Stop after `seconds` of wall time."""

    seconds: float
    _end: float = field(default=0.0, init=False)

    def begin(self) -> None:
        self._end = time.monotonic() + self.seconds

    def fraction(self, iterations: int) -> float:
        if self.seconds <= 0:
            return 1.0
        return min(1.0, max(0.0, 1 - (self._end - time.monotonic()) / self.seconds))

    @property
    def repeatable(self) -> bool:
        return False

    def seconds_left(self) -> float | None:
        return max(0.0, self._end - time.monotonic())


@dataclass
class MaxIterations(Stop):
    """Stop after so many iterations of the local search (0: construction only)."""

    iterations: int

    def fraction(self, iterations: int) -> float:
        return 1.0 if self.iterations <= 0 else min(1.0, iterations / self.iterations)

    def iterations_left(self, iterations: int) -> int | None:
        return max(0, self.iterations - iterations)


@dataclass
class Cancelled(Stop):
    """Stop when someone says so: an `Event` that is set, or a function that returns True."""

    asked: Event | Callable[[], bool] = field(default_factory=Event)

    def cancelled(self) -> bool:
        return self.asked.is_set() if isinstance(self.asked, Event) else bool(self.asked())


@dataclass
class WithinGap(Stop):
    """Stop as soon as the plan is proven to be within so many percent of the best possible sum of points.

    The proof is a lower bound, which there is only where CP-SAT takes the whole instance (see `exact`); so
    give it together with a limit of time or iterations. Unserved visits are always proven exactly.
    """

    percent: float

    @property
    def gap(self) -> float:
        return self.percent / 100


class FirstOf(Stop):
    """Stop when the first of several rules says so."""

    def __init__(self, *rules: Stop) -> None:
        self.rules = rules

    def begin(self) -> None:
        for rule in self.rules:
            rule.begin()

    def fraction(self, iterations: int) -> float:
        return max((rule.fraction(iterations) for rule in self.rules), default=1.0)

    def cancelled(self) -> bool:
        return any(rule.cancelled() for rule in self.rules)

    @property
    def repeatable(self) -> bool:
        return all(rule.repeatable for rule in self.rules)

    def iterations_left(self, iterations: int) -> int | None:
        left = [n for rule in self.rules if (n := rule.iterations_left(iterations)) is not None]
        return min(left, default=None)

    def seconds_left(self) -> float | None:
        left = [n for rule in self.rules if (n := rule.seconds_left()) is not None]
        return min(left, default=None)

    @property
    def gap(self) -> float:
        return max((rule.gap for rule in self.rules), default=0.0)
