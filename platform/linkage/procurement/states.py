"""The state of a tender, derived from its timestamps: once in Python, once in SQL (a test shows that they agree)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, case, literal, or_

from linkage.procurement.models import Tender

STATES = ("draft", "published", "closed", "opened", "evaluated", "decided", "noticed", "done")  # the way it goes
STAMPED = STATES[3:]  # those that a timestamp of their own says
ENDED = ("done", "withdrawn", "cancelled")
ALL_STATES = (*STATES, "withdrawn", "cancelled", "suspended")


def state_of(tender: Tender, now: datetime) -> str:
    """draft → published → closed → opened → evaluated → decided → noticed → done; withdrawn, cancelled; suspended.

    A suspension hides the state beneath it until it ends (`state_beneath`).
    """
    return "suspended" if is_suspended(tender, now) and not _ended(tender) else state_beneath(tender, now)


def is_suspended(tender: Tender, now: datetime) -> bool:
    return (
        tender.suspended_at is not None
        and tender.suspended_at <= now
        and (tender.suspended_until is None or now < tender.suspended_until)
    )


def _ended(tender: Tender) -> bool:
    return any(moment is not None for moment in (tender.withdrawn_at, tender.cancelled_at, tender.done_at))


def state_beneath(tender: Tender, now: datetime) -> str:
    """The state without regard to a suspension."""
    if tender.withdrawn_at is not None:
        return "withdrawn"
    if tender.cancelled_at is not None:
        return "cancelled"
    for state in reversed(STAMPED):
        if getattr(tender, f"{state}_at") is not None:
            return state
    if tender.published_at is None:
        return "draft"
    return "closed" if tender.deadline_at <= now else "published"


def state_sql(now: datetime) -> ColumnElement[str]:
    """SQL: `state_of`."""
    ended = or_(Tender.withdrawn_at.is_not(None), Tender.cancelled_at.is_not(None), Tender.done_at.is_not(None))
    suspended = and_(
        ~ended,
        Tender.suspended_at <= now,
        or_(Tender.suspended_until.is_(None), Tender.suspended_until > now),
    )
    return case(
        (Tender.withdrawn_at.is_not(None), literal("withdrawn", String)),
        (Tender.cancelled_at.is_not(None), "cancelled"),
        (suspended, "suspended"),
        *((getattr(Tender, f"{state}_at").is_not(None), state) for state in reversed(STAMPED)),
        (Tender.published_at.is_(None), "draft"),
        (Tender.deadline_at <= now, "closed"),
        else_="published",
    )
