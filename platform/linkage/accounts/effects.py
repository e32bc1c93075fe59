"""What accounts do when something is announced."""

from __future__ import annotations

from sqlalchemy import select

from linkage.accounts import granting, operations, queries
from linkage.accounts.models import Grant, InboxMessage, User
from linkage.core import audit
from linkage.core.events import Event, HouseholdsMerged, PeopleMerged, PersonDied, effect, note_moved
from linkage.core.extensions import db


@effect(PersonDied, "accounts")
def close_account_of_the_dead(event: PersonDied) -> None:
    """Nobody signs in as somebody who has died."""
    user = queries.account_of(event.person_id)
    if user is not None:
        _close(user, event, "death")


@effect(PeopleMerged, "accounts")
def keep_one_account(event: PeopleMerged) -> None:
    """One human being has one account: the kept one with the roles of both, else the lost one's becomes theirs."""
    lost, kept = queries.account_of(event.lost_id), queries.account_of(event.kept_id)
    if lost is not None and kept is None:
        lost.person_id = event.kept_id
        note_moved(event.moved, [lost])
        audit.record("accounts.merge", lost, by=event.by, now=event.now)
    elif lost is not None and kept is not None:
        grants = db.session.scalars(select(Grant).where(Grant.user_id == lost.id).order_by(Grant.id)).all()
        for grant in grants:
            grant.user_id = kept.id
        note_moved(event.moved, grants)
        _close(lost, event, "merged")
    messages = db.session.scalars(select(InboxMessage).where(InboxMessage.person_id == event.lost_id)).all()
    for message in messages:
        message.person_id = event.kept_id
    note_moved(event.moved, messages)
    db.session.flush()


@effect(HouseholdsMerged, "accounts")
def look_at_the_kept_household(event: HouseholdsMerged) -> None:
    """Whose account was for the lost record of a household has it for the kept one."""
    grants = db.session.scalars(select(Grant).where(Grant.household_id == event.lost_id).order_by(Grant.id)).all()
    for grant in grants:
        grant.household_id = event.kept_id
    note_moved(event.moved, grants)
    db.session.flush()


def _close(user: User, event: Event, reason: str) -> None:
    if user.disabled_at is not None:
        return
    user.disabled_at = event.now
    user.row_version += 1
    ended = operations.end_sessions(user.id, now=event.now)
    granting.withdraw_invitations(user, now=event.now)
    audit.record("accounts.disable", user, by=event.by, now=event.now, reason=reason, sessions_ended=ended)
