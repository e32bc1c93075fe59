"""Suggested priority (优先级) of a need, with its reason, from care level, tags and the service."""

from __future__ import annotations

import uuid
from datetime import date

from linkage.core.rulesets import rule
from linkage.households.models import Household
from linkage.households.queries import tags_on
from linkage.services.models import Service

VITAL, IMPORTANT, ORDINARY = 1, 2, 3


def suggest(household: Household, person_id: uuid.UUID, service: Service, on: date) -> tuple[int, str]:
    """Tier and reason: 1 vital (不能断), 2 important (优先), 3 ordinary (一般).

    The tags that count are the person's own and the household's (DOMAIN.md), not those of who lives there, too.

    A severely or totally disabled person's vital service is tier 1; severe disability, living alone at a great
    age, or a vital service is tier 2. Staff may choose otherwise, with a reason.
    """
    tags = {tag.tag for tag in tags_on(household, on) if tag.person_id in (None, person_id)}
    severe = household.care_level in ("severe", "total") or "severe_disability" in tags
    vital = service.code in rule("needs.vital_services", on)
    if severe:
        return (VITAL if vital else IMPORTANT), "severe_disability"
    if vital:
        return IMPORTANT, "basic_need"
    if {"living_alone", "aged_80"} <= tags:
        return IMPORTANT, "living_alone"
    if service.group == "nursing":
        return IMPORTANT, "medical"
    return ORDINARY, "wish"
