"""What the tests of the checker do again and again: a small plan, a change to it, and the codes that it earns."""

from dataclasses import replace

from matching.feasibility import ViolationCode, check
from tests.matching.builders import (
    carer,
    instance,
    plan,
    stop,
    visit,
)

C = ViolationCode
TWO_CARERS = (carer("a"), carer("b"))


def codes(of, made):
    return sorted({v.code for v in check(of, made)})


def one(start=600, **more):
    """One carer, one visit served at `start`."""
    of = instance([visit(**more)])
    return of, plan(of, {"a-0": [stop("v", start)]})


def changed_route(made, **more):
    return replace(made, routes=(replace(made.routes[0], **more),))


def changed_stop(made, **more):
    first = replace(made.routes[0].stops[0], **more)
    return changed_route(made, stops=(first, *made.routes[0].stops[1:]))
